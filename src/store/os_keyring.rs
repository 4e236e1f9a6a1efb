//! The OS keyring, through keyring-core's API: the macOS login keychain, the Windows Credential Manager, the Secret Service elsewhere.
//!
//! Every operation runs under the deadline of [`StoreEnvironment`], on one connection per run. When not interactive no dialog is opened: a locked
//! keyring is [`StoreError::Locked`].

#[cfg(all(unix, not(target_os = "macos")))]
mod dbus;
// Also built for tests elsewhere: its own show what the two platforms without a test machine rely on.
#[cfg(any(test, target_os = "macos", target_os = "windows"))]
mod deadline;
#[cfg(all(unix, not(target_os = "macos")))]
mod in_line;
#[cfg(all(unix, not(target_os = "macos")))]
mod secret_service;
#[cfg(all(unix, not(target_os = "macos")))]
mod session_bus;
mod split;
mod time_out_marker;
mod verdict;

pub(crate) use split::Split;
pub(crate) use time_out_marker::TimeOutMarker;

use super::{SERVICE, SecretStore, StoreEnvironment, StoreError, StoreKind};
use crate::secret::Secret;
use chrono::{DateTime, Utc};
use keyring_core::api::CredentialStore;
use keyring_core::{Entry, Error};
use split::check_item;
use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;
use verdict::Verdict;

const KIND: StoreKind = StoreKind::os_keyring();

/// The OS keyring of the platform.
pub(crate) struct OsKeyring {
    keyring: platform::Runner,
}

impl OsKeyring {
    /// Describes the keyring; the first operation connects to it.
    pub(crate) fn new(world: &StoreEnvironment) -> Self {
        Self {
            keyring: platform::runner(world),
        }
    }

    /// The most bytes an item holds, where that is less than we may want to store.
    ///
    /// Windows: `CRED_MAX_CREDENTIAL_BLOB_SIZE`, 5 * 512 bytes
    /// (<https://learn.microsoft.com/windows/win32/api/wincred/ns-wincred-credentiala>).
    pub(crate) const ITEM_LIMIT: Option<usize> = if cfg!(target_os = "windows") { Some(2560) } else { None };

    /// Runs one operation on one entry.
    fn with_entry<T: Send + 'static>(
        &self,
        account: &str,
        label: &str,
        action: &'static str,
        operation: impl FnOnce(&Entry) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        check_item(account)?;
        let (account, label) = (account.to_owned(), label.to_owned());
        self.keyring.run(move |opened| {
            let modifiers = platform::modifiers(&label);
            let entry = opened
                .store()
                .build(SERVICE, &account, Some(&modifiers))
                .map_err(|error| to_store_error(error, action))?;
            operation(&entry).map_err(|error| to_store_error(error, action))
        })
    }
}

impl SecretStore for OsKeyring {
    fn kind(&self) -> StoreKind {
        KIND
    }

    fn get(&self, account: &str) -> Result<Option<Secret<Vec<u8>>>, StoreError> {
        self.with_entry(account, "", "read an entry", |entry| {
            or_absent(entry.get_secret().map(|bytes| Some(Secret::new(bytes))), None)
        })
    }

    fn set(
        &self,
        account: &str,
        label: &str,
        value: &Secret<Vec<u8>>,
        expires_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if expires_at.is_some_and(|end| end <= now) {
            return Err(StoreError::Expired);
        }
        let value = value.clone();
        // Into the keyring: this is what it is for.
        self.with_entry(account, label, "write an entry", move |entry| {
            entry.set_secret(value.expose())
        })
    }

    fn delete(&self, account: &str) -> Result<(), StoreError> {
        self.with_entry(account, "", "delete an entry", |entry| {
            or_absent(entry.delete_credential(), ())
        })
    }

    fn list(&self) -> Result<Vec<String>, StoreError> {
        self.keyring.run(|opened| {
            let found = opened
                .store()
                .search(&HashMap::from([("service", SERVICE)]))
                .map_err(|error| to_store_error(error, "list its entries"))?;
            let accounts = found
                .iter()
                .filter_map(Entry::get_specifiers)
                .filter(|(service, _)| service == SERVICE);
            Ok(accounts
                .map(|(_, account)| account)
                .filter(|account| check_item(account).is_ok())
                .collect())
        })
    }
}

fn or_absent<T>(result: Result<T, Error>, absent: T) -> Result<T, Error> {
    match result {
        Err(Error::NoEntry) => Ok(absent),
        other => other,
    }
}

/// Keeps the cause, but for the kinds that carry the secret's bytes.
fn to_store_error(error: Error, action: &'static str) -> StoreError {
    let source: Box<dyn StdError + Send + Sync> = match error {
        Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            "the entry is not in the form in which the store keeps it".into()
        }
        Error::Ambiguous(_) => "several entries match".into(),
        Error::NotSupportedByStore(_) => return StoreError::NotSupported { kind: KIND, action },
        Error::TooLong(_, limit) => format!("larger than the {limit} bytes an item may have").into(),
        Error::PlatformFailure(source) | Error::NoStorageAccess(source) => match platform::judge(source.as_ref()) {
            Verdict::Locked => return StoreError::Locked { kind: KIND },
            Verdict::Absent(reason) => return StoreError::unavailable(KIND, reason),
            Verdict::Silent(limit) => return StoreError::TimedOut { kind: KIND, limit },
            Verdict::Failed => source,
        },
        other => Box::new(other),
    };
    StoreError::failed(KIND, action, source)
}

/// The Secret Service: our own [`keyring_core`] store on a session bus that is ours.
#[cfg(all(unix, not(target_os = "macos")))]
mod platform {
    use super::in_line::InLine;
    use super::secret_service::calls::{LIMIT, ServiceError};
    use super::secret_service::{self, Dialogs, SecretServiceStore};
    use super::session_bus;
    use super::{Arc, CredentialStore, Duration, HashMap, KIND, StoreEnvironment, StoreError};
    use keyring_core::Error;
    use std::time::Instant;

    pub(super) type Runner = InLine<Opened>;

    /// Its client keeps the time itself.
    pub(super) fn runner(world: &StoreEnvironment) -> Runner {
        let world = world.clone();
        InLine::new(KIND, world.time_out_marker(), move || open(&world))
    }

    pub(super) struct Opened(Arc<CredentialStore>);

    impl Opened {
        pub(super) fn store(&self) -> &CredentialStore {
            self.0.as_ref()
        }
    }

    fn open(world: &StoreEnvironment) -> Result<Opened, StoreError> {
        // Shorter than the deadline, so that a dialog nobody answers is a locked keyring and not one to be left alone.
        let dialog_limit = world.keyring_deadline.saturating_sub(Duration::from_secs(5));
        let address = world.dbus_session_bus_address.as_deref();
        let bus = session_bus::socket_path(address, world.runtime_dir())
            .and_then(|path| session_bus::connect_to(&path, world.uid, Instant::now() + LIMIT))
            .map_err(|reason| Error::PlatformFailure(Box::new(ServiceError::NoBus(reason))))
            .map_err(|error| super::to_store_error(error, "open a connection"))?;
        let dismissed = world.time_out_marker().of_dialog();
        let may_ask = world.interactive && !(world.is_for_client && dismissed.recent().is_some());
        let dialogs = Dialogs {
            limit: may_ask.then_some(dialog_limit),
            dismissed,
        };
        let store = SecretServiceStore::new(bus, world.uid, dialogs);
        Ok(Opened(Arc::new(store)))
    }

    pub(super) fn modifiers(label: &str) -> HashMap<&str, &str> {
        HashMap::from([(secret_service::LABEL, label)])
    }

    pub(super) use secret_service::judge;
}

/// The login keychain, through apple-native-keyring-store.
#[cfg(target_os = "macos")]
mod platform {
    use super::deadline::Deadlined;
    use super::{Arc, CredentialStore, HashMap, KIND, StdError, StoreEnvironment, StoreError, Verdict};
    use security_framework::base::Error as KeychainError;
    use security_framework::os::macos::keychain::{KeychainUserInteractionLock, SecKeychain};

    pub(super) type Runner = Deadlined<Opened>;

    pub(super) fn runner(world: &StoreEnvironment) -> Runner {
        let interactive = world.interactive;
        Deadlined::new(KIND, world.keyring_deadline, world.time_out_marker(), move || {
            open(interactive)
        })
    }

    pub(super) struct Opened {
        store: Arc<CredentialStore>,
        /// While it lives the Security framework answers `errSecInteractionNotAllowed` where it would open a dialog; for the whole process.
        _no_dialogs: Option<KeychainUserInteractionLock>,
    }

    impl Opened {
        pub(super) fn store(&self) -> &CredentialStore {
            self.store.as_ref()
        }
    }

    fn open(interactive: bool) -> Result<Opened, StoreError> {
        let failed = |error: keyring_core::Error| super::to_store_error(error, "open the login keychain");
        let no_dialogs = if interactive {
            None
        } else {
            Some(
                SecKeychain::disable_user_interaction()
                    .map_err(|error| failed(keyring_core::Error::PlatformFailure(Box::new(error))))?,
            )
        };
        let store = apple_native_keyring_store::keychain::Store::new().map_err(failed)?;
        Ok(Opened {
            store,
            _no_dialogs: no_dialogs,
        })
    }

    /// The keychain shows our service and account names; there is no label to set.
    pub(super) fn modifiers(_label: &str) -> HashMap<&str, &str> {
        HashMap::new()
    }

    /// Codes of `SecBase.h`.
    pub(super) fn judge(error: &(dyn StdError + Send + Sync + 'static)) -> Verdict {
        match error.downcast_ref::<KeychainError>().map(|error| error.code()) {
            // errSecInteractionNotAllowed, errSecInteractionRequired, errSecAuthFailed, errSecUserCanceled
            Some(-25308 | -25315 | -25293 | -128) => Verdict::Locked,
            // errSecNotAvailable, errSecNoSuchKeychain, errSecNoDefaultKeychain
            Some(-25291 | -25294 | -25307) => Verdict::Absent("there is no login keychain".into()),
            _ => Verdict::Failed,
        }
    }
}

/// The Credential Manager, through windows-native-keyring-store.
#[cfg(target_os = "windows")]
mod platform {
    use super::deadline::Deadlined;
    use super::{Arc, CredentialStore, HashMap, KIND, StdError, StoreEnvironment, StoreError, Verdict};

    pub(super) type Runner = Deadlined<Opened>;

    pub(super) fn runner(world: &StoreEnvironment) -> Runner {
        Deadlined::new(KIND, world.keyring_deadline, world.time_out_marker(), open)
    }

    pub(super) struct Opened(Arc<CredentialStore>);

    impl Opened {
        pub(super) fn store(&self) -> &CredentialStore {
            self.0.as_ref()
        }
    }

    fn open() -> Result<Opened, StoreError> {
        let store = windows_native_keyring_store::Store::new().map_err(|error| super::to_store_error(error, "open"))?;
        Ok(Opened(store))
    }

    /// `Local`: on this machine until deleted. The store's default, `Enterprise`, roams with the profile.
    pub(super) fn modifiers(_label: &str) -> HashMap<&str, &str> {
        HashMap::from([("persistence", "Local")])
    }

    /// The Credential Manager has no lock of its own; without a logon session there is no credential set.
    pub(super) fn judge(_error: &(dyn StdError + Send + Sync + 'static)) -> Verdict {
        Verdict::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_never_carries_the_secret_it_is_about() {
        let secret = b"top secret".to_vec();
        let shown_as_bytes = format!("{secret:?}");
        for error in [
            Error::BadEncoding(secret.clone()),
            Error::BadDataFormat(secret.clone(), "not ours".into()),
        ] {
            let shown = format!("{:?}", to_store_error(error, "read an entry"));
            assert!(
                !shown.contains("top secret") && !shown.contains(&shown_as_bytes),
                "{shown}"
            );
            assert!(shown.contains("not in the form"), "{shown}");
        }
    }
}
