//! The kubeconfig entries of a login: their names, the exec arguments, and what an earlier login left in them.

use super::Setup;
use crate::cache::index::IndexEntry;
use crate::cce::cluster::Cluster;
use crate::cli::GetCredentialArgs;
use crate::cloud::Cloud;
use crate::commands::choose_server::Chosen;
use crate::commands::contexts;
use crate::commands::kubectl::Kubectl;
use crate::commands::on_path::{self, COMMAND};
use crate::commands::session::Session;
use crate::exec_credential::ApiVersion;
use crate::identity::Identity;
use crate::ids::Endpoint;
use crate::kubeconfig::{ClusterEntry, Current, ExecEntry, Kubeconfig, Login, cluster_id};
use crate::lifetime::CertLifetime;
use crate::plan::{CurrentContext, absolute};
use crate::store::CacheMode;

/// What client-go shows when the command is not found.
const INSTALL_HINT: &str = "kubectl-cce_login signs you in to this cluster, but it is not on the PATH of the program that needs it.\n\
                            Install it, or run `kubectl cce-login` once more with --absolute-path for programs started outside a shell.";

/// What an earlier login for the same cluster and identity wrote.
pub(super) struct Previous {
    context_name: String,
    command: String,
    api_version: Option<ApiVersion>,
    proxy_url: Option<String>,
    /// The server in the entry.
    pub(super) server: Option<Endpoint>,
    /// The entry says not to verify it.
    pub(super) is_unverified: bool,
    /// The arguments in the entry.
    pub(super) args: GetCredentialArgs,
}

impl Previous {
    /// Finds our context for this cluster and identity.
    pub(super) fn find(kubeconfig: &Kubeconfig, cluster: &Cluster, identity: &Identity) -> Option<Self> {
        let pin = identity.pin_argument();
        let ours = kubeconfig.ours().into_iter();
        let context = ours.into_iter().find(|context| {
            cluster_id(&context.args) == Some(cluster.id.as_str()) && context.args.iter().any(|arg| *arg == pin)
        })?;
        let args = contexts::arguments(&context).ok()?;
        Some(Self {
            context_name: context.name.to_owned(),
            command: context.command.to_owned(),
            api_version: context.api_version.and_then(ApiVersion::parse),
            proxy_url: context.proxy_url.map(str::to_owned),
            server: context.server.and_then(|url| Endpoint::parse(url).ok()),
            is_unverified: context.insecure_skip_tls_verify,
            args,
        })
    }
}

/// The three entries, as they are to be.
pub(super) fn login(
    session: &Session<'_>,
    setup: &Setup<'_>,
    kubeconfig: &Kubeconfig,
    chosen: &Chosen,
    note: &IndexEntry,
) -> Login {
    let (plan, previous) = (setup.plan, setup.previous.as_ref());
    let cluster_name = format!("{}.{}", setup.cluster.name, setup.project.name);
    let user_name = format!("{}@{cluster_name}", setup.identity.name());
    let is_unverified = setup.is_unverified();
    let api_version = plan
        .exec_api_version
        .or_else(|| previous?.api_version)
        .or_else(|| Some(Kubectl::find(session.host)?.exec_api_version()))
        .unwrap_or_default();
    let command = match previous {
        _ if plan.is_path_absolute => {
            on_path::stable_path(session.host).map_or_else(|| COMMAND.to_owned(), |path| path.display().to_string())
        }
        Some(previous) => previous.command.clone(),
        None => COMMAND.to_owned(),
    };
    Login {
        context_name: context_name(setup, kubeconfig, &user_name),
        cluster: ClusterEntry {
            server: chosen.url().to_string(),
            certificate_authority_data: note.ca_pem.clone().filter(|_| !is_unverified).map(String::into_bytes),
            tls_server_name: chosen.tls_server_name().map(str::to_owned),
            proxy_url: plan.proxy_url.clone().or_else(|| previous?.proxy_url.clone()),
            insecure_skip_tls_verify: is_unverified,
        },
        exec: ExecEntry {
            api_version: api_version.as_str().to_owned(),
            command,
            args: arguments(setup),
            install_hint: INSTALL_HINT.to_owned(),
        },
        namespace: None,
        current: match plan.current_context {
            CurrentContext::IfNone => Current::IfNone,
            CurrentContext::Set => Current::Set,
            CurrentContext::Keep => Current::Keep,
        },
        cluster_name,
        user_name,
    }
}

/// `--context-name`, else what the entry has, else the cluster's name; the user's name where the profile is not the
/// default one, or the cluster's name is taken by another cluster.
fn context_name(setup: &Setup<'_>, kubeconfig: &Kubeconfig, user_name: &str) -> String {
    let cluster = &setup.cluster.name;
    if let Some(template) = &setup.plan.context_name {
        return template
            .replace("{cluster}", cluster)
            .replace("{region}", setup.plan.region.as_str())
            .replace("{project}", &setup.project.name)
            .replace("{profile}", setup.identity.name());
    }
    if let Some(previous) = &setup.previous {
        return previous.context_name.clone();
    }
    let is_default = setup.identity.is_from_environment() || setup.identity.name() == "default";
    if is_default && kubeconfig.context_is_free_for(cluster, setup.cluster.id.as_str()) {
        cluster.clone()
    } else {
        user_name.to_owned()
    }
}

/// The exec arguments: the cluster, the pin, and every setting that is not the built-in default, always in this order.
fn arguments(setup: &Setup<'_>) -> Vec<String> {
    let (plan, target) = (setup.plan, setup.target());
    let mut args = vec![
        "get-credential".to_owned(),
        format!("--region={}", target.region),
        format!("--project-id={}", target.project_id),
        format!("--cluster-id={}", target.cluster_id),
        setup.identity.pin_argument(),
    ];
    let mut add = |flag: &str, value: Option<String>| args.extend(value.map(|value| format!("--{flag}={value}")));
    let certificate = setup.certificate;
    add(
        "duration",
        Some(certificate.lifetime)
            .filter(|l| *l != CertLifetime::default())
            .map(|l| l.to_string()),
    );
    add(
        "cache",
        Some(certificate.cache)
            .filter(|c| *c != CacheMode::Auto)
            .map(|c| c.as_str().to_owned()),
    );
    let cloud = plan
        .cloud
        .cloud
        .as_ref()
        .filter(|cloud| **cloud != Cloud::of_region(&target.region));
    add("cloud", cloud.map(|cloud| cloud.as_str().to_owned()));
    add(
        "cce-endpoint",
        plan.cloud.cce_endpoint.as_ref().map(ToString::to_string),
    );
    add(
        "iam-endpoint",
        plan.cloud.iam_endpoint.as_ref().map(ToString::to_string),
    );
    add(
        "ca-file",
        plan.cloud
            .ca_file
            .as_deref()
            .map(|path| absolute(path).display().to_string()),
    );
    if target.is_autopilot {
        args.push("--autopilot".to_owned());
    }
    if setup
        .previous
        .as_ref()
        .is_some_and(|previous| previous.args.strict_duration)
    {
        args.push("--strict-duration".to_owned());
    }
    args
}
