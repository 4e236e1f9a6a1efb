//! The API server of a cluster entry: which one it will be where nobody has been asked yet.

use crate::commands::login::setup::ClusterSetup;
use crate::error::{Exit, Explain, Result};
use crate::huaweicloud::cce::cluster::Access;
use crate::ids::Endpoint;
use crate::plan::ServerChoice;
use crate::sanitize::sanitize;

/// The API server of a cluster entry.
pub(super) struct ServerEntry {
    pub(super) url: String,
    /// `None`: not known before the first certificate.
    pub(super) ca_pem: Option<Vec<u8>>,
    pub(super) tls_server_name: Option<String>,
}

/// A cluster without an endpoint of the kind that is wanted.
#[derive(Debug, thiserror::Error)]
#[error("cluster `{0}` has no endpoint")]
struct NoEndpoint(String);

impl Explain for NoEndpoint {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        Some("bind an elastic IP to the cluster, or choose another `--access`".to_owned())
    }
}

impl ServerEntry {
    /// The server of a cluster whose certificate comes later: as its entry has it, as an earlier certificate told, else an endpoint of the
    /// kind that answered for another cluster. The first certificate brings the authorities, and the choice is made anew then.
    pub(super) fn to_be(setup: &ClusterSetup<'_>, answered: Option<Access>) -> Result<Self> {
        let cluster = &setup.located.cluster;
        let access = match setup.run.plan.server {
            ServerChoice::Internal => Some(Access::Internal),
            ServerChoice::External => Some(Access::External),
            _ => None,
        };
        let is_wanted = |url: &Endpoint| access.is_none_or(|access| cluster.is_at(access, url));
        if let Some(existing) = setup.existing
            && let Some(url) = existing.server.as_ref().filter(|url| is_wanted(url))
        {
            return Ok(Self {
                url: url.to_string(),
                ca_pem: existing.ca_pem.clone(),
                tls_server_name: existing.tls_server_name.clone(),
            });
        }
        if let Some(record) = setup.record()
            && let Some(url) = record
                .chosen_server
                .as_deref()
                .and_then(|url| Endpoint::parse(url).ok())
            && is_wanted(&url)
        {
            return Ok(Self {
                url: url.to_string(),
                ca_pem: record.ca_pem.map(String::into_bytes),
                tls_server_name: record.tls_server_name,
            });
        }
        let of = |access| cluster.endpoints_for(access).next();
        let url = match (access, answered) {
            (Some(access), _) => of(access),
            (None, Some(Access::Internal)) => of(Access::Internal).or_else(|| of(Access::External)),
            (None, _) => of(Access::External).or_else(|| of(Access::Internal)),
        };
        match url {
            Some(url) => Ok(Self {
                url: url.to_string(),
                ca_pem: None,
                tls_server_name: None,
            }),
            None => Err(NoEndpoint(sanitize(&cluster.name)).into()),
        }
    }
}
