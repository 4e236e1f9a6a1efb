//! Where secrets are kept: the stores, and how they stand one behind the other.
//!
//! A [`SecretStore`] keeps small secret values under account names. [`Stores`] are those of one run: the [`LayeredStore`] that a
//! [`CacheMode`] names, the one that may hold what must outlive a reboot, and all there are. What the values mean is the cache's business.
//! A store never fails a login: every trouble is a [`StoreError`] that the caller may log and treat as a miss.

#[cfg(target_os = "linux")]
mod container;
mod file;
#[cfg(target_os = "linux")]
mod kernel_keyring;
mod layered;
mod memory;
#[cfg(target_os = "linux")]
mod memory_directory;
mod os_keyring;
mod world;

pub use file::FileStore;
#[cfg(target_os = "linux")]
pub use kernel_keyring::KernelKeyring;
pub(crate) use layered::{Deleted, Stored};
pub use layered::{LayeredStore, StoreFailure};
pub use memory::{MemoryStore, Switches};
#[cfg(target_os = "linux")]
pub use memory_directory::MemoryDirectory;
pub(crate) use os_keyring::{OsKeyring, Split, TimeOutMarker};
pub(crate) use world::SecretPlace;
pub use world::{CacheMode, StoreEnvironment, Stores};

use crate::secret::Secret;
use chrono::{DateTime, Utc};
use std::fmt;
use std::time::Duration;

/// The service name under which every OS keyring files our entries (`secret-tool lookup service kubectl-cce_login username ACCOUNT`).
pub const SERVICE: &str = "kubectl-cce_login";

/// A place that keeps secret values under account names.
///
/// Account names are made of `a-z`, `0-9`, `.`, `_` and `-`, do not begin with a dot and are at most 200 bytes long; any other is a
/// [`StoreError::BadAccount`]. They are visible (file names, key descriptions): no secret may be part of one.
pub trait SecretStore: Send + Sync {
    /// Says what this store is.
    fn kind(&self) -> StoreKind;

    /// Reads the value of `account`; `Ok(None)` means that there is none.
    ///
    /// [`StoreError::Locked`] and every other error are a miss to a cache.
    fn get(&self, account: &str) -> Result<Option<Secret<Vec<u8>>>, StoreError>;

    /// Writes the value of `account`, replacing an older one.
    ///
    /// `label` is what a person reads in a keyring's own viewer. A store that can forget by itself does so at `expires_at` (reckoned from
    /// `now`); the others keep the value until it is deleted. After an error the store may still hold an older value unless it says otherwise.
    fn set(
        &self,
        account: &str,
        label: &str,
        value: &Secret<Vec<u8>>,
        expires_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Removes the value of `account`; one that is not there is no error.
    fn delete(&self, account: &str) -> Result<(), StoreError>;

    /// Lists the accounts of ours; [`StoreError::NotSupported`] where the store cannot tell.
    fn list(&self) -> Result<Vec<String>, StoreError>;
}

/// What a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StoreKind {
    /// The freedesktop.org Secret Service (GNOME Keyring, `KWallet`, `KeePassXC`).
    SecretService,
    /// The macOS login keychain.
    Keychain,
    /// The Windows Credential Manager.
    CredentialManager,
    /// Keys of the Linux kernel, in the user's keyring.
    KernelKeyring,
    /// Files in a private directory that lives in memory.
    MemoryDirectory,
    /// Files on disk, only where asked for by name.
    File,
    /// The tests' own store.
    Memory,
}

impl StoreKind {
    /// The word for this kind in JSON reports and in the index of entries: stable.
    pub fn name(self) -> &'static str {
        match self {
            Self::SecretService => "secret-service",
            Self::Keychain => "keychain",
            Self::CredentialManager => "credential-manager",
            Self::KernelKeyring => "kernel-keyring",
            Self::MemoryDirectory => "memory-directory",
            Self::File => "file",
            Self::Memory => "memory",
        }
    }

    /// The OS keyring of the platform we run on.
    pub(crate) const fn os_keyring() -> Self {
        if cfg!(target_os = "macos") {
            Self::Keychain
        } else if cfg!(target_os = "windows") {
            Self::CredentialManager
        } else {
            Self::SecretService
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SecretService => "the Secret Service",
            Self::Keychain => "the macOS Keychain",
            Self::CredentialManager => "the Windows Credential Manager",
            Self::KernelKeyring => "the kernel keyring",
            Self::MemoryDirectory => "the memory directory",
            Self::File => "the file store",
            Self::Memory => "the test store",
        })
    }
}

/// Why a store could not do what it was asked; never holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store is not there for this process (no session bus, a container, no private memory): use the next one.
    #[error("{kind} is not available: {reason}")]
    Unavailable {
        /// The store.
        kind: StoreKind,
        /// What is missing, as a fragment.
        reason: String,
    },
    /// The store is locked, and opening it would take a dialog that we may not open, or that was dismissed.
    #[error("{kind} is locked")]
    Locked {
        /// The store.
        kind: StoreKind,
    },
    /// The store did not answer in time; from now on it is [`StoreError::Skipped`].
    #[error("{kind} did not answer within {} ms", limit.as_millis())]
    TimedOut {
        /// The store.
        kind: StoreKind,
        /// The deadline that passed.
        limit: Duration,
    },
    /// The store is left alone because it did not answer a moment ago, to us or to another process.
    #[error("{kind} is skipped because it did not answer at {}", since.format("%Y-%m-%dT%H:%M:%SZ"))]
    Skipped {
        /// The store.
        kind: StoreKind,
        /// When it did not answer.
        since: DateTime<Utc>,
    },
    /// The value is larger than an item of this store may be.
    #[error("{kind} holds at most {limit} bytes per item, this one has {size}")]
    TooLarge {
        /// The store.
        kind: StoreKind,
        /// The most bytes an item may have.
        limit: usize,
        /// The bytes of this value.
        size: usize,
    },
    /// The store has no room for the value, also without our other entries.
    #[error("{kind} has no room left")]
    Full {
        /// The store.
        kind: StoreKind,
    },
    /// The store keeps only values that expire, and this one does not.
    #[error("{kind} keeps only entries that expire")]
    NeverExpires {
        /// The store.
        kind: StoreKind,
    },
    /// The value's end lies in the past, so it was not stored.
    #[error("the entry has expired already")]
    Expired,
    /// The store cannot do this at all.
    #[error("{kind} cannot {action}")]
    NotSupported {
        /// The store.
        kind: StoreKind,
        /// What it cannot do, as a verb phrase.
        action: &'static str,
    },
    /// The account name is not one of ours (see [`SecretStore`]).
    #[error("`{account}` is not a valid account name")]
    BadAccount {
        /// The name, shortened and without control characters.
        account: String,
    },
    /// The store tried and failed.
    #[error("{kind} failed to {action}")]
    Failed {
        /// The store.
        kind: StoreKind,
        /// What it was doing, as a verb phrase.
        action: &'static str,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    fn unavailable(kind: StoreKind, reason: impl Into<String>) -> Self {
        Self::Unavailable {
            kind,
            reason: reason.into(),
        }
    }

    fn failed(
        kind: StoreKind,
        action: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Failed {
            kind,
            action,
            source: source.into(),
        }
    }
}

/// The most bytes an account name may have; file names end at 255.
const ACCOUNT_MAX: usize = 200;

/// Refuses account names that would need escaping in a file name, a key description or an attribute.
fn check_account(account: &str) -> Result<(), StoreError> {
    let is_ours = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    if !account.is_empty() && account.len() <= ACCOUNT_MAX && !account.starts_with('.') && account.bytes().all(is_ours)
    {
        Ok(())
    } else {
        Err(StoreError::BadAccount {
            account: account
                .chars()
                .take(40)
                .map(|c| if c.is_ascii_graphic() { c } else { '?' })
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_name_that_could_leave_its_place_is_refused() {
        for good in ["a", "cert.0123-ab_c", "x."] {
            check_account(good).unwrap();
        }
        let long = "a".repeat(ACCOUNT_MAX + 1);
        for bad in [
            "", ".", "..", ".hidden", "a/b", "A", "a b", "a\n", "ä", "a#1", "a:b", &long,
        ] {
            assert!(
                matches!(check_account(bad), Err(StoreError::BadAccount { .. })),
                "{bad:?}"
            );
        }
        assert_eq!(
            check_account("a\u{1b}[31m/").unwrap_err().to_string(),
            "`a?[31m/` is not a valid account name"
        );
    }

    #[test]
    fn errors_are_lower_case_fragments() {
        let kind = StoreKind::SecretService;
        let texts = [
            (
                StoreError::unavailable(kind, "there is no session bus"),
                "the Secret Service is not available: there is no session bus",
            ),
            (
                StoreError::TimedOut {
                    kind,
                    limit: Duration::from_secs(2),
                },
                "the Secret Service did not answer within 2000 ms",
            ),
            (
                StoreError::Skipped {
                    kind,
                    since: DateTime::UNIX_EPOCH,
                },
                "the Secret Service is skipped because it did not answer at 1970-01-01T00:00:00Z",
            ),
            (
                StoreError::failed(kind, "read an entry", "boom"),
                "the Secret Service failed to read an entry",
            ),
        ];
        for (error, text) in texts {
            assert_eq!(error.to_string(), text);
        }
    }
}
