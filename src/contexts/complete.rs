//! The first use of a context that a login of many clusters wrote: its cluster entry has no authorities yet, because they come with the
//! first certificate (contract §2.1). They are written now, but the kubectl that runs us has read the entry already, and trusts nobody.

use crate::api_server::choose::{self, Chosen, ServerQuery};
use crate::cache::index::CertificateRecord;
use crate::contexts::{self, refresh};
use crate::credential::request::CertificateRequest;
use crate::credential::slot::ObtainedCertificate;
use crate::credential::{Certificates, ask_cce};
use crate::error::{Exit, Explain, Result};
use crate::exec_credential::ClusterInfo;
use crate::ids::Endpoint;
use crate::kubeconfig::{OurContext, cluster_id};
use crate::plan::ServerChoice;
use crate::sanitize::sanitize;
use crate::session::Session;

/// Why this run of kubectl cannot go on.
#[derive(Debug, thiserror::Error)]
enum CompleteError {
    #[error("context `{0}` had no CA of its cluster before this first use, and has it now")]
    Completed(String),
    #[error("the cluster entry has no CA yet, and it is not in a kubeconfig that is known here")]
    Elsewhere,
}

impl Explain for CompleteError {
    fn exit(&self) -> Exit {
        match self {
            Self::Completed(_) => Exit::Temporary,
            Self::Elsewhere => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Completed(_) => "run the same command again",
                Self::Elsewhere => {
                    "run `kubectl cce-login refresh --kubeconfig FILE --all` with the file that kubectl was given"
                }
            }
            .to_owned(),
        )
    }
}

/// Completes the cluster entry for a client that trusts nobody. An error that says so if it was completed; nothing if the entry is of
/// another kind: whoever made it by hand may rely on the system's roots, or go through a server of their own.
pub(crate) fn complete(
    session: &Session<'_>,
    request: &CertificateRequest<'_>,
    obtained: &ObtainedCertificate,
    told: &ClusterInfo,
) -> Result<()> {
    let certificates = Certificates::of(session, request);
    let note = certificates.record_of(obtained).ok();
    let Some(mut note) = note.filter(|note| note.chosen_server.is_none() && is_of(note, told)) else {
        return Ok(()); // a login has chosen a server for it, so the entry is as somebody wants it
    };
    let kubeconfig = contexts::load(session.host, None)?;
    let pin = request.identity.identity_argument();
    let ours = kubeconfig.ours();
    let is_meant = |context: &&OurContext<'_>| {
        let is_its = cluster_id(&context.args) == Some(request.target.cluster_id.as_str());
        is_its && context.args.contains(&pin.as_str()) && trusts_nobody(context)
    };
    let Some(context) = ours.iter().find(is_meant) else {
        return Err(CompleteError::Elsewhere.into());
    };
    let cluster = ask_cce::cluster(session, request)?;
    let kept = context.server.and_then(|url| Endpoint::parse(url).ok());
    let search = ServerQuery {
        choice: &ServerChoice::Auto,
        cluster: &cluster,
        note: &note,
        proxy_url: context.proxy_url,
        kept: kept.as_ref(),
        is_unverified: false,
    };
    let Chosen::Reachable(server) = choose::choose(session, &search)? else {
        return Ok(()); // kubectl says that nobody answers
    };
    let entry = refresh::entry(context, &note, server.url.as_str(), server.tls_server_name());
    let name = context.cluster_name.unwrap_or_default().to_owned();
    kubeconfig.update_clusters(&[(name, entry)])?.write()?;
    certificates.remember_server(&mut note, &server.url, server.tls_server_name());
    Err(CompleteError::Completed(sanitize(context.name)).into())
}

/// The client means one of the servers that CCE named.
fn is_of(note: &CertificateRecord, told: &ClusterInfo) -> bool {
    let server = Endpoint::parse(&told.server).ok();
    server.is_some_and(|server| note.servers.iter().any(|known| known == server.as_str()))
}

fn trusts_nobody(context: &OurContext<'_>) -> bool {
    context.certificate_authority_data.is_none() && !context.insecure_skip_tls_verify
}
