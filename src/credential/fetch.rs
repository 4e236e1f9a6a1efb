//! A new certificate from CCE, fetched once across processes, checked and kept.
//!
//! Take the key's lock, look again, ask, keep, unlock.

use crate::cache::entry::CacheEntry;
use crate::cache::failure::{self, Failure};
use crate::cache::freshness::{Freshness, Schedule};
use crate::cache::index::{self, CertificateRecord};
use crate::cache::single_flight::{self, LockOutcome};
use crate::cache::{CacheKey, CertCache};
use crate::certificate::ClientCert;
use crate::credential::{CertificateRequest, ObtainedCertificate, Requester};
use crate::error::{Error, Exit, Explain, Result};
use crate::host::Deadline;
use crate::huaweicloud::cce::CceClient;
use crate::huaweicloud::cce::cluster_cert::{ClusterCert, LIFETIME_TOLERANCE};
use crate::huaweicloud::observed::Throttle;
use crate::ids::Endpoint;
use crate::lifetime::{CertLifetime, about};
use crate::session::Session;
use crate::sign_in::explain::explain;
use crate::sign_in::{self, SignIn};
use std::time::Duration;

/// The longest wait for another process's fetch.
const LOCK_TIMEOUT: Duration = Duration::from_secs(20);

/// What to fetch, and when somebody else's fetch makes it unnecessary.
#[derive(Clone, Copy)]
pub(crate) struct FetchRequest<'e> {
    pub(crate) key: &'e CacheKey,
    pub(crate) wanted: &'e CertificateRequest<'e>,
    pub(crate) need: CachePolicy<'e>,
    /// The certificate that is served if nothing comes of this.
    pub(crate) held: Option<&'e CacheEntry>,
    pub(crate) deadline: Deadline,
}

/// What a certificate from the cache must be, to do instead of a new one.
#[derive(Clone, Copy)]
pub(crate) enum CachePolicy<'e> {
    /// Good for more than its last moments.
    AnyValid,
    /// Not yet in its renewal window.
    Fresh,
    /// Another than this one, which the API server refuses.
    NotThis(&'e ClientCert),
    /// Asked for after this run began: a person wants a new one.
    Newer,
}

impl CachePolicy<'_> {
    fn is_met_by(&self, session: &Session<'_>, entry: &CacheEntry) -> bool {
        let clock = &session.host.clock;
        let freshness = Schedule::of(entry, clock).freshness(clock.now());
        match self {
            Self::AnyValid => matches!(freshness, Freshness::Fresh | Freshness::Renewable),
            Self::Fresh => freshness == Freshness::Fresh,
            Self::NotThis(refused) => freshness != Freshness::Expired && entry.cert != **refused,
            Self::Newer => entry.requested_at >= session.started,
        }
    }
}

/// Why there is no certificate although the cloud would give one.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("another process is fetching the certificate and does not come to an end")]
    LockTimedOut,
    #[error("CCE granted {granted} in place of {asked}")]
    OtherLifetime { granted: String, asked: CertLifetime },
    #[error("CCE's certificate is for `{found}`, the one at login was for `{expected}`")]
    OtherUser { found: String, expected: String },
}

impl Explain for FetchError {
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

/// [`fetch`] for a command that a person runs, with the servers and authorities that CCE named with the certificate.
pub(crate) fn for_person(
    session: &Session<'_>,
    wanted: &CertificateRequest<'_>,
    need: CachePolicy<'_>,
) -> Result<(ObtainedCertificate, Option<CertificateRecord>)> {
    let key = wanted.key();
    let store = session.store(wanted.certificate.cache);
    let cache = session.cache(&store);
    let errand = FetchRequest {
        key: &key,
        wanted,
        need,
        held: None,
        deadline: session.deadline,
    };
    let obtained = fetch(session, &cache, &errand)?;
    let note = obtained.noted(session, &key);
    Ok((obtained, note))
}

/// A certificate that meets the errand's need: a new one, or somebody else's that appears while we wait for the lock.
pub(crate) fn fetch(
    session: &Session<'_>,
    cache: &CertCache<'_>,
    errand: &FetchRequest<'_>,
) -> Result<ObtainedCertificate> {
    // What somebody else has brought about meanwhile: a certificate, or a failure.
    let appeared = || {
        let newer = cache
            .get(errand.key)
            .filter(|(_, entry)| errand.need.is_met_by(session, entry));
        newer
            .map(|found| Ok(ObtainedCertificate::cached(found)))
            .or_else(|| recent_failure(session, errand).map(Err))
    };
    let patience = errand.deadline.at_most(LOCK_TIMEOUT);
    let lock = match single_flight::wait(&session.directories, errand.key, patience, appeared) {
        LockOutcome::Acquired(lock) => lock,
        LockOutcome::AppearedMeanwhile(result) => return result,
        LockOutcome::TimedOut => return Err(FetchError::LockTimedOut.into()),
    };
    if !lock.is_held() {
        session
            .log
            .info(|| "locking is not possible here: going on without".to_owned());
    }
    if let Some(result) = appeared() {
        return result;
    }
    let fetched = issue(session, cache, errand);
    match &fetched {
        Ok(_) => failure::clear(&session.directories, errand.key),
        Err(error) => remember(session, errand, error),
    }
    fetched
}

/// The failure of a moment ago that answers for this errand too. A person's is tried afresh.
pub(crate) fn recent_failure(session: &Session<'_>, errand: &FetchRequest<'_>) -> Option<Error> {
    if errand.wanted.asker == Requester::Person {
        return None;
    }
    let now = session.host.clock.now();
    let answers = |failure: &Failure| match errand.held {
        Some(_) => failure.forbids_renewal(now),
        None => failure.answers_for(session.started, now),
    };
    let failure = failure::read(&session.directories, errand.key).filter(answers);
    let throttle = || {
        let (endpoint, fingerprint) = (endpoint(errand), errand.wanted.identity.fingerprint());
        Throttle::read(&session.directories, &endpoint, fingerprint, now)
    };
    failure
        .map(Failure::into_error)
        .or_else(|| throttle().map(|throttle| throttle.into_error(now)))
}

fn remember(session: &Session<'_>, errand: &FetchRequest<'_>, error: &Error) {
    let (directories, clock) = (&session.directories, &session.host.clock);
    let (now, jitter) = (clock.now(), session.host.processes.jitter());
    if let Some(throttle) = Throttle::of(error, now, jitter) {
        throttle.write(directories, &endpoint(errand), errand.wanted.identity.fingerprint());
    }
    let before = failure::read(directories, errand.key);
    let held = errand.held.map(|entry| Schedule::of(entry, clock));
    let failure = Failure::new(error, now, before.as_ref(), held.as_ref(), jitter);
    failure::write(directories, errand.key, &failure);
}

fn endpoint(errand: &FetchRequest<'_>) -> Endpoint {
    errand.wanted.cloud.cce(&errand.wanted.target.region)
}

/// Asks CCE, checks what came, keeps it.
fn issue(session: &Session<'_>, cache: &CertCache<'_>, errand: &FetchRequest<'_>) -> Result<ObtainedCertificate> {
    let (key, wanted) = (errand.key, errand.wanted);
    let requested_at = session.host.clock.now();
    let generation = index::generation(&session.directories, key);
    let http = session.cloud_http(wanted.cloud)?;
    let endpoint = endpoint(errand);
    let lifetime = wanted.certificate.lifetime;
    let sign_in = SignIn {
        may_ask: errand.held.is_none(), // who has a certificate is not bothered
        ..wanted.sign_in()
    };
    let fresh = sign_in::with(session, &sign_in, |credentials| {
        let cce = CceClient {
            api: &session.api(&http, credentials, errand.deadline),
            endpoint: &endpoint,
            project: &wanted.target.project_id,
            is_autopilot: wanted.target.is_autopilot,
        };
        cce.create_cluster_cert(&wanted.target.cluster_id, lifetime)
            .map_err(|e| explain(e, wanted.identity))
    })?;
    check_lifetime(wanted, &fresh)?;
    let before = index::read(&session.directories, key);
    if wanted.asker == Requester::Client
        && !wanted.identity.is_federated()
        && let Some(before) = &before
        && before.user_id != fresh.cert.common_name
    {
        return Err(FetchError::OtherUser {
            found: crate::sanitize::sanitize(&fresh.cert.common_name),
            expected: before.user_id.clone(),
        }
        .into());
    }
    let note = note(wanted, &fresh, before);
    let entry = CacheEntry {
        cert: fresh.cert,
        requested_at,
        fetched_at: fresh.server_time,
        generation,
        skew: fresh.skew,
    };
    let kept_in = cache.put(key, &entry, note.clone());
    Ok(ObtainedCertificate {
        entry,
        kept_in,
        note: Some(note),
        is_fetched: true,
    })
}

fn check_lifetime(wanted: &CertificateRequest<'_>, fresh: &ClusterCert) -> Result<()> {
    let Some(asked) = wanted.certificate.lifetime.span().filter(|_| wanted.is_lifetime_strict) else {
        return Ok(());
    };
    if (fresh.granted() - asked).abs() <= LIFETIME_TOLERANCE {
        return Ok(());
    }
    Err(FetchError::OtherLifetime {
        granted: about(fresh.granted()),
        asked: wanted.certificate.lifetime,
    }
    .into())
}

/// What is noted about the certificate. The server that a login chose stays chosen.
fn note(wanted: &CertificateRequest<'_>, fresh: &ClusterCert, before: Option<CertificateRecord>) -> CertificateRecord {
    let texts = |urls: &[Endpoint]| urls.iter().map(ToString::to_string).collect();
    let (chosen_server, tls_server_name) =
        before.map_or((None, None), |note| (note.chosen_server, note.tls_server_name));
    CertificateRecord {
        version: CertificateRecord::VERSION,
        region: wanted.target.region.to_string(),
        project_id: wanted.target.project_id.to_string(),
        cluster_id: wanted.target.cluster_id.to_string(),
        pin: wanted.identity.identity_argument(),
        user_id: crate::sanitize::sanitize(&fresh.cert.common_name),
        asked: wanted.certificate.lifetime.to_string(),
        fetched_at: fresh.server_time,
        not_after: fresh.cert.not_after,
        stores: Vec::new(),
        servers: texts(&fresh.servers),
        custom_san_servers: texts(&fresh.custom_san_servers),
        ca_pem: fresh.ca_pem.clone(),
        chosen_server,
        tls_server_name,
    }
}
