//! `refresh`: a new certificate now for each chosen context, and server, CA and TLS name of its cluster entry as they are today.

use super::choose_server::{self, Chosen, Search};
use super::contexts::{self, Meant};
use super::described;
use super::fetch::{self, Errand, Need};
use super::obtain::{Obtained, Wanted};
use super::report;
use super::session::Session;
use crate::cache::index::{self, IndexEntry};
use crate::cli::{GlobalArgs, RefreshArgs};
use crate::error::{Error, Result};
use crate::host::{Directories, Host};
use crate::ids::Endpoint;
use crate::kubeconfig::{ClusterEntry, OurContext};
use crate::plan::{ContextsPlan, RunSettings, ServerChoice};
use chrono::TimeDelta;
use std::time::Duration;

/// The pause after a 429 that names none.
const PAUSE: TimeDelta = TimeDelta::seconds(6);

/// Refreshes the chosen contexts, one after the other: the cloud grants a few certificates a minute.
pub(super) fn run(args: &RefreshArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let plan = ContextsPlan::new(&args.contexts);
    let kubeconfig = contexts::load(host, &plan)?;
    let chosen = contexts::select(&kubeconfig, &plan.selection)?;
    let run = RunSettings::for_certificates(chosen.len(), global, &host.env, host.terminal)?;
    let session = Session::new(host, Directories::of(&host.env), run, global.verbose);

    let mut clusters = Vec::new();
    let mut failures = Vec::new();
    for context in &chosen {
        match refresh(&session, global, context) {
            Ok(refreshed) => {
                for line in &refreshed.lines {
                    host.say(&format!("context `{}`: {line}", context.name));
                }
                clusters.extend(context.cluster_name.map(str::to_owned).zip(refreshed.entry));
            }
            Err(error) => failures.push((context.name.to_owned(), error)),
        }
    }
    let change = kubeconfig.update_clusters(&clusters)?;
    change.write()?;
    for file in change.files() {
        host.say(&format!("`{}` brought up to date", file.display()));
    }
    contexts::conclude(&session, chosen.len(), failures)
}

/// What came of one context.
struct Refreshed {
    lines: Vec<String>,
    /// The cluster entry as it is to be; `None`: as it is.
    entry: Option<ClusterEntry>,
}

fn refresh(session: &Session<'_>, global: &GlobalArgs, context: &OurContext<'_>) -> Result<Refreshed> {
    let meant = Meant::by(session, global, context)?;
    let wanted = meant.wanted();
    let (obtained, mut note) = renew(session, &wanted)?;
    let mut lines = vec![format!(
        "certificate {}",
        report::certificate(session.host, &obtained, wanted.certificate.lifetime)
    )];
    let cluster = described::cluster(session, &wanted)?;
    let kept = context.server.and_then(|url| Endpoint::parse(url).ok());
    let search = Search {
        choice: &ServerChoice::Auto,
        cluster: &cluster,
        note: &note,
        proxy_url: context.proxy_url,
        kept: kept.as_ref(),
        is_unverified: context.insecure_skip_tls_verify,
    };
    let entry = match choose_server::choose(session, &search)? {
        Chosen::Reachable(server) => {
            note.chosen_server = Some(server.url.to_string());
            note.tls_server_name = server.tls_server_name().map(str::to_owned);
            index::write(&session.directories, &wanted.key(), &note);
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
    Ok(Refreshed {
        lines,
        entry: context.server.is_some().then_some(entry),
    })
}

/// A new certificate, and the servers and authorities that CCE named with it. A throttled identity waits, as long as there is time.
fn renew(session: &Session<'_>, wanted: &Wanted<'_>) -> Result<(Obtained, IndexEntry)> {
    let key = wanted.key();
    let store = session.store(wanted.certificate.cache);
    let cache = session.cache(&store);
    let errand = Errand {
        key: &key,
        wanted,
        need: Need::New,
        held: None,
        deadline: session.deadline,
    };
    let obtained = loop {
        match fetch::fetch(session, &cache, &errand) {
            Err(error) if error.is_throttled() => wait(session, error)?,
            obtained => break obtained?,
        }
    };
    let note = obtained
        .note
        .clone()
        .or_else(|| index::read(&session.directories, &key));
    let note = note.ok_or_else(|| Error::from(choose_server::NoServer::nothing_known()))?;
    Ok((obtained, note))
}

/// Waits as long as the cloud asks; an error if there is not so much time.
fn wait(session: &Session<'_>, error: Error) -> Result<()> {
    let jitter = session.host.processes.jitter();
    let pause = error.retry_after().unwrap_or(PAUSE).to_std().unwrap_or_default();
    let pause = pause.max(Duration::from_millis(100)).mul_f64(1.0 + 0.1 * jitter);
    if session.deadline.remaining() < pause {
        return Err(error);
    }
    let seconds = pause.as_secs_f64().ceil();
    session
        .host
        .say(&format!("the cloud throttles this identity: going on in {seconds} s"));
    std::thread::sleep(pause);
    Ok(())
}

/// The cluster entry with this server, and the authorities of today.
fn entry(context: &OurContext<'_>, note: &IndexEntry, server: &str, tls_server_name: Option<&str>) -> ClusterEntry {
    let is_unverified = context.insecure_skip_tls_verify;
    ClusterEntry {
        server: server.to_owned(),
        certificate_authority_data: note.ca_pem.clone().filter(|_| !is_unverified).map(String::into_bytes),
        tls_server_name: tls_server_name.map(str::to_owned),
        proxy_url: context.proxy_url.map(str::to_owned),
        insecure_skip_tls_verify: is_unverified,
    }
}
