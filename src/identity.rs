//! Who we are to the cloud: the ordered, or pinned, sources of an identity.
//!
//! [`Identity::locate`] works offline and yields the fingerprint that keys the cache; [`Identity::load`] yields the secret, and
//! is needed only for a fetch. A source that is not configured lets the next one answer; one that is broken stops the search,
//! because a typo must not turn into another identity.

mod env;
mod profile;

use crate::config::{Config, ConfigError, Profile};
use crate::credentials::Credentials;
use crate::error::{Exit, Explain};
use crate::host::{Directories, Env};
use crate::ids::ProfileName;
use crate::store::{LayeredStore, StoreError};

pub use profile::{forget_secret, keep_secret};

/// Which source is allowed to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pin {
    /// The first one that is configured.
    Any,
    /// This profile.
    Profile(ProfileName),
    /// This source.
    Source(SourceName),
}

/// The sources by their `--identity` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceName {
    /// The environment.
    Env,
}

impl SourceName {
    /// All names, for messages.
    pub const ALL: &'static str = "env";

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        (text == "env").then_some(Self::Env)
    }

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Env => "env",
        }
    }
}

/// An identity that was found, its secret not yet read.
#[derive(Debug, Clone)]
pub struct Identity {
    found: Found,
    fingerprint: String,
}

#[derive(Debug, Clone)]
enum Found {
    Env(env::EnvAccessKey),
    Profile(ProfileName, Box<Profile>),
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// No source is configured.
    #[error("no identity is configured")]
    NoneConfigured,
    /// The pinned source is not configured.
    #[error("the identity source `{0}` is not configured")]
    NotConfigured(&'static str),
    /// The source is configured, but not so that it can be used.
    #[error("{source_name}: {problem}")]
    Broken {
        /// Which source.
        source_name: String,
        /// What is wrong with it.
        problem: String,
        /// What cures it.
        cure: String,
    },
    /// The profile does not exist.
    #[error("there is no profile `{0}`")]
    NoProfile(ProfileName),
    /// The profile's secret could not be read.
    #[error("cannot read the secret of profile `{name}`")]
    Secret {
        /// Which profile.
        name: ProfileName,
        /// The store's reason.
        #[source]
        source: StoreError,
    },
    /// `config.toml` cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl Explain for IdentityError {
    fn exit(&self) -> Exit {
        match self {
            Self::Config(error) => error.exit(),
            _ => Exit::Identity,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoneConfigured => "set `HUAWEICLOUD_SDK_AK` and `HUAWEICLOUD_SDK_SK`, or keep an access key with \
                                     `kubectl cce-login profile set default`"
                .to_owned(),
            Self::NotConfigured(_) => {
                "set `HUAWEICLOUD_SDK_AK` and `HUAWEICLOUD_SDK_SK`; kubectl needs the same variables as the login. \
                                       `kubectl cce-login profile set` keeps them in the keyring instead"
                    .to_owned()
            }
            Self::Broken { cure, .. } => cure.clone(),
            Self::NoProfile(name) => format!(
                "`kubectl cce-login profile list` shows the profiles; `kubectl cce-login profile set {name}` adds it"
            ),
            Self::Secret { name, source } => match source {
                StoreError::Locked { .. } => {
                    format!("unlock the keyring, or set the profile again with `kubectl cce-login profile set {name}`")
                }
                _ => format!("set the profile again with `kubectl cce-login profile set {name}`"),
            },
            Self::Config(error) => return error.hint(),
        })
    }
}

/// The argument that pins `get-credential` to a profile.
pub fn profile_pin(name: &ProfileName) -> String {
    format!("--profile={name}")
}

impl Identity {
    /// Finds the identity offline: the pinned source, or the first of environment and profile `default` that is configured.
    pub fn locate(pin: &Pin, env: &Env, directories: &Directories) -> Result<Self, IdentityError> {
        match pin {
            Pin::Profile(name) => {
                let profile = Config::load(directories)?.profiles.remove(name.as_str());
                Self::of_profile(
                    name.clone(),
                    profile.ok_or_else(|| IdentityError::NoProfile(name.clone()))?,
                )
            }
            Pin::Source(SourceName::Env) => {
                let key = env::EnvAccessKey::read(env)?;
                Ok(Self::of_env(key.ok_or(IdentityError::NotConfigured("env"))?))
            }
            Pin::Any => {
                if let Some(key) = env::EnvAccessKey::read(env)? {
                    return Ok(Self::of_env(key));
                }
                let default = ProfileName::parse("default").map_err(|_| IdentityError::NoneConfigured)?;
                let profile = Config::load(directories)?.profiles.remove(default.as_str());
                Self::of_profile(default, profile.ok_or(IdentityError::NoneConfigured)?)
            }
        }
    }

    fn of_env(key: env::EnvAccessKey) -> Self {
        let fingerprint = key.fingerprint();
        Self {
            found: Found::Env(key),
            fingerprint,
        }
    }

    fn of_profile(name: ProfileName, profile: Profile) -> Result<Self, IdentityError> {
        let fingerprint = profile::fingerprint(&name, &profile)?;
        Ok(Self {
            found: Found::Profile(name, Box::new(profile)),
            fingerprint,
        })
    }

    /// What tells this identity from any other, without a secret and without the network.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The profile's name or the source's: the first part of a kubeconfig user's name.
    pub fn name(&self) -> &str {
        match &self.found {
            Found::Env(_) => SourceName::Env.as_str(),
            Found::Profile(name, _) => name.as_str(),
        }
    }

    /// The argument that pins `get-credential` to this identity.
    pub fn pin_argument(&self) -> String {
        match &self.found {
            Found::Env(_) => "--identity=env".to_owned(),
            Found::Profile(name, _) => profile_pin(name),
        }
    }

    /// For messages: where it comes from.
    pub fn describe(&self) -> String {
        match &self.found {
            Found::Env(key) => format!("access key `{}` from the environment", key.id()),
            Found::Profile(name, _) => format!("profile `{name}`"),
        }
    }

    /// The settings of the profile, if it is one.
    pub fn profile(&self) -> Option<&Profile> {
        match &self.found {
            Found::Env(_) => None,
            Found::Profile(_, profile) => Some(profile),
        }
    }

    /// It works only where the same environment variables are set.
    pub fn is_from_environment(&self) -> bool {
        matches!(self.found, Found::Env(_))
    }

    /// What to check when the cloud refuses this identity.
    pub fn cure_when_refused(&self) -> String {
        match &self.found {
            Found::Env(_) => {
                "check `HUAWEICLOUD_SDK_AK` and `HUAWEICLOUD_SDK_SK`: they must belong together and be active"
                    .to_owned()
            }
            Found::Profile(name, _) => format!(
                "the access key of profile `{name}` must be active: set it again with `kubectl cce-login profile set {name}`"
            ),
        }
    }

    /// Reads the secret. `secrets` opens the store of profile secrets: `file` when the profile says so, else the keyring.
    pub fn load(&self, secrets: impl FnOnce(Option<&str>) -> LayeredStore) -> Result<Credentials, IdentityError> {
        match &self.found {
            Found::Env(key) => Ok(Credentials::AccessKey(key.access_key())),
            Found::Profile(name, profile) => profile::load(name, profile, &secrets(profile.secret_store.as_deref())),
        }
    }
}
