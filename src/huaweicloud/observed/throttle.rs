//! Whom an endpoint throttles, and until when.

use crate::error::{Error, Exit, Explain};
use crate::host::Directories;
use crate::huaweicloud::observed::{read, write};
use crate::ids::Endpoint;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// The pause when the cloud does not name one: ten certificates a minute and user are the limit that people have met.
const PAUSE: TimeDelta = TimeDelta::seconds(20);
/// The directory of the files.
const KIND: &str = "throttles";

/// A 429 that holds for everything an identity asks of an endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Throttle {
    /// Until when, by our clock.
    pub(crate) until: DateTime<Utc>,
    since: DateTime<Utc>,
    message: String,
}

impl Throttle {
    /// From an error that came at `now`; `None` if it is none of this kind. `jitter` is between 0 and 1.
    pub(crate) fn of(error: &Error, now: DateTime<Utc>, jitter: f64) -> Option<Self> {
        if !error.is_throttled() {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "two seconds at most")]
        let spread = TimeDelta::milliseconds((jitter * 2000.0) as i64);
        let pause = error.retry_after().unwrap_or(PAUSE + spread);
        Some(Self {
            until: now + pause,
            since: now,
            message: error.cause(),
        })
    }

    /// What is remembered for this identity at `endpoint`, if it still holds.
    pub(crate) fn read(
        directories: &Directories,
        endpoint: &Endpoint,
        fingerprint: &str,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let throttle: Self = read(directories, KIND, &name(endpoint, fingerprint))?;
        // Before it began: the clock was set back since, and nothing is known.
        (throttle.since <= now && now < throttle.until).then_some(throttle)
    }

    /// Remembers it.
    pub(crate) fn write(&self, directories: &Directories, endpoint: &Endpoint, fingerprint: &str) {
        write(directories, KIND, &name(endpoint, fingerprint), self);
    }

    /// The error of whoever would have asked.
    pub(crate) fn into_error(self, now: DateTime<Utc>) -> Error {
        Throttled {
            seconds: (self.until - now).num_seconds().max(1),
            message: self.message,
        }
        .into()
    }
}

fn name(endpoint: &Endpoint, fingerprint: &str) -> String {
    [endpoint.as_str(), fingerprint].join("\0")
}

/// Another request of this identity was throttled a moment ago.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Throttled {
    seconds: i64,
    message: String,
}

impl Explain for Throttled {
    fn exit(&self) -> Exit {
        Exit::Temporary
    }

    fn hint(&self) -> Option<String> {
        Some(format!(
            "the cloud throttles this identity: try again in {} seconds",
            self.seconds
        ))
    }

    fn retry_after(&self) -> Option<TimeDelta> {
        TimeDelta::try_seconds(self.seconds)
    }

    fn is_throttled(&self) -> bool {
        true
    }
}
