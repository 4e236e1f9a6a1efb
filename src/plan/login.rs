//! What `login` means.

use crate::cli::words::AccessChoice;
use crate::cli::{GlobalArgs, LoginArgs, SearchArgs};
use crate::config::Profile;
use crate::env_vars;
use crate::exec_credential::ApiVersion;
use crate::host::{Env, Terminal};
use crate::huaweicloud::cloud::Cloud;
use crate::ids::{Endpoint, Region};
use crate::plan::given::{Given, Sources, none};
use crate::plan::project::ProjectChoice;
use crate::plan::search::{Reach, SearchPlan, place};
use crate::plan::settings::CertificateSettings;
use crate::plan::{PlanError, api_version};
use std::path::PathBuf;

/// Which clusters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClusterChoice {
    /// These, by name or id; none: that is still to be asked.
    Named(Vec<String>),
    /// Every one that the search finds.
    All,
}

impl ClusterChoice {
    /// The regions, where each of the clusters is named with its project, as `clusters -o name` does: `prod.eu-de_team`.
    fn named_regions(&self) -> Option<Vec<Region>> {
        let Self::Named(names) = self else { return None };
        let region = |name: &String| {
            let (_, project) = name.rsplit_once('.')?;
            Region::of_project(project).filter(|region| Cloud::known_regions().any(|known| known == *region))
        };
        let mut regions = names.iter().map(region).collect::<Option<Vec<_>>>()?;
        regions.sort();
        regions.dedup();
        (!regions.is_empty()).then_some(regions)
    }
}

/// Which of a cluster's endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServerChoice {
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
pub(crate) enum CurrentContext {
    /// Set where there is none.
    IfNone,
    Set,
    /// Left alone.
    Keep,
}

/// What becomes of the new entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    /// The kubeconfig.
    Write,
    /// A complete kubeconfig on stdout.
    Print,
    /// A diff on stdout.
    DryRun,
}

/// What a person has said at the terminal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers {
    pub(crate) region: Option<Region>,
    pub(crate) project: Option<ProjectChoice>,
}

/// What `login` means.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct LoginPlan {
    /// The clusters.
    pub(crate) clusters: ClusterChoice,
    /// Their names say where they are; then a profile's region and project do not count.
    pub(crate) is_place_named: bool,
    /// Where to look for them. For clusters by name: in this project of each region, or in its main one; a profile's region and project
    /// count. For all: everywhere that these allow.
    pub(crate) search: SearchPlan,
    /// Which endpoint.
    pub(crate) server: ServerChoice,
    /// The certificate and where it is kept.
    pub(crate) certificate: CertificateSettings,
    /// `--kubeconfig`.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// `--context-name`, a template.
    pub(crate) context_name: Option<String>,
    /// What becomes of `current-context`.
    pub(crate) current_context: CurrentContext,
    /// What becomes of the entries.
    pub(crate) destination: Destination,
    /// Write the full path of the plugin.
    pub(crate) is_path_absolute: bool,
    /// The exec version, if it was named.
    pub(crate) exec_api_version: Option<ApiVersion>,
    /// The proxy for the cluster entry.
    pub(crate) proxy_url: Option<String>,
    /// Wait for every certificate, however many they are.
    pub(crate) is_waiting: bool,
    /// Ask the API server.
    pub(crate) is_checked: bool,
    /// Asked for by name: the API server is not verified.
    pub(crate) is_server_unverified: bool,
}

/// Where a login looks, as far as its flags say.
fn search_of(args: &LoginArgs) -> SearchArgs {
    SearchArgs {
        region: args.region.clone(),
        project: args.project.clone(),
        cloud: args.cloud.clone(),
        ..SearchArgs::default()
    }
}

impl LoginPlan {
    /// Makes the plan; `profile` holds the settings of the identity's profile.
    pub(crate) fn new(
        args: &LoginArgs,
        global: &GlobalArgs,
        env: &Env,
        profile: Option<&Profile>,
        terminal: Terminal,
    ) -> Result<Self, PlanError> {
        let sources = Sources { env, profile };
        let clusters = if args.all {
            ClusterChoice::All
        } else {
            let named = Given::list("--cluster", &args.cluster, &sources, env_vars::CLUSTER, none);
            ClusterChoice::Named(named.into_iter().map(|given| given.text).collect())
        };
        let certificate = CertificateSettings::new(&args.certificate, &sources)?;
        // Clusters whose names say where they are need no place beside.
        let named_regions = clusters.named_regions();
        let is_place_named = named_regions.is_some();
        let reach = if clusters == ClusterChoice::All || is_place_named {
            Reach::Everywhere
        } else {
            Reach::AsProfileSays
        };
        let mut search = SearchPlan::of_reach(reach, &search_of(args), global, env, profile, terminal)?;
        search.cache = certificate.cache;
        if let Some(regions) = named_regions.filter(|_| search.regions.is_empty()) {
            search.regions = regions;
        }
        Ok(Self {
            clusters,
            is_place_named,
            search,
            server: server_choice(args)?,
            certificate,
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
            proxy_url: args
                .proxy_url
                .as_deref()
                .map(|url| proxy_url("--proxy-url", url))
                .transpose()?,
            is_waiting: args.wait,
            is_checked: !args.no_check,
            is_server_unverified: args.insecure_skip_tls_verify,
        })
    }

    /// Where a login looks for clusters by name that is told nothing but flags of these names: in these regions (none: everywhere), and in this
    /// project of them, else in their main one.
    pub(crate) fn place(
        search: &SearchArgs,
        env: &Env,
        profile: Option<&Profile>,
    ) -> Result<(Vec<Region>, Option<ProjectChoice>), PlanError> {
        place(Reach::AsProfileSays, search, &Sources { env, profile })
    }

    /// The plan with what a person has said; it counts like a flag.
    #[must_use]
    pub(crate) fn answered(mut self, answers: Answers) -> Self {
        if let Some(region) = answers.region {
            self.search.regions = vec![region];
        }
        self.search.project = answers.project.or(self.search.project);
        self
    }
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
    let access = Given {
        text: access.clone(),
        origin: "--access".to_owned(),
    };
    Ok(match access.one_of()? {
        AccessChoice::Auto => ServerChoice::Auto,
        AccessChoice::Internal => ServerChoice::Internal,
        AccessChoice::External => ServerChoice::External,
    })
}

pub(super) fn proxy_url(flag: &str, text: &str) -> Result<String, PlanError> {
    let is_proxy = ["http://", "https://", "socks5://"]
        .iter()
        .any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    if is_proxy && !text.chars().any(|c| c.is_control() || c.is_whitespace()) && !text.contains('@') {
        return Ok(text.to_owned());
    }
    Err(PlanError::Invalid {
        origin: flag.to_owned(),
        problem: "it is not a proxy's URL without user and password".to_owned(),
        cure:
            "give `http://host:port`, `https://host:port` or `socks5://host:port`; a password does not belong in a file"
                .to_owned(),
    })
}
