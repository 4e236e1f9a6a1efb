//! A hint is told once to whoever keeps asking: client-go runs a failing plugin five times a call, and an informer at every poll.

use crate::credential::callers::{Caller, Callers};
use crate::error::Error;
use crate::exec_credential::ExecInfo;
use crate::host::{Directories, Host};
use chrono::TimeDelta;

/// So long a caller need not be told again.
const REMEMBERED_FOR: TimeDelta = TimeDelta::hours(1);

/// The error, without its hint where the process that runs us has had it lately. Only clients ask so often; what a person runs in a shell
/// has the shell as its parent.
pub(crate) fn once_per_caller(host: &Host, error: Error) -> Error {
    let Some(hint) = error
        .hint()
        .filter(|_| matches!(ExecInfo::from_env(&host.env), Ok(Some(_))))
    else {
        return error;
    };
    let callers = Callers::open(&Directories::of(&host.env));
    let (Some(callers), Some(parent)) = (callers, host.processes.parent()) else {
        return error;
    };
    let now = host.clock.now();
    let caller = Caller::new(&format!("hint {hint}"), parent);
    let is_told = |told_until| told_until > now && told_until <= now + REMEMBERED_FOR;
    if callers.expected_at(&caller).is_some_and(is_told) {
        return error.without_hint();
    }
    callers.note(&caller, now + REMEMBERED_FOR);
    error
}
