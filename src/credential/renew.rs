//! Renewing a certificate before it is over, so that nobody waits for it: behind the caller's back by a process of its own, or in line
//! where that is impossible or late. Whatever goes wrong, the current certificate is served.

use crate::cache::claim::{self, Task};
use crate::cache::entry::CacheEntry;
use crate::cache::freshness::Freshness;
use crate::credential::fetch::fetch;
use crate::credential::rejected;
use crate::credential::request::{CachePolicy, FetchRequest};
use crate::credential::slot::{CertificateSlot, ObtainedCertificate};
use chrono::TimeDelta;
use std::ffi::OsString;
use std::time::Duration;

/// The longest that somebody who has a valid certificate waits for the next one.
const PATIENCE_IN_LINE: Duration = Duration::from_secs(3);
/// The longest that a process that renews takes for it, after its pause.
const PATIENCE_BEHIND: Duration = Duration::from_secs(19);
/// How long a process that renews has to itself: longer than it may run.
const TURN: TimeDelta = TimeDelta::seconds(30);
/// The longest pause before a renewal, where the window is long: a team's laptops shall not renew in the same second.
const LONGEST_JITTER: TimeDelta = TimeDelta::seconds(10);

/// How often a certificate that is used is shown to the API server behind a caller.
pub(crate) const BETWEEN_CHECKS: TimeDelta = TimeDelta::minutes(2);

/// The flag of the process that renews.
const FLAG: &str = "--renew";

/// Inside the window: starts a process that renews, if none has been started. Only where none can be left behind is it done in line,
/// and something returned. `command_line` is ours, for that process.
pub(crate) fn renew_in_background(
    slot: &CertificateSlot<'_>,
    current: &CacheEntry,
    command_line: &[OsString],
) -> Option<ObtainedCertificate> {
    let session = slot.session;
    let now = session.host.clock.now();
    // The process behind us cannot tell any more where its variables come from.
    if slot.request.sign_in().check_vouched(session).is_err() {
        return None;
    }
    if slot
        .recent_failure(&renewal(slot, current, CachePolicy::Fresh))
        .is_some()
    {
        return None;
    }
    let turn = TURN.min(slot.schedule(current).left(now)).max(TimeDelta::seconds(1));
    if !claim::claim(&session.directories, &slot.key, Task::Renewal, now, turn) {
        return None;
    }
    // One machine renews for all of them: not in a process that may end with its container.
    let request = slot.request;
    let is_shared = request.certificate.shared_cache.is_some() && request.identity.world_wide_fingerprint().is_some();
    if !is_shared && spawn(slot, command_line) {
        session.log.info(|| "renewing behind this call".to_owned());
        return None;
    }
    let renewed = renew_blocking(slot, current, CachePolicy::Fresh);
    claim::release(&session.directories, &slot.key, Task::Renewal);
    renewed
}

/// Renews while the caller waits, though not for long, and not until the current certificate is over. `None`: it did not come about.
pub(crate) fn renew_blocking(
    slot: &CertificateSlot<'_>,
    current: &CacheEntry,
    policy: CachePolicy<'_>,
) -> Option<ObtainedCertificate> {
    let session = slot.session;
    let request = renewal(slot, current, policy);
    if slot.recent_failure(&request).is_some() {
        return None;
    }
    let left = slot.schedule(current).left(session.host.clock.now());
    let patience = PATIENCE_IN_LINE.min((left / 2).to_std().unwrap_or_default());
    let request = FetchRequest {
        deadline: request.deadline.at_most(patience),
        ..request
    };
    let renewed = fetch(slot, &request);
    if let Err(error) = &renewed {
        session
            .log
            .info(|| format!("not renewed, the current certificate is served: {error}"));
    }
    renewed.ok()
}

/// Outside the window, when a check is due: starts a process that asks the API server whether it still takes the certificate. Clients that
/// never ask twice (Python, Node, Java) do not tell us of a refusal; their next process gets another certificate.
/// Where no process can be left behind it is asked in line, and what takes the place of a refused certificate is returned.
pub(crate) fn check_in_background(
    slot: &CertificateSlot<'_>,
    current: &CacheEntry,
    command_line: &[OsString],
) -> Option<ObtainedCertificate> {
    let session = slot.session;
    let now = session.host.clock.now();
    if !claim::claim(
        &session.directories,
        &slot.key,
        Task::AcceptanceCheck,
        now,
        BETWEEN_CHECKS,
    ) {
        return None;
    }
    if spawn(slot, command_line) {
        session.log.info(|| "asking the API server behind this call".to_owned());
        return None;
    }
    replace_if_refused(slot, current)
}

fn replace_if_refused(slot: &CertificateSlot<'_>, current: &CacheEntry) -> Option<ObtainedCertificate> {
    if !rejected::is_refused_now(slot, current) {
        return None;
    }
    let replaced = fetch(slot, &renewal(slot, current, CachePolicy::NotThis(&current.cert)));
    if let Err(error) = &replaced {
        slot.session.log.info(|| format!("not replaced: {error}"));
    }
    replaced.ok()
}

fn spawn(slot: &CertificateSlot<'_>, command_line: &[OsString]) -> bool {
    let args: Vec<OsString> = command_line.iter().cloned().chain([OsString::from(FLAG)]).collect();
    slot.session.host.processes.spawn_detached(&args)
}

/// What the process that was left behind does: renews inside the window, and before it asks whether the certificate is still taken. It tells
/// nobody but the log.
pub(crate) fn tend(slot: &CertificateSlot<'_>) {
    let session = slot.session;
    let Some(current) = slot.cached() else {
        return; // logged out meanwhile
    };
    if slot.freshness(&current.entry) == Freshness::Fresh {
        let _ = replace_if_refused(slot, &current.entry);
        return;
    }
    let longest = (slot.schedule(&current.entry).window() / 10)
        .min(LONGEST_JITTER)
        .to_std()
        .unwrap_or_default();
    let pause = longest.mul_f64(session.host.processes.jitter());
    std::thread::sleep(pause);
    // The pause is our own affair: a short `--timeout` is not used up by it.
    let request = renewal(slot, &current.entry, CachePolicy::Fresh);
    let request = FetchRequest {
        deadline: request.deadline.later(pause).at_most(PATIENCE_BEHIND),
        ..request
    };
    if let Err(error) = fetch(slot, &request) {
        session.log.info(|| format!("not renewed: {error}"));
    }
    // The failure that was noted, if there is one, says when the next turn is.
    claim::release(&session.directories, &slot.key, Task::Renewal);
}

fn renewal<'f>(slot: &CertificateSlot<'_>, current: &'f CacheEntry, policy: CachePolicy<'f>) -> FetchRequest<'f> {
    FetchRequest {
        policy,
        current: Some(current),
        deadline: slot.session.deadline,
    }
}
