//! Renewing a certificate before it is over, so that nobody waits for it: behind the caller's back by a process of its own, or in line
//! where that is impossible or late. Whatever goes wrong, the certificate in hand is served.

use crate::cache::CertCache;
use crate::cache::claim::{self, Task};
use crate::cache::freshness::Schedule;
use crate::credential::ObtainedCertificate;
use crate::credential::fetch::{self, FetchRequest};
use crate::session::Session;
use chrono::TimeDelta;
use std::ffi::OsString;
use std::time::Duration;

/// The longest that somebody who has a valid certificate waits for the next one.
const PATIENCE_IN_LINE: Duration = Duration::from_secs(3);
/// How long a process that renews has to itself: longer than it may run.
const TURN: TimeDelta = TimeDelta::seconds(30);
/// The longest pause before a renewal, where the window is long: a team's laptops shall not renew in the same second.
const LONGEST_JITTER: TimeDelta = TimeDelta::seconds(10);

/// The flag of the process that renews.
pub(crate) const FLAG: &str = "--renew";

/// Inside the window: starts a process that renews, if none has been started. Only where none can be left behind is it done in line,
/// and something returned.
pub(crate) fn renew_in_background(
    session: &Session<'_>,
    cache: &CertCache<'_>,
    errand: &FetchRequest<'_>,
    typed: &[OsString],
) -> Option<ObtainedCertificate> {
    let schedule = Schedule::of(errand.held?, &session.host.clock);
    let now = session.host.clock.now();
    if fetch::recent_failure(session, errand).is_some() {
        return None;
    }
    let turn = TURN.min(schedule.left(now)).max(TimeDelta::seconds(1));
    if !claim::claim(&session.directories, errand.key, Task::Renewal, now, turn) {
        return None;
    }
    let flag = OsString::from(FLAG);
    let args: Vec<OsString> = typed.iter().cloned().chain([flag]).collect();
    if session.host.processes.spawn_detached(&args) {
        session.log.info(|| "renewing behind this call".to_owned());
        return None;
    }
    let renewed = renew_blocking(session, cache, errand);
    claim::release(&session.directories, errand.key, Task::Renewal);
    renewed
}

/// Renews while the caller waits, though not for long, and not until the certificate in hand is over. `None`: it did not come about.
pub(crate) fn renew_blocking(
    session: &Session<'_>,
    cache: &CertCache<'_>,
    errand: &FetchRequest<'_>,
) -> Option<ObtainedCertificate> {
    if fetch::recent_failure(session, errand).is_some() {
        return None;
    }
    let clock = &session.host.clock;
    let left = Schedule::of(errand.held?, clock).left(clock.now());
    let patience = PATIENCE_IN_LINE.min((left / 2).to_std().unwrap_or_default());
    let errand = FetchRequest {
        deadline: errand.deadline.at_most(patience),
        ..*errand
    };
    match fetch::fetch(session, cache, &errand) {
        Ok(renewed) => Some(renewed),
        Err(error) => {
            session
                .log
                .info(|| format!("not renewed, the certificate in hand is served: {error}"));
            None
        }
    }
}

/// What the process that was left behind does: waits for a moment, renews, and tells nobody but the log.
pub(crate) fn renew(session: &Session<'_>, cache: &CertCache<'_>, errand: &FetchRequest<'_>) {
    let Some((_, held)) = cache.get(errand.key) else {
        return; // logged out meanwhile
    };
    let schedule = Schedule::of(&held, &session.host.clock);
    let longest = (schedule.window() / 10)
        .min(LONGEST_JITTER)
        .to_std()
        .unwrap_or_default();
    std::thread::sleep(longest.mul_f64(session.host.processes.jitter()));
    let errand = FetchRequest {
        held: Some(&held),
        ..*errand
    };
    if let Err(error) = fetch::fetch(session, cache, &errand) {
        session.log.info(|| format!("not renewed: {error}"));
    }
    // The failure that was noted, if there is one, says when the next turn is.
    claim::release(&session.directories, errand.key, Task::Renewal);
}
