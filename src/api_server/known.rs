//! The API server of a cluster as it is known already: nobody is asked who or where it is.

use crate::api_server::ApiServer;
use crate::cache::index::CertificateRecord;
use crate::exec_credential::ClusterInfo;
use crate::host::Env;
use crate::http::{Proxies, ServerCheck};
use crate::ids::Endpoint;

/// As it was noted with a certificate.
pub(crate) fn of_note(note: CertificateRecord, env: &Env) -> Option<ApiServer> {
    let url = note.chosen_server.or_else(|| note.servers.into_iter().next())?;
    Some(ApiServer {
        url: Endpoint::parse(&url).ok()?,
        check: ServerCheck::Verified {
            ca_pem: note.ca_pem?,
            name: note.tls_server_name,
        },
        proxies: Proxies::from_env(env),
    })
}

/// As a kubeconfig's cluster entry has it; `noted_ca` knows its authorities where the entry names none.
pub(crate) fn of_entry(
    cluster: ClusterInfo,
    noted_ca: impl FnOnce() -> Option<String>,
    env: &Env,
) -> Option<ApiServer> {
    let check = if cluster.is_unverified {
        ServerCheck::Unverified
    } else {
        ServerCheck::Verified {
            ca_pem: cluster.ca_pem.or_else(noted_ca)?,
            name: cluster.tls_server_name,
        }
    };
    Some(ApiServer {
        url: Endpoint::parse(&cluster.server).ok()?,
        check,
        proxies: match cluster.proxy_url {
            Some(url) => Proxies::only(&url),
            None => Proxies::from_env(env),
        },
    })
}
