//! Whose sign-in it is where the cloud gives somebody another id each time: provider and subject. The same profile with another person is
//! somebody else, who gets nothing of their predecessor's.

use super::kept;
use super::kept_sessions::{self, SignOn};
use crate::cache::{index, tombstone};
use crate::config::Config;
use crate::identity::sign_on::ProviderSettings;
use crate::identity::{Identity, PersonalProof, Pin};
use crate::ids::{PrincipalId, ProfileName};
use crate::oidc::Claims;
use crate::session::Session;

/// Who an entry of the kubeconfig is for: provider and subject of a federated user, else the id that a certificate names. `None` where
/// nobody knows.
pub(crate) fn principal(session: &Session<'_>, identity: &Identity, common_name: Option<&str>) -> Option<PrincipalId> {
    let federated = federated(session, identity);
    let known = match &federated {
        None if identity.is_federated() => return None,
        None => common_name,
        Some(federated) => Some(federated.as_str()),
    };
    PrincipalId::parse(known?).ok()
}

/// Provider and subject of somebody whose id at the cloud is another one after every sign-in, as the token at hand or the last sign-in says.
pub(crate) fn federated(session: &Session<'_>, identity: &Identity) -> Option<String> {
    identity.federated_principal(&|at| SignOn::Provider(at).record(&session.directories)?.subject)
}

/// Who has signed in with a browser, as people call them.
pub(crate) fn person(session: &Session<'_>, identity: &Identity) -> Option<String> {
    SignOn::of(identity)?.record(&session.directories)?.person
}

/// Notes who has just signed in. What may be somebody else's is forgotten before: whatever ends us, it never passes for theirs.
pub(super) fn note(session: &Session<'_>, at: &ProviderSettings, claims: &Claims) {
    let sign_on = SignOn::Provider(at);
    let before = sign_on.record(&session.directories).and_then(|record| record.subject);
    if before.as_ref() != Some(&claims.subject) {
        if before.is_some() {
            session
                .host
                .say("somebody else than before has signed in: what was kept of the other person is forgotten");
        }
        forget_predecessor(session, &sign_on, at);
    }
    kept_sessions::note_person(session, at, claims);
}

/// Whether a renewed sign-in is still of the person who signed in (`OpenID` Connect Core, 12.2).
pub(super) fn is_same(session: &Session<'_>, at: &ProviderSettings, claims: &Claims) -> bool {
    let record = SignOn::Provider(at).record(&session.directories);
    let before = record.and_then(|record| record.subject);
    before.is_none_or(|before| before == claims.subject)
}

/// Refresh token, tokens and certificates of every profile that signs in so are void, in every layer.
fn forget_predecessor(session: &Session<'_>, sign_on: &SignOn<'_>, at: &ProviderSettings) {
    kept_sessions::drop_refresh_token(session, at);
    let pins = pins(session, sign_on, at);
    let directories = &session.directories;
    for (key, record) in index::all(directories) {
        if pins.contains(&record.pin) {
            let _ = tombstone::bury(directories, &key); // what cannot be noted is deleted all the same
            let store = session.every_store(record.file_directory.as_deref());
            index::record_deletion(directories, &key, &store.delete(key.account()));
        }
    }
    for (key, record) in kept::notes(directories) {
        if pins.contains(&record.pin) {
            let _ = tombstone::bury(directories, &key); // as above
            let store = session.every_store(None);
            kept::record_deletion(directories, &key, &store.delete(key.account()));
        }
    }
}

/// The pins of all profiles of this sign-in: also of those that put an agency on top.
fn pins(session: &Session<'_>, sign_on: &SignOn<'_>, at: &ProviderSettings) -> Vec<String> {
    let account = sign_on.account();
    let config = Config::load(&session.directories, session.host.env.inputs()).unwrap_or_default();
    let same = config.profiles.keys().filter_map(|name| {
        let pin = Pin::Profile(ProfileName::parse(name).ok()?);
        let identity = Identity::locate(&pin, &session.host.env, &session.directories).ok()?;
        let PersonalProof::Provider(other, _) = identity.personal_proof() else {
            return None;
        };
        (SignOn::Provider(other).account() == account).then(|| identity.identity_argument())
    });
    let own = ProfileName::parse(&at.profile).ok();
    same.chain(own.map(|name| crate::identity::profile_pin(&name)))
        .collect()
}
