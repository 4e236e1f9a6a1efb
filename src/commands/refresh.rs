//! `refresh`: a new certificate now for each chosen context, or with `--missing` one where there is none, and server, CA and TLS name of its
//! cluster entry as they are today. With `--behind` it is the process that a login of many clusters leaves behind.

use crate::cache::CacheKey;
use crate::cache::single_flight::{self, LockOutcome};
use crate::cli::{GlobalArgs, RefreshArgs};
use crate::contexts::hand_over::HandOver;
use crate::contexts::refresh::{Refresh, refresh_contexts};
use crate::contexts::{self, ResolvedContext};
use crate::error::Result;
use crate::host::{Deadline, Directories, Host};
use crate::kubeconfig::OurContext;
use crate::plan::{ContextsPlan, RunSettings};
use crate::session::Session;
use std::collections::BTreeSet;
use std::time::Duration;

/// Refreshes the chosen contexts.
pub(super) fn run(args: &RefreshArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let plan = if args.missing {
        ContextsPlan::all_unless_chosen(&args.contexts)
    } else {
        ContextsPlan::new(&args.contexts)
    };
    let kubeconfig = contexts::load(host, plan.kubeconfig.clone())?;
    let mut chosen = contexts::select(&kubeconfig, &plan.selection)?;
    let run = RunSettings::for_certificates(chosen.len(), global, &host.env, host.terminal)?;
    let session = Session::new(host, Directories::of(&host.env), run, global.verbose);
    if args.behind {
        return go_behind(&session, global, &plan);
    }
    let hand_over = args.to.as_deref().map(|to| HandOver::to(to, args.format.as_deref()));
    let mut how = Refresh {
        hand_over: hand_over.as_ref(),
        ..Refresh::NEW
    };
    if args.missing {
        how = Refresh {
            hand_over: how.hand_over,
            ..Refresh::MISSING
        };
        chosen.retain(|context| is_missing(&session, global, context));
        if chosen.is_empty() {
            host.say("every context has its certificate");
        }
    }
    let failures = refresh_contexts(&session, global, &kubeconfig, &chosen, how)?;
    failures.conclude(host, chosen.len(), "contexts failed")
}

/// Goes on until no context is without a certificate; those that come meanwhile included. One process at a time.
fn go_behind(session: &Session<'_>, global: &GlobalArgs, plan: &ContextsPlan) -> Result<()> {
    let key = CacheKey::of_account("behind");
    let now = Deadline::after(Duration::ZERO);
    let LockOutcome::Acquired(_lock) = single_flight::wait(&session.directories, &key, now, || None::<()>) else {
        return Ok(());
    };
    let mut tried: BTreeSet<String> = BTreeSet::new();
    loop {
        let kubeconfig = contexts::load(session.host, plan.kubeconfig.clone())?;
        let mut left = contexts::select(&kubeconfig, &plan.selection)?;
        left.retain(|context| !tried.contains(context.name) && is_missing(session, global, context));
        if left.is_empty() {
            return Ok(());
        }
        tried.extend(left.iter().map(|context| context.name.to_owned()));
        // What fails is recorded with each context, where `status` shows it.
        let failures = refresh_contexts(session, global, &kubeconfig, &left, Refresh::BEHIND)?;
        session
            .log
            .info(|| format!("{} of {} contexts failed", failures.len(), left.len()));
    }
}

/// There is no certificate that is good, or the entry has not got what came with it. Who cannot be resolved is not left out in silence.
fn is_missing(session: &Session<'_>, global: &GlobalArgs, context: &OurContext<'_>) -> bool {
    contexts::has_no_ca(context)
        || ResolvedContext::by(session, global, context).map_or(true, |resolved| !resolved.has_certificate(session))
}
