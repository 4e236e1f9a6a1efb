//! D-Bus messages as bytes: what is written is little-endian, what is read may be either; every length is checked against what is there.
//!
//! <https://dbus.freedesktop.org/doc/dbus-specification.html#message-protocol-marshaling>

use zeroize::Zeroizing;

/// The fixed part of a message: byte order, kind, flags, version, the body's length, serial, the length of the fields.
pub(super) const HEAD: usize = 16;
/// The longest message that is read. A certificate has a few kilobytes, a list of ours some more; the protocol would allow 128 MiB.
const MESSAGE_MAX: usize = 4 << 20;

/// What is wrong with what came.
#[derive(Debug)]
pub(in crate::store::os_keyring) struct Malformed(pub(in crate::store::os_keyring) &'static str);

type Decoded<T> = Result<T, Malformed>;

/// A method call to be sent.
pub(in crate::store::os_keyring) struct Call<'a> {
    pub(in crate::store::os_keyring) destination: &'a str,
    pub(in crate::store::os_keyring) path: &'a str,
    pub(in crate::store::os_keyring) interface: &'a str,
    pub(in crate::store::os_keyring) member: &'a str,
    /// The types of the values in `body`.
    pub(in crate::store::os_keyring) signature: &'a str,
    pub(in crate::store::os_keyring) body: Encoder,
}

impl Call<'_> {
    /// Appends the message to `out`.
    pub(super) fn write_to(&self, serial: u32, out: &mut Zeroizing<Vec<u8>>) {
        let mut message = Encoder::with_room(self.body.0.len() + 512);
        message.0.extend(*b"l\x01\x00\x01"); // little-endian, a method call, no flags, version 1
        message.u32(self.body.length());
        message.u32(serial);
        let fields = [
            (1, "o", self.path),
            (6, "s", self.destination),
            (2, "s", self.interface),
            (3, "s", self.member),
            (8, "g", self.signature),
        ];
        message.array(8, |message| {
            for (code, kind, text) in fields {
                if text.is_empty() {
                    continue;
                }
                message.align(8);
                message.0.push(code);
                message.signature(kind);
                if kind == "g" {
                    message.signature(text);
                } else {
                    message.string(text);
                }
            }
        });
        message.align(8);
        message.0.extend_from_slice(&self.body.0);
        // A vector that grows leaves its old bytes behind: this one is made anew, and the old one wiped.
        let mut joined = Zeroizing::new(Vec::with_capacity(out.len() + message.0.len()));
        joined.extend_from_slice(out);
        joined.extend_from_slice(&message.0);
        *out = joined;
    }
}

/// Values one after the other, each on its boundary.
#[derive(Default)]
pub(in crate::store::os_keyring) struct Encoder(Zeroizing<Vec<u8>>);

impl Encoder {
    /// With room for `bytes`, so that a secret among them is not left behind by a vector that moves.
    pub(in crate::store::os_keyring) fn with_room(bytes: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(bytes)))
    }

    fn length(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    pub(in crate::store::os_keyring) fn align(&mut self, boundary: usize) {
        let length = self.0.len().next_multiple_of(boundary);
        self.0.resize(length, 0);
    }

    fn u32(&mut self, value: u32) {
        self.align(4);
        self.0.extend(value.to_le_bytes());
    }

    pub(in crate::store::os_keyring) fn bool(&mut self, value: bool) {
        self.u32(value.into());
    }

    /// A string or an object path.
    pub(in crate::store::os_keyring) fn string(&mut self, text: &str) {
        self.u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
    }

    pub(in crate::store::os_keyring) fn signature(&mut self, text: &str) {
        self.0.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
    }

    pub(in crate::store::os_keyring) fn bytes(&mut self, bytes: &[u8]) {
        self.array(1, |encoder| encoder.0.extend_from_slice(bytes));
    }

    /// An array whose elements, which `fill` writes, lie on `boundary`.
    pub(in crate::store::os_keyring) fn array(&mut self, boundary: usize, fill: impl FnOnce(&mut Self)) {
        self.align(4);
        let at = self.0.len();
        self.u32(0);
        self.align(boundary);
        let start = self.0.len();
        fill(self);
        let length = u32::try_from(self.0.len() - start).unwrap_or(u32::MAX);
        if let Some(place) = self.0.get_mut(at..at + 4) {
            place.copy_from_slice(&length.to_le_bytes());
        }
    }

    /// `a{ss}`.
    pub(in crate::store::os_keyring) fn dictionary(&mut self, entries: &[(&str, &str)]) {
        self.array(8, |encoder| {
            for (key, value) in entries {
                encoder.align(8);
                encoder.string(key);
                encoder.string(value);
            }
        });
    }
}

/// What kind of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageKind {
    Return,
    Error,
    Signal,
    /// A call to us, or something the specification will add: of no concern to us.
    Other,
}

/// A message that has come.
pub(in crate::store::os_keyring) struct Message {
    pub(super) kind: MessageKind,
    /// The serial of the call that this answers.
    pub(super) answers: Option<u32>,
    pub(super) path: Option<String>,
    pub(super) member: Option<String>,
    pub(super) error: Option<String>,
    pub(in crate::store::os_keyring) signature: String,
    body: Zeroizing<Vec<u8>>,
    is_big_endian: bool,
}

/// How many bytes follow the head.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    /// The fields, filled up to the boundary where the body begins.
    pub(super) fields: usize,
    pub(super) body: usize,
}

/// What a message's head says of the rest.
pub(super) fn sizes(head: &[u8; HEAD]) -> Decoded<Sizes> {
    let mut head = Decoder::new(head, is_big_endian(head)?);
    let [_order, _kind, _flags, version] = head.take_array()?;
    if version != 1 {
        return Err(Malformed("another version of the protocol"));
    }
    let body = head.length()?;
    let _serial = head.u32()?;
    let fields = head.length()?.next_multiple_of(8);
    if body + fields > MESSAGE_MAX {
        return Err(Malformed("too long"));
    }
    Ok(Sizes { fields, body })
}

fn is_big_endian(head: &[u8]) -> Decoded<bool> {
    match head.first() {
        Some(b'l') => Ok(false),
        Some(b'B') => Ok(true),
        _ => Err(Malformed("not a message")),
    }
}

impl Message {
    /// Puts a message together from its three parts.
    pub(super) fn read(head: &[u8; HEAD], fields: &[u8], body: Zeroizing<Vec<u8>>) -> Decoded<Self> {
        let is_big_endian = is_big_endian(head)?;
        let [_order, kind, ..] = head;
        let mut message = Self {
            kind: match kind {
                2 => MessageKind::Return,
                3 => MessageKind::Error,
                4 => MessageKind::Signal,
                _ => MessageKind::Other,
            },
            answers: None,
            path: None,
            member: None,
            error: None,
            signature: String::new(),
            body,
            is_big_endian,
        };
        let mut head = Decoder::new(head, is_big_endian);
        head.skip(12)?;
        let length = head.length()?;
        let fields = fields.get(..length).ok_or(Malformed("it ends too early"))?;
        let mut fields = Decoder::new(fields, is_big_endian);
        while !fields.is_at_end() {
            message.read_field(&mut fields)?;
            fields.align_or_end(8);
        }
        Ok(message)
    }

    fn read_field(&mut self, fields: &mut Decoder<'_>) -> Decoded<()> {
        let [code] = fields.take_array()?;
        let signature = fields.signature()?;
        match (code, signature) {
            (1, "o") => self.path = Some(fields.string()?.to_owned()),
            (3, "s") => self.member = Some(fields.string()?.to_owned()),
            (4, "s") => self.error = Some(fields.string()?.to_owned()),
            (5, "u") => self.answers = Some(fields.u32()?),
            (8, "g") => fields.signature()?.clone_into(&mut self.signature),
            (_, "s" | "o") => drop(fields.string()?),
            (_, "g") => drop(fields.signature()?),
            (_, "u") => drop(fields.u32()?),
            _ => return Err(Malformed("a header field of an unknown type")),
        }
        Ok(())
    }

    /// The values, if they have these types.
    pub(in crate::store::os_keyring) fn body_of(&self, signature: &str) -> Decoded<Decoder<'_>> {
        if self.signature == signature {
            Ok(self.body())
        } else {
            Err(Malformed("values of other types than expected"))
        }
    }

    /// The values.
    pub(super) fn body(&self) -> Decoder<'_> {
        Decoder::new(&self.body, self.is_big_endian)
    }
}

/// Reads values one after the other.
pub(in crate::store::os_keyring) struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
    is_big_endian: bool,
}

impl<'a> Decoder<'a> {
    fn new(bytes: &'a [u8], is_big_endian: bool) -> Self {
        Self {
            bytes,
            at: 0,
            is_big_endian,
        }
    }

    fn take(&mut self, count: usize) -> Decoded<&'a [u8]> {
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or(Malformed("it ends too early"))?;
        self.at += count;
        Ok(taken)
    }

    fn take_array<const N: usize>(&mut self) -> Decoded<[u8; N]> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| Malformed("it ends too early"))
    }

    fn skip(&mut self, count: usize) -> Decoded<()> {
        self.take(count).map(|_| ())
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(in crate::store::os_keyring) fn align(&mut self, boundary: usize) -> Decoded<()> {
        self.skip(self.at.next_multiple_of(boundary) - self.at)
    }

    fn align_or_end(&mut self, boundary: usize) {
        self.at = self.at.next_multiple_of(boundary);
    }

    fn u32(&mut self) -> Decoded<u32> {
        self.align(4)?;
        let bytes = self.take_array()?;
        Ok(if self.is_big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    pub(in crate::store::os_keyring) fn u64(&mut self) -> Decoded<u64> {
        self.align(8)?;
        let bytes = self.take_array()?;
        Ok(if self.is_big_endian {
            u64::from_be_bytes(bytes)
        } else {
            u64::from_le_bytes(bytes)
        })
    }

    /// A length, which is never more than a message may have.
    fn length(&mut self) -> Decoded<usize> {
        let length = self.u32()?;
        let length = usize::try_from(length).ok().filter(|length| *length <= MESSAGE_MAX);
        length.ok_or(Malformed("too long"))
    }

    pub(in crate::store::os_keyring) fn bool(&mut self) -> Decoded<bool> {
        match self.u32()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed("neither true nor false")),
        }
    }

    /// A string or an object path.
    pub(in crate::store::os_keyring) fn string(&mut self) -> Decoded<&'a str> {
        let length = self.length()?;
        self.text(length)
    }

    pub(in crate::store::os_keyring) fn signature(&mut self) -> Decoded<&'a str> {
        let [length] = self.take_array()?;
        self.text(length.into())
    }

    fn text(&mut self, length: usize) -> Decoded<&'a str> {
        let text = self.take(length)?;
        self.skip(1)?; // the NUL at its end
        std::str::from_utf8(text).map_err(|_| Malformed("text that is not UTF-8"))
    }

    pub(in crate::store::os_keyring) fn bytes(&mut self) -> Decoded<&'a [u8]> {
        let length = self.length()?;
        self.take(length)
    }

    /// An array whose elements, which `element` reads, lie on `boundary`.
    pub(in crate::store::os_keyring) fn array<T>(
        &mut self,
        boundary: usize,
        mut element: impl FnMut(&mut Self) -> Decoded<T>,
    ) -> Decoded<Vec<T>> {
        let length = self.length()?;
        self.align(boundary)?;
        let end = self.at + length;
        let mut elements = Vec::new();
        while self.at < end {
            self.align(boundary)?;
            let before = self.at;
            elements.push(element(self)?);
            if self.at == before {
                return Err(Malformed("an element without length"));
            }
        }
        if self.at == end {
            Ok(elements)
        } else {
            Err(Malformed("an array that ends within an element"))
        }
    }

    /// `a{ss}`.
    pub(in crate::store::os_keyring) fn dictionary(&mut self) -> Decoded<Vec<(&'a str, &'a str)>> {
        self.array(8, |decoder| Ok((decoder.string()?, decoder.string()?)))
    }

    /// A variant's type; its value follows.
    pub(in crate::store::os_keyring) fn variant(&mut self, signature: &str) -> Decoded<()> {
        if self.signature()? == signature {
            Ok(())
        } else {
            Err(Malformed("a value of another type than expected"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A message from the parts, as a peer would send it.
    fn message(
        kind: u8,
        fields: &[(u8, &str, &str)],
        signature: &str,
        body: &Encoder,
        serial_answered: Option<u32>,
    ) -> Vec<u8> {
        let mut out = Encoder::default();
        out.0.extend([b'l', kind, 0, 1]);
        out.u32(body.length());
        out.u32(7);
        out.array(8, |out| {
            for (code, kind, text) in fields {
                out.align(8);
                out.0.push(*code);
                out.signature(kind);
                out.string(text);
            }
            if let Some(serial) = serial_answered {
                out.align(8);
                out.0.push(5);
                out.signature("u");
                out.u32(serial);
            }
            out.align(8);
            out.0.push(8);
            out.signature("g");
            out.signature(signature);
        });
        out.align(8);
        out.0.extend_from_slice(&body.0);
        out.0.to_vec()
    }

    fn read(bytes: &[u8]) -> Decoded<Message> {
        let (head, rest) = bytes.split_first_chunk::<HEAD>().ok_or(Malformed("short"))?;
        let sizes = sizes(head)?;
        let (fields, body) = rest.split_at_checked(sizes.fields).ok_or(Malformed("short"))?;
        let body = body.get(..sizes.body).ok_or(Malformed("short"))?;
        Message::read(head, fields, Zeroizing::new(body.to_vec()))
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut body = Encoder::default();
        body.dictionary(&[("service", "s"), ("username", "u")]);
        body.bool(true);
        body.bytes(b"secret");
        body.align(8);
        let call = Call {
            destination: "org.example",
            path: "/a",
            interface: "org.example.I",
            member: "Do",
            signature: "a{ss}bay",
            body,
        };
        let mut out = Zeroizing::default();
        call.write_to(3, &mut out);
        call.write_to(4, &mut out);
        let (first, second) = out.split_at(out.len() / 2);
        assert_eq!((first.len() % 8, second.len() % 8), (0, 0));
        let message = read(first).unwrap();
        assert_eq!(
            (message.path.as_deref(), message.member.as_deref()),
            (Some("/a"), Some("Do"))
        );
        let mut body = message.body_of("a{ss}bay").unwrap();
        assert_eq!(body.dictionary().unwrap(), [("service", "s"), ("username", "u")]);
        assert!(body.bool().unwrap());
        assert_eq!(body.bytes().unwrap(), b"secret");
        assert!(message.body_of("s").is_err());
    }

    #[test]
    fn answers_and_errors_are_told_apart() {
        let mut body = Encoder::default();
        body.string("no such service");
        let error = message(
            3,
            &[(4, "s", "org.example.Error"), (7, "s", ":1.1")],
            "s",
            &body,
            Some(9),
        );
        let error = read(&error).unwrap();
        assert_eq!(
            (error.kind, error.answers, error.error.as_deref()),
            (MessageKind::Error, Some(9), Some("org.example.Error"))
        );
        let done = read(&message(2, &[], "", &Encoder::default(), Some(9))).unwrap();
        assert_eq!(done.kind, MessageKind::Return);
    }

    #[test]
    fn a_big_endian_answer_is_read_too() {
        // `Return` to call 1 with the string `hi`.
        let bytes = b"B\x02\0\x01\0\0\0\x07\0\0\0\x02\0\0\0\x0f\x05\x01u\0\0\0\0\x01\x08\x01g\0\x01s\0\0\0\0\0\x02hi\0";
        let message = read(bytes).unwrap();
        assert_eq!(message.answers, Some(1));
        assert_eq!(message.body_of("s").unwrap().string().unwrap(), "hi");
    }

    #[test]
    fn a_length_that_lies_is_refused_before_anything_is_read() {
        for (at, what) in [(4, "body"), (12, "fields")] {
            let mut head = *b"l\x02\0\x01\0\0\0\0\x01\0\0\0\0\0\0\0";
            head[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
            assert!(sizes(&head).is_err(), "{what}");
        }
        let mut body = Encoder::default();
        body.u32(1 << 20);
        let lies = message(2, &[], "ay", &body, Some(1));
        let lies = read(&lies).unwrap();
        assert!(lies.body_of("ay").unwrap().bytes().is_err());
        assert!(lies.body().array(8, |element| element.string().map(|_| ())).is_err());
    }

    proptest! {
        #[test]
        fn no_message_stops_the_reader(head in proptest::array::uniform16(any::<u8>()), rest in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut head = head;
            head[0] = if head[0] % 2 == 0 { b'l' } else { b'B' };
            head[3] = 1;
            for at in [5, 6, 13, 14] { head[at] = 0; }
            let bytes = [&head[..], &rest[..]].concat();
            if let Ok(message) = read(&bytes) {
                let mut body = message.body();
                let _ = body.array(8, |element| Ok((element.string()?.len(), element.bytes()?.len())));
                let _ = message.body().dictionary();
            }
        }
    }
}
