//! A new certificate from CCE, fetched once across processes, checked and kept.
//!
//! Take the key's lock, look again, ask, keep, unlock.

use crate::cache::entry::CacheEntry;
use crate::cache::holders::Holders;
use crate::cache::index::CertificateRecord;
use crate::cache::single_flight::{self, LockOutcome, LockTimedOut};
use crate::cache::tombstone;
use crate::credential::request::{CertificateRequest, FetchRequest, Requester};
use crate::credential::shared;
use crate::credential::slot::{CertificateSlot, ObtainedCertificate};
use crate::credential::whose;
use crate::error::{Exit, Explain, Result, UNUSABLE_FOR};
use crate::huaweicloud::cce::CceClient;
use crate::huaweicloud::cce::cluster_cert::{ClusterCert, LIFETIME_TOLERANCE};
use crate::huaweicloud::credentials::Credentials;
use crate::ids::Endpoint;
use crate::lifetime::{CertLifetime, about};
use crate::sanitize::sanitize;
use crate::sign_in::explain::explain;
use chrono::TimeDelta;
use std::cell::Cell;
use std::time::Duration;

/// The longest wait for another process's fetch.
const LOCK_TIMEOUT: Duration = Duration::from_secs(20);

/// Why there is no certificate although the cloud would give one.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("CCE granted {granted} in place of {asked}")]
    OtherLifetime { granted: String, asked: CertLifetime },
    #[error("CCE's certificate is for `{found}`, the one at login was for `{expected}`")]
    OtherUser { found: String, expected: String },
}

impl Explain for FetchError {
    /// CCE has issued a certificate in vain.
    fn holds_for(&self) -> TimeDelta {
        UNUSABLE_FOR
    }

    fn exit(&self) -> Exit {
        match self {
            Self::OtherLifetime { .. } => Exit::Failed,
            Self::OtherUser { .. } => Exit::Identity,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::OtherLifetime { .. } => {
                    "this cloud grants whole days only: leave `--strict-duration` out, or ask for `--duration 1d`"
                }
                Self::OtherUser { .. } => "if that is meant, run `kubectl cce-login` again for this cluster",
            }
            .to_owned(),
        )
    }
}

/// A certificate as the policy wants it: a new one, or somebody else's that appears while we wait for the lock. Where a person has to sign in,
/// the lock is given back before they are asked: nobody waits for it while a person thinks.
pub(crate) fn fetch(slot: &CertificateSlot<'_>, fetch: &FetchRequest<'_>) -> Result<ObtainedCertificate> {
    match fetch_under_lock(slot, fetch, None) {
        Err(error) if error.needs_person() => fetch_with_person(slot, fetch),
        result => result,
    }
}

fn fetch_with_person(slot: &CertificateSlot<'_>, fetch: &FetchRequest<'_>) -> Result<ObtainedCertificate> {
    let has_signed_in = Cell::new(false);
    let result = slot.request.sign_in().with_credentials(slot.session, |credentials| {
        has_signed_in.set(true);
        fetch_under_lock(slot, fetch, Some(credentials))
    });
    if let (Err(error), false) = (&result, has_signed_in.get()) {
        slot.record_failure(fetch, error);
    }
    result
}

/// `given`: what requests are authenticated with, where a person has just signed in.
fn fetch_under_lock(
    slot: &CertificateSlot<'_>,
    fetch: &FetchRequest<'_>,
    given: Option<&Credentials>,
) -> Result<ObtainedCertificate> {
    let session = slot.session;
    // What somebody else has brought about meanwhile: a certificate, or a failure.
    let found_meanwhile = || {
        let newer = slot.cached_for(fetch.policy).map(|found| {
            whose::check_certificate(slot.session, slot.request, &found.entry.cert.common_name)?;
            Ok(found)
        });
        newer.or_else(|| slot.recent_failure(fetch).map(Err))
    };
    let patience = fetch.deadline.at_most(LOCK_TIMEOUT);
    let lock = match single_flight::wait(&session.directories, &slot.key, patience, found_meanwhile) {
        LockOutcome::Acquired(lock) => lock,
        LockOutcome::AppearedMeanwhile(result) => return result,
        LockOutcome::TimedOut => return Err(LockTimedOut::Fetching.into()),
    };
    if !lock.is_held() {
        session
            .log
            .info(|| "locking is not possible here: going on without".to_owned());
    }
    if let Some(result) = found_meanwhile() {
        return result;
    }
    let issue = |deadline| issue(slot, &FetchRequest { deadline, ..*fetch }, given);
    let issued = shared::fetch(slot, fetch, &issue);
    match &issued {
        Ok(_) => slot.clear_failure(),
        Err(error) if error.needs_person() => {} // they are asked in a moment
        Err(error) => slot.record_failure(fetch, error),
    }
    // Whoever it is for has an entry of their own, perhaps: for them it is kept, and nothing has failed.
    let issued = issued?;
    whose::check_certificate(slot.session, slot.request, &issued.entry.cert.common_name)?;
    Ok(issued)
}

/// Asks CCE, checks what came, keeps it.
fn issue(
    slot: &CertificateSlot<'_>,
    fetch: &FetchRequest<'_>,
    given: Option<&Credentials>,
) -> Result<ObtainedCertificate> {
    let (session, request) = (slot.session, slot.request);
    let requested_at = session.host.clock.now();
    let generation = tombstone::generation(&session.directories, &slot.key);
    let fresh = ask(slot, fetch, given)?;
    check_lifetime(request, &fresh)?;
    let before = slot.record();
    check_owner(request, &fresh, before.as_ref())?;
    let record = record_of(request, &fresh, before);
    let entry = CacheEntry {
        cert: fresh.cert,
        requested_at,
        fetched_at: fresh.server_time,
        generation,
        skew: fresh.skew,
    };
    let kept_in = slot.cache().put(&slot.key, &entry, record.clone());
    Ok(ObtainedCertificate::fetched(entry, kept_in, record))
}

fn ask(slot: &CertificateSlot<'_>, fetch: &FetchRequest<'_>, given: Option<&Credentials>) -> Result<ClusterCert> {
    let (session, request) = (slot.session, slot.request);
    let http = session.cloud_http(request.cloud)?;
    let endpoint = request.endpoint();
    let create = |credentials: &Credentials| {
        let cce = CceClient {
            api: &session.api(&http, credentials, fetch.deadline),
            endpoint: &endpoint,
            project: &request.target.project_id,
            is_autopilot: request.target.is_autopilot,
        };
        cce.create_cluster_cert(&request.target.cluster_id, request.certificate.lifetime)
            .map_err(|error| explain(error, request.identity))
    };
    let sign_in = match (given, fetch.current) {
        (Some(credentials), _) => return create(credentials),
        (None, Some(_)) => request.sign_in().silent(), // who has a certificate is not bothered
        (None, None) => request.sign_in().deferred(),
    };
    sign_in.with_credentials(session, create)
}

/// A client gets a certificate of the same user as before, or none; what its entry says of that counts more. Where the one before was for
/// whom the entry names, that of another user does not take its place.
fn check_owner(
    request: &CertificateRequest<'_>,
    fresh: &ClusterCert,
    before: Option<&CertificateRecord>,
) -> Result<()> {
    match before {
        Some(before)
            if request.requester == Requester::Client
                && request
                    .principal
                    .is_none_or(|principal| principal.as_str() == before.user_id)
                && !request.identity.is_federated()
                && before.user_id != fresh.cert.common_name =>
        {
            Err(FetchError::OtherUser {
                found: sanitize(&fresh.cert.common_name),
                expected: before.user_id.clone(),
            }
            .into())
        }
        _ => Ok(()),
    }
}

fn check_lifetime(request: &CertificateRequest<'_>, fresh: &ClusterCert) -> Result<()> {
    let Some(asked) = request
        .certificate
        .lifetime
        .span()
        .filter(|_| request.is_lifetime_strict)
    else {
        return Ok(());
    };
    if (fresh.granted() - asked).abs() <= LIFETIME_TOLERANCE {
        return Ok(());
    }
    Err(FetchError::OtherLifetime {
        granted: about(fresh.granted()),
        asked: request.certificate.lifetime,
    }
    .into())
}

/// What is noted about the certificate. The server that a login chose stays chosen.
fn record_of(
    request: &CertificateRequest<'_>,
    fresh: &ClusterCert,
    before: Option<CertificateRecord>,
) -> CertificateRecord {
    let texts = |urls: &[Endpoint]| urls.iter().map(ToString::to_string).collect();
    let (chosen_server, tls_server_name) =
        before.map_or((None, None), |note| (note.chosen_server, note.tls_server_name));
    CertificateRecord {
        version: CertificateRecord::VERSION,
        region: request.target.region.to_string(),
        project_id: request.target.project_id.to_string(),
        cluster_id: request.target.cluster_id.to_string(),
        pin: request.identity.identity_argument(),
        user_id: sanitize(&fresh.cert.common_name),
        asked: request.certificate.lifetime.to_string(),
        fetched_at: fresh.server_time,
        not_after: fresh.cert.not_after,
        stores: Holders::default(),
        file_directory: None,
        servers: texts(&fresh.servers),
        custom_san_servers: texts(&fresh.custom_san_servers),
        ca_pem: fresh.ca_pem.clone(),
        chosen_server,
        tls_server_name,
        completed_at: None,
    }
}
