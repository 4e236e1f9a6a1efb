//! What a user entry is to become: the cluster that issued its certificate, a certificate through the new entry, its API server asked.

use crate::api_server::choose::UNASKED_SERVER_NAME;
use crate::api_server::{ApiServer, ApiServerError, known};
use crate::contexts::exec_arguments::{self, Arguments};
use crate::discovery::held::HeldCertificate;
use crate::discovery::issuer::{Asker, Issuer, looked_at};
use crate::discovery::search::LocatedCluster;
use crate::error::{Exit, Explain, Result};
use crate::exec_credential::{ApiVersion, ClusterInfo};
use crate::http::Proxies;
use crate::huaweicloud::cce::cluster::Cluster;
use crate::ids::Endpoint;
use crate::kubeconfig::{ClusterEntry, ExecEntry};
use crate::sign_in::subject;

/// Why a user stays as it is.
#[derive(Debug, thiserror::Error)]
enum ConvertError {
    #[error("its certificate was issued by none of {looked_at}; {says}")]
    NoCluster { looked_at: String, says: String },
    #[error("the contexts `{0}` mean different clusters")]
    SeveralClusters(String),
    #[error("its API server refuses the certificate that you get")]
    Refused,
}

impl Explain for ConvertError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::NoCluster { .. } => {
                    "choose another identity with `--profile`, or another place with `--region` and `--project`"
                }
                Self::SeveralClusters(_) => "give each cluster a user entry of its own, then run it again",
                Self::Refused => {
                    "ask for access to the cluster (RBAC or CCE's permission management), then run it again"
                }
            }
            .to_owned(),
        )
    }
}

/// What the clusters are asked with, and what new entries have in common.
pub(super) struct Preparation<'a> {
    pub(super) asker: Asker<'a>,
    pub(super) clusters: &'a [LocatedCluster],
    /// How many regions and projects did not answer.
    pub(super) silent: usize,
    pub(super) api_version: ApiVersion,
    pub(super) command: String,
}

/// What a user entry becomes.
pub(super) struct Converted {
    pub(super) cluster: Cluster,
    /// Who we are to the cluster.
    pub(super) you: String,
    pub(super) exec: ExecEntry,
    pub(super) was_asked: bool,
    /// Its cluster entries that do not verify their server.
    pub(super) unverified: Vec<UnverifiedEntry>,
}

/// A cluster entry with `insecure-skip-tls-verify`.
pub(super) struct UnverifiedEntry {
    pub(super) name: String,
    pub(super) server: String,
    /// The entry with the cluster's authorities; `None` where its server does not verify against them.
    pub(super) verified: Option<ClusterEntry>,
}

impl Preparation<'_> {
    /// Gets a certificate through the entry that the user is to become.
    pub(super) fn prepare(&self, held: &HeldCertificate) -> Result<Converted> {
        let issuer = self.issuer_of(held)?;
        let (session, cert) = (self.asker.session, &issuer.obtained.entry.cert);
        let mut was_asked = false;
        let mut unverified = Vec::new();
        for (name, told) in &held.clusters {
            let server = if told.is_unverified {
                let (entry, server) = self.verify(name, told, &issuer);
                unverified.push(entry);
                server
            } else {
                known::of_entry(told.clone(), || Some(issuer.ca_pem.clone()), &session.host.env)
            };
            match server.map(|server| server.who_am_i(cert, session.deadline)) {
                Some(Ok(_)) => was_asked = true,
                Some(Err(ApiServerError::Refused)) => return Err(ConvertError::Refused.into()),
                Some(Err(_)) | None => {} // not from here: the old certificate would be no better off
            }
        }
        Ok(Converted {
            cluster: issuer.located.cluster.clone(),
            you: cert.common_name.clone(),
            exec: ExecEntry {
                api_version: self.api_version.full_name().to_owned(),
                command: self.command.clone(),
                args: exec_arguments::arguments(&Arguments {
                    target: &issuer.located.reference(),
                    identity: self.asker.identity,
                    cloud: self.asker.cloud,
                    certificate: self.asker.certificate.clone(),
                    principal: subject::principal(session, self.asker.identity, Some(&cert.common_name)),
                    is_lifetime_strict: false,
                }),
                install_hint: exec_arguments::INSTALL_HINT.to_owned(),
            },
            was_asked,
            unverified,
        })
    }

    /// Whether the server of an entry that does not verify it is the cluster's: as it says itself, or, where it does not answer, by its address.
    fn verify(&self, name: &str, told: &ClusterInfo, issuer: &Issuer<'_>) -> (UnverifiedEntry, Option<ApiServer>) {
        let cluster = &issuer.located.cluster;
        let others: Vec<&str> = cluster.endpoints.iter().map(|endpoint| endpoint.url.host()).collect();
        let env = &self.asker.session.host.env;
        let proxies = told
            .proxy_url
            .as_deref()
            .map_or_else(|| Proxies::from_env(env), Proxies::only);
        let url = Endpoint::parse(&told.server).ok();
        let asked = url
            .as_ref()
            .map(|url| ApiServer::verify(url, &issuer.ca_pem, &others, &proxies, self.asker.session.deadline));
        let is_at = |url: &Endpoint| cluster.endpoints.iter().any(|endpoint| endpoint.url == *url);
        let (tls_server_name, server) = match asked {
            Some(Ok(server)) => (Some(server.tls_server_name().map(str::to_owned)), Some(server)),
            Some(Err(ApiServerError::Unreachable(_))) if url.as_ref().is_some_and(is_at) => {
                (Some(Some(UNASKED_SERVER_NAME.to_owned())), None)
            }
            _ => (None, None),
        };
        let verified = tls_server_name.map(|tls_server_name| ClusterEntry {
            server: told.server.clone(),
            certificate_authority_data: Some(issuer.ca_pem.clone().into_bytes()),
            tls_server_name,
            proxy_url: told.proxy_url.clone(),
            insecure_skip_tls_verify: false,
        });
        let entry = UnverifiedEntry {
            name: name.to_owned(),
            server: told.server.clone(),
            verified,
        };
        (entry, server)
    }

    /// The one cluster whose authorities issued the certificate.
    fn issuer_of(&self, held: &HeldCertificate) -> Result<Issuer<'_>> {
        let mut found = self.asker.issuers(held, self.clusters)?;
        match found.pop() {
            Some(one) if found.is_empty() => Ok(one),
            Some(_) => Err(ConvertError::SeveralClusters(held.contexts.join("`, `")).into()),
            None => Err(ConvertError::NoCluster {
                looked_at: looked_at(self.clusters.len(), self.silent),
                says: held.says(),
            }
            .into()),
        }
    }
}
