//! JSON with secrets in it: its texts are wiped when it is dropped, and it is written without leaving copies behind.

use super::{Secret, append};
use serde::Serialize;
use serde_json::Value;
use std::io;
use zeroize::{Zeroize as _, Zeroizing};

/// A JSON value whose texts are wiped when it is dropped; it is read like any other, and never shown.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct SecretJson(Value);

impl SecretJson {
    /// Takes a value over.
    pub(crate) fn new(value: Value) -> Self {
        Self(value)
    }

    /// Reads a text.
    pub(crate) fn parse(text: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(text).map(Self)
    }

    /// As text, for a request's body.
    pub(crate) fn to_bytes(&self) -> Secret<Vec<u8>> {
        to_secret_bytes(&self.0).unwrap_or_else(|_| Secret::new(Vec::new())) // a value that is one already has a text
    }
}

impl std::ops::Deref for SecretJson {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl std::fmt::Debug for SecretJson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("REDACTED")
    }
}

impl Drop for SecretJson {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What is written, as JSON; no copy of it is left behind.
pub(crate) fn to_secret_bytes(value: &impl Serialize) -> serde_json::Result<Secret<Vec<u8>>> {
    let mut text = JsonText(Zeroizing::new(Vec::new()));
    serde_json::to_writer(&mut text, value)?;
    Ok(Secret::new(std::mem::take(&mut *text.0)))
}

/// The same as a line of text.
pub(crate) fn to_secret_line(value: &impl Serialize) -> serde_json::Result<Zeroizing<String>> {
    let mut text = JsonText(Zeroizing::new(Vec::new()));
    serde_json::to_writer(&mut text, value)?;
    append(&mut text.0, b"\n");
    // JSON is UTF-8.
    Ok(Zeroizing::new(
        String::from_utf8(std::mem::take(&mut *text.0)).unwrap_or_default(),
    ))
}

/// A text that grows without leaving its old places as they are.
struct JsonText(Zeroizing<Vec<u8>>);

impl io::Write for JsonText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        append(&mut self.0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_text_in_it_is_wiped_and_nothing_is_shown() {
        let mut value = json!({"a": "secret", "b": [{"c": "secret"}, 1, null, true]});
        let json = SecretJson::new(value.clone());
        assert_eq!(json.to_bytes().expose().as_slice(), value.to_string().as_bytes());
        assert_eq!(SecretJson::parse(value.to_string().as_bytes()).unwrap(), json);
        assert_eq!(format!("{json:?}"), "REDACTED");
        assert_eq!(json.pointer("/b/0/c").unwrap(), "secret");
        wipe(&mut value);
        assert_eq!(value, json!({"a": "", "b": [{"c": ""}, 1, null, true]}));
    }
}
