//! The clusters to set up: those that were named, or all that the search finds, each with its region and project.

use crate::account::project;
use crate::commands::login::questions;
use crate::discovery::search::Search;
use crate::discovery::select;
use crate::error::{Error, Result};
use crate::host::Progress;
use crate::host::parallel;
use crate::huaweicloud::cce::cluster::Cluster;
use crate::huaweicloud::cce::{CceClient, phase};
use crate::huaweicloud::iam::Project;
use crate::huaweicloud::iam::token_request::Scope;
use crate::identity::Identity;
use crate::ids::Region;
use crate::plan::{self, ClusterChoice, LoginPlan, ProjectChoice};
use crate::session::Session;
use crate::sign_in::explain::explain;
use crate::sign_in::{self, SignIn};
use std::collections::HashSet;

/// How many regions are asked at a time.
const BOUND: usize = 8;

/// A cluster and where it is.
pub(super) struct LocatedCluster {
    pub(super) region: Region,
    pub(super) project: Project,
    pub(super) cluster: Cluster,
}

/// What there is to set up.
pub(super) struct LocatedClusters {
    pub(super) found: Vec<LocatedCluster>,
    /// What could not be found, or is not ready: a cluster's or a region's name, and why.
    pub(super) failures: Vec<(String, Error)>,
}

/// The clusters that the plan means, in the order in which they were named; of a search by region, project and name.
pub(super) fn sites(session: &Session<'_>, plan: &LoginPlan, identity: &Identity) -> Result<LocatedClusters> {
    match &plan.clusters {
        ClusterChoice::All => all(session, plan, identity),
        ClusterChoice::Named(names) => named(session, plan, identity, names),
    }
}

fn all(session: &Session<'_>, plan: &LoginPlan, identity: &Identity) -> Result<LocatedClusters> {
    let found = {
        let _progress = Progress::spinner(session.host, "looking for clusters");
        Search::new(session, identity, &plan.search)?.clusters()?
    };
    let mut failures = Vec::new();
    for failure in found.failures {
        if !found.is_any_listed {
            return Err(failure.error);
        }
        let project = failure.project.map(|project| project.name);
        let region = failure.region.map(|region| region.to_string());
        failures.push((project.or(region).unwrap_or_default(), failure.error));
    }
    let mut sites: Vec<LocatedCluster> = Vec::with_capacity(found.clusters.len());
    for (place, cluster) in found.clusters {
        match phase::check(&cluster) {
            Ok(()) => sites.push(LocatedCluster {
                region: place.region,
                project: place.project,
                cluster,
            }),
            Err(error) => failures.push((cluster.name, error)),
        }
    }
    let order = |site: &LocatedCluster| {
        (
            site.region.clone(),
            site.project.name.clone(),
            site.cluster.name.clone(),
        )
    };
    sites.sort_by_cached_key(order);
    if sites.is_empty() && failures.is_empty() {
        return Err(select::nothing_found());
    }
    Ok(LocatedClusters { found: sites, failures })
}

fn named(session: &Session<'_>, plan: &LoginPlan, identity: &Identity, names: &[String]) -> Result<LocatedClusters> {
    if plan.regions.is_empty() {
        return Err(plan::missing_region().into());
    }
    let progress = Progress::spinner(session.host, "looking for clusters");
    let listed = parallel::map(&plan.regions, BOUND, |region| {
        let choice = plan.project.clone();
        let choice = choice.unwrap_or_else(|| ProjectChoice::Name(region.to_string()));
        let project = project_in(session, plan, identity, region, &choice)?;
        let clusters = clusters_of(session, plan, identity, region, &project, names)?;
        Ok((region.clone(), project, clusters))
    });
    drop(progress);
    let (mut listings, mut failures) = (Vec::new(), Vec::new());
    for (region, listing) in plan.regions.iter().zip(listed) {
        match listing {
            Ok(listing) => listings.push(listing),
            Err(error) if plan.regions.len() == 1 => return Err(error),
            Err(error) => failures.push((region.to_string(), error)),
        }
    }
    if names.is_empty() && session.is_interactive && listings.iter().any(|(_, _, clusters)| !clusters.is_empty()) {
        return asked(session, listings, failures);
    }
    let mut sites = Vec::new();
    let wanted: Vec<Option<&str>> = match names {
        [] => vec![None],
        names => names.iter().map(|name| Some(name.as_str())).collect(),
    };
    let is_single = wanted.len() == 1 && plan.regions.len() == 1;
    for wanted in wanted {
        // In every region that has one of this name; nowhere: what the first region says of it.
        let of_name = |(_, _, clusters): &&(Region, Project, Vec<Cluster>)| {
            wanted.is_some_and(|wanted| !select::called(clusters, wanted).is_empty())
        };
        let mut having: Vec<_> = listings.iter().filter(of_name).collect();
        if having.is_empty() {
            having.extend(listings.first());
        }
        for (region, project, clusters) in having {
            match select::choose(clusters, wanted, project) {
                Ok(cluster) => sites.push(LocatedCluster {
                    region: region.clone(),
                    project: project.clone(),
                    cluster,
                }),
                Err(error) if is_single || wanted.is_none() => return Err(error),
                Err(error) => failures.push((wanted.unwrap_or_default().to_owned(), error)),
            }
        }
    }
    Ok(LocatedClusters {
        found: without_doubles(sites),
        failures,
    })
}

/// What a person chooses among what is listed.
fn asked(
    session: &Session<'_>,
    listings: Vec<(Region, Project, Vec<Cluster>)>,
    mut failures: Vec<(String, Error)>,
) -> Result<LocatedClusters> {
    let mut listed = Vec::new();
    for (region, project, clusters) in listings {
        listed.extend(clusters.into_iter().map(|cluster| LocatedCluster {
            region: region.clone(),
            project: project.clone(),
            cluster,
        }));
    }
    let chosen = questions::clusters(session, without_doubles(listed))?;
    let is_single = chosen.len() == 1;
    let mut found = Vec::with_capacity(chosen.len());
    for site in chosen {
        match phase::check(&site.cluster) {
            Ok(()) => found.push(site),
            Err(error) if is_single => return Err(error),
            Err(error) => failures.push((site.cluster.name, error)),
        }
    }
    Ok(LocatedClusters { found, failures })
}

/// The same cluster may have been named twice, by name and by id.
fn without_doubles(mut sites: Vec<LocatedCluster>) -> Vec<LocatedCluster> {
    let mut seen = HashSet::new();
    sites.retain(|site| seen.insert((site.project.id.clone(), site.cluster.id.clone())));
    sites
}

fn project_in(
    session: &Session<'_>,
    plan: &LoginPlan,
    identity: &Identity,
    region: &Region,
    choice: &ProjectChoice,
) -> Result<Project> {
    let http = session.cloud_http(&plan.cloud)?;
    sign_in::with(
        session,
        &sign_in(plan, identity, region, Scope::Account),
        |credentials| {
            let api = session.api(&http, credentials, session.deadline);
            project::find(&api, &plan.cloud.iam(region), identity, choice)
        },
    )
    .map_err(|e| e.doing("failed to find the project"))
}

/// The project's clusters; the Autopilot ones only where they are needed to find one of `names`.
fn clusters_of(
    session: &Session<'_>,
    plan: &LoginPlan,
    identity: &Identity,
    region: &Region,
    project: &Project,
    names: &[String],
) -> Result<Vec<Cluster>> {
    let http = session.cloud_http(&plan.cloud)?;
    let endpoint = plan.cloud.cce(region);
    let scope = Scope::Project(project.id.clone());
    sign_in::with(session, &sign_in(plan, identity, region, scope), |credentials| {
        let cce = CceClient {
            api: &session.api(&http, credentials, session.deadline),
            endpoint: &endpoint,
            project: &project.id,
            is_autopilot: false,
        };
        let explained = |e| explain(e, identity);
        let mut clusters = cce.clusters().map_err(explained)?;
        if names.is_empty() || names.iter().any(|name| select::called(&clusters, name).is_empty()) {
            clusters.extend(cce.autopilot_clusters().map_err(explained)?);
        }
        Ok(clusters)
    })
    .map_err(|e| e.doing(format!("failed to list the clusters of project `{}`", project.name)))
}

fn sign_in<'a>(plan: &'a LoginPlan, identity: &'a Identity, region: &'a Region, scope: Scope) -> SignIn<'a> {
    SignIn {
        identity,
        cloud: &plan.cloud,
        region,
        scope,
        cache: plan.certificate.cache,
        may_ask: true,
    }
}
