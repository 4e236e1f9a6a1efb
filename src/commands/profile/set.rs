//! `profile set`: the secret from the terminal or stdin, verified at IAM, then kept.

use super::ProfileError;
use crate::cli::{GlobalArgs, ProfileSetArgs};
use crate::commands::session::Session;
use crate::commands::sign_in::{self, SignIn};
use crate::commands::who;
use crate::config::{Config, Profile};
use crate::error::Result;
use crate::host::{Directories, Host};
use crate::iam::sign_in::Scope;
use crate::iam::{Project, only_project};
use crate::identity::{self, Identity};
use crate::plan::{self, CloudSettings, ProfileKind, ProfileSetPlan, RunSettings};
use crate::sanitize::sanitize;
use crate::secret::Secret;
use crate::store::CacheMode;
use std::io::Read as _;
use std::sync::PoisonError;

/// A secret access key has 40 characters, a password at most some more; anything much longer is something else.
const LONGEST_SECRET: u64 = 4096;

/// Verifies an identity and keeps it.
pub(super) fn set(args: &ProfileSetArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let mut plan = ProfileSetPlan::new(args)?;
    let run = RunSettings::new(global, &host.env, host.terminal)?;
    let session = Session::new(host, Directories::of(&host.env), run, global.verbose);
    let mut config = Config::load(&session.directories)?;
    complete(&mut plan, &session)?;
    let secret = secret(&plan, &session)?;
    config.profiles.insert(plan.name.to_string(), plan.profile.clone());
    let identity = Identity::of_new_profile(&plan.name, &config, &host.env, secret.clone())?;
    let found = verify(&session, args, &identity)
        .map_err(|error| error.doing("failed to verify the identity, so nothing is kept"))?;
    let kept = match &secret {
        Some(secret) => Some(keep(&session, &plan, secret)?),
        None => None,
    };
    let file = Config::store(&session.directories, &plan.name, &plan.profile)?;
    host.say(&format!("profile `{}`: {}", plan.name, describe(&plan.profile, &found)));
    host.say(&match kept {
        Some(kept) => format!("its secret is kept in {kept}, the rest in `{}`", file.display()),
        None => format!("it has no secret of its own; its settings are in `{}`", file.display()),
    });
    Ok(())
}

/// Asks for what is missing and not secret.
fn complete(plan: &mut ProfileSetPlan, session: &Session<'_>) -> Result<()> {
    if plan.kind != ProfileKind::AccessKey || plan.profile.access_key_id.is_some() {
        return Ok(());
    }
    let typed = if session.is_interactive && !plan.is_secret_piped {
        session.host.ask("access key id: ")
    } else {
        None
    };
    let id = typed.ok_or(ProfileError::NoAccessKeyId)?;
    plan.profile.access_key_id = Some(plan::access_key_id(&id)?.to_string());
    Ok(())
}

/// The secret, from stdin or from the terminal; `None` where there is none to keep.
fn secret(plan: &ProfileSetPlan, session: &Session<'_>) -> Result<Option<Secret<String>>> {
    let Some(what) = plan.kind.secret() else {
        return Ok(None);
    };
    if plan.is_secret_piped {
        return read_secret(session.host, what).map(Some);
    }
    if !session.is_interactive {
        return Err(ProfileError::NobodyToAsk(what).into());
    }
    let secret = session.host.ask_secret(&format!("{what}: "));
    Ok(Some(secret.ok_or(ProfileError::NothingTyped(what))?))
}

/// Asks the cloud who the identity is. Nothing that was kept before answers for it.
fn verify(session: &Session<'_>, args: &ProfileSetArgs, identity: &Identity) -> Result<who::Found> {
    let env = &session.host.env;
    let cloud = CloudSettings::for_identity(&args.cloud, env, identity.profile())?;
    let region = plan::region_of_identity(args.region.as_deref(), env, identity.profile())?;
    let sign_in = SignIn {
        identity,
        cloud: &cloud,
        region: &region,
        scope: Scope::Account,
        // A passcode is typed once: what it gave is for the login that follows.
        cache: if identity.has_passcode() {
            plan::cache_mode(env)?
        } else {
            CacheMode::None
        },
        may_ask: true,
    };
    sign_in::forget(session, &sign_in);
    let found = who::find(session, &sign_in)?;
    if let Some(project) = args.project.as_deref() {
        let is_meant = |known: &&Project| known.name == project || known.id.as_str() == project;
        only_project(project, found.projects.iter().filter(is_meant).cloned().collect())?;
    }
    Ok(found)
}

/// Keeps the secret; returns where.
fn keep(session: &Session<'_>, plan: &ProfileSetPlan, secret: &Secret<String>) -> Result<String> {
    let store = session.secrets(plan.profile.secret_store.as_deref());
    let stored = identity::keep_secret(&store, &plan.name, secret, session.started);
    if stored.held_by.is_empty() {
        let trouble = stored.troubles.first();
        let reason = trouble.map_or_else(|| "there is no store".to_owned(), |trouble| trouble.error.to_string());
        return Err(ProfileError::NotKept {
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
fn describe(profile: &Profile, found: &who::Found) -> String {
    let key = profile.access_key_id.as_ref().filter(|_| profile.kind == "access-key");
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

/// One line from stdin.
fn read_secret(host: &Host, what: &'static str) -> Result<Secret<String>> {
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    let mut stdin = host.stdin.lock().unwrap_or_else(PoisonError::into_inner);
    stdin
        .by_ref()
        .take(LONGEST_SECRET)
        .read_to_end(&mut bytes)
        .map_err(|_| ProfileError::NoSecret(what))?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| ProfileError::MalformedSecret(what))?
        .trim_matches(['\r', '\n']);
    if text.trim().is_empty() {
        return Err(ProfileError::NoSecret(what).into());
    }
    // A password may hold blanks, not more.
    if text.chars().any(char::is_control) {
        return Err(ProfileError::MalformedSecret(what).into());
    }
    Ok(Secret::new(text.to_owned()))
}
