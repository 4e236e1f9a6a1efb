//! The calls of the Secret Service that a store needs: one session, search, read, write, delete, unlock.
//!
//! Reading an entry takes two round trips: sign-in, session and search go in one, the secret in the other.

use super::Dialogs;
use crate::store::os_keyring::dbus::message::{Call, Encoder, Malformed, Message};
use crate::store::os_keyring::dbus::{BusError, Connection, Pending};
use crate::store::os_keyring::session_bus::NoSessionBus;
use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

const DESTINATION: &str = "org.freedesktop.secrets";
const SERVICE_PATH: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const ITEM: &str = "org.freedesktop.Secret.Item";
const PROMPT: &str = "org.freedesktop.Secret.Prompt";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// What stands for "no object" in an answer.
const NOTHING: &str = "/";
/// Our values are bytes, not text; `KWallet` keeps anything else as a string.
const CONTENT_TYPE: &str = "application/octet-stream";
/// A certificate chain with its key has a twentieth of it; more would not come back either (the longest message that is read).
const SECRET_MAX: usize = 1 << 20;

/// How long one operation may wait for the service; where a person is there, how long each call of it may.
pub(in crate::store::os_keyring) const LIMIT: Duration = Duration::from_secs(2);

/// What the Secret Service could not do.
#[derive(Debug, thiserror::Error)]
pub(in crate::store::os_keyring) enum ServiceError {
    #[error(transparent)]
    NoBus(#[from] NoSessionBus),
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error("it is locked")]
    Locked,
    #[error("it has no default collection")]
    NoCollection,
    #[error("larger than a message to it may be")]
    TooLarge,
}

impl From<Malformed> for ServiceError {
    fn from(what: Malformed) -> Self {
        Self::Bus(what.into())
    }
}

type ServiceResult<T> = Result<T, ServiceError>;

/// An item's object path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item(String);

/// What a search has found.
pub(super) struct Found {
    pub(super) unlocked: Vec<Item>,
    pub(super) locked: Vec<Item>,
}

/// How far the session has been opened.
enum ServiceSession {
    Asked(Pending),
    Open(String),
    /// The service did not open it.
    Closed,
}

/// The service, at the other end of one connection.
pub(super) struct Service {
    connection: Connection,
    session: ServiceSession,
    dialogs: Dialogs,
    /// Whether a dialog may still be opened: at most one, and none when not interactive.
    may_ask: bool,
}

impl Service {
    pub(super) fn new(bus: UnixStream, uid: u32, dialogs: Dialogs) -> Self {
        let mut connection = Connection::new(bus, uid, Instant::now() + LIMIT);
        let session = ServiceSession::Asked(ask_for_session(&mut connection));
        Self {
            connection,
            session,
            may_ask: dialogs.limit.is_some(),
            dialogs,
        }
    }

    /// The items with these attributes.
    pub(super) fn find(&mut self, attributes: &[(&str, &str)]) -> ServiceResult<Found> {
        self.connection.give_time(LIMIT);
        let mut body = Encoder::default();
        body.dictionary(attributes);
        let search = self.connection.queue_call(&to_service("SearchItems", "a{ss}", body));
        self.open()?;
        let answer = self.connection.answer(search)?;
        let mut body = answer.body_of("aoao")?;
        let mut items = || body.array(4, |item| item.string().map(|path| Item(path.to_owned())));
        Ok(Found {
            unlocked: items()?,
            locked: items()?,
        })
    }

    /// The attributes of the items with these attributes, locked or not.
    pub(super) fn attributes_of(&mut self, attributes: &[(&str, &str)]) -> ServiceResult<Vec<HashMap<String, String>>> {
        let found = self.find(attributes)?;
        let items = found.unlocked.iter().chain(&found.locked);
        let asked: Vec<Pending> = items
            .map(|item| self.connection.queue_call(&get_property(&item.0, ITEM, "Attributes")))
            .collect();
        let mut all = Vec::new();
        for one in asked {
            self.extend_time();
            let answer = self.connection.answer(one)?;
            let mut body = answer.body_of("v")?;
            body.variant("a{ss}")?;
            let entries = body.dictionary()?.into_iter();
            all.push(
                entries
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
            );
        }
        Ok(all)
    }

    /// The item that was changed last.
    pub(super) fn newest(&mut self, mut items: Vec<Item>) -> Option<Item> {
        if items.len() > 1 {
            items.sort_by_cached_key(|item| self.modified(item).unwrap_or(0));
        }
        items.pop()
    }

    fn modified(&mut self, item: &Item) -> ServiceResult<u64> {
        let answer = self.call(&get_property(&item.0, ITEM, "Modified"))?;
        let mut body = answer.body_of("v")?;
        body.variant("t")?;
        Ok(body.u64()?)
    }

    /// An unlocked item's secret.
    pub(super) fn secret_of(&mut self, item: &Item) -> ServiceResult<Vec<u8>> {
        let mut body = Encoder::default();
        body.string(self.open()?);
        let answer = self.call(&to_object(&item.0, ITEM, "GetSecret", "o", body))?;
        let mut body = answer.body_of("(oayays)")?;
        body.align(8)?;
        let _session = body.string()?;
        let _parameters = body.bytes()?;
        Ok(body.bytes()?.to_vec()) // to the store, which wraps it
    }

    /// Puts a secret into the default collection, in place of one with the same attributes.
    pub(super) fn store(&mut self, label: &str, attributes: &[(&str, &str)], secret: &[u8]) -> ServiceResult<()> {
        if secret.len() > SECRET_MAX {
            return Err(ServiceError::TooLarge);
        }
        self.connection.give_time(LIMIT);
        let session = self.open()?.to_owned();
        let collection = self.default_collection()?;
        if self.is_locked(&collection)? {
            self.unlock(&[Item(collection.clone())])?;
        }
        let mut body = Encoder::with_room(secret.len() + label.len() + 2048);
        body.array(8, |body| {
            body.align(8);
            body.string("org.freedesktop.Secret.Item.Label");
            body.signature("s");
            body.string(label);
            body.align(8);
            body.string("org.freedesktop.Secret.Item.Attributes");
            body.signature("a{ss}");
            body.dictionary(attributes);
        });
        body.align(8);
        body.string(&session);
        body.bytes(&[]);
        body.bytes(secret);
        body.string(CONTENT_TYPE);
        let replace = true;
        body.bool(replace);
        let signature = "a{sv}(oayays)b";
        let answer = self.call(&to_object(&collection, COLLECTION, "CreateItem", signature, body))?;
        let mut body = answer.body_of("oo")?;
        let _item = body.string()?;
        let prompt = body.string()?.to_owned();
        self.complete(&prompt)
    }

    fn default_collection(&mut self) -> ServiceResult<String> {
        let mut body = Encoder::default();
        body.string("default");
        let answer = self.call(&to_service("ReadAlias", "s", body))?;
        let mut body = answer.body_of("o")?;
        match body.string()? {
            NOTHING => Err(ServiceError::NoCollection),
            path => Ok(path.to_owned()),
        }
    }

    fn is_locked(&mut self, collection: &str) -> ServiceResult<bool> {
        let answer = self.call(&get_property(collection, COLLECTION, "Locked"))?;
        let mut body = answer.body_of("v")?;
        body.variant("b")?;
        Ok(body.bool()?)
    }

    /// Deletes an unlocked item.
    pub(super) fn delete(&mut self, item: &Item) -> ServiceResult<()> {
        let answer = self.call(&to_object(&item.0, ITEM, "Delete", "", Encoder::default()))?;
        let mut body = answer.body_of("o")?;
        let prompt = body.string()?.to_owned();
        self.complete(&prompt)
    }

    /// Lets the service ask the user for its password, once per connection and never when not interactive.
    pub(super) fn unlock(&mut self, objects: &[Item]) -> ServiceResult<()> {
        if !self.may_ask {
            return Err(ServiceError::Locked);
        }
        let mut body = Encoder::default();
        body.array(4, |body| objects.iter().for_each(|object| body.string(&object.0)));
        let answer = self.call(&to_service("Unlock", "ao", body))?;
        let mut body = answer.body_of("aoo")?;
        let _unlocked = body.array(4, |object| object.string().map(|_| ()))?;
        let prompt = body.string()?.to_owned();
        self.complete(&prompt)
    }

    /// Opens the dialog that an answer asks for, if it asks for one, and waits until the user is done with it.
    fn complete(&mut self, prompt: &str) -> ServiceResult<()> {
        if prompt == NOTHING {
            return Ok(());
        }
        let limit = match self.dialogs.limit {
            Some(limit) if std::mem::take(&mut self.may_ask) => limit,
            _ => return Err(ServiceError::Locked),
        };
        self.connection.give_time(LIMIT);
        let rule =
            format!("type='signal',sender='{DESTINATION}',interface='{PROMPT}',member='Completed',path='{prompt}'");
        self.connection.subscribe(&rule)?;
        let mut body = Encoder::default();
        body.string(""); // the window that the dialog belongs to: none
        self.call(&to_object(prompt, PROMPT, "Prompt", "s", body))?;
        self.connection.give_time(limit);
        let completed = self.connection.signal(prompt, "Completed");
        self.connection.give_time(LIMIT);
        match completed {
            Ok(completed) => {
                let mut body = completed.body_of("bv")?;
                let is_dismissed = body.bool()?;
                if is_dismissed {
                    self.dialogs.dismissed.note(Duration::ZERO);
                    Err(ServiceError::Locked)
                } else {
                    Ok(())
                }
            }
            // Nobody answered: the keyring is locked, and its dialog does not stay behind.
            Err(BusError::Silent) => {
                let dismiss = to_object(prompt, PROMPT, "Dismiss", "", Encoder::default());
                let _it_is_locked_all_the_same = self.connection.call(&dismiss);
                self.dialogs.dismissed.note(limit);
                Err(ServiceError::Locked)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The session's object path.
    fn open(&mut self) -> ServiceResult<&str> {
        if !matches!(self.session, ServiceSession::Open(_)) {
            let asked = match std::mem::replace(&mut self.session, ServiceSession::Closed) {
                ServiceSession::Asked(asked) => asked,
                ServiceSession::Open(_) | ServiceSession::Closed => ask_for_session(&mut self.connection),
            };
            let answer = self.connection.answer(asked)?;
            let mut body = answer.body_of("vo")?;
            body.variant("s")?;
            let _no_parameters = body.string()?;
            self.session = ServiceSession::Open(body.string()?.to_owned());
        }
        match &self.session {
            ServiceSession::Open(path) => Ok(path),
            ServiceSession::Asked(_) | ServiceSession::Closed => Err(BusError::Malformed("there is no session").into()),
        }
    }

    fn call(&mut self, call: &Call<'_>) -> ServiceResult<Message> {
        self.extend_time();
        Ok(self.connection.call(call)?)
    }

    /// Where a person is there each call has its own time; else the operation has no more than it was given.
    fn extend_time(&mut self) {
        if self.dialogs.limit.is_some() {
            self.connection.give_time(LIMIT);
        }
    }
}

/// Unencrypted: see [`secret_service`](super).
fn ask_for_session(connection: &mut Connection) -> Pending {
    let mut body = Encoder::default();
    body.string("plain");
    body.signature("s");
    body.string("");
    connection.queue_call(&to_service("OpenSession", "sv", body))
}

fn to_service<'a>(member: &'a str, signature: &'a str, body: Encoder) -> Call<'a> {
    to_object(SERVICE_PATH, SERVICE, member, signature, body)
}

fn to_object<'a>(path: &'a str, interface: &'a str, member: &'a str, signature: &'a str, body: Encoder) -> Call<'a> {
    Call {
        destination: DESTINATION,
        path,
        interface,
        member,
        signature,
        body,
    }
}

fn get_property<'a>(path: &'a str, interface: &str, name: &str) -> Call<'a> {
    let mut body = Encoder::default();
    body.string(interface);
    body.string(name);
    to_object(path, PROPERTIES, "Get", "ss", body)
}
