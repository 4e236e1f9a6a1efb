//! What the unit tests of certificates and their notes begin with.

use crate::cache::CacheKey;
use crate::cache::entry::CacheEntry;
use crate::cache::holders::Holders;
use crate::cache::index::CertificateRecord;
use crate::cache::tombstone::Generation;
use crate::certificate::ClientCert;
use crate::host::{Directories, Skew};
use chrono::{DateTime, Utc};

/// Directories of a user below a home that goes with the test, and a key.
pub(crate) fn world() -> (tempfile::TempDir, Directories, CacheKey) {
    let home = tempfile::tempdir().unwrap();
    let directories = Directories {
        state: Some(home.path().join("state")),
        runtime: Some(home.path().join("run")),
        cache: Some(home.path().join("cache")),
        ..Directories::default()
    };
    (home, directories, CacheKey::of_account("cert-1"))
}

/// So many seconds after the moment at which everything begins.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

/// An entry with every field set, and a certificate of its own.
pub(crate) fn entry() -> CacheEntry {
    let issued = cce_sim::Sim::start().issue_certificate("prod", "alice", std::time::Duration::from_secs(3600));
    CacheEntry {
        cert: ClientCert::from_pem(issued.certificate.as_bytes(), issued.key.as_bytes()).unwrap(),
        requested_at: at(0),
        fetched_at: at(7),
        generation: Generation::from_u64(0x0123_4567_89ab_cdef),
        skew: Skew::noted(-4711, DateTime::from_timestamp(1_700_000_000, 0)),
    }
}

/// A note on a certificate of this cluster that ends then, kept nowhere yet.
pub(crate) fn facts(cluster: &str, not_after: i64) -> CertificateRecord {
    CertificateRecord {
        version: CertificateRecord::VERSION,
        region: "eu-de".to_owned(),
        project_id: "project".to_owned(),
        cluster_id: cluster.to_owned(),
        pin: "--identity=env".to_owned(),
        user_id: "user".to_owned(),
        asked: "8h".to_owned(),
        fetched_at: at(0),
        not_after: at(not_after),
        stores: Holders::default(),
        file_directory: None,
        servers: Vec::new(),
        custom_san_servers: Vec::new(),
        ca_pem: None,
        chosen_server: None,
        tls_server_name: None,
        completed_at: None,
    }
}
