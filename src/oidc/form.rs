//! Parameters as forms and queries carry them: percent-encoded pairs.

use crate::secret::Secret;

/// `a=b&c=d`, everything but unreserved characters encoded.
pub(super) fn encode(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// The same for a body with secrets in it.
pub(super) fn encode_secrets(pairs: &[(&str, &str)]) -> Secret<Vec<u8>> {
    // Every byte becomes three at most: of this length it does not grow, and no copy is left behind.
    let room = pairs
        .iter()
        .map(|(name, value)| 3 * (name.len() + value.len()) + 2)
        .sum();
    let mut text = Vec::with_capacity(room);
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push(b'&');
        }
        push_escaped(&mut text, name);
        text.push(b'=');
        push_escaped(&mut text, value);
    }
    Secret::new(text)
}

/// The hexadecimal digit of a number below 16.
fn digit(number: u8) -> u8 {
    number + if number < 10 { b'0' } else { b'A' - 10 }
}

fn push_escaped(text: &mut Vec<u8>, plain: &str) {
    for byte in plain.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(byte),
            _ => text.extend([b'%', digit(byte >> 4), digit(byte & 15)]),
        }
    }
}

/// The pairs of a query or form, decoded.
pub(super) fn decode(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (unescape(name), unescape(value))
    };
    text.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

fn escape(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let escaped = || {
            let mut ahead = rest.clone();
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let (high, low) = (digit(ahead.next())?, digit(ahead.next())?);
            u8::try_from(high * 16 + low).ok()
        };
        match (byte, escaped()) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest.nth(1);
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_again() {
        let text = encode(&[("a b", "c&d=é%"), ("e", "")]);
        assert_eq!(text, "a%20b=c%26d%3D%C3%A9%25&e=");
        // To be compared.
        assert_eq!(
            encode_secrets(&[("a b", "c&d=é%"), ("e", "")]).expose(),
            text.as_bytes()
        );
        let pairs = [("a b", "c&d=é%"), ("e", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(decode(&text), pairs);
        assert_eq!(
            decode("x=1+2&y=%zz"),
            [("x".into(), "1 2".into()), ("y".into(), "%zz".into())]
        );
    }
}
