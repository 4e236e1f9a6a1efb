//! Stores one behind the other, kept consistent: what the front answers is never older than what stands behind it.
//!
//! Reads go front to back, writes back to front (the store that survives a reboot first), deletes front to back. A layer that could not take a
//! new value loses its old one.

use crate::secret::Secret;
use crate::store::{SecretStore, StoreError, StoreKind};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// One store's trouble with one operation.
#[derive(Debug)]
pub struct StoreFailure {
    /// The store.
    pub(crate) kind: StoreKind,
    /// What happened.
    pub error: StoreError,
}

/// What reading through the layers found.
#[derive(Debug)]
pub struct Lookup {
    /// The value and the store that answered.
    pub found: Option<(StoreKind, Secret<Vec<u8>>)>,
    /// The stores in front of the answer that could not be asked.
    pub troubles: Vec<StoreFailure>,
}

/// Where writing through the layers left the value.
#[derive(Debug)]
pub struct Stored {
    /// The stores that hold it, front to back; empty: it is kept nowhere.
    pub held_by: Vec<StoreKind>,
    /// The stores that did not take it.
    pub troubles: Vec<StoreFailure>,
    /// The stores that hold nothing under this account, an older value neither.
    pub(crate) cleared: Vec<StoreKind>,
}

/// What deleting through the layers could do.
#[derive(Debug, Default)]
pub struct Deleted {
    /// The stores that hold it no more, if they ever did.
    pub(crate) cleared: Vec<StoreKind>,
    /// The stores that may still hold the value: to be named to the user.
    pub troubles: Vec<StoreFailure>,
    /// The stores that are not there for this process; what they hold, if anything, could not be reached.
    pub(crate) unavailable: Vec<StoreFailure>,
}

/// Stores from front (fast) to back (lasting), and a fallback for when none of them takes a value.
#[derive(Clone, Default)]
pub struct LayeredStore {
    layers: Vec<Arc<dyn SecretStore>>,
    fallback: Option<Arc<dyn SecretStore>>,
}

impl LayeredStore {
    /// Puts stores one behind the other; without any, nothing is kept and nothing fails.
    pub fn new(layers: Vec<Arc<dyn SecretStore>>, fallback: Option<Arc<dyn SecretStore>>) -> Self {
        Self { layers, fallback }
    }

    /// The stores, front to back, the fallback last: for reports and for `doctor`'s probes.
    pub fn stores(&self) -> impl DoubleEndedIterator<Item = &Arc<dyn SecretStore>> {
        self.layers.iter().chain(&self.fallback)
    }

    /// Reads the value of `account` from the first store that has it.
    pub fn get(&self, account: &str) -> Lookup {
        let mut troubles = Vec::new();
        for store in self.stores() {
            match store.get(account) {
                Ok(Some(value)) => {
                    return Lookup {
                        found: Some((store.kind(), value)),
                        troubles,
                    };
                }
                Ok(None) => {}
                Err(error) => troubles.push(StoreFailure {
                    kind: store.kind(),
                    error,
                }),
            }
        }
        Lookup { found: None, troubles }
    }

    /// Writes the value to every layer, the last first, and to the fallback if no layer took it.
    ///
    /// A store that does not take it loses the older value it may have held, so that it cannot answer with it later.
    pub fn set(
        &self,
        account: &str,
        label: &str,
        value: &Secret<Vec<u8>>,
        expires_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Stored {
        let mut stored = Stored {
            held_by: Vec::new(),
            troubles: Vec::new(),
            cleared: Vec::new(),
        };
        for store in self.layers.iter().rev() {
            set_one(
                store.as_ref(),
                &mut stored,
                |store| store.set(account, label, value, expires_at, now),
                account,
            );
        }
        if let Some(fallback) = &self.fallback {
            if stored.held_by.is_empty() {
                set_one(
                    fallback.as_ref(),
                    &mut stored,
                    |store| store.set(account, label, value, expires_at, now),
                    account,
                );
            } else {
                forget(fallback.as_ref(), &mut stored, account);
            }
        }
        stored.held_by.reverse();
        stored
    }

    /// Removes the value of `account` from every store, front to back.
    pub fn delete(&self, account: &str) -> Deleted {
        let mut deleted = Deleted::default();
        for store in self.stores() {
            match store.delete(account) {
                Ok(()) => deleted.cleared.push(store.kind()),
                Err(error @ StoreError::Unavailable { .. }) => deleted.unavailable.push(StoreFailure {
                    kind: store.kind(),
                    error,
                }),
                Err(error) => deleted.troubles.push(StoreFailure {
                    kind: store.kind(),
                    error,
                }),
            }
        }
        deleted
    }

    /// Lists the accounts of every store that can tell, each once, sorted; and the stores that could not.
    pub fn list(&self) -> (Vec<String>, Vec<StoreFailure>) {
        let mut accounts = Vec::new();
        let mut troubles = Vec::new();
        for store in self.stores() {
            match store.list() {
                Ok(mut some) => accounts.append(&mut some),
                Err(error) => troubles.push(StoreFailure {
                    kind: store.kind(),
                    error,
                }),
            }
        }
        accounts.sort();
        accounts.dedup();
        (accounts, troubles)
    }
}

fn set_one(
    store: &dyn SecretStore,
    stored: &mut Stored,
    set: impl FnOnce(&dyn SecretStore) -> Result<(), StoreError>,
    account: &str,
) {
    match set(store) {
        Ok(()) => stored.held_by.push(store.kind()),
        Err(error) => {
            stored.troubles.push(StoreFailure {
                kind: store.kind(),
                error,
            });
            forget(store, stored, account);
        }
    }
}

fn forget(store: &dyn SecretStore, stored: &mut Stored, account: &str) {
    if store.delete(account).is_ok() {
        stored.cleared.push(store.kind());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MemoryStore, Switches};

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn secret(text: &str) -> Secret<Vec<u8>> {
        Secret::new(text.into())
    }

    struct World {
        front: MemoryStore,
        back: MemoryStore,
        fallback: MemoryStore,
        layered: LayeredStore,
    }

    fn world() -> World {
        let front = MemoryStore::new(StoreKind::KernelKeyring);
        let back = front.beside(StoreKind::SecretService);
        let fallback = front.beside(StoreKind::MemoryDirectory);
        let layers: Vec<Arc<dyn SecretStore>> = vec![Arc::new(front.clone()), Arc::new(back.clone())];
        let layered = LayeredStore::new(layers, Some(Arc::new(fallback.clone())));
        World {
            front,
            back,
            fallback,
            layered,
        }
    }

    fn found(layered: &LayeredStore) -> Option<(StoreKind, Secret<Vec<u8>>)> {
        layered.get("a").found
    }

    #[test]
    fn the_front_answers_and_the_back_stands_in_for_it() {
        let w = world();
        let stored = w.layered.set("a", "label", &secret("1"), None, NOW);
        assert_eq!(stored.held_by, [StoreKind::KernelKeyring, StoreKind::SecretService]);
        assert!(stored.troubles.is_empty() && w.fallback.is_empty());
        assert_eq!(found(&w.layered), Some((StoreKind::KernelKeyring, secret("1"))));
        w.front.delete("a").unwrap();
        assert_eq!(found(&w.layered), Some((StoreKind::SecretService, secret("1"))));
        w.back.delete("a").unwrap();
        assert_eq!(found(&w.layered), None);
    }

    #[test]
    fn the_lasting_store_is_written_first() {
        let w = world();
        w.layered.set("a", "label", &secret("1"), None, NOW);
        assert!(w.back.last_write() < w.front.last_write());
        w.layered.delete("a");
        assert!(w.front.last_delete() < w.back.last_delete());
    }

    #[test]
    fn a_front_that_fails_does_not_keep_the_older_value() {
        let w = world();
        w.layered.set("a", "label", &secret("old"), None, NOW);
        w.front.switch(Switches {
            fail_set: true,
            ..Switches::default()
        });
        let stored = w.layered.set("a", "label", &secret("new"), None, NOW);
        assert_eq!(stored.held_by, [StoreKind::SecretService]);
        assert_eq!(stored.troubles.len(), 1);
        assert_eq!(stored.cleared, [StoreKind::KernelKeyring, StoreKind::MemoryDirectory]);
        assert_eq!(found(&w.layered), Some((StoreKind::SecretService, secret("new"))));
    }

    #[test]
    fn a_store_that_neither_takes_the_new_nor_drops_the_old_is_not_cleared() {
        let w = world();
        w.layered.set("a", "label", &secret("old"), None, NOW);
        w.front.switch(Switches {
            fail_set: true,
            fail_delete: true,
            ..Switches::default()
        });
        let stored = w.layered.set("a", "label", &secret("new"), None, NOW);
        assert_eq!(stored.cleared, [StoreKind::MemoryDirectory]);
    }

    #[test]
    fn the_fallback_takes_what_no_keyring_takes_and_loses_it_when_one_does() {
        let w = world();
        w.front.switch(Switches {
            fail_set: true,
            ..Switches::default()
        });
        w.back.switch(Switches {
            locked: true,
            ..Switches::default()
        });
        let stored = w.layered.set("a", "label", &secret("1"), None, NOW);
        assert_eq!(stored.held_by, [StoreKind::MemoryDirectory]);
        let lookup = w.layered.get("a");
        assert_eq!(lookup.found, Some((StoreKind::MemoryDirectory, secret("1"))));
        assert!(matches!(
            lookup.troubles.as_slice(),
            [StoreFailure {
                kind: StoreKind::SecretService,
                error: StoreError::Locked { .. }
            }]
        ));

        w.back.switch(Switches::default());
        let stored = w.layered.set("a", "label", &secret("2"), None, NOW);
        assert_eq!(stored.held_by, [StoreKind::SecretService]);
        assert!(w.fallback.is_empty());
    }

    #[test]
    fn delete_goes_through_every_store_and_names_those_that_could_not() {
        let w = world();
        w.layered.set("a", "label", &secret("1"), None, NOW);
        w.front.switch(Switches {
            fail_delete: true,
            ..Switches::default()
        });
        let deleted = w.layered.delete("a");
        assert!(matches!(
            deleted.troubles.as_slice(),
            [StoreFailure {
                kind: StoreKind::KernelKeyring,
                ..
            }]
        ));
        assert!(w.back.is_empty());
        assert!(w.layered.delete("never there").troubles.len() == 1);
    }

    #[test]
    fn a_store_that_is_not_there_is_not_a_failed_delete() {
        let w = world();
        w.back.switch(Switches {
            unavailable: true,
            ..Switches::default()
        });
        let deleted = w.layered.delete("a");
        assert!(deleted.troubles.is_empty());
        assert!(matches!(
            deleted.unavailable.as_slice(),
            [StoreFailure {
                kind: StoreKind::SecretService,
                ..
            }]
        ));
    }

    #[test]
    fn list_joins_what_the_stores_hold() {
        let w = world();
        w.layered.set("b", "label", &secret("1"), None, NOW);
        w.back.set("a", "label", &secret("1"), None, NOW).unwrap();
        assert_eq!(w.layered.list().0, ["a", "b"]);
        w.layered.delete("a");
        w.layered.delete("b");
        assert!(w.layered.list().0.is_empty());
    }

    #[test]
    fn without_stores_nothing_is_kept_and_nothing_fails() {
        let none = LayeredStore::default();
        let stored = none.set("a", "label", &secret("1"), None, NOW);
        assert!(stored.held_by.is_empty() && stored.troubles.is_empty());
        assert!(none.get("a").found.is_none());
        assert!(none.delete("a").troubles.is_empty());
    }
}
