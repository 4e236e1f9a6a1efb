//! A new identity: verified at IAM, then kept as a profile, its secret apart from the rest.

use crate::account::principal;
use crate::cli::ProfileSetArgs;
use crate::config::{Config, Profile, ProfileKind};
use crate::env_vars;
use crate::error::{Exit, Explain, Result};
use crate::host::{Cancelled, Progress};
use crate::huaweicloud::iam::{Project, only_project};
use crate::identity::{self, Identity};
use crate::ids::ProfileName;
use crate::plan::{self, CloudSettings, ProfileSetPlan};
use crate::sanitize::sanitize;
use crate::secret::Secret;
use crate::session::Session;
use crate::sign_in::SignIn;
use crate::store::{CacheMode, SecretPlace};

/// No store takes the secret.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep the secret of profile `{name}`: {reason}")]
struct NotKept {
    name: ProfileName,
    reason: String,
}

impl Explain for NotKept {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        let hint = "unlock or install a keyring, use the environment instead (`HUAWEICLOUD_SDK_AK`, `HUAWEICLOUD_SDK_SK`), \
                    or keep it in a file that only you can read: `--secret-store file`";
        Some(hint.to_owned())
    }
}

/// A password or an id token goes to an endpoint, and under roots, that the profile itself names, never to one that only a variable names:
/// that is said before anything is asked, and may be kept with the profile.
pub(crate) fn keep_what_variables_say(session: &Session<'_>, args: &mut ProfileSetArgs) -> Result<()> {
    let env = &session.host.env;
    let mut open: Vec<(&str, &str, &mut Option<String>, String)> = Vec::new();
    for (variable, what, kept) in [
        (env_vars::IAM_ENDPOINT, "the IAM endpoint", &mut args.cloud.iam_endpoint),
        (env_vars::CA_FILE, "the file of roots", &mut args.cloud.ca_file),
    ] {
        if let (None, Some(value)) = (&kept, env.var(variable)) {
            open.push((variable, what, kept, value));
        }
    }
    if open.is_empty() || !session.is_interactive {
        return Ok(());
    }
    let said: Vec<String> = open
        .iter()
        .map(|(variable, what, _, value)| format!("{what} `{}` comes from `{variable}`", sanitize(value)))
        .collect();
    session.host.say(&format!(
        "{}: a password goes there only if the profile itself says so",
        said.join(", and ")
    ));
    if !session.host.confirm_explicitly("Keep it with the profile?")? {
        let variables: Vec<String> = open.iter().map(|(variable, ..)| format!("`{variable}`")).collect();
        session
            .host
            .say(&format!("to sign in elsewhere, unset {}", variables.join(" and ")));
        return Err(Cancelled::Stop.into());
    }
    for (_, _, kept, value) in open {
        *kept = Some(value);
    }
    Ok(())
}

/// Asks the cloud who the identity is. Nothing that was kept before answers for it.
pub(crate) fn verify(session: &Session<'_>, args: &ProfileSetArgs, identity: &Identity) -> Result<principal::WhoAmI> {
    let env = &session.host.env;
    let cloud = CloudSettings::for_identity(&args.cloud, env, Some(identity.profile()))?;
    let region = plan::region_of_identity(args.region.as_deref(), env, Some(identity.profile()))?;
    // A person is asked once: what it gave is for the login that follows.
    let cache = if identity.asks_person() {
        plan::cache_mode(env)?
    } else {
        CacheMode::None
    };
    let sign_in = SignIn::new(identity, &cloud, &region, cache);
    sign_in.forget(session);
    let found = {
        let _progress = Progress::spinner(session.host, "asking the cloud who that is");
        principal::find(session, &sign_in)?
    };
    if let Some(project) = args.project.as_deref() {
        let is_meant = |known: &&Project| known.name == project || known.id.as_str() == project;
        let meant = found.projects.iter().filter(is_meant).cloned().collect();
        only_project(project, meant, found.projects.iter().map(|known| known.name.as_str()))?;
    }
    Ok(found)
}

/// Keeps the profile and its secret, and says where.
pub(crate) fn keep(
    session: &Session<'_>,
    plan: &ProfileSetPlan,
    secret: Option<&Secret<String>>,
    found: &principal::WhoAmI,
) -> Result<()> {
    let kept = secret.map(|secret| keep_secret(session, plan, secret)).transpose()?;
    let file = Config::store(
        &session.directories,
        session.host.env.inputs(),
        &plan.name,
        &plan.profile,
    )?;
    let host = session.host;
    host.say(&format!("profile `{}`: {}", plan.name, describe(&plan.profile, found)));
    host.say(&match kept {
        Some(kept) => format!("its secret is kept in {kept}, the rest in `{}`", file.display()),
        None => format!("it has no secret of its own; its settings are in `{}`", file.display()),
    });
    Ok(())
}

/// Why no keyring can keep a secret; `None`: one can, as far as can be known before there is something to keep.
pub(crate) fn why_no_keyring(session: &Session<'_>) -> Option<String> {
    let lookup = session.secrets(SecretPlace::Keyring).get("probe");
    let trouble = lookup.troubles.into_iter().next();
    trouble.map(|trouble| trouble.error.to_string())
}

/// Where no keyring can keep a secret, a person says before it is typed whether a file may. No: nothing is typed, and nothing is kept.
pub(crate) fn agree_to_file(session: &Session<'_>, plan: &mut ProfileSetPlan) -> Result<()> {
    if plan.profile.secret_place() != SecretPlace::Keyring {
        return Ok(());
    }
    let Some(reason) = why_no_keyring(session) else {
        return Ok(());
    };
    let name = plan.name.clone();
    session.host.say(&format!(
        "no keyring can keep the secret of profile `{name}` ({reason}), so it would lie in clear text, in a file that only you can read"
    ));
    if !session.host.confirm_explicitly("Keep it in that file?")? {
        return Err(NotKept { name, reason }.into());
    }
    plan.profile.secret_store = Profile::secret_store_of(SecretPlace::File);
    Ok(())
}

/// Keeps the profile without its secret: its certificates are good until they end.
pub(crate) fn keep_without_secret(session: &Session<'_>, plan: &ProfileSetPlan) -> Result<()> {
    let file = Config::store(
        &session.directories,
        session.host.env.inputs(),
        &plan.name,
        &plan.profile,
    )?;
    session.host.say(&format!(
        "the secret is for this login only; the rest of profile `{name}` is kept in `{}`. When the certificate ends: kubectl cce-login profile set {name} --secret-store file",
        file.display(),
        name = plan.name
    ));
    Ok(())
}

/// Keeps the secret; returns where.
fn keep_secret(session: &Session<'_>, plan: &ProfileSetPlan, secret: &Secret<String>) -> Result<String> {
    let store = session.secrets(plan.profile.secret_place());
    let stored = identity::keep_secret(&store, &plan.name, &plan.profile, secret, session.started);
    if stored.held_by.is_empty() {
        let trouble = stored.troubles.first();
        let reason = trouble.map_or_else(|| "there is no store".to_owned(), |trouble| trouble.error.to_string());
        return Err(NotKept {
            name: plan.name.clone(),
            reason,
        }
        .into());
    }
    Ok(stored
        .held_by
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" and "))
}

/// Whom the cloud knows, and what it sees.
fn describe(profile: &Profile, found: &principal::WhoAmI) -> String {
    let key = profile
        .access_key_id
        .as_ref()
        .filter(|_| profile.kind() == Some(ProfileKind::AccessKey));
    let key = key.map_or_else(String::new, |id| format!("access key `{id}` of "));
    let account = found
        .account
        .as_ref()
        .map_or_else(String::new, |account| format!(" in account `{}`", account.name));
    let names: Vec<_> = found
        .projects
        .iter()
        .map(|project| format!("`{}`", sanitize(&project.name)))
        .collect();
    let projects = match names.as_slice() {
        [] => "sees no project".to_owned(),
        [name] => format!("sees the project {name}"),
        names => format!("sees the projects {}", names.join(", ")),
    };
    format!("{key}{}{account} {projects}", found.principal)
}
