//! `clusters`: every cluster that this identity can reach, over regions and projects, side by side.
//!
//! What cannot be reached is a row with its error; the run fails only if nothing could be asked.

mod rows;

use super::explain::explain;
use super::report::{self, Format};
use super::session::Session;
use super::side_by_side::side_by_side;
use super::sign_in::{self, SignIn};
use crate::cce::CceClient;
use crate::cce::cluster::Cluster;
use crate::cli::{ClustersArgs, GlobalArgs};
use crate::error::{Error, Exit, Result};
use crate::host::{Deadline, Directories, Host};
use crate::http::Http;
use crate::iam::sign_in::Scope;
use crate::iam::{IamClient, IamError, Project};
use crate::identity::Identity;
use crate::ids::{Endpoint, Region};
use crate::plan::{self, ClustersPlan, ProjectChoice};
use rows::Row;
use std::time::Duration;

/// How many requests are in flight at a time.
const BOUND: usize = 8;
/// The longest that one region or project may keep the others waiting.
const PATIENCE: Duration = Duration::from_secs(20);

/// Lists the clusters.
pub(super) fn run(args: &ClustersArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let format = Format::parse(&args.output)?;
    let directories = Directories::of(&host.env);
    let identity = Identity::locate(&plan::pin(&args.identity, &host.env)?, &host.env, &directories)?;
    let plan = ClustersPlan::new(args, global, &host.env, identity.profile(), host.terminal)?;
    let session = Session::new(host, directories, plan.run, global.verbose);
    let search = Search {
        http: session.cloud_http(&plan.cloud)?,
        session: &session,
        identity: &identity,
        plan: &plan,
    };

    let (places, mut failures) = search.places()?;
    let answers = side_by_side(&places, BOUND, |place| search.clusters_of(place));
    let is_any_listed = answers.iter().any(std::result::Result::is_ok);
    let mut rows = Vec::new();
    for (place, answer) in places.into_iter().zip(answers) {
        match answer {
            Ok(clusters) => rows.extend(clusters.iter().map(|cluster| Row::of_cluster(&place, cluster))),
            Err(error) => failures.push(Failure {
                region: Some(place.region),
                project: Some(place.project),
                error,
            }),
        }
    }
    rows.extend(failures.iter().map(Row::of_failure));
    rows.sort();
    report::print(host, &rows::render(&rows, format))?;
    rows::say_what_it_does_not_show(&rows, format, host);
    match failures.into_iter().next() {
        Some(first) if !is_any_listed => Err(first.error),
        _ => Ok(()),
    }
}

/// A project in its region.
struct Place {
    region: Region,
    project: Project,
}

/// Where something could not be asked, and why.
struct Failure {
    region: Option<Region>,
    project: Option<Project>,
    error: Error,
}

/// An IAM, the region at which to sign in for it, and the one region that it is asked for.
struct Lookup {
    endpoint: Endpoint,
    home: Region,
    region: Option<Region>,
}

struct Search<'a> {
    session: &'a Session<'a>,
    identity: &'a Identity,
    plan: &'a ClustersPlan,
    http: Http,
}

impl Search<'_> {
    /// Where to look, and where that cannot be known.
    fn places(&self) -> Result<(Vec<Place>, Vec<Failure>)> {
        let lookups = self.lookups();
        let answers = side_by_side(&lookups, BOUND, |lookup| self.projects_of(lookup));
        let (mut places, mut failures) = (Vec::<Place>::new(), Vec::new());
        for (lookup, answer) in lookups.into_iter().zip(answers) {
            let found = match answer {
                Ok(projects) => projects,
                Err(error) => {
                    failures.push(Failure {
                        region: lookup.region,
                        project: None,
                        error,
                    });
                    continue;
                }
            };
            let found: Vec<Place> = found
                .into_iter()
                .filter_map(|project| self.place(&lookup, project))
                .collect();
            if let (true, Some(region), None) = (found.is_empty(), &lookup.region, &self.plan.project) {
                failures.push(Failure {
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

    fn lookups(&self) -> Vec<Lookup> {
        let (plan, cloud) = (self.plan, &self.plan.cloud);
        let of_region = |region: &Region| Lookup {
            endpoint: cloud.iam(region),
            home: region.clone(),
            region: Some(region.clone()),
        };
        let of_all = |(home, endpoint)| Lookup {
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

    fn projects_of(&self, lookup: &Lookup) -> Result<Vec<Project>> {
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
    fn place(&self, lookup: &Lookup, project: Project) -> Option<Place> {
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
        is_there.then_some(Place { region, project })
    }

    fn clusters_of(&self, place: &Place) -> Result<Vec<Cluster>> {
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
