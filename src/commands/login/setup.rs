//! One cluster that is being set up: which, under which context name, with which certificate, and what an earlier login left.

use crate::api_server::choose::ServerQuery;
use crate::cache::index::{self, CertificateRecord};
use crate::cli::{GetCredentialArgs, GlobalArgs, LoginArgs};
use crate::commands::login::names;
use crate::contexts;
use crate::credential::request::{CertificateRequest, Requester};
use crate::discovery::search::LocatedCluster;
use crate::error::{Exit, Explain, Result};
use crate::exec_credential::ApiVersion;
use crate::huaweicloud::cce::cluster::Access;
use crate::identity::Identity;
use crate::ids::Endpoint;
use crate::kubeconfig::{Kubeconfig, OurContext, cluster_id};
use crate::kubectl::Kubectl;
use crate::plan::{CertificateSettings, ClusterRef, LoginPlan, ServerChoice};
use crate::session::Session;
use crate::words::Word as _;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

/// What all clusters of a run have in common.
pub(super) struct LoginRun<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) args: &'a LoginArgs,
    pub(super) global: &'a GlobalArgs,
    pub(super) plan: &'a LoginPlan,
    pub(super) identity: &'a Identity,
    pub(super) kubeconfig: &'a Kubeconfig,
    /// What earlier logins with this identity wrote, by cluster id, in kubectl's order.
    existing: HashMap<String, Vec<ExistingEntry>>,
    kubectl: OnceLock<Option<Kubectl>>,
}

/// Two clusters would get one context.
#[derive(Debug, thiserror::Error)]
#[error("`--context-name`: `{0}` would be the name of more than one context")]
struct SameName(String);

impl Explain for SameName {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(
            "tell them apart with `{cluster}`, `{project}` or `{region}`: `--context-name '{cluster}.{project}'`"
                .to_owned(),
        )
    }
}

impl<'a> LoginRun<'a> {
    pub(super) fn new(
        session: &'a Session<'a>,
        args: &'a LoginArgs,
        global: &'a GlobalArgs,
        plan: &'a LoginPlan,
        identity: &'a Identity,
        kubeconfig: &'a Kubeconfig,
    ) -> Self {
        let pin = identity.identity_argument();
        let mut existing: HashMap<String, Vec<ExistingEntry>> = HashMap::new();
        for context in kubeconfig.ours() {
            if contexts::is_pinned_to(&context, &pin)
                && let Some(id) = cluster_id(&context.args)
                && let Some(found) = ExistingEntry::of(&context)
            {
                existing.entry(id.to_owned()).or_default().push(found);
            }
        }
        Self {
            session,
            args,
            global,
            plan,
            identity,
            kubeconfig,
            existing,
            kubectl: OnceLock::new(),
        }
    }

    /// The clusters of the run, each with a context name that no other one of them has.
    pub(super) fn setups(&'a self, clusters: &'a [LocatedCluster]) -> Result<Vec<ClusterSetup<'a>>> {
        let mut taken = HashSet::new();
        let mut setups = Vec::with_capacity(clusters.len());
        for located in clusters {
            let mut setup = self.setup(located)?;
            let is_free = |name: &str| {
                !taken.contains(name) && self.kubeconfig.context_is_free_for(name, located.cluster.id.as_str())
            };
            if setup.context_name.is_empty() {
                setup.context_name = names::context(self.identity, located, is_free);
            }
            if !taken.insert(setup.context_name.clone()) && self.plan.context_name.is_some() {
                return Err(SameName(setup.context_name).into());
            }
            setups.push(setup);
        }
        Ok(setups)
    }

    /// The context's name is empty where nothing says it.
    fn setup(&'a self, located: &'a LocatedCluster) -> Result<ClusterSetup<'a>> {
        let entries = self
            .existing
            .get(located.cluster.id.as_str())
            .map_or(&[][..], Vec::as_slice);
        let template = self.plan.context_name.as_deref();
        let named = template.map(|template| names::fill_in(template, self.identity, located));
        let has_name = |entry: &&ExistingEntry| named.as_ref().is_some_and(|name| *name == entry.context_name);
        let leads_there = |entry: &&ExistingEntry| entry.leads_to(&self.plan.server, located);
        let found = entries
            .iter()
            .find(has_name)
            .or_else(|| entries.iter().find(leads_there));
        // One that leads elsewhere is moved, unless the new one gets a name of its own.
        let existing = found.or(entries.first());
        let is_second = named.is_some() && found.is_none() && existing.is_some();
        let env = &self.session.host.env;
        let cluster_name = match existing.and_then(|existing| existing.cluster_name.as_deref()) {
            _ if is_second => names::second_cluster(located, &self.plan.server),
            Some(name) if names::is_cluster(name, located) => name.to_owned(),
            _ => names::cluster(located),
        };
        Ok(ClusterSetup {
            run: self,
            located,
            reference: located.reference(),
            certificate: match existing {
                Some(existing) => {
                    CertificateSettings::inheriting(&self.args.certificate, env, &existing.args.certificate)?
                }
                None => self.plan.certificate.clone(),
            },
            context_name: named
                .or_else(|| Some(existing?.context_name.clone()))
                .unwrap_or_default(),
            cluster_name,
            existing,
            is_second,
        })
    }

    /// The kubectl on PATH; it is looked for once.
    pub(super) fn kubectl(&self) -> Option<&Kubectl> {
        self.kubectl.get_or_init(|| Kubectl::find(self.session.host)).as_ref()
    }

    /// The exec version that it speaks.
    pub(super) fn exec_api_version(&self) -> ApiVersion {
        self.kubectl()
            .map_or_else(ApiVersion::default, Kubectl::exec_api_version)
    }
}

/// A cluster that is being set up.
pub(super) struct ClusterSetup<'a> {
    pub(super) run: &'a LoginRun<'a>,
    pub(super) located: &'a LocatedCluster,
    pub(super) reference: ClusterRef,
    pub(super) certificate: CertificateSettings,
    pub(super) existing: Option<&'a ExistingEntry>,
    /// The context's name.
    pub(super) context_name: String,
    /// The cluster entry's name.
    pub(super) cluster_name: String,
    /// The existing entry leads to another endpoint, and stays as it is.
    pub(super) is_second: bool,
}

impl ClusterSetup<'_> {
    pub(super) fn name(&self) -> &str {
        &self.located.cluster.name
    }

    /// The user asked, now or when the entry was made, not to verify the API server.
    pub(super) fn is_unverified(&self) -> bool {
        self.run.plan.is_server_unverified || self.existing.is_some_and(|existing| existing.is_unverified)
    }

    pub(super) fn server_query<'s>(&'s self, record: &'s CertificateRecord) -> ServerQuery<'s> {
        ServerQuery {
            choice: &self.run.plan.server,
            cluster: &self.located.cluster,
            note: record,
            proxy_url: self.run.plan.proxy_url.as_deref(),
            kept: self.existing.and_then(|existing| existing.server.as_ref()),
            is_unverified: self.is_unverified(),
        }
    }

    /// What is known of an earlier certificate.
    pub(super) fn record(&self) -> Option<CertificateRecord> {
        index::read(&self.run.session.directories, &self.request().key())
    }

    pub(super) fn request(&self) -> CertificateRequest<'_> {
        CertificateRequest {
            target: &self.reference,
            identity: self.run.identity,
            cloud: &self.run.plan.search.cloud,
            certificate: &self.certificate,
            principal: None,
            is_lifetime_strict: self.existing.is_some_and(|existing| existing.args.strict_duration),
            requester: Requester::Person,
        }
    }
}

/// What an earlier login for the same cluster and identity wrote.
pub(super) struct ExistingEntry {
    pub(super) context_name: String,
    cluster_name: Option<String>,
    pub(super) command: String,
    pub(super) api_version: Option<ApiVersion>,
    pub(super) proxy_url: Option<String>,
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
    fn of(context: &OurContext<'_>) -> Option<Self> {
        Some(Self {
            context_name: context.name.to_owned(),
            cluster_name: context.cluster_name.map(str::to_owned),
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

    /// Its server is one that is meant.
    fn leads_to(&self, choice: &ServerChoice, located: &LocatedCluster) -> bool {
        let is_at = |access| {
            let server = self.server.as_ref();
            server.is_some_and(|server| located.cluster.is_at(access, server))
        };
        match choice {
            ServerChoice::Auto => true,
            ServerChoice::Internal => is_at(Access::Internal),
            ServerChoice::External => is_at(Access::External),
            ServerChoice::Url(url) => self.server.as_ref() == Some(url),
        }
    }
}
