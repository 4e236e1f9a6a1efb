//! The contexts that use us: which of them a command is about, and what they say.

pub(crate) mod authorities;
pub(crate) mod complete;
pub(crate) mod exec_arguments;
pub(crate) mod hand_over;
pub(crate) mod refresh;

use crate::account::project;
use crate::cache::index::CertificateRecord;
use crate::cache::tombstone::{self, Generation};
use crate::cli::{Cli, Command, GetCredentialArgs, GlobalArgs};
use crate::credential::Certificates;
use crate::credential::request::{CertificateRequest, Requester};
use crate::env_vars;
use crate::error::{Exit, Explain, Result};
use crate::exec_credential::ClusterInfo;
use crate::host::{Host, Input, Inputs};
use crate::identity::{self, Identity};
use crate::kubeconfig::{Kubeconfig, KubeconfigError, Locations, OurContext, cluster_id};
use crate::plan::{self, ClusterRef, GetCredentialPlan, Selection};
use crate::sanitize::sanitize;
use crate::session::Session;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// The longest that an entry's CA file is waited for, should it be a pipe.
const PATIENCE_WITH_FILE: Duration = Duration::from_secs(5);

/// Why a context cannot be used.
#[derive(Debug, thiserror::Error)]
enum ContextError {
    #[error("the kubeconfig has no current context")]
    NoCurrent,
    #[error("no context uses `kubectl cce-login`")]
    NoneOurs,
    #[error("context `{0}` does not use `kubectl cce-login`")]
    NotOurs(String),
    #[error("the arguments of its exec entry cannot be understood")]
    Arguments,
}

impl Explain for ContextError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoCurrent | Self::NoneOurs | Self::NotOurs(_) => Exit::Usage,
            Self::Arguments => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::NoCurrent => "choose one with `--context NAME`, or take `--all`",
                Self::NoneOurs => "`kubectl cce-login` sets one up",
                Self::NotOurs(_) => "choose another one with `--context NAME`; `kubectl cce-login` sets one up",
                Self::Arguments => "run `kubectl cce-login` again for this cluster: it writes the entry anew",
            }
            .to_owned(),
        )
    }
}

/// Reads the kubeconfig: the file that was `named`, which must be there, else those that kubectl reads.
pub(crate) fn load(host: &Host, named: Option<PathBuf>) -> Result<Kubeconfig> {
    let is_named = named.is_some();
    let kubeconfig = load_or_new(host, named)?;
    match kubeconfig.missing_file().filter(|_| is_named) {
        Some(path) => Err(KubeconfigError::Missing {
            path: path.to_owned(),
            is_of_environment: false,
        }
        .into()),
        None => Ok(kubeconfig),
    }
}

/// The same for who looks at nothing else: of the files that `KUBECONFIG` names, one must be there.
pub(crate) fn load_existing(host: &Host, named: Option<PathBuf>) -> Result<Kubeconfig> {
    let kubeconfig = load(host, named)?;
    match kubeconfig.nowhere() {
        Some(nowhere) => Err(nowhere.into()),
        None => Ok(kubeconfig),
    }
}

/// The same for who makes the file where there is none.
pub(crate) fn load_or_new(host: &Host, named: Option<PathBuf>) -> Result<Kubeconfig> {
    Ok(Kubeconfig::load(&locations(host, named)?)?)
}

/// Its files.
pub(crate) fn locations(host: &Host, named: Option<PathBuf>) -> Result<Locations> {
    let list = host.env.var_os(env_vars::KUBECONFIG);
    let locations = Locations::new(named, list.as_deref(), host.env.home().as_deref())?;
    Ok(locations.among(host.env.inputs()))
}

/// The contexts that are meant; at least one.
pub(crate) fn select<'k>(kubeconfig: &'k Kubeconfig, selection: &'k Selection) -> Result<Vec<OurContext<'k>>> {
    let ours = kubeconfig.ours();
    let names: Vec<&str> = match selection {
        _ if ours.is_empty()
            && let Some(nowhere) = kubeconfig.nowhere() =>
        {
            return Err(nowhere.into());
        }
        Selection::All if ours.is_empty() => return Err(ContextError::NoneOurs.into()),
        Selection::All => return Ok(ours),
        Selection::Named(names) => names.iter().map(String::as_str).collect(),
        Selection::Current => vec![kubeconfig.current_context().ok_or(ContextError::NoCurrent)?],
    };
    let find = |name: &str| -> Result<OurContext<'k>> {
        let found = ours.iter().find(|context| context.name == name).cloned();
        found.ok_or_else(|| match kubeconfig.context(name) {
            Some(_) => ContextError::NotOurs(sanitize(name)).into(),
            None => KubeconfigError::no_such_context(name, ours.iter().map(|context| context.name)).into(),
        })
    };
    let mut chosen: Vec<OurContext<'k>> = Vec::new();
    for name in names {
        if chosen.iter().all(|context| context.name != name) {
            chosen.push(find(name)?);
        }
    }
    Ok(chosen)
}

/// The arguments that kubectl runs us with.
pub(crate) fn arguments(context: &OurContext<'_>) -> Result<GetCredentialArgs> {
    let command_line = std::iter::once("kubectl-cce_login").chain(context.args.iter().copied());
    match Cli::parse_line(&command_line.map(OsString::from).collect::<Vec<_>>()) {
        Ok(Cli {
            command: Command::GetCredential(args),
            ..
        }) => Ok(args),
        _ => Err(ContextError::Arguments.into()),
    }
}

/// What a context's entry means: who, which cluster, which certificate.
pub(crate) struct ResolvedContext {
    pub(crate) identity: Identity,
    pub(crate) plan: GetCredentialPlan,
    pub(crate) target: ClusterRef,
}

impl ResolvedContext {
    /// With the project's id: given, else remembered, else asked for at IAM.
    pub(crate) fn new(session: &Session<'_>, identity: Identity, plan: GetCredentialPlan) -> Result<Self> {
        let project_id = match &plan.project_id {
            Some(id) => id.clone(),
            None => project::main_project_id(session, &plan.cloud, &plan.region, &identity, plan.certificate.cache)?,
        };
        let target = ClusterRef {
            region: plan.region.clone(),
            project_id,
            cluster_id: plan.cluster_id.clone(),
            is_autopilot: plan.is_autopilot,
        };
        Ok(Self { identity, plan, target })
    }

    /// By the arguments of the entry, as kubectl would run us.
    pub(crate) fn by(session: &Session<'_>, global: &GlobalArgs, context: &OurContext<'_>) -> Result<Self> {
        let host = session.host;
        let args = arguments(context)?;
        let identity = Identity::locate(&plan::pin(&args.identity, &host.env)?, &host.env, &session.directories)?;
        let plan = GetCredentialPlan::new(&args, global, &host.env, Some(identity.profile()), host.terminal, None)?;
        Self::new(session, identity, plan)
    }

    /// Which logout was the last one here.
    pub(crate) fn generation(&self, session: &Session<'_>) -> Generation {
        tombstone::generation(&session.directories, &self.wanted().key())
    }

    /// A certificate is kept for it that is good for more than its last moments.
    pub(crate) fn has_certificate(&self, session: &Session<'_>) -> bool {
        Certificates::of(session, &self.wanted()).cached().is_some()
    }

    /// The certificate for it.
    pub(crate) fn request(&self, requester: Requester) -> CertificateRequest<'_> {
        CertificateRequest {
            target: &self.target,
            identity: &self.identity,
            cloud: &self.plan.cloud,
            certificate: &self.plan.certificate,
            principal: self.plan.principal.as_ref(),
            is_lifetime_strict: self.plan.is_lifetime_strict,
            requester,
        }
    }

    /// The certificate that a person wants for it.
    pub(crate) fn wanted(&self) -> CertificateRequest<'_> {
        self.request(Requester::Person)
    }
}

/// Whether the note is about a certificate of this context: same cluster, same pin.
pub(crate) fn is_about(note: &CertificateRecord, context: &OurContext<'_>) -> bool {
    cluster_id(&context.args) == Some(note.cluster_id.as_str()) && is_pinned_to(context, &note.pin)
}

/// Whether a context's entry is pinned to the identity with this argument.
pub(crate) fn is_pinned_to(context: &OurContext<'_>, pin: &str) -> bool {
    context.args.iter().any(|argument| identity::is_pin(argument, pin))
}

/// The cluster entry waits for its authorities, which come with the first certificate: kubectl trusts nobody there yet.
pub(crate) fn has_no_ca(context: &OurContext<'_>) -> bool {
    context.certificate_authority_data.is_none()
        && context.certificate_authority.is_none()
        && !context.insecure_skip_tls_verify
}

/// The cluster entry as a client would tell us of it.
pub(crate) fn cluster_info(context: &OurContext<'_>) -> Option<ClusterInfo> {
    let of_file = || {
        let path = context.certificate_authority.as_ref()?;
        Inputs::within(PATIENCE_WITH_FILE).read(path, Input::Certificates).ok()
    };
    let ca = context.certificate_authority_data.clone().or_else(of_file);
    Some(ClusterInfo {
        server: context.server?.to_owned(),
        tls_server_name: context.tls_server_name.map(str::to_owned),
        is_unverified: context.insecure_skip_tls_verify,
        ca_pem: ca.and_then(|pem| String::from_utf8(pem).ok()),
        proxy_url: context.proxy_url.map(str::to_owned),
    })
}
