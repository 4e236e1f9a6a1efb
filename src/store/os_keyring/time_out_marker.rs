//! A keyring that did not answer is not asked again: by this process, and for five minutes by no other one. A small file tells them.

use crate::private_dir::{read_private, write_private};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use std::path::PathBuf;
use std::time::Duration;

/// How long other processes leave a store alone after it did not answer.
const SKIP: TimeDelta = TimeDelta::minutes(5);
/// How long the runs of a client open no dialog after somebody has dismissed one: client-go runs us five times for each command.
const NO_DIALOG: TimeDelta = TimeDelta::minutes(1);

/// The file that tells other processes that a store did not answer a moment ago; it holds the time in RFC 3339.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TimeOutMarker {
    path: Option<PathBuf>,
    now: DateTime<Utc>,
    holds_for: TimeDelta,
}

impl TimeOutMarker {
    /// A marker at `path` (`None`: only this process knows), seen at `now`.
    pub(crate) fn new(path: Option<PathBuf>, now: DateTime<Utc>) -> Self {
        Self {
            path,
            now,
            holds_for: SKIP,
        }
    }

    /// The marker beside this one of a dialog that was dismissed, or that nobody answered.
    pub(super) fn of_dialog(&self) -> Self {
        Self {
            path: self
                .path
                .as_ref()
                .map(|path| path.with_file_name("keyring-dialog-dismissed")),
            holds_for: NO_DIALOG,
            ..self.clone()
        }
    }

    /// When that was, if it was a moment ago: less than five minutes, or one for a dialog.
    ///
    /// A time in the future (the clock was set back) and anything unreadable count as no marker.
    pub(crate) fn recent(&self) -> Option<DateTime<Utc>> {
        let text = String::from_utf8(read_private(self.path.as_ref()?).ok()??).ok()?;
        let noted = DateTime::parse_from_rfc3339(text.trim_end()).ok()?.to_utc();
        let age = self.now - noted;
        (age >= TimeDelta::zero() && age < self.holds_for).then_some(noted)
    }

    /// Notes that the store did not answer, `waited` after this process looked at the clock; best effort.
    pub(crate) fn note(&self, waited: Duration) -> DateTime<Utc> {
        let at = TimeDelta::from_std(waited)
            .ok()
            .and_then(|waited| self.now.checked_add_signed(waited))
            .unwrap_or(self.now);
        if let Some(path) = &self.path {
            let text = format!("{}\n", at.to_rfc3339_opts(SecondsFormat::Secs, true));
            let _best_effort = write_private(path, text.as_bytes());
        }
        at
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test's own files")]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write as _;

    #[test]
    fn an_unreadable_marker_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("marker");
        fs::File::create(&path).unwrap().write_all(b"yesterday\n").unwrap();
        assert_eq!(TimeOutMarker::new(Some(path), DateTime::UNIX_EPOCH).recent(), None);
    }
}
