//! Signing in with a person: who may be asked, what they see, and that only one process asks at a time.
//!
//! Nothing that kubectl waits for is locked meanwhile. What comes of it is a [`PersonsProof`], which the silent way through IAM then uses.

use super::browser::{BrowserPolicy, browser_policy};
use super::kept_sessions::{self, SignOn};
use super::lease::{self, Lease, LeaseTurn};
use super::{portal, provider};
use crate::identity::{Identity, IdentityError, PersonalProof};
use crate::secret::Secret;
use crate::session::{BrowserUse, Session};

/// What a person has given.
pub(crate) enum PersonsProof {
    /// The passcode of a virtual MFA device: good for some seconds.
    Passcode(Secret<String>),
    /// An id token of their provider: good for some minutes.
    IdToken(Secret<String>),
    /// A portal's session, which is good for hours.
    Portal(crate::huaweicloud::identity_center::PortalSession),
}

/// A proof, and the right to have asked for it: both go when the silent way has used it.
#[derive(Default)]
pub(super) struct GivenByPerson {
    pub(super) proof: Option<PersonsProof>,
    #[expect(dead_code, reason = "held until the proof has been used")]
    lease: Option<Lease>,
}

/// Asks the person; without a proof somebody else has asked meanwhile. `may_ask` as the caller says.
pub(super) fn ask(session: &Session<'_>, identity: &Identity, may_ask: bool) -> crate::error::Result<GivenByPerson> {
    let proof = identity.personal_proof();
    if matches!(proof, PersonalProof::None) {
        return Err(IdentityError::SignInNeeded.into()); // no person can help
    }
    if !may_ask || !may_be_asked(session, &proof)? {
        return Err(needs_person(session, identity, &proof).into());
    }
    let key = match &proof {
        PersonalProof::Portal(at) => SignOn::Portal(at).lease_key(),
        PersonalProof::Provider(at, _) => SignOn::Provider(at).lease_key(),
        PersonalProof::Passcode | PersonalProof::None => crate::cache::CacheKey::of_account(
            &crate::huaweicloud::signing::short_hash(identity.fingerprint().as_bytes()),
        ),
    };
    let tell = |seconds: i64| {
        session.host.say(&format!(
            "somebody is signing in already (since {seconds} s): waiting for that; Ctrl-C to stop"
        ));
    };
    let turn = session
        .host
        .while_waiting(|| lease::wait(&session.directories, &session.host.clock, &key, tell));
    let LeaseTurn::Ours(lease) = turn else {
        return Ok(GivenByPerson {
            proof: None,
            lease: None,
        });
    };
    let proof = match proof {
        PersonalProof::Portal(at) => PersonsProof::Portal(portal::sign_in(session, at)?),
        PersonalProof::Provider(at, client_secret) => {
            let secrets = |place| session.secrets(place);
            let client_secret = client_secret.map(|held| held.read(&secrets)).transpose()?;
            PersonsProof::IdToken(provider::sign_in(session, at, client_secret.as_ref())?)
        }
        PersonalProof::Passcode | PersonalProof::None => {
            let question = format!("passcode for {}: ", identity.describe());
            PersonsProof::Passcode(session.host.ask_secret(&question).ok_or(IdentityError::NoPasscode)?)
        }
    };
    Ok(GivenByPerson {
        proof: Some(proof),
        lease: Some(lease),
    })
}

/// There is a person; and kubectl opens no browser, unless it was told to.
fn may_be_asked(session: &Session<'_>, proof: &PersonalProof<'_>) -> Result<bool, IdentityError> {
    let policy = browser_policy(session.host)?;
    let needs_browser = matches!(proof, PersonalProof::Portal(_) | PersonalProof::Provider(..));
    let is_browser_allowed = match session.browser_use {
        BrowserUse::ByPerson => true,
        BrowserUse::ByKubectl => policy == BrowserPolicy::Always,
        BrowserUse::Never => false,
    };
    Ok(session.is_interactive && (!needs_browser || is_browser_allowed))
}

fn needs_person(session: &Session<'_>, identity: &Identity, proof: &PersonalProof<'_>) -> IdentityError {
    let sign_on = match proof {
        PersonalProof::Portal(at) => Some(SignOn::Portal(at)),
        PersonalProof::Provider(at, _) => Some(SignOn::Provider(at)),
        PersonalProof::Passcode | PersonalProof::None => None,
    };
    let command = "kubectl cce-login refresh".to_owned();
    match sign_on {
        None => IdentityError::NeedsPerson {
            who: identity.describe(),
            command,
        },
        Some(sign_on) => IdentityError::NeedsBrowser {
            who: identity
                .profile_name()
                .map_or_else(|| identity.describe(), |name| format!("profile `{name}`")),
            ended: sign_on
                .record(&session.directories)
                .and_then(|record| ended(&record, session)),
            command,
        },
    }
}

/// When the last sign-in ended, if it did.
fn ended(record: &kept_sessions::SignOnRecord, session: &Session<'_>) -> Option<chrono::DateTime<chrono::Utc>> {
    let now = session.host.clock.now();
    record.ended.or_else(|| record.ends_at.filter(|end| *end <= now))
}
