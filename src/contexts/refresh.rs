//! A context made new: its certificate now, and server, CA and TLS name of its cluster entry as they are today.

use crate::api_server::choose::{self, Chosen, ServerQuery};
use crate::cache::index::CertificateRecord;
use crate::certificate::ClientCert;
use crate::cli::GlobalArgs;
use crate::contexts::ResolvedContext;
use crate::credential::describe;
use crate::credential::slot::ObtainedCertificate;
use crate::credential::{Certificates, ask_cce};
use crate::error::{Error, Result};
use crate::host::{Deadline, Progress};
use crate::ids::Endpoint;
use crate::kubeconfig::{ClusterEntry, Kubeconfig, OurContext};
use crate::output::some_failed::Failures;
use crate::plan::ServerChoice;
use crate::session::Session;
use std::time::Duration;

/// The pause between two tries of a new certificate.
const PAUSE: Duration = Duration::from_secs(2);

/// What came of one context.
struct Renewed {
    lines: Vec<String>,
    /// The cluster entry as it is to be; `None`: as it is.
    entry: Option<ClusterEntry>,
}

/// Makes the contexts new, one after the other (the cloud grants a few certificates a minute), and writes what follows from that into the
/// kubeconfig. With a `trial` each new certificate is tried at the API server, which may take so long to come back. Returns what failed.
pub(crate) fn renew_contexts(
    session: &Session<'_>,
    global: &GlobalArgs,
    kubeconfig: &Kubeconfig,
    contexts: &[OurContext<'_>],
    trial: Option<Deadline>,
) -> Result<Failures> {
    let mut clusters: Vec<(String, ClusterEntry)> = Vec::new();
    let mut failures = Failures::of("context");
    let progress = Progress::bar(session.host, contexts.len() as u64, "renewing certificates");
    for context in contexts {
        match renew_context(session, global, context, trial) {
            Ok(renewed) => {
                for line in &renewed.lines {
                    session.host.say(&format!("context `{}`: {line}", context.name));
                }
                let changed = context.cluster_name.map(str::to_owned).zip(renewed.entry);
                // Contexts may share an entry: it is changed once.
                clusters.extend(changed.filter(|(name, _)| clusters.iter().all(|(other, _)| other != name)));
            }
            Err(error) => failures.add(context.name, error),
        }
        progress.step();
    }
    drop(progress);
    let change = kubeconfig.update_clusters(&clusters)?;
    change.write()?;
    for file in change.files() {
        session.host.say(&format!("`{}` brought up to date", file.display()));
    }
    Ok(failures)
}

fn renew_context(
    session: &Session<'_>,
    global: &GlobalArgs,
    context: &OurContext<'_>,
    trial: Option<Deadline>,
) -> Result<Renewed> {
    let meant = ResolvedContext::by(session, global, context)?;
    let wanted = meant.wanted();
    let certificates = Certificates::of(session, &wanted);
    let (obtained, mut note) = renew(session, &certificates)?;
    let mut lines = vec![format!(
        "certificate {}",
        describe::certificate(session.host, &obtained, wanted.certificate.lifetime)
    )];
    let cluster = ask_cce::cluster(session, &wanted)?;
    let kept = context.server.and_then(|url| Endpoint::parse(url).ok());
    let search = ServerQuery {
        choice: &ServerChoice::Auto,
        cluster: &cluster,
        note: &note,
        proxy_url: context.proxy_url,
        kept: kept.as_ref(),
        is_unverified: context.insecure_skip_tls_verify,
    };
    let (chosen, user) = choose_and_try(session, &search, &obtained.entry.cert, trial)?;
    lines.extend(user.map(|user| format!("the API server accepts it, as `{}`", crate::sanitize::sanitize(&user))));
    let entry = match chosen {
        Chosen::Reachable(server) => {
            certificates.remember_server(&mut note, &server.url, server.tls_server_name());
            if kept.as_ref() != Some(&server.url) {
                lines.push(format!("the server is `{}` from now on", server.url));
            }
            entry(context, &note, server.url.as_str(), server.tls_server_name())
        }
        Chosen::Unreachable { error, .. } => {
            lines.push(format!("its server stays as it is: {error}"));
            entry(
                context,
                &note,
                context.server.unwrap_or_default(),
                context.tls_server_name,
            )
        }
    };
    Ok(Renewed {
        lines,
        entry: context.server.is_some().then_some(entry),
    })
}

/// The server, and who we are to it where that is tried. One that is not back yet is waited for.
fn choose_and_try(
    session: &Session<'_>,
    search: &ServerQuery<'_>,
    cert: &ClientCert,
    trial: Option<Deadline>,
) -> Result<(Chosen, Option<String>)> {
    loop {
        let chosen = choose::choose(session, search);
        let Some(trial) = trial else {
            return Ok((chosen?, None));
        };
        let is_over = trial.remaining() < PAUSE;
        match chosen {
            Ok(Chosen::Reachable(server)) => match server.who_am_i(cert, trial) {
                Ok(user) => return Ok((Chosen::Reachable(server), Some(user))),
                Err(error) if is_over => return Err(Error::from(error).doing("failed to try the new certificate")),
                Err(_) => {}
            },
            chosen if is_over => return Ok((chosen?, None)),
            _ => {}
        }
        std::thread::sleep(PAUSE);
    }
}

/// A new certificate, and the servers and authorities that CCE named with it. A throttled identity waits, as long as there is time.
fn renew(session: &Session<'_>, certificates: &Certificates<'_>) -> Result<(ObtainedCertificate, CertificateRecord)> {
    let obtained = loop {
        match certificates.new_now() {
            Err(error) if error.is_throttled() => session.wait_out_throttle(error)?,
            fetched => break fetched?,
        }
    };
    let record = certificates.record_of(&obtained)?;
    Ok((obtained, record))
}

/// The context's cluster entry with this server, and the authorities of today.
pub(crate) fn entry(
    context: &OurContext<'_>,
    note: &CertificateRecord,
    server: &str,
    tls_server_name: Option<&str>,
) -> ClusterEntry {
    let is_unverified = context.insecure_skip_tls_verify;
    ClusterEntry {
        server: server.to_owned(),
        certificate_authority_data: note.ca_pem.clone().filter(|_| !is_unverified).map(String::into_bytes),
        tls_server_name: tls_server_name.map(str::to_owned),
        proxy_url: context.proxy_url.map(str::to_owned),
        insecure_skip_tls_verify: is_unverified,
    }
}
