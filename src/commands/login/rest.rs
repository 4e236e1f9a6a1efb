//! The certificates that a login does not take itself, because CCE grants about ten a minute: they follow behind it, or while one waits.

use crate::commands::login::failures::LoginFailures;
use crate::commands::login::setup::LoginRun;
use crate::contexts;
use crate::contexts::refresh::{self, Refresh};
use crate::credential::pace;
use crate::error::Result;
use crate::host::Directories;
use crate::kubeconfig::{Login, OurContext};
use crate::plan::{Destination, RunSettings};
use crate::session::Session;
use std::ffi::OsString;

/// What the process in the background is given at least.
const LEAST_SECONDS: usize = 300;
/// What each certificate adds to that: twice of what it takes.
const SECONDS_EACH: usize = 14;

/// What becomes of the clusters whose certificate was not taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// There are none, or they have it now.
    Nothing,
    /// A process in the background takes it for so many.
    Behind(usize),
    /// Somebody has to ask for it, for so many.
    Later(usize),
    /// Nothing is written, so nothing can follow, for so many.
    NotWritten(usize),
}

/// Nobody is trusted there yet.
fn waits(login: &Login) -> bool {
    let entry = &login.cluster;
    entry.certificate_authority_data.is_none() && !entry.insecure_skip_tls_verify
}

/// Sees to it that the clusters of these logins get their certificates.
pub(super) fn take(run: &LoginRun<'_>, logins: &[Login], failures: &mut LoginFailures) -> Result<Rest> {
    let waiting: Vec<&str> = logins
        .iter()
        .filter(|login| waits(login))
        .map(|login| login.context_name.as_str())
        .collect();
    let count = waiting.len();
    if count == 0 {
        return Ok(Rest::Nothing);
    }
    if run.plan.destination != Destination::Write {
        return Ok(Rest::NotWritten(count));
    }
    if run.plan.is_waiting || is_waited_for(run, count) {
        wait(run, &waiting, failures)?;
        return Ok(Rest::Nothing);
    }
    let mut line: Vec<OsString> = [
        "kubectl-cce_login",
        "refresh",
        "--missing",
        refresh::BEHIND_FLAG,
        "--no-input",
    ]
    .map(OsString::from)
    .to_vec();
    // Its own time, whatever this run was given: it goes at CCE's pace.
    let seconds = LEAST_SECONDS.saturating_add(SECONDS_EACH.saturating_mul(count));
    line.push(format!("--timeout={seconds}s").into());
    if let Some(file) = &run.plan.kubeconfig {
        line.extend([OsString::from("--kubeconfig"), file.into()]);
    }
    Ok(if run.session.host.processes.spawn_detached(&line) {
        Rest::Behind(count)
    } else {
        Rest::Later(count)
    })
}

/// Whether a person wants to wait. Who gives no answer wants to do something else.
fn is_waited_for(run: &LoginRun<'_>, count: usize) -> bool {
    let question = format!("{count} to go, {}: in the background?", pace::in_words(count));
    run.session.is_interactive && matches!(run.session.host.confirm(&question), Ok(false))
}

fn wait(run: &LoginRun<'_>, waiting: &[&str], failures: &mut LoginFailures) -> Result<()> {
    let kubeconfig = contexts::load_or_new(run.session.host, run.plan.kubeconfig.clone())?;
    let mut chosen: Vec<OurContext<'_>> = kubeconfig.ours();
    chosen.retain(|context| waiting.contains(&context.name));
    let host = run.session.host;
    let settings = RunSettings::for_certificates(chosen.len(), run.global, &host.env, host.terminal)?;
    let session = Session::new(host, Directories::of(&host.env), settings, run.global.verbose);
    let how = Refresh {
        is_told: false,
        kubeconfig: run.plan.kubeconfig.as_deref(),
        ..Refresh::MISSING
    };
    failures.checks.extend(refresh::refresh_contexts(
        &session,
        run.global,
        &kubeconfig,
        &chosen,
        how,
    )?);
    Ok(())
}
