//! Where clusters are looked for, and as whom: what `clusters` means, and a part of what every command means that looks for some.

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

/// Whether a profile's own region and project narrow the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// They do not: they are where a login begins.
    Everywhere,
    /// They do, as the SDK's variable of the project does.
    AsProfileSays,
}

/// Where clusters are looked for.
#[derive(Debug, Clone)]
pub(crate) struct SearchPlan {
    /// The regions to look in; none: all.
    pub(crate) regions: Vec<Region>,
    /// The one project to look in.
    pub(crate) project: Option<ProjectChoice>,
    /// Whose IAM knows the projects, if no regions were given.
    pub(crate) home: Option<Region>,
    /// Where the cloud answers.
    pub(crate) cloud: CloudSettings,
    /// Where tokens are kept.
    pub(crate) cache: CacheMode,
    /// How the run behaves.
    pub(crate) run: RunSettings,
}

impl SearchPlan {
    /// Nothing says which cloud it is.
    pub(crate) fn is_cloud_open(&self) -> bool {
        let cloud = &self.cloud;
        self.regions.is_empty() && self.home.is_none() && cloud.cloud.is_none() && cloud.iam_endpoint.is_none()
    }

    /// Makes the plan of a search everywhere.
    pub(crate) fn new(
        args: &SearchArgs,
        global: &GlobalArgs,
        env: &Env,
        profile: Option<&Profile>,
        terminal: Terminal,
    ) -> Result<Self, PlanError> {
        Self::of_reach(Reach::Everywhere, args, global, env, profile, terminal)
    }

    /// Makes the plan.
    pub(super) fn of_reach(
        reach: Reach,
        args: &SearchArgs,
        global: &GlobalArgs,
        env: &Env,
        profile: Option<&Profile>,
        terminal: Terminal,
    ) -> Result<Self, PlanError> {
        let sources = Sources { env, profile };
        let (regions, project) = place(reach, args, &sources)?;
        let of_profile = || {
            sources
                .find("--region", None, None, |p| p.region.as_ref())
                .as_ref()
                .map(region)
                .transpose()
        };
        let home = match region_of(project.as_ref()) {
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

/// In which regions (none: in all), and in which project of them.
pub(super) fn place(
    reach: Reach,
    args: &SearchArgs,
    sources: &Sources<'_>,
) -> Result<(Vec<Region>, Option<ProjectChoice>), PlanError> {
    let is_narrow = reach == Reach::AsProfileSays;
    let mut regions = regions(args, sources, is_narrow)?;
    let project = project(args, sources, is_narrow)?;
    if is_narrow && regions.is_empty() {
        regions.extend(region_of(project.as_ref()));
    }
    Ok((regions, project))
}

/// The region that a project's name tells.
fn region_of(project: Option<&ProjectChoice>) -> Option<Region> {
    match project {
        Some(ProjectChoice::Name(name)) => Region::of_project(name).filter(|region| region.as_str().contains('-')),
        _ => None,
    }
}

fn region(given: &Given) -> Result<Region, PlanError> {
    given.parse(Region::parse, crate::ids::InvalidId::hint)
}

/// The regions by flag or variable, each once; where the profile counts, by it.
fn regions(args: &SearchArgs, sources: &Sources<'_>, is_narrow: bool) -> Result<Vec<Region>, PlanError> {
    let of_profile: fn(&Profile) -> Option<&String> = if is_narrow { |p| p.region.as_ref() } else { none };
    let mut regions = Vec::new();
    for given in Given::list("--region", &args.region, sources, env_vars::REGION, of_profile) {
        let region = region(&given)?;
        if !regions.contains(&region) {
            regions.push(region);
        }
    }
    Ok(regions)
}

/// The one project by flag or variable; where the profile counts, by it, else as the SDK's variable says.
fn project(args: &SearchArgs, sources: &Sources<'_>, is_narrow: bool) -> Result<Option<ProjectChoice>, PlanError> {
    let of_profile: fn(&Profile) -> Option<&String> = if is_narrow { |p| p.project.as_ref() } else { none };
    let typed = args.project.as_deref();
    let given = sources.find("--project", typed, Some(env_vars::PROJECT), of_profile);
    let of_sdk = || sources.find("--project", None, Some(env_vars::SDK_PROJECT_ID), none);
    let given = given.or_else(|| is_narrow.then(of_sdk)?);
    given.as_ref().map(project_choice).transpose()
}
