//! Forgetting a certificate for good: a tombstone first, so that nothing that is on its way comes back, then every store that this system has.

use crate::cache::index::{self, CertificateRecord};
use crate::cache::{CacheKey, single_flight, tombstone};
use crate::error::{Exit, Explain};
use crate::session::Session;
use crate::sign_in::kept;
use crate::store::{Deleted, LayeredStore, StoreError, StoreFailure};
use std::io;
use std::path::Path;
use std::time::Duration;

/// The longest wait for a fetch under way; its result is void all the same.
const LOCK_TIMEOUT: Duration = Duration::from_secs(20);
/// What is forgotten.
const CERTIFICATE: &str = "certificate";
const TOKEN: &str = "token";

/// What is left of something that was to be forgotten.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotForgotten {
    #[error("the {what} is void, but could not be deleted everywhere: {stores}")]
    Left { what: &'static str, stores: String },
    #[error("the {what} is deleted, but one that is being fetched at this moment may be kept")]
    MayComeBack { what: &'static str, source: TombstoneError },
    #[error("the sign-in could not be deleted everywhere: {0}")]
    SignOn(String),
    #[error("the {what} is neither void nor deleted everywhere: {stores}")]
    Kept {
        what: &'static str,
        stores: String,
        source: TombstoneError,
    },
}

/// Nothing says to the others that it is void.
#[derive(Debug, thiserror::Error)]
#[error("cannot note in the state directory that it is void")]
pub(crate) struct TombstoneError(#[source] io::Error);

impl Explain for NotForgotten {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Left { .. } | Self::SignOn(_) => {
                    "make the store available (unlock the keyring) and run the command again"
                }
                Self::MayComeBack { .. } => "make the state directory writable and run the command again",
                Self::Kept { .. } => {
                    "make the state directory writable and the store available, and run the command again"
                }
            }
            .to_owned(),
        )
    }
}

/// What makes a store do what it did not do.
pub(crate) fn cure(error: &StoreError) -> &'static str {
    match error {
        StoreError::Unavailable { .. } => {
            "run the command again where the store is available (on a desktop: in a terminal of its session)"
        }
        StoreError::Locked { .. } => "unlock the keyring and run the command again",
        _ => "make the store available and run the command again",
    }
}

/// Voids what was issued under `key` until now and deletes it, front to back.
pub(crate) fn forget(
    session: &Session<'_>,
    key: &CacheKey,
    note: Option<&CertificateRecord>,
) -> Result<(), NotForgotten> {
    let elsewhere = note.and_then(|note| note.file_directory.as_deref());
    let forgotten = Forgotten::new(session, key, elsewhere);
    index::record_deletion(&session.directories, key, &forgotten.deleted);
    forgotten.conclude(CERTIFICATE, |store| {
        note.is_some_and(|note| note.stores.include(store.kind))
    })
}

/// [`forget`] for the tokens and temporary keys that IAM has issued to the identity with this pin.
pub(crate) fn forget_sign_ins(session: &Session<'_>, pin: &str) -> Result<(), NotForgotten> {
    let mut own = kept::notes(&session.directories);
    own.retain(|(_, note)| note.pin == pin);
    in_all(own, |(key, note)| {
        let forgotten = Forgotten::new(session, &key, None);
        kept::record_deletion(&session.directories, &key, &forgotten.deleted);
        forgotten.conclude(TOKEN, |store| note.stores.include(store.kind))
    })
}

/// Does it to all, also after one has failed; the first failure counts.
pub(crate) fn in_all<T>(
    all: impl IntoIterator<Item = T>,
    forget: impl FnMut(T) -> Result<(), NotForgotten>,
) -> Result<(), NotForgotten> {
    let results: Vec<_> = all.into_iter().map(forget).collect();
    results.into_iter().collect()
}

/// Whether everything that is noted could be forgotten now: every store is asked, and nothing is changed.
pub(crate) fn check(session: &Session<'_>) -> Result<(), StoreError> {
    for (key, note) in index::all(&session.directories) {
        let stores = session.every_store(note.file_directory.as_deref());
        can_be_asked(&stores, &key, |failure| note.stores.include(failure.kind))?;
    }
    for (key, note) in kept::notes(&session.directories) {
        let stores = session.every_store(None);
        can_be_asked(&stores, &key, |failure| note.stores.include(failure.kind))?;
    }
    Ok(())
}

/// Reading what is to be deleted meets whatever deleting it would meet.
fn can_be_asked(
    stores: &LayeredStore,
    key: &CacheKey,
    may_have_it: impl Fn(&StoreFailure) -> bool,
) -> Result<(), StoreError> {
    for store in stores.stores() {
        if let Err(error) = store.get(key.account()) {
            let kind = store.kind();
            let failure = StoreFailure { kind, error };
            if matters(&failure, &may_have_it) {
                return Err(failure.error);
            }
        }
    }
    Ok(())
}

/// A store that this system does not have matters only if something was put into it; one that it has matters in any case.
fn matters(failure: &StoreFailure, may_have_it: impl Fn(&StoreFailure) -> bool) -> bool {
    !matches!(failure.error, StoreError::Unavailable { .. }) || may_have_it(failure)
}

/// What has been done to forget one thing.
struct Forgotten {
    buried: io::Result<tombstone::Generation>,
    deleted: Deleted,
}

impl Forgotten {
    fn new(session: &Session<'_>, key: &CacheKey, elsewhere: Option<&Path>) -> Self {
        let buried = tombstone::bury(&session.directories, key);
        let _lock = single_flight::wait(
            &session.directories,
            key,
            session.deadline.at_most(LOCK_TIMEOUT),
            || None::<()>,
        );
        Self {
            buried,
            deleted: session.every_store(elsewhere).delete(key.account()),
        }
    }

    fn conclude(self, what: &'static str, may_have_it: impl Fn(&StoreFailure) -> bool) -> Result<(), NotForgotten> {
        let Deleted {
            troubles, unavailable, ..
        } = self.deleted;
        let failures = troubles.into_iter().chain(unavailable);
        let stores: Vec<String> = failures
            .filter(|failure| matters(failure, &may_have_it))
            .map(|failure| failure.error.to_string())
            .collect();
        let stores = Some(stores.join("; ")).filter(|stores| !stores.is_empty());
        match (self.buried.map_err(TombstoneError), stores) {
            (Ok(_), None) => Ok(()),
            (Ok(_), Some(stores)) => Err(NotForgotten::Left { what, stores }),
            (Err(source), None) => Err(NotForgotten::MayComeBack { what, source }),
            (Err(source), Some(stores)) => Err(NotForgotten::Kept { what, stores, source }),
        }
    }
}
