//! `status`: the contexts that use us, what they hold, and with `--check` whether the API servers accept it.
//!
//! Nothing is fetched. What cannot be known of a context is said in its row, and is not the end.

mod rows;

use crate::api_server::{ApiServerError, known};
use crate::cache::entry::CacheEntry;
use crate::cache::index::{self, CertificateRecord};
use crate::cache::{failure, handed_over};
use crate::cli::{GlobalArgs, StatusArgs};
use crate::contexts::{self, ResolvedContext, is_about};
use crate::error::{Error, Exit, Explain, Result};
use crate::host::parallel;
use crate::host::{Directories, Host, Input, Progress};
use crate::ids::ClusterId;
use crate::kubeconfig::OurContext;
use crate::output::{self, Format};
use crate::plan::{ContextsPlan, RunSettings, Selection};
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
    let format = Format::parse(&args.output)?;
    let plan = ContextsPlan::all_unless_named(args);
    let kubeconfig = contexts::load(host, plan.kubeconfig.clone())?;
    let chosen = match plan.selection {
        // Nothing to show is no mistake.
        Selection::All => kubeconfig.ours(),
        _ => contexts::select(&kubeconfig, &plan.selection)?,
    };
    let run = RunSettings::new(global, &host.env, host.terminal)?;
    let session = Session::new(host, Directories::of(&host.env), run, global.verbose);
    let notes: Vec<CertificateRecord> = index::all(&session.directories)
        .into_iter()
        .map(|(_, note)| note)
        .collect();
    let progress = args.check.then(|| Progress::spinner(host, "asking the API servers"));
    let held = parallel::map(&chosen, BOUND, |context| {
        look(&session, global, context, &notes, args.check)
    });
    drop(progress);

    let current = kubeconfig.current_context();
    let rows: Vec<StatusRow> = chosen
        .iter()
        .zip(&held)
        .map(|(context, held)| StatusRow::new(host, context, held, current == Some(context.name)))
        .collect();
    output::print(host, &rows::render(&rows, format))?;
    if rows.is_empty() && format == Format::Table {
        host.say("no context uses `kubectl cce-login`: `kubectl cce-login` sets one up");
    }
    conclude(&chosen, &held)
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
    /// What the API server says; `None` if it was not asked.
    checked: Option<CheckResult>,
}

/// What an API server says of a certificate.
enum CheckResult {
    Accepted,
    Refused,
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
    let Some((_, entry)) = &held.cached else {
        return CheckResult::NotPossible("no certificate");
    };
    let noted_ca = || held.note.as_ref()?.ca_pem.clone();
    let cluster = contexts::cluster_info(context);
    let Some(server) = cluster.and_then(|cluster| known::of_entry(cluster, noted_ca, &session.host.env)) else {
        return CheckResult::NotPossible("no server in the entry");
    };
    match server.accepts(&entry.cert, session.deadline.at_most(PATIENCE)) {
        Ok(true) => CheckResult::Accepted,
        Ok(false) => CheckResult::Refused,
        Err(error) => CheckResult::Unanswered(error),
    }
}

/// Why not everything is well.
#[derive(Debug, thiserror::Error)]
enum NotWell {
    #[error("the API server of {0} refuses the certificate")]
    Refused(String),
    #[error("the API server of {0} did not say whether it accepts the certificate")]
    Unanswered(String),
}

impl Explain for NotWell {
    fn exit(&self) -> Exit {
        match self {
            Self::Refused(_) => Exit::Failed,
            Self::Unanswered(_) => Exit::Temporary,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Refused(_) => "the next kubectl calls renew it; `kubectl cce-login refresh` does it now",
                Self::Unanswered(_) => {
                    "check that this machine can reach it: an internal endpoint needs the VPC (VPN, bastion), an external one an elastic IP"
                }
            }
            .to_owned(),
        )
    }
}

fn conclude(chosen: &[OurContext<'_>], held: &[ContextState]) -> Result<()> {
    let names = |is_meant: fn(&CheckResult) -> bool| {
        let meant = chosen
            .iter()
            .zip(held)
            .filter(|(_, held)| held.checked.as_ref().is_some_and(is_meant));
        let names: Vec<String> = meant
            .map(|(context, _)| format!("context `{}`", context.name))
            .collect();
        Some(names.join(", ")).filter(|names| !names.is_empty())
    };
    if let Some(names) = names(|checked| matches!(checked, CheckResult::Refused)) {
        return Err(NotWell::Refused(names).into());
    }
    match names(|checked| matches!(checked, CheckResult::Unanswered(_))) {
        Some(names) => Err(NotWell::Unanswered(names).into()),
        None => Ok(()),
    }
}
