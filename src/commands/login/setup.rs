//! One cluster that is being set up: who, where, with which certificate, and what an earlier login left.

use crate::api_server::choose::ServerQuery;
use crate::cache::index::CertificateRecord;
use crate::cli::LoginArgs;
use crate::commands::login::clusters::LocatedCluster;
use crate::commands::login::entry::ExistingEntry;
use crate::credential::{CertificateRequest, Requester};
use crate::error::Result;
use crate::exec_credential::ApiVersion;
use crate::identity::Identity;
use crate::kubeconfig::{Kubeconfig, cluster_id};
use crate::kubectl::Kubectl;
use crate::plan::{CertificateSettings, ClusterRef, LoginPlan};
use crate::session::Session;
use std::cell::OnceCell;
use std::collections::HashMap;

/// What all clusters of a run have in common.
pub(super) struct LoginRun<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) args: &'a LoginArgs,
    pub(super) plan: &'a LoginPlan,
    pub(super) identity: &'a Identity,
    pub(super) kubeconfig: &'a Kubeconfig,
    /// What earlier logins with this identity wrote, by cluster id.
    previous: HashMap<String, ExistingEntry>,
    exec_api_version: OnceCell<ApiVersion>,
}

impl<'a> LoginRun<'a> {
    pub(super) fn new(
        session: &'a Session<'a>,
        args: &'a LoginArgs,
        plan: &'a LoginPlan,
        identity: &'a Identity,
        kubeconfig: &'a Kubeconfig,
    ) -> Self {
        let pin = identity.identity_argument();
        let mut previous = HashMap::new();
        for context in kubeconfig.ours() {
            // The first one counts, as for kubectl.
            if context.args.contains(&pin.as_str())
                && let Some(id) = cluster_id(&context.args)
                && !previous.contains_key(id)
                && let Some(found) = ExistingEntry::of(&context)
            {
                previous.insert(id.to_owned(), found);
            }
        }
        Self {
            session,
            args,
            plan,
            identity,
            kubeconfig,
            previous,
            exec_api_version: OnceCell::new(),
        }
    }

    /// This cluster of the run.
    pub(super) fn setup(&self, site: &'a LocatedCluster) -> Result<ClusterSetup<'_>> {
        let previous = self.previous.get(site.cluster.id.as_str());
        let env = &self.session.host.env;
        let certificate = match previous {
            Some(previous) => CertificateSettings::inheriting(&self.args.certificate, env, &previous.args.certificate)?,
            None => self.plan.certificate,
        };
        Ok(ClusterSetup {
            plan: self.plan,
            identity: self.identity,
            site,
            certificate,
            previous,
        })
    }

    /// The exec version that the kubectl on PATH speaks; it is asked once.
    pub(super) fn exec_api_version(&self) -> ApiVersion {
        *self.exec_api_version.get_or_init(|| {
            Kubectl::find(self.session.host).map_or_else(ApiVersion::default, |found| found.exec_api_version())
        })
    }
}

/// What is being set up.
pub(super) struct ClusterSetup<'a> {
    pub(super) plan: &'a LoginPlan,
    pub(super) identity: &'a Identity,
    pub(super) site: &'a LocatedCluster,
    pub(super) certificate: CertificateSettings,
    pub(super) previous: Option<&'a ExistingEntry>,
}

impl ClusterSetup<'_> {
    pub(super) fn target(&self) -> ClusterRef {
        ClusterRef {
            region: self.site.region.clone(),
            project_id: self.site.project.id.clone(),
            cluster_id: self.site.cluster.id.clone(),
            is_autopilot: self.site.cluster.is_autopilot(),
        }
    }

    /// The user asked, now or when the entry was made, not to verify the API server.
    pub(super) fn is_unverified(&self) -> bool {
        self.plan.is_server_unverified || self.previous.is_some_and(|p| p.is_unverified)
    }

    pub(super) fn search<'s>(&'s self, note: &'s CertificateRecord) -> ServerQuery<'s> {
        ServerQuery {
            choice: &self.plan.server,
            cluster: &self.site.cluster,
            note,
            proxy_url: self.plan.proxy_url.as_deref(),
            kept: self.previous.and_then(|p| p.server.as_ref()),
            is_unverified: self.is_unverified(),
        }
    }

    pub(super) fn wanted<'s>(&'s self, target: &'s ClusterRef) -> CertificateRequest<'s> {
        CertificateRequest {
            target,
            identity: self.identity,
            cloud: &self.plan.cloud,
            certificate: self.certificate,
            is_lifetime_strict: self.previous.is_some_and(|p| p.args.strict_duration),
            asker: Requester::Person,
        }
    }
}
