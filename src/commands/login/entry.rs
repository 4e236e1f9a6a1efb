//! The kubeconfig entries of a login, and which of them may be written.

use crate::commands::login::failures::LoginFailures;
use crate::commands::login::names;
use crate::commands::login::prepare::PreparedCluster;
use crate::commands::login::setup::LoginRun;
use crate::contexts::exec_arguments;
use crate::host::programs::{self, COMMAND};
use crate::ids::PrincipalId;
use crate::kubeconfig::{ClusterEntry, Current, ExecEntry, Kind, KubeconfigError, Login};
use crate::plan::CurrentContext;
use crate::sign_in::subject;
use std::collections::{HashMap, HashSet};

/// The entries of each cluster. Those that are somebody else's, or another cluster's of this run, are left out, with their cluster.
pub(super) fn logins<'a>(
    run: &LoginRun<'_>,
    prepared: Vec<PreparedCluster<'a>>,
    failures: &mut LoginFailures,
) -> (Vec<PreparedCluster<'a>>, Vec<Login>) {
    let principal = principal(run, &prepared);
    let logins: Vec<Login> = prepared
        .iter()
        .map(|prepared| login(run, prepared, principal.clone()))
        .collect();
    let mut refused: HashMap<usize, KubeconfigError> = run.kubeconfig.refusals(&logins).into_iter().collect();
    let mut users = HashSet::new();
    let (mut kept, mut allowed) = (Vec::with_capacity(logins.len()), Vec::with_capacity(logins.len()));
    for (at, (prepared, login)) in prepared.into_iter().zip(logins).enumerate() {
        let error = refused.remove(&at).or_else(|| {
            let is_double = !users.insert(login.user_name.clone());
            is_double.then(|| KubeconfigError::Contradiction {
                kind: Kind::User,
                name: login.user_name.clone(),
            })
        });
        match error {
            None => {
                kept.push(prepared);
                allowed.push(login);
            }
            Some(error) => failures.clusters.add_named(error.into()), // it names the entry
        }
    }
    choose_current(run, &kept, &mut allowed);
    (kept, allowed)
}

/// Who we are to all clusters of the run, as the certificates that there are say.
fn principal(run: &LoginRun<'_>, prepared: &[PreparedCluster<'_>]) -> Option<PrincipalId> {
    let checked = prepared.iter().find_map(|prepared| prepared.checked.as_ref());
    let name = checked.map(|checked| checked.obtained.entry.cert.common_name.as_str());
    subject::principal(run.session, run.identity, name)
}

/// Only one can become the current one: the first that answers, else the first.
fn choose_current(run: &LoginRun<'_>, prepared: &[PreparedCluster<'_>], logins: &mut [Login]) {
    let chosen = prepared.iter().position(PreparedCluster::answers).unwrap_or_default();
    let wanted = match run.plan.current_context {
        CurrentContext::IfNone => Current::IfNone,
        CurrentContext::Set => Current::Set,
        CurrentContext::Keep => Current::Keep,
    };
    if let Some(login) = logins.get_mut(chosen) {
        login.current = wanted;
    }
}

/// The three entries, as they are to be.
fn login(run: &LoginRun<'_>, prepared: &PreparedCluster<'_>, principal: Option<PrincipalId>) -> Login {
    let (setup, server) = (&prepared.setup, &prepared.server);
    let (plan, existing, host) = (run.plan, setup.existing, run.session.host);
    let is_unverified = setup.is_unverified();
    let api_version = plan
        .exec_api_version
        .or_else(|| existing?.api_version)
        .unwrap_or_else(|| run.exec_api_version());
    let command = match existing {
        _ if plan.is_path_absolute => {
            programs::stable_path(host).map_or_else(|| COMMAND.to_owned(), |path| path.display().to_string())
        }
        Some(existing) => existing.command.clone(),
        None => COMMAND.to_owned(),
    };
    Login {
        context_name: setup.context_name.clone(),
        cluster: ClusterEntry {
            server: server.url.clone(),
            certificate_authority_data: server.ca_pem.clone().filter(|_| !is_unverified),
            tls_server_name: server.tls_server_name.clone(),
            proxy_url: plan.proxy_url.clone().or_else(|| existing?.proxy_url.clone()),
            insecure_skip_tls_verify: is_unverified,
        },
        exec: ExecEntry {
            api_version: api_version.full_name().to_owned(),
            command,
            args: exec_arguments::arguments(&exec_arguments::Arguments {
                target: &setup.reference,
                identity: run.identity,
                cloud: &plan.search.cloud,
                certificate: setup.certificate.clone(),
                principal: principal.or_else(|| PrincipalId::parse(existing?.args.principal.as_deref()?).ok()),
                is_lifetime_strict: existing.is_some_and(|existing| existing.args.strict_duration),
            }),
            install_hint: exec_arguments::INSTALL_HINT.to_owned(),
        },
        namespace: None,
        current: Current::Keep,
        cluster_name: setup.cluster_name.clone(),
        user_name: names::user(run.identity, setup.located),
    }
}
