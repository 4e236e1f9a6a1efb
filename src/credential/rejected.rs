//! Does the API server refuse the certificate? Asked only when the way in which we were called suggests it.

use crate::api_server::{ApiServer, known};
use crate::cache::claim::{self, Task};
use crate::cache::entry::CacheEntry;
use crate::credential::callers::hash;
use crate::credential::slot::CertificateSlot;
use crate::exec_credential::ClusterInfo;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// A caller that asks again by more than this before its time is early. client-go asks after that time, never before.
const EARLY: TimeDelta = TimeDelta::seconds(2);
/// The least time between two questions.
const BETWEEN_QUESTIONS: TimeDelta = TimeDelta::minutes(1);
/// How many may come earlier: some clients run us twice for each command, and then once more after a refusal.
const QUESTIONS_IN_RESERVE: i32 = 2;
/// The longest wait for the API server.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether the API server refuses the certificate of `entry`. It is asked if the caller comes clearly before the time at which it was
/// `expected`, and not more than once a minute, with two questions in reserve; no answer within a second is no refusal. A refusal is
/// remembered as long as nobody may ask again: the certificate may not have been replaced, because the cloud did not answer either.
pub(crate) fn is_rejected(slot: &CertificateSlot<'_>, entry: &CacheEntry, expected: Option<DateTime<Utc>>) -> bool {
    let session = slot.session;
    let now = session.host.clock.now();
    if expected.is_none_or(|expected| now + EARLY >= expected) {
        return false;
    }
    let (directories, this) = (&session.directories, word_for(entry));
    if this.is_some() && claim::word(directories, &slot.key, Task::RejectionCheck, now) == this {
        session.log.info(|| "refused a moment ago".to_owned());
        return true;
    }
    if !claim::claim_with_reserve(
        directories,
        &slot.key,
        Task::RejectionCheck,
        now,
        BETWEEN_QUESTIONS,
        QUESTIONS_IN_RESERVE,
    ) {
        return false;
    }
    session.log.info(|| "asked again early".to_owned());
    let is_refused = is_refused_now(slot, entry);
    claim::leave_word(
        directories,
        &slot.key,
        Task::RejectionCheck,
        this.filter(|_| is_refused),
    );
    is_refused
}

/// What tells this certificate from the one that takes its place.
fn word_for(entry: &CacheEntry) -> Option<u64> {
    entry.cert.chain.first().map(|leaf| hash(leaf))
}

/// Asks the API server whether it refuses the certificate of `entry`; no answer within a second is no refusal.
pub(crate) fn is_refused_now(slot: &CertificateSlot<'_>, entry: &CacheEntry) -> bool {
    let session = slot.session;
    let Some(server) = api_server(slot) else {
        session.log.info(|| "the API server is not known".to_owned());
        return false;
    };
    let answer = server.accepts(&entry.cert, session.deadline.at_most(PATIENCE));
    session.log.info(|| match &answer {
        Ok(true) => "the API server accepts the certificate".to_owned(),
        Ok(false) => "the API server refuses the certificate".to_owned(),
        Err(error) => error.to_string(),
    });
    matches!(answer, Ok(false))
}

/// The server that the client means, else the one that was noted with the certificate.
fn api_server(slot: &CertificateSlot<'_>) -> Option<ApiServer> {
    let env = &slot.session.host.env;
    let Some(cluster) = ClusterInfo::from_env(env) else {
        return known::of_note(slot.record()?, env);
    };
    known::of_entry(cluster, || slot.record()?.ca_pem, env)
}
