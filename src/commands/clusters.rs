//! `clusters`: every cluster that this identity can reach, over regions and projects, side by side.
//!
//! What cannot be reached is told below, or a row with its error for programs; the run fails only if nothing could be asked.

mod rows;

use crate::cli::{ClustersArgs, GlobalArgs, SearchArgs};
use crate::discovery::search::{Location, Search};
use crate::discovery::select;
use crate::error::Result;
use crate::host::{Directories, Host, Progress};
use crate::identity::Identity;
use crate::output;
use crate::plan::{self, LoginPlan, SearchPlan};
use crate::session::Session;
use rows::ClusterRow;

/// Lists the clusters.
pub(super) fn run(args: &ClustersArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let format = plan::format(&args.output)?;
    let directories = Directories::of(&host.env);
    let identity = Identity::locate(&plan::pin(&args.search.identity, &host.env)?, &host.env, &directories)?;
    let plan = SearchPlan::new(&args.search, global, &host.env, Some(identity.profile()), host.terminal)?;
    let session = Session::new(host, directories, plan.run, global.verbose);
    let found = {
        let _progress = Progress::spinner(host, "looking for clusters");
        Search::new(&session, &identity, &plan)?.clusters()?
    };

    let places = [
        LoginPlan::place(&args.search, &host.env, Some(identity.profile()))?,
        LoginPlan::place(&SearchArgs::default(), &host.env, Some(identity.profile()))?,
    ];
    let is_where_login_looks = |location: &Location| places.iter().all(|place| location.is_at(place));
    let of_cluster = |located| {
        let own_name = select::own_name(located, &found.clusters, is_where_login_looks);
        ClusterRow::of_cluster(located, own_name)
    };
    let mut rows: Vec<ClusterRow> = found.clusters.iter().map(of_cluster).collect();
    rows.extend(found.failures.iter().map(ClusterRow::of_failure));
    rows.sort_by(ClusterRow::order);
    output::print(host, &rows::render(&rows, format))?;
    let end = found.failures.into_iter().next().filter(|_| !found.is_any_listed);
    let told = end.as_ref().map(|failure| failure.error.cause());
    rows::say_what_it_does_not_show(&rows, format, told.as_deref(), host);
    end.map_or(Ok(()), |failure| Err(failure.error))
}
