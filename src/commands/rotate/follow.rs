//! Following a job to its end: polled with growing pauses, through throttling, trouble and a first "not found".

use crate::commands::rotate::error::RotateError;
use crate::discovery::targets::Target;
use crate::error::{Error, Exit, Explain as _, Result};
use crate::host::{StateProgress, Stopwatch};
use crate::huaweicloud::cce::CceError;
use crate::huaweicloud::cce::job::{self, JobPhase};
use crate::ids::JobId;
use crate::sanitize::sanitize;
use crate::session::Session;
use std::time::Duration;

/// The first pause between two polls; each is half as long again, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(12);
/// How long a job that was just submitted may be unknown.
const NOT_YET_KNOWN: Duration = Duration::from_secs(20);

/// The job to follow.
pub(super) struct FollowedJob<'a> {
    pub(super) id: &'a JobId,
    /// It was submitted a moment ago.
    pub(super) is_new: bool,
    /// The command that takes it up again.
    pub(super) resume: &'a str,
}

/// What a poll says.
enum Poll {
    Known(job::Job),
    NotFound,
    /// Not much: throttled, or in trouble.
    Trouble {
        reason: String,
        pause: Option<Duration>,
    },
}

/// Waits until the job has come to a good end. Ctrl-C stops the waiting and says how to go on.
pub(super) fn follow(session: &Session<'_>, site: &Target, job: &FollowedJob<'_>) -> Result<()> {
    let host = session.host;
    let stopped = format!("the job goes on; wait for it with `{}`", job.resume);
    let _interrupt = host.processes.when_interrupted(&stopped);
    let mut progress = StateProgress::new(host, format!("job `{}`", job.id));
    let started = Stopwatch::start();
    let (mut is_known, mut trouble) = (false, String::new());
    let mut pause = FIRST_PAUSE;
    loop {
        let mut least = Duration::ZERO;
        trouble.clear();
        match poll(session, site, job.id)? {
            Poll::Known(known) => {
                is_known = true;
                match end_of(site, job.id, &known)? {
                    Some(()) => return Ok(()),
                    None => progress.is_in(&shown(&known.phase)),
                }
            }
            Poll::NotFound if is_known => return Err(RotateError::JobVanished(job.id.clone()).into()),
            Poll::NotFound if job.is_new && started.elapsed() < NOT_YET_KNOWN => progress.is_in("submitted"),
            Poll::NotFound => return Err(RotateError::UnknownJob(job.id.clone()).into()),
            Poll::Trouble { reason, pause } => {
                session.log.info(|| format!("{reason}; polling on"));
                trouble = format!(" ({reason})");
                least = pause.unwrap_or_default();
            }
        }
        // Half of it is left to chance, so that many machines do not ask in step.
        let spread = pause.mul_f64(1.0 + 0.5 * host.processes.jitter()).max(least);
        if session.deadline.remaining() < spread {
            return Err(RotateError::NotYet {
                id: job.id.clone(),
                trouble,
                resume: job.resume.to_owned(),
            }
            .into());
        }
        std::thread::sleep(spread);
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

fn poll(session: &Session<'_>, site: &Target, id: &JobId) -> Result<Poll> {
    site.with_cce(session, |cce| match cce.job(id) {
        Ok(job) => Ok(Poll::Known(job)),
        Err(error) => judged(site, error),
    })
}

fn judged(site: &Target, error: CceError) -> Result<Poll> {
    match error.refusal() {
        Some(refusal) if refusal.is_missing_api() => Err(RotateError::NotOffered(refusal.in_short()).into()),
        Some(refusal) if refusal.status == 404 => Ok(Poll::NotFound),
        _ if error.exit() == Exit::Temporary => {
            let pause = error.retry_after().and_then(|time| time.to_std().ok());
            Ok(Poll::Trouble {
                reason: Error::from(error).cause(),
                pause,
            })
        }
        _ => Err(site.explain(error)),
    }
}

/// Something if it has come to a good end, an error if to a bad one.
fn end_of(site: &Target, id: &JobId, job: &job::Job) -> Result<Option<()>> {
    if !job.cluster_id.is_empty() && job.cluster_id != site.at.cluster_id.as_str() {
        return Err(RotateError::OtherCluster {
            id: id.clone(),
            cluster: sanitize(&job.cluster_id),
        }
        .into());
    }
    match &job.phase {
        JobPhase::Success => Ok(Some(())),
        JobPhase::Failed => {
            let reasons = std::iter::once(&job.reason).chain(&job.failed_parts);
            let reasons: Vec<String> = reasons
                .filter(|reason| !reason.is_empty())
                .map(|text| sanitize(text))
                .collect();
            let reason = if reasons.is_empty() {
                "CCE does not say why".to_owned()
            } else {
                reasons.join("; ")
            };
            Err(RotateError::JobFailed { id: id.clone(), reason }.into())
        }
        _ => Ok(None),
    }
}

fn shown(phase: &JobPhase) -> String {
    match phase {
        JobPhase::Other(phase) => sanitize(phase),
        phase => format!("{phase:?}"),
    }
}
