//! `login`: who you are, which clusters, a certificate, kubeconfig entries, a check. Ends with the command to try.

pub(crate) mod clusters;
mod entry;
pub(crate) mod identity;
mod many;
pub(crate) mod prepare;
pub(crate) mod questions;
mod setup;
mod summary;

use crate::cli::{GlobalArgs, LoginArgs};
use crate::error::Result;
use crate::host::{Directories, Host, Progress};
use crate::kubeconfig::Kubeconfig;
use crate::plan::{Destination, LoginPlan, RunSettings};
use crate::session::Session;
use crate::{contexts, output};
use clusters::{LocatedCluster, LocatedClusters};
use identity::LoginIdentity;
use prepare::PreparedCluster;
use setup::LoginRun;

/// Sets clusters up.
pub(super) fn run(args: &LoginArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let run = RunSettings::new(global, &host.env, host.terminal)?;
    let session = Session::new(host, Directories::of(&host.env), run, global.verbose);
    if session.is_interactive {
        // Nobody is asked anything that leads to an error which is there already.
        load_kubeconfig(&LoginPlan::new(args, global, &host.env, None, host.terminal)?, host)?;
    }
    let who = LoginIdentity::find(&session, args)?;
    let prepared = prepare(&session, args, global, &who);
    let (plan, kubeconfig, sites) = prepared.inspect_err(|_| who.forget(&session))?;
    let ground = LoginRun::new(&session, args, &plan, &who.identity, &kubeconfig);
    match (sites.found.as_slice(), sites.failures.as_slice()) {
        ([site], []) => set_up(&ground, site),
        _ => many::set_up(&ground, &sites.found, sites.failures),
    }
}

/// What is to be set up. Nothing has been written until here but the identity that was typed, and that only in the end.
fn prepare(
    session: &Session<'_>,
    args: &LoginArgs,
    global: &GlobalArgs,
    who: &LoginIdentity,
) -> Result<(LoginPlan, Kubeconfig, LocatedClusters)> {
    let host = session.host;
    let mut plan = LoginPlan::new(args, global, &host.env, who.identity.profile(), host.terminal)?;
    let kubeconfig = load_kubeconfig(&plan, host)?;
    questions::complete(session, &mut plan, &who.identity)?;
    let sites = clusters::sites(session, &plan, &who.identity)?;
    if plan.destination != Destination::DryRun {
        who.keep(session)?;
    }
    Ok((plan, kubeconfig, sites))
}

/// Sets one cluster up.
fn set_up(ground: &LoginRun<'_>, site: &LocatedCluster) -> Result<()> {
    let session = ground.session;
    let setup = ground.setup(site)?;
    let mut ready = {
        let _progress = Progress::spinner(session.host, "taking a certificate, and looking which server answers");
        PreparedCluster::new(session, &setup)?
    };
    let server = entry::ServerEntry::of(&ready);
    let name = entry::context_name(&setup, |name| {
        ground.kubeconfig.context_is_free_for(name, site.cluster.id.as_str())
    });
    let login = entry::login(ground, &setup, name, server);

    let change = ground.kubeconfig.upsert(std::slice::from_ref(&login))?;
    match ground.plan.destination {
        Destination::Print => output::print(session.host, &crate::kubeconfig::render(&[login]))?,
        Destination::DryRun => output::print(session.host, &change.diff())?,
        Destination::Write => {
            change.write()?;
            let user = {
                let _progress = Progress::spinner(session.host, "asking the API server who you are");
                ready.who_am_i(session, &setup)?
            };
            summary::show(
                ground,
                &setup,
                &summary::Outcome {
                    obtained: &ready.obtained,
                    user: user.as_deref(),
                    login: &login,
                    change: &change,
                },
            );
        }
    }
    ready.conclude(&setup)
}

fn load_kubeconfig(plan: &LoginPlan, host: &Host) -> Result<Kubeconfig> {
    if plan.destination == Destination::Print {
        return Ok(Kubeconfig::empty()); // complete by itself: no file is read or written
    }
    contexts::load(host, plan.kubeconfig.clone())
}
