//! Certificates as PEM and DER, what CCE answers, and where a certificate is kept.

use super::{NOW, assert_tells_no_secret, clock};
use crate::cache::entry::CacheEntry;
use crate::cache::freshness::{Freshness, Schedule};
use crate::cache::tombstone::Generation;
use crate::certificate::{
    ClientCert, KeyKind, certificates_in, check_chain, facts_of, first_certificate_in, is_authority, is_issued_by,
    issuer_of, pem, private_key_in,
};
use crate::exec_credential::{ApiVersion, KeyDisplay, exec_credential};
use crate::host::Skew;
use crate::huaweicloud::cce::cluster::Cluster;
use crate::huaweicloud::cce::cluster_cert::ClusterCert;
use crate::huaweicloud::cce::job::Job;
use crate::register::SealingKey;
use crate::register::value::SharedValue;
use crate::secret::{Secret, SecretJson};
use chrono::{DateTime, TimeDelta, Utc};
use rustls::pki_types::{CertificateDer, UnixTime};
use serde_json::Value;
use std::time::Duration;

/// A field of an entry has two bytes for its length.
const LARGEST_FIELD: usize = 65_535;

/// Certificates and keys of files, kubeconfigs and settings: PEM or DER.
pub fn certificate(data: &[u8]) {
    let found = certificates_in(data);
    let first = first_certificate_in(data);
    for der in found.iter().flatten().map(AsRef::as_ref).chain([data]) {
        let _ = issuer_of(der);
        let _ = is_authority(der);
        if let Some(facts) = facts_of(der) {
            let cert = ClientCert::from_der(vec![der.to_vec()], KeyKind::Pkcs8, Secret::new(Vec::new()));
            assert_eq!(cert.is_ok(), facts.not_before <= facts.not_after);
            let Ok(cert) = cert else { continue };
            assert_eq!(
                (&cert.common_name, cert.not_before, cert.not_after),
                (&facts.common_name, facts.not_before, facts.not_after)
            );
            let again = certificates_in(cert.certificates_pem().as_bytes()).expect("what we write can be read");
            assert_eq!(again.len(), 1);
            assert_eq!(again[0].as_ref(), der);
        }
    }
    if let Some(found) = found {
        assert_eq!(found.first(), first.as_ref());
        let text: String = found.iter().map(|der| pem("CERTIFICATE", der)).collect();
        assert_eq!(certificates_in(text.as_bytes()).as_ref(), Some(&found));
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW.unsigned_abs()));
        let chain: Vec<CertificateDer<'static>> = found.clone();
        let is_good = check_chain(&found, &chain, now).is_ok();
        let is_issued = is_issued_by(&text, &chain, DateTime::from_timestamp(NOW, 0).unwrap_or_default());
        assert_eq!(is_good, is_issued);
    }
    if let Some(key) = private_key_in(data) {
        // Compared, nothing more.
        let again = private_key_in(key.expose().as_bytes());
        assert!(
            again.as_ref() == Some(&key),
            "a key that we write is another one when it is read"
        );
    }
    if let Ok(cert) = ClientCert::from_pem(data, data) {
        good(&cert);
    }
}

/// What a certificate with its key keeps, however it is written.
fn good(cert: &ClientCert) {
    assert!(cert.not_before <= cert.not_after);
    assert!(cert.check_key().is_ok());
    // Compared, nothing more.
    let again = ClientCert::from_pem(cert.certificates_pem().as_bytes(), cert.key_pem().expose().as_bytes());
    assert_eq!(again.as_ref(), Ok(cert));
    let document = exec_credential(ApiVersion::V1, cert, cert.not_after, KeyDisplay::Shown);
    let document: Value = serde_json::from_str(&document).expect("what kubectl gets is JSON");
    assert_eq!(document["status"]["clientCertificateData"], cert.certificates_pem());
    assert_eq!(document["status"]["clientKeyData"], cert.key_pem().expose().as_str()); // compared
    let redacted = exec_credential(ApiVersion::V1, cert, cert.not_after, KeyDisplay::Redacted);
    assert!(!redacted.contains("PRIVATE KEY"));
    kept(&CacheEntry {
        cert: cert.clone(),
        requested_at: cert.not_before.max(DateTime::UNIX_EPOCH),
        fetched_at: cert.not_before.max(DateTime::UNIX_EPOCH),
        generation: Generation::default(),
        skew: Skew::default(),
    });
}

/// An entry is read again as it was written, and its times fit together.
fn kept(entry: &CacheEntry) {
    let is_short = |bytes: &Vec<u8>| bytes.len() <= LARGEST_FIELD;
    // Only its length is looked at.
    let fits =
        entry.cert.chain.len() <= 255 && entry.cert.chain.iter().all(is_short) && is_short(entry.cert.key.expose());
    let again = CacheEntry::from_bytes(&entry.to_bytes());
    if fits {
        assert_eq!(again.as_ref(), Some(entry));
    } else {
        assert_eq!(again, None, "half an entry");
    }
    let clock = clock();
    let schedule = Schedule::of(entry, &clock);
    let ends_at = entry.ends_at(&clock);
    let today = clock.now();
    for now in [
        today,
        today + TimeDelta::days(1),
        ends_at - TimeDelta::seconds(30),
        ends_at,
    ] {
        if now < DateTime::UNIX_EPOCH {
            continue; // no clock stands there
        }
        let ask_again = schedule.ask_again(now);
        assert!(ask_again > now, "kubectl is told to ask again in the past");
        assert!(
            ask_again <= ends_at.max(now + TimeDelta::seconds(1)),
            "kubectl would use it after its end"
        );
        match schedule.freshness(now) {
            Freshness::Expired => assert!(schedule.left(now) <= TimeDelta::zero()),
            Freshness::Fresh => assert!(schedule.left(now) >= schedule.window()),
            Freshness::Renewable | Freshness::MustRenew => assert!(schedule.left(now) > TimeDelta::zero()),
        }
        let _ = schedule.has_half_left(now);
    }
}

/// What CCE answers: `clustercert`'s kubeconfig; a cluster; a job.
pub fn cce_answer(data: &[u8]) {
    let Ok(json) = SecretJson::parse(data) else { return };
    if let Some(cluster) = Cluster::from_json(&json) {
        let _ = (cluster.unreachable_because(), cluster.is_autopilot());
    }
    let _ = (Job::from_json(&json), Job::id_of_started(&json));
    let now = DateTime::from_timestamp(NOW, 0).unwrap_or_default();
    match ClusterCert::from_json(&json, now, Skew::default()) {
        Ok(answer) => {
            assert!(answer.cert.not_after > now && answer.granted() > TimeDelta::zero());
            assert!(answer.cert.not_before <= now + TimeDelta::seconds(60));
            assert!(
                answer
                    .servers
                    .iter()
                    .all(|server| server.as_str().starts_with("https://"))
            );
            assert!(
                answer
                    .custom_san_servers
                    .iter()
                    .all(|server| answer.servers.contains(server))
            );
            if let Some(ca) = &answer.ca_pem {
                assert!(certificates_in(ca.as_bytes()).is_some_and(|found| !found.is_empty()));
            }
            good(&answer.cert);
        }
        Err(error) => {
            let text = format!("{error}\n{}", error.hint());
            let users = json.get("users").and_then(Value::as_array);
            let keys = users
                .into_iter()
                .flatten()
                .filter_map(|user| user.pointer("/user/client-key-data")?.as_str());
            let keys: Vec<&str> = keys.filter(|key| key.len() > 30).collect();
            assert_tells_no_secret(&text, &keys);
        }
    }
}

/// An entry of the cache, as its store gives it back: with the checksum that it has, and with the right one.
pub fn cache_entry(data: &[u8]) {
    let digest = ring::digest::digest(&ring::digest::SHA256, data);
    let with_checksum: Vec<u8> = data.iter().chain(digest.as_ref().iter().take(8)).copied().collect();
    for bytes in [data.to_vec(), with_checksum] {
        if let Some(entry) = CacheEntry::from_bytes(&Secret::new(bytes)) {
            kept(&entry);
        }
    }
}

/// What lies in Vault or in a Kubernetes Secret: sealed by us, or as the engine keeps it.
pub fn register_value(data: &[u8]) {
    let name = "cert-0123456789abcdef";
    let key = SealingKey::of(Secret::new(b"the secret of one identity".to_vec()));
    let other_key = SealingKey::of(Secret::new(b"the secret of another identity".to_vec()));
    let plain = Secret::new(data.to_vec());
    assert_eq!(
        SharedValue::from_bytes(name, Some(&key), &plain),
        None,
        "it was never sealed"
    );
    let sealed = key.seal(name, &plain).expect("the system has random bytes");
    assert!(
        key.open(name, &sealed).as_ref() == Some(&plain),
        "what was opened is not what was sealed"
    );
    assert!(key.open("cert-of-somebody", &sealed).is_none() && other_key.open(name, &sealed).is_none());
    let value = SharedValue::from_bytes(name, None, &plain);
    assert_eq!(SharedValue::from_bytes(name, Some(&key), &sealed), value);
    let Some(value) = value else { return };
    for key in [None, Some(&key)] {
        let written = value.to_bytes(name, key).expect("what was read can be written");
        let again = SharedValue::from_bytes(name, key, &written).expect("what we write can be read");
        assert_eq!(
            (&again.claim, &again.failure, again.void),
            (&value.claim, &value.failure, value.void)
        );
        let certs = |value: &SharedValue| value.entry.as_ref().map(|entry| (entry.cert.clone(), entry.fetched_at));
        assert_eq!(certs(&again), certs(&value));
        let twice = again.to_bytes(name, None).expect("what was read can be written");
        assert_eq!(SharedValue::from_bytes(name, None, &twice), Some(again));
    }
    if let Some(entry) = &value.entry {
        good(&entry.cert);
        kept(entry);
    }
    // What flights do with its times.
    let now: DateTime<Utc> = clock().now();
    for until in [
        value.claim.map(|turn| turn.until),
        value.failure.map(|failure| failure.until),
        value.void,
    ] {
        let _ = until.map(|until| (until - now, until > now, clock().local(until)));
    }
}
