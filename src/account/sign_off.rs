//! The end of a sign-in that a person has made in the browser: at the portal or the provider first, then here. A portal's session is shared: it
//! ends with the last profile that needs it.

use crate::config::Config;
use crate::error::{Error, Exit};
use crate::identity::{Identity, PersonalProof, Pin};
use crate::ids::ProfileName;
use crate::plan::ProfileSetPlan;
use crate::secret::Secret;
use crate::session::Session;
use crate::sign_in::kept_sessions::SignOn;
use crate::sign_in::{portal, provider};

/// Ends the sign-ins of these profiles, but for those that another profile needs. What the other side says against it is a warning; returns
/// what a store says.
pub(crate) fn sign_off(session: &Session<'_>, names: &[&str]) -> Option<String> {
    let mut reasons = Vec::new();
    let mut ended: Vec<String> = Vec::new();
    for name in names {
        let Some(identity) = of_profile(session, name) else {
            continue;
        };
        let Some(sign_on) = SignOn::of(&identity) else { continue };
        let account = sign_on.account();
        if ended.contains(&account) {
            continue;
        }
        match who_else_needs(session, &account, names) {
            Some(other) => session.host.say(&format!(
                "the sign-in of profile `{name}` stays, because profile `{other}` needs it too"
            )),
            None => reasons.extend(end(session, name, &identity, &sign_on)),
        }
        ended.push(account);
    }
    reasons.into_iter().next()
}

/// The sign-in for a profile that has not come to be ends too, so that whoever gives up leaves nothing behind; but where another profile needs
/// it, and where the trouble was a passing one, after which the next try goes on.
pub(crate) fn abandon(session: &Session<'_>, plan: &ProfileSetPlan, secret: Option<&Secret<String>>, why: &Error) {
    let env = &session.host.env;
    let mut config = Config::load(&session.directories, session.host.env.inputs()).unwrap_or_default();
    config.profiles.insert(plan.name.to_string(), plan.profile.clone());
    let Ok(identity) = Identity::of_new_profile(&plan.name, &config, env, secret.cloned()) else {
        return;
    };
    let Some(sign_on) = SignOn::of(&identity) else { return };
    let has_signed_in = sign_on.record(&session.directories).is_some();
    if why.exit() != Exit::Temporary && has_signed_in && who_else_needs(session, &sign_on.account(), &[]).is_none() {
        session.host.say("the sign-in ends, because no profile has come of it");
        let _what_is_left_ends_by_itself = end(session, plan.name.as_str(), &identity, &sign_on);
    }
}

/// The next sign-in of this profile needs a person with a browser.
pub(crate) fn needs_browser(session: &Session<'_>, name: &str) -> bool {
    of_profile(session, name).is_some_and(|identity| SignOn::of(&identity).is_some())
}

fn end(session: &Session<'_>, name: &str, identity: &Identity, sign_on: &SignOn<'_>) -> Option<String> {
    let ended = match identity.personal_proof() {
        PersonalProof::Portal(at) => portal::log_out(session, at),
        PersonalProof::Provider(at, client_secret) => {
            let secrets = |place| session.secrets(place);
            let client_secret = client_secret.map(|held| held.read(&secrets)).transpose().ok().flatten();
            provider::log_out(session, at, client_secret.as_ref())
        }
        PersonalProof::Passcode | PersonalProof::None => Ok(()),
    };
    if let Err(error) = ended {
        session.host.say(&format!(
            "the sign-in of profile `{name}` could not be ended at the other side, where it lasts until its own end: {error}"
        ));
    }
    sign_on.forget(session)
}

/// Another profile than these whose sign-in is the same.
fn who_else_needs(session: &Session<'_>, account: &str, names: &[&str]) -> Option<String> {
    let config = Config::load(&session.directories, session.host.env.inputs()).ok()?;
    let others = config
        .profiles
        .into_keys()
        .filter(|name| !names.contains(&name.as_str()));
    let mut others = others.filter(|name| {
        let identity = of_profile(session, name);
        let sign_on = identity.as_ref().and_then(SignOn::of);
        sign_on.is_some_and(|sign_on| sign_on.account() == account)
    });
    others.next()
}

fn of_profile(session: &Session<'_>, name: &str) -> Option<Identity> {
    let pin = Pin::Profile(ProfileName::parse(name).ok()?);
    Identity::locate(&pin, &session.host.env, &session.directories).ok()
}
