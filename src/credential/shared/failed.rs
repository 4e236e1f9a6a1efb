//! What another machine met, or why we do not wait for it.

use crate::error::{Exit, Explain};
use crate::register::SharedFailure;
use crate::sanitize::sanitize;
use chrono::{DateTime, TimeDelta, Utc};

/// What another machine met, or why we do not wait for it.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(super) struct Failed {
    text: String,
    hint: Option<String>,
    exit: Exit,
    retry_after: Option<TimeDelta>,
    is_throttled: bool,
}

impl Failed {
    pub(super) fn of(failure: &SharedFailure, now: DateTime<Utc>) -> Self {
        Self {
            text: sanitize(&failure.text),
            hint: failure.hint.as_deref().map(sanitize),
            exit: Exit::from_code(failure.exit),
            retry_after: Some((failure.until - now).max(TimeDelta::seconds(1))),
            is_throttled: failure.throttled,
        }
    }

    pub(super) fn throttled(wait: TimeDelta) -> Self {
        let seconds = wait.num_seconds().max(1);
        Self {
            text: "the machines that share this identity have asked for ten certificates in the last minute".to_owned(),
            hint: Some(format!(
                "try again in {seconds} seconds, or allow more time with `--timeout 5m`"
            )),
            exit: Exit::Temporary,
            retry_after: Some(wait),
            is_throttled: true,
        }
    }

    pub(super) fn busy() -> Self {
        Self {
            text: "another machine is fetching the certificate and does not come to an end".to_owned(),
            hint: Some("try again".to_owned()),
            exit: Exit::Temporary,
            retry_after: None,
            is_throttled: false,
        }
    }
}

impl Explain for Failed {
    fn exit(&self) -> Exit {
        self.exit
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }

    fn retry_after(&self) -> Option<TimeDelta> {
        self.retry_after
    }

    fn is_throttled(&self) -> bool {
        self.is_throttled
    }
}
