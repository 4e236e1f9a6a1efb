//! Why there is no identity, and what to do about it.

use crate::config::ConfigError;
use crate::env_vars;
use crate::error::{Exit, Explain};
use crate::identity::SourceName;
use crate::identity::secret_record::Difference;
use crate::ids::{Endpoint, ProfileName};
use crate::store::StoreError;
use crate::words::Word as _;
use chrono::{DateTime, Utc};
use std::path::PathBuf;

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// No source is configured.
    #[error("no identity is configured{}", if *has_encrypted { " (KooCLI's keys are encrypted, so only KooCLI can read them)" } else { "" })]
    NoneConfigured {
        /// KooCLI has one, but encrypted.
        has_encrypted: bool,
    },
    /// The pinned source is KooCLI, and its keys are encrypted.
    #[error("hcloud: KooCLI's keys are encrypted, so only KooCLI can read them")]
    Encrypted,
    /// The pinned source is not configured.
    #[error("the identity source `{}` is not configured", .0.as_str())]
    NotConfigured(SourceName),
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
    #[error("there is no profile `{name}`")]
    NoProfile {
        /// The name.
        name: ProfileName,
        /// What it may mean.
        meant: Option<String>,
    },
    /// The profile's secret could not be read.
    #[error("cannot read the secret of profile `{name}`, which is needed to sign in")]
    Secret {
        /// Which profile.
        name: ProfileName,
        /// The store's reason.
        #[source]
        source: StoreError,
    },
    /// A secret that was kept before secrets were kept with what they are for.
    #[error("the secret of profile `{0}` was kept by another version of this program, without what it is for")]
    SecretWithoutPurpose(ProfileName),
    /// `config.toml` says otherwise than when the secret was kept.
    #[error("the secret of profile `{name}` was kept for something else: {difference}")]
    SecretForOther {
        /// Which profile.
        name: ProfileName,
        /// What is said otherwise.
        difference: Difference,
    },
    /// A password or token would be read by whoever has a certificate of these roots.
    #[error(
        "{what} is not sent under the roots in `{}`: they came from an argument or a `CCE_LOGIN_*` variable, not from where {what} came from", file.display()
    )]
    ForeignRoots {
        /// Whose secret.
        what: String,
        /// The roots.
        file: PathBuf,
        /// How to name them where the secret is.
        cure: String,
    },
    /// A variable that is not kubectl's decides where a secret goes.
    #[error(
        "`{variable}` would decide where {what} goes, and the program that runs us does not have it so: it comes from the kubeconfig (`exec.env`)"
    )]
    ForeignVariable {
        /// The variable.
        variable: &'static str,
        /// What would be shown.
        what: &'static str,
    },
    /// Only an argument names the endpoint that would get a signature.
    #[error("nothing is signed for `{endpoint}`: only an argument names it")]
    NotVouched {
        /// The address.
        endpoint: Endpoint,
        /// The variable that vouches for it.
        variable: &'static str,
    },
    /// `sudo` has left `HOME` as it was.
    #[error("no profile is read in `{}`, which `HOME` names and which belongs to somebody else", .0.display())]
    HomeOfSomebodyElse(PathBuf),
    /// There is no home directory, so no place where the profile could be.
    #[error("`HOME` is not set, so there is no place where profile `{0}` could be")]
    ProfileWithoutHome(ProfileName),
    /// No source is configured, and those of the home directory could not be looked for.
    #[error("no identity is configured, and `HOME` is not set, so no profile was looked for")]
    NoneWithoutHome,
    /// A password or token of an unknown cloud.
    #[error("nothing says which cloud {what} belongs to, so it is sent nowhere")]
    NoCloud {
        /// Whose secret.
        what: String,
        /// How to name it where the secret is.
        cure: String,
    },
    /// A password or token would go where its owner has not sent it.
    #[error(
        "{what} is not sent to `{endpoint}`: that address came from an argument or a `CCE_LOGIN_*` variable, not from where {what} came from"
    )]
    Untrusted {
        /// Whose secret.
        what: String,
        /// The address.
        endpoint: Endpoint,
        /// How to name it where the secret is.
        cure: String,
    },
    /// IAM or STS knows no such agency or identity provider.
    #[error("{reason}")]
    Unknown {
        /// In its words.
        reason: String,
        /// What to check.
        cure: String,
    },
    /// Somebody has to type a passcode, and nobody can be asked here.
    #[error("{who} has to sign in again, with a passcode")]
    NeedsPerson {
        who: String,
        /// The command for it.
        command: String,
    },
    /// Somebody has to sign in with a browser, and nobody can be asked here.
    #[error("{who} has to sign in again{}", ended.map_or_else(String::new, |end| format!(": the sign-in ended on {}", end.format("%Y-%m-%d at %H:%M UTC"))))]
    NeedsBrowser {
        who: String,
        /// When the last sign-in ended.
        ended: Option<DateTime<Utc>>,
        /// The command for it.
        command: String,
    },
    /// Nothing that is kept will do: a person is needed.
    #[error("a person has to sign in")]
    SignInNeeded,
    /// The passcode was not typed.
    #[error("no passcode was typed")]
    NoPasscode,
    /// `config.toml` cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl Explain for IdentityError {
    fn exit(&self) -> Exit {
        match self {
            Self::Config(error) => error.exit(),
            // The secret is there: it is the keyring that is slow.
            Self::Secret {
                source: StoreError::TimedOut { .. } | StoreError::Skipped { .. },
                ..
            } => Exit::Temporary,
            _ => Exit::Identity,
        }
    }

    fn needs_person(&self) -> bool {
        matches!(self, Self::SignInNeeded)
    }

    fn hint(&self) -> Option<String> {
        const KEEP: &str = "`kubectl cce-login profile set default`";
        Some(match self {
            Self::NoneConfigured { has_encrypted: true } => {
                format!(
                    "keep the access key with {KEEP}, or let KooCLI keep it in the clear: `hcloud configure set --cli-auth-encrypt=false`"
                )
            }
            Self::NoneConfigured { .. } => format!(
                "set `{}` and `{}`, keep an access key or a password with {KEEP}, or name a cloud of your `clouds.yaml` with `{}`",
                env_vars::SDK_AK,
                env_vars::SDK_SK,
                env_vars::openstack::CLOUD
            ),
            Self::Encrypted => format!(
                "let KooCLI keep them in the clear with `hcloud configure set --cli-auth-encrypt=false`, or keep the access key with {KEEP}"
            ),
            Self::NotConfigured(source) => not_configured(*source),
            Self::Broken { cure, .. }
            | Self::Untrusted { cure, .. }
            | Self::ForeignRoots { cure, .. }
            | Self::NoCloud { cure, .. }
            | Self::Unknown { cure, .. } => cure.clone(),
            Self::ForeignVariable { variable, .. } => format!(
                "if it is right, export `{variable}` where kubectl runs, or keep the identity with `kubectl cce-login profile set default`"
            ),
            Self::NotVouched { endpoint, variable } => format!(
                "if it is right, set `{variable}={endpoint}` where kubectl runs, or run `kubectl cce-login` for this cluster on this machine"
            ),
            Self::SecretWithoutPurpose(name) => format!("set it again: `kubectl cce-login profile set {name}`"),
            Self::SecretForOther { name, .. } => {
                format!("if the change is meant, set it again: `kubectl cce-login profile set {name}`")
            }
            Self::NoProfile { meant: Some(meant), .. } => meant.clone(),
            Self::NoProfile { name, .. } => format!(
                "`kubectl cce-login profile list` shows the profiles; `kubectl cce-login profile set {name}` adds it"
            ),
            Self::Secret { name, source } => match source {
                StoreError::Locked { .. } => {
                    format!("unlock the keyring, or set the profile again with `kubectl cce-login profile set {name}`")
                }
                StoreError::Unavailable { .. } => format!(
                    "run this where that keyring is, or set the profile again with `kubectl cce-login profile set {name}`"
                ),
                StoreError::TimedOut { .. } | StoreError::Skipped { .. } => {
                    "try again in five minutes: so long a keyring that did not answer is left alone; `kubectl cce-login doctor` shows whether it answers"
                        .to_owned()
                }
                _ => format!("set the profile again with `kubectl cce-login profile set {name}`"),
            },
            Self::NeedsPerson { command, .. } => {
                format!("sign in at a terminal: run `{command}` there, or this command before the first login")
            }
            Self::NeedsBrowser { command, .. } => format!("sign in at a terminal: run `{command}` there"),
            Self::HomeOfSomebodyElse(_) => crate::host::NOT_OUR_HOME.to_owned(),
            Self::ProfileWithoutHome(_) => crate::host::NO_HOME.to_owned(),
            Self::NoneWithoutHome => format!(
                "{}, or set `{}` and `{}`",
                crate::host::NO_HOME,
                env_vars::SDK_AK,
                env_vars::SDK_SK
            ),
            Self::SignInNeeded => "sign in at a terminal: run `kubectl cce-login refresh` there".to_owned(),
            Self::NoPasscode => "run it again, and type what the virtual MFA device shows".to_owned(),
            Self::Config(error) => return error.hint(),
        })
    }
}

fn not_configured(source: SourceName) -> String {
    match source {
        SourceName::Env => format!(
            "set `{}` and `{}`; kubectl needs the same variables as the login. `kubectl cce-login profile set default` keeps them in the keyring instead",
            env_vars::SDK_AK,
            env_vars::SDK_SK
        ),
        SourceName::Profile => "keep one with `kubectl cce-login profile set default`".to_owned(),
        SourceName::SdkFile => "write `ak` and `sk` below `[basic]` in `~/.huaweicloud/credentials`".to_owned(),
        SourceName::Hcloud => "configure KooCLI with `hcloud configure init`".to_owned(),
        SourceName::Clouds => format!(
            "set `{}` to a cloud of your `clouds.yaml`; kubectl needs the same variable as the login",
            env_vars::openstack::CLOUD
        ),
        SourceName::Oidc => format!(
            "set `{}` and `{}`, or `{}`, `{}` and `{}`",
            env_vars::SDK_IDP_ID,
            env_vars::SDK_ID_TOKEN_FILE,
            env_vars::OIDC_PROVIDER_URN,
            env_vars::OIDC_AGENCY_URN,
            env_vars::OIDC_TOKEN_FILE
        ),
        SourceName::Pod => "associate the pod's service account with an agency in the CCE console".to_owned(),
        SourceName::Metadata => "use it on an ECS".to_owned(),
    }
}
