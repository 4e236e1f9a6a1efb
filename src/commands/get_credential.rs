//! `get-credential`: what kubectl runs. Fingerprint, cache, and only then identity, CCE, cache; one document on stdout, at the end.

use super::obtain::{self, Caller, Wanted};
use super::report;
use super::session::Session;
use crate::cli::{GetCredentialArgs, GlobalArgs};
use crate::error::Result;
use crate::exec_credential::{ExecInfo, KeyDisplay, exec_credential};
use crate::host::{Directories, Host};
use crate::identity::Identity;
use crate::ids::ProjectId;
use crate::plan::{self, GetCredentialPlan, Target};

/// Prints an `ExecCredential`, or nothing and an error.
pub(super) fn run(args: &GetCredentialArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
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
    let target = Target {
        region: plan.region.clone(),
        project_id,
        cluster_id: plan.cluster_id.clone(),
        is_autopilot: plan.is_autopilot,
    };
    let wanted = Wanted {
        target: &target,
        identity: &identity,
        cloud: &plan.cloud,
        certificate: plan.certificate,
        is_lifetime_strict: plan.is_lifetime_strict,
        caller: if plan.is_refresh_forced {
            Caller::Person
        } else {
            Caller::Client
        },
    };
    let key = wanted.key();
    let store = session.store(plan.certificate.cache);
    let cache = session.cache(&store);
    let from_cache = if plan.is_refresh_forced {
        None
    } else {
        obtain::cached(&session, &cache, &key)
    };
    let obtained = match from_cache {
        Some(obtained) => obtained,
        None => obtain::fetch(&session, &cache, &key, &wanted).map_err(|e| e.doing(doing()))?,
    };

    let display = if plan.is_key_redacted {
        KeyDisplay::Redacted
    } else {
        KeyDisplay::Shown
    };
    if plan.is_key_redacted {
        host.say("the private key is not shown on a terminal; `--show-key` shows it");
    }
    let ask_again = obtain::ask_again(&obtained.entry, host.clock.now());
    report::print(
        host,
        &exec_credential(plan.api_version, &obtained.entry.cert, ask_again, display),
    )
}

/// The project's id: given, else remembered, else asked for at IAM.
fn project_id(session: &Session<'_>, plan: &GetCredentialPlan, identity: &Identity) -> Result<ProjectId> {
    match &plan.project_id {
        Some(id) => Ok(id.clone()),
        None => super::project::main_project_id(session, &plan.cloud, &plan.region, identity),
    }
}
