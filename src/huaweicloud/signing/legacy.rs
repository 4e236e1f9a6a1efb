//! The older form: `SDK-HMAC-SHA256 Credential=AK/date/region/service/sdk_request, …`, signed with a key derived from date and
//! scope. gophertelekomcloud sends it to Open Telekom Cloud, with empty region and service.

use crate::huaweicloud::signing::canonical_request::{canonical_request, payload_hash};
use crate::huaweicloud::signing::{
    ALGORITHM, SignableRequest, Signature, SigningKey, hex, hmac_sha256, sdk_date, sha256_hex,
};
use chrono::{DateTime, Utc};

/// The last part of the scope.
const TERMINATOR: &str = "sdk_request";

/// Signs `request`; all its headers are signed. Headers that this form leaves unsigned (`X-Project-Id`, `X-Security-Token`)
/// are the caller's to add afterwards.
pub fn sign(
    request: &SignableRequest<'_>,
    key: &SigningKey<'_>,
    time: DateTime<Utc>,
    region: &str,
    service: &str,
) -> Signature {
    let date = sdk_date(time);
    let day = date.split('T').next().unwrap_or_default();
    let scope = format!("{day}/{region}/{service}/{TERMINATOR}");
    let mut headers = request.headers.to_vec();
    headers.push(("X-Sdk-Date".to_owned(), date.clone()));
    headers.push(("Host".to_owned(), request.host.to_owned()));

    let canonical = canonical_request(request, &headers, &payload_hash(request.body));
    let string_to_sign = format!(
        "{ALGORITHM}\n{date}\n{scope}\n{}",
        sha256_hex(canonical.text.as_bytes())
    );
    // The secret key starts the derivation; only the signature leaves the process.
    let seed = zeroize::Zeroizing::new(format!("SDK{}", key.secret.expose()));
    let mut derived = hmac_sha256(seed.as_bytes(), day);
    for part in [region, service, TERMINATOR] {
        derived = hmac_sha256(derived.as_ref(), part);
    }
    let signature = hmac_sha256(derived.as_ref(), &string_to_sign);
    let authorization = format!(
        "{ALGORITHM} Credential={}/{scope}, SignedHeaders={}, Signature={}",
        key.id,
        canonical.signed_headers,
        hex(signature.as_ref())
    );
    let headers = vec![
        ("X-Sdk-Date".to_owned(), date),
        ("Authorization".to_owned(), authorization.clone()),
    ];
    Signature {
        canonical_request: canonical.text,
        string_to_sign,
        authorization,
        headers,
    }
}
