//! `profile`: named identities. What is not secret goes to `config.toml`, the secret to the keyring; it is verified before it is kept.

use super::forget::forget;
use super::report::{self, Format};
use super::session::Session;
use crate::cache::index;
use crate::cli::{GlobalArgs, OutputArgs, ProfileCommand, ProfileRemoveArgs, ProfileSetArgs};
use crate::config::Config;
use crate::credentials::{AccessKey, Credentials};
use crate::error::{Exit, Explain, Result};
use crate::host::{Directories, Host};
use crate::iam::IamClient;
use crate::identity;
use crate::ids::ProfileName;
use crate::plan::{ProfileSetPlan, RunSettings};
use crate::secret::Secret;
use serde::Serialize;
use std::io::Read as _;

/// A secret access key has 40 characters; anything much longer is something else.
const LONGEST_SECRET: u64 = 4096;

/// Why a profile could not be kept or removed.
#[derive(Debug, thiserror::Error)]
enum ProfileError {
    #[error("no secret came on stdin")]
    NoSecret,
    #[error("the secret on stdin is not one line of text")]
    MalformedSecret,
    #[error("cannot keep the secret of profile `{name}`: {reason}")]
    NotKept { name: ProfileName, reason: String },
    #[error("profile `{name}` stays, because its secret cannot be removed: {reason}")]
    SecretLeft { name: ProfileName, reason: String },
    #[error("profile `{name}` and its secret are removed, a certificate that was fetched with it is not: {reason}")]
    CertificateLeft { name: ProfileName, reason: String },
    #[error("there is no profile `{0}`")]
    Unknown(ProfileName),
}

impl Explain for ProfileError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoSecret | Self::MalformedSecret | Self::Unknown(_) => Exit::Usage,
            Self::NotKept { .. } | Self::SecretLeft { .. } | Self::CertificateLeft { .. } => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSecret | Self::MalformedSecret => "pipe the secret access key in, such as `printf %s \"$SK\" | kubectl cce-login profile set …`".to_owned(),
            Self::NotKept { .. } => "unlock or install a keyring, use the environment instead (`HUAWEICLOUD_SDK_AK`, `HUAWEICLOUD_SDK_SK`), \
                                     or keep it in a file that only you can read: `--secret-store file`"
                .to_owned(),
            Self::SecretLeft { .. } => "unlock the keyring and run the command again".to_owned(),
            Self::CertificateLeft { .. } => {
                "it is void here and is never used again; it ends by itself, and the keyring's own program can delete it before".to_owned()
            }
            Self::Unknown(_) => "`kubectl cce-login profile list` shows the profiles".to_owned(),
        })
    }
}

/// Runs one of the profile commands.
pub(super) fn run(command: &ProfileCommand, global: &GlobalArgs, host: &Host) -> Result<()> {
    match command {
        ProfileCommand::Set(args) => set(args, global, host),
        ProfileCommand::List(args) => list(args, host),
        ProfileCommand::Remove(args) => remove(args, global, host),
    }
}

fn set(args: &ProfileSetArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let plan = ProfileSetPlan::new(args, &host.env)?;
    let directories = Directories::of(&host.env);
    let session = Session::new(
        host,
        directories,
        RunSettings::new(global, &host.env, host.terminal)?,
        global.verbose,
    );
    let secret = read_secret(host)?;
    let projects =
        verify(&session, &plan, &secret).map_err(|e| e.doing("failed to verify the access key, so nothing is kept"))?;

    let profile = plan.profile();
    let stored = identity::keep_secret(
        &session.secrets(profile.secret_store.as_deref()),
        &plan.name,
        &secret,
        session.started,
    );
    if stored.held_by.is_empty() {
        let reason = stored
            .troubles
            .first()
            .map_or_else(|| "there is no store".to_owned(), |t| t.error.to_string());
        return Err(ProfileError::NotKept {
            name: plan.name,
            reason,
        }
        .into());
    }
    let file = Config::store(&session.directories, &plan.name, &profile)?;
    let kept = stored
        .held_by
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" and ");
    host.say(&format!(
        "profile `{}`: access key `{}` is valid and sees {projects} {}",
        plan.name,
        plan.access_key_id,
        if projects == 1 { "project" } else { "projects" }
    ));
    host.say(&format!(
        "its secret is kept in {kept}, the rest in `{}`",
        file.display()
    ));
    Ok(())
}

/// One line from stdin.
fn read_secret(host: &Host) -> Result<Secret<String>> {
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    let mut stdin = host.stdin.lock().map_err(|_| ProfileError::NoSecret)?;
    stdin
        .by_ref()
        .take(LONGEST_SECRET)
        .read_to_end(&mut bytes)
        .map_err(|_| ProfileError::NoSecret)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| ProfileError::MalformedSecret)?
        .trim();
    if text.is_empty() {
        return Err(ProfileError::NoSecret.into());
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(ProfileError::MalformedSecret.into());
    }
    Ok(Secret::new(text.to_owned()))
}

/// Asks IAM which projects the key sees; returns how many.
fn verify(session: &Session<'_>, plan: &ProfileSetPlan, secret: &Secret<String>) -> Result<usize> {
    let key = AccessKey {
        id: plan.access_key_id.clone(),
        secret: secret.clone(),
        security_token: None,
    };
    let credentials = Credentials::AccessKey(key);
    let http = session.cloud_http(&plan.cloud)?;
    let api = session.api(&http, &credentials, session.deadline);
    let endpoint = plan.cloud.iam(&plan.region);
    let projects = IamClient {
        api: &api,
        endpoint: &endpoint,
    }
    .projects();
    Ok(projects?.len())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    name: &'a str,
    kind: &'a str,
    access_key_id: Option<&'a str>,
    region: Option<&'a str>,
    cloud: Option<&'a str>,
}

fn list(args: &OutputArgs, host: &Host) -> Result<()> {
    let format = Format::parse(args)?;
    let config = Config::load(&Directories::of(&host.env))?;
    let rows: Vec<Row<'_>> = config
        .profiles
        .iter()
        .map(|(name, profile)| Row {
            name,
            kind: &profile.kind,
            access_key_id: profile.access_key_id.as_deref(),
            region: profile.region.as_deref(),
            cloud: profile.cloud.as_deref(),
        })
        .collect();
    let text = match format {
        Format::Json => report::json(&rows),
        Format::Yaml => report::yaml(&rows),
        Format::Name => rows.iter().map(|row| row.name.to_owned() + "\n").collect(),
        Format::Table => {
            let head = ["NAME", "KIND", "ACCESS KEY", "REGION", "CLOUD"]
                .map(str::to_owned)
                .to_vec();
            let cells = |row: &Row<'_>| {
                [Some(row.name), Some(row.kind), row.access_key_id, row.region, row.cloud]
                    .map(|c| c.unwrap_or("-").to_owned())
                    .to_vec()
            };
            report::table(&std::iter::once(head).chain(rows.iter().map(cells)).collect::<Vec<_>>())
        }
    };
    report::print(host, &text)
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
    let deleted = identity::forget_secret(&session.secrets(profile.secret_store.as_deref()), &name);
    if let Some(trouble) = deleted.troubles.first().or(deleted.unavailable.first()) {
        return Err(ProfileError::SecretLeft {
            name,
            reason: trouble.error.to_string(),
        }
        .into());
    }
    Config::remove(&session.directories, &name)?;
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
