//! Contexts made new: their certificates now, and server, CA and TLS name of their cluster entries as they are today. Each entry is written
//! as its certificate comes, so that what is done stays done, whatever ends the run.

use crate::account::user_name;
use crate::api_server::choose::{self, Chosen, ServerQuery};
use crate::cache::index::CertificateRecord;
use crate::certificate::ClientCert;
use crate::cli::GlobalArgs;
use crate::cli::command_line::CommandLine;
use crate::contexts::hand_over::HandOver;
use crate::contexts::{self, ResolvedContext, authorities};
use crate::credential::slot::ObtainedCertificate;
use crate::credential::{Certificates, ask_cce, describe, pace};
use crate::error::{Error, Exit, Explain, Result};
use crate::host::{Deadline, Progress};
use crate::ids::Endpoint;
use crate::kubeconfig::{ClusterEntry, Kubeconfig, OurContext};
use crate::output::some_failed::Failures;
use crate::plan::ServerChoice;
use crate::session::Session;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The pause between two tries of a new certificate.
const PAUSE: Duration = Duration::from_secs(2);
/// The most contexts that are named in the command that does the rest.
const MOST_NAMED: usize = 8;

/// The flag of the process that a login leaves behind.
pub(crate) const BEHIND_FLAG: &str = "--behind";

/// How contexts are made new.
#[derive(Clone, Copy)]
pub(crate) struct Refresh<'h> {
    /// A certificate that is good will do.
    pub(crate) is_cached_enough: bool,
    /// Each new certificate is tried at the API server, which may take so long to come back.
    pub(crate) trial: Option<Deadline>,
    /// What is done is told context by context.
    pub(crate) is_told: bool,
    /// Room is left for whoever uses kubectl meanwhile.
    pub(crate) is_behind: bool,
    /// Where others find the certificates.
    pub(crate) hand_over: Option<&'h HandOver>,
    /// The file of `--kubeconfig`, for the command that does the rest.
    pub(crate) kubeconfig: Option<&'h Path>,
}

impl Refresh<'_> {
    /// A new certificate for each.
    pub(crate) const NEW: Self = Self {
        is_cached_enough: false,
        trial: None,
        is_told: true,
        is_behind: false,
        hand_over: None,
        kubeconfig: None,
    };
    /// A certificate where there is none.
    pub(crate) const MISSING: Self = Self {
        is_cached_enough: true,
        ..Self::NEW
    };
    /// The same in the background.
    pub(crate) const BEHIND: Self = Self {
        is_told: false,
        is_behind: true,
        ..Self::MISSING
    };
}

/// The cloud has just refused the identity of this context: asking again for every context would lock the user.
#[derive(Debug, thiserror::Error)]
#[error("not tried: the cloud has just refused its identity for context `{0}`")]
struct RefusedAlready(String);

impl Explain for RefusedAlready {
    fn exit(&self) -> Exit {
        Exit::Identity
    }

    fn hint(&self) -> Option<String> {
        None
    }
}

/// What came of one context.
struct Renewed {
    lines: Vec<String>,
    /// The cluster entry as it is to be; `None`: as it is.
    entry: Option<ClusterEntry>,
}

/// Makes the contexts new, one after the other, because the cloud grants a few certificates a minute. Returns what failed.
pub(crate) fn refresh_contexts(
    session: &Session<'_>,
    global: &GlobalArgs,
    kubeconfig: &Kubeconfig,
    contexts: &[OurContext<'_>],
    how: Refresh<'_>,
) -> Result<Failures> {
    let host = session.host;
    let mut failures = Failures::of("context");
    let mut changed: BTreeSet<PathBuf> = BTreeSet::new();
    let mut refused: Vec<(String, String)> = Vec::new();
    let pace = RefreshPace {
        is_throttled: Cell::new(false),
        is_behind: how.is_behind,
    };
    let progress = Progress::bar(host, contexts.len() as u64, "taking certificates");
    for (at, context) in contexts.iter().enumerate() {
        let left = contexts.get(at..).unwrap_or_default();
        let _interrupt = host
            .processes
            .when_interrupted(&last_words(at, contexts.len(), left, how.kubeconfig));
        match refresh_context(session, global, context, how, &pace, &mut refused) {
            Ok(renewed) => {
                for line in renewed.lines.iter().filter(|_| how.is_told) {
                    host.say(&format!("context `{}`: {line}", context.name));
                }
                if let Some(entry) = context.cluster_name.map(str::to_owned).zip(renewed.entry) {
                    let change = kubeconfig.update_clusters(&[entry])?;
                    change.write()?;
                    changed.extend(change.files().into_iter().map(PathBuf::from));
                }
            }
            Err(error) => failures.add(context.name, error),
        }
        progress.step();
    }
    drop(progress);
    for file in changed.iter().filter(|_| how.is_told) {
        host.say(&format!("`{}` brought up to date", file.display()));
    }
    Ok(failures)
}

/// What is said when somebody ends the run: how far it is, and what does the rest.
fn last_words(done: usize, count: usize, left: &[OurContext<'_>], kubeconfig: Option<&Path>) -> String {
    let mut line = CommandLine::new("refresh");
    if let Some(file) = kubeconfig {
        line.flag("kubeconfig", &file.to_string_lossy());
    }
    if left.iter().all(contexts::has_no_ca) {
        line.switch("missing");
    } else if left.len() > MOST_NAMED {
        line.switch("all");
    } else {
        for context in left {
            line.flag("context", context.name);
        }
    }
    format!("{done} of {count} are done; the rest: `{}`", line.line())
}

/// How fast certificates are asked for: as they come until the cloud throttles, then at its pace.
struct RefreshPace {
    is_throttled: Cell<bool>,
    is_behind: bool,
}

impl RefreshPace {
    /// Waits until there is room for one more certificate.
    fn keep(&self, session: &Session<'_>, identity: &str) {
        if self.is_behind || self.is_throttled.get() {
            session.host.processes.pause(pace::until_room(session, identity));
        }
    }

    /// Waits as long as the cloud asks. Said once for all.
    fn wait_out(&self, session: &Session<'_>, error: Error) -> Result<()> {
        if self.is_throttled.replace(true) {
            session.wait_out_next_throttle(error)
        } else {
            session.wait_out_throttle(error)
        }
    }
}

fn refresh_context(
    session: &Session<'_>,
    global: &GlobalArgs,
    context: &OurContext<'_>,
    how: Refresh<'_>,
    pace: &RefreshPace,
    refused: &mut Vec<(String, String)>,
) -> Result<Renewed> {
    let resolved = ResolvedContext::by(session, global, context)?;
    let fingerprint = resolved.identity.fingerprint();
    if let Some((_, first)) = refused.iter().find(|(known, _)| known == fingerprint) {
        return Err(RefusedAlready(first.clone()).into());
    }
    let wanted = resolved.wanted();
    let certificates = Certificates::of(session, &wanted);
    let identity = resolved.identity.identity_argument();
    let is_waiting = contexts::has_no_ca(context);
    let taken = take(session, &certificates, &identity, how, is_waiting, pace);
    let (obtained, mut note) = taken.inspect_err(|error| {
        if error.is_unauthorized() {
            refused.push((fingerprint.to_owned(), context.name.to_owned()));
        }
    })?;
    let mut lines = vec![format!(
        "certificate {}",
        describe::certificate(session.host, &obtained, wanted.certificate.lifetime)
    )];
    keep_known_authorities(context, &mut note)?;
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
    let (chosen, user) = choose_and_try(session, &search, &obtained.entry.cert, how.trial)?;
    lines.extend(user.map(|user| format!("the API server accepts it, as {}", user_name::shown(session, &user))));
    if contexts::has_no_ca(context) {
        note.completed_at = Some(session.host.clock.now());
    }
    let (entry, line) = entry_at(context, &chosen, kept.as_ref(), &certificates, &mut note);
    lines.extend(line);
    if let Some(hand_over) = how.hand_over {
        lines.push(hand_over.write(context, &resolved, &obtained, Some(&entry))?);
    }
    Ok(Renewed {
        lines,
        entry: context.server.is_some().then_some(entry),
    })
}

/// The authorities of the entry hold until the cloud names others.
fn keep_known_authorities(context: &OurContext<'_>, note: &mut CertificateRecord) -> Result<()> {
    if note.ca_pem.is_none() && !context.insecure_skip_tls_verify {
        let known = context.certificate_authority_data.clone();
        note.ca_pem = known.and_then(|pem| String::from_utf8(pem).ok());
        if contexts::has_no_ca(context) {
            authorities::check(note)?;
        }
    }
    Ok(())
}

/// The cluster entry for the server that was chosen, which is remembered; and what there is to tell of it.
fn entry_at(
    context: &OurContext<'_>,
    chosen: &Chosen,
    kept: Option<&Endpoint>,
    certificates: &Certificates<'_>,
    note: &mut CertificateRecord,
) -> (ClusterEntry, Option<String>) {
    match chosen {
        Chosen::Reachable(server) => {
            certificates.remember_server(note, &server.url, server.tls_server_name());
            let is_new = kept != Some(&server.url);
            let line = is_new.then(|| format!("the server is `{}` from now on", server.url));
            (
                entry(context, note, server.url.as_str(), server.tls_server_name()),
                line,
            )
        }
        Chosen::Unreachable { error, .. } => {
            // An entry that never had authorities was never verified either.
            let is_first = contexts::has_no_ca(context);
            let name = context
                .tls_server_name
                .or(is_first.then_some(choose::UNASKED_SERVER_NAME));
            if let Some(kept) = kept.filter(|_| is_first) {
                certificates.remember_server(note, kept, name);
            }
            let entry = entry(context, note, context.server.unwrap_or_default(), name);
            (entry, Some(format!("its server stays as it is: {error}")))
        }
    }
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

/// The certificate, and the servers and authorities that CCE named with it. A throttled identity waits, as long as there is time.
fn take(
    session: &Session<'_>,
    certificates: &Certificates<'_>,
    identity: &str,
    how: Refresh<'_>,
    is_waiting: bool,
    pace: &RefreshPace,
) -> Result<(ObtainedCertificate, CertificateRecord)> {
    pace.keep(session, identity);
    let mut is_cached_enough = how.is_cached_enough;
    loop {
        let taken = if is_cached_enough {
            certificates.cached_or_new()
        } else {
            certificates.new_now()
        };
        let obtained = match taken {
            Err(error) if error.is_throttled() => {
                pace.wait_out(session, error)?;
                continue;
            }
            taken => taken?,
        };
        let record = certificates.record_of(&obtained)?;
        // A kept one that came without authorities does not help an entry that waits for them.
        if is_cached_enough && is_waiting && record.ca_pem.is_none() && !obtained.is_fetched {
            is_cached_enough = false;
        } else {
            return Ok((obtained, record));
        }
    }
}

/// The context's cluster entry with this server, and the authorities of today.
pub(crate) fn entry(
    context: &OurContext<'_>,
    note: &CertificateRecord,
    server: &str,
    tls_server_name: Option<&str>,
) -> ClusterEntry {
    let is_unverified = context.insecure_skip_tls_verify;
    // An answer without authorities does not take those away that there are.
    let told = note.ca_pem.clone().map(String::into_bytes);
    let authorities = told.or_else(|| context.certificate_authority_data.clone());
    ClusterEntry {
        server: server.to_owned(),
        certificate_authority_data: authorities.filter(|_| !is_unverified),
        tls_server_name: tls_server_name.map(str::to_owned),
        proxy_url: context.proxy_url.map(str::to_owned),
        insecure_skip_tls_verify: is_unverified,
    }
}
