//! Forgetting a certificate for good: a tombstone first, so that nothing that is on its way comes back, then every store that has it.

use crate::cache::index::{self, CertificateRecord};
use crate::cache::{CacheKey, single_flight};
use crate::session::Session;
use crate::sign_in::kept;
use crate::store::{CacheMode, Deleted, StoreKind};
use std::time::Duration;

/// The longest wait for a fetch under way; its result is void all the same.
const LOCK_TIMEOUT: Duration = Duration::from_secs(20);

/// Voids what was issued under `key` until now and deletes it, front to back. Returns what the stores that had it say against it.
pub(crate) fn forget(session: &Session<'_>, key: &CacheKey, note: Option<&CertificateRecord>) -> Vec<String> {
    let left = void(session, key, note.map_or(&[], |note| &note.stores));
    if left.is_empty() {
        index::remove(&session.directories, key);
    }
    left
}

/// [`forget`] for the tokens and temporary keys that IAM has issued to the identity with this pin.
pub(crate) fn forget_sign_ins(session: &Session<'_>, pin: &str) -> Vec<String> {
    let own = kept::notes(&session.directories)
        .into_iter()
        .filter(|(_, note)| note.pin == pin);
    own.flat_map(|(key, note)| {
        let left = void(session, &key, &note.stores);
        if left.is_empty() {
            kept::remove_note(&session.directories, &key);
        }
        left
    })
    .collect()
}

fn void(session: &Session<'_>, key: &CacheKey, stores: &[String]) -> Vec<String> {
    let buried = index::bury(&session.directories, key);
    let _lock = single_flight::wait(
        &session.directories,
        key,
        session.deadline.at_most(LOCK_TIMEOUT),
        || None::<()>,
    );
    let is_noted = |kind: StoreKind| stores.iter().any(|store| store == kind.name());
    let Deleted { troubles, unavailable } = session.store(mode_of(stores)).delete(key.account());
    // A store that is not there for us matters only if it was put into it.
    let missed = unavailable.into_iter().filter(|trouble| is_noted(trouble.kind));
    let left = troubles
        .into_iter()
        .chain(missed)
        .map(|trouble| trouble.error.to_string());
    let unburied = buried.err().map(|error| format!("cannot write the tombstone: {error}"));
    left.chain(unburied).collect()
}

/// Where to look for what was put into these stores.
pub(crate) fn mode_of(stores: &[String]) -> CacheMode {
    let is_in_file = stores.iter().any(|store| store == StoreKind::File.name());
    if is_in_file { CacheMode::File } else { CacheMode::Auto }
}
