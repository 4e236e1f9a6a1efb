//! What a person at the terminal is asked about the clusters: region, project, cluster, each only where it is missing.

use crate::commands::login::clusters::LocatedCluster;
use crate::discovery::search::{Location, Search};
use crate::error::{Error, Exit, Result};
use crate::host::Progress;
use crate::huaweicloud::cce::cluster::{Access, Cluster};
use crate::huaweicloud::cloud::Cloud;
use crate::huaweicloud::iam::{IamError, Project};
use crate::identity::Identity;
use crate::ids::Region;
use crate::output;
use crate::plan::{ClusterChoice, LoginPlan, ProjectChoice, SearchPlan};
use crate::sanitize::sanitize;
use crate::session::Session;

/// Fills in region and project; what is the only one is not asked for.
pub(super) fn complete(session: &Session<'_>, plan: &mut LoginPlan, identity: &Identity) -> Result<()> {
    let ClusterChoice::Named(names) = &plan.clusters else {
        return Ok(());
    };
    let is_cluster_open = names.is_empty();
    let is_project_open = plan.project.is_none() && is_cluster_open && plan.regions.len() < 2;
    if !session.is_interactive || !(plan.regions.is_empty() || is_project_open) {
        return Ok(());
    }
    let places = match places(session, plan, identity) {
        // Nothing says which cloud it is, and the one that was asked does not know this identity: the region tells.
        Err(error) if error.exit() == Exit::Identity && is_cloud_open(plan) => {
            session.log.info(|| format!("{error}: asking for the region"));
            plan.regions = vec![known_region(session)?];
            places(session, plan, identity)?
        }
        places => places?,
    };
    if plan.regions.is_empty() {
        plan.regions = vec![region(session, &places)?];
    }
    if is_project_open && let [region] = plan.regions.as_slice() {
        let projects: Vec<&Project> = places
            .iter()
            .filter(|place| place.region == *region)
            .map(|place| &place.project)
            .collect();
        plan.project = project(session, region, projects)?;
    }
    Ok(())
}

fn is_cloud_open(plan: &LoginPlan) -> bool {
    let cloud = &plan.cloud;
    plan.regions.is_empty() && plan.search.home.is_none() && cloud.cloud.is_none() && cloud.iam_endpoint.is_none()
}

/// The projects of the regions, or of all; at least one.
fn places(session: &Session<'_>, plan: &LoginPlan, identity: &Identity) -> Result<Vec<Location>> {
    let search = SearchPlan {
        regions: plan.regions.clone(),
        ..plan.search.clone()
    };
    let _progress = Progress::spinner(session.host, "looking for your projects");
    let (places, failures) = Search::new(session, identity, &search)?.places()?;
    match failures.into_iter().next() {
        Some(failure) if places.is_empty() => Err(failure.error),
        _ => Ok(places),
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

fn region(session: &Session<'_>, places: &[Location]) -> Result<Region> {
    let mut regions: Vec<&Region> = places.iter().map(|place| &place.region).collect();
    regions.sort();
    regions.dedup();
    let at = match regions.len() {
        0 | 1 => 0,
        _ => {
            let row = |region: &&Region| {
                let count = places.iter().filter(|place| place.region == **region).count();
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
pub(super) fn clusters(session: &Session<'_>, mut sites: Vec<LocatedCluster>) -> Result<Vec<LocatedCluster>> {
    if sites.len() < 2 {
        return Ok(sites);
    }
    sites.sort_by_cached_key(|site| (site.cluster.name.clone(), site.project.name.clone()));
    let has_one_project = sites.windows(2).all(|pair| match pair {
        [a, b] => a.project.id == b.project.id,
        _ => true,
    });
    let cells: Vec<Vec<String>> = sites.iter().map(|site| row(site, has_one_project)).collect();
    let count = sites.len();
    let mut rows: Vec<String> = output::table(&cells).lines().map(str::to_owned).collect();
    rows.push(format!("all {count} of them"));
    let at = session.host.pick("Cluster", &rows)?;
    if at < count {
        return Ok(vec![sites.remove(at)]);
    }
    if session.host.confirm(&format!("Set up all {count} clusters?"))? {
        return Ok(sites);
    }
    Err(crate::host::Cancelled.into())
}

fn row(site: &LocatedCluster, has_one_project: bool) -> Vec<String> {
    let cluster = &site.cluster;
    let mut row = vec![
        sanitize(&cluster.name),
        sanitize(&cluster.version),
        sanitize(&cluster.phase),
        access(cluster).to_owned(),
    ];
    row.extend((!has_one_project).then(|| sanitize(&site.project.name)));
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
