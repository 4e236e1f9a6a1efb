//! What is known about each cached certificate besides its secret: one small file per key in the state directory, and the tombstones.

use crate::cache::CacheKey;
use crate::host::{Directories, private_names, random_u64, read_private, remove_private, write_private};
use crate::ids::Endpoint;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What `status`, the next fetch and the question to the API server need to know. No secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateRecord {
    /// The file's version.
    pub version: u32,
    /// The region.
    pub region: String,
    /// The project's id.
    pub project_id: String,
    /// The cluster's id.
    pub cluster_id: String,
    /// `--profile=…` or `--identity=…`.
    pub pin: String,
    /// The certificate's CN: who we are to the cluster.
    pub user_id: String,
    /// The lifetime asked for.
    pub asked: String,
    /// When the certificate came.
    pub fetched_at: DateTime<Utc>,
    /// When it ends.
    pub not_after: DateTime<Utc>,
    /// The stores that hold it.
    pub stores: Vec<String>,
    /// The servers that `clustercert` named.
    pub servers: Vec<String>,
    /// Those of custom SANs.
    pub custom_san_servers: Vec<String>,
    /// The cluster's certificate authorities.
    pub ca_pem: Option<String>,
    /// The server that a login chose among them.
    #[serde(default)]
    pub chosen_server: Option<String>,
    /// The name under which that server verifies, if it is not its host.
    #[serde(default)]
    pub tls_server_name: Option<String>,
    /// When a cluster entry that waited for its authorities got them: who has read it before trusts nobody.
    #[serde(default)]
    pub completed_at: Option<DateTime<Utc>>,
}

impl CertificateRecord {
    /// The version that is written; others are not read.
    pub const VERSION: u32 = 1;

    /// Notes which server was chosen, and the name under which it verifies if that is not its host.
    pub fn choose_server(&mut self, url: &Endpoint, tls_server_name: Option<&str>) {
        self.chosen_server = Some(url.to_string());
        self.tls_server_name = tls_server_name.map(str::to_owned);
    }
}

/// The note on `key`, if there is a readable one.
pub fn read(directories: &Directories, key: &CacheKey) -> Option<CertificateRecord> {
    let text = read_private(&file(directories, "entries", key.account())?).ok()??;
    serde_json::from_slice(&text)
        .ok()
        .filter(|entry: &CertificateRecord| entry.version == CertificateRecord::VERSION)
}

/// All readable notes.
pub fn all(directories: &Directories) -> Vec<(CacheKey, CertificateRecord)> {
    let state = directories.state.as_ref();
    let names = state.and_then(|dir| private_names(&dir.join("entries")).ok());
    let note = |name: String| {
        let key = CacheKey::of_account(name.strip_suffix(".json")?);
        let entry = read(directories, &key)?;
        Some((key, entry))
    };
    names.into_iter().flatten().filter_map(note).collect()
}

/// Removes the note on `key`.
pub fn remove(directories: &Directories, key: &CacheKey) {
    if let Some(path) = file(directories, "entries", key.account()) {
        let _ = remove_private(&path);
    }
}

/// Writes the note on `key`; a state directory that cannot be written costs the note, nothing else.
pub fn write(directories: &Directories, key: &CacheKey, entry: &CertificateRecord) {
    if let (Some(path), Ok(text)) = (
        file(directories, "entries", key.account()),
        serde_json::to_vec_pretty(entry),
    ) {
        let _ = write_private(&path, &text);
    }
}

/// Removes the notes on certificates that are over, and returns their accounts.
pub fn take_expired(directories: &Directories, now: DateTime<Utc>) -> Vec<String> {
    // A day of grace: a laptop whose clock is wrong must not clear what is still good.
    let is_over = |entry: &CertificateRecord| entry.not_after + chrono::TimeDelta::days(1) < now;
    let expired = all(directories).into_iter().filter(|(_, entry)| is_over(entry));
    expired
        .map(|(key, _)| {
            remove(directories, &key);
            key.account().to_owned()
        })
        .collect()
}

/// Which tombstone lies on `key`; 0 for none. What was asked for under another one is void. A number and not a time: clocks are set.
pub fn generation(directories: &Directories, key: &CacheKey) -> u64 {
    let text = file(directories, "tombstones", key.account()).and_then(|path| read_private(&path).ok()?);
    text.and_then(|text| String::from_utf8(text).ok()?.trim().parse().ok())
        .unwrap_or_default()
}

/// Voids everything under `key` that was asked for until now.
pub fn bury(directories: &Directories, key: &CacheKey) -> std::io::Result<()> {
    match file(directories, "tombstones", key.account()) {
        Some(path) => write_private(&path, random_u64().max(1).to_string().as_bytes()),
        None => Ok(()),
    }
}

fn file(directories: &Directories, kind: &str, account: &str) -> Option<PathBuf> {
    let extension = if kind == "entries" { ".json" } else { "" };
    Some(
        directories
            .state
            .as_ref()?
            .join(kind)
            .join(format!("{account}{extension}")),
    )
}
