//! `clusters`: every cluster that this identity can reach, over regions and projects, side by side.
//!
//! What cannot be reached is a row with its error; the run fails only if nothing could be asked.

mod rows;

use crate::cli::{ClustersArgs, GlobalArgs};
use crate::discovery::search::Search;
use crate::error::Result;
use crate::host::{Directories, Host, Progress};
use crate::identity::Identity;
use crate::output::{self, Format};
use crate::plan::{self, SearchPlan};
use crate::session::Session;
use rows::ClusterRow;

/// Lists the clusters.
pub(super) fn run(args: &ClustersArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let format = Format::parse(&args.output)?;
    let directories = Directories::of(&host.env);
    let identity = Identity::locate(&plan::pin(&args.search.identity, &host.env)?, &host.env, &directories)?;
    let plan = SearchPlan::new(&args.search, global, &host.env, identity.profile(), host.terminal)?;
    let session = Session::new(host, directories, plan.run, global.verbose);
    let found = {
        let _progress = Progress::spinner(host, "looking for clusters");
        Search::new(&session, &identity, &plan)?.clusters()?
    };

    let mut rows: Vec<ClusterRow> = found.clusters.iter().map(ClusterRow::of_cluster).collect();
    rows.extend(found.failures.iter().map(ClusterRow::of_failure));
    rows.sort();
    output::print(host, &rows::render(&rows, format))?;
    rows::say_what_it_does_not_show(&rows, format, host);
    match found.failures.into_iter().next() {
        Some(first) if !found.is_any_listed => Err(first.error),
        _ => Ok(()),
    }
}
