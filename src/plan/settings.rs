//! The settings that several commands share: the cloud, the certificate, how the run behaves.

use crate::cli::{CertificateArgs, CloudArgs, GlobalArgs};
use crate::config::Profile;
use crate::env_vars;
use crate::host::{Env, Terminal};
use crate::huaweicloud::cloud::Cloud;
use crate::ids::{Endpoint, Region};
use crate::lifetime::{CertLifetime, parse_seconds};
use crate::plan::PlanError;
use crate::plan::given::{Sources, none};
use crate::register::SharedCache;
use crate::sanitize::sanitize;
use crate::store::CacheMode;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The bound on a command that a person runs.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(180);
/// What each certificate adds to it where many are fetched: the cloud grants about ten a minute.
const TIMEOUT_PER_CERTIFICATE: Duration = Duration::from_secs(6);

/// The bound on waiting for a job: a rotation of a large cluster takes half an hour.
const TIMEOUT_OF_JOB: Duration = Duration::from_secs(3600);

/// Where the cloud answers, and whom to trust there.
#[derive(Debug, Clone)]
pub(crate) struct CloudSettings {
    /// The cloud, if it was named rather than recognised by the region.
    pub(crate) cloud: Option<Cloud>,
    /// CCE's endpoint, if it was named.
    pub(crate) cce_endpoint: Option<Endpoint>,
    /// IAM's endpoint, if it was named.
    pub(crate) iam_endpoint: Option<Endpoint>,
    /// PEM roots in place of the system's, if they were named.
    pub(crate) ca_file: Option<PathBuf>,
    /// PEM roots by `SSL_CERT_FILE`: not ours to write into a kubeconfig.
    pub(crate) ssl_cert_file: Option<PathBuf>,
    /// The profile's proxy, in place of the environment's.
    pub(crate) proxy: Option<String>,
}

impl CloudSettings {
    pub(super) fn new(args: &CloudArgs, sources: &Sources<'_>) -> Result<Self, PlanError> {
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
                .map(|g| g.parse(Cloud::parse, crate::huaweicloud::cloud::InvalidCloud::hint))
                .transpose()?,
            cce_endpoint: endpoint("--cce-endpoint", &args.cce_endpoint, env_vars::CCE_ENDPOINT, |p| {
                p.cce_endpoint.as_ref()
            })?,
            iam_endpoint: endpoint("--iam-endpoint", &args.iam_endpoint, env_vars::IAM_ENDPOINT, |p| {
                p.iam_endpoint.as_ref()
            })?,
            ca_file: ca_file.map(|given| PathBuf::from(given.text)),
            ssl_cert_file: sources.env.var_os(env_vars::SSL_CERT_FILE).map(PathBuf::from),
            proxy: sources.profile.and_then(|profile| profile.proxy.clone()),
        })
    }

    /// For a command about the identity alone: flag, `CCE_LOGIN_*`, then what the identity's source says.
    pub(crate) fn for_identity(args: &CloudArgs, env: &Env, profile: Option<&Profile>) -> Result<Self, PlanError> {
        Self::new(args, &Sources { env, profile })
    }

    /// CCE's endpoint in `region`.
    pub(crate) fn cce(&self, region: &Region) -> Endpoint {
        self.cce_endpoint
            .clone()
            .unwrap_or_else(|| self.cloud_of(region).cce(region))
    }

    /// IAM's endpoint in `region`.
    pub(crate) fn iam(&self, region: &Region) -> Endpoint {
        self.iam_endpoint
            .clone()
            .unwrap_or_else(|| self.cloud_of(region).iam(region))
    }

    /// The IAMs that know this cloud's projects, where no region says which.
    pub(crate) fn iam_of_all_regions(&self) -> Vec<(Region, Endpoint)> {
        let all = self.cloud.as_ref().unwrap_or(&Cloud::Huawei).iam_of_all_regions();
        match &self.iam_endpoint {
            Some(endpoint) => all
                .into_iter()
                .take(1)
                .map(|(region, _)| (region, endpoint.clone()))
                .collect(),
            None => all,
        }
    }

    /// The cloud: as it was named, else by the region.
    pub(crate) fn cloud_of(&self, region: &Region) -> Cloud {
        self.cloud.clone().unwrap_or_else(|| Cloud::of_region(region))
    }

    /// The file of roots for the cloud endpoints; `None` for the system's roots.
    pub(crate) fn roots(&self) -> Option<&Path> {
        self.ca_file.as_deref().or(self.ssl_cert_file.as_deref())
    }
}

/// The certificate's lifetime and where it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertificateSettings {
    /// How long it shall live.
    pub(crate) lifetime: CertLifetime,
    /// Where it is kept.
    pub(crate) cache: CacheMode,
    /// Where somebody else keeps certificates.
    pub(crate) cache_from: Option<PathBuf>,
    /// The register of many machines that is asked before the cloud is.
    pub(crate) shared_cache: SharedCache,
}

impl CertificateSettings {
    pub(super) fn new(args: &CertificateArgs, sources: &Sources<'_>) -> Result<Self, PlanError> {
        let lifetime = sources.find("--duration", args.duration.as_deref(), Some(env_vars::DURATION), none);
        let cache = sources.find("--cache", args.cache.as_deref(), Some(env_vars::CACHE), none);
        let shared = sources.find(
            "--shared-cache",
            args.shared_cache.as_deref(),
            Some(env_vars::SHARED_CACHE),
            |profile| profile.shared_cache.as_ref(),
        );
        let cure =
            |_: &_| "give a number with `m`, `h` or `d`, such as `8h`, between 15m and 1827d, or `max`".to_owned();
        Ok(Self {
            lifetime: lifetime
                .map(|g| g.parse(CertLifetime::parse, cure))
                .transpose()?
                .unwrap_or_default(),
            cache: cache.map(|g| g.one_of()).transpose()?.unwrap_or(CacheMode::Auto),
            cache_from: args.cache_from.as_ref().map(PathBuf::from),
            shared_cache: shared
                .map(|g| g.of_form(SharedCache::parse, SharedCache::FORMS))
                .transpose()?
                .unwrap_or_default(),
        })
    }
}

impl CertificateSettings {
    /// The settings of a login that is repeated: flag, variable, then what the kubeconfig entry has already.
    pub(crate) fn inheriting(args: &CertificateArgs, env: &Env, entry: &CertificateArgs) -> Result<Self, PlanError> {
        let pick = |typed: &Option<String>, variable, had: &Option<String>| {
            typed.clone().or_else(|| env.var(variable)).or_else(|| had.clone())
        };
        let args = CertificateArgs {
            duration: pick(&args.duration, env_vars::DURATION, &entry.duration),
            cache: pick(&args.cache, env_vars::CACHE, &entry.cache),
            cache_from: args.cache_from.clone().or_else(|| entry.cache_from.clone()),
            shared_cache: pick(&args.shared_cache, env_vars::SHARED_CACHE, &entry.shared_cache),
        };
        Self::new(&args, &Sources { env, profile: None })
    }

    /// The settings of a command that has no flags for them.
    pub(crate) fn without_flags(env: &Env, profile: Option<&Profile>) -> Result<Self, PlanError> {
        Self::new(&CertificateArgs::default(), &Sources { env, profile })
    }
}

/// Where a command that has no `--cache` keeps things: by `CCE_LOGIN_CACHE`.
pub(crate) fn cache_mode(env: &Env) -> Result<CacheMode, PlanError> {
    Ok(CertificateSettings::new(&CertificateArgs::default(), &Sources { env, profile: None })?.cache)
}

/// How the run behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunSettings {
    /// The bound on the whole run.
    pub(crate) timeout: Duration,
    /// What each certificate that turns out to be due adds to it; nothing where the bound was named.
    pub(crate) timeout_per_certificate: Duration,
    /// A person can be asked, and a store may open its dialog.
    pub(crate) is_interactive: bool,
}

impl RunSettings {
    /// For a command that a person runs.
    pub(crate) fn new(args: &GlobalArgs, env: &Env, terminal: Terminal) -> Result<Self, PlanError> {
        Self::for_certificates(0, args, env, terminal)
    }

    /// For one that waits for a job of the cloud.
    pub(crate) fn for_job(args: &GlobalArgs, env: &Env, terminal: Terminal) -> Result<Self, PlanError> {
        let run = Self::new(args, env, terminal)?;
        Ok(Self {
            timeout: timeout(args, env)?.unwrap_or(TIMEOUT_OF_JOB),
            ..run
        })
    }

    /// For one that fetches so many certificates.
    pub(crate) fn for_certificates(
        count: usize,
        args: &GlobalArgs,
        env: &Env,
        terminal: Terminal,
    ) -> Result<Self, PlanError> {
        let asks = !args.no_input && !is_set(env, env_vars::NO_INPUT) && terminal.stdin && terminal.stderr;
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let named = timeout(args, env)?;
        let default = TIMEOUT.saturating_add(TIMEOUT_PER_CERTIFICATE.saturating_mul(count));
        Ok(Self {
            timeout: named.unwrap_or(default),
            timeout_per_certificate: named.map_or(TIMEOUT_PER_CERTIFICATE, |_| Duration::ZERO),
            is_interactive: asks,
        })
    }
}

pub(super) fn is_set(env: &Env, name: &str) -> bool {
    env.var(name)
        .is_some_and(|value| !matches!(value.as_str(), "0" | "false"))
}

/// How long a run may wait for what it reads: `usual`, if nothing else was said. What was said wrongly is told by the command itself.
pub(crate) fn time_for_inputs(args: &GlobalArgs, env: &Env, usual: Duration) -> Duration {
    timeout(args, env).ok().flatten().unwrap_or(usual)
}

pub(super) fn timeout(args: &GlobalArgs, env: &Env) -> Result<Option<Duration>, PlanError> {
    let given =
        Sources { env, profile: None }.find("--timeout", args.timeout.as_deref(), Some(env_vars::TIMEOUT), none);
    let parse = |text: &str| match parse_seconds(text).map(u64::try_from) {
        Some(Ok(seconds)) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("`{}` is not a duration", sanitize(text))),
    };
    given
        .map(|g| {
            g.parse(parse, |_| {
                "give a number with `s`, `m` or `h`, such as `25s`".to_owned()
            })
        })
        .transpose()
}
