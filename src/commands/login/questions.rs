//! What a person at the terminal is asked about the clusters: region, project, cluster, each only where it is missing.

use crate::account::region;
use crate::discovery::search::{LocatedCluster, Location, Search};
use crate::error::{Error, Exit, Result};
use crate::host::{Cancelled, Progress};
use crate::huaweicloud::cce::cluster::{Access, Cluster};
use crate::huaweicloud::cloud::Cloud;
use crate::huaweicloud::iam::{IamError, Project};
use crate::identity::Identity;
use crate::ids::Region;
use crate::output;
use crate::output::natural_order::natural_order;
use crate::plan::{Answers, ClusterChoice, LoginPlan, ProjectChoice, SearchPlan};
use crate::sanitize::sanitize;
use crate::session::Session;

/// Asks for region and project where they are missing; what is the only one is not asked for.
pub(super) fn ask(session: &Session<'_>, plan: &LoginPlan, identity: &Identity) -> Result<Answers> {
    let mut answers = Answers::default();
    let ClusterChoice::Named(names) = &plan.clusters else {
        return Ok(answers);
    };
    let search = &plan.search;
    // Clusters that are named are looked for everywhere.
    let is_project_open = search.project.is_none() && search.regions.len() < 2;
    if !session.is_interactive || !names.is_empty() || !(search.regions.is_empty() || is_project_open) {
        return Ok(answers);
    }
    let locations = match locations(session, search, identity) {
        // Nothing says which cloud it is, and the one that was asked does not know this identity: the region tells.
        Err(error) if error.exit() == Exit::Identity && search.is_cloud_open() => {
            session.log.info(|| format!("{error}: asking for the region"));
            let region = region::ask(session)?;
            answers.region = Some(region.clone());
            let search = SearchPlan {
                regions: vec![region],
                ..search.clone()
            };
            locations(session, &search, identity)?
        }
        locations => locations?,
    };
    let known = answers.region.clone().or_else(|| search.regions.first().cloned());
    loop {
        let region = match &known {
            Some(region) => region.clone(),
            None => region_of(session, &locations)?,
        };
        if known.is_none() {
            answers.region = Some(region.clone());
        }
        if is_project_open {
            let here = locations.iter().filter(|location| location.region == region);
            let projects = here.map(|location| &location.project).collect();
            match project(session, &region, projects) {
                Err(error) if error.is_step_back() && known.is_none() && has_several_regions(&locations) => continue,
                project => answers.project = project?,
            }
        }
        return Ok(answers);
    }
}

/// The region was a question.
fn has_several_regions(locations: &[Location]) -> bool {
    locations.windows(2).any(|pair| match pair {
        [a, b] => a.region != b.region,
        _ => false,
    })
}

/// Something was asked that can be asked again.
pub(super) fn is_any_open(session: &Session<'_>, plan: &LoginPlan) -> bool {
    let ClusterChoice::Named(names) = &plan.clusters else {
        return false;
    };
    session.is_interactive && names.is_empty() && (plan.search.regions.is_empty() || plan.search.project.is_none())
}

/// The projects of the regions, or of all; at least one.
fn locations(session: &Session<'_>, search: &SearchPlan, identity: &Identity) -> Result<Vec<Location>> {
    let _progress = Progress::spinner(session.host, "looking for your projects");
    let (locations, failures) = Search::new(session, identity, search)?.locations()?;
    match failures.into_iter().next() {
        Some(failure) if locations.is_empty() => Err(failure.error),
        _ => Ok(locations),
    }
}

fn region_of(session: &Session<'_>, locations: &[Location]) -> Result<Region> {
    let mut regions: Vec<&Region> = locations.iter().map(|location| &location.region).collect();
    regions.sort();
    regions.dedup();
    let at = match regions.len() {
        0 | 1 => 0,
        _ => {
            let cells = regions.iter().map(|region| {
                let count = locations.iter().filter(|location| location.region == **region).count();
                let projects = if count == 1 { "project" } else { "projects" };
                let place = Cloud::place_of(region).to_owned();
                vec![region.to_string(), format!("{count} {projects}"), place]
            });
            session
                .host
                .pick("Region", &output::table_rows(&cells.collect::<Vec<_>>()))?
        }
    };
    let region = regions.get(at).copied().cloned();
    region.ok_or_else(|| Error::from(IamError::no_project("any region", [])))
}

/// The project, the region's main one first. `None`: the main one.
fn project(session: &Session<'_>, region: &Region, mut projects: Vec<&Project>) -> Result<Option<ProjectChoice>> {
    if projects.len() < 2 {
        return Ok(projects.first().map(|project| ProjectChoice::Id(project.id.clone())));
    }
    projects.sort_by(|a, b| natural_order(&a.name, &b.name));
    projects.sort_by_key(|project| project.name != region.as_str()); // stable
    let rows: Vec<String> = projects.iter().map(|project| sanitize(&project.name)).collect();
    let at = session.host.pick("Project", &rows)?;
    Ok(projects.get(at).map(|project| ProjectChoice::Id(project.id.clone())))
}

/// One of the clusters, several or all of them. The only one is taken as it is.
pub(super) fn clusters(session: &Session<'_>, mut listed: Vec<LocatedCluster>) -> Result<Vec<LocatedCluster>> {
    if listed.len() < 2 {
        return Ok(listed);
    }
    listed.sort_by(|a, b| {
        let by_name = natural_order(&a.cluster.name, &b.cluster.name);
        by_name.then_with(|| natural_order(&a.location.project.name, &b.location.project.name))
    });
    let has_one_project = listed.windows(2).all(|pair| match pair {
        [a, b] => a.location.project.id == b.location.project.id,
        _ => true,
    });
    let cells: Vec<Vec<String>> = listed.iter().map(|located| row(located, has_one_project)).collect();
    let count = listed.len();
    let mut rows = output::table_rows(&cells);
    rows.push(format!("all {count} of them"));
    loop {
        let chosen = session.host.pick_several("Cluster", &rows)?;
        if !chosen.contains(&count) {
            let mut at = 0..;
            listed.retain(|_| at.next().is_some_and(|at| chosen.contains(&at)));
            return Ok(listed);
        }
        match session.host.confirm(&format!("Set up all {count} clusters?")) {
            Ok(true) => return Ok(listed),
            Err(Cancelled::Back) => {}
            Ok(false) | Err(Cancelled::Stop) => return Err(Cancelled::Stop.into()),
        }
    }
}

fn row(located: &LocatedCluster, has_one_project: bool) -> Vec<String> {
    let cluster = &located.cluster;
    let mut row = vec![
        name(cluster),
        sanitize(&cluster.version),
        sanitize(&cluster.phase),
        access(cluster).to_owned(),
    ];
    row.extend((!has_one_project).then(|| sanitize(&located.location.project.name)));
    row
}

/// The name, and the one that people gave it in the console.
fn name(cluster: &Cluster) -> String {
    match &cluster.alias {
        Some(alias) if *alias != cluster.name => format!("{} ({})", cluster.name, sanitize(alias)),
        _ => cluster.name.clone(),
    }
}

fn access(cluster: &Cluster) -> &'static str {
    let has = |access| cluster.endpoints_for(access).next().is_some();
    match (has(Access::Internal), has(Access::External)) {
        (true, true) => "internal, external",
        (true, false) => "internal",
        (false, true) => "external",
        (false, false) => "no endpoint",
    }
}
