//! What `clusters` means.

use crate::cli::{GlobalArgs, SearchArgs};
use crate::config::Profile;
use crate::env_vars;
use crate::host::{Env, Terminal};
use crate::ids::Region;
use crate::plan::PlanError;
use crate::plan::given::{Given, Sources, none};
use crate::plan::project::{ProjectChoice, project_choice};
use crate::plan::settings::{CloudSettings, RunSettings, cache_mode};
use crate::store::CacheMode;

/// What `clusters` means.
#[derive(Debug, Clone)]
pub struct SearchPlan {
    /// The regions to look in; none: all.
    pub regions: Vec<Region>,
    /// The one project to look in.
    pub project: Option<ProjectChoice>,
    /// Whose IAM knows the projects, if no regions were given.
    pub home: Option<Region>,
    /// Where the cloud answers.
    pub cloud: CloudSettings,
    /// Where tokens are kept.
    pub cache: CacheMode,
    /// How the run behaves.
    pub run: RunSettings,
}

impl SearchPlan {
    /// Nothing says which cloud it is.
    pub fn is_cloud_open(&self) -> bool {
        let cloud = &self.cloud;
        self.regions.is_empty() && self.home.is_none() && cloud.cloud.is_none() && cloud.iam_endpoint.is_none()
    }

    /// Makes the plan. A profile's own region and project are where a login begins; they do not narrow the search.
    pub fn new(
        args: &SearchArgs,
        global: &GlobalArgs,
        env: &Env,
        profile: Option<&Profile>,
        terminal: Terminal,
    ) -> Result<Self, PlanError> {
        let sources = Sources { env, profile };
        let region_of = |given: &Given| given.parse(Region::parse, crate::ids::InvalidId::hint);
        // A variable that is set speaks for the flag; the profile does not.
        let regions = Given::list("--region", &args.region, &sources, env_vars::REGION, none);
        let regions = regions.iter().map(region_of).collect::<Result<Vec<_>, _>>()?;
        let project = sources.find("--project", args.project.as_deref(), Some(env_vars::PROJECT), none);
        let project = project.as_ref().map(project_choice).transpose()?;
        let of_project = match &project {
            Some(ProjectChoice::Name(name)) => Region::of_project(name).filter(|region| region.as_str().contains('-')),
            _ => None,
        };
        let of_profile = || {
            sources
                .find("--region", None, None, |p| p.region.as_ref())
                .as_ref()
                .map(region_of)
                .transpose()
        };
        let home = match of_project {
            Some(region) => Some(region),
            None => of_profile()?,
        };
        Ok(Self {
            regions,
            project,
            home,
            cloud: CloudSettings::new(&args.cloud, &sources)?,
            cache: cache_mode(env)?,
            run: RunSettings::new(global, env, terminal)?,
        })
    }
}
