//! What was typed, the environment, the profile and the defaults made into what is meant. Pure: no file, no network, no clock.
//!
//! Nothing after this module looks at flags or at `CCE_LOGIN_*`. For every setting: flag, then `CCE_LOGIN_*`, then profile, then default.

use crate::cli::{CertificateArgs, CloudArgs, GetCredentialArgs, GlobalArgs, IdentityArgs, LoginArgs, ProfileSetArgs};
use crate::cloud::Cloud;
use crate::config::Profile;
use crate::env_vars;
use crate::error::{Exit, Explain};
use crate::exec_credential::{ApiVersion, ExecInfo};
use crate::host::{Env, Terminal};
use crate::identity::{Pin, SourceName};
use crate::ids::{AccessKeyId, ClusterId, Endpoint, ProfileName, ProjectId, Region};
use crate::lifetime::{CertLifetime, parse_seconds};
use crate::store::CacheMode;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The bound on a `get-credential` that nobody watches.
const GET_CREDENTIAL_TIMEOUT: Duration = Duration::from_secs(25);
/// The bound on everything else.
const TIMEOUT: Duration = Duration::from_secs(180);

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
        /// What.
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

/// A value and where it came from, for messages.
struct Given {
    text: String,
    origin: String,
}

impl Given {
    fn parse<T, E: std::fmt::Display>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, E>,
        cure: impl FnOnce(&E) -> String,
    ) -> Result<T, PlanError> {
        parse(&self.text).map_err(|error| PlanError::Invalid {
            origin: self.origin.clone(),
            problem: error.to_string(),
            cure: cure(&error),
        })
    }

    /// A closed list of words.
    fn one_of<T>(&self, parse: impl FnOnce(&str) -> Option<T>, words: &str) -> Result<T, PlanError> {
        let shown = crate::sanitize::sanitize(&self.text);
        parse(&self.text).ok_or_else(|| PlanError::Invalid {
            origin: self.origin.clone(),
            problem: format!("`{shown}` is not one of {words}"),
            cure: format!("use {words}"),
        })
    }
}

/// Where values come from, in order.
struct Sources<'a> {
    env: &'a Env,
    profile: Option<&'a Profile>,
}

impl Sources<'_> {
    fn find(
        &self,
        flag: &str,
        typed: Option<&str>,
        variable: Option<&str>,
        of_profile: fn(&Profile) -> Option<&String>,
    ) -> Option<Given> {
        let typed = typed.map(|text| Given {
            text: text.to_owned(),
            origin: flag.to_owned(),
        });
        let from_env = || {
            variable.and_then(|name| {
                Some(Given {
                    text: self.env.var(name)?,
                    origin: name.to_owned(),
                })
            })
        };
        let from_profile = || {
            let text = of_profile(self.profile?)?.clone();
            Some(Given {
                text,
                origin: format!("{} in config.toml", flag.trim_start_matches('-').replace('-', "_")),
            })
        };
        typed.or_else(from_env).or_else(from_profile)
    }
}

/// No profile key for this setting.
fn none(_: &Profile) -> Option<&String> {
    None
}

/// Which identity source is allowed to answer; needed before the profile's own settings are known.
pub fn pin(args: &IdentityArgs, env: &Env) -> Result<Pin, PlanError> {
    let sources = Sources { env, profile: None };
    // A flag of one kind outranks a variable of the other.
    let variable = |name| {
        if args.profile.is_none() && args.identity.is_none() {
            Some(name)
        } else {
            None
        }
    };
    if let Some(given) = sources.find("--profile", args.profile.as_deref(), variable(env_vars::PROFILE), none) {
        return Ok(Pin::Profile(
            given.parse(ProfileName::parse, crate::ids::InvalidId::hint)?,
        ));
    }
    match sources.find(
        "--identity",
        args.identity.as_deref(),
        variable(env_vars::IDENTITY),
        none,
    ) {
        Some(given) => Ok(Pin::Source(given.one_of(SourceName::parse, SourceName::ALL)?)),
        None => Ok(Pin::Any),
    }
}

/// Where the cloud answers, and whom to trust there.
#[derive(Debug, Clone)]
pub struct CloudSettings {
    /// The cloud, if it was named rather than recognised by the region.
    pub cloud: Option<Cloud>,
    /// CCE's endpoint, if it was named.
    pub cce_endpoint: Option<Endpoint>,
    /// IAM's endpoint, if it was named.
    pub iam_endpoint: Option<Endpoint>,
    /// PEM roots in place of the system's, if they were named.
    pub ca_file: Option<PathBuf>,
    /// PEM roots by `SSL_CERT_FILE`: not ours to write into a kubeconfig.
    pub ssl_cert_file: Option<PathBuf>,
}

impl CloudSettings {
    fn new(args: &CloudArgs, sources: &Sources<'_>) -> Result<Self, PlanError> {
        let endpoint = |flag, typed: &Option<String>, variable, of_profile| {
            let given = sources.find(flag, typed.as_deref(), Some(variable), of_profile);
            given
                .map(|g| g.parse(Endpoint::parse, crate::ids::InvalidEndpoint::hint))
                .transpose()
        };
        let cloud = sources.find("--cloud", args.cloud.as_deref(), Some(env_vars::CLOUD), |p| {
            p.cloud.as_ref()
        });
        let ca_file = sources.find("--ca-file", args.ca_file.as_deref(), Some(env_vars::CA_FILE), |p| {
            p.ca_file.as_ref()
        });
        Ok(Self {
            cloud: cloud
                .map(|g| g.parse(Cloud::parse, crate::cloud::InvalidCloud::hint))
                .transpose()?,
            cce_endpoint: endpoint("--cce-endpoint", &args.cce_endpoint, env_vars::CCE_ENDPOINT, |p| {
                p.cce_endpoint.as_ref()
            })?,
            iam_endpoint: endpoint("--iam-endpoint", &args.iam_endpoint, env_vars::IAM_ENDPOINT, |p| {
                p.iam_endpoint.as_ref()
            })?,
            ca_file: ca_file.map(|given| PathBuf::from(given.text)),
            ssl_cert_file: sources.env.path(env_vars::SSL_CERT_FILE),
        })
    }

    /// CCE's endpoint in `region`.
    pub fn cce(&self, region: &Region) -> Endpoint {
        self.cce_endpoint
            .clone()
            .unwrap_or_else(|| self.cloud_of(region).cce(region))
    }

    /// IAM's endpoint in `region`.
    pub fn iam(&self, region: &Region) -> Endpoint {
        self.iam_endpoint
            .clone()
            .unwrap_or_else(|| self.cloud_of(region).iam(region))
    }

    fn cloud_of(&self, region: &Region) -> Cloud {
        self.cloud.clone().unwrap_or_else(|| Cloud::of_region(region))
    }

    /// The file of roots for the cloud endpoints; `None` for the system's roots.
    pub fn roots(&self) -> Option<&Path> {
        self.ca_file.as_deref().or(self.ssl_cert_file.as_deref())
    }
}

/// The certificate's lifetime and where it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateSettings {
    /// How long it shall live.
    pub lifetime: CertLifetime,
    /// Where it is kept.
    pub cache: CacheMode,
}

impl CertificateSettings {
    fn new(args: &CertificateArgs, sources: &Sources<'_>) -> Result<Self, PlanError> {
        let lifetime = sources.find("--duration", args.duration.as_deref(), Some(env_vars::DURATION), none);
        let cache = sources.find("--cache", args.cache.as_deref(), Some(env_vars::CACHE), none);
        let cure =
            |_: &_| "give a number with `m`, `h` or `d`, such as `8h`, between 15m and 1827d, or `max`".to_owned();
        Ok(Self {
            lifetime: lifetime
                .map(|g| g.parse(CertLifetime::parse, cure))
                .transpose()?
                .unwrap_or_default(),
            cache: cache
                .map(|g| g.one_of(CacheMode::parse, "auto, keyring, kernel, file or none"))
                .transpose()?
                .unwrap_or(CacheMode::Auto),
        })
    }
}

impl CertificateSettings {
    /// The settings of a login that is repeated: flag, variable, then what the kubeconfig entry has already.
    pub fn inheriting(args: &CertificateArgs, env: &Env, entry: &CertificateArgs) -> Result<Self, PlanError> {
        let pick = |typed: &Option<String>, variable, had: &Option<String>| {
            typed.clone().or_else(|| env.var(variable)).or_else(|| had.clone())
        };
        let args = CertificateArgs {
            duration: pick(&args.duration, env_vars::DURATION, &entry.duration),
            cache: pick(&args.cache, env_vars::CACHE, &entry.cache),
        };
        Self::new(&args, &Sources { env, profile: None })
    }
}

/// How the run behaves.
#[derive(Debug, Clone, Copy)]
pub struct RunSettings {
    /// The bound on the whole run.
    pub timeout: Duration,
    /// A person can be asked, and a store may open its dialog.
    pub is_interactive: bool,
}

impl RunSettings {
    /// For a command that a person runs.
    pub fn new(args: &GlobalArgs, env: &Env, terminal: Terminal) -> Result<Self, PlanError> {
        let asks = !args.no_input && !is_set(env, env_vars::NO_INPUT) && terminal.stdin && terminal.stderr;
        Ok(Self {
            timeout: timeout(args, env)?.unwrap_or(TIMEOUT),
            is_interactive: asks,
        })
    }
}

fn is_set(env: &Env, name: &str) -> bool {
    env.var(name)
        .is_some_and(|value| !matches!(value.as_str(), "0" | "false"))
}

fn timeout(args: &GlobalArgs, env: &Env) -> Result<Option<Duration>, PlanError> {
    let given =
        Sources { env, profile: None }.find("--timeout", args.timeout.as_deref(), Some(env_vars::TIMEOUT), none);
    let parse = |text: &str| match parse_seconds(text).map(u64::try_from) {
        Some(Ok(seconds)) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("`{}` is not a duration", crate::sanitize::sanitize(text))),
    };
    given
        .map(|g| {
            g.parse(parse, |_| {
                "give a number with `s`, `m` or `h`, such as `25s`".to_owned()
            })
        })
        .transpose()
}

/// A profile's name as it was typed.
pub fn profile_name(text: &str) -> Result<ProfileName, PlanError> {
    Given {
        text: text.to_owned(),
        origin: "NAME".to_owned(),
    }
    .parse(ProfileName::parse, crate::ids::InvalidId::hint)
}

/// What `profile set` means.
#[derive(Debug, Clone)]
pub struct ProfileSetPlan {
    /// The profile's name.
    pub name: ProfileName,
    /// AK.
    pub access_key_id: AccessKeyId,
    /// Where the key is verified.
    pub region: Region,
    /// Where the cloud answers.
    pub cloud: CloudSettings,
    /// Keep the secret in a file.
    is_secret_in_file: bool,
    typed: CloudTyped,
    typed_region: Option<String>,
}

#[derive(Debug, Clone)]
struct CloudTyped {
    cloud: Option<String>,
    cce_endpoint: Option<String>,
    iam_endpoint: Option<String>,
    ca_file: Option<String>,
}

impl ProfileSetPlan {
    /// Makes the plan.
    pub fn new(args: &ProfileSetArgs, env: &Env) -> Result<Self, PlanError> {
        let sources = Sources { env, profile: None };
        let typed = |flag: &str, text: &str| Given {
            text: text.to_owned(),
            origin: flag.to_owned(),
        };
        let region = sources
            .find("--region", args.region.as_deref(), Some(env_vars::REGION), none)
            .ok_or_else(missing_region)?;
        let store = args.secret_store.as_deref().unwrap_or("keyring");
        let is_file = |word: &str| ["keyring", "file"].contains(&word).then_some(word == "file");
        Ok(Self {
            name: profile_name(&args.name)?,
            access_key_id: typed("--access-key-id", &args.access_key_id)
                .parse(AccessKeyId::parse, crate::ids::InvalidId::hint)?,
            region: region.parse(Region::parse, crate::ids::InvalidId::hint)?,
            cloud: CloudSettings::new(&args.cloud, &sources)?,
            is_secret_in_file: typed("--secret-store", store).one_of(is_file, "keyring or file")?,
            typed: CloudTyped {
                cloud: args.cloud.cloud.clone(),
                cce_endpoint: args.cloud.cce_endpoint.clone(),
                iam_endpoint: args.cloud.iam_endpoint.clone(),
                ca_file: args
                    .cloud
                    .ca_file
                    .as_ref()
                    .map(|p| absolute(Path::new(p)).display().to_string()),
            },
            typed_region: args.region.clone(),
        })
    }

    /// The profile as `config.toml` keeps it: what was typed, nothing that came from the environment.
    pub fn profile(&self) -> Profile {
        let typed = self.typed.clone();
        Profile {
            kind: "access-key".to_owned(),
            access_key_id: Some(self.access_key_id.to_string()),
            secret_store: self.is_secret_in_file.then(|| "file".to_owned()),
            region: self.typed_region.clone(),
            project: None,
            cloud: typed.cloud,
            cce_endpoint: typed.cce_endpoint,
            iam_endpoint: typed.iam_endpoint,
            ca_file: typed.ca_file,
        }
    }
}

/// A path as it stays valid from any directory.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Which cluster, exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where.
    pub region: Region,
    /// Whose.
    pub project_id: ProjectId,
    /// Which.
    pub cluster_id: ClusterId,
    /// Its path at CCE is another one.
    pub is_autopilot: bool,
}

/// What `get-credential` means.
#[derive(Debug, Clone)]
pub struct GetCredentialPlan {
    /// Where.
    pub region: Region,
    /// Whose; looked up at IAM when it is not given.
    pub project_id: Option<ProjectId>,
    /// Which.
    pub cluster_id: ClusterId,
    /// Its path at CCE is another one.
    pub is_autopilot: bool,
    /// Where the cloud answers.
    pub cloud: CloudSettings,
    /// The certificate and where it is kept.
    pub certificate: CertificateSettings,
    /// Another lifetime than asked for is refused.
    pub is_lifetime_strict: bool,
    /// Skip the cache.
    pub is_refresh_forced: bool,
    /// The version to answer in.
    pub api_version: ApiVersion,
    /// A person at a terminal reads the answer, so the key is not shown.
    pub is_key_redacted: bool,
    /// How the run behaves.
    pub run: RunSettings,
}

impl GetCredentialPlan {
    /// Makes the plan; `exec_info` is what the client told us, `profile` the settings of the identity's profile.
    pub fn new(
        args: &GetCredentialArgs,
        global: &GlobalArgs,
        env: &Env,
        profile: Option<&Profile>,
        terminal: Terminal,
        exec_info: Option<&ExecInfo>,
    ) -> Result<Self, PlanError> {
        let sources = Sources { env, profile };
        let typed = |flag: &str, text: &str| Given {
            text: text.to_owned(),
            origin: flag.to_owned(),
        };
        let project_id = sources.find(
            "--project-id",
            args.project_id.as_deref(),
            Some(env_vars::SDK_PROJECT_ID),
            none,
        );
        let id_hint = crate::ids::InvalidId::hint;
        let api_version = api_version(args.exec_api_version.as_deref())?;
        let asks =
            exec_info.is_none_or(|info| info.interactive) && terminal.stdin && terminal.stderr && !global.no_input;
        Ok(Self {
            region: typed("--region", &args.region).parse(Region::parse, id_hint)?,
            project_id: project_id
                .map(|given| given.parse(ProjectId::parse, id_hint))
                .transpose()?,
            cluster_id: typed("--cluster-id", &args.cluster_id).parse(ClusterId::parse, id_hint)?,
            is_autopilot: args.autopilot,
            cloud: CloudSettings::new(&args.cloud, &sources)?,
            certificate: CertificateSettings::new(&args.certificate, &sources)?,
            is_lifetime_strict: args.strict_duration,
            is_refresh_forced: args.force_refresh,
            api_version: exec_info.map_or(api_version.unwrap_or_default(), |info| info.api_version),
            is_key_redacted: exec_info.is_none() && terminal.stdout && !args.show_key,
            run: RunSettings {
                timeout: timeout(global, env)?.unwrap_or(GET_CREDENTIAL_TIMEOUT),
                is_interactive: asks && !is_set(env, env_vars::NO_INPUT),
            },
        })
    }
}

fn api_version(typed: Option<&str>) -> Result<Option<ApiVersion>, PlanError> {
    let given = typed.map(|text| Given {
        text: text.to_owned(),
        origin: "--exec-api-version".to_owned(),
    });
    given.map(|g| g.one_of(ApiVersion::parse, "v1 or v1beta1")).transpose()
}

/// A project as a person names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectChoice {
    /// By its name.
    Name(String),
    /// By its id: 32 hexadecimal digits.
    Id(ProjectId),
}

/// Which of a cluster's endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerChoice {
    /// The first that answers, the internal one first.
    Auto,
    /// The VPC's.
    Internal,
    /// The elastic IP's.
    External,
    /// This URL: a custom SAN, a bastion.
    Url(Endpoint),
}

/// What becomes of `current-context`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CurrentContext {
    /// Set where there is none.
    IfNone,
    /// Set.
    Set,
    /// Left alone.
    Keep,
}

/// What becomes of the new entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// The kubeconfig.
    Write,
    /// A complete kubeconfig on stdout.
    Print,
    /// A diff on stdout.
    DryRun,
}

/// What `login` means.
#[derive(Debug, Clone)]
pub struct LoginPlan {
    /// The cluster's name or id.
    pub cluster: Option<String>,
    /// Where.
    pub region: Region,
    /// Whose.
    pub project: ProjectChoice,
    /// Which endpoint.
    pub server: ServerChoice,
    /// Where the cloud answers.
    pub cloud: CloudSettings,
    /// The certificate and where it is kept.
    pub certificate: CertificateSettings,
    /// `--kubeconfig`.
    pub kubeconfig: Option<PathBuf>,
    /// `--context-name`, a template.
    pub context_name: Option<String>,
    /// What becomes of `current-context`.
    pub current_context: CurrentContext,
    /// What becomes of the entries.
    pub destination: Destination,
    /// Write the full path of the plugin.
    pub is_path_absolute: bool,
    /// The exec version, if it was named.
    pub exec_api_version: Option<ApiVersion>,
    /// The proxy for the cluster entry.
    pub proxy_url: Option<String>,
    /// Ask the API server.
    pub is_checked: bool,
    /// Asked for by name: the API server is not verified.
    pub is_server_unverified: bool,
    /// How the run behaves.
    pub run: RunSettings,
}

impl LoginPlan {
    /// Makes the plan; `profile` holds the settings of the identity's profile.
    pub fn new(
        args: &LoginArgs,
        global: &GlobalArgs,
        env: &Env,
        profile: Option<&Profile>,
        terminal: Terminal,
    ) -> Result<Self, PlanError> {
        let sources = Sources { env, profile };
        let cluster = sources.find("--cluster", args.cluster.as_deref(), Some(env_vars::CLUSTER), none);
        let region = sources.find("--region", args.region.as_deref(), Some(env_vars::REGION), |p| {
            p.region.as_ref()
        });
        let project = sources.find("--project", args.project.as_deref(), Some(env_vars::PROJECT), |p| {
            p.project.as_ref()
        });
        let project = project.or_else(|| sources.find("--project", None, Some(env_vars::SDK_PROJECT_ID), none));
        let project = project.as_ref().map(project_choice).transpose()?;
        let region = match (region, &project) {
            (Some(given), _) => given.parse(Region::parse, crate::ids::InvalidId::hint)?,
            (None, Some(ProjectChoice::Name(name)))
                if Region::of_project(name).is_some_and(|r| r.as_str().contains('-')) =>
            {
                Region::of_project(name).ok_or_else(missing_region)?
            }
            _ => return Err(missing_region()),
        };
        let project = project.unwrap_or_else(|| ProjectChoice::Name(region.to_string()));
        Ok(Self {
            cluster: cluster.map(|given| given.text),
            project,
            region,
            server: server_choice(args)?,
            cloud: CloudSettings::new(&args.cloud, &sources)?,
            certificate: CertificateSettings::new(&args.certificate, &sources)?,
            kubeconfig: args.kubeconfig.as_ref().map(PathBuf::from),
            context_name: args.context_name.clone(),
            current_context: match (args.set_current, args.keep_current) {
                (true, _) => CurrentContext::Set,
                (_, true) => CurrentContext::Keep,
                _ => CurrentContext::IfNone,
            },
            destination: match (args.print, args.dry_run) {
                (true, _) => Destination::Print,
                (_, true) => Destination::DryRun,
                _ => Destination::Write,
            },
            is_path_absolute: args.absolute_path,
            exec_api_version: api_version(args.exec_api_version.as_deref())?,
            proxy_url: args.proxy_url.as_deref().map(proxy_url).transpose()?,
            is_checked: !args.no_check,
            is_server_unverified: args.insecure_skip_tls_verify,
            run: RunSettings::new(global, env, terminal)?,
        })
    }
}

fn missing_region() -> PlanError {
    PlanError::Missing {
        what: "region",
        cure: format!(
            "give it with `--region`, such as `--region eu-de`, or with `{}`",
            env_vars::REGION
        ),
    }
}

fn project_choice(given: &Given) -> Result<ProjectChoice, PlanError> {
    let text = given.text.as_str();
    if text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit()) {
        return Ok(ProjectChoice::Id(
            given.parse(ProjectId::parse, crate::ids::InvalidId::hint)?,
        ));
    }
    if text.chars().any(char::is_control) || text.len() > 128 {
        return Err(PlanError::Invalid {
            origin: given.origin.clone(),
            problem: "it is not a project's name or id".to_owned(),
            cure: "give a project's name such as `eu-de_team`, or its id".to_owned(),
        });
    }
    Ok(ProjectChoice::Name(text.to_owned()))
}

fn server_choice(args: &LoginArgs) -> Result<ServerChoice, PlanError> {
    if let Some(url) = &args.server {
        let given = Given {
            text: url.clone(),
            origin: "--server".to_owned(),
        };
        let url = given.parse(Endpoint::parse, crate::ids::InvalidEndpoint::hint)?;
        if !url.as_str().starts_with("https://") {
            return Err(PlanError::Invalid {
                origin: given.origin,
                problem: format!("`{url}` is not encrypted"),
                cure: "an API server is reached by https".to_owned(),
            });
        }
        return Ok(ServerChoice::Url(url));
    }
    let Some(access) = &args.access else {
        return Ok(ServerChoice::Auto);
    };
    let parse = |text: &str| match text {
        "auto" => Some(ServerChoice::Auto),
        "internal" => Some(ServerChoice::Internal),
        "external" => Some(ServerChoice::External),
        _ => None,
    };
    Given {
        text: access.clone(),
        origin: "--access".to_owned(),
    }
    .one_of(parse, "auto, internal or external")
}

fn proxy_url(text: &str) -> Result<String, PlanError> {
    let is_proxy = ["http://", "https://", "socks5://"]
        .iter()
        .any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    if is_proxy && !text.chars().any(|c| c.is_control() || c.is_whitespace()) && !text.contains('@') {
        return Ok(text.to_owned());
    }
    Err(PlanError::Invalid {
        origin: "--proxy-url".to_owned(),
        problem: "it is not a proxy's URL without user and password".to_owned(),
        cure: "give `http://host:port`, `https://host:port` or `socks5://host:port`; a password does not belong in a kubeconfig".to_owned(),
    })
}
