//! A certificate: from the cache while it is good, else fetched once across processes, and kept.
//!
//! Read without a lock; on a miss take the key's lock, look again, fetch, keep, unlock.

use super::session::Session;
use crate::api::{Api, ApiError};
use crate::cache::entry::CacheEntry;
use crate::cache::freshness::{Freshness, Schedule};
use crate::cache::index::{self, IndexEntry};
use crate::cache::single_flight::{self, FailureRecord, Turn};
use crate::cache::{CacheKey, CertCache};
use crate::cce::cluster_cert::ClusterCert;
use crate::cce::{CceClient, CceError};
use crate::error::{Error, Exit, Explain, Result};
use crate::identity::Identity;
use crate::lifetime::CertLifetime;
use crate::plan::{CertificateSettings, CloudSettings, Target};
use crate::store::StoreKind;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// The longest wait for another process's fetch.
const LOCK_TIMEOUT: Duration = Duration::from_secs(20);
/// A granted lifetime that differs by no more than this is the one that was asked for.
const LIFETIME_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// What is wanted.
pub(super) struct Wanted<'a> {
    pub(super) target: &'a Target,
    pub(super) identity: &'a Identity,
    pub(super) cloud: &'a CloudSettings,
    pub(super) certificate: CertificateSettings,
    /// Refuse another lifetime than asked for.
    pub(super) is_lifetime_strict: bool,
    /// Whose call this is.
    pub(super) caller: Caller,
}

impl Wanted<'_> {
    /// What it is filed under.
    pub(super) fn key(&self) -> CacheKey {
        CacheKey::new(
            &self.cloud.cce(&self.target.region),
            &self.target.project_id,
            &self.target.cluster_id,
            self.identity.fingerprint(),
            self.certificate.lifetime,
            self.target.is_autopilot,
        )
    }
}

/// Whose call this is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// kubectl's, among many: a failure of a moment ago answers for it, and another identity than before is refused.
    Client,
    /// A person's: tried afresh, and the identity it finds is the one that counts from now on.
    Person,
}

/// What there is.
pub(super) struct Obtained {
    pub(super) entry: CacheEntry,
    /// Where it is kept; empty for nowhere.
    pub(super) kept_in: Vec<StoreKind>,
    /// The servers and authorities that came with it.
    pub(super) note: Option<IndexEntry>,
    /// It is new.
    pub(super) is_fetched: bool,
}

/// Why there is no certificate although the cloud would give one.
#[derive(Debug, thiserror::Error)]
enum ObtainError {
    #[error("another process is fetching the certificate and does not come to an end")]
    LockTimedOut,
    #[error("CCE granted {granted} in place of {asked}")]
    OtherLifetime { granted: String, asked: CertLifetime },
    #[error("CCE's certificate is for `{found}`, the one at login was for `{expected}`")]
    OtherUser { found: String, expected: String },
}

impl Explain for ObtainError {
    fn exit(&self) -> Exit {
        match self {
            Self::LockTimedOut => Exit::Temporary,
            Self::OtherLifetime { .. } => Exit::Failed,
            Self::OtherUser { .. } => Exit::Identity,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::LockTimedOut => "try again; if it stays so, look for a hanging `kubectl-cce_login` process",
                Self::OtherLifetime { .. } => {
                    "this cloud grants whole days only: leave `--strict-duration` out, or ask for `--duration 1d`"
                }
                Self::OtherUser { .. } => "if that is meant, run `kubectl cce-login` again for this cluster",
            }
            .to_owned(),
        )
    }
}

/// The cached certificate if it is good: the whole hot path.
pub(super) fn cached(session: &Session<'_>, cache: &CertCache<'_>, key: &CacheKey) -> Option<Obtained> {
    let (kind, entry) = cache.get(key)?;
    let is_good = Schedule::of(&entry).freshness(session.host.clock.now()) != Freshness::Due;
    is_good.then(|| Obtained {
        entry,
        kept_in: vec![kind],
        note: None,
        is_fetched: false,
    })
}

/// A new certificate, whatever the cache holds; somebody else's that appears while we wait for the lock counts as new.
pub(super) fn fetch(
    session: &Session<'_>,
    cache: &CertCache<'_>,
    key: &CacheKey,
    wanted: &Wanted<'_>,
) -> Result<Obtained> {
    let directories = &session.directories;
    let clock = &session.host.clock;
    let is_client = wanted.caller == Caller::Client;
    // What somebody else has brought about meanwhile: a certificate (for a person only one asked for after they did), or a failure.
    let appeared = || {
        let newer = cached(session, cache, key).filter(|found| is_client || found.entry.asked_at >= session.started);
        let failed = || {
            single_flight::read_failure(directories, key)
                .filter(|f| is_client && f.answers_for(session.started, clock.now()))
        };
        newer
            .map(Ok)
            .or_else(|| failed().map(|record| Err(record.into_error())))
    };
    let lock = match single_flight::wait(directories, key, session.deadline.at_most(LOCK_TIMEOUT), appeared) {
        Turn::Ours(lock) => lock,
        Turn::Seen(result) => return result,
        Turn::TimedOut => return Err(ObtainError::LockTimedOut.into()),
    };
    if !lock.is_held() {
        session
            .log
            .info(|| "locking is not possible here: going on without".to_owned());
    }
    if let Some(result) = appeared() {
        return result;
    }
    let fetched = fetch_now(session, cache, key, wanted);
    match &fetched {
        Ok(_) => single_flight::clear_failure(directories, key),
        Err(error) => single_flight::write_failure(directories, key, &FailureRecord::new(error, clock.now())),
    }
    fetched
}

/// Asks CCE, checks what came, keeps it.
fn fetch_now(session: &Session<'_>, cache: &CertCache<'_>, key: &CacheKey, wanted: &Wanted<'_>) -> Result<Obtained> {
    let asked_at = session.host.clock.now();
    let credentials = session.credentials(wanted.identity)?;
    let http = session.cloud_http(wanted.cloud)?;
    let api = Api::new(&http, &credentials, &session.host.clock, &session.log, session.deadline);
    let endpoint = wanted.cloud.cce(&wanted.target.region);
    let cce = CceClient {
        api: &api,
        endpoint: &endpoint,
        project: &wanted.target.project_id,
        is_autopilot: wanted.target.is_autopilot,
    };
    let lifetime = wanted.certificate.lifetime;
    let fresh = cce
        .create_cluster_cert(&wanted.target.cluster_id, lifetime)
        .map_err(|e| explain(e, wanted.identity))?;
    check_lifetime(wanted, &fresh)?;
    if wanted.caller == Caller::Client
        && let Some(before) = index::read(&session.directories, key)
        && before.user_id != fresh.cert.common_name
    {
        let found = crate::sanitize::sanitize(&fresh.cert.common_name);
        return Err(ObtainError::OtherUser {
            found,
            expected: before.user_id,
        }
        .into());
    }
    let note = note(wanted, &fresh);
    let clock_offset = api.server_now() - session.host.clock.now();
    let clock_offset = TimeDelta::seconds(if clock_offset.num_seconds().abs() < 1 {
        0
    } else {
        clock_offset.num_seconds()
    });
    let entry = CacheEntry {
        cert: fresh.cert,
        asked_at,
        fetched_at: fresh.server_time,
        clock_offset,
    };
    let kept_in = cache.put(key, &entry, note.clone(), session.host.clock.now());
    Ok(Obtained {
        entry,
        kept_in,
        note: Some(note),
        is_fetched: true,
    })
}

/// A refused identity is cured where it is configured.
pub(super) fn explain(error: impl Into<ExplainedBy>, identity: &Identity) -> Error {
    let ExplainedBy {
        error,
        is_identity_refused,
    } = error.into();
    if is_identity_refused {
        error.with_hint(identity.cure_when_refused())
    } else {
        error
    }
}

/// An error, and whether the cloud refused the identity as such.
pub(super) struct ExplainedBy {
    error: Error,
    is_identity_refused: bool,
}

fn refuses_identity(error: &ApiError) -> bool {
    matches!(error, ApiError::Refused(refusal) if refusal.status == 401 && refusal.clock_offset.is_none())
}

impl From<CceError> for ExplainedBy {
    fn from(error: CceError) -> Self {
        let is_identity_refused = matches!(&error, CceError::Api(api) if refuses_identity(api));
        Self {
            error: error.into(),
            is_identity_refused,
        }
    }
}

impl From<crate::iam::IamError> for ExplainedBy {
    fn from(error: crate::iam::IamError) -> Self {
        let is_identity_refused = matches!(&error, crate::iam::IamError::Api(api) if refuses_identity(api));
        Self {
            error: error.into(),
            is_identity_refused,
        }
    }
}

fn check_lifetime(wanted: &Wanted<'_>, fresh: &ClusterCert) -> Result<()> {
    let Some(asked) = wanted.certificate.lifetime.span().filter(|_| wanted.is_lifetime_strict) else {
        return Ok(());
    };
    let granted = fresh.cert.not_after - fresh.server_time;
    if (granted - asked).abs() <= LIFETIME_TOLERANCE {
        return Ok(());
    }
    let granted = about(granted);
    Err(ObtainError::OtherLifetime {
        granted,
        asked: wanted.certificate.lifetime,
    }
    .into())
}

/// A span in its two largest units: `1d 2h`, `7h 59m`, `45s`.
pub(super) fn span(time: TimeDelta) -> String {
    let (days, hours, minutes, seconds) = (
        time.num_days(),
        time.num_hours() % 24,
        time.num_minutes() % 60,
        time.num_seconds() % 60,
    );
    let parts = [(days, 'd'), (hours, 'h'), (minutes, 'm'), (seconds, 's')];
    let shown = parts
        .iter()
        .skip_while(|(n, _)| *n == 0)
        .take(2)
        .filter(|(n, _)| *n != 0);
    let shown = shown
        .map(|(n, unit)| format!("{n}{unit}"))
        .collect::<Vec<_>>()
        .join(" ");
    if shown.is_empty() { "0s".to_owned() } else { shown }
}

/// A lifetime as people say it: to the nearest minute, because the certificate was on its way for a moment.
pub(super) fn about(lifetime: TimeDelta) -> String {
    if lifetime < TimeDelta::minutes(2) {
        return span(lifetime);
    }
    span(TimeDelta::minutes((lifetime.num_seconds() + 30).div_euclid(60)))
}

fn note(wanted: &Wanted<'_>, fresh: &ClusterCert) -> IndexEntry {
    let texts = |urls: &[crate::ids::Endpoint]| urls.iter().map(ToString::to_string).collect();
    IndexEntry {
        version: IndexEntry::VERSION,
        region: wanted.target.region.to_string(),
        project_id: wanted.target.project_id.to_string(),
        cluster_id: wanted.target.cluster_id.to_string(),
        pin: wanted.identity.pin_argument(),
        user_id: crate::sanitize::sanitize(&fresh.cert.common_name),
        asked: wanted.certificate.lifetime.to_string(),
        fetched_at: fresh.server_time,
        not_after: fresh.cert.not_after,
        stores: Vec::new(),
        servers: texts(&fresh.servers),
        custom_san_servers: texts(&fresh.custom_san_servers),
        ca_pem: fresh.ca_pem.clone(),
    }
}

/// When the client shall ask again, by our clock.
pub(super) fn ask_again(entry: &CacheEntry, now: DateTime<Utc>) -> DateTime<Utc> {
    Schedule::of(entry).ask_again(now)
}
