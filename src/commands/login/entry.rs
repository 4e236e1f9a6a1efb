//! The kubeconfig entries of a login: their names, the exec arguments, and what an earlier login left in them.

use crate::cli::GetCredentialArgs;
use crate::commands::login::prepare::PreparedCluster;
use crate::commands::login::setup::{ClusterSetup, LoginRun};
use crate::contexts::{self, exec_arguments};
use crate::exec_credential::ApiVersion;
use crate::host::programs::{self, COMMAND};
use crate::ids::Endpoint;
use crate::kubeconfig::{ClusterEntry, Current, ExecEntry, Login, OurContext};
use crate::plan::CurrentContext;

/// What an earlier login for the same cluster and identity wrote.
pub(super) struct ExistingEntry {
    context_name: String,
    command: String,
    api_version: Option<ApiVersion>,
    proxy_url: Option<String>,
    /// The server in the entry.
    pub(super) server: Option<Endpoint>,
    /// The authorities in the entry.
    pub(super) ca_pem: Option<Vec<u8>>,
    /// The name under which the server in the entry verifies.
    pub(super) tls_server_name: Option<String>,
    /// The entry says not to verify it.
    pub(super) is_unverified: bool,
    /// The arguments in the entry.
    pub(super) args: GetCredentialArgs,
}

impl ExistingEntry {
    /// What it left in this context; `None` if its arguments cannot be understood.
    pub(super) fn of(context: &OurContext<'_>) -> Option<Self> {
        Some(Self {
            context_name: context.name.to_owned(),
            command: context.command.to_owned(),
            api_version: context.api_version.and_then(ApiVersion::parse),
            proxy_url: context.proxy_url.map(str::to_owned),
            server: context.server.and_then(|url| Endpoint::parse(url).ok()),
            ca_pem: context.certificate_authority_data.clone(),
            tls_server_name: context.tls_server_name.map(str::to_owned),
            is_unverified: context.insecure_skip_tls_verify,
            args: contexts::arguments(context).ok()?,
        })
    }
}

/// The API server of a cluster entry.
pub(super) struct ServerEntry {
    pub(super) url: String,
    /// `None`: not known before the first certificate.
    pub(super) ca_pem: Option<Vec<u8>>,
    pub(super) tls_server_name: Option<String>,
}

impl ServerEntry {
    /// The one that was chosen, with the authorities that came with the certificate.
    pub(super) fn of(ready: &PreparedCluster) -> Self {
        Self {
            url: ready.chosen.url().to_string(),
            ca_pem: ready.note.ca_pem.clone().map(String::into_bytes),
            tls_server_name: ready.chosen.tls_server_name().map(str::to_owned),
        }
    }
}

/// The three entries, as they are to be.
pub(super) fn login(
    ground: &LoginRun<'_>,
    setup: &ClusterSetup<'_>,
    context_name: String,
    server: ServerEntry,
) -> Login {
    let (plan, previous) = (setup.plan, setup.previous);
    let host = ground.session.host;
    let is_unverified = setup.is_unverified();
    let api_version = plan
        .exec_api_version
        .or_else(|| previous?.api_version)
        .unwrap_or_else(|| ground.exec_api_version());
    let command = match previous {
        _ if plan.is_path_absolute => {
            programs::stable_path(host).map_or_else(|| COMMAND.to_owned(), |path| path.display().to_string())
        }
        Some(previous) => previous.command.clone(),
        None => COMMAND.to_owned(),
    };
    Login {
        context_name,
        cluster: ClusterEntry {
            server: server.url,
            certificate_authority_data: server.ca_pem.filter(|_| !is_unverified),
            tls_server_name: server.tls_server_name,
            proxy_url: plan.proxy_url.clone().or_else(|| previous?.proxy_url.clone()),
            insecure_skip_tls_verify: is_unverified,
        },
        exec: ExecEntry {
            api_version: api_version.as_str().to_owned(),
            command,
            args: exec_arguments::arguments(&exec_arguments::Arguments {
                target: &setup.target(),
                identity: setup.identity,
                cloud: &plan.cloud,
                certificate: setup.certificate,
                is_lifetime_strict: previous.is_some_and(|previous| previous.args.strict_duration),
            }),
            install_hint: exec_arguments::INSTALL_HINT.to_owned(),
        },
        namespace: None,
        current: match plan.current_context {
            CurrentContext::IfNone => Current::IfNone,
            CurrentContext::Set => Current::Set,
            CurrentContext::Keep => Current::Keep,
        },
        cluster_name: cluster_name(setup),
        user_name: user_name(setup),
    }
}

fn cluster_name(setup: &ClusterSetup<'_>) -> String {
    format!("{}.{}", setup.site.cluster.name, setup.site.project.name)
}

fn user_name(setup: &ClusterSetup<'_>) -> String {
    format!("{}@{}", setup.identity.name(), cluster_name(setup))
}

/// `--context-name`, else what the entry has, else the cluster's name if it `is_free`; the user's name where the profile is not the
/// default one, or the cluster's name is taken by another cluster.
pub(super) fn context_name(setup: &ClusterSetup<'_>, is_free: impl FnOnce(&str) -> bool) -> String {
    let cluster = &setup.site.cluster.name;
    if let Some(template) = &setup.plan.context_name {
        return template
            .replace("{cluster}", cluster)
            .replace("{region}", setup.site.region.as_str())
            .replace("{project}", &setup.site.project.name)
            .replace("{profile}", setup.identity.name());
    }
    if let Some(previous) = setup.previous {
        return previous.context_name.clone();
    }
    let is_default = setup.identity.is_from_environment() || setup.identity.name() == "default";
    if is_default && is_free(cluster) {
        cluster.clone()
    } else {
        user_name(setup)
    }
}
