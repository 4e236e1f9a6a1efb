//! `profile set`: the secret from the terminal or stdin, verified at IAM, then kept.

use crate::account::{new_profile, portal_role, region, sign_off};
use crate::cli::{GlobalArgs, ProfileSetArgs};
use crate::commands::profile::ProfileError;
use crate::config::{Config, ProfileKind};
use crate::error::{Error, Result};
use crate::host::{Directories, Host, Input};
use crate::identity::Identity;
use crate::plan::{self, ProfileSetPlan, RunSettings};
use crate::secret::{InvalidSecret, Secret, SecretShape};
use crate::session::Session;
use crate::words::Word as _;

/// Verifies an identity and keeps it.
pub(super) fn set(args: &ProfileSetArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let run = RunSettings::new(global, &host.env, host.terminal)?;
    let session = Session::new(host, Directories::of(&host.env), run, global.verbose);
    let config = Config::load_from_home(&session.directories, session.host.env.inputs())?;
    let existing = config.profiles.get(&args.name);
    let (mut args, kept) = existing.map_or_else(
        || (args.clone(), Vec::new()),
        |existing| plan::with_kept(args, existing),
    );
    if !kept.is_empty() {
        host.say(&format!("profile `{}` keeps {}", args.name, kept.join(" ")));
    }
    let kind = args.kind.as_deref().and_then(ProfileKind::parse);
    if kind.is_some_and(ProfileKind::shows_secret_to_iam) {
        new_profile::keep_what_variables_say(&session, &mut args)?;
    }
    let mut plan = ProfileSetPlan::of_existing(&args, existing)?;
    let offered = key_of_variables(&mut plan, &session)?;
    complete(&mut plan, &session)?;
    let secret = secret(&mut plan, &session, offered)?;
    verify_and_keep(&session, &args, config, &mut plan, secret.as_ref())
        .inspect_err(|error| sign_off::abandon(&session, &plan, secret.as_ref(), error))
}

fn verify_and_keep(
    session: &Session<'_>,
    args: &ProfileSetArgs,
    mut config: Config,
    plan: &mut ProfileSetPlan,
    secret: Option<&Secret<String>>,
) -> Result<()> {
    if plan.kind == ProfileKind::Sso {
        portal_role::complete(session, plan)
            .map_err(|error| error.doing("failed to find out what the profile is to be, so nothing is kept"))?;
    }
    config.profiles.insert(plan.name.to_string(), plan.profile.clone());
    let identity = Identity::of_new_profile(&plan.name, &config, &session.host.env, secret.cloned())?;
    let found = new_profile::verify(session, args, &identity)
        .map_err(|error| complete_hint(error, plan).doing("failed to verify the identity, so nothing is kept"))?;
    new_profile::keep(session, plan, secret, &found)
}

/// A hint that sets the profile again means one that is there: here is all that it would have had.
fn complete_hint(error: Error, plan: &ProfileSetPlan) -> Error {
    let again = format!("kubectl cce-login profile set {}", plan.name);
    match error.hint() {
        Some(hint) if hint.contains(&again) => error.with_hint(hint.replace(&again, &plan.command_line())),
        _ => error,
    }
}

/// The secret of the access key that the environment has: who has signed in with it need not type it again.
fn key_of_variables(plan: &mut ProfileSetPlan, session: &Session<'_>) -> Result<Option<Secret<String>>> {
    let can_ask = session.is_interactive && !plan.is_secret_piped;
    let (host, id) = (session.host, &mut plan.profile.access_key_id);
    if plan.kind != ProfileKind::AccessKey || !can_ask {
        return Ok(None);
    }
    match Identity::lasting_key_of_variables(&host.env, &session.directories) {
        Some((found, secret)) if id.as_deref().is_none_or(|id| id == found.as_str()) => {
            let question = format!("Keep access key `{found}` of the environment?");
            let is_agreed = host.confirm(&question)?;
            if is_agreed {
                *id = Some(found.to_string());
            }
            Ok(Some(secret).filter(|_| is_agreed))
        }
        _ => Ok(None),
    }
}

/// Asks for what is missing and not secret.
fn complete(plan: &mut ProfileSetPlan, session: &Session<'_>) -> Result<()> {
    let can_ask = session.is_interactive && !plan.is_secret_piped;
    if plan.profile.totp == Some(true) && !can_ask {
        return Err(ProfileError::NobodyForPasscode(plan.command_line()).into());
    }
    let is_place_known = plan::region_of_identity(None, &session.host.env, Some(&plan.profile)).is_ok();
    if can_ask && !is_place_known {
        plan.profile.region = Some(region::ask(session)?.to_string());
    }
    if plan.kind != ProfileKind::AccessKey || plan.profile.access_key_id.is_some() {
        return Ok(());
    }
    let typed = if can_ask {
        session.host.ask("access key id: ")
    } else {
        None
    };
    let id = typed.ok_or(ProfileError::NoAccessKeyId)?;
    plan.profile.access_key_id = Some(plan::access_key_id(&id)?.to_string());
    Ok(())
}

/// The secret: what was `offered` and taken, else from stdin or from the terminal; `None` where there is none to keep. Where it will be kept
/// is said before it is typed.
fn secret(
    plan: &mut ProfileSetPlan,
    session: &Session<'_>,
    offered: Option<Secret<String>>,
) -> Result<Option<Secret<String>>> {
    let has_client_secret = plan.kind == ProfileKind::Oidc && plan.profile.client_secret == Some(true);
    let client_secret = has_client_secret.then_some("client's secret");
    let Some(what) = plan.kind.secret().or(client_secret) else {
        return Ok(None);
    };
    let shape = plan.kind.secret_shape();
    if plan.is_secret_piped {
        return read_secret(plan, session.host, what, shape).map(Some);
    }
    if !session.is_interactive {
        return Err(ProfileError::NobodyToAsk(what, plan.command_line()).into());
    }
    new_profile::agree_to_file(session, plan)?;
    if offered.is_some() {
        return Ok(offered);
    }
    let typed = session.host.ask_secret(&format!("{what}: "));
    let typed = typed.ok_or_else(|| ProfileError::NothingTyped(what, plan.command_line()))?;
    // Only its shape is looked at.
    let secret = shape.check(typed.expose());
    Ok(Some(secret.map_err(|invalid| {
        ProfileError::MalformedTyped(what, invalid, plan.command_line())
    })?))
}

/// One line from stdin.
fn read_secret(plan: &ProfileSetPlan, host: &Host, what: &'static str, shape: SecretShape) -> Result<Secret<String>> {
    let bytes = host
        .read_stdin(Input::Token)
        .map_err(|error| ProfileError::Unread(what, error, plan.command_line()))?;
    // Only its shape is looked at.
    match shape.check_bytes(bytes.expose()) {
        Ok(secret) => Ok(secret),
        Err(InvalidSecret::Empty) => Err(ProfileError::NoSecret(what, plan.command_line()).into()),
        Err(invalid) => Err(ProfileError::MalformedSecret(what, invalid, plan.command_line()).into()),
    }
}
