//! What was typed, the environment, the profile and the defaults made into what is meant. Pure: no file, no network, no clock.
//!
//! Nothing after this module looks at flags or at `CCE_LOGIN_*`. For every setting: flag, then `CCE_LOGIN_*`, then profile, then default.

mod choice;
mod contexts;
mod get_credential;
mod given;
mod kept_profile;
mod login;
mod profile_set;
mod project;
mod revoke;
mod rotate;
pub(crate) mod search;
mod settings;

pub(crate) use choice::ClusterSelection;
pub(crate) use contexts::{ContextsPlan, Selection};
pub(crate) use get_credential::GET_CREDENTIAL_TIMEOUT;
pub(crate) use get_credential::GetCredentialPlan;
pub(crate) use kept_profile::with_kept;
pub(crate) use login::Answers;
pub(crate) use login::{ClusterChoice, CurrentContext, Destination, LoginPlan, ServerChoice};
pub use profile_set::{ProfileSetPlan, access_key_id};
pub(crate) use profile_set::{profile_name, region_of_identity};
pub(crate) use project::ProjectChoice;
pub(crate) use revoke::Whose;
pub(crate) use revoke::{IdOrName, RevokePlan, RevokedOn, Verification};
pub(crate) use rotate::{CustomFiles, RotatePlan, RotateTask, RotationChoice};
pub(crate) use search::SearchPlan;
pub(crate) use settings::TIMEOUT;
pub(crate) use settings::{CertificateSettings, CloudSettings, RunSettings, cache_mode, time_for_inputs};

use crate::cli::words::Format;
use crate::cli::{IdentityArgs, OutputArgs};
use crate::env_vars;
use crate::error::{Exit, Explain};
use crate::exec_credential::ApiVersion;
use crate::host::Env;
use crate::identity::{Pin, SourceName};
use crate::ids::{ClusterId, ProfileName, ProjectId, Region};
use crate::sanitize::sanitize;
use crate::words::Word as _;
use given::{Given, Sources, none};
use std::path::{Path, PathBuf};

/// Why what was typed makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A value that cannot be used.
    #[error("`{origin}`: {problem}")]
    Invalid {
        /// The flag or variable.
        origin: String,
        /// What is wrong.
        problem: String,
        /// What a right one looks like.
        cure: String,
    },
    /// Something that has no default.
    #[error("the {what} is missing")]
    Missing {
        /// Its name, as the flag's help has it.
        what: &'static str,
        /// How to give it.
        cure: String,
    },
}

impl Explain for PlanError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Invalid { cure, .. } | Self::Missing { cure, .. } => Some(cure.clone()),
        }
    }
}

/// Which identity source is allowed to answer; needed before the profile's own settings are known.
pub(crate) fn pin(args: &IdentityArgs, env: &Env) -> Result<Pin, PlanError> {
    let sources = Sources { env, profile: None };
    // A flag of one kind outranks a variable of the other.
    let variable = |name| {
        if args.profile.is_none() && args.identity.is_none() {
            Some(name)
        } else {
            None
        }
    };
    let profile = sources.find("--profile", args.profile.as_deref(), variable(env_vars::PROFILE), none);
    let identity = sources.find(
        "--identity",
        args.identity.as_deref(),
        variable(env_vars::IDENTITY),
        none,
    );
    let is_own = |given: &Given| SourceName::parse(&given.text) == Some(SourceName::Profile);
    match (profile, identity) {
        (Some(profile), Some(identity)) if args.profile.is_some() && args.identity.is_some() && !is_own(&identity) => {
            Err(PlanError::Invalid {
                origin: profile.origin,
                problem: format!("`--identity={}` names another source", sanitize(&identity.text)),
                cure: "give one of the two; `--identity=profile` goes with `--profile`".to_owned(),
            })
        }
        (Some(profile), _) => Ok(Pin::Profile(
            profile.parse(ProfileName::parse, crate::ids::InvalidId::hint)?,
        )),
        (None, Some(identity)) if is_own(&identity) => {
            let default = env.var(env_vars::PROFILE).unwrap_or_else(|| "default".to_owned());
            let given = Given {
                text: default,
                origin: env_vars::PROFILE.to_owned(),
            };
            Ok(Pin::Profile(
                given.parse(ProfileName::parse, crate::ids::InvalidId::hint)?,
            ))
        }
        (None, Some(identity)) => identity_source(&identity),
        (None, None) => Ok(Pin::Any),
    }
}

/// `SOURCE`, or `SOURCE:NAME` where the source has several.
fn identity_source(given: &Given) -> Result<Pin, PlanError> {
    let Some((source, name)) = given.text.split_once(':') else {
        return Ok(Pin::Source(given.one_of()?, None));
    };
    let source: SourceName = Given {
        text: source.to_owned(),
        origin: given.origin.clone(),
    }
    .one_of()?;
    if !source.has_names() || name.is_empty() {
        return Err(PlanError::Invalid {
            origin: given.origin.clone(),
            problem: format!("`{}` names nothing", sanitize(&given.text)),
            cure: "a name goes with `clouds:CLOUD`, `hcloud:PROFILE` and `sdk-file:FILE`".to_owned(),
        });
    }
    Ok(Pin::Source(source, Some(name.to_owned())))
}

/// Which cluster, exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterRef {
    pub(crate) region: Region,
    pub(crate) project_id: ProjectId,
    pub(crate) cluster_id: ClusterId,
    /// Its path at CCE is another one.
    pub(crate) is_autopilot: bool,
}

/// A file that somebody names, or `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InputFile {
    Stdin,
    /// The file with this name.
    Path(PathBuf),
}

impl InputFile {
    /// The file; `None` for stdin.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Stdin => None,
            Self::Path(path) => Some(path),
        }
    }

    /// By a flag's value.
    fn new(text: &str) -> Self {
        match text {
            "-" => Self::Stdin,
            path => Self::Path(PathBuf::from(path)),
        }
    }
}

impl std::fmt::Display for InputFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stdin => f.write_str("stdin"),
            Self::Path(path) => write!(f, "`{}`", sanitize(&path.display().to_string())),
        }
    }
}

/// A path as it stays valid from any directory.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The form of a report: by `-o`.
pub(crate) fn format(args: &OutputArgs) -> Result<Format, PlanError> {
    let given = args.output.as_deref().map(|text| Given {
        text: text.to_owned(),
        origin: "--output".to_owned(),
    });
    given.map_or(Ok(Format::default()), |given| given.one_of())
}

fn api_version(typed: Option<&str>) -> Result<Option<ApiVersion>, PlanError> {
    let given = typed.map(|text| Given {
        text: text.to_owned(),
        origin: "--exec-api-version".to_owned(),
    });
    given.map(|given| given.one_of()).transpose()
}

/// No region was given, and there is nobody to ask.
pub(crate) fn missing_region() -> PlanError {
    PlanError::Missing {
        what: "region",
        cure: format!(
            "give it with `--region`, such as `--region eu-de`, or with `{}`",
            env_vars::REGION
        ),
    }
}
