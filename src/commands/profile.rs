//! `profile`: named identities. What is not secret goes to `config.toml`, the secret to the keyring; it is verified before it is kept.

mod dependents;
mod set;
mod show;

use crate::account::{old_profile, sign_off};
use crate::cache::index;
use crate::cli::{GlobalArgs, ProfileCommand, ProfileRemoveArgs};
use crate::config::Config;
use crate::credential::forget::{NotForgotten, cure, forget, forget_sign_ins, in_all};
use crate::error::{Exit, Explain, Result};
use crate::host::{Directories, Host};
use crate::identity;
use crate::ids::ProfileName;
use crate::plan::RunSettings;
use crate::secret::InvalidSecret;
use crate::session::Session;
use crate::store::StoreError;

/// Why a profile could not be kept or removed.
#[derive(Debug, thiserror::Error)]
enum ProfileError {
    #[error("no {0} came on stdin")]
    NoSecret(&'static str, String),
    #[error("no {0} was typed")]
    NothingTyped(&'static str, String),
    #[error("cannot read the {0} from stdin")]
    Unread(&'static str, #[source] std::io::Error, String),
    #[error("the {0} on stdin cannot be right: {1}")]
    MalformedSecret(&'static str, InvalidSecret, String),
    #[error("the {0} that was typed cannot be right: {1}")]
    MalformedTyped(&'static str, InvalidSecret, String),
    #[error("the {0} is missing, and nobody can be asked for it")]
    NobodyToAsk(&'static str, String),
    #[error("a passcode is asked for when it is verified, and nobody can be asked for it")]
    NobodyForPasscode(String),
    #[error("the access key's id is missing")]
    NoAccessKeyId,
    #[error("profile `{name}` stays, because its secret cannot be removed")]
    SecretLeft { name: ProfileName, source: StoreError },
    #[error("profile `{name}` and its secret are removed, but not everything that it has fetched is forgotten")]
    Left { name: ProfileName, source: NotForgotten },
    #[error("there is no profile `{name}`")]
    Unknown { name: ProfileName, meant: Option<String> },
}

impl Explain for ProfileError {
    fn exit(&self) -> Exit {
        match self {
            Self::Unread(_, source, _) if source.kind() == std::io::ErrorKind::TimedOut => Exit::Temporary,
            Self::NoSecret(..)
            | Self::NothingTyped(..)
            | Self::Unread(..)
            | Self::MalformedSecret(..)
            | Self::MalformedTyped(..)
            | Self::NobodyToAsk(..)
            | Self::NobodyForPasscode(_)
            | Self::NoAccessKeyId
            | Self::Unknown { .. } => Exit::Usage,
            Self::SecretLeft { .. } | Self::Left { .. } => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSecret(_, line)
            | Self::NothingTyped(_, line)
            | Self::Unread(_, _, line)
            | Self::MalformedSecret(_, _, line)
            | Self::MalformedTyped(_, _, line)
            | Self::NobodyToAsk(_, line) => {
                format!("type it at a terminal, or pipe it in: `printf %s \"$SECRET\" | {line} --secret-stdin`")
            }
            Self::NobodyForPasscode(line) => format!("run it at a terminal: `{line}`"),
            Self::NoAccessKeyId => "give it with `--access-key-id`, or another `--kind`".to_owned(),
            Self::SecretLeft { source, .. } => cure(source).to_owned(),
            Self::Left { source, .. } => return source.hint(),
            Self::Unknown { meant: Some(meant), .. } => meant.clone(),
            Self::Unknown { .. } => "`kubectl cce-login profile list` shows the profiles".to_owned(),
        })
    }
}

impl ProfileError {
    fn unknown(name: &ProfileName, config: &Config) -> Self {
        Self::Unknown {
            name: name.clone(),
            meant: config.meant(name),
        }
    }
}

/// Runs one of the profile commands.
pub(super) fn run(command: &ProfileCommand, global: &GlobalArgs, host: &Host) -> Result<()> {
    match command {
        ProfileCommand::Set(args) => set::set(args, global, host),
        ProfileCommand::List(args) => show::list(args, host),
        ProfileCommand::Show(args) => show::show(args, host),
        ProfileCommand::Remove(args) => remove(args, global, host),
    }
}

fn remove(args: &ProfileRemoveArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let name = plan_name(&args.name)?;
    let session = Session::new(
        host,
        Directories::of(&host.env),
        RunSettings::new(global, &host.env, host.terminal)?,
        global.verbose,
    );
    let mut config = Config::load_from_home(&session.directories, session.host.env.inputs())?;
    let profile = config.profiles.remove(name.as_str());
    let profile = profile.ok_or_else(|| ProfileError::unknown(&name, &config))?;
    if !dependents::is_agreed(&session, args, &name, &config)? {
        return Ok(());
    }
    let sign_on_left = sign_off::sign_off(&session, &[name.as_str()]).map(NotForgotten::SignOn);
    if let Err(source) = old_profile::forget_secret(&session, &name, &profile) {
        return Err(ProfileError::SecretLeft { name, source }.into());
    }
    Config::remove(&session.directories, session.host.env.inputs(), &name)?;
    let fetched = forget_fetched(&session, &name);
    if let Err(source) = sign_on_left.map_or(fetched, Err) {
        return Err(ProfileError::Left { name, source }.into());
    }
    host.say(&format!(
        "profile `{name}`, its secret and its certificates are removed"
    ));
    Ok(())
}

/// Voids and deletes the tokens and certificates that were fetched as this profile.
fn forget_fetched(session: &Session<'_>, name: &ProfileName) -> std::result::Result<(), NotForgotten> {
    let pin = identity::profile_pin(name);
    let tokens = forget_sign_ins(session, &pin);
    let own = index::all(&session.directories).into_iter();
    let own = own.filter(|(_, note)| note.pin == pin);
    in_all(own, |(key, note)| forget(session, &key, Some(&note))).and(tokens)
}

fn plan_name(text: &str) -> Result<ProfileName> {
    Ok(crate::plan::profile_name(text)?)
}
