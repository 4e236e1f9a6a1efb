//! Checks request signatures: `SDK-HMAC-SHA256` in its modern form (`Access=`) and its older one (`Credential=`, derived key).
//!
//! Written from the specification and checked against vectors of the official SDK; the plugin's signing is deliberately not used.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDateTime, Utc};
use hyper::HeaderMap;
use ring::{digest, hmac};

use crate::{behaviour::SignatureStyle, pki::hex};

const ALGORITHM: &str = "SDK-HMAC-SHA256";
const MAX_SKEW_SECONDS: i64 = 15 * 60;

/// What the signature covers.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    /// Percent-encoded, as sent.
    pub(crate) path: &'a str,
    /// Percent-encoded, as sent.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No `Authorization`.
    Absent,
    /// Not in a form that is accepted here; says what is wrong with it.
    Malformed(&'static str),
    UnknownKey,
    ClockSkew,
    Mismatch,
}

/// `Authorization`, taken apart.
#[derive(Debug)]
struct Authorization<'a> {
    access_key_id: &'a str,
    /// Date, region, service of the older form.
    scope: Option<[&'a str; 3]>,
    signed_headers: &'a str,
    signature: &'a str,
}

/// The access key's id as the request claims it.
pub(crate) fn claimed_access_key_id(headers: &HeaderMap) -> Option<&str> {
    let authorization = parse(headers.get("authorization")?.to_str().ok()?).ok()?;
    Some(authorization.access_key_id)
}

/// Returns the verified access key's id.
pub(crate) fn verify<'a>(
    signed: &Signed<'a>,
    style: SignatureStyle,
    now: DateTime<Utc>,
    secret: impl Fn(&str) -> Option<String>,
) -> Result<&'a str, Refusal> {
    let header = signed.headers.get("authorization").ok_or(Refusal::Absent)?;
    let authorization = parse(
        header
            .to_str()
            .map_err(|_| Refusal::Malformed("authorization is not text"))?,
    )?;
    match (style, authorization.scope) {
        (SignatureStyle::Modern, Some(_)) => return Err(Refusal::Malformed("no Access in authorization")),
        (SignatureStyle::LegacyOnly, None) => return Err(Refusal::Malformed("no Credential in authorization")),
        _ => {}
    }
    let names: Vec<&str> = authorization.signed_headers.split(';').collect();
    if !names.is_sorted()
        || names
            .iter()
            .any(|name| name.bytes().any(|byte| byte.is_ascii_uppercase()))
    {
        return Err(Refusal::Malformed("signed headers are not sorted lower-case names"));
    }
    if !names.contains(&"host") || !names.contains(&"x-sdk-date") {
        return Err(Refusal::Malformed("host and x-sdk-date must be signed"));
    }
    let declares_payload = signed.headers.contains_key("x-sdk-content-sha256");
    if declares_payload && !names.contains(&"x-sdk-content-sha256") {
        return Err(Refusal::Malformed("x-sdk-content-sha256 must be signed"));
    }
    let secret = secret(authorization.access_key_id).ok_or(Refusal::UnknownKey)?;
    let date = header_value(signed.headers, "x-sdk-date").ok_or(Refusal::Malformed("no x-sdk-date"))?;
    let sent = NaiveDateTime::parse_from_str(&date, "%Y%m%dT%H%M%SZ").map_err(|_| Refusal::Malformed("x-sdk-date"))?;
    if authorization
        .scope
        .is_some_and(|[day, ..]| !date.starts_with(day) || day.len() != 8)
    {
        return Err(Refusal::Malformed("the credential scope is of another day"));
    }
    if (now - sent.and_utc()).num_seconds().abs() > MAX_SKEW_SECONDS {
        return Err(Refusal::ClockSkew);
    }
    let canonical = canonical_request(signed, &names, authorization.scope.is_some())?;
    let to_sign = string_to_sign(&canonical, &date, authorization.scope);
    let key = signing_key(&secret, authorization.scope);
    let expected = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), to_sign.as_bytes());
    if hex(expected.as_ref()) == authorization.signature {
        Ok(authorization.access_key_id)
    } else {
        Err(Refusal::Mismatch)
    }
}

fn parse(header: &str) -> Result<Authorization<'_>, Refusal> {
    let (algorithm, fields) = header
        .split_once(' ')
        .ok_or(Refusal::Malformed("authorization has no fields"))?;
    if algorithm != ALGORITHM {
        return Err(Refusal::Malformed("unknown algorithm"));
    }
    let (mut access_key_id, mut scope, mut signed_headers, mut signature) = (None, None, None, None);
    for field in fields.split(", ") {
        match field.split_once('=') {
            Some(("Access", value)) => access_key_id = Some(value),
            Some(("Credential", value)) => {
                let mut parts = value.split('/');
                let mut part = || parts.next().ok_or(Refusal::Malformed("credential scope"));
                access_key_id = Some(part()?);
                scope = Some([part()?, part()?, part()?]);
                if part()? != "sdk_request" || parts.next().is_some() {
                    return Err(Refusal::Malformed("credential scope"));
                }
            }
            Some(("SignedHeaders", value)) => signed_headers = Some(value),
            Some(("Signature", value)) => signature = Some(value),
            _ => return Err(Refusal::Malformed("unknown field in authorization")),
        }
    }
    Ok(Authorization {
        access_key_id: access_key_id.ok_or(Refusal::Malformed("no access key"))?,
        scope,
        signed_headers: signed_headers.ok_or(Refusal::Malformed("no SignedHeaders"))?,
        signature: signature.ok_or(Refusal::Malformed("no Signature"))?,
    })
}

fn canonical_request(signed: &Signed<'_>, names: &[&str], collapses_spaces: bool) -> Result<String, Refusal> {
    let mut headers = String::new();
    for name in names {
        let value = header_value(signed.headers, name).ok_or(Refusal::Malformed("a signed header is missing"))?;
        let value = if collapses_spaces {
            value.split_whitespace().collect::<Vec<_>>().join(" ")
        } else {
            value
        };
        let _ = writeln!(headers, "{name}:{value}");
    }
    let body_hash = hex(digest::digest(&digest::SHA256, signed.body).as_ref());
    let payload_hash = match header_value(signed.headers, "x-sdk-content-sha256") {
        Some(declared) if declared == "UNSIGNED-PAYLOAD" || declared == body_hash => declared,
        Some(_) => return Err(Refusal::Mismatch),
        None => body_hash,
    };
    Ok([
        signed.method,
        &canonical_path(signed.path),
        &canonical_query(signed.query),
        &headers,
        &names.join(";"),
        &payload_hash,
    ]
    .join("\n"))
}

fn canonical_path(path: &str) -> String {
    let segments: Vec<_> = path.split('/').map(|segment| encode(&decode(segment))).collect();
    let mut path = segments.join("/");
    if !path.ends_with('/') {
        path.push('/');
    }
    path
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect();
    pairs.sort();
    let encoded = pairs
        .iter()
        .map(|(key, value)| format!("{}={}", encode(key), encode(value)));
    encoded.collect::<Vec<_>>().join("&")
}

fn string_to_sign(canonical_request: &str, date: &str, scope: Option<[&str; 3]>) -> String {
    let hash = hex(digest::digest(&digest::SHA256, canonical_request.as_bytes()).as_ref());
    match scope {
        None => format!("{ALGORITHM}\n{date}\n{hash}"),
        Some(scope) => format!("{ALGORITHM}\n{date}\n{}/sdk_request\n{hash}", scope.join("/")),
    }
}

fn signing_key(secret: &str, scope: Option<[&str; 3]>) -> Vec<u8> {
    let Some([date, region, service]) = scope else {
        return secret.as_bytes().to_vec();
    };
    let seed = format!("SDK{secret}").into_bytes();
    [date, region, service, "sdk_request"].iter().fold(seed, |key, step| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        hmac::sign(&key, step.as_bytes()).as_ref().to_vec()
    })
}

/// The value of a header that is there exactly once, trimmed.
fn header_value(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    let text = String::from_utf8_lossy(value.as_bytes()).trim().to_owned();
    values.next().is_none().then_some(text)
}

/// Percent-decodes; what is no escape stays as it is.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let escape = match (first, tail) {
            (b'%', [high, low, after @ ..]) => hex_digit(*high).zip(hex_digit(*low)).map(|digits| (digits, after)),
            _ => None,
        };
        if let Some(((high, low), after)) = escape {
            decoded.push(high << 4 | low);
            rest = after;
        } else {
            decoded.push(*first);
        }
    }
    decoded
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
