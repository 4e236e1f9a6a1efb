//! One fetch per key across processes: a lock file in the runtime directory, and a record of the last failure, so that the
//! other forty-nine callers of a moment fail fast with the same words.

use super::CacheKey;
use crate::error::{Error, Exit, Explain};
use crate::host::{Deadline, Directories, create_private_dir, write_private};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::time::Duration;

/// How often a waiting process tries the lock.
const POLL: Duration = Duration::from_millis(10);
/// How many tries pass between two looks at the cache: a holder may hang after it has stored.
const TRIES_PER_LOOK: u32 = 20;
/// How long a failure answers for the callers that come after it.
const FAILURE_LASTS: TimeDelta = TimeDelta::seconds(5);

/// The right to fetch; given back when dropped (and by the kernel when the process dies).
pub struct FetchLock(Option<File>);

impl FetchLock {
    /// Fetching happens under a lock; `false` where locking is not possible here.
    pub fn is_held(&self) -> bool {
        self.0.is_some()
    }
}

/// How waiting for the lock ended.
pub enum Turn<T> {
    /// It is ours to fetch.
    Ours(FetchLock),
    /// Somebody else's result appeared while we waited.
    Seen(T),
    /// The lock stayed taken for the whole time.
    TimedOut,
}

/// Waits for the lock of `key` until `deadline`, and looks with `look` for somebody else's result now and then.
///
/// Where files cannot be locked (no directory, an old network file system) the turn is ours without a lock.
pub fn wait<T>(
    directories: &Directories,
    key: &CacheKey,
    deadline: Deadline,
    mut look: impl FnMut() -> Option<T>,
) -> Turn<T> {
    let Some(file) = lock_file(directories, key) else {
        return Turn::Ours(FetchLock(None));
    };
    for tries in 1.. {
        match file.try_lock() {
            Ok(()) => return Turn::Ours(FetchLock(Some(file))),
            Err(TryLockError::Error(_)) => return Turn::Ours(FetchLock(None)),
            Err(TryLockError::WouldBlock) => {}
        }
        if tries % TRIES_PER_LOOK == 0
            && let Some(found) = look()
        {
            return Turn::Seen(found);
        }
        if deadline.remaining().is_zero() {
            break;
        }
        std::thread::sleep(POLL);
    }
    Turn::TimedOut
}

/// Opens the lock file. It stays: removing it would let two processes hold "the" lock.
fn lock_file(directories: &Directories, key: &CacheKey) -> Option<File> {
    let dir = directories.runtime.as_ref()?.join("locks");
    create_private_dir(&dir).ok()?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(dir.join(format!("{}.lock", key.account()))).ok()
}

/// The last failure under a key, as its first caller saw it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FailureRecord {
    /// When.
    pub at: DateTime<Utc>,
    exit: u8,
    message: String,
    hint: Option<String>,
}

impl FailureRecord {
    /// What to remember of `error`.
    pub fn new(error: &Error, at: DateTime<Utc>) -> Self {
        Self {
            at,
            exit: error.exit().code(),
            message: error.to_string(),
            hint: error.hint(),
        }
    }

    /// It still answers for a caller that started at `started`: it is seconds old and temporary, or happened while the caller waited.
    pub fn answers_for(&self, started: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let age = now - self.at;
        let is_recent = age >= TimeDelta::zero() && age < FAILURE_LASTS;
        is_recent && (self.exit() == Exit::Temporary || self.at >= started)
    }

    /// The error that the first caller saw.
    pub fn into_error(self) -> Error {
        RememberedFailure(self).into()
    }

    fn exit(&self) -> Exit {
        Exit::from_code(self.exit)
    }
}

/// A failure that another process met a moment ago.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
struct RememberedFailure(FailureRecord);

impl Explain for RememberedFailure {
    fn exit(&self) -> Exit {
        self.0.exit()
    }

    fn hint(&self) -> Option<String> {
        self.0.hint.clone()
    }
}

/// The last failure under `key`, if it is remembered.
pub fn read_failure(directories: &Directories, key: &CacheKey) -> Option<FailureRecord> {
    serde_json::from_slice(&std::fs::read(failure_file(directories, key)?).ok()?).ok()
}

/// Remembers a failure for the callers behind us.
pub fn write_failure(directories: &Directories, key: &CacheKey, record: &FailureRecord) {
    if let (Some(path), Ok(text)) = (failure_file(directories, key), serde_json::to_vec(record)) {
        let _ = write_private(&path, &text);
    }
}

/// Forgets the last failure.
pub fn clear_failure(directories: &Directories, key: &CacheKey) {
    if let Some(path) = failure_file(directories, key) {
        let _ = std::fs::remove_file(path);
    }
}

fn failure_file(directories: &Directories, key: &CacheKey) -> Option<PathBuf> {
    Some(directories.state.as_ref()?.join("failures").join(key.account()))
}
