//! The clusters that an identity can reach: one list, looked for over regions and projects, side by side.
//!
//! A project's clusters are in two lists, the ordinary and the Autopilot one. A cluster that both name stands here once, as what the
//! second list says it is, because its path at CCE follows from that.

use crate::account::project;
use crate::error::{Error, Exit, Result};
use crate::host::{Deadline, parallel};
use crate::http::Http;
use crate::huaweicloud::cce::CceClient;
use crate::huaweicloud::cce::cluster::Cluster;
use crate::huaweicloud::iam::{IamClient, IamError, Project};
use crate::identity::Identity;
use crate::ids::{Endpoint, Region};
use crate::plan::{ClusterRef, ProjectChoice, SearchPlan};
use crate::session::Session;
use crate::sign_in::SignIn;
use crate::sign_in::explain::explain;
use std::collections::BTreeSet;
use std::time::Duration;

/// How many requests are in flight at a time.
const BOUND: usize = 8;
/// The longest that one region or project may keep the others waiting.
const PATIENCE: Duration = Duration::from_secs(20);

/// A project in its region.
#[derive(Clone)]
pub(crate) struct Location {
    pub(crate) region: Region,
    pub(crate) project: Project,
}

impl Location {
    /// One of these regions (none: any), and this project of it (none: the main one, where there are regions).
    pub(crate) fn is_at(&self, (regions, project): &(Vec<Region>, Option<ProjectChoice>)) -> bool {
        let is_project = match project {
            Some(ProjectChoice::Name(name)) => self.project.name == *name,
            Some(ProjectChoice::Id(id)) => self.project.id == *id,
            None => regions.is_empty() || self.project.name == self.region.as_str(),
        };
        is_project && (regions.is_empty() || regions.contains(&self.region))
    }
}

/// A cluster and where it is.
#[derive(Clone)]
pub(crate) struct LocatedCluster {
    pub(crate) location: Location,
    pub(crate) cluster: Cluster,
}

impl LocatedCluster {
    /// The name that says where it is, as cluster entries have it: `prod.eu-de`.
    pub(crate) fn name_with_project(&self) -> String {
        format!("{}.{}", self.cluster.name, self.location.project.name)
    }

    /// The cluster, exactly.
    pub(crate) fn reference(&self) -> ClusterRef {
        ClusterRef {
            region: self.location.region.clone(),
            project_id: self.location.project.id.clone(),
            cluster_id: self.cluster.id.clone(),
            is_autopilot: self.cluster.is_autopilot(),
        }
    }
}

/// Where something could not be asked, and why.
pub(crate) struct SearchFailure {
    pub(crate) region: Option<Region>,
    pub(crate) project: Option<Project>,
    pub(crate) error: Error,
}

impl SearchFailure {
    /// The error, which says where.
    pub(crate) fn into_error(self) -> Error {
        match (self.project, self.region) {
            (Some(project), _) => self.error.doing(format!("failed to search project `{}`", project.name)),
            (None, Some(region)) => self.error.doing(format!("failed to search region `{region}`")),
            (None, None) => self.error,
        }
    }
}

/// An IAM, the region at which to sign in for it, and the one region that it is asked for.
struct IamQuery {
    endpoint: Endpoint,
    home: Region,
    region: Option<Region>,
}

/// What a search has found.
pub(crate) struct SearchResult {
    pub(crate) clusters: Vec<LocatedCluster>,
    /// Where it could not be asked.
    pub(crate) failures: Vec<SearchFailure>,
    /// There was an answer at all.
    pub(crate) is_any_listed: bool,
}

/// A search under way.
pub(crate) struct Search<'a> {
    session: &'a Session<'a>,
    identity: &'a Identity,
    plan: &'a SearchPlan,
    http: Http,
}

impl<'a> Search<'a> {
    pub(crate) fn new(session: &'a Session<'a>, identity: &'a Identity, plan: &'a SearchPlan) -> Result<Self> {
        Ok(Self {
            http: session.cloud_http(&plan.cloud)?,
            session,
            identity,
            plan,
        })
    }

    /// Asks everywhere.
    pub(crate) fn clusters(&self) -> Result<SearchResult> {
        let (locations, mut failures) = self.locations()?;
        let answers = parallel::map(&locations, BOUND, |location| self.clusters_of(location, |_| true));
        let is_any_listed = answers.iter().any(std::result::Result::is_ok);
        let mut clusters = Vec::new();
        for (location, answer) in locations.into_iter().zip(answers) {
            match answer {
                Ok(listed) => clusters.extend(listed),
                Err(error) => failures.push(SearchFailure {
                    region: Some(location.region),
                    project: Some(location.project),
                    error,
                }),
            }
        }
        Ok(SearchResult {
            clusters,
            failures,
            is_any_listed,
        })
    }

    /// Asks in one project of each of the plan's regions: the plan's, else the region's main one. The answers come in the order of the
    /// regions.
    pub(crate) fn clusters_of_projects(&self, names: &[String]) -> Vec<Result<(Location, Vec<LocatedCluster>)>> {
        parallel::map(&self.plan.regions, BOUND, |region| {
            let location = self.location_in(region)?;
            // The second list is asked only for what the first leaves open.
            let is_open = |listed: &[LocatedCluster]| {
                let is_known = |name: &String| {
                    let matching = matching(listed, name);
                    !matching.is_empty() && matching.iter().all(|found| found.cluster.is_told_by_flavor)
                };
                names.is_empty() || !names.iter().all(is_known)
            };
            let clusters = self.clusters_of(&location, is_open)?;
            Ok((location, clusters))
        })
    }

    fn location_in(&self, region: &Region) -> Result<Location> {
        let main = || ProjectChoice::Name(region.to_string());
        let choice = self.plan.project.clone().unwrap_or_else(main);
        let project = self.sign_in(region).with_credentials(self.session, |credentials| {
            let api = self.session.api(&self.http, credentials, self.session.deadline);
            project::find(&api, &self.plan.cloud.iam(region), self.identity, &choice)
        });
        Ok(Location {
            region: region.clone(),
            project: project.map_err(|error| error.doing("failed to find the project"))?,
        })
    }

    /// Where to look, and where that cannot be known.
    pub(crate) fn locations(&self) -> Result<(Vec<Location>, Vec<SearchFailure>)> {
        let queries = self.queries();
        let answers = parallel::map(&queries, BOUND, |query| self.projects_of(query));
        let (mut locations, mut failures) = (Vec::<Location>::new(), Vec::new());
        let mut names = BTreeSet::new();
        for (query, answer) in queries.into_iter().zip(answers) {
            let projects = match answer {
                Ok(projects) => projects,
                Err(error) => {
                    failures.push(SearchFailure {
                        region: query.region,
                        project: None,
                        error,
                    });
                    continue;
                }
            };
            names.extend(projects.iter().map(|project| project.name.clone()));
            let found: Vec<Location> = projects
                .into_iter()
                .filter_map(|project| self.location(&query, project))
                .collect();
            if let (true, Some(region), None) = (found.is_empty(), &query.region, &self.plan.project) {
                failures.push(SearchFailure {
                    error: IamError::no_project(region.as_str(), []).into(),
                    region: query.region,
                    project: None,
                });
            }
            for location in found {
                if locations.iter().all(|known| known.project.id != location.project.id) {
                    locations.push(location);
                }
            }
        }
        match &self.plan.project {
            Some(ProjectChoice::Name(name)) if locations.is_empty() && failures.is_empty() => {
                Err(IamError::no_project(name, names.iter().map(String::as_str)).into())
            }
            Some(ProjectChoice::Id(id)) if locations.is_empty() && failures.is_empty() => {
                Err(IamError::no_project(id.as_str(), []).into())
            }
            _ => Ok((locations, failures)),
        }
    }

    fn queries(&self) -> Vec<IamQuery> {
        let (plan, cloud) = (self.plan, &self.plan.cloud);
        let of_region = |region: &Region| IamQuery {
            endpoint: cloud.iam(region),
            home: region.clone(),
            region: Some(region.clone()),
        };
        let of_all = |(home, endpoint)| IamQuery {
            endpoint,
            home,
            region: None,
        };
        match &plan.home {
            _ if !plan.regions.is_empty() => plan.regions.iter().map(of_region).collect(),
            Some(home) => vec![of_all((home.clone(), cloud.iam(home)))],
            None => cloud.iam_of_all_regions().into_iter().map(of_all).collect(),
        }
    }

    fn projects_of(&self, query: &IamQuery) -> Result<Vec<Project>> {
        let projects = self.sign_in(&query.home).with_credentials(self.session, |credentials| {
            let iam = IamClient {
                api: &self.session.api(&self.http, credentials, self.deadline()),
                endpoint: &query.endpoint,
            };
            iam.projects().map_err(|error| explain(error, self.identity))
        });
        projects.map_err(|error| {
            let error = error.doing(format!("failed to find the projects at `{}`", query.endpoint));
            self.with_other_clouds(error)
        })
    }

    /// The project's region, if both are wanted. A project that is named like no region has no clusters (`MOS`).
    fn location(&self, query: &IamQuery, project: Project) -> Option<Location> {
        let is_wanted = match &self.plan.project {
            Some(ProjectChoice::Name(name)) => project.name == *name,
            Some(ProjectChoice::Id(id)) => project.id == *id,
            None => true,
        };
        let region = Region::of_project(&project.name).filter(|_| is_wanted)?;
        let is_there = match &query.region {
            Some(wanted) => region == *wanted,
            None => region.as_str().contains('-'),
        };
        is_there.then_some(Location { region, project })
    }

    /// The project's clusters; those of the Autopilot list where the ordinary one leaves something open.
    fn clusters_of(
        &self,
        location: &Location,
        is_open: impl Fn(&[LocatedCluster]) -> bool,
    ) -> Result<Vec<LocatedCluster>> {
        let located = |cluster| LocatedCluster {
            location: location.clone(),
            cluster,
        };
        let endpoint = self.plan.cloud.cce(&location.region);
        let sign_in = self.sign_in(&location.region).for_project(&location.project.id);
        let listed = sign_in.with_credentials(self.session, |credentials| {
            let cce = CceClient {
                api: &self.session.api(&self.http, credentials, self.deadline()),
                endpoint: &endpoint,
                project: &location.project.id,
                is_autopilot: false,
            };
            let explained = |error| explain(error, self.identity);
            let ordinary = cce.clusters().map_err(explained)?;
            let mut clusters: Vec<LocatedCluster> = ordinary.into_iter().map(located).collect();
            if is_open(&clusters) {
                let autopilot = cce.autopilot_clusters().map_err(explained)?;
                clusters.retain(|known| autopilot.iter().all(|other| other.id != known.cluster.id));
                clusters.extend(autopilot.into_iter().map(located));
            }
            Ok(clusters)
        });
        listed.map_err(|error| {
            error.doing(format!(
                "failed to list the clusters of project `{}`",
                location.project.name
            ))
        })
    }

    fn sign_in<'s>(&'s self, region: &'s Region) -> SignIn<'s> {
        SignIn::new(self.identity, &self.plan.cloud, region, self.plan.cache)
    }

    fn deadline(&self) -> Deadline {
        self.session.deadline.at_most(PATIENCE)
    }

    /// Nothing said which cloud it is: then it may be another one that knows this identity.
    fn with_other_clouds(&self, error: Error) -> Error {
        match error.hint() {
            Some(hint) if error.exit() == Exit::Identity && self.plan.is_cloud_open() => error.with_hint(format!(
                "{hint}; if they are another cloud's, name it with `--cloud` or `--region`"
            )),
            _ => error,
        }
    }
}

/// The cluster with this id; else those with this name or alias, or with the name that says its project: `prod.eu-de`.
pub(crate) fn matching<'c>(clusters: &'c [LocatedCluster], wanted: &str) -> Vec<&'c LocatedCluster> {
    let by_id: Vec<_> = clusters
        .iter()
        .filter(|found| found.cluster.id.as_str() == wanted)
        .collect();
    if !by_id.is_empty() {
        return by_id;
    }
    let is_called = |found: &&LocatedCluster| {
        let Cluster { name, alias, .. } = &found.cluster;
        name == wanted || alias.as_deref() == Some(wanted) || found.name_with_project() == wanted
    };
    clusters.iter().filter(is_called).collect()
}
