//! The certificates we have: found by everything that changes the answer, read without a lock, fetched once across processes.
//!
//! A cache that fails costs a fetch, never a login: every method answers with a miss or a note, not with an error.

pub(crate) mod claim;
pub mod entry;
pub(crate) mod failure;
#[cfg(test)]
pub(crate) mod fixtures;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::tombstone::bury;
    use crate::host::Host;
    use crate::store::{MemoryStore, SecretStore as _};
    use chrono::{DateTime, TimeDelta, Utc};
    use std::sync::Arc;
    use std::sync::atomic::AtomicI64;

    #[test]
    fn whatever_changes_the_answer_changes_the_key() {
        let certificate = |endpoint: &str, project: &str, cluster: &str, who: &str, seconds: i64, is_autopilot| {
            let endpoint = Endpoint::parse(endpoint).unwrap();
            let (project, cluster) = (ProjectId::parse(project).unwrap(), ClusterId::parse(cluster).unwrap());
            let lifetime = CertLifetime::Seconds(seconds);
            CacheKey::new(&endpoint, &project, &cluster, who, lifetime, is_autopilot)
        };
        let sign_in =
            |iam: &str, who: &str, purpose: &str| CacheKey::of_sign_in(&Endpoint::parse(iam).unwrap(), who, purpose);
        let [one, other] = ["https://cce.example", "https://cce.other.example"];
        let keys = [
            certificate(one, "p1", "c1", "who", 900, false),
            certificate(other, "p1", "c1", "who", 900, false),
            certificate(one, "p2", "c1", "who", 900, false),
            certificate(one, "p1", "c2", "who", 900, false),
            certificate(one, "p1", "c1", "she", 900, false),
            certificate(one, "p1", "c1", "who", 901, false),
            certificate(one, "p1", "c1", "who", 900, true),
            sign_in(one, "who", "project"),
            sign_in(other, "who", "project"),
            sign_in(one, "she", "project"),
            sign_in(one, "who", "domain"),
        ];
        let accounts: std::collections::BTreeSet<&str> = keys.iter().map(CacheKey::account).collect();
        assert_eq!(accounts.len(), keys.len());
        assert_eq!(keys[0], certificate(one, "p1", "c1", "who", 900, false));
        assert!(keys[0].account().starts_with("cert-") && keys[7].account().starts_with("sign-in-"));
        assert_eq!(CacheKey::of_account(keys[0].account()), keys[0]);
    }

    struct World {
        _home: tempfile::TempDir,
        directories: Directories,
        memory: MemoryStore,
        store: LayeredStore,
        host: Host,
    }

    impl World {
        fn new() -> Self {
            let (home, directories, _) = fixtures::world();
            let memory = MemoryStore::new(StoreKind::KernelKeyring);
            Self {
                directories,
                store: LayeredStore::new(vec![Arc::new(memory.clone())], None),
                memory,
                host: Host::real(),
                _home: home,
            }
        }

        /// At this time, by a clock that is right.
        fn at<T>(&self, now: DateTime<Utc>, act: impl FnOnce(&CertCache<'_>) -> T) -> T {
            let log = Log::new(&self.host, 0);
            let clock = Clock::Fixed {
                now: Arc::new(AtomicI64::new(now.timestamp())),
                booted_at: Arc::new(AtomicI64::new(0)),
            };
            act(&CertCache {
                store: &self.store,
                directories: &self.directories,
                clock: &clock,
                log: &log,
            })
        }
    }

    /// Asked for under the last tombstone of `key`.
    fn entry(world: &World, key: &CacheKey) -> CacheEntry {
        CacheEntry {
            generation: tombstone::generation(&world.directories, key),
            skew: crate::host::Skew::default(),
            ..fixtures::entry()
        }
    }

    fn note(entry: &CacheEntry) -> CertificateRecord {
        CertificateRecord {
            not_after: entry.cert.not_after,
            ..fixtures::facts("cluster", 0)
        }
    }

    #[test]
    fn what_is_kept_is_found_until_somebody_logs_out() {
        let world = World::new();
        let key = CacheKey::of_account("cert-1");
        let kept = entry(&world, &key);
        let now = kept.cert.not_before;
        assert!(world.at(now, |cache| cache.get(&key)).is_none());
        let held_by = world.at(now, |cache| cache.put(&key, &kept, note(&kept)));
        assert_eq!(held_by, [StoreKind::KernelKeyring]);
        let found = world.at(now, |cache| cache.get(&key));
        assert_eq!(found, Some((StoreKind::KernelKeyring, kept.clone())));
        assert!(index::read(&world.directories, &key).is_some());
        assert!(
            world
                .at(now, |cache| cache.get(&CacheKey::of_account("cert-2")))
                .is_none()
        );

        bury(&world.directories, &key).unwrap();
        assert!(world.at(now, |cache| cache.get(&key)).is_none(), "void");
        world.memory.delete(key.account()).unwrap();
        let held_by = world.at(now, |cache| cache.put(&key, &kept, note(&kept)));
        assert!(
            held_by.is_empty() && world.memory.names().is_empty(),
            "asked for before the logout"
        );
        let new = entry(&world, &key);
        world.at(now, |cache| cache.put(&key, &new, note(&new)));
        assert_eq!(
            world.at(now, |cache| cache.get(&key)).map(|(_, entry)| entry),
            Some(new)
        );
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_a_miss() {
        let world = World::new();
        let key = CacheKey::of_account("cert-1");
        world.memory.plant(key.account(), Some(b"garbage"));
        assert!(world.at(DateTime::UNIX_EPOCH, |cache| cache.get(&key)).is_none());
    }

    #[test]
    fn whoever_keeps_one_removes_those_that_are_over_for_a_day() {
        let world = World::new();
        let [old, new] = ["cert-1", "cert-2"].map(CacheKey::of_account);
        let kept = entry(&world, &old);
        let end = kept.cert.not_after;
        world.at(end - TimeDelta::hours(1), |cache| cache.put(&old, &kept, note(&kept)));
        let other = entry(&world, &new);
        let later = |hours| {
            let record = CertificateRecord {
                not_after: end + TimeDelta::days(9),
                ..note(&other)
            };
            world.at(end + TimeDelta::hours(hours), |cache| cache.put(&new, &other, record));
            world.memory.names()
        };
        assert_eq!(later(23), [old.account(), new.account()]);
        assert_eq!(later(25), [new.account()]);
        assert!(index::read(&world.directories, &old).is_none());
    }
}
