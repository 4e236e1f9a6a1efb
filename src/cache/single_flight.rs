//! One fetch per key across processes: a lock file in the runtime directory.

use crate::cache::CacheKey;
use crate::error::{Exit, Explain};
use crate::host::{Deadline, Directories, open_private};
use std::fs::{File, TryLockError};
use std::time::Duration;

/// How often a waiting process tries the lock.
const POLL: Duration = Duration::from_millis(10);
/// How many tries pass between two looks at the cache: a holder may hang after it has stored.
const TRIES_PER_LOOK: u32 = 20;

/// The right to fetch; given back when dropped (and by the kernel when the process dies).
pub(crate) struct FetchLock(Option<File>);

impl FetchLock {
    /// Fetching happens under a lock; `false` where locking is not possible here.
    pub(crate) fn is_held(&self) -> bool {
        self.0.is_some()
    }
}

/// Another process has the lock and does not come to an end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockTimedOut {
    /// It fetches a certificate.
    #[error("another process is fetching the certificate and does not come to an end")]
    Fetching,
    /// It signs in.
    #[error("another process is signing in and does not come to an end")]
    SigningIn,
}

impl Explain for LockTimedOut {
    fn exit(&self) -> Exit {
        Exit::Temporary
    }

    fn hint(&self) -> Option<String> {
        Some("try again; if it stays so, look for a hanging `kubectl-cce_login` process".to_owned())
    }
}

/// How waiting for the lock ended.
pub(crate) enum LockOutcome<T> {
    /// It is ours to fetch.
    Acquired(FetchLock),
    /// Somebody else's result appeared while we waited.
    AppearedMeanwhile(T),
    /// The lock stayed taken for the whole time.
    TimedOut,
}

/// Waits for the lock of `key` until `deadline`, and looks with `look` for somebody else's result now and then.
///
/// Where files cannot be locked (no directory, an old network file system) the turn is ours without a lock.
pub(crate) fn wait<T>(
    directories: &Directories,
    key: &CacheKey,
    deadline: Deadline,
    mut look: impl FnMut() -> Option<T>,
) -> LockOutcome<T> {
    let Some(file) = open_lock_file(directories, key, "fetch") else {
        return LockOutcome::Acquired(FetchLock(None));
    };
    for tries in 1.. {
        match file.try_lock() {
            Ok(()) => return LockOutcome::Acquired(FetchLock(Some(file))),
            Err(TryLockError::Error(_)) => return LockOutcome::Acquired(FetchLock(None)),
            Err(TryLockError::WouldBlock) => {}
        }
        if tries % TRIES_PER_LOOK == 0
            && let Some(found) = look()
        {
            return LockOutcome::AppearedMeanwhile(found);
        }
        if deadline.remaining().is_zero() {
            break;
        }
        std::thread::sleep(POLL);
    }
    LockOutcome::TimedOut
}

/// A turn at work that takes milliseconds: waited for no longer than a second, and gone on without after that.
pub(super) fn short_turn(directories: &Directories, key: &CacheKey, kind: &str) -> Option<File> {
    let file = open_lock_file(directories, key, kind)?;
    for _ in 0..100 {
        match file.try_lock() {
            Ok(()) => return Some(file),
            Err(TryLockError::Error(_)) => return None,
            Err(TryLockError::WouldBlock) => std::thread::sleep(POLL),
        }
    }
    None
}

/// Opens the file that is locked for one kind of work under `key`. It stays: removing it would let two processes hold "the" lock.
pub(crate) fn open_lock_file(directories: &Directories, key: &CacheKey, kind: &str) -> Option<File> {
    let locks = directories.runtime.as_ref()?.join("locks");
    open_private(&locks.join(format!("{}.{kind}", key.account()))).ok()
}
