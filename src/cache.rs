//! The certificates we have: found by everything that changes the answer, read without a lock, fetched once across processes.
//!
//! A cache that fails costs a fetch, never a login: every method answers with a miss or a note, not with an error.

pub(crate) mod claim;
pub mod entry;
pub(crate) mod failure;
pub mod freshness;
pub(crate) mod handed_over;
pub(crate) mod holders;
pub(crate) mod index;
pub(crate) mod secret_mark;
pub(crate) mod single_flight;
pub mod tombstone;

use crate::host::{Clock, Directories};
use crate::ids::{ClusterId, Endpoint, ProjectId};
use crate::lifetime::CertLifetime;
use crate::log::Log;
use crate::store::{LayeredStore, StoreKind};
use entry::CacheEntry;
use index::CertificateRecord;

/// What a certificate is filed under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CacheKey(String);

impl CacheKey {
    /// The key of everything that changes the answer.
    pub(crate) fn new(
        endpoint: &Endpoint,
        project: &ProjectId,
        cluster: &ClusterId,
        fingerprint: &str,
        lifetime: CertLifetime,
        is_autopilot: bool,
    ) -> Self {
        let kind = if is_autopilot { "autopilot" } else { "cce" };
        let parts = [
            "1",
            endpoint.as_str(),
            project.as_str(),
            cluster.as_str(),
            fingerprint,
            &lifetime.to_string(),
            kind,
        ]
        .join("\0");
        Self(format!(
            "cert-{}",
            crate::huaweicloud::signing::short_hash(parts.as_bytes())
        ))
    }

    /// The key of what IAM has issued: by whom, for whom, and what for (scope and form).
    pub(crate) fn of_sign_in(iam: &Endpoint, fingerprint: &str, purpose: &str) -> Self {
        let parts = ["1", iam.as_str(), fingerprint, purpose].join("\0");
        Self(format!(
            "sign-in-{}",
            crate::huaweicloud::signing::short_hash(parts.as_bytes())
        ))
    }

    /// The key with this account name, as the index lists it.
    pub(crate) fn of_account(account: &str) -> Self {
        Self(account.to_owned())
    }

    /// The account name in the stores, and the name of lock, index entry and failure record.
    pub(crate) fn account(&self) -> &str {
        &self.0
    }
}

/// The cache of one run.
pub(crate) struct CertCache<'a> {
    /// Where certificates and keys are.
    pub(crate) store: &'a LayeredStore,
    /// Where everything else is.
    pub(crate) directories: &'a Directories,
    /// When an entry expires.
    pub(crate) clock: &'a Clock,
    /// Where trouble is told.
    pub(crate) log: &'a Log<'a>,
}

impl CertCache<'_> {
    /// The entry under `key` from the first store that has a readable one that is not void. It may be expired.
    pub(crate) fn get(&self, key: &CacheKey) -> Option<(StoreKind, CacheEntry)> {
        for store in self.store.stores() {
            match store.get(key.account()) {
                Ok(Some(bytes)) => match CacheEntry::from_bytes(&bytes) {
                    Some(entry) if self.is_void(key, &entry) => self
                        .log
                        .info(|| format!("{}: the entry was revoked or logged out", store.kind())),
                    Some(entry) => {
                        self.log
                            .debug(|| format!("{}: found a certificate until {}", store.kind(), entry.cert.not_after));
                        return Some((store.kind(), entry));
                    }
                    None => self
                        .log
                        .info(|| format!("{}: the entry is unreadable, so it counts as missing", store.kind())),
                },
                Ok(None) => self.log.debug(|| format!("{}: no entry", store.kind())),
                Err(error) => self.log.info(|| error.to_string()),
            }
        }
        None
    }

    /// Keeps `entry`, notes it in the index and removes our own entries that have expired. Returns where it is kept.
    ///
    /// An entry that was asked for before a tombstone is not kept: somebody logged out in the meantime.
    pub(crate) fn put(&self, key: &CacheKey, entry: &CacheEntry, note: CertificateRecord) -> Vec<StoreKind> {
        let now = self.clock.now();
        if self.is_void(key, entry) {
            self.log
                .info(|| "logged out while the certificate was fetched: it is not kept".to_owned());
            return Vec::new();
        }
        let expires_at = entry.ends_at(self.clock);
        let label = format!(
            "CCE client certificate, cluster {}, until {}",
            note.cluster_id,
            entry.cert.not_after.format("%Y-%m-%d %H:%M UTC")
        );
        let stored = self
            .store
            .set(key.account(), &label, &entry.to_bytes(), Some(expires_at), now);
        for trouble in &stored.troubles {
            self.log.info(|| format!("not kept: {}", trouble.error));
        }
        index::record_kept(self.directories, key, note, &stored);
        if self.is_void(key, entry) {
            // Somebody logged out in this very moment, and may have looked before it was there.
            index::record_deletion(self.directories, key, &self.store.delete(key.account()));
            return Vec::new();
        }
        self.sweep();
        stored.held_by
    }

    /// Removes our own entries that have expired: most keyrings do not by themselves.
    fn sweep(&self) {
        for key in index::expired(self.directories, self.clock.now()) {
            index::record_deletion(self.directories, &key, &self.store.delete(key.account()));
        }
    }

    /// Whether what was issued then has been voided since.
    fn is_void(&self, key: &CacheKey, entry: &CacheEntry) -> bool {
        tombstone::is_void(self.directories, key, entry.generation)
    }
}
