//! One sign-in with a person at a time: who holds the lease asks, the others wait for what comes of it.
//!
//! It is a lock on a file of its own, not on what kubectl waits for: nobody who needs no person is held up. The system gives it back when
//! its holder ends, however that comes about.

use crate::cache::CacheKey;
use crate::cache::single_flight::open_lock_file;
use crate::host::{Clock, Directories};
use chrono::{DateTime, Utc};
use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::time::Duration;

/// How often somebody who waits looks.
const POLL: Duration = Duration::from_millis(200);

/// The right to ask a person; given back when dropped.
pub(super) struct Lease(#[expect(dead_code, reason = "held, that is all")] Option<File>);

/// How the lease was come by.
pub(super) enum LeaseTurn {
    /// Nobody else was at it.
    Ours(Lease),
    /// Somebody else was, and has come to an end.
    AfterSomebody,
}

/// Waits for the lease of the sign-in `key`. `tell` is called once if somebody else has it, with the seconds since they began.
pub(super) fn wait(directories: &Directories, clock: &Clock, key: &CacheKey, tell: impl FnOnce(i64)) -> LeaseTurn {
    let Some(file) = open_lock_file(directories, key, "sign-in") else {
        return LeaseTurn::Ours(Lease(None));
    };
    if let Some(turn) = try_take(&file) {
        return taken(turn, file);
    }
    tell(seconds_since(&file, clock.now()));
    loop {
        std::thread::sleep(POLL);
        if try_take(&file).is_some() {
            return LeaseTurn::AfterSomebody;
        }
    }
}

/// `Some` if it is ours: locked, or not to be locked here.
fn try_take(file: &File) -> Option<bool> {
    match file.try_lock() {
        Ok(()) => Some(true),
        Err(TryLockError::Error(_)) => Some(false),
        Err(TryLockError::WouldBlock) => None,
    }
}

fn taken(is_locked: bool, file: File) -> LeaseTurn {
    let _ = (&file).write_all(b"."); // when it was taken is when it was changed: the others are told
    LeaseTurn::Ours(Lease(is_locked.then_some(file)))
}

fn seconds_since(file: &File, now: DateTime<Utc>) -> i64 {
    let modified = file.metadata().and_then(|metadata| metadata.modified()).ok();
    let since = modified.map(|then| now - DateTime::<Utc>::from(then));
    since.map_or(0, |since| since.num_seconds().max(0))
}
