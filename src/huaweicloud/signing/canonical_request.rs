//! The canonical request: one text for a request, however it was written down.

use crate::huaweicloud::signing::{SignableRequest, sha256_hex};

/// What both header forms sign: the text and the names of the headers in it.
#[derive(Debug, Clone)]
pub(crate) struct CanonicalRequest {
    /// Method, URI, query, headers, header names and payload hash, by lines.
    pub(crate) text: String,
    /// Header names, lower case, sorted, joined by `;`.
    pub(crate) signed_headers: String,
}

/// Builds the canonical request of `request` with `headers` (all that are to be signed, `Host` included) and `payload_hash`.
///
/// The canonical URI ends with `/` although the real one must not (CCE answers a trailing slash with APIGW.0101).
pub(crate) fn canonical_request(
    request: &SignableRequest<'_>,
    headers: &[(String, String)],
    payload_hash: &str,
) -> CanonicalRequest {
    let mut headers: Vec<(String, &str)> = headers
        .iter()
        .filter(|(name, _)| !name.contains('_')) // the gateway drops such headers, so the SDKs do not sign them
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
        .collect();
    headers.sort();
    let signed_headers = headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect::<Vec<_>>()
        .join(";");
    let header_lines = headers
        .iter()
        .fold(String::new(), |lines, (name, value)| lines + name + ":" + value + "\n");
    let text = [
        request.method,
        &canonical_uri(request.path),
        &query_string(request.query),
        &header_lines,
        &signed_headers,
        payload_hash,
    ]
    .join("\n");
    CanonicalRequest { text, signed_headers }
}

/// The hash of a request's body.
pub fn payload_hash(body: &[u8]) -> String {
    sha256_hex(body)
}

/// The query as it is signed and sent: sorted by name and value before encoding, an empty value keeps its `=`.
pub fn query_string(query: &[(String, String)]) -> String {
    let mut pairs: Vec<&(String, String)> = query.iter().collect();
    pairs.sort();
    pairs
        .iter()
        .map(|(name, value)| format!("{}={}", percent_encode(name), percent_encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

fn canonical_uri(path: &str) -> String {
    let mut uri: String = percent_decode(path)
        .split(|b| *b == b'/')
        .map(percent_encode_bytes)
        .collect::<Vec<_>>()
        .join("/");
    if !uri.starts_with('/') {
        uri.insert(0, '/');
    }
    if !uri.ends_with('/') {
        uri.push('/');
    }
    uri
}

/// RFC 3986 percent-encoding: all but letters, digits, `-`, `_`, `.` and `~`, with upper-case digits.
pub(crate) fn percent_encode(text: &str) -> String {
    percent_encode_bytes(text.as_bytes())
}

fn percent_encode_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&crate::huaweicloud::signing::hex(&[byte]).to_ascii_uppercase());
        }
    }
    out
}

fn percent_decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after
            .get(..2)
            .filter(|digits| first == b'%' && digits.iter().all(u8::is_ascii_hexdigit)); // a number may have a sign, an escape may not
        let escaped = digits.and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 16).ok());
        out.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() {
            after.get(2..).unwrap_or_default()
        } else {
            after
        };
    }
    out
}
