//! What is handed over to be sent: shared without copies, and wiped when the last one is done with it.

use bytes::Bytes;
use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

/// A body.
pub(super) fn bytes(body: &[u8]) -> Bytes {
    Bytes::from_owner(Zeroizing::new(body.to_vec()))
}

/// A header's value, which may be a secret; what is none is refused when the request is built, as reqwest does it.
pub(super) fn header(value: &str) -> HeaderValue {
    let checked = HeaderValue::from_maybe_shared(bytes(value.as_bytes()));
    let mut value = checked.unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}
