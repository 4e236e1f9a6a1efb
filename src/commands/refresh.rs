//! `refresh`: a new certificate now for each chosen context, and server, CA and TLS name of its cluster entry as they are today.

use crate::cli::{GlobalArgs, RefreshArgs};
use crate::contexts;
use crate::contexts::refresh::renew_contexts;
use crate::error::Result;
use crate::host::{Directories, Host};
use crate::plan::{ContextsPlan, RunSettings};
use crate::session::Session;

/// Refreshes the chosen contexts.
pub(super) fn run(args: &RefreshArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let plan = ContextsPlan::new(&args.contexts);
    let kubeconfig = contexts::load(host, plan.kubeconfig.clone())?;
    let chosen = contexts::select(&kubeconfig, &plan.selection)?;
    let run = RunSettings::for_certificates(chosen.len(), global, &host.env, host.terminal)?;
    let session = Session::new(host, Directories::of(&host.env), run, global.verbose);

    let failures = renew_contexts(&session, global, &kubeconfig, &chosen, None)?;
    failures.conclude(host, chosen.len(), "contexts failed")
}
