//! The sources of an identity: one file each, and which of them answers.

pub(crate) mod clouds;
pub(crate) mod env;
pub(crate) mod hcloud;
pub(crate) mod metadata;
pub(crate) mod oidc;
pub(crate) mod openstack;
pub(crate) mod pod;
pub(crate) mod profile;
pub(crate) mod sdk_file;
mod sign_on;

use crate::config::{Config, Profile};
use crate::host::{Directories, Env};
use crate::identity::{Identity, IdentityError, IdentityOrigin};
use crate::ids::ProfileName;
use crate::words::Word;
use hcloud::Hcloud;

/// The profile that answers where none is named.
const DEFAULT_PROFILE: &str = "default";

/// Which source is allowed to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pin {
    /// The first one that is configured.
    Any,
    /// This profile.
    Profile(ProfileName),
    /// This source, and of it the cloud, profile or file of this name.
    Source(SourceName, Option<String>),
}

/// The sources, by their `--identity` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceName {
    /// The environment.
    Env,
    /// A profile of ours: `default` where none is named.
    Profile,
    /// `~/.huaweicloud/credentials`.
    SdkFile,
    /// KooCLI's `~/.hcloud/config.json`.
    Hcloud,
    /// `clouds.yaml`.
    Clouds,
    /// An identity provider's id token.
    Oidc,
    /// CCE's pod identity.
    Pod,
    /// The agency of the ECS.
    Metadata,
}

impl Word for SourceName {
    /// In the order in which they answer where none is pinned; `metadata` only when it is asked for.
    const ALL: &'static [Self] = &[
        Self::Env,
        Self::Profile,
        Self::SdkFile,
        Self::Hcloud,
        Self::Clouds,
        Self::Oidc,
        Self::Pod,
        Self::Metadata,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::Profile => "profile",
            Self::SdkFile => "sdk-file",
            Self::Hcloud => "hcloud",
            Self::Clouds => "clouds",
            Self::Oidc => "oidc",
            Self::Pod => "pod",
            Self::Metadata => "metadata",
        }
    }
}

impl SourceName {
    /// Whether it has several identities, each with a name.
    pub(crate) fn has_names(self) -> bool {
        matches!(self, Self::SdkFile | Self::Hcloud | Self::Clouds)
    }

    /// Those that answer without being asked for, in order.
    fn unasked() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|source| *source != Self::Metadata)
    }
}

/// What a source says.
enum SourceAnswer {
    FoundIdentity(Box<Identity>),
    /// There are keys that we cannot read.
    Encrypted,
    NotConfigured,
}

/// The identity that the pin allows; offline.
pub(super) fn locate(pin: &Pin, env: &Env, directories: &Directories) -> Result<Identity, IdentityError> {
    let (source, name) = match pin {
        Pin::Profile(name) => {
            return Identity::of_profile(name.clone(), &Config::load(directories, env.inputs())?, env);
        }
        Pin::Source(source, name) => (*source, name.as_deref()),
        Pin::Any => return first(env, directories),
    };
    match ask(source, name, env, directories)? {
        SourceAnswer::FoundIdentity(identity) => Ok(*identity),
        SourceAnswer::Encrypted => Err(IdentityError::Encrypted),
        SourceAnswer::NotConfigured => Err(IdentityError::NotConfigured(source)),
    }
}

fn first(env: &Env, directories: &Directories) -> Result<Identity, IdentityError> {
    let mut has_encrypted = false;
    for source in SourceName::unasked() {
        match ask(source, None, env, directories)? {
            SourceAnswer::FoundIdentity(identity) => return Ok(*identity),
            SourceAnswer::Encrypted => has_encrypted = true,
            SourceAnswer::NotConfigured => {}
        }
    }
    Err(IdentityError::NoneConfigured { has_encrypted })
}

/// Every identity that can be used: those of [`first`] in its order, then the other profiles by name.
pub(super) fn all(env: &Env, directories: &Directories) -> Vec<Identity> {
    let of_source = |source| match ask(source, None, env, directories) {
        Ok(SourceAnswer::FoundIdentity(identity)) => Some(*identity),
        _ => None,
    };
    let config = Config::load(directories, env.inputs()).unwrap_or_default();
    let others = config.profiles.keys().filter(|name| *name != DEFAULT_PROFILE);
    let of_profile = |name: &String| Identity::of_profile(ProfileName::parse(name).ok()?, &config, env).ok();
    SourceName::unasked()
        .filter_map(of_source)
        .chain(others.filter_map(of_profile))
        .collect()
}

fn ask(
    source: SourceName,
    name: Option<&str>,
    env: &Env,
    directories: &Directories,
) -> Result<SourceAnswer, IdentityError> {
    let found = match source {
        SourceName::Env => env::find(env)?,
        SourceName::Profile => return default_profile(env, directories),
        SourceName::SdkFile => sdk_file::find(env, name)?,
        SourceName::Hcloud => match hcloud::find(env, name)? {
            Hcloud::FoundIdentity(found) => Some(*found),
            Hcloud::Encrypted => return Ok(SourceAnswer::Encrypted),
            Hcloud::Absent => None,
        },
        SourceName::Clouds => clouds::find(env, name)?,
        SourceName::Oidc => oidc::find(env)?,
        SourceName::Pod => pod::find(env)?,
        SourceName::Metadata => Some(metadata::find(env, Profile::default())?),
    };
    let Some(mut found) = found else {
        return Ok(SourceAnswer::NotConfigured);
    };
    if let Some(agency) = env::assume_role(env)? {
        found.agency = Some(agency);
    }
    let identity = Identity::new(IdentityOrigin::Named(source), found);
    Ok(SourceAnswer::FoundIdentity(Box::new(identity)))
}

fn default_profile(env: &Env, directories: &Directories) -> Result<SourceAnswer, IdentityError> {
    let config = Config::load(directories, env.inputs())?;
    match ProfileName::parse(DEFAULT_PROFILE) {
        Ok(name) if config.profiles.contains_key(DEFAULT_PROFILE) => {
            let identity = Identity::of_profile(name, &config, env)?;
            Ok(SourceAnswer::FoundIdentity(Box::new(identity)))
        }
        _ => Ok(SourceAnswer::NotConfigured),
    }
}
