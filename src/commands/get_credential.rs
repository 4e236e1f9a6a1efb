//! `get-credential`: what kubectl runs. Fingerprint, cache, and only then identity, CCE, cache; one document on stdout, at the end.

use crate::cache::freshness::Schedule;
use crate::cache::{CacheKey, failure};
use crate::cli::{GetCredentialArgs, GlobalArgs};
use crate::contexts::complete;
use crate::credential::fetch::{self, CachePolicy, FetchRequest};
use crate::credential::{self, CertificateRequest, ObtainedCertificate, Requester, renew};
use crate::error::Result;
use crate::exec_credential::{ClusterInfo, ExecInfo, KeyDisplay, exec_credential};
use crate::host::{Directories, Host};
use crate::identity::Identity;
use crate::ids::ProjectId;
use crate::lifetime::span;
use crate::output;
use crate::plan::{self, ClusterRef, GetCredentialPlan};
use crate::session::Session;
use chrono::TimeDelta;
use std::ffi::OsString;

/// With less than this left, a person at a terminal is told that the renewal does not succeed.
const LAST_MINUTES: TimeDelta = TimeDelta::minutes(5);

/// Prints an `ExecCredential`, or nothing and an error. `typed` is the command line.
pub(super) fn run(args: &GetCredentialArgs, global: &GlobalArgs, typed: &[OsString], host: &Host) -> Result<()> {
    let exec_info = ExecInfo::from_env(&host.env)?;
    let directories = Directories::of(&host.env);
    let identity = Identity::locate(&plan::pin(&args.identity, &host.env)?, &host.env, &directories)?;
    let plan = GetCredentialPlan::new(
        args,
        global,
        &host.env,
        identity.profile(),
        host.terminal,
        exec_info.as_ref(),
    )?;
    let session = Session::new(host, directories, plan.run, global.verbose);
    let doing = || format!("failed to get a client certificate for cluster `{}`", plan.cluster_id);

    let project_id = project_id(&session, &plan, &identity).map_err(|e| e.doing(doing()))?;
    let target = ClusterRef {
        region: plan.region.clone(),
        project_id,
        cluster_id: plan.cluster_id.clone(),
        is_autopilot: plan.is_autopilot,
    };
    let wanted = CertificateRequest {
        target: &target,
        identity: &identity,
        cloud: &plan.cloud,
        certificate: plan.certificate,
        is_lifetime_strict: plan.is_lifetime_strict,
        asker: if plan.is_refresh_forced {
            Requester::Person
        } else {
            Requester::Client
        },
    };
    let store = session.store(plan.certificate.cache);
    let cache = session.cache(&store);
    let key = wanted.key();
    let errand = |need| FetchRequest {
        key: &key,
        wanted: &wanted,
        need,
        held: None,
        deadline: session.deadline,
    };
    if args.renew {
        renew::renew(&session, &cache, &errand(CachePolicy::Fresh));
        return Ok(());
    }
    let obtained = if plan.is_refresh_forced {
        fetch::fetch(&session, &cache, &errand(CachePolicy::Newer))
    } else {
        credential::for_client(&session, &cache, &wanted, typed)
    };
    let obtained = obtained.map_err(|e| e.doing(doing()))?;
    if let Some(cluster) = ClusterInfo::without_ca(&host.env) {
        complete::complete(&session, &wanted, &obtained, &cluster)?;
    }
    if plan.run.is_interactive {
        warn_in_last_minutes(&session, &key, &obtained);
    }

    let display = if plan.is_key_redacted {
        KeyDisplay::Redacted
    } else {
        KeyDisplay::Shown
    };
    if plan.is_key_redacted {
        host.say("the private key is not shown on a terminal; `--show-key` shows it");
    }
    let ask_again = Schedule::of(&obtained.entry, &host.clock).ask_again(host.clock.now());
    output::print(
        host,
        &exec_credential(plan.api_version, &obtained.entry.cert, ask_again, display),
    )
}

/// Everything is well as long as the certificate lasts; whoever looks on should know that it does not last long.
fn warn_in_last_minutes(session: &Session<'_>, key: &CacheKey, obtained: &ObtainedCertificate) {
    let left = obtained.entry.ends_at(&session.host.clock) - session.host.clock.now();
    if obtained.is_fetched || left >= LAST_MINUTES {
        return;
    }
    if let Some(failure) = failure::read(&session.directories, key) {
        let message = failure.message();
        let left = span(left);
        session.host.say(&format!(
            "kubectl cce-login: warning: the certificate ends in {left} and is not renewed: {message}"
        ));
    }
}

/// The project's id: given, else remembered, else asked for at IAM.
fn project_id(session: &Session<'_>, plan: &GetCredentialPlan, identity: &Identity) -> Result<ProjectId> {
    match &plan.project_id {
        Some(id) => Ok(id.clone()),
        None => crate::account::project::main_project_id(
            session,
            &plan.cloud,
            &plan.region,
            identity,
            plan.certificate.cache,
        ),
    }
}
