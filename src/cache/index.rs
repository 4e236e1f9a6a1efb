//! What is known about each cached certificate besides its secret: one small file per key in the state directory.

use crate::cache::holders::Holders;
use crate::cache::{CacheKey, single_flight};
use crate::host::{Directories, private_names, read_private, remove_private, write_private};
use crate::ids::Endpoint;
use crate::store::{Deleted, StoreKind, Stored};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What `status`, the next fetch and the question to the API server need to know. No secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CertificateRecord {
    /// The file's version.
    pub(crate) version: u32,
    /// The region.
    pub(crate) region: String,
    /// The project's id.
    pub(crate) project_id: String,
    /// The cluster's id.
    pub(crate) cluster_id: String,
    /// `--profile=…` or `--identity=…`.
    pub(crate) pin: String,
    /// The certificate's CN: who we are to the cluster.
    pub(crate) user_id: String,
    /// The lifetime asked for.
    pub(crate) asked: String,
    /// When the certificate came.
    pub(crate) fetched_at: DateTime<Utc>,
    /// When it ends.
    pub(crate) not_after: DateTime<Utc>,
    /// The stores that may hold it.
    pub(crate) stores: Holders,
    /// The directory of its file, if one of them is of files: the settings may name another one by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file_directory: Option<PathBuf>,
    /// The servers that `clustercert` named.
    pub(crate) servers: Vec<String>,
    /// Those of custom SANs.
    pub(crate) custom_san_servers: Vec<String>,
    /// The cluster's certificate authorities.
    pub(crate) ca_pem: Option<String>,
    /// The server that a login chose among them.
    #[serde(default)]
    pub(crate) chosen_server: Option<String>,
    /// The name under which that server verifies, if it is not its host.
    #[serde(default)]
    pub(crate) tls_server_name: Option<String>,
    /// When a cluster entry that waited for its authorities got them: who has read it before trusts nobody.
    #[serde(default)]
    pub(crate) completed_at: Option<DateTime<Utc>>,
}

impl CertificateRecord {
    /// The version that is written; others are not read.
    pub(crate) const VERSION: u32 = 1;

    /// Notes which server was chosen, and the name under which it verifies if that is not its host.
    pub(crate) fn choose_server(&mut self, url: &Endpoint, tls_server_name: Option<&str>) {
        self.chosen_server = Some(url.to_string());
        self.tls_server_name = tls_server_name.map(str::to_owned);
    }
}

/// The note on `key`, if there is a readable one.
pub(crate) fn read(directories: &Directories, key: &CacheKey) -> Option<CertificateRecord> {
    let text = read_private(&file(directories, key)?).ok()??;
    serde_json::from_slice(&text)
        .ok()
        .filter(|entry: &CertificateRecord| entry.version == CertificateRecord::VERSION)
}

/// All readable notes.
pub(crate) fn all(directories: &Directories) -> Vec<(CacheKey, CertificateRecord)> {
    let state = directories.state.as_ref();
    let names = state.and_then(|dir| private_names(&dir.join("entries")).ok());
    let note = |name: String| {
        let key = CacheKey::of_account(name.strip_suffix(".json")?);
        let entry = read(directories, &key)?;
        Some((key, entry))
    };
    names.into_iter().flatten().filter_map(note).collect()
}

/// Changes what is noted about `key`, if anything is: servers, say. Where it is kept stays noted as it is.
pub(crate) fn record(directories: &Directories, key: &CacheKey, change: impl FnOnce(&mut CertificateRecord)) {
    replace(directories, key, |before| {
        let before = before?;
        let mut after = before.clone();
        change(&mut after);
        after.stores = before.stores;
        Some(after)
    });
}

/// Notes a certificate that was written to the stores just now; what may still have an older one stays noted.
pub(super) fn record_kept(directories: &Directories, key: &CacheKey, facts: CertificateRecord, stored: &Stored) {
    replace(directories, key, |before| {
        let (holders, directory) = before.map_or_else(Default::default, |note| (note.stores, note.file_directory));
        let in_file = stored.held_by.contains(&StoreKind::File);
        let holders = holders.after_write(stored);
        let is_in_file = holders.include(StoreKind::File);
        let directory = if in_file { directories.cache.clone() } else { directory };
        Some(CertificateRecord {
            stores: holders,
            file_directory: directory.filter(|_| is_in_file),
            ..facts
        })
    });
}

/// Notes that a certificate was deleted; the note goes with the last store that may have it.
pub(crate) fn record_deletion(directories: &Directories, key: &CacheKey, deleted: &Deleted) {
    replace(directories, key, |before| {
        let before = before?;
        let stores = before.stores.after_deletion(deleted);
        (!stores.is_empty()).then_some(CertificateRecord { stores, ..before })
    });
}

/// The keys of certificates that are over.
pub(super) fn expired(directories: &Directories, now: DateTime<Utc>) -> Vec<CacheKey> {
    // A day of grace: a laptop whose clock is wrong must not clear what is still good.
    let is_over = |entry: &CertificateRecord| entry.not_after + chrono::TimeDelta::days(1) < now;
    let expired = all(directories).into_iter().filter(|(_, entry)| is_over(entry));
    expired.map(|(key, _)| key).collect()
}

/// The one place that writes a note: from what is noted now to what is to be noted; `None` is no note. A state directory that cannot be
/// written costs the note, nothing else.
fn replace(
    directories: &Directories,
    key: &CacheKey,
    change: impl FnOnce(Option<CertificateRecord>) -> Option<CertificateRecord>,
) {
    let Some(path) = file(directories, key) else { return };
    let _turn = single_flight::short_turn(directories, key, "record");
    let before = read(directories, key);
    let _costs_the_note = match change(before.clone()) {
        after if after == before => Ok(()),
        Some(after) => serde_json::to_vec_pretty(&after)
            .map_err(std::io::Error::from)
            .and_then(|text| write_private(&path, &text)),
        None => remove_private(&path),
    };
}

fn file(directories: &Directories, key: &CacheKey) -> Option<PathBuf> {
    let name = format!("{}.json", key.account());
    Some(directories.state.as_ref()?.join("entries").join(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::fixtures::{at, facts, world};
    use StoreKind::{File, KernelKeyring};

    fn stored(held_by: &[StoreKind], cleared: &[StoreKind]) -> Stored {
        Stored {
            held_by: held_by.to_vec(),
            troubles: Vec::new(),
            cleared: cleared.to_vec(),
        }
    }

    fn cleared(stores: &[StoreKind]) -> Deleted {
        Deleted {
            cleared: stores.to_vec(),
            ..Deleted::default()
        }
    }

    #[test]
    fn a_note_stays_with_the_stores_that_may_have_the_certificate() {
        let (_home, here, key) = world();
        record(&here, &key, |note| note.region.clear());
        assert_eq!(read(&here, &key), None, "there is nothing to change");
        record_kept(&here, &key, facts("a", 60), &stored(&[KernelKeyring, File], &[]));
        let note = read(&here, &key).unwrap();
        assert!(note.stores.include(KernelKeyring) && note.stores.include(File));
        assert_eq!(note.file_directory, here.cache);
        record_kept(&here, &key, facts("b", 60), &stored(&[KernelKeyring], &[]));
        let note = read(&here, &key).unwrap();
        assert!(note.stores.include(File), "an older one may lie there");
        assert_eq!((note.cluster_id.as_str(), &note.file_directory), ("b", &here.cache));
        record_kept(&here, &key, facts("b", 60), &stored(&[KernelKeyring], &[File]));
        assert_eq!(read(&here, &key).unwrap().file_directory, None);
        record_kept(&here, &key, facts("b", 60), &stored(&[KernelKeyring, File], &[]));
        record_deletion(&here, &key, &cleared(&[File]));
        let note = read(&here, &key).unwrap();
        assert!(note.stores.include(KernelKeyring) && !note.stores.include(File));
        record_deletion(&here, &key, &cleared(&[KernelKeyring]));
        assert_eq!(read(&here, &key), None);
        record_deletion(&here, &key, &cleared(&[KernelKeyring]));
        assert_eq!(read(&here, &key), None);
    }

    #[test]
    fn what_is_noted_changes_but_for_where_it_is_kept() {
        let (_home, here, key) = world();
        record_kept(&here, &key, facts("a", 60), &stored(&[KernelKeyring], &[]));
        let server = Endpoint::parse("https://10.0.0.1:5443").unwrap();
        record(&here, &key, |note| {
            note.choose_server(&server, Some("kubernetes"));
            note.stores = Holders::default();
        });
        let note = read(&here, &key).unwrap();
        assert_eq!(note.chosen_server.as_deref(), Some(server.as_str()));
        assert_eq!(note.tls_server_name.as_deref(), Some("kubernetes"));
        assert!(note.stores.include(KernelKeyring));
    }

    #[cfg(unix)]
    #[test]
    fn a_note_that_stays_as_it_is_is_not_written_again() {
        use std::os::unix::fs::MetadataExt as _;
        let (_home, here, key) = world();
        record_kept(&here, &key, facts("a", 60), &stored(&[KernelKeyring], &[]));
        let path = file(&here, &key).unwrap();
        let link = path.with_extension("link"); // so that its number is not given to another file
        std::fs::hard_link(&path, &link).unwrap();
        record(&here, &key, |note| note.region = "eu-de".to_owned());
        let number = |path: &PathBuf| path.metadata().unwrap().ino();
        assert_eq!(number(&path), number(&link));
        record(&here, &key, |note| note.region = "eu-nl".to_owned());
        assert_ne!(number(&path), number(&link));
    }

    #[test]
    fn all_readable_notes_are_found_and_those_that_are_over_for_a_day() {
        let (_home, here, _) = world();
        let keys = ["cert-1", "cert-2", "cert-3"].map(CacheKey::of_account);
        for (key, not_after) in keys.iter().zip([0, 1, 100]) {
            record_kept(&here, key, facts("a", not_after), &stored(&[KernelKeyring], &[]));
        }
        let other_version = CertificateRecord {
            version: CertificateRecord::VERSION + 1,
            ..facts("a", 0)
        };
        let path = file(&here, &CacheKey::of_account("cert-4")).unwrap();
        write_private(&path, &serde_json::to_vec(&other_version).unwrap()).unwrap();
        let accounts = |found: Vec<CacheKey>| {
            let mut names: Vec<String> = found.iter().map(|key| key.account().to_owned()).collect();
            names.sort();
            names
        };
        let found = all(&here).into_iter().map(|(key, _)| key).collect();
        assert_eq!(accounts(found), ["cert-1", "cert-2", "cert-3"]);
        let day = 24 * 3600;
        assert!(expired(&here, at(day)).is_empty());
        assert_eq!(accounts(expired(&here, at(day + 1))), ["cert-1"]);
        assert_eq!(accounts(expired(&here, at(day + 2))), ["cert-1", "cert-2"]);
        assert!(all(&Directories::default()).is_empty());
    }
}
