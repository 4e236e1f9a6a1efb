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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::fixtures::world;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_millis(400))
    }

    fn is_held<T>(outcome: &LockOutcome<T>) -> Option<bool> {
        match outcome {
            LockOutcome::Acquired(lock) => Some(lock.is_held()),
            LockOutcome::AppearedMeanwhile(_) | LockOutcome::TimedOut => None,
        }
    }

    #[test]
    fn one_fetches_and_the_others_wait_for_what_it_brings() {
        let (_home, here, key) = world();
        let nothing = || None::<()>;
        let first = wait(&here, &key, soon(), nothing);
        assert_eq!(is_held(&first), Some(true));
        let mut looks = 0;
        let began = std::time::Instant::now();
        let second = wait(&here, &key, Deadline::after(Duration::from_secs(10)), || {
            looks += 1;
            (looks == 2).then_some("brought")
        });
        assert!(matches!(second, LockOutcome::AppearedMeanwhile("brought")));
        assert!(began.elapsed() >= POLL * 30, "two looks, each after twenty tries");
        assert!(matches!(wait(&here, &key, soon(), nothing), LockOutcome::TimedOut));
        let other = CacheKey::of_account("cert-2");
        assert_eq!(is_held(&wait(&here, &other, soon(), nothing)), Some(true));
        drop(first);
        assert_eq!(is_held(&wait(&here, &key, soon(), nothing)), Some(true));
    }

    #[test]
    fn where_nothing_can_be_locked_the_turn_is_ours_without_a_lock() {
        let (_home, _, key) = world();
        let nowhere = Directories::default();
        assert_eq!(is_held(&wait(&nowhere, &key, soon(), || None::<()>)), Some(false));
        assert!(short_turn(&nowhere, &key, "record").is_none());
    }

    #[test]
    fn a_short_turn_is_waited_for_and_gone_on_without_after_a_second() {
        let (_home, here, key) = world();
        let turn = short_turn(&here, &key, "record");
        assert!(turn.is_some());
        assert!(short_turn(&here, &key, "other").is_some());
        let began = std::time::Instant::now();
        assert!(short_turn(&here, &key, "record").is_none());
        assert!(began.elapsed() >= POLL * 100);
        drop(turn);
        assert!(short_turn(&here, &key, "record").is_some());
    }

    #[test]
    fn whoever_hangs_is_told_by_what_it_does() {
        assert_eq!(LockTimedOut::Fetching.exit(), Exit::Temporary);
        let hint = LockTimedOut::SigningIn.hint().unwrap();
        assert!(hint.contains("try again"), "{hint}");
    }
}
