//! What a person at the terminal is asked about the clusters: region, project, cluster, each only where it is missing.

use crate::discovery::search::{LocatedCluster, Location, Search};
use crate::error::{Error, Exit, Result};
use crate::host::Progress;
use crate::huaweicloud::cce::cluster::{Access, Cluster};
use crate::huaweicloud::cloud::Cloud;
use crate::huaweicloud::iam::{IamError, Project};
use crate::identity::Identity;
use crate::ids::Region;
use crate::output;
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
    let is_project_open = search.project.is_none() && names.is_empty() && search.regions.len() < 2;
    if !session.is_interactive || !(search.regions.is_empty() || is_project_open) {
        return Ok(answers);
    }
    let locations = match locations(session, search, identity) {
        // Nothing says which cloud it is, and the one that was asked does not know this identity: the region tells.
        Err(error) if error.exit() == Exit::Identity && search.is_cloud_open() => {
            session.log.info(|| format!("{error}: asking for the region"));
            let region = known_region(session)?;
            answers.region = Some(region.clone());
            let search = SearchPlan {
                regions: vec![region],
                ..search.clone()
            };
            locations(session, &search, identity)?
        }
        locations => locations?,
    };
    let region = match (&answers.region, search.regions.as_slice()) {
        (Some(region), _) | (None, [region, ..]) => region.clone(),
        (None, []) => {
            let region = region(session, &locations)?;
            answers.region = Some(region.clone());
            region
        }
    };
    if is_project_open {
        let here = locations.iter().filter(|location| location.region == region);
        let projects = here.map(|location| &location.project).collect();
        answers.project = project(session, &region, projects)?;
    }
    Ok(answers)
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

/// One of the regions of all clouds that are known.
pub(super) fn known_region(session: &Session<'_>) -> Result<Region> {
    let mut regions: Vec<Region> = Cloud::known_regions().collect();
    let row = |region: &Region| format!("{:<16}{}", region.as_str(), Cloud::of_region(region).name());
    let rows: Vec<String> = regions.iter().map(row).collect();
    let at = session.host.pick("Region", &rows)?;
    Ok(regions.swap_remove(at.min(rows.len().saturating_sub(1))))
}

fn region(session: &Session<'_>, locations: &[Location]) -> Result<Region> {
    let mut regions: Vec<&Region> = locations.iter().map(|location| &location.region).collect();
    regions.sort();
    regions.dedup();
    let at = match regions.len() {
        0 | 1 => 0,
        _ => {
            let row = |region: &&Region| {
                let count = locations.iter().filter(|location| location.region == **region).count();
                let projects = if count == 1 { "project" } else { "projects" };
                format!("{:<16}{count} {projects}", region.as_str())
            };
            let rows: Vec<String> = regions.iter().map(row).collect();
            session.host.pick("Region", &rows)?
        }
    };
    let region = regions.get(at).copied().cloned();
    region.ok_or_else(|| {
        Error::from(IamError::NoProject {
            name: "any region".to_owned(),
        })
    })
}

/// The project, the region's main one first. `None`: the main one.
fn project(session: &Session<'_>, region: &Region, mut projects: Vec<&Project>) -> Result<Option<ProjectChoice>> {
    if projects.len() < 2 {
        return Ok(projects.first().map(|project| ProjectChoice::Id(project.id.clone())));
    }
    projects.sort_by_key(|project| (project.name != region.as_str(), project.name.clone()));
    let rows: Vec<String> = projects.iter().map(|project| sanitize(&project.name)).collect();
    let at = session.host.pick("Project", &rows)?;
    Ok(projects.get(at).map(|project| ProjectChoice::Id(project.id.clone())))
}

/// One of the clusters, or all of them. The only one is taken as it is.
pub(super) fn clusters(session: &Session<'_>, mut listed: Vec<LocatedCluster>) -> Result<Vec<LocatedCluster>> {
    if listed.len() < 2 {
        return Ok(listed);
    }
    listed.sort_by_cached_key(|located| (located.cluster.name.clone(), located.location.project.name.clone()));
    let has_one_project = listed.windows(2).all(|pair| match pair {
        [a, b] => a.location.project.id == b.location.project.id,
        _ => true,
    });
    let cells: Vec<Vec<String>> = listed.iter().map(|located| row(located, has_one_project)).collect();
    let count = listed.len();
    let mut rows: Vec<String> = output::table(&cells).lines().map(str::to_owned).collect();
    rows.push(format!("all {count} of them"));
    let at = session.host.pick("Cluster", &rows)?;
    if at < count {
        return Ok(vec![listed.remove(at)]);
    }
    if session.host.confirm(&format!("Set up all {count} clusters?"))? {
        return Ok(listed);
    }
    Err(crate::host::Cancelled::Stop.into())
}

fn row(located: &LocatedCluster, has_one_project: bool) -> Vec<String> {
    let cluster = &located.cluster;
    let mut row = vec![
        sanitize(&cluster.name),
        sanitize(&cluster.version),
        sanitize(&cluster.phase),
        access(cluster).to_owned(),
    ];
    row.extend((!has_one_project).then(|| sanitize(&located.location.project.name)));
    row
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
