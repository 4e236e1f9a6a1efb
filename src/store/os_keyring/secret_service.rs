//! The Secret Service as a keyring-core store, over a session bus that is ours ([`session_bus`](super::session_bus)).
//!
//! It never unlocks on the way to something else: a dialog in the middle of a kubectl call would stop it. The session is PLAIN:
//! Diffie-Hellman takes three times as long and guards only the user's own bus socket, and any process of the user may ask the service for
//! the secret anyway. Specification: <https://specifications.freedesktop.org/secret-service-spec/latest/>.

pub(super) mod calls;

use super::dbus::BusError;
use super::session_bus::NoSessionBus;
use super::time_out_marker::TimeOutMarker;
use super::verdict::Verdict;
use calls::{Item, LIMIT, Service, ServiceError};
use keyring_core::api::{Credential, CredentialApi, CredentialStoreApi};
use keyring_core::{Entry, Error, Result};
use std::any::Any;
use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The modifier of [`CredentialStoreApi::build`] that names an entry in a keyring's own viewer.
pub(super) const LABEL: &str = "label";

const SERVICE_ATTRIBUTE: &str = "service";
const ACCOUNT_ATTRIBUTE: &str = "username";

/// One connection to the Secret Service, shared by the entries built from it.
pub(super) struct SecretServiceStore(Arc<Mutex<Service>>);

impl SecretServiceStore {
    /// Speaks to the service over `bus`, a fresh connection. One dialog at most is opened.
    pub(super) fn new(bus: UnixStream, uid: u32, dialogs: Dialogs) -> Self {
        Self(Arc::new(Mutex::new(Service::new(bus, uid, dialogs))))
    }
}

/// What is done about a locked keyring.
pub(super) struct Dialogs {
    /// How long a dialog may wait for the user; `None` for no dialog at all.
    pub(super) limit: Option<Duration>,
    /// Where it is noted that one was dismissed, or that nobody answered.
    pub(super) dismissed: TimeOutMarker,
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
        let attributes: Vec<_> = spec.iter().map(|(name, value)| (*name, *value)).collect();
        let found = lock(&self.0).attributes_of(&attributes).map_err(failed)?;
        let value_of = |attributes: &HashMap<String, String>, name| attributes.get(name).cloned();
        found
            .iter()
            .map(|attributes| {
                match (
                    value_of(attributes, SERVICE_ATTRIBUTE),
                    value_of(attributes, ACCOUNT_ATTRIBUTE),
                ) {
                    (Some(service), Some(account)) => self.build(&service, &account, None),
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

fn lock(service: &Mutex<Service>) -> MutexGuard<'_, Service> {
    service.lock().unwrap_or_else(PoisonError::into_inner)
}

struct SecretServiceEntry {
    connected: Arc<Mutex<Service>>,
    service: String,
    account: String,
    label: String,
}

impl SecretServiceEntry {
    fn attributes(&self) -> [(&str, &str); 2] {
        [(SERVICE_ATTRIBUTE, &self.service), (ACCOUNT_ATTRIBUTE, &self.account)]
    }
}

impl CredentialApi for SecretServiceEntry {
    fn set_secret(&self, secret: &[u8]) -> Result<()> {
        let mut service = lock(&self.connected);
        service.store(&self.label, &self.attributes(), secret).map_err(failed)
    }

    fn get_secret(&self) -> Result<Vec<u8>> {
        let mut service = lock(&self.connected);
        let found = service.find(&self.attributes()).map_err(failed)?;
        let items = if found.unlocked.is_empty() && !found.locked.is_empty() {
            service.unlock(&found.locked).map_err(failed)?;
            found.locked
        } else {
            found.unlocked
        };
        // Another program may have put a copy into another collection; the last written one counts.
        match service.newest(items) {
            Some(item) => service.secret_of(&item).map_err(failed),
            None => Err(Error::NoEntry),
        }
    }

    fn delete_credential(&self) -> Result<()> {
        let mut service = lock(&self.connected);
        let found = service.find(&self.attributes()).map_err(failed)?;
        if found.unlocked.is_empty() && found.locked.is_empty() {
            return Err(Error::NoEntry);
        }
        let mut delete = |items: &[Item]| items.iter().try_for_each(|item| service.delete(item));
        delete(&found.unlocked).map_err(failed)?;
        if !found.locked.is_empty() {
            service.unlock(&found.locked).map_err(failed)?;
            let mut delete = |items: &[Item]| items.iter().try_for_each(|item| service.delete(item));
            delete(&found.locked).map_err(failed)?;
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

fn failed(error: ServiceError) -> Error {
    Error::PlatformFailure(Box::new(error))
}

/// Says what an error of ours means.
pub(super) fn judge(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Verdict {
    match error.downcast_ref() {
        Some(ServiceError::Locked) => Verdict::Locked,
        Some(ServiceError::NoBus(NoSessionBus::Busy) | ServiceError::Bus(BusError::Silent)) => Verdict::Silent(LIMIT),
        Some(ServiceError::NoBus(reason)) => Verdict::Absent(reason.to_string()),
        Some(ServiceError::NoCollection) => Verdict::Absent("it has no default collection".into()),
        Some(ServiceError::Bus(BusError::NotLetIn)) => Verdict::Absent("the session bus does not let us in".into()),
        Some(ServiceError::Bus(BusError::Refused { name, .. })) => judge_refusal(name),
        _ => Verdict::Failed,
    }
}

/// Names: <https://dbus.freedesktop.org/doc/api/html/group__DBusProtocol.html>, and the Secret Service specification's own.
fn judge_refusal(name: &str) -> Verdict {
    match name {
        "org.freedesktop.Secret.Error.IsLocked" => Verdict::Locked,
        "org.freedesktop.DBus.Error.NoReply"
        | "org.freedesktop.DBus.Error.Timeout"
        | "org.freedesktop.DBus.Error.TimedOut" => Verdict::Silent(LIMIT),
        "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner" => {
            Verdict::Absent("nothing on the session bus provides it".into())
        }
        name if name.starts_with("org.freedesktop.DBus.Error.Spawn.") => Verdict::Absent("it cannot be started".into()),
        _ => Verdict::Failed,
    }
}
