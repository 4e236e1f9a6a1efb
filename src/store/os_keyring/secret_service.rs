//! The Secret Service as a keyring-core store, on the keyring project's own D-Bus client.
//!
//! Unlike the ready-made stores it never unlocks on the way to something else: a dialog in the middle of a kubectl call would stop it. The
//! session is PLAIN: Diffie-Hellman takes three times as long and guards only the user's own bus socket, and any process of the user may ask
//! the service for the secret anyway. Specification: <https://specifications.freedesktop.org/secret-service-spec/latest/>.

use crate::store::os_keyring::Verdict;
use dbus_secret_service::{Collection, EncryptionType, Error as ServiceError, Item, SecretService};
use keyring_core::api::{Credential, CredentialApi, CredentialStoreApi};
use keyring_core::{Entry, Error, Result};
use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The modifier of [`CredentialStoreApi::build`] that names an entry in a keyring's own viewer.
pub(crate) const LABEL: &str = "label";

const SERVICE_ATTRIBUTE: &str = "service";
const ACCOUNT_ATTRIBUTE: &str = "username";
/// Our values are bytes, not text; `KWallet` keeps anything else as a string.
const CONTENT_TYPE: &str = "application/octet-stream";

/// The time the client library gives each single call (dbus-secret-service, `proxy/mod.rs`).
const CALL_LIMIT: Duration = Duration::from_secs(2);

/// One connection to the Secret Service, shared by the entries built from it.
pub(crate) struct SecretServiceStore(Arc<Connected>);

struct Connected {
    service: Mutex<SecretService>,
    /// Whether a dialog may still be opened: at most one, and none when not interactive.
    may_ask: AtomicBool,
}

impl SecretServiceStore {
    /// Connects to the session bus of the process's environment; `dialog_limit` is how long an unlock dialog may wait for the user, `None` for no
    /// dialog at all.
    ///
    /// libdbus starts a bus of its own (`dbus-launch`) when there is none: ask `StoreEnvironment::session_bus` first.
    pub(crate) fn connect(dialog_limit: Option<Duration>) -> Result<Self> {
        let seconds = dialog_limit.map_or(0, |limit| limit.as_secs());
        let service = SecretService::connect_with_max_prompt_timeout(EncryptionType::Plain, seconds).map_err(failed)?;
        Ok(Self(Arc::new(Connected {
            service: Mutex::new(service),
            may_ask: AtomicBool::new(seconds > 0),
        })))
    }
}

impl CredentialStoreApi for SecretServiceStore {
    fn vendor(&self) -> String {
        "Secret Service without dialogs, kubectl-cce_login".into()
    }

    fn id(&self) -> String {
        "secret-service".into()
    }

    fn build(&self, service: &str, user: &str, modifiers: Option<&HashMap<&str, &str>>) -> Result<Entry> {
        let label = modifiers
            .and_then(|modifiers| modifiers.get(LABEL))
            .filter(|label| !label.is_empty());
        let credential = SecretServiceEntry {
            connected: Arc::clone(&self.0),
            service: service.into(),
            account: user.into(),
            label: (*label.unwrap_or(&user)).into(),
        };
        Ok(Entry::new_with_credential(Arc::new(credential)))
    }

    /// Finds entries by their attributes. One whose attributes cannot be read is an error: a search must not overlook what is locked.
    fn search(&self, spec: &HashMap<&str, &str>) -> Result<Vec<Entry>> {
        let service = self.0.service();
        let found = service.search_items(spec.clone()).map_err(failed)?;
        let items = found.unlocked.iter().chain(&found.locked);
        items
            .map(|item| {
                let attributes = item.get_attributes().map_err(failed)?;
                match (attributes.get(SERVICE_ATTRIBUTE), attributes.get(ACCOUNT_ATTRIBUTE)) {
                    (Some(service), Some(account)) => self.build(service, account, None),
                    _ => Err(failed(ServiceError::Locked)),
                }
            })
            .collect()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretServiceStore")
    }
}

struct SecretServiceEntry {
    connected: Arc<Connected>,
    service: String,
    account: String,
    label: String,
}

impl SecretServiceEntry {
    fn attributes(&self) -> HashMap<&str, &str> {
        HashMap::from([
            (SERVICE_ATTRIBUTE, self.service.as_str()),
            (ACCOUNT_ATTRIBUTE, self.account.as_str()),
        ])
    }
}

impl CredentialApi for SecretServiceEntry {
    fn set_secret(&self, secret: &[u8]) -> Result<()> {
        let service = self.connected.service();
        let collection = service.get_default_collection().map_err(failed)?;
        if collection.is_locked().map_err(failed)? {
            self.connected.unlock(|| collection.unlock())?;
        }
        create_item(&collection, &self.label, self.attributes(), secret).map_err(failed)
    }

    fn get_secret(&self) -> Result<Vec<u8>> {
        let service = self.connected.service();
        let mut found = service.search_items(self.attributes()).map_err(failed)?;
        if found.unlocked.is_empty() && !found.locked.is_empty() {
            let locked: Vec<_> = found.locked.iter().collect();
            self.connected.unlock(|| service.unlock_all(&locked))?;
            found.unlocked = found.locked;
        }
        newest(found.unlocked)?.get_secret().map_err(failed)
    }

    fn delete_credential(&self) -> Result<()> {
        let service = self.connected.service();
        let found = service.search_items(self.attributes()).map_err(failed)?;
        if found.unlocked.is_empty() && found.locked.is_empty() {
            return Err(Error::NoEntry);
        }
        for item in &found.unlocked {
            item.delete().map_err(failed)?;
        }
        if !found.locked.is_empty() {
            let locked: Vec<_> = found.locked.iter().collect();
            self.connected.unlock(|| service.unlock_all(&locked))?;
            for item in locked {
                item.delete().map_err(failed)?;
            }
        }
        Ok(())
    }

    fn get_credential(&self) -> Result<Option<Arc<Credential>>> {
        self.get_secret().map(|_exists| None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some((self.service.clone(), self.account.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretServiceEntry({})", self.account)
    }
}

impl Connected {
    fn service(&self) -> MutexGuard<'_, SecretService> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the service ask the user for its password, once per process and never when not interactive.
    fn unlock(&self, unlock: impl FnOnce() -> std::result::Result<(), ServiceError>) -> Result<()> {
        if self.may_ask.swap(false, Ordering::Relaxed) {
            unlock().map_err(failed)
        } else {
            Err(failed(ServiceError::Locked))
        }
    }
}

fn create_item(
    collection: &Collection<'_>,
    label: &str,
    attributes: HashMap<&str, &str>,
    secret: &[u8],
) -> std::result::Result<(), ServiceError> {
    let replace = true;
    collection
        .create_item(label, attributes, secret, replace, CONTENT_TYPE)
        .map(|_item| ())
}

/// Another program may have put a copy into another collection; the last written one counts.
fn newest(mut items: Vec<Item<'_>>) -> Result<Item<'_>> {
    if items.len() > 1 {
        items.sort_by_key(|item| item.get_modified().unwrap_or(0));
    }
    items.pop().ok_or(Error::NoEntry)
}

fn failed(error: ServiceError) -> Error {
    Error::PlatformFailure(Box::new(error))
}

/// Says what an error of the client library means.
pub(crate) fn judge(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Verdict {
    match error.downcast_ref() {
        Some(ServiceError::Locked | ServiceError::Prompt) => Verdict::Locked,
        Some(ServiceError::NoResult) => Verdict::Absent("it has no default collection"),
        Some(ServiceError::Unavailable) => Verdict::Absent("nothing on the session bus provides it"),
        Some(ServiceError::Dbus(error)) => judge_bus(error.name().unwrap_or_default()),
        _ => Verdict::Failed,
    }
}

/// Names: <https://dbus.freedesktop.org/doc/api/html/group__DBusProtocol.html>, and the Secret Service specification's own.
fn judge_bus(name: &str) -> Verdict {
    match name {
        "org.freedesktop.Secret.Error.IsLocked" => Verdict::Locked,
        "org.freedesktop.DBus.Error.NoReply"
        | "org.freedesktop.DBus.Error.Timeout"
        | "org.freedesktop.DBus.Error.TimedOut" => Verdict::Silent(CALL_LIMIT),
        "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner" => {
            Verdict::Absent("nothing on the session bus provides it")
        }
        "org.freedesktop.DBus.Error.NoServer"
        | "org.freedesktop.DBus.Error.FileNotFound"
        | "org.freedesktop.DBus.Error.BadAddress" => Verdict::Absent("the session bus cannot be reached"),
        name if name.starts_with("org.freedesktop.DBus.Error.Spawn.") => Verdict::Absent("it cannot be started"),
        _ => Verdict::Failed,
    }
}
