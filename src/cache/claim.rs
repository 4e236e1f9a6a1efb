//! Whose turn it is: many callers see the same reason to do something at the same moment, and one of them does it.

use crate::cache::CacheKey;
use crate::cache::single_flight::open_lock_file;
use crate::host::Directories;
use chrono::{DateTime, TimeDelta, Utc};
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};

/// What is done once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Renewing a certificate ahead of time.
    Renewal,
    /// Asking the API server whether it refuses a certificate, because a caller came back early.
    RejectionCheck,
    /// Asking it behind a caller, now and then.
    AcceptanceCheck,
}

impl Task {
    fn name(self) -> &'static str {
        match self {
            Self::Renewal => "renewal",
            Self::RejectionCheck => "question",
            Self::AcceptanceCheck => "acceptance",
        }
    }
}

/// [`claim_with_reserve`] without any.
pub(crate) fn claim(
    directories: &Directories,
    key: &CacheKey,
    task: Task,
    now: DateTime<Utc>,
    span: TimeDelta,
) -> bool {
    claim_with_reserve(directories, key, task, now, span, 0)
}

/// Whether it is our turn to do `task` under `key`. Who gets it has it for `span`; nobody else does until then, but for `reserve` turns that
/// may be taken early and are paid back by waiting longer. `false` also where nothing can be written: better not done than done by everybody.
///
/// The turn is a time in a small file, which is locked only while it is read and written: a process that is killed keeps nothing.
pub(crate) fn claim_with_reserve(
    directories: &Directories,
    key: &CacheKey,
    task: Task,
    now: DateTime<Utc>,
    span: TimeDelta,
    reserve: i32,
) -> bool {
    let Some(mut file) = open_lock_file(directories, key, task.name()) else {
        return false;
    };
    if file.try_lock().is_err() {
        return false; // somebody else is at it in this very moment
    }
    // A time further ahead than any turn lasts was written by a clock that has been set back since.
    let farthest = longest(span) * (reserve + 1);
    let until = read_time(&mut file).filter(|until| *until - now <= farthest);
    let until = until.map_or(now, |until| until.max(now));
    let is_taken = until - now > span * reserve;
    !is_taken && write_time(&mut file, until + span).is_ok()
}

/// Gives the turn back before its time.
pub(crate) fn release(directories: &Directories, key: &CacheKey, task: Task) {
    if let Some(mut file) = open_lock_file(directories, key, task.name())
        && file.lock().is_ok()
    {
        let _ = write_time(&mut file, DateTime::UNIX_EPOCH); // otherwise it ends by itself
    }
}

/// Leaves a word for those who come before this turn is over; nothing takes back what an earlier turn has left.
pub(crate) fn leave_word(directories: &Directories, key: &CacheKey, task: Task, word: Option<u64>) {
    if let Some(mut file) = open_lock_file(directories, key, task.name())
        && file.lock().is_ok()
        && read_time(&mut file).is_some()
    {
        let _ = file.write_all(&word.unwrap_or_default().to_le_bytes()); // behind the time
    }
}

/// The word that was left in a turn that is not over at `now`.
pub(crate) fn word(directories: &Directories, key: &CacheKey, task: Task, now: DateTime<Utc>) -> Option<u64> {
    let mut file = open_lock_file(directories, key, task.name())?;
    let until = read_time(&mut file)?;
    let mut bytes = [0; 8];
    file.read_exact(&mut bytes).ok()?;
    Some(u64::from_le_bytes(bytes)).filter(|word| *word != 0 && now < until)
}

fn longest(span: TimeDelta) -> TimeDelta {
    span.max(TimeDelta::minutes(1))
}

/// Whole milliseconds since 1970, little-endian.
fn read_time(file: &mut File) -> Option<DateTime<Utc>> {
    let mut bytes = [0; 8];
    file.read_exact(&mut bytes).ok()?;
    DateTime::from_timestamp_millis(i64::from_le_bytes(bytes))
}

fn write_time(file: &mut File, time: DateTime<Utc>) -> std::io::Result<()> {
    file.rewind()?;
    file.write_all(&time.timestamp_millis().to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::fixtures::{at, world};
    use Task::{AcceptanceCheck, RejectionCheck, Renewal};

    const SPAN: TimeDelta = TimeDelta::seconds(90);

    #[test]
    fn one_caller_has_a_turn_until_it_is_over_or_given_back() {
        let (_home, here, key) = world();
        let claims = |task, seconds| claim(&here, &key, task, at(seconds), SPAN);
        assert!(claims(Renewal, 0));
        assert!(!claims(Renewal, 0) && !claims(Renewal, 89));
        assert!(
            claims(RejectionCheck, 0) && claims(AcceptanceCheck, 0),
            "each task has its own"
        );
        assert!(claim(&here, &CacheKey::of_account("cert-2"), Renewal, at(0), SPAN));
        assert!(claims(Renewal, 90));
        assert!(!claims(Renewal, 179));
        release(&here, &key, Renewal);
        assert!(claims(Renewal, 179));
        assert!(!claims(RejectionCheck, 1), "another task was given back");
        assert!(
            !claim(&Directories::default(), &key, Renewal, at(0), SPAN),
            "nowhere to note it"
        );
    }

    #[test]
    fn a_turn_of_a_clock_that_was_set_back_counts_for_nothing() {
        let (_home, here, key) = world();
        let claims = |seconds| claim(&here, &key, Renewal, at(seconds), SPAN);
        assert!(claims(91));
        assert!(!claims(91), "a turn lasts");
        assert!(claims(0), "181 s ahead, and none lasts longer than 90");
        assert!(!claims(0));
        // A short one may have been a longer one before: up to a minute is believed.
        let short = |seconds| claim(&here, &key, AcceptanceCheck, at(seconds), TimeDelta::seconds(10));
        assert!(short(50));
        assert!(!short(0), "60 s ahead");
        assert!(short(-1), "61 s ahead");
    }

    #[test]
    fn reserved_turns_are_taken_early_and_paid_back() {
        let (_home, here, key) = world();
        let claims = |seconds| claim_with_reserve(&here, &key, RejectionCheck, at(seconds), SPAN, 2);
        assert!(claims(0) && claims(0) && claims(0));
        assert!(!claims(0) && !claims(89));
        assert!(claims(90), "270 s are taken: 180 are left");
        assert!(!claims(90) && !claims(179));
        assert!(claims(180));
        assert!(claims(450), "nothing is saved up for more than the reserve");
        assert!(claims(450) && claims(450) && !claims(450));
    }

    #[test]
    fn a_word_is_for_those_who_come_before_the_turn_is_over() {
        let (_home, here, key) = world();
        let said = |seconds| word(&here, &key, RejectionCheck, at(seconds));
        leave_word(&here, &key, RejectionCheck, Some(7));
        assert_eq!(said(0), None, "there is no turn");
        assert!(claim(&here, &key, RejectionCheck, at(0), SPAN));
        assert_eq!(said(0), None);
        leave_word(&here, &key, RejectionCheck, Some(7));
        assert_eq!((said(0), said(89), said(90)), (Some(7), Some(7), None));
        assert_eq!(word(&here, &key, Renewal, at(0)), None);
        leave_word(&here, &key, RejectionCheck, None);
        assert_eq!(said(0), None);
    }
}
