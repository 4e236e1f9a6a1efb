//! The certificates that somebody holds in a file: whose, until when, from whom, and where the kubeconfig around them leads.

use crate::certificate::{ClientCert, certificates_in, facts_of, is_authority, is_issued_by, issuer_of, pem};
use crate::exec_credential::ClusterInfo;
use crate::ids::Endpoint;
use crate::kubeconfig::{Kubeconfig, UserView};
use crate::sanitize::sanitize;
use crate::secret::Secret;
use chrono::{DateTime, Utc};
use rustls::pki_types::CertificateDer;
use std::path::{Path, PathBuf};

/// A certificate that is not in our keeping.
pub(crate) struct HeldCertificate {
    /// The user entry's name; empty for a certificate without a kubeconfig.
    pub(crate) user: String,
    /// The file that holds it.
    pub(crate) file: PathBuf,
    /// The contexts that use it.
    pub(crate) contexts: Vec<String>,
    /// The cluster entries of these contexts: name and content.
    pub(crate) clusters: Vec<(String, ClusterInfo)>,
    /// The certificate's CN; empty without one.
    pub(crate) owner: String,
    /// Who says to have issued it.
    pub(crate) issuer: String,
    /// From when on it is valid.
    pub(crate) not_before: DateTime<Utc>,
    /// When it ends.
    pub(crate) not_after: DateTime<Utc>,
    chain: Vec<CertificateDer<'static>>,
}

impl HeldCertificate {
    /// Every user whose certificate can be read, ours excepted; where contexts are named, only theirs.
    pub(crate) fn all(kubeconfig: &Kubeconfig, contexts: &[String]) -> Vec<Self> {
        let all = kubeconfig.users().into_iter().filter(|user| !user.is_ours());
        let held = all.filter_map(|user| Self::of_user(kubeconfig, &user, contexts));
        held.filter(|held| contexts.is_empty() || !held.contexts.is_empty())
            .collect()
    }

    fn of_user(kubeconfig: &Kubeconfig, user: &UserView<'_>, contexts: &[String]) -> Option<Self> {
        let mut held = Self::of_chain(certificates_in(user.client_certificate_data.as_deref()?)?, user.file)?;
        user.name.clone_into(&mut held.user);
        for context in kubeconfig.contexts() {
            let is_meant = contexts.is_empty() || contexts.iter().any(|name| name == context.name);
            if !is_meant || context.user != Some(user.name) {
                continue;
            }
            held.contexts.push(context.name.to_owned());
            let cluster = context.cluster.and_then(|name| kubeconfig.cluster(name));
            held.clusters.extend(cluster.and_then(|cluster| {
                let ca = cluster.certificate_authority_data;
                let info = ClusterInfo {
                    server: cluster.server?.to_owned(),
                    tls_server_name: cluster.tls_server_name.map(str::to_owned),
                    is_unverified: cluster.insecure_skip_tls_verify,
                    ca_pem: ca.and_then(|pem| String::from_utf8(pem).ok()),
                    proxy_url: cluster.proxy_url.map(str::to_owned),
                };
                Some((cluster.name.to_owned(), info))
            }));
        }
        Some(held)
    }

    /// A leaf with what stands behind it. An authority is nobody's certificate.
    pub(crate) fn of_chain(chain: Vec<CertificateDer<'static>>, file: &Path) -> Option<Self> {
        let leaf = chain.first().filter(|leaf| !is_authority(leaf))?;
        let facts = facts_of(leaf)?;
        Some(Self {
            user: String::new(),
            file: file.to_owned(),
            contexts: Vec::new(),
            clusters: Vec::new(),
            owner: sanitize(&facts.common_name),
            issuer: sanitize(&issuer_of(leaf)),
            not_before: facts.not_before,
            not_after: facts.not_after,
            chain,
        })
    }

    /// Whether these authorities issued it. One that has expired since was issued all the same.
    pub(crate) fn is_issued_by(&self, ca_pem: &str) -> bool {
        is_issued_by(ca_pem, &self.chain, self.not_before)
    }

    /// The servers of its contexts.
    pub(crate) fn servers(&self) -> impl Iterator<Item = Endpoint> {
        self.clusters
            .iter()
            .filter_map(|(_, cluster)| Endpoint::parse(&cluster.server).ok())
    }

    /// The certificate with this key, if it is its own: to be shown to the API server.
    pub(crate) fn with_key(&self, key_pem: &Secret<Vec<u8>>) -> Option<ClientCert> {
        let chain: String = self.chain.iter().map(|der| pem("CERTIFICATE", der)).collect();
        // Into the TLS client that asks the cluster, and nowhere else.
        ClientCert::from_pem(chain.as_bytes(), key_pem.expose()).ok()
    }

    /// Which cluster it is of, as far as the kubeconfig and the certificate themselves say it.
    pub(crate) fn says(&self) -> String {
        let mut says: Vec<String> = self
            .clusters
            .iter()
            .map(|(name, cluster)| format!("cluster `{}` at `{}`", sanitize(name), sanitize(&cluster.server)))
            .collect();
        says.dedup();
        if says.is_empty() {
            format!("nothing names its cluster; its issuer is `{}`", self.issuer)
        } else {
            format!(
                "its kubeconfig names {}; its issuer is `{}`",
                says.join(" and "),
                self.issuer
            )
        }
    }
}
