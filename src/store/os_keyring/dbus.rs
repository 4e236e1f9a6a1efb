//! A client's end of a message bus, over a socket that has been checked: sign-in, calls with their answers, one signal at a time.
//!
//! Blocking, and every wait ends at [`Connection::until`]. Calls are queued until an answer is waited for, so that several cost one round
//! trip. No more of the protocol than the Secret Service needs: a library would bring its own way to the socket, its own run time, and
//! copies of the secrets that nobody wipes. <https://dbus.freedesktop.org/doc/dbus-specification.html>

pub(super) mod message;

use crate::sanitize::sanitize;
use message::{Call, Decoder, Encoder, HEAD, Malformed, Message, MessageKind};
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// The bus's own object.
const BUS: (&str, &str) = ("org.freedesktop.DBus", "/org/freedesktop/DBus");
/// Answers and signals that have come and that nobody has asked for yet; a peer that sends more is not a bus.
const PENDING_MAX: usize = 64;
/// The longest line of the sign-in (the specification's own limit).
const LINE_MAX: usize = 16 * 1024;
/// What one read takes: an answer with a certificate in it, and the small ones that come with it.
const READ: usize = 8 * 1024;

/// Why a call has no answer; never holds a secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum BusError {
    /// Time is up.
    #[error("it did not answer in time")]
    Silent,
    /// The other side hung up, or the socket failed.
    #[error("the connection to the session bus broke off")]
    Broken(#[source] io::Error),
    /// The bus does not take us.
    #[error("the session bus does not let us in")]
    NotLetIn,
    /// What came is not what the protocol allows.
    #[error("the answer cannot be read: {0}")]
    Malformed(&'static str),
    /// The answer is an error.
    #[error("{name}: {text}")]
    Refused {
        /// The error's name, `org.freedesktop.DBus.Error.ServiceUnknown` for example.
        name: String,
        /// What it says.
        text: String,
    },
}

impl From<Malformed> for BusError {
    fn from(Malformed(what): Malformed) -> Self {
        Self::Malformed(what)
    }
}

/// A call that has been queued; its answer is had by [`Connection::answer`].
#[must_use]
pub(super) struct Pending(u32);

/// One connection.
pub(super) struct Connection {
    stream: UnixStream,
    until: Instant,
    serial: u32,
    is_let_in: bool,
    is_subscribed: bool,
    /// What is written with the next flush.
    queue: Zeroizing<Vec<u8>>,
    /// What has been read and not been looked at, from `looked_at` on.
    incoming: Zeroizing<Vec<u8>>,
    looked_at: usize,
    /// What has come out of turn.
    arrived: Vec<Message>,
}

impl Connection {
    /// Begins on a fresh socket as the user `uid`; nothing is written yet.
    pub(super) fn new(stream: UnixStream, uid: u32, until: Instant) -> Self {
        // In hexadecimal, of digits: `3` and the digit.
        let hex: String = uid.to_string().chars().flat_map(|digit| ['3', digit]).collect();
        // All at once: the bus reads on after `BEGIN` only if it has accepted us.
        let sign_in = format!("\0AUTH EXTERNAL {hex}\r\nBEGIN\r\n");
        let mut connection = Self {
            stream,
            until,
            serial: 0,
            is_let_in: false,
            is_subscribed: false,
            queue: Zeroizing::new(sign_in.into_bytes()),
            incoming: Zeroizing::new(Vec::with_capacity(READ)),
            looked_at: 0,
            arrived: Vec::new(),
        };
        let (name, path) = BUS;
        let _our_name_is_of_no_use = connection.queue_call(&Call {
            destination: name,
            path,
            interface: name,
            member: "Hello",
            signature: "",
            body: Encoder::default(),
        });
        connection
    }

    /// From here on every wait ends after `limit`.
    pub(super) fn give_time(&mut self, limit: Duration) {
        self.until = Instant::now() + limit;
    }

    /// Queues a call.
    pub(super) fn queue_call(&mut self, call: &Call<'_>) -> Pending {
        self.serial = self.serial.wrapping_add(1).max(1);
        call.write_to(self.serial, &mut self.queue);
        Pending(self.serial)
    }

    /// Calls and waits for the answer.
    pub(super) fn call(&mut self, call: &Call<'_>) -> Result<Message, BusError> {
        let pending = self.queue_call(call);
        self.answer(pending)
    }

    /// Waits for the answer to a call.
    pub(super) fn answer(&mut self, Pending(serial): Pending) -> Result<Message, BusError> {
        let answer = self.wait_for(|message| message.answers == Some(serial))?;
        match answer.kind {
            MessageKind::Return => Ok(answer),
            _ => Err(refusal(&answer)),
        }
    }

    /// Asks the bus for the signals that `rule` describes.
    pub(super) fn subscribe(&mut self, rule: &str) -> Result<(), BusError> {
        let (name, path) = BUS;
        let mut body = Encoder::default();
        body.string(rule);
        self.call(&Call {
            destination: name,
            path,
            interface: name,
            member: "AddMatch",
            signature: "s",
            body,
        })?;
        self.is_subscribed = true;
        Ok(())
    }

    /// Waits for the signal `member` of the object `path`.
    pub(super) fn signal(&mut self, path: &str, member: &str) -> Result<Message, BusError> {
        self.wait_for(|message| {
            message.kind == MessageKind::Signal
                && message.path.as_deref() == Some(path)
                && message.member.as_deref() == Some(member)
        })
    }

    fn wait_for(&mut self, is_it: impl Fn(&Message) -> bool) -> Result<Message, BusError> {
        self.flush()?;
        if let Some(at) = self.arrived.iter().position(&is_it) {
            return Ok(self.arrived.swap_remove(at));
        }
        loop {
            let message = self.read_message()?;
            if is_it(&message) {
                return Ok(message);
            }
            // The bus greets everybody with signals: they are kept only where we have asked for some.
            if message.answers.is_some() || message.kind == MessageKind::Signal && self.is_subscribed {
                self.arrived.push(message);
            }
            if self.arrived.len() > PENDING_MAX {
                return Err(BusError::Malformed("more than was asked for"));
            }
        }
    }

    fn flush(&mut self) -> Result<(), BusError> {
        let queue = std::mem::take(&mut self.queue);
        let mut rest = queue.as_slice();
        while !rest.is_empty() {
            self.stream
                .set_write_timeout(Some(self.remaining()?))
                .map_err(BusError::Broken)?;
            match self.stream.write(rest) {
                Ok(0) => return Err(BusError::Broken(io::ErrorKind::WriteZero.into())),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(in_time(error)),
            }
        }
        Ok(())
    }

    /// The bus's answer to the sign-in is one line; what follows are messages.
    fn read_sign_in(&mut self) -> Result<(), BusError> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            self.fill(&mut byte)?;
            line.extend(byte);
            if line.len() > LINE_MAX {
                return Err(BusError::Malformed("the sign-in never ends"));
            }
        }
        if line.starts_with(b"OK ") {
            self.is_let_in = true;
            Ok(())
        } else {
            Err(BusError::NotLetIn)
        }
    }

    fn read_message(&mut self) -> Result<Message, BusError> {
        if !self.is_let_in {
            self.read_sign_in()?;
        }
        let mut head = [0; HEAD];
        self.fill(&mut head)?;
        let sizes = message::sizes(&head)?;
        let mut fields = vec![0; sizes.fields];
        self.fill(&mut fields)?;
        let mut body = Zeroizing::new(vec![0; sizes.body]);
        self.fill(&mut body)?;
        Ok(Message::read(&head, &fields, body)?)
    }

    /// Reads exactly as much as there is room for, however slowly it comes, until time is up.
    fn fill(&mut self, mut room: &mut [u8]) -> Result<(), BusError> {
        while !room.is_empty() {
            let waiting = self.incoming.get(self.looked_at..).unwrap_or_default();
            let count = waiting.len().min(room.len());
            let (now, later) = room.split_at_mut(count);
            now.copy_from_slice(waiting.get(..count).unwrap_or_default());
            self.looked_at += count;
            room = later;
            if !room.is_empty() {
                self.read_more()?;
            }
        }
        Ok(())
    }

    /// Called when all has been looked at: the buffer never grows.
    fn read_more(&mut self) -> Result<(), BusError> {
        loop {
            self.stream
                .set_read_timeout(Some(self.remaining()?))
                .map_err(BusError::Broken)?;
            self.incoming.resize(READ, 0);
            let read = self.stream.read(&mut self.incoming);
            self.incoming.truncate(*read.as_ref().unwrap_or(&0));
            self.looked_at = 0;
            match read {
                Ok(0) => return Err(BusError::Broken(io::ErrorKind::UnexpectedEof.into())),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(in_time(error)),
            }
        }
    }

    fn remaining(&self) -> Result<Duration, BusError> {
        let remaining = self.until.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            Err(BusError::Silent)
        } else {
            Ok(remaining)
        }
    }
}

/// A socket's own time-out has two names.
fn in_time(error: io::Error) -> BusError {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => BusError::Silent,
        _ => BusError::Broken(error),
    }
}

fn refusal(answer: &Message) -> BusError {
    let mut body: Decoder<'_> = answer.body();
    let text = if answer.signature.starts_with('s') {
        body.string().ok()
    } else {
        None
    };
    BusError::Refused {
        name: sanitize(answer.error.as_deref().unwrap_or_default()),
        text: sanitize(text.unwrap_or_default()),
    }
}
