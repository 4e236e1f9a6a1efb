//! Parameters as forms and queries carry them: percent-encoded pairs.

/// `a=b&c=d`, everything but unreserved characters encoded.
pub(super) fn encode(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
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
        let pairs = [("a b", "c&d=é%"), ("e", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(decode(&text), pairs);
        assert_eq!(
            decode("x=1+2&y=%zz"),
            [("x".into(), "1 2".into()), ("y".into(), "%zz".into())]
        );
    }
}
