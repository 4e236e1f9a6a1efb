//! `refresh`: a new certificate now for each chosen context, or with `--missing` one where there is none, and server, CA and TLS name of its
//! cluster entry as they are today. With `--behind` it is the process that a login of many clusters leaves behind.

use crate::cache::CacheKey;
use crate::cache::single_flight::{self, LockOutcome};
use crate::cache::tombstone::Generation;
use crate::cli::words::HandOverForm;
use crate::cli::{GlobalArgs, RefreshArgs};
use crate::contexts::hand_over::HandOver;
use crate::contexts::refresh::{Refresh, refresh_contexts};
use crate::contexts::{self, ResolvedContext};
use crate::error::Result;
use crate::host::{Deadline, Directories, Host};
use crate::kubeconfig::OurContext;
use crate::plan::{ContextsPlan, RunSettings};
use crate::session::Session;
use crate::words::Word as _;
use std::collections::{BTreeMap, BTreeSet};
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
    let form = args.format.as_deref().and_then(HandOverForm::parse);
    let form = form.unwrap_or(HandOverForm::Certificate);
    let hand_over = args.to.as_deref().map(|to| HandOver::to(to, form));
    let mut how = Refresh {
        hand_over: hand_over.as_ref(),
        kubeconfig: plan.kubeconfig.as_deref(),
        ..Refresh::NEW
    };
    if args.missing {
        how.is_cached_enough = true;
        chosen.retain(|context| is_missing(&session, global, context));
        if chosen.is_empty() {
            host.say("every context has its certificate");
        }
    }
    let failures = refresh_contexts(&session, global, &kubeconfig, &chosen, how)?;
    failures.conclude(host, chosen.len(), "contexts failed")
}

/// Goes on until no entry waits for its first certificate, those that come meanwhile included. One process at a time. The kubeconfig is read
/// anew for each: whoever uses a context, removes it or logs out meanwhile has the last word.
fn go_behind(session: &Session<'_>, global: &GlobalArgs, plan: &ContextsPlan) -> Result<()> {
    let key = CacheKey::of_account("behind");
    let now = Deadline::after(Duration::ZERO);
    let LockOutcome::Acquired(_lock) = single_flight::wait(&session.directories, &key, now, || None::<()>) else {
        return Ok(());
    };
    // By context, the last logout when it was first seen; `None`: it was tried.
    let mut seen: BTreeMap<String, Option<Generation>> = BTreeMap::new();
    let mut refused: BTreeSet<String> = BTreeSet::new();
    loop {
        let kubeconfig = contexts::load(session.host, plan.kubeconfig.clone())?;
        let mut next = None;
        for context in kubeconfig.ours().into_iter().filter(contexts::has_no_ca) {
            let known = seen.get(context.name);
            if known == Some(&None) || (known.is_some() && next.is_some()) {
                continue;
            }
            let Ok(resolved) = ResolvedContext::by(session, global, &context) else {
                continue; // whoever uses it is told why
            };
            let generation = resolved.generation(session);
            let first = *seen.entry(context.name.to_owned()).or_insert(Some(generation));
            let is_wanted = first == Some(generation) && !refused.contains(resolved.identity.fingerprint());
            if next.is_none() && is_wanted {
                next = Some((context, resolved));
            }
        }
        let Some((context, resolved)) = next else {
            return Ok(());
        };
        seen.insert(context.name.to_owned(), None);
        // What fails is recorded with the context, where `status` shows it.
        let failures = refresh_contexts(session, global, &kubeconfig, &[context], Refresh::BEHIND)?;
        if let Some(error) = failures.into_first() {
            session.log.info(|| format!("{error}"));
            if error.is_unauthorized() {
                // Asking again for every context would lock the user.
                refused.insert(resolved.identity.fingerprint().to_owned());
            }
        }
    }
}

/// There is no certificate that is good, or the entry has not got what came with it. Who cannot be resolved is not left out in silence.
fn is_missing(session: &Session<'_>, global: &GlobalArgs, context: &OurContext<'_>) -> bool {
    contexts::has_no_ca(context)
        || ResolvedContext::by(session, global, context).map_or(true, |resolved| !resolved.has_certificate(session))
}
