//! SDK-HMAC-SHA256 request signing, by the steps of Huawei Cloud's guide (devg-apisign): canonical request, string to
//! sign, signature. Pure: the time is passed in, nothing is sent.
//!
//! Two header forms exist. [`modern`] (`Access=`, what the official SDKs send) is the default; [`legacy`]
//! (`Credential=` with a scope and a derived key) is what gophertelekomcloud sends to Open Telekom Cloud.

pub mod canonical_request;
pub mod legacy;
pub mod modern;

use crate::secret::Secret;
use chrono::{DateTime, Utc};

/// The algorithm's label, first in the string to sign and in the `Authorization` header.
pub(crate) const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// A request as it will be sent, before signing.
#[derive(Debug, Clone)]
pub struct SignableRequest<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// `host` or `host:port`, exactly as in the `Host` header.
    pub host: &'a str,
    /// The path, without the query.
    pub path: &'a str,
    /// Query parameters, not yet encoded.
    pub query: &'a [(String, String)],
    /// The headers to sign besides `Host` and `X-Sdk-Date`.
    pub headers: &'a [(String, String)],
    /// The body as sent; empty for none.
    pub body: &'a [u8],
}

/// An access key (AK/SK), perhaps a temporary one.
#[derive(Debug, Clone)]
pub struct SigningKey<'a> {
    /// The access key's id (AK).
    pub id: &'a str,
    /// The secret access key (SK).
    pub secret: &'a Secret<String>,
}

/// The intermediate results of one signature, stage by stage, and the headers to add.
#[derive(Debug, Clone)]
pub struct Signature {
    /// What is hashed first.
    pub canonical_request: String,
    /// What is signed.
    pub string_to_sign: String,
    /// The header's value.
    pub authorization: String,
    /// All headers to add to the request, `Authorization` included.
    pub headers: Vec<(String, String)>,
}

/// `X-Sdk-Date`'s format: UTC, `YYYYMMDDTHHMMSSZ`.
pub(crate) fn sdk_date(time: DateTime<Utc>) -> String {
    time.format("%Y%m%dT%H%M%SZ").to_string()
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            out.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
            out.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
            out
        })
}

/// The SHA-256 of `bytes` in lower-case hexadecimal digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

/// The first 128 bits of [`sha256_hex`]: a name for `bytes` that is short enough for every store.
pub(crate) fn short_hash(bytes: &[u8]) -> String {
    let mut hash = sha256_hex(bytes);
    hash.truncate(32);
    hash
}

/// HMAC-SHA256 of `text`.
pub(crate) fn hmac_sha256(key: &[u8], text: &str) -> ring::hmac::Tag {
    ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key), text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, appendix B.1.
    #[test]
    fn a_short_hash_is_the_first_half_of_the_sha_256() {
        assert_eq!(short_hash(b"abc"), "ba7816bf8f01cfea414140de5dae2223");
    }
}
