//! `get-credential`: what kubectl runs. From the cache while it is good; one document on stdout, at the end.

mod handed_over;

use crate::cache::entry::CacheEntry;
use crate::cli::{GetCredentialArgs, GlobalArgs};
use crate::config::Profile;
use crate::contexts::{self, ResolvedContext, complete};
use crate::credential::callers::hints;
use crate::credential::request::Requester;
use crate::credential::{Certificates, whose};
use crate::error::{Error, Result};
use crate::exec_credential::{ExecInfo, KeyDisplay, exec_credential};
use crate::host::{Directories, Host};
use crate::identity::Identity;
use crate::ids::ClusterId;
use crate::kubeconfig::{self, OurContext};
use crate::output;
use crate::plan::{self, GetCredentialPlan, PlanError};
use crate::sanitize::sanitize;
use crate::session::Session;
use chrono::{DateTime, Utc};
use std::ffi::OsString;

/// Prints an `ExecCredential`, or nothing and an error. `command_line` is what was typed.
pub(super) fn run(args: &GetCredentialArgs, global: &GlobalArgs, command_line: &[OsString], host: &Host) -> Result<()> {
    let answer = || {
        let call = ClientCall {
            args,
            global,
            host,
            exec_info: ExecInfo::from_env(&host.env)?,
        };
        call.answer(command_line)
    };
    answer().map_err(|error| hints::once_per_caller(host, error))
}

/// One call of a client, or of a person.
struct ClientCall<'a> {
    args: &'a GetCredentialArgs,
    global: &'a GlobalArgs,
    host: &'a Host,
    /// What the client has told us.
    exec_info: Option<ExecInfo>,
}

impl ClientCall<'_> {
    fn answer(&self, command_line: &[OsString]) -> Result<()> {
        let not_taken = match self.print_handed_over() {
            Some(Ok(())) => return Ok(()),
            Some(Err(error)) => Some(error),
            None => None,
        };
        let directories = Directories::of(&self.host.env);
        let (identity, not_taken) = self.identity(&directories, not_taken)?;
        let plan = self.plan(Some(identity.profile()))?;
        let session = Session::new(self.host, directories, plan.run, self.global.verbose).for_client();
        if let Some(error) = not_taken {
            let log = &session.log;
            log.info(|| format!("the certificate of others is not taken: {error}"));
        }
        let (host, cluster_id) = (self.host, plan.cluster_id.clone());
        let doing = |error: Error| {
            let name = name_of(host, &cluster_id);
            error.doing(format!("failed to get a client certificate for cluster `{name}`"))
        };

        let resolved = ResolvedContext::new(&session, identity, plan).map_err(doing)?;
        let request = resolved.request(requester(&resolved.plan));
        whose::check_offline(&session, &request).map_err(doing)?;
        let certificates = Certificates::of(&session, &request);
        if self.args.renew {
            certificates.tend();
            return Ok(());
        }
        let serve = || certificates.for_client(command_line);
        let served = session.patiently(resolved.plan.is_patient, serve).map_err(doing)?;
        complete::complete(&session, &request, &served.certificate)?;
        certificates.warn_in_last_minutes(&served.certificate);
        print(self.host, &resolved.plan, &served.certificate.entry, served.ask_again)
    }

    /// Prints the certificate that somebody else keeps; `None` where none is to be taken.
    fn print_handed_over(&self) -> Option<Result<()>> {
        if self.args.certificate.cache_from.is_none() || self.args.force_refresh {
            return None;
        }
        let print = || {
            let plan = self.plan(None)?;
            let (entry, ask_again) = handed_over::read(&plan, self.host)?;
            print(self.host, &plan, &entry, ask_again)
        };
        Some(print())
    }

    /// Whoever gets a certificate; and why that of somebody else is not taken.
    fn identity(&self, directories: &Directories, not_taken: Option<Error>) -> Result<(Identity, Option<Error>)> {
        let env = &self.host.env;
        let located = Identity::locate(&plan::pin(&self.args.identity, env)?, env, directories);
        match (located, not_taken) {
            // Nobody was needed: what is missing is the certificate that should be there.
            (Err(_), Some(not_taken)) => Err(not_taken),
            (located, not_taken) => Ok((located?, not_taken)),
        }
    }

    fn plan(&self, profile: Option<&Profile>) -> std::result::Result<GetCredentialPlan, PlanError> {
        let (host, exec_info) = (self.host, self.exec_info.as_ref());
        GetCredentialPlan::new(self.args, self.global, &host.env, profile, host.terminal, exec_info)
    }
}

fn requester(plan: &GetCredentialPlan) -> Requester {
    if plan.is_refresh_forced {
        Requester::Person
    } else {
        Requester::Client
    }
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

fn print(host: &Host, plan: &GetCredentialPlan, entry: &CacheEntry, ask_again: DateTime<Utc>) -> Result<()> {
    let key = if plan.is_key_redacted {
        host.say("the private key is not shown on a terminal; `--show-key` shows it");
        KeyDisplay::Redacted
    } else {
        KeyDisplay::Shown
    };
    output::print(host, &exec_credential(plan.api_version, &entry.cert, ask_again, key))
}
