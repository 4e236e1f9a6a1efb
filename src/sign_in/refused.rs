//! A refused identity is not tried again with the same secret for a while: client-go runs a failing plugin five times per command, and IAM
//! locks users after a few failed sign-ins. Another secret is tried at once, and so is whatever a person asks for.

use crate::cache::CacheKey;
use crate::cache::failure::{self, Failure};
use crate::cache::secret_mark::SecretMark;
use crate::error::{Error, REFUSED_FOR};
use crate::identity::Identity;
use crate::ids::Endpoint;
use crate::secret::Secret;
use crate::session::Session;
use chrono::TimeDelta;

/// What is under this key holds for every sign-in of the identity, whatever it is for.
const PURPOSE: &str = "refused";

/// The refusal of a moment ago, if the secret is still the one that was refused.
pub(crate) fn recent(session: &Session<'_>, identity: &Identity, iam: &Endpoint) -> Option<Error> {
    let now = session.host.clock.now();
    let failure = failure::read(&session.directories, &key(identity, iam))?;
    let is_same = |mark: &SecretMark| has_secret(session, identity, mark);
    failure
        .answers_for(session.started, now, is_same)
        .then(|| failure.into_error())
}

/// Remembers that IAM did not let the identity in.
pub(crate) fn record(session: &Session<'_>, identity: &Identity, iam: &Endpoint, error: &Error) {
    let has_come_to_a_refusal = error.holds_for() > TimeDelta::zero() && !error.is_throttled();
    if !has_come_to_a_refusal || identity.has_passcode() {
        return; // who types a passcode may mistype it, and types it again
    }
    let is_temporary = error.exit() == crate::error::Exit::Temporary;
    let now = session.host.clock.now();
    let failure = Failure::new(error, now, None, None, 0.0).of_secret(mark(session, identity));
    let failure = if is_temporary {
        failure
    } else {
        failure.holding_for(REFUSED_FOR)
    };
    failure::write(&session.directories, &key(identity, iam), &failure);
}

/// IAM has let the identity in.
pub(crate) fn clear(session: &Session<'_>, identity: &Identity, iam: &Endpoint) {
    failure::clear(&session.directories, &key(identity, iam));
}

/// The lock under which clients sign in, one at a time, whatever for.
pub(crate) fn key(identity: &Identity, iam: &Endpoint) -> CacheKey {
    CacheKey::of_sign_in(iam, identity.fingerprint(), PURPOSE)
}

/// The mark of the identity's secret, if it has one that can be read.
pub(crate) fn mark(session: &Session<'_>, identity: &Identity) -> Option<SecretMark> {
    // Only two bytes of its salted hash leave this function.
    secret(session, identity).map(|secret| SecretMark::of(secret.expose().as_bytes()))
}

/// Whether the identity's secret is the one that was marked.
pub(crate) fn has_secret(session: &Session<'_>, identity: &Identity, mark: &SecretMark) -> bool {
    // Compared with a mark, shown to nobody.
    secret(session, identity).is_some_and(|secret| mark.is_of(secret.expose().as_bytes()))
}

fn secret(session: &Session<'_>, identity: &Identity) -> Option<Secret<String>> {
    let secrets = |place| session.secrets(place);
    identity.found.means.lasting_secret(&secrets).ok().flatten()
}
