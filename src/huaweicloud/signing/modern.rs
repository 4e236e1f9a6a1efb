//! The form the official SDKs send: `SDK-HMAC-SHA256 Access=…, SignedHeaders=…, Signature=…`, signed with the secret key itself.

use crate::huaweicloud::signing::canonical_request::{canonical_request, payload_hash};
use crate::huaweicloud::signing::{
    ALGORITHM, SignableRequest, Signature, SigningKey, hex, hmac_sha256, sdk_date, sha256_hex,
};
use chrono::{DateTime, Utc};

/// The payload hash of bodies that are not JSON; the SDKs leave those unsigned.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// Signs `request`; all its headers are signed. The limits of the server: clock within 15 minutes, body up to 12 MB.
pub fn sign(request: &SignableRequest<'_>, key: &SigningKey<'_>, time: DateTime<Utc>) -> Signature {
    let date = sdk_date(time);
    let mut added = vec![("X-Sdk-Date".to_owned(), date.clone())];
    let mut hash = payload_hash(request.body);
    if !is_json_or_absent(request.headers) {
        added.push(("X-Sdk-Content-Sha256".to_owned(), UNSIGNED_PAYLOAD.to_owned()));
        if !request.body.is_empty() {
            UNSIGNED_PAYLOAD.clone_into(&mut hash); // no body at all is signed as such, whatever the header says
        }
    }
    let mut headers = request.headers.to_vec();
    headers.extend(added.iter().cloned());
    headers.push(("Host".to_owned(), request.host.to_owned()));

    let canonical = canonical_request(request, &headers, &hash);
    let string_to_sign = format!("{ALGORITHM}\n{date}\n{}", sha256_hex(canonical.text.as_bytes()));
    // The secret key is the HMAC key; only the signature leaves the process.
    let signature = hmac_sha256(key.secret.expose().as_bytes(), &string_to_sign);
    let authorization = format!(
        "{ALGORITHM} Access={}, SignedHeaders={}, Signature={}",
        key.id,
        canonical.signed_headers,
        hex(signature.as_ref())
    );
    added.push(("Authorization".to_owned(), authorization.clone()));
    Signature {
        canonical_request: canonical.text,
        string_to_sign,
        authorization,
        headers: added,
    }
}

fn is_json_or_absent(headers: &[(String, String)]) -> bool {
    headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("Content-Type"))
        .is_none_or(|(_, value)| value.starts_with("application/json") || value.starts_with("application/bson"))
}
