//! The last failure under a key: for the other forty-nine callers of a moment, which fail fast with the same words, and for renewals, which
//! wait longer after each failure.

use crate::cache::CacheKey;
use crate::cache::freshness::Schedule;
use crate::cache::secret_mark::SecretMark;
use crate::error::{Error, Exit, Explain, REFUSED_FOR};
use crate::host::{Directories, read_private, remove_private, write_private};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How long every failure answers for those who waited meanwhile.
const ANSWERS_ALL_FOR: TimeDelta = TimeDelta::seconds(5);
/// The pause after the first failed renewal, and the longest one, where the window is long enough for them.
const PAUSES: (TimeDelta, TimeDelta) = (TimeDelta::seconds(30), TimeDelta::minutes(5));
/// A pause that is longer than any was written by a clock that has been set back since.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(2);

/// The last failure under a key, as its caller saw it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failure {
    pub(crate) at: DateTime<Utc>,
    /// How often it has failed since it last went well.
    pub(crate) times: u32,
    /// Before this nobody renews ahead of time.
    pub(crate) retry_at: DateTime<Utc>,
    /// A certificate was served all the same, so that nobody is to fail because of this.
    pub(crate) had_certificate: bool,
    /// The identity was throttled: that is remembered for all that it asks for, as long as it holds.
    #[serde(default)]
    is_throttled: bool,
    /// For how many seconds it answers for those who come after it.
    #[serde(default)]
    holds_seconds: i64,
    /// What was refused together with the identity: another secret is tried at once.
    #[serde(default)]
    secret: Option<SecretMark>,
    exit: u8,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// What to remember of `error`, which came after `before`. `jitter` is between 0 and 1; `held` is the schedule of the certificate
    /// that was served all the same.
    pub(crate) fn new(
        error: &Error,
        at: DateTime<Utc>,
        before: Option<&Self>,
        held: Option<&Schedule>,
        jitter: f64,
    ) -> Self {
        let times = before.map_or(0, |failure| failure.times).saturating_add(1);
        let asked_for = error.retry_after().unwrap_or_default();
        let pause = held.map_or(TimeDelta::zero(), |schedule| pause(times, schedule.window()));
        let is_refusal = held.is_some() && error.is_refusal();
        let least = if is_refusal {
            error.holds_for()
        } else {
            TimeDelta::zero()
        };
        let pause = pause.max(asked_for).max(least);
        let jittered = TimeDelta::milliseconds(scale(pause, 0.25 * jitter));
        Self {
            at,
            times,
            retry_at: at + pause + jittered,
            had_certificate: held.is_some(),
            is_throttled: error.is_throttled(),
            holds_seconds: error.holds_for().num_seconds(),
            secret: None,
            exit: error.exit().code(),
            message: error.to_string(),
            hint: error.hint(),
        }
    }

    /// With the secret that was refused. No secret: whoever comes next with the same identity is refused too.
    #[must_use]
    pub(crate) fn of_secret(self, secret: Option<SecretMark>) -> Self {
        Self { secret, ..self }
    }

    /// Nobody signs in again with the same secret for so long.
    #[must_use]
    pub(crate) fn holding_for(self, span: TimeDelta) -> Self {
        Self {
            holds_seconds: self.holds_seconds.max(span.num_seconds()),
            ..self
        }
    }

    /// It still answers for a caller that started at `started`: it would end in the same way, or it happened while the caller waited.
    /// `has_secret` tells whether a secret is still the caller's.
    pub(crate) fn answers_for(
        &self,
        started: DateTime<Utc>,
        now: DateTime<Utc>,
        has_secret: impl FnOnce(&SecretMark) -> bool,
    ) -> bool {
        let age = now - self.at;
        let holds_for = TimeDelta::seconds(self.holds_seconds).clamp(ANSWERS_ALL_FOR, REFUSED_FOR);
        let is_recent = age >= TimeDelta::zero() && age < holds_for;
        let is_lasting = self.holds_seconds > 0 || self.at >= started;
        is_recent
            && is_lasting
            && !self.had_certificate
            && !self.is_throttled
            && self.secret.as_ref().is_none_or(has_secret)
    }

    /// A renewal now would be too soon.
    pub(crate) fn forbids_renewal(&self, now: DateTime<Utc>) -> bool {
        now < self.retry_at && self.retry_at - now <= LONGEST_PAUSE
    }

    /// What failed, in one line.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The error that the first caller saw.
    pub(crate) fn into_error(self) -> Error {
        RememberedFailure(self).into()
    }

    fn exit(&self) -> Exit {
        Exit::from_code(self.exit)
    }
}

/// The pause after so many failures: doubled each time; a short window makes it short.
fn pause(times: u32, window: TimeDelta) -> TimeDelta {
    let first = (window / 16).clamp(TimeDelta::seconds(1), PAUSES.0);
    let longest = (window / 4).clamp(first, PAUSES.1);
    let doubled = first * 2_i32.saturating_pow(times.saturating_sub(1).min(10));
    doubled.min(longest)
}

/// A part of a span, in milliseconds.
fn scale(span: TimeDelta, part: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "an hour at most"
    )]
    let milliseconds = (span.num_milliseconds() as f64 * part) as i64;
    milliseconds
}

/// A failure that another process met a moment ago.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
struct RememberedFailure(Failure);

impl Explain for RememberedFailure {
    fn exit(&self) -> Exit {
        self.0.exit()
    }

    fn hint(&self) -> Option<String> {
        self.0.hint.clone()
    }

    /// It is told again, not met again.
    fn holds_for(&self) -> TimeDelta {
        TimeDelta::zero()
    }
}

/// The last failure under `key`, if it is remembered.
pub(crate) fn read(directories: &Directories, key: &CacheKey) -> Option<Failure> {
    serde_json::from_slice(&read_private(&file(directories, key)?).ok()??).ok()
}

/// Remembers a failure for the callers behind us.
pub(crate) fn write(directories: &Directories, key: &CacheKey, failure: &Failure) {
    if let (Some(path), Ok(text)) = (file(directories, key), serde_json::to_vec(failure)) {
        let _ = write_private(&path, &text);
    }
}

/// Forgets the last failure.
pub(crate) fn clear(directories: &Directories, key: &CacheKey) {
    if let Some(path) = file(directories, key) {
        let _ = remove_private(&path);
    }
}

fn file(directories: &Directories, key: &CacheKey) -> Option<PathBuf> {
    Some(directories.state.as_ref()?.join("failures").join(key.account()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::fixtures::{at, world};

    /// An error with what a failure looks at.
    #[derive(Debug, Clone, Default, thiserror::Error)]
    #[error("the cloud is away")]
    struct Away {
        exit: Option<Exit>,
        retry_after: Option<TimeDelta>,
        is_throttled: bool,
        holds_for: TimeDelta,
    }

    impl Explain for Away {
        fn exit(&self) -> Exit {
            self.exit.unwrap_or(Exit::Temporary)
        }

        fn hint(&self) -> Option<String> {
            Some("wait".to_owned())
        }

        fn retry_after(&self) -> Option<TimeDelta> {
            self.retry_after
        }

        fn is_throttled(&self) -> bool {
            self.is_throttled
        }

        fn holds_for(&self) -> TimeDelta {
            self.holds_for
        }
    }

    /// It came at second 0, nobody had a certificate.
    fn failed(error: Away) -> Failure {
        Failure::new(&error.into(), at(0), None, None, 0.0)
    }

    fn holding(seconds: i64) -> Away {
        Away {
            holds_for: TimeDelta::seconds(seconds),
            ..Away::default()
        }
    }

    #[test]
    fn the_pause_doubles_with_each_failure_and_a_short_window_makes_it_short() {
        let seconds = |times, window| pause(times, TimeDelta::seconds(window)).num_milliseconds();
        let long = [1, 2, 3, 4, 5, 50].map(|times| seconds(times, 7200));
        assert_eq!(long, [30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
        let middle = [1, 2, 3, 4].map(|times| seconds(times, 320));
        assert_eq!(middle, [20_000, 40_000, 80_000, 80_000]);
        let short = [1, 2, 3].map(|times| seconds(times, 6));
        assert_eq!(short, [1000, 1500, 1500]);
        assert_eq!(seconds(9, 0), 1000);
    }

    #[test]
    fn jitter_makes_a_pause_a_quarter_longer_at_most() {
        let asked_for = Away {
            retry_after: Some(TimeDelta::seconds(8)),
            ..Away::default()
        };
        let retry_at = |jitter| Failure::new(&asked_for.clone().into(), at(0), None, None, jitter).retry_at;
        assert_eq!((retry_at(0.0), retry_at(0.5), retry_at(1.0)), (at(8), at(9), at(10)));
        assert_eq!(failed(Away::default()).retry_at, at(0));
    }

    #[test]
    fn failures_are_counted_until_one_is_forgotten() {
        let error = || Away::default().into();
        let first = Failure::new(&error(), at(0), None, None, 0.0);
        let second = Failure::new(&error(), at(1), Some(&first), None, 0.0);
        assert_eq!((first.times, second.times), (1, 2));
    }

    #[test]
    fn a_failure_answers_those_who_waited_meanwhile_and_a_lasting_one_all_for_a_while() {
        let answers = |failure: &Failure, started, now| failure.answers_for(at(started), at(now), |_| true);
        let passing = failed(Away::default());
        assert!(answers(&passing, -3, 0) && answers(&passing, 0, 4));
        assert!(!answers(&passing, -3, 5), "after five seconds");
        assert!(!answers(&passing, 1, 2), "who came after it");
        assert!(!answers(&passing, -3, -1), "before it: the clock was set back");
        let lasting = failed(holding(20));
        assert!(answers(&lasting, 1, 2) && answers(&lasting, 19, 19) && !answers(&lasting, 19, 20));
        let longest = failed(holding(1000));
        assert!(answers(&longest, 59, 59) && !answers(&longest, 59, 60));
        let prolonged = failed(holding(10)).holding_for(TimeDelta::seconds(30));
        assert!(answers(&prolonged, 29, 29) && !answers(&prolonged, 30, 30));
        let not_shortened = failed(holding(30)).holding_for(TimeDelta::seconds(10));
        assert!(answers(&not_shortened, 29, 29));
    }

    #[test]
    fn a_failure_answers_only_for_the_same_secret_and_where_there_was_nothing_to_serve() {
        let answers = |failure: &Failure| failure.answers_for(at(0), at(1), |mark| mark.is_of(b"old"));
        let refused = failed(holding(20));
        assert!(answers(&refused.clone().of_secret(Some(SecretMark::of(b"old")))));
        let is_rare = |_| answers(&refused.clone().of_secret(Some(SecretMark::of(b"new"))));
        assert!(!(0..3).all(is_rare), "one mark in 65,536 is another secret's too");
        let served = Failure {
            had_certificate: true,
            ..refused.clone()
        };
        assert!(!answers(&served));
        let throttled = Away {
            is_throttled: true,
            ..holding(20)
        };
        assert!(!answers(&failed(throttled)), "that is remembered elsewhere");
    }

    #[test]
    fn a_renewal_waits_until_the_pause_is_over() {
        let failure = Failure {
            retry_at: at(30),
            ..failed(Away::default())
        };
        assert!(failure.forbids_renewal(at(29)) && !failure.forbids_renewal(at(30)));
        let farthest = at(30) - LONGEST_PAUSE;
        assert!(failure.forbids_renewal(farthest));
        assert!(
            !failure.forbids_renewal(farthest - TimeDelta::seconds(1)),
            "the clock was set back"
        );
    }

    #[test]
    fn it_is_told_again_as_it_was_and_is_not_met_again() {
        let (_home, here, key) = world();
        assert!(read(&here, &key).is_none());
        let refusal = Away {
            exit: Some(Exit::Identity),
            ..holding(60)
        };
        write(&here, &key, &failed(refusal));
        let kept = read(&here, &key).unwrap();
        assert_eq!(kept.message(), "the cloud is away");
        let error = kept.into_error();
        assert_eq!((error.exit(), error.hint().as_deref()), (Exit::Identity, Some("wait")));
        assert_eq!(
            (error.to_string().as_str(), error.holds_for()),
            ("the cloud is away", TimeDelta::zero())
        );
        assert!(read(&here, &CacheKey::of_account("cert-2")).is_none());
        clear(&here, &key);
        assert!(read(&here, &key).is_none());
    }
}
