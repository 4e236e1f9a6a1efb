//! The certificates that users of a kubeconfig hold: whose, until when, and from whom.

use crate::certificate::{certificates_in, check_chain, facts_of};
use crate::exec_credential::ClusterInfo;
use crate::ids::Endpoint;
use crate::kubeconfig::Kubeconfig;
use crate::sanitize::sanitize;
use chrono::{DateTime, Utc};
use rustls::pki_types::{CertificateDer, UnixTime};
use std::path::PathBuf;
use std::time::Duration;

/// A user with a certificate of its own.
pub(super) struct StaticUser {
    /// The user entry's name.
    pub(super) user: String,
    /// The file that defines it.
    pub(super) file: PathBuf,
    /// The contexts that use it.
    pub(super) contexts: Vec<String>,
    /// The clusters of these contexts.
    pub(super) clusters: Vec<ClusterInfo>,
    /// The certificate's CN.
    pub(super) owner: String,
    /// When it ends.
    pub(super) not_after: DateTime<Utc>,
    not_before: u64,
    chain: Vec<CertificateDer<'static>>,
}

impl StaticUser {
    /// Every user of these contexts (none named: of all) whose certificate can be read.
    pub(super) fn all(kubeconfig: &Kubeconfig, contexts: &[String]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for context in kubeconfig.contexts() {
            let is_meant = contexts.is_empty() || contexts.iter().any(|name| name == context.name);
            let user = context
                .user
                .and_then(|name| kubeconfig.user(name))
                .filter(|user| !user.is_ours());
            let Some(user) = user.filter(|_| is_meant) else {
                continue;
            };
            if all.iter().all(|held| held.user != user.name) {
                let read = user.client_certificate_data.as_deref().and_then(Self::read);
                all.extend(read.map(|held| Self {
                    user: user.name.to_owned(),
                    file: user.file.to_owned(),
                    ..held
                }));
            }
            let Some(held) = all.iter_mut().find(|held| held.user == user.name) else {
                continue;
            };
            held.contexts.push(context.name.to_owned());
            let cluster = context.cluster.and_then(|name| kubeconfig.cluster(name));
            held.clusters.extend(cluster.and_then(|cluster| {
                let ca = cluster.certificate_authority_data;
                Some(ClusterInfo {
                    server: cluster.server?.to_owned(),
                    tls_server_name: cluster.tls_server_name.map(str::to_owned),
                    is_unverified: cluster.insecure_skip_tls_verify,
                    ca_pem: ca.and_then(|pem| String::from_utf8(pem).ok()),
                    proxy_url: cluster.proxy_url.map(str::to_owned),
                })
            }));
        }
        all
    }

    fn read(pem: &[u8]) -> Option<Self> {
        let chain = certificates_in(pem)?;
        let leaf = facts_of(chain.first()?).filter(|leaf| !leaf.common_name.is_empty())?;
        let not_before = u64::try_from(leaf.not_before.timestamp()).ok()?;
        Some(Self {
            user: String::new(),
            file: PathBuf::new(),
            contexts: Vec::new(),
            clusters: Vec::new(),
            owner: sanitize(&leaf.common_name),
            not_after: leaf.not_after,
            not_before,
            chain,
        })
    }

    /// Whether these authorities issued it. One that has expired since was issued all the same.
    pub(super) fn is_issued_by(&self, ca_pem: &str) -> bool {
        let ca = certificates_in(ca_pem.as_bytes());
        let then = UnixTime::since_unix_epoch(Duration::from_secs(self.not_before));
        ca.is_some_and(|ca| check_chain(&ca, &self.chain, then).is_ok())
    }

    /// The servers of its contexts.
    pub(super) fn servers(&self) -> impl Iterator<Item = Endpoint> {
        self.clusters
            .iter()
            .filter_map(|cluster| Endpoint::parse(&cluster.server).ok())
    }
}
