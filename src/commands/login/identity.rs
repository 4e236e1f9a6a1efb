//! Who signs in: what was named or is configured; at a terminal one of several, or an identity that is typed, verified, and kept as a profile
//! once it is clear what it is for.

use crate::account::{new_profile, portal_role, principal, region, sign_off};
use crate::cli::{LoginArgs, ProfileSetArgs};
use crate::config::{Config, Profile, ProfileKind};
use crate::credential::forget;
use crate::error::{Error, Exit, Result};
use crate::host::{Cancelled, Host};
use crate::huaweicloud::iam::Project;
use crate::identity::{Identity, IdentityError, Pin};
use crate::plan::{self, ProfileSetPlan, ProjectChoice, SearchPlan};
use crate::sanitize::sanitize;
use crate::secret::Secret;
use crate::session::Session;
use crate::store::SecretPlace;
use crate::words::Word as _;

/// How often an identity can be typed until the cloud takes it.
const MOST_TRIES: usize = 3;
/// The profile that needs no `--profile`.
const DEFAULT: &str = "default";
/// The last row where identities are offered.
const ANOTHER: &str = "another one, which you type now";

/// Who signs in.
pub(super) struct LoginIdentity {
    pub(super) identity: Identity,
    newcomer: Option<UnsavedProfile>,
    /// A person has been asked who it is.
    pub(super) is_chosen: bool,
}

/// Somebody who typed an identity that the cloud knows.
struct UnsavedProfile {
    plan: ProfileSetPlan,
    /// People who sign in with a browser have none.
    secret: Option<Secret<String>>,
    found: principal::WhoAmI,
}

impl LoginIdentity {
    /// Finds the identity, and asks for it where that is needed and possible.
    pub(super) fn find(session: &Session<'_>, args: &LoginArgs) -> Result<Self> {
        let env = &session.host.env;
        let pin = plan::pin(&args.identity, env)?;
        let located = Identity::locate(&pin, env, &session.directories);
        if !session.is_interactive {
            return Ok(Self::known(located?));
        }
        match (pin, located) {
            (Pin::Any, Ok(_)) if is_open(args, session) => choose(session, args),
            (Pin::Any, Err(IdentityError::NoneConfigured { has_encrypted })) => {
                session.host.say(if has_encrypted {
                    "KooCLI's keys are encrypted, so only KooCLI can read them: sign in here"
                } else {
                    "no identity is configured yet: sign in"
                });
                type_in(session, args, DEFAULT)
            }
            (Pin::Profile(name), Err(IdentityError::NoProfile { meant, .. })) => {
                let meant = meant.map_or_else(String::new, |meant| format!(" ({meant})"));
                session.host.say(&format!(
                    "there is no profile `{name}` yet{meant}: sign in, and it is kept as this one"
                ));
                type_in(session, args, name.as_str())
            }
            (_, located) => Ok(Self::known(located?)),
        }
    }

    fn known(identity: Identity) -> Self {
        Self {
            identity,
            newcomer: None,
            is_chosen: false,
        }
    }

    /// Keeps the identity that was typed, with the place that was chosen: a later login begins there.
    pub(super) fn keep(&self, session: &Session<'_>, search: &SearchPlan) -> Result<()> {
        let Some(UnsavedProfile { plan, secret, found }) = &self.newcomer else {
            return Ok(());
        };
        let mut plan = plan.clone();
        remember_place(&mut plan.profile, search, &found.projects);
        match new_profile::keep(session, &plan, secret.as_ref(), found) {
            Err(error) if plan.profile.secret_place() == SecretPlace::Keyring => {
                error.without_hint().report(session.host);
                let question = "Keep it in clear text, in a file? No: it is for this login only";
                if !session.host.confirm_explicitly(question)? {
                    return new_profile::keep_without_secret(session, &plan);
                }
                plan.profile.secret_store = Profile::secret_store_of(SecretPlace::File);
                new_profile::keep(session, &plan, secret.as_ref(), found)
            }
            kept => kept,
        }
    }

    /// Leaves nothing behind of an identity that was typed and is not kept.
    pub(super) fn forget(&self, session: &Session<'_>, why: &Error) {
        if let Some(UnsavedProfile { plan, secret, .. }) = &self.newcomer {
            let _what_is_left_ends_by_itself = forget::forget_sign_ins(session, &self.identity.identity_argument());
            sign_off::abandon(session, plan, secret.as_ref(), why);
        }
    }
}

/// The region and the project become the profile's own, where it has none. A region's main project needs no name.
fn remember_place(profile: &mut Profile, search: &SearchPlan, projects: &[Project]) {
    let [region] = search.regions.as_slice() else {
        return;
    };
    profile.region.get_or_insert_with(|| region.to_string());
    let Some(ProjectChoice::Id(id)) = &search.project else {
        return;
    };
    let is_main = |project: &Project| project.id == *id && project.name == region.as_str();
    if !projects.iter().any(is_main) {
        profile.project.get_or_insert_with(|| id.to_string());
    }
}

/// Nothing says yet which clusters are meant: somebody looks around.
fn is_open(args: &LoginArgs, session: &Session<'_>) -> bool {
    let is_named = !args.cluster.is_empty() || session.host.env.var(crate::env_vars::CLUSTER).is_some();
    !is_named && !args.all
}

/// Offers what is there; the only one is taken as it is.
fn choose(session: &Session<'_>, args: &LoginArgs) -> Result<LoginIdentity> {
    let mut all = Identity::all(&session.host.env, &session.directories);
    if all.len() == 1 {
        return Ok(LoginIdentity::known(all.remove(0)));
    }
    let mut rows: Vec<String> = all.iter().map(|identity| sanitize(&identity.describe())).collect();
    rows.push(ANOTHER.to_owned());
    loop {
        let at = session.host.pick("Sign in as", &rows)?;
        if at < all.len() {
            let identity = all.remove(at);
            return Ok(LoginIdentity {
                is_chosen: true,
                ..LoginIdentity::known(identity)
            });
        }
        let is_taken = all.iter().any(|identity| identity.profile_name() == Some(DEFAULT));
        let name = if is_taken {
            match session.host.ask_for("Name of the new profile:", None) {
                Err(Cancelled::Back) => continue,
                name => name?,
            }
        } else {
            DEFAULT.to_owned()
        };
        if is_taken
            && Config::load(&session.directories, session.host.env.inputs())?
                .profiles
                .contains_key(&name)
        {
            session.host.say(&format!(
                "there is a profile `{name}` already: give another name; `kubectl cce-login profile set {name}` changes that one",
                name = sanitize(&name)
            ));
            continue;
        }
        match type_in(session, args, &name) {
            Err(error) if error.is_step_back() => {}
            typed => return typed,
        }
    }
}

/// What can be typed.
#[derive(Clone, Copy)]
enum SignInMethod {
    Portal,
    Provider,
    AccessKey,
    Password,
    Passcode,
}

impl SignInMethod {
    const ALL: [(Self, &str); 5] = [
        (Self::AccessKey, "an access key"),
        (Self::Password, "an IAM user's name and password"),
        (
            Self::Passcode,
            "an IAM user's id, password and passcode (virtual MFA device)",
        ),
        (
            Self::Portal,
            "your company account: IAM Identity Center, in the browser",
        ),
        (
            Self::Provider,
            "your company account: OpenID Connect (Entra, Keycloak, ...), in the browser",
        ),
    ];

    /// What it gives to IAM would be believed of anybody.
    fn has_bearer_secret(self) -> bool {
        matches!(self, Self::Password | Self::Passcode | Self::Provider)
    }
}

/// Asks for an identity; Esc goes back one question.
fn type_in(session: &Session<'_>, args: &LoginArgs, name: &str) -> Result<LoginIdentity> {
    if let Some(reason) = new_profile::why_no_keyring(session) {
        session.host.say(&format!(
            "no keyring can keep what you type now ({reason}): you will be asked whether a file may, or it is for this login only"
        ));
    }
    loop {
        let region = region_to_keep(session, args)?;
        let is_region_asked = region.is_some() && args.region.is_empty();
        let nothing = ProfileSetArgs {
            name: name.to_owned(),
            region,
            cloud: args.cloud.clone(),
            ..ProfileSetArgs::default()
        };
        match type_in_by_method(session, &nothing) {
            Err(error) if error.is_step_back() && is_region_asked => {}
            typed => return typed,
        }
    }
}

fn type_in_by_method(session: &Session<'_>, nothing: &ProfileSetArgs) -> Result<LoginIdentity> {
    loop {
        let rows = SignInMethod::ALL.map(|(_, text)| text.to_owned());
        let at = session.host.pick("Sign in with", &rows)?;
        let method = SignInMethod::ALL.get(at);
        let method = method.map_or(SignInMethod::AccessKey, |(method, _)| *method);
        let mut typed = nothing.clone();
        if method.has_bearer_secret() {
            new_profile::keep_what_variables_say(session, &mut typed)?;
        }
        match type_until_known(session, method, typed) {
            Err(error) if error.is_step_back() => {}
            typed => return typed,
        }
    }
}

/// Asks until the cloud knows the identity, and not more than a few times.
fn type_until_known(session: &Session<'_>, kind: SignInMethod, mut typed: ProfileSetArgs) -> Result<LoginIdentity> {
    let host = session.host;
    let mut tries = 0;
    loop {
        tries += 1;
        match type_once(session, kind, &mut typed) {
            Err(error) if matches!(error.exit(), Exit::Identity | Exit::Usage) && tries < MOST_TRIES => {
                error.report(host);
                host.say("once more:");
            }
            result => return result,
        }
    }
}

fn type_once(session: &Session<'_>, kind: SignInMethod, typed: &mut ProfileSetArgs) -> Result<LoginIdentity> {
    let host = session.host;
    let secret = ask_who(host, kind, typed)?;
    let mut plan = ProfileSetPlan::new(typed)?;
    match verify(session, typed, &mut plan, secret.as_ref()) {
        Ok((identity, found)) => Ok(LoginIdentity {
            identity,
            newcomer: Some(UnsavedProfile { plan, secret, found }),
            is_chosen: true,
        }),
        Err(error) => {
            sign_off::abandon(session, &plan, secret.as_ref(), &error);
            Err(error)
        }
    }
}

/// Asks the cloud who that is, and a person what is still open.
fn verify(
    session: &Session<'_>,
    typed: &ProfileSetArgs,
    plan: &mut ProfileSetPlan,
    secret: Option<&Secret<String>>,
) -> Result<(Identity, principal::WhoAmI)> {
    if plan.kind == ProfileKind::Sso {
        portal_role::complete(session, plan)?;
    }
    let mut config = Config::load(&session.directories, session.host.env.inputs())?;
    config.profiles.insert(plan.name.to_string(), plan.profile.clone());
    let identity = Identity::of_new_profile(&plan.name, &config, &session.host.env, secret.cloned())?;
    let found =
        new_profile::verify(session, typed, &identity).map_err(|error| error.doing("the cloud does not take it"))?;
    Ok((identity, found))
}

/// Asks for everything that a sign-in takes; Esc goes back to the field before.
fn ask_who(host: &Host, kind: SignInMethod, typed: &mut ProfileSetArgs) -> Result<Option<Secret<String>>> {
    let (secret, mut fields): (Option<&str>, Vec<(&str, &mut Option<String>)>) = match kind {
        SignInMethod::Portal => {
            typed.kind = Some(ProfileKind::Sso.as_str().to_owned());
            (
                None,
                vec![
                    ("Start URL of the portal:", &mut typed.start_url),
                    ("Region of the Identity Center:", &mut typed.sso_region),
                ],
            )
        }
        SignInMethod::Provider => {
            typed.kind = Some(ProfileKind::Oidc.as_str().to_owned());
            (
                None,
                vec![
                    ("Address of the identity provider (issuer):", &mut typed.issuer),
                    ("Client id there:", &mut typed.client_id),
                    ("Name of the identity provider at IAM:", &mut typed.idp),
                ],
            )
        }
        SignInMethod::AccessKey => (
            Some("Secret access key:"),
            vec![("Access key id:", &mut typed.access_key_id)],
        ),
        SignInMethod::Password => {
            typed.kind = Some(ProfileKind::Password.as_str().to_owned());
            (
                Some("Password:"),
                vec![("Account:", &mut typed.domain), ("User name:", &mut typed.username)],
            )
        }
        SignInMethod::Passcode => {
            typed.kind = Some(ProfileKind::Password.as_str().to_owned());
            typed.totp = true;
            (Some("Password:"), vec![("User id:", &mut typed.user_id)])
        }
    };
    let mut at: usize = 0;
    loop {
        let answered = match fields.get_mut(at) {
            Some((question, field)) => host
                .ask_for(question, field.as_deref())
                .map(|answer| **field = Some(answer)),
            None => match secret.map(|secret| host.ask_for_secret(secret)).transpose() {
                Ok(secret) => return Ok(secret),
                Err(cancelled) => Err(cancelled),
            },
        };
        at = match answered {
            Ok(()) => at + 1,
            Err(Cancelled::Back) if at > 0 => at - 1,
            Err(cancelled) => return Err(cancelled.into()),
        };
    }
}

/// The region to keep in the profile; `None` where something else says whom to ask.
fn region_to_keep(session: &Session<'_>, args: &LoginArgs) -> Result<Option<String>> {
    let typed = args.region.first();
    let hints = Profile {
        cloud: args.cloud.cloud.clone(),
        iam_endpoint: args.cloud.iam_endpoint.clone(),
        ..Profile::default()
    };
    let known = plan::region_of_identity(typed.map(String::as_str), &session.host.env, Some(&hints));
    if known.is_ok() || typed.is_some() {
        known?;
        return Ok(typed.cloned());
    }
    Ok(Some(region::ask(session)?.to_string()))
}
