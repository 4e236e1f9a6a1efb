//! The cloud's pace, kept by all machines together: about ten certificates a minute and identity, whichever clusters they are for.
//!
//! Who is about to ask the cloud takes a place in the last minute first, so that nobody is refused.

use crate::host::{Deadline, random_u64};
use crate::register::{Register, RegisterError, SealingKey, Swap};
use crate::secret::Secret;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The places of a minute.
const PLACES: usize = 10;
/// A minute, and as long as a request may be on its way after its place was taken.
const MINUTE: TimeDelta = TimeDelta::seconds(63);
/// So far may another machine's reading of the engine's clock be ahead of ours.
const AHEAD: TimeDelta = TimeDelta::seconds(5);
/// The longest pause that is believed, whoever wrote it.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(2);
/// The longest pause after somebody else was faster, in milliseconds.
const LONGEST_STEP_BACK: u64 = 60;
/// How long to wait where the others were faster all the time.
const CROWDED: TimeDelta = TimeDelta::seconds(3);

/// The minute, as one run sees it.
pub(crate) struct Pace<'r> {
    /// Where it is kept.
    pub(crate) register: &'r dyn Register,
    /// Its name there.
    pub(crate) name: String,
    /// What it is sealed with.
    pub(crate) key: Option<&'r SealingKey>,
}

/// What is kept. Times are the engine's.
#[derive(Debug, Default, Serialize, Deserialize)]
struct LastMinute {
    /// When the places were taken.
    at: Vec<DateTime<Utc>>,
    /// The cloud has refused somebody: nobody asks before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<DateTime<Utc>>,
}

impl Pace<'_> {
    /// Takes a place; `Some` with how long to wait if there is none. `now` is the engine's time.
    pub(crate) fn take(&self, now: DateTime<Utc>, deadline: Deadline) -> Result<Option<TimeDelta>, RegisterError> {
        self.change(now, deadline, |minute| {
            let pause = minute
                .until
                .map(|until| until - now)
                .filter(|pause| *pause > TimeDelta::zero());
            if let Some(pause) = pause {
                return Some(pause);
            }
            if minute.at.len() >= PLACES {
                return minute.at.iter().min().map(|first| *first + MINUTE - now);
            }
            minute.at.push(now);
            None
        })
    }

    /// The cloud has refused us until then: nobody asks before.
    pub(crate) fn pause(
        &self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        deadline: Deadline,
    ) -> Result<(), RegisterError> {
        self.change(now, deadline, |minute| {
            minute.until = Some(until);
            None
        })
        .map(drop)
    }

    fn change(
        &self,
        now: DateTime<Utc>,
        deadline: Deadline,
        change: impl Fn(&mut LastMinute) -> Option<TimeDelta>,
    ) -> Result<Option<TimeDelta>, RegisterError> {
        loop {
            let reading = self.register.read(&self.name, deadline)?;
            let mut minute = reading.value.and_then(|bytes| self.open(&bytes)).unwrap_or_default();
            // The engine tells whole seconds: somebody else's may be a little ahead.
            minute.at.retain(|at| *at - now < AHEAD && now - *at < MINUTE);
            minute.until = minute.until.filter(|until| *until - now <= LONGEST_PAUSE);
            if let Some(wait) = change(&mut minute) {
                return Ok(Some(wait.max(TimeDelta::seconds(1))));
            }
            let Some(bytes) = self.seal(&minute) else {
                return Ok(None);
            };
            if self.register.swap(&self.name, &reading.version, &bytes, deadline)? != Swap::Lost {
                return Ok(None);
            }
            // Many are at it in this moment: who goes without a place would take somebody else's.
            let step_back = Duration::from_millis(random_u64() % LONGEST_STEP_BACK);
            if deadline.remaining() <= step_back * 2 {
                return Ok(Some(CROWDED));
            }
            std::thread::sleep(step_back);
        }
    }

    fn open(&self, bytes: &Secret<Vec<u8>>) -> Option<LastMinute> {
        let plain = match self.key {
            Some(key) => key.open(&self.name, bytes)?,
            None => bytes.clone(),
        };
        serde_json::from_slice(plain.expose()).ok() // times only
    }

    fn seal(&self, minute: &LastMinute) -> Option<Secret<Vec<u8>>> {
        let plain = Secret::new(serde_json::to_vec(minute).ok()?);
        match self.key {
            Some(key) => key.seal(&self.name, &plain),
            None => Some(plain),
        }
    }
}
