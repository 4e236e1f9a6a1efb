//! `profile`: named identities. What is not secret goes to `config.toml`, the secret to the keyring; it is verified before it is kept.

mod set;
mod show;

use crate::account::sign_off;
use crate::cache::index;
use crate::cli::{GlobalArgs, ProfileCommand, ProfileRemoveArgs};
use crate::config::Config;
use crate::credential::forget::{forget, forget_sign_ins};
use crate::error::{Exit, Explain, Result};
use crate::host::{Directories, Host};
use crate::identity;
use crate::ids::ProfileName;
use crate::plan::RunSettings;
use crate::secret::InvalidSecret;
use crate::session::Session;

/// Why a profile could not be kept or removed.
#[derive(Debug, thiserror::Error)]
enum ProfileError {
    #[error("no {0} came on stdin")]
    NoSecret(&'static str),
    #[error("no {0} was typed")]
    NothingTyped(&'static str),
    #[error("the {0} on stdin cannot be right: {1}")]
    MalformedSecret(&'static str, InvalidSecret),
    #[error("the {0} that was typed cannot be right: {1}")]
    MalformedTyped(&'static str, InvalidSecret),
    #[error("the {0} is missing, and nobody can be asked for it")]
    NobodyToAsk(&'static str),
    #[error("the access key's id is missing")]
    NoAccessKeyId,
    #[error("profile `{name}` stays, because its secret cannot be removed: {reason}")]
    SecretLeft { name: ProfileName, reason: String },
    #[error("profile `{name}` and its secret are removed, a certificate that was fetched with it is not: {reason}")]
    CertificateLeft { name: ProfileName, reason: String },
    #[error("profile `{name}` and its secret are removed, a token that was issued to it is not: {reason}")]
    SignInLeft { name: ProfileName, reason: String },
    #[error("there is no profile `{0}`")]
    Unknown(ProfileName),
}

impl Explain for ProfileError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoSecret(_)
            | Self::NothingTyped(_)
            | Self::MalformedSecret(..)
            | Self::MalformedTyped(..)
            | Self::NobodyToAsk(_)
            | Self::NoAccessKeyId
            | Self::Unknown(_) => Exit::Usage,
            Self::SecretLeft { .. } | Self::SignInLeft { .. } | Self::CertificateLeft { .. } => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSecret(_)
            | Self::NothingTyped(_)
            | Self::MalformedSecret(..)
            | Self::MalformedTyped(..)
            | Self::NobodyToAsk(_) => {
                "type it at a terminal, or pipe it in: `printf %s \"$SECRET\" | kubectl cce-login profile set … --secret-stdin`".to_owned()
            }
            Self::NoAccessKeyId => "give it with `--access-key-id`, or another `--kind`".to_owned(),
            Self::SecretLeft { .. } => "unlock the keyring and run the command again".to_owned(),
            Self::SignInLeft { .. } | Self::CertificateLeft { .. } => {
                "it is void here and is never used again; it ends by itself, and the keyring's own program can delete it before".to_owned()
            }
            Self::Unknown(_) => "`kubectl cce-login profile list` shows the profiles".to_owned(),
        })
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
    let profile = Config::load(&session.directories)?
        .profiles
        .remove(name.as_str())
        .ok_or_else(|| ProfileError::Unknown(name.clone()))?;
    let sign_on_left = sign_off::sign_off(&session, &[name.as_str()]);
    let deleted = identity::forget_secret(&session.secrets(profile.secret_store.as_deref()), &name);
    if let Some(trouble) = deleted.troubles.first().or(deleted.unavailable.first()) {
        return Err(ProfileError::SecretLeft {
            name,
            reason: trouble.error.to_string(),
        }
        .into());
    }
    Config::remove(&session.directories, &name)?;
    let left = forget_sign_ins(&session, &identity::profile_pin(&name));
    if let Some(reason) = sign_on_left.into_iter().chain(left).next() {
        return Err(ProfileError::SignInLeft { name, reason }.into());
    }
    forget_certificates(&session, &name)?;
    host.say(&format!(
        "profile `{name}`, its secret and its certificates are removed"
    ));
    Ok(())
}

/// Voids and deletes the certificates that were fetched as this profile.
fn forget_certificates(session: &Session<'_>, name: &ProfileName) -> Result<()> {
    let pin = identity::profile_pin(name);
    let own = index::all(&session.directories)
        .into_iter()
        .filter(|(_, note)| note.pin == pin);
    let left: Vec<String> = own.flat_map(|(key, note)| forget(session, &key, Some(&note))).collect();
    match left.into_iter().next() {
        None => Ok(()),
        Some(reason) => Err(ProfileError::CertificateLeft {
            name: name.clone(),
            reason,
        }
        .into()),
    }
}

fn plan_name(text: &str) -> Result<ProfileName> {
    Ok(crate::plan::profile_name(text)?)
}
