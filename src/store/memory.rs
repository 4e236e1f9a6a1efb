//! A store that lives in the process: the tests' keyring, with switches for every way a real one fails.

use crate::secret::Secret;
use crate::store::{SecretStore, StoreError, StoreKind, check_account};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The ways in which a [`MemoryStore`] can be made to fail; all off by default.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Switches {
    /// Reading fails.
    pub fail_get: bool,
    /// Writing fails; an older value stays.
    pub fail_set: bool,
    /// Deleting fails.
    pub fail_delete: bool,
    /// Writing or deleting the item of this name fails: an operation on several items that is cut short.
    pub broken_item: Option<&'static str>,
    /// Everything answers [`StoreError::Locked`].
    pub locked: bool,
    /// Everything answers [`StoreError::TimedOut`].
    pub silent: bool,
    /// Everything answers [`StoreError::Unavailable`].
    pub unavailable: bool,
    /// Larger values answer [`StoreError::TooLarge`].
    pub size_limit: Option<usize>,
}

#[derive(Default)]
struct MemoryState {
    entries: BTreeMap<String, Secret<Vec<u8>>>,
    switches: Switches,
    last_write: u64,
    last_delete: u64,
}

/// Keeps values in the process; clones share them.
#[derive(Clone)]
pub struct MemoryStore {
    kind: StoreKind,
    state: Arc<Mutex<MemoryState>>,
    /// How many writes and deletes there were, in all stores beside each other.
    count: Arc<AtomicU64>,
}

impl MemoryStore {
    /// An empty store that says it is of `kind`.
    pub fn new(kind: StoreKind) -> Self {
        Self {
            kind,
            state: Arc::default(),
            count: Arc::default(),
        }
    }

    /// Another one, whose writes and deletes are numbered together with this one's.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn beside(&self, kind: StoreKind) -> Self {
        Self {
            count: self.count.clone(),
            ..Self::new(kind)
        }
    }

    /// Sets how it fails from now on.
    pub fn switch(&self, switches: Switches) {
        self.state().switches = switches;
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.state().entries.is_empty()
    }

    /// When it last took a value: a number that grows with every write or delete of the stores beside each other; 0 for never.
    #[cfg(test)]
    pub(crate) fn last_write(&self) -> u64 {
        self.state().last_write
    }

    /// When it was last asked to delete, on the scale of [`MemoryStore::last_write`].
    #[cfg(test)]
    pub(crate) fn last_delete(&self) -> u64 {
        self.state().last_delete
    }

    /// Puts raw bytes in place of a value, also under names that [`SecretStore::set`] refuses: a torn write, a foreign entry.
    pub fn plant(&self, name: &str, value: Option<&[u8]>) {
        let mut state = self.state();
        match value {
            Some(value) => state.entries.insert(name.to_owned(), Secret::new(value.to_vec())),
            None => state.entries.remove(name),
        };
    }

    /// The names of all items, parts of split values included.
    pub fn names(&self) -> Vec<String> {
        self.state().entries.keys().cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, MemoryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn usable(
        &self,
        fails: impl FnOnce(&Switches) -> bool,
        action: &'static str,
    ) -> Result<MutexGuard<'_, MemoryState>, StoreError> {
        let state = self.state();
        if state.switches.unavailable {
            return Err(StoreError::unavailable(self.kind, "switched off by the test"));
        }
        if state.switches.locked {
            return Err(StoreError::Locked { kind: self.kind });
        }
        if state.switches.silent {
            return Err(StoreError::TimedOut {
                kind: self.kind,
                limit: Duration::from_secs(2),
            });
        }
        if fails(&state.switches) {
            return Err(StoreError::failed(self.kind, action, "switched to fail by the test"));
        }
        Ok(state)
    }
}

impl SecretStore for MemoryStore {
    fn kind(&self) -> StoreKind {
        self.kind
    }

    fn get(&self, account: &str) -> Result<Option<Secret<Vec<u8>>>, StoreError> {
        Ok(self
            .usable(|s| s.fail_get, "read an entry")?
            .entries
            .get(account)
            .cloned())
    }

    fn set(
        &self,
        account: &str,
        _label: &str,
        value: &Secret<Vec<u8>>,
        _expires_at: Option<DateTime<Utc>>,
        _now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut state = self.usable(|s| s.fail_set || s.broken_item == Some(account), "write an entry")?;
        // Only the length leaves here.
        let size = value.expose().len();
        if let Some(limit) = state.switches.size_limit.filter(|&limit| size > limit) {
            return Err(StoreError::TooLarge {
                kind: self.kind,
                limit,
                size,
            });
        }
        state.entries.insert(account.to_owned(), value.clone());
        state.last_write = 1 + self.count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn delete(&self, account: &str) -> Result<(), StoreError> {
        let mut state = self.usable(|s| s.fail_delete || s.broken_item == Some(account), "delete an entry")?;
        state.entries.remove(account);
        state.last_delete = 1 + self.count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn list(&self) -> Result<Vec<String>, StoreError> {
        let state = self.usable(|s| s.fail_get, "list its entries")?;
        Ok(state
            .entries
            .keys()
            .filter(|name| check_account(name).is_ok())
            .cloned()
            .collect())
    }
}
