//! `login`: who you are, which clusters, a certificate, kubeconfig entries, a check. Ends with the command to try.

mod choose_cluster;
mod entry;
mod find;
mod kubectl;
mod many;
mod ready;
mod setup;
mod summary;

use super::report;
use super::session::Session;
use crate::cli::{GlobalArgs, LoginArgs};
use crate::env_vars;
use crate::error::Result;
use crate::host::{Directories, Host};
use crate::identity::Identity;
use crate::kubeconfig::{Kubeconfig, Locations};
use crate::plan::{self, Destination, LoginPlan};
use find::Site;
use ready::Ready;
use setup::Ground;

/// Sets clusters up.
pub(super) fn run(args: &LoginArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let directories = Directories::of(&host.env);
    let identity = Identity::locate(&plan::pin(&args.identity, &host.env)?, &host.env, &directories)?;
    let plan = LoginPlan::new(args, global, &host.env, identity.profile(), host.terminal)?;
    let session = Session::new(host, directories, plan.run, global.verbose);
    let kubeconfig = load_kubeconfig(&plan, host)?;

    let sites = find::sites(&session, &plan, &identity)?;
    let ground = Ground::new(&session, args, &plan, &identity, &kubeconfig);
    match (sites.found.as_slice(), sites.failures.as_slice()) {
        ([site], []) => set_up(&ground, site),
        _ => many::set_up(&ground, &sites.found, sites.failures),
    }
}

/// Sets one cluster up.
fn set_up(ground: &Ground<'_>, site: &Site) -> Result<()> {
    let session = ground.session;
    let setup = ground.setup(site)?;
    let mut ready = Ready::new(session, &setup)?;
    let server = entry::Server::of(&ready);
    let name = entry::context_name(&setup, |name| {
        ground.kubeconfig.context_is_free_for(name, site.cluster.id.as_str())
    });
    let login = entry::login(ground, &setup, name, server);

    let change = ground.kubeconfig.upsert(std::slice::from_ref(&login))?;
    match ground.plan.destination {
        Destination::Print => report::print(session.host, &crate::kubeconfig::render(&[login]))?,
        Destination::DryRun => report::print(session.host, &change.diff())?,
        Destination::Write => {
            change.write()?;
            let user = ready.who_am_i(session, &setup)?;
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
    let list = host.env.var_os(env_vars::KUBECONFIG);
    let home = host.env.home();
    if plan.destination == Destination::Print {
        return Ok(Kubeconfig::empty()); // complete by itself: no file is read or written
    }
    let locations = Locations::new(plan.kubeconfig.clone(), list.as_deref(), home.as_deref())?;
    Ok(Kubeconfig::load(&locations)?)
}
