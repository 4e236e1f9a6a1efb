//! `get-credential`: what kubectl runs. From the cache while it is good; one document on stdout, at the end.

use crate::cache::entry::CacheEntry;
use crate::cache::freshness::Schedule;
use crate::cache::handed_over::{self, HandedOverError};
use crate::cli::{GetCredentialArgs, GlobalArgs};
use crate::contexts::{self, ResolvedContext, complete};
use crate::credential::callers::hints;
use crate::credential::request::Requester;
use crate::credential::{Certificates, whose};
use crate::error::{Error, Result};
use crate::exec_credential::{ExecInfo, KeyDisplay, exec_credential};
use crate::host::{Directories, Host, Input};
use crate::identity::Identity;
use crate::ids::ClusterId;
use crate::kubeconfig::{self, OurContext};
use crate::output;
use crate::plan::{self, GetCredentialPlan};
use crate::sanitize::sanitize;
use crate::secret::Secret;
use crate::session::{BrowserUse, Session};
use chrono::{DateTime, Utc};
use std::ffi::OsString;
use std::path::Path;

/// Prints an `ExecCredential`, or nothing and an error. `command_line` is what was typed.
pub(super) fn run(args: &GetCredentialArgs, global: &GlobalArgs, command_line: &[OsString], host: &Host) -> Result<()> {
    serve(args, global, command_line, host).map_err(|error| hints::once_per_caller(host, error))
}

fn serve(args: &GetCredentialArgs, global: &GlobalArgs, command_line: &[OsString], host: &Host) -> Result<()> {
    let exec_info = ExecInfo::from_env(&host.env)?;
    let directories = Directories::of(&host.env);
    let mut not_handed_over: Option<Error> = None;
    if args.certificate.cache_from.is_some() && !args.force_refresh {
        let plan = GetCredentialPlan::new(args, global, &host.env, None, host.terminal, exec_info.as_ref())?;
        match handed_over(&plan, host) {
            Ok(entry) => match whose::check_handed_over(plan.principal.as_ref(), &entry.cert.common_name) {
                Ok(()) => {
                    let ask_again = Schedule::of(&entry, &host.clock).ask_again(host.clock.now());
                    return print(host, &plan, &entry, ask_again);
                }
                Err(error) => not_handed_over = Some(error),
            },
            Err(error) => not_handed_over = Some(error.into()),
        }
    }
    let identity = Identity::locate(&plan::pin(&args.identity, &host.env)?, &host.env, &directories);
    // Nobody was needed: what is missing is the certificate that should be there.
    let identity = identity.map_err(|error| not_handed_over.take().unwrap_or_else(|| error.into()))?;
    let profile = identity.profile();
    let plan = GetCredentialPlan::new(args, global, &host.env, profile, host.terminal, exec_info.as_ref())?;
    let mut session = Session::new(host, directories, plan.run, global.verbose).for_client();
    session.browser_use = BrowserUse::ByKubectl;
    if let Some(error) = &not_handed_over {
        session
            .log
            .info(|| format!("the certificate of others is not taken: {error}"));
    }
    let cluster_id = plan.cluster_id.clone();
    let doing = || {
        format!(
            "failed to get a client certificate for cluster `{}`",
            name_of(host, &cluster_id)
        )
    };
    let requester = if plan.is_refresh_forced {
        Requester::Person
    } else {
        Requester::Client
    };

    let resolved = ResolvedContext::new(&session, identity, plan).map_err(|e| e.doing(doing()))?;
    let request = resolved.request(requester);
    whose::check_offline(&session, &request).map_err(|e| e.doing(doing()))?;
    let certificates = Certificates::of(&session, &request);
    if args.renew {
        certificates.tend();
        return Ok(());
    }
    let obtain = || match requester {
        Requester::Person => certificates.new_now(),
        Requester::Client => certificates.for_client(command_line),
    };
    let obtained = if resolved.plan.is_patient {
        session.until_not_throttled(obtain)
    } else {
        obtain()
    };
    let obtained = obtained.map_err(|e| e.doing(doing()))?;
    complete::complete(&session, &request, &obtained)?;
    if session.is_interactive {
        certificates.warn_in_last_minutes(&obtained);
    }
    print(host, &resolved.plan, &obtained.entry, certificates.ask_again(&obtained))
}

/// What the kubeconfig that is at hand calls the cluster, for people; else its id.
fn name_of(host: &Host, cluster_id: &ClusterId) -> String {
    let named = contexts::load(host, None).ok().and_then(|kubeconfig| {
        let ours = kubeconfig.ours();
        let of_cluster = |ours: &&OurContext<'_>| kubeconfig::cluster_id(&ours.args) == Some(cluster_id.as_str());
        Some(ours.iter().find(of_cluster)?.cluster_name?.to_owned())
    });
    named.map_or_else(|| cluster_id.to_string(), |name| sanitize(&name))
}

/// The certificate that somebody else keeps.
fn handed_over(plan: &GetCredentialPlan, host: &Host) -> std::result::Result<CacheEntry, HandedOverError> {
    let directory = plan.certificate.cache_from.as_deref().unwrap_or(Path::new("."));
    let path = handed_over::file(directory, &plan.cluster_id);
    match host.env.read_file(&path, Input::Certificates) {
        Ok(text) => handed_over::from_text(&Secret::new(text), &path, &plan.cluster_id, host.clock.now()),
        Err(source) => Err(HandedOverError::Unreadable { path, source }),
    }
}

fn print(host: &Host, plan: &GetCredentialPlan, entry: &CacheEntry, ask_again: DateTime<Utc>) -> Result<()> {
    let key = if plan.is_key_redacted {
        host.say("the private key is not shown on a terminal; `--show-key` shows it");
        KeyDisplay::Redacted
    } else {
        KeyDisplay::Shown
    };
    output::print(host, &exec_credential(plan.api_version, &entry.cert, ask_again, key))
}
