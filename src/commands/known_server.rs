//! The API server of a cluster as it is known already: nobody is asked who or where it is.

use crate::api_server::ApiServer;
use crate::cache::index::IndexEntry;
use crate::host::Env;
use crate::http::{Proxies, ServerCheck};
use crate::ids::Endpoint;
use crate::kubeconfig::OurContext;

/// As it was noted with a certificate.
pub(super) fn of_note(note: IndexEntry, env: &Env) -> Option<ApiServer> {
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

/// As a context's cluster entry has it, if it brings its authorities along.
pub(super) fn of_context(context: &OurContext<'_>, env: &Env) -> Option<ApiServer> {
    let check = if context.insecure_skip_tls_verify {
        ServerCheck::Unverified
    } else {
        ServerCheck::Verified {
            ca_pem: String::from_utf8(context.certificate_authority_data.clone()?).ok()?,
            name: context.tls_server_name.map(str::to_owned),
        }
    };
    Some(ApiServer {
        url: Endpoint::parse(context.server?).ok()?,
        check,
        proxies: context.proxy_url.map_or_else(|| Proxies::from_env(env), Proxies::only),
    })
}
