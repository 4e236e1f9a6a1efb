//! Does the API server refuse the certificate? Asked only when the way in which we were called suggests it.

use crate::api_server::{ApiServer, known};
use crate::cache::claim::{self, Task};
use crate::cache::entry::CacheEntry;
use crate::cache::{CacheKey, index};
use crate::exec_credential::ClusterInfo;
use crate::session::Session;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// A caller that asks again by more than this before its time is early. client-go asks after that time, never before.
const EARLY: TimeDelta = TimeDelta::seconds(2);
/// The least time between two questions.
const BETWEEN_QUESTIONS: TimeDelta = TimeDelta::minutes(1);
/// The longest wait for the API server.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether the API server refuses the certificate of `entry`. It is asked if the caller comes clearly before the time that it was `told`,
/// and not more than once a minute; no answer within a second is no refusal.
pub(crate) fn is_rejected(
    session: &Session<'_>,
    key: &CacheKey,
    entry: &CacheEntry,
    told: Option<DateTime<Utc>>,
) -> bool {
    let now = session.host.clock.now();
    if told.is_none_or(|told| now + EARLY >= told)
        || !claim::claim(&session.directories, key, Task::Question, now, BETWEEN_QUESTIONS)
    {
        return false;
    }
    let Some(server) = api_server(session, key) else {
        session
            .log
            .info(|| "asked again early, but the API server is not known".to_owned());
        return false;
    };
    let answer = server.accepts(&entry.cert, session.deadline.at_most(PATIENCE));
    session.log.info(|| match &answer {
        Ok(true) => "asked again early: the API server accepts the certificate".to_owned(),
        Ok(false) => "asked again early: the API server refuses the certificate".to_owned(),
        Err(error) => format!("asked again early, and {error}"),
    });
    matches!(answer, Ok(false))
}

/// The server that the client means, else the one that was noted with the certificate.
fn api_server(session: &Session<'_>, key: &CacheKey) -> Option<ApiServer> {
    let env = &session.host.env;
    let note = || index::read(&session.directories, key);
    let Some(cluster) = ClusterInfo::from_env(env) else {
        return known::of_note(note()?, env);
    };
    known::of_entry(cluster, || note()?.ca_pem, env)
}
