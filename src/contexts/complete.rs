//! The first use of a context that a login of many clusters wrote, before its certificate came: its cluster entry has no authorities yet,
//! because they come with the first certificate. They are written now, but the client that runs us has read the entry already, and trusts
//! nobody: it is told so for as long as it shows us the old entry, so that this is the last thing it says.

use crate::api_server::choose::{self, Chosen, ServerQuery};
use crate::cache::index::CertificateRecord;
use crate::contexts::{self, authorities, refresh};
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
use chrono::TimeDelta;

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
                    "run `kubectl cce-login refresh --kubeconfig FILE --missing` with the file that kubectl was given"
                }
            }
            .to_owned(),
        )
    }
}

/// How long a client may go on with an entry that it read before it was completed: kubectl tries for seconds, others for minutes.
const LONGEST_RUN: TimeDelta = TimeDelta::minutes(10);

/// Completes the cluster entry of a client that trusts nobody, or that says nothing of its entry and has just got its first certificate.
/// An error where the client cannot go on with what it has read; nothing if the entry is of another kind: whoever made it by hand may rely
/// on the system's roots, or go through a server of their own.
pub(crate) fn complete(
    session: &Session<'_>,
    request: &CertificateRequest<'_>,
    obtained: &ObtainedCertificate,
) -> Result<()> {
    let env = &session.host.env;
    let told = ClusterInfo::without_ca(env);
    let is_untold = told.is_none() && obtained.is_fetched && ClusterInfo::from_env(env).is_none();
    if told.is_none() && !is_untold {
        return Ok(());
    }
    let certificates = Certificates::of(session, request);
    let Ok(record) = certificates.record_of(obtained) else {
        return Ok(());
    };
    let completed = match &told {
        Some(told) if !is_of(&record, told) => return Ok(()),
        Some(told) => complete_for(session, request, record, told),
        None if record.chosen_server.is_some() => return Ok(()),
        None => complete_waiting(session, request, record).map(|_| None),
    };
    match completed {
        Ok(None) => Ok(()),
        Ok(Some(error)) => Err(error.into()),
        // Whoever does not tell where its entry is need not have one.
        Err(error) if is_untold => {
            session.log.info(|| format!("no entry is completed: {error}"));
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Why this client cannot go on, if it cannot.
fn complete_for(
    session: &Session<'_>,
    request: &CertificateRequest<'_>,
    record: CertificateRecord,
    told: &ClusterInfo,
) -> Result<Option<CompleteError>> {
    if record.chosen_server.is_none() {
        return Ok(match complete_waiting(session, request, record)? {
            Completed::Now(name) => Some(CompleteError::Completed(name)),
            Completed::Unreachable => None, // kubectl says that nobody answers
            Completed::Nothing => Some(CompleteError::Elsewhere),
        });
    }
    let age = record.completed_at.map(|at| (session.host.clock.now() - at).abs());
    if age.is_none_or(|age| age > LONGEST_RUN) {
        return Ok(None); // a login has chosen a server for it, so the entry is as somebody wants it
    }
    let kubeconfig = contexts::load(session.host, None)?;
    let ours = kubeconfig.ours();
    let is_completed = |context: &&OurContext<'_>| {
        is_about(context, request) && !contexts::has_no_ca(context) && context.server == Some(told.server.as_str())
    };
    let context = ours.iter().find(is_completed);
    Ok(context.map(|context| CompleteError::Completed(sanitize(context.name))))
}

/// What came of an entry that waits.
enum Completed {
    /// The context of this name has its authorities now.
    Now(String),
    /// It has them, but nobody answers there.
    Unreachable,
    /// There is none.
    Nothing,
}

/// Writes the authorities into the entry that waits for them.
fn complete_waiting(
    session: &Session<'_>,
    request: &CertificateRequest<'_>,
    mut record: CertificateRecord,
) -> Result<Completed> {
    let kubeconfig = contexts::load(session.host, None)?;
    let ours = kubeconfig.ours();
    let waits = |context: &&OurContext<'_>| is_about(context, request) && contexts::has_no_ca(context);
    let Some(context) = ours.iter().find(waits) else {
        return Ok(Completed::Nothing);
    };
    authorities::check(&record)?;
    let cluster = ask_cce::cluster(session, request)?;
    let kept = context.server.and_then(|url| Endpoint::parse(url).ok());
    let query = ServerQuery {
        choice: &ServerChoice::Auto,
        cluster: &cluster,
        note: &record,
        proxy_url: context.proxy_url,
        kept: kept.as_ref(),
        is_unverified: false,
    };
    let chosen = choose::choose(session, &query)?;
    let entry = refresh::entry(context, &record, chosen.url().as_str(), chosen.tls_server_name());
    let name = context.cluster_name.unwrap_or_default().to_owned();
    kubeconfig.update_clusters(&[(name, entry)])?.write()?;
    record.completed_at = Some(session.host.clock.now());
    Certificates::of(session, request).remember_server(&mut record, chosen.url(), chosen.tls_server_name());
    Ok(match chosen {
        Chosen::Reachable(_) => Completed::Now(sanitize(context.name)),
        Chosen::Unreachable { .. } => Completed::Unreachable,
    })
}

/// The client means one of the servers that CCE named.
fn is_of(record: &CertificateRecord, told: &ClusterInfo) -> bool {
    let server = Endpoint::parse(&told.server).ok();
    server.is_some_and(|server| record.servers.iter().any(|known| known == server.as_str()))
}

/// The context is for this cluster, as this identity.
fn is_about(context: &OurContext<'_>, request: &CertificateRequest<'_>) -> bool {
    let is_its = cluster_id(&context.args) == Some(request.target.cluster_id.as_str());
    is_its && contexts::is_pinned_to(context, &request.identity.identity_argument())
}
