//! Going on at the cloud's pace.

use super::session::Session;
use crate::error::{Error, Result};
use chrono::TimeDelta;
use std::time::Duration;

/// The pause after a 429 that names none.
const PAUSE: TimeDelta = TimeDelta::seconds(6);

/// Waits as long as the cloud asks; an error if there is not so much time.
pub(super) fn wait(session: &Session<'_>, error: Error) -> Result<()> {
    let jitter = session.host.processes.jitter();
    let pause = error.retry_after().unwrap_or(PAUSE).to_std().unwrap_or_default();
    let pause = pause.max(Duration::from_millis(100)).mul_f64(1.0 + 0.1 * jitter);
    if session.deadline.remaining() < pause {
        return Err(error);
    }
    let seconds = pause.as_secs_f64().ceil();
    session
        .host
        .say(&format!("the cloud throttles this identity: going on in {seconds} s"));
    std::thread::sleep(pause);
    Ok(())
}
