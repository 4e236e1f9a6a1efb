//! The clusters that an identity can reach: looked for over regions and projects, side by side.

use crate::error::{Error, Exit, Result};
use crate::host::Deadline;
use crate::host::parallel;
use crate::http::Http;
use crate::huaweicloud::cce::CceClient;
use crate::huaweicloud::cce::cluster::Cluster;
use crate::huaweicloud::iam::token_request::Scope;
use crate::huaweicloud::iam::{IamClient, IamError, Project};
use crate::identity::Identity;
use crate::ids::{Endpoint, Region};
use crate::plan::{ClusterRef, ProjectChoice, SearchPlan};
use crate::session::Session;
use crate::sign_in::explain::explain;
use crate::sign_in::{self, SignIn};
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
    /// A cluster of this project.
    pub(crate) fn target(&self, cluster: &Cluster) -> ClusterRef {
        ClusterRef {
            region: self.region.clone(),
            project_id: self.project.id.clone(),
            cluster_id: cluster.id.clone(),
            is_autopilot: cluster.is_autopilot(),
        }
    }
}

/// Where something could not be asked, and why.
pub(crate) struct SearchFailure {
    pub(crate) region: Option<Region>,
    pub(crate) project: Option<Project>,
    pub(crate) error: Error,
}

/// An IAM, the region at which to sign in for it, and the one region that it is asked for.
struct IamQuery {
    endpoint: Endpoint,
    home: Region,
    region: Option<Region>,
}

/// What a search has found.
pub(crate) struct SearchResult {
    /// The clusters, each with its place.
    pub(crate) clusters: Vec<(Location, Cluster)>,
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
        let (places, mut failures) = self.places()?;
        let answers = parallel::map(&places, BOUND, |place| self.clusters_of(place));
        let is_any_listed = answers.iter().any(std::result::Result::is_ok);
        let mut clusters = Vec::new();
        for (place, answer) in places.into_iter().zip(answers) {
            match answer {
                Ok(listed) => clusters.extend(listed.into_iter().map(|cluster| (place.clone(), cluster))),
                Err(error) => failures.push(SearchFailure {
                    region: Some(place.region),
                    project: Some(place.project),
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

    /// Where to look, and where that cannot be known.
    pub(crate) fn places(&self) -> Result<(Vec<Location>, Vec<SearchFailure>)> {
        let lookups = self.lookups();
        let answers = parallel::map(&lookups, BOUND, |lookup| self.projects_of(lookup));
        let (mut places, mut failures) = (Vec::<Location>::new(), Vec::new());
        for (lookup, answer) in lookups.into_iter().zip(answers) {
            let found = match answer {
                Ok(projects) => projects,
                Err(error) => {
                    failures.push(SearchFailure {
                        region: lookup.region,
                        project: None,
                        error,
                    });
                    continue;
                }
            };
            let found: Vec<Location> = found
                .into_iter()
                .filter_map(|project| self.place(&lookup, project))
                .collect();
            if let (true, Some(region), None) = (found.is_empty(), &lookup.region, &self.plan.project) {
                failures.push(SearchFailure {
                    error: no_project(region.as_str()),
                    region: lookup.region,
                    project: None,
                });
            }
            for place in found {
                if places.iter().all(|known| known.project.id != place.project.id) {
                    places.push(place);
                }
            }
        }
        match &self.plan.project {
            Some(ProjectChoice::Name(name)) if places.is_empty() && failures.is_empty() => Err(no_project(name)),
            Some(ProjectChoice::Id(id)) if places.is_empty() && failures.is_empty() => Err(no_project(id.as_str())),
            _ => Ok((places, failures)),
        }
    }

    fn lookups(&self) -> Vec<IamQuery> {
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

    fn projects_of(&self, lookup: &IamQuery) -> Result<Vec<Project>> {
        let projects = sign_in::with(
            self.session,
            &self.sign_in(&lookup.home, Scope::Account),
            |credentials| {
                let iam = IamClient {
                    api: &self.session.api(&self.http, credentials, self.deadline()),
                    endpoint: &lookup.endpoint,
                };
                iam.projects().map_err(|error| explain(error, self.identity))
            },
        );
        projects.map_err(|error| {
            let error = error.doing(format!("failed to find the projects at `{}`", lookup.endpoint));
            self.with_other_clouds(error)
        })
    }

    /// The project's region, if both are wanted. A project that is named like no region has no clusters (`MOS`).
    fn place(&self, lookup: &IamQuery, project: Project) -> Option<Location> {
        let is_wanted = match &self.plan.project {
            Some(ProjectChoice::Name(name)) => project.name == *name,
            Some(ProjectChoice::Id(id)) => project.id == *id,
            None => true,
        };
        let region = Region::of_project(&project.name).filter(|_| is_wanted)?;
        let is_there = match &lookup.region {
            Some(wanted) => region == *wanted,
            None => region.as_str().contains('-'),
        };
        is_there.then_some(Location { region, project })
    }

    fn clusters_of(&self, place: &Location) -> Result<Vec<Cluster>> {
        let endpoint = self.plan.cloud.cce(&place.region);
        let scope = Scope::Project(place.project.id.clone());
        let listed = sign_in::with(self.session, &self.sign_in(&place.region, scope), |credentials| {
            let cce = CceClient {
                api: &self.session.api(&self.http, credentials, self.deadline()),
                endpoint: &endpoint,
                project: &place.project.id,
                is_autopilot: false,
            };
            let listed = cce.clusters().and_then(|mut clusters| {
                let autopilot = cce.autopilot_clusters()?;
                clusters.retain(|cluster| autopilot.iter().all(|other| other.id != cluster.id));
                clusters.extend(autopilot);
                Ok(clusters)
            });
            listed.map_err(|error| explain(error, self.identity))
        });
        listed.map_err(|error| {
            error.doing(format!(
                "failed to list the clusters of project `{}`",
                place.project.name
            ))
        })
    }

    fn sign_in<'s>(&'s self, region: &'s Region, scope: Scope) -> SignIn<'s> {
        SignIn {
            identity: self.identity,
            cloud: &self.plan.cloud,
            region,
            scope,
            cache: self.plan.cache,
            may_ask: true,
        }
    }

    fn deadline(&self) -> Deadline {
        self.session.deadline.at_most(PATIENCE)
    }

    /// Nothing said which cloud it is: then it may be another one that knows this identity.
    fn with_other_clouds(&self, error: Error) -> Error {
        let (plan, cloud) = (self.plan, &self.plan.cloud);
        let is_cloud_known =
            !plan.regions.is_empty() || plan.home.is_some() || cloud.cloud.is_some() || cloud.iam_endpoint.is_some();
        match error.hint() {
            Some(hint) if error.exit() == Exit::Identity && !is_cloud_known => error.with_hint(format!(
                "{hint}; if they are another cloud's, name it with `--cloud` or `--region`"
            )),
            _ => error,
        }
    }
}

fn no_project(name: &str) -> Error {
    IamError::NoProject { name: name.to_owned() }.into()
}
