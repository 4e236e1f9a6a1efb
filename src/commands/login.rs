//! `login`: who you are, which clusters, certificates, kubeconfig entries, a check. Ends with the command to try.

mod checked;
mod clusters;
mod entry;
mod failures;
mod identity;
mod names;
mod prepare;
mod questions;
mod rest;
mod server_entry;
mod setup;
mod summary;

use crate::account::user_name;
use crate::cli::{GlobalArgs, LoginArgs};
use crate::error::{Error, Exit, Explain, Result};
use crate::host::{Directories, Host, Progress, parallel};
use crate::huaweicloud::observed;
use crate::kubeconfig::Kubeconfig;
use crate::plan::{Destination, LoginPlan, RunSettings, ServerChoice};
use crate::sanitize::sanitize;
use crate::session::Session;
use crate::sign_in::SignIn;
use crate::{contexts, output};
use checked::CheckedCluster;
use clusters::FoundClusters;
use failures::LoginFailures;
use identity::LoginIdentity;
use prepare::PreparedCluster;
use setup::{ClusterSetup, LoginRun};
use std::collections::BTreeSet;
use summary::usable::{self, Usability};

/// How many API servers are asked at a time.
const BOUND: usize = 8;

/// Sets clusters up.
pub(super) fn run(args: &LoginArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let run = RunSettings::new(global, &host.env, host.terminal)?;
    let session = Session::new(host, Directories::of(&host.env), run, global.verbose);
    if session.is_interactive {
        // Nobody is asked anything that leads to an error which is there already.
        load_kubeconfig(&LoginPlan::new(args, global, &host.env, None, host.terminal)?, host)?;
    }
    let (identity, (plan, kubeconfig, found)) = loop {
        let identity = LoginIdentity::find(&session, args)?;
        let prepared =
            look_around(&session, args, global, &identity).inspect_err(|error| identity.forget(&session, error));
        match prepared {
            Err(error) if error.is_step_back() && identity.is_chosen => {}
            prepared => break (identity, prepared?),
        }
    };
    let session = if plan.is_waiting {
        let run = RunSettings::for_certificates(found.count(), global, &host.env, host.terminal)?;
        Session::new(host, Directories::of(&host.env), run, global.verbose)
    } else {
        session
    };
    set_up(
        &LoginRun::new(&session, args, global, &plan, &identity.identity, &kubeconfig),
        found,
    )
}

/// What is to be set up. Nothing has been written until here but the identity that was typed, and that only in the end.
fn look_around(
    session: &Session<'_>,
    args: &LoginArgs,
    global: &GlobalArgs,
    identity: &LoginIdentity,
) -> Result<(LoginPlan, Kubeconfig, FoundClusters)> {
    let host = session.host;
    let plan = LoginPlan::new(
        args,
        global,
        &host.env,
        Some(identity.identity.profile()),
        host.terminal,
    )?;
    let kubeconfig = load_kubeconfig(&plan, host)?;
    let (plan, mut found) = loop {
        let answers = questions::ask(session, &plan, &identity.identity)?;
        let answered = plan.clone().answered(answers);
        match clusters::find(session, &answered, &identity.identity) {
            Err(error) if error.is_step_back() && questions::is_any_open(session, &plan) => {}
            found => break (answered, found?),
        }
    };
    if found.clusters.is_empty() {
        let count = found.count();
        std::mem::replace(&mut found.failures, LoginFailures::none()).conclude(host, count)?;
    }
    if plan.destination != Destination::DryRun {
        identity.keep(session, &plan.search)?;
    }
    Ok((plan, kubeconfig, found))
}

/// A server of one's own cannot be that of several clusters.
#[derive(Debug, thiserror::Error)]
#[error("`--server` is one cluster's, and here are {0}")]
struct OneServer(usize);

impl Explain for OneServer {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("leave it out, or name one cluster with `--cluster`".to_owned())
    }
}

/// Sets the clusters up: one failure does not stop the rest.
fn set_up(run: &LoginRun<'_>, found: FoundClusters) -> Result<()> {
    let (host, count) = (run.session.host, found.count());
    let FoundClusters { clusters, mut failures } = found;
    if matches!(run.plan.server, ServerChoice::Url(_)) && count > 1 {
        return Err(OneServer(count).into());
    }
    let prepared = prepare::all(run, run.setups(&clusters)?, &mut failures)?;
    let (mut prepared, logins) = entry::logins(run, prepared, &mut failures);
    if logins.is_empty() {
        return failures.conclude(host, count);
    }
    let change = run.kubeconfig.upsert(&logins)?;
    match run.plan.destination {
        Destination::Print => output::print(host, &crate::kubeconfig::render(&logins))?,
        Destination::DryRun => output::print(host, &change.diff())?,
        Destination::Write => {
            change.write()?;
            note_endpoints(run, &prepared);
        }
    }
    if run.plan.destination == Destination::Write && run.plan.is_checked {
        check(run, count, &mut prepared, &mut failures);
        learn_name(run, &prepared);
        if count == 1 && !failures.is_empty() {
            return failures.conclude(host, count);
        }
    }
    let rest = rest::take(run, &logins, &mut failures)?;
    let usability = match run.plan.destination {
        Destination::Write => usable::check(run, &prepared, &logins)?,
        Destination::Print | Destination::DryRun => Usability::Usable,
    };
    summary::show(run, &prepared, &logins, &change, rest, &usability);
    if let (Usability::Unusable(refused), Some(login)) = (usability, usable::to_try(&logins)) {
        let doing = format!("context `{}` is written", sanitize(&login.context_name));
        failures.checks.add_named(Error::from(refused).doing(doing));
    }
    // Clusters may be in networks that this machine does not see. Where none answers, something is wrong.
    let is_any_reachable = prepared.iter().any(PreparedCluster::answers);
    for prepared in prepared
        .into_iter()
        .filter(|_| run.plan.is_checked && !is_any_reachable)
    {
        if let Some(error) = prepared.checked.and_then(CheckedCluster::into_unanswered) {
            let doing = of_cluster(
                count,
                &prepared.setup,
                "certificate and kubeconfig are ready, only the check failed",
            );
            failures.checks.add_named(error.doing(doing));
        }
    }
    failures.conclude(host, count)
}

/// kubectl may sign for the endpoints that this login has used.
fn note_endpoints(run: &LoginRun<'_>, prepared: &[PreparedCluster<'_>]) {
    let (cloud, directories) = (&run.plan.search.cloud, &run.session.directories);
    let regions: BTreeSet<_> = prepared
        .iter()
        .map(|prepared| &prepared.setup.reference.region)
        .collect();
    for endpoint in regions.iter().flat_map(|region| [cloud.cce(region), cloud.iam(region)]) {
        if !crate::identity::is_built_in(&endpoint) {
            observed::used_by_login(directories, &endpoint);
        }
    }
}

/// Asks the API servers of the clusters that have their certificate who we are.
fn check(run: &LoginRun<'_>, count: usize, prepared: &mut [PreparedCluster<'_>], failures: &mut LoginFailures) {
    let answers = {
        let _progress = Progress::spinner(run.session.host, "asking the API server who you are");
        parallel::map(prepared, BOUND, |prepared| {
            let checked = prepared.checked.as_ref();
            checked.map_or(Ok(None), |checked| checked.who_am_i(&prepared.setup))
        })
    };
    for (prepared, answer) in prepared.iter_mut().zip(answers) {
        match (answer, &mut prepared.checked) {
            (Ok(Some(known)), Some(checked)) => checked.is_known(known),
            (Ok(_), _) => {}
            (Err(error), _) => {
                let doing = of_cluster(
                    count,
                    &prepared.setup,
                    "the kubeconfig is written, only the check failed",
                );
                failures.checks.add_named(error.doing(doing));
            }
        }
    }
}

/// What the cloud calls the user that the certificates name by id.
fn learn_name(run: &LoginRun<'_>, prepared: &[PreparedCluster<'_>]) {
    let first = prepared
        .iter()
        .find_map(|prepared| Some((prepared, prepared.checked.as_ref()?)));
    if let Some((PreparedCluster { setup, .. }, checked)) = first {
        let sign_in = SignIn::new(
            run.identity,
            &run.plan.search.cloud,
            &setup.reference.region,
            setup.certificate.cache,
        );
        user_name::learn(run.session, &sign_in, &checked.obtained.entry.cert.common_name);
    }
}

/// Says of which cluster it is where that is not clear.
fn of_cluster(count: usize, setup: &ClusterSetup<'_>, what: &str) -> String {
    if count == 1 {
        what.to_owned()
    } else {
        format!("cluster `{}`: {what}", setup.name())
    }
}

fn load_kubeconfig(plan: &LoginPlan, host: &Host) -> Result<Kubeconfig> {
    if plan.destination == Destination::Print {
        return Ok(Kubeconfig::empty()); // complete by itself: no file is read or written
    }
    contexts::load_or_new(host, plan.kubeconfig.clone())
}
