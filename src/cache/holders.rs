//! Which stores may hold an entry: noted beside it, so that whoever forgets it later knows where it can still be.

use crate::store::{Deleted, StoreKind, Stored};
use serde::{Deserialize, Serialize};

/// The stores that have an entry, or may have an older one of the same account, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Holders(Vec<String>);

impl Holders {
    /// Their names, for reports.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether this one may have it.
    pub(crate) fn include(&self, kind: StoreKind) -> bool {
        self.names().any(|name| name == kind.name())
    }

    /// Whether none of them has it any more.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// After a write: the stores that took it; and of those before, whichever has not been seen to let go of the older one.
    #[must_use]
    pub(crate) fn after_write(&self, stored: &Stored) -> Self {
        self.changed(&stored.held_by, &stored.cleared)
    }

    /// After a deletion: those that could not do it or could not be asked.
    #[must_use]
    pub(crate) fn after_deletion(&self, deleted: &Deleted) -> Self {
        let failed: Vec<StoreKind> = deleted.troubles.iter().map(|trouble| trouble.kind).collect();
        self.changed(&failed, &deleted.cleared)
    }

    fn changed(&self, added: &[StoreKind], removed: &[StoreKind]) -> Self {
        let mut names: Vec<String> = added.iter().map(|kind| kind.name().to_owned()).collect();
        let is_removed = |name: &str| removed.iter().any(|kind| kind.name() == name);
        let stays = |name: &&String| !is_removed(name) && !names.contains(name);
        let rest: Vec<String> = self.0.iter().filter(stays).cloned().collect();
        names.extend(rest);
        Self(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{StoreError, StoreFailure};

    fn names(holders: &Holders) -> Vec<&str> {
        holders.names().collect()
    }

    fn written(held_by: &[StoreKind], cleared: &[StoreKind]) -> Stored {
        Stored {
            held_by: held_by.to_vec(),
            troubles: Vec::new(),
            cleared: cleared.to_vec(),
        }
    }

    #[test]
    fn a_store_stays_noted_until_it_is_seen_to_have_nothing() {
        use StoreKind::{File, KernelKeyring, SecretService};
        let first = Holders::default().after_write(&written(&[File], &[]));
        let second = first.after_write(&written(&[KernelKeyring, SecretService], &[]));
        assert_eq!(names(&second), ["kernel-keyring", "secret-service", "file"]);
        let out_of_reach = second.after_write(&written(&[KernelKeyring], &[]));
        assert!(out_of_reach.include(SecretService) && out_of_reach.include(File));
        let cleared = second.after_write(&written(&[KernelKeyring], &[SecretService]));
        assert_eq!(names(&cleared), ["kernel-keyring", "file"]);
    }

    #[test]
    fn a_deletion_leaves_those_that_could_not_be_asked() {
        use StoreKind::{File, KernelKeyring, Keychain, SecretService};
        let holders = Holders::default().after_write(&written(&[KernelKeyring, SecretService, File], &[]));
        let deleted = Deleted {
            cleared: vec![KernelKeyring, File],
            troubles: vec![StoreFailure {
                kind: Keychain,
                error: StoreError::Locked { kind: Keychain },
            }],
            unavailable: Vec::new(),
        };
        assert_eq!(names(&holders.after_deletion(&deleted)), ["keychain", "secret-service"]);
        let all = Deleted {
            cleared: vec![KernelKeyring, SecretService, File],
            ..Deleted::default()
        };
        assert!(holders.after_deletion(&all).is_empty());
    }
}
