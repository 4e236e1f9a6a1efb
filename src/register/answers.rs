//! What registers answer: JSON, and why not.

use crate::http::Response;
use crate::register::RegisterError;
use crate::sanitize::sanitize;
use crate::secret::{Secret, SecretJson};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

/// The engine's own words; empty if there are none.
pub(super) fn errors_of(answer: &Response) -> String {
    let json = json_of(answer);
    let errors = json.get("errors").and_then(Value::as_array);
    let words: Vec<&str> = errors.into_iter().flatten().filter_map(Value::as_str).collect();
    sanitize(words.join("; ").trim())
}

/// What an answer means that is none of the good ones, and none that only this engine gives.
pub(super) fn refusal(engine: &'static str, doing: &'static str, status: u16, message: String) -> RegisterError {
    match status {
        401 | 403 => RegisterError::Denied { engine, doing, message },
        // 472 and 473: a node of Vault that only stands by.
        429 | 472 | 473 | 500.. => RegisterError::Busy {
            engine,
            status,
            message,
        },
        _ => RegisterError::Malformed { engine },
    }
}

/// What we keep, as it lies in an engine's JSON. Whatever else lies there is ours to replace.
pub(super) fn value_of(text: Option<&str>) -> Secret<Vec<u8>> {
    Secret::new(text.and_then(|text| BASE64.decode(text).ok()).unwrap_or_default())
}

/// The answer as JSON; `Null` if it is none.
pub(super) fn json_of(answer: &Response) -> SecretJson {
    // What is secret in it goes into a `Secret` where it is taken out.
    SecretJson::parse(answer.body.expose()).unwrap_or_default()
}
