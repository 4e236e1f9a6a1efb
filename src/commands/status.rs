//! `status`: the contexts that use us, what they hold, and with `--check` whether the API servers accept it.
//!
//! Nothing is fetched. What cannot be known of a context is said in its row, and is not the end.

mod rows;

use crate::api_server::{ApiServerError, NOT_VALID_YET, known};
use crate::cache::entry::CacheEntry;
use crate::cache::index::{self, CertificateRecord};
use crate::cache::{failure, handed_over};
use crate::cli::{GlobalArgs, StatusArgs};
use crate::contexts::{self, ResolvedContext, is_about};
use crate::error::{Error, Exit, Explain, Result};
use crate::host::parallel;
use crate::host::{Directories, Host, Input, Progress};
use crate::http::HttpError;
use crate::ids::ClusterId;
use crate::kubeconfig::OurContext;
use crate::kubectl::rules::{self, Unusable};
use crate::output::natural_order::natural_order;
use crate::output::{self, Format};
use crate::plan::{self, ContextsPlan, RunSettings, Selection};
use crate::sanitize::sanitize;
use crate::secret::Secret;
use crate::session::Session;
use crate::sign_in::kept_sessions::SignOn;
use chrono::{DateTime, Utc};
use rows::StatusRow;
use std::path::Path;
use std::time::Duration;

/// How many contexts are looked at at a time.
const BOUND: usize = 8;
/// The longest wait for one API server.
const PATIENCE: Duration = Duration::from_secs(10);

/// Shows the contexts.
pub(super) fn run(args: &StatusArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let format = plan::format(&args.output)?;
    let plan = ContextsPlan::all_unless_named(args);
    let kubeconfig = contexts::load(host, plan.kubeconfig.clone())?;
    let mut chosen = match plan.selection {
        // Nothing to show is no mistake.
        Selection::All => kubeconfig.ours(),
        _ => contexts::select(&kubeconfig, &plan.selection)?,
    };
    chosen.sort_by(|a, b| natural_order(a.name, b.name));
    let run = RunSettings::new(global, &host.env, host.terminal)?;
    let session = Session::new(host, Directories::of(&host.env), run, global.verbose);
    let notes: Vec<CertificateRecord> = index::all(&session.directories)
        .into_iter()
        .map(|(_, note)| note)
        .collect();
    let progress = args.check.then(|| Progress::spinner(host, "asking the API servers"));
    let held = parallel::map(&chosen, BOUND, |context| {
        let mut held = look(&session, global, context, &notes, args.check);
        held.unusable = rules::refused_entry(&kubeconfig, context);
        held
    });
    drop(progress);
    let refused = rules::refused_file(&kubeconfig).filter(|_| !chosen.is_empty());

    let current = kubeconfig.current_context();
    let rows: Vec<StatusRow> = chosen
        .iter()
        .zip(&held)
        .map(|(context, held)| StatusRow::new(&session, context, held, current == Some(context.name)))
        .collect();
    output::print(host, &rows::render(&rows, format, &host.clock))?;
    if rows.is_empty() && matches!(format, Format::Table | Format::Wide) {
        let problem = kubeconfig.nowhere().map(|nowhere| nowhere.to_string());
        let problem = problem.unwrap_or_else(|| "no context uses `kubectl cce-login`".to_owned());
        host.say(&format!("{problem}: `kubectl cce-login` sets one up"));
    }
    match refused {
        Some(refused) if args.check => Err(NotWell::Unusable(refused).into()),
        Some(refused) => {
            host.say(&format!("warning: {refused}"));
            Ok(())
        }
        None if args.check => conclude(&chosen, held),
        None => Ok(()),
    }
}

/// What is known of a context.
struct ContextState {
    /// The certificate that kubectl would get, and where it was found.
    cached: Option<(String, CacheEntry)>,
    /// What was noted with it.
    note: Option<CertificateRecord>,
    /// Why the last fetch failed.
    last_failure: Option<failure::Failure>,
    /// The register in which it is shared.
    shared_cache: Option<String>,
    /// Until when the person's sign-in lasts, where one has signed in.
    sign_in_ends: Option<DateTime<Utc>>,
    /// Why nothing can be known.
    problem: Option<Error>,
    /// Why kubectl cannot use the context, whatever it holds.
    unusable: Option<Unusable>,
    /// What the API server says; `None` if it was not asked.
    checked: Option<CheckResult>,
}

/// What an API server says of a certificate.
enum CheckResult {
    Accepted,
    Refused,
    /// It refuses one that is good from this moment on.
    NotValidYet(DateTime<Utc>),
    /// It is not who the entry says.
    Unverified,
    /// It did not say.
    Unanswered(ApiServerError),
    /// There is none to ask with, or no server to ask.
    NotPossible(&'static str),
}

fn look(
    session: &Session<'_>,
    global: &GlobalArgs,
    context: &OurContext<'_>,
    notes: &[CertificateRecord],
    is_asked: bool,
) -> ContextState {
    let handed_over = handed_over(session, context);
    let mut held = match ResolvedContext::by(session, global, context) {
        Ok(meant) => {
            let wanted = meant.wanted();
            let key = wanted.key();
            let store = session.store(wanted.certificate.cache);
            ContextState {
                cached: handed_over.or_else(|| {
                    let (kind, entry) = session.cache(&store).get(&key)?;
                    Some((kind.name().to_owned(), entry))
                }),
                note: index::read(&session.directories, &key),
                last_failure: failure::read(&session.directories, &key),
                shared_cache: Some(&wanted.certificate.shared_cache)
                    .filter(|shared| shared.is_some())
                    .map(ToString::to_string),
                sign_in_ends: SignOn::of(&meant.identity)
                    .and_then(|sign_on| sign_on.end(session, &meant.identity.identity_argument())),
                problem: None,
                unusable: None,
                checked: None,
            }
        }
        // Who reads what somebody else keeps needs no identity.
        Err(error) => ContextState {
            problem: Some(error).filter(|_| handed_over.is_none()),
            cached: handed_over,
            note: notes.iter().find(|note| is_about(note, context)).cloned(),
            last_failure: None,
            shared_cache: None,
            sign_in_ends: None,
            unusable: None,
            checked: None,
        },
    };
    if is_asked {
        held.checked = Some(check(session, context, &held));
    }
    held
}

/// The certificate that somebody else keeps for this context, and the directory.
fn handed_over(session: &Session<'_>, context: &OurContext<'_>) -> Option<(String, CacheEntry)> {
    let args = contexts::arguments(context).ok()?;
    let directory = args.certificate.cache_from?;
    let cluster = ClusterId::parse(&args.cluster_id).ok()?;
    let path = handed_over::file(Path::new(&directory), &cluster);
    let text = session.host.env.read_file(&path, Input::Certificates).ok()?;
    let entry = handed_over::from_text(&Secret::new(text), &path, &cluster, session.host.clock.now()).ok()?;
    Some((directory, entry))
}

fn check(session: &Session<'_>, context: &OurContext<'_>, held: &ContextState) -> CheckResult {
    if contexts::has_no_ca(context) {
        return CheckResult::NotPossible("not used yet");
    }
    let Some((_, entry)) = &held.cached else {
        return CheckResult::NotPossible("no certificate");
    };
    let clock = &session.host.clock;
    let is_valid_yet = entry.cert.not_before <= clock.now() + entry.skew.now(clock);
    let noted_ca = || held.note.as_ref()?.ca_pem.clone();
    let cluster = contexts::cluster_info(context);
    let Some(server) = cluster.and_then(|cluster| known::of_entry(cluster, noted_ca, &session.host.env)) else {
        return CheckResult::NotPossible("no server in the entry");
    };
    match server.accepts(&entry.cert, session.deadline.at_most(PATIENCE)) {
        Ok(true) => CheckResult::Accepted,
        Ok(false) if !is_valid_yet => CheckResult::NotValidYet(entry.cert.not_before),
        Ok(false) => CheckResult::Refused,
        Err(ApiServerError::Unreachable(HttpError::Tls { .. })) => CheckResult::Unverified,
        Err(error) => CheckResult::Unanswered(error),
    }
}

/// Why not everything is well.
#[derive(Debug, thiserror::Error)]
enum NotWell {
    #[error("{0}")]
    Unusable(Unusable),
    #[error("the API server of {0} refuses the certificate")]
    Refused(String),
    #[error("the certificate of {0} is not valid yet, so the API server refuses it")]
    NotValidYet(String),
    #[error("the API server of {0} does not verify with the CA and the TLS name of the entry")]
    Unverified(String),
    #[error("the API server of {0} did not say whether it accepts the certificate")]
    Unanswered(String),
}

impl Explain for NotWell {
    fn exit(&self) -> Exit {
        match self {
            Self::Unanswered(_) => Exit::Temporary,
            _ => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Unusable(refused) => return refused.hint(),
                Self::Refused(_) => "the next kubectl calls renew it; `kubectl cce-login refresh` does it now",
                Self::NotValidYet(_) => NOT_VALID_YET,
                Self::Unverified(_) => {
                    "if the cluster's authorities were rotated, or its addresses changed: `kubectl cce-login refresh`; if that does not help, \
                     `kubectl cce-login doctor` tells whether somebody may be in between"
                }
                Self::Unanswered(_) => {
                    "check that this machine can reach it: an internal endpoint needs the VPC (VPN, bastion), an external one an elastic IP"
                }
            }
            .to_owned(),
        )
    }
}

/// The worst that was found, with the contexts of which it is so.
fn conclude(chosen: &[OurContext<'_>], held: Vec<ContextState>) -> Result<()> {
    let names = |is_meant: fn(&CheckResult) -> bool| {
        let meant = chosen
            .iter()
            .zip(&held)
            .filter(|(_, held)| held.checked.as_ref().is_some_and(is_meant));
        let names: Vec<String> = meant
            .map(|(context, _)| format!("context `{}`", sanitize(context.name)))
            .collect();
        Some(names.join(", ")).filter(|names| !names.is_empty())
    };
    let found = [
        names(|checked| matches!(checked, CheckResult::Refused)).map(NotWell::Refused),
        names(|checked| matches!(checked, CheckResult::NotValidYet(_))).map(NotWell::NotValidYet),
        names(|checked| matches!(checked, CheckResult::Unverified)).map(NotWell::Unverified),
    ];
    let unanswered = names(|checked| matches!(checked, CheckResult::Unanswered(_))).map(NotWell::Unanswered);
    if let Some(found) = found.into_iter().flatten().next() {
        return Err(found.into());
    }
    let mut contexts = chosen.iter().zip(held);
    if let Some((context, refused)) = contexts.find_map(|(context, held)| Some((context, held.unusable?))) {
        let doing = format!("context `{}`", sanitize(context.name));
        return Err(Error::from(NotWell::Unusable(refused)).doing(doing));
    }
    match unanswered {
        Some(found) => Err(found.into()),
        None => Ok(()),
    }
}
