//! The clocks: the wall clock, the boot clock that nobody sets, how far a server's clock is from ours, and the run's deadline.

use chrono::{DateTime, Datelike as _, FixedOffset, Local, Offset as _, TimeDelta, TimeZone as _, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A difference between two clocks that is smaller than this, in seconds, counts as none.
const SMALLEST_SKEW: i64 = 30;
/// 9999-12-31T23:59:59Z.
const LAST_MOMENT: i64 = 253_402_300_799;

/// The wall clock, and when the machine was booted by it. All times in the crate are UTC; only what people read is not.
#[derive(Clone)]
pub enum Clock {
    /// The machine's.
    System,
    /// Clocks that tests set: seconds since 1970, shared.
    Fixed {
        /// The wall clock.
        now: Arc<AtomicI64>,
        /// [`Clock::booted_at`].
        booted_at: Arc<AtomicI64>,
    },
}

impl Clock {
    /// The time now.
    pub fn now(&self) -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
        match self {
            Self::System => DateTime::from(std::time::SystemTime::now()),
            Self::Fixed { now, .. } => shared_time(now),
        }
    }

    /// How far the clocks that people read here are ahead of UTC now.
    pub(crate) fn offset(&self) -> FixedOffset {
        match self {
            Self::System => Local.offset_from_utc_datetime(&self.now().naive_utc()).fix(),
            Self::Fixed { .. } => Utc.fix(),
        }
    }

    /// A time as people here read it in a sentence: `2026-11-26 18:05 UTC`, `2026-11-26 19:05 +01:00`.
    pub(crate) fn local(&self, time: DateTime<Utc>) -> String {
        format!("{} {}", self.local_without_zone(time), self.zone())
    }

    /// The same where the zone stands elsewhere.
    pub(crate) fn local_without_zone(&self, time: DateTime<Utc>) -> String {
        time.with_timezone(&self.offset()).format("%Y-%m-%d %H:%M").to_string()
    }

    /// The zone of [`Clock::local`].
    pub(crate) fn zone(&self) -> String {
        match self.offset() {
            offset if offset == Utc.fix() => "UTC".to_owned(),
            offset => offset.to_string(),
        }
    }

    /// When the machine was booted, by the wall clock as it is set now: another answer than before means that somebody has set the
    /// wall clock (or booted) in between. `None` where there is no clock that counts on while the machine sleeps.
    pub(crate) fn booted_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::System => Some(self.now() - time_since_boot()?),
            Self::Fixed { booted_at, .. } => Some(shared_time(booted_at)),
        }
    }
}

/// The moment that a number from outside names, in seconds since 1970: see [`is_moment`].
pub(crate) fn moment(seconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0).filter(|time| is_moment(*time))
}

/// Whether a time lies in the years that clocks, certificates and tokens have (1970 to 9999). What comes from outside is held to them: no
/// sum with a span of our own leaves what a time can be then, which would end the run.
pub(crate) fn is_moment(time: DateTime<Utc>) -> bool {
    (1970..10_000).contains(&time.year())
}

/// The last of them: of what has no end.
pub(crate) fn last_moment() -> DateTime<Utc> {
    DateTime::from_timestamp(LAST_MOMENT, 0).unwrap_or_default()
}

fn shared_time(seconds: &AtomicI64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds.load(Ordering::SeqCst), 0).unwrap_or_default()
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no such clock")]
fn time_since_boot() -> Option<TimeDelta> {
    use rustix::time::{ClockId, clock_gettime};
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let clock = ClockId::Boottime;
    // On macOS this one counts on while the machine sleeps.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let clock = ClockId::Monotonic;
    Some(TimeDelta::seconds(clock_gettime(clock).tv_sec))
}

#[cfg(not(unix))]
fn time_since_boot() -> Option<TimeDelta> {
    None
}

/// How far a server's clock is ahead of ours, as a verified answer of it told. Holds until somebody sets our wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Skew {
    ahead: TimeDelta,
    booted_at: Option<DateTime<Utc>>,
}

impl Skew {
    /// From a server's time and our clock; less than 30 s counts as none.
    pub(crate) fn measured(server_time: DateTime<Utc>, clock: &Clock) -> Self {
        Self::noted((server_time - clock.now()).num_seconds(), clock.booted_at())
    }

    /// As it was written down.
    pub fn noted(seconds: i64, booted_at: Option<DateTime<Utc>>) -> Self {
        if seconds.abs() < SMALLEST_SKEW {
            return Self::default();
        }
        Self {
            ahead: TimeDelta::try_seconds(seconds).unwrap_or_default(),
            booted_at,
        }
    }

    /// The seconds to write down.
    pub(crate) fn seconds(&self) -> i64 {
        self.ahead.num_seconds()
    }

    /// The boot time to write down, in seconds since 1970; 0 for none.
    pub(crate) fn booted_at_seconds(&self) -> i64 {
        self.booted_at.map_or(0, |time| time.timestamp())
    }

    /// What to add to our clock to get the server's: nothing any more once our wall clock was set.
    pub(crate) fn now(&self, clock: &Clock) -> TimeDelta {
        if self.ahead.is_zero() {
            return TimeDelta::zero(); // the usual case, on the hot path
        }
        let is_moved = |then: DateTime<Utc>, now: DateTime<Utc>| (then - now).num_seconds().abs() >= SMALLEST_SKEW;
        match (self.booted_at, clock.booted_at()) {
            (Some(then), Some(now)) if is_moved(then, now) => TimeDelta::zero(),
            _ => self.ahead,
        }
    }

    /// The two tell the same, so that there is nothing to write down anew.
    pub(crate) fn is_like(&self, other: &Self, clock: &Clock) -> bool {
        (self.now(clock) - other.now(clock)).num_seconds().abs() < SMALLEST_SKEW
    }
}

/// Measures how long something takes, by a clock that nobody sets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// From now on.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// So far.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// How long the person at this host has been asked so far, in nanoseconds.
///
/// A host lives as long as its process: the eight bytes are never given back, so that a [`Deadline`] can be copied like a number.
#[derive(Debug, Clone, Copy)]
pub struct Asked(&'static AtomicU64);

impl Default for Asked {
    fn default() -> Self {
        Self(Box::leak(Box::default()))
    }
}

impl Asked {
    /// Asks a person: no deadline of this host comes nearer meanwhile.
    pub(super) fn ask<T>(self, question: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let answer = question();
        let took = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_add(took, Ordering::Relaxed);
        answer
    }

    fn so_far(self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    /// So much time from now, not counting what a person takes to answer.
    pub(super) fn deadline(self, time: Duration) -> Deadline {
        Deadline {
            asked_before: self.so_far(),
            asked: Some(self),
            ..Deadline::after(time)
        }
    }
}

/// The moment by which a run must be over. The time that a person takes to answer does not count.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
    /// What had been waited for answers when it was set.
    asked_before: Duration,
    /// `None` where nobody is asked anything.
    asked: Option<Asked>,
}

impl Deadline {
    /// So much time from now, for work in which nobody is asked anything.
    pub fn after(time: Duration) -> Self {
        let now = Instant::now();
        Self {
            at: now.checked_add(time).unwrap_or(now),
            asked_before: Duration::ZERO,
            asked: None,
        }
    }

    /// What is left; zero when it is over.
    pub(crate) fn remaining(self) -> Duration {
        let answered = self
            .asked
            .map_or(Duration::ZERO, Asked::so_far)
            .saturating_sub(self.asked_before);
        let at = self.at.checked_add(answered).unwrap_or(self.at);
        at.saturating_duration_since(Instant::now())
    }

    /// This deadline and so much more time.
    #[must_use]
    pub(crate) fn later(self, time: Duration) -> Self {
        let at = self.at.checked_add(time).unwrap_or(self.at);
        Self { at, ..self }
    }

    /// The earlier of this deadline and `time` from now.
    #[must_use]
    pub(crate) fn at_most(self, time: Duration) -> Self {
        let other = self
            .asked
            .map_or_else(|| Self::after(time), |asked| asked.deadline(time));
        if other.remaining() < self.remaining() {
            other
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_a_moment_one_can_reckon() {
        for seconds in [0, 2_524_608_000, LAST_MOMENT] {
            let time = moment(seconds).unwrap();
            let century = TimeDelta::days(36_525);
            assert!(time + century > time - century, "{time}");
        }
        assert_eq!(last_moment().to_rfc3339(), "9999-12-31T23:59:59+00:00");
        // The last that chrono knows, and others of which nothing outside speaks in earnest.
        for seconds in [
            -1,
            LAST_MOMENT + 1,
            DateTime::<Utc>::MAX_UTC.timestamp(),
            i64::MAX,
            i64::MIN,
        ] {
            assert_eq!(moment(seconds), None, "{seconds}");
        }
    }

    #[test]
    fn the_time_that_a_person_takes_does_not_count() {
        let asked = Asked::default();
        let deadline = asked.deadline(Duration::from_millis(40));
        let other = asked
            .deadline(Duration::from_secs(60))
            .at_most(Duration::from_millis(40));
        let elsewhere = Deadline::after(Duration::from_millis(40));
        asked.ask(|| std::thread::sleep(Duration::from_millis(80)));
        assert!(!deadline.remaining().is_zero() && !other.remaining().is_zero());
        assert!(elsewhere.remaining().is_zero(), "another host's person was not asked");
        std::thread::sleep(deadline.remaining());
        assert!(deadline.remaining().is_zero());
    }
}
