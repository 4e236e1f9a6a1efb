//! What registers answer: JSON, and why not.

use crate::http::Response;
use crate::secret::SecretJson;
use serde_json::Value;

/// The engine's own words; empty if there are none.
pub(super) fn errors_of(answer: &Response) -> String {
    let json = json_of(answer);
    let errors = json.get("errors").and_then(Value::as_array);
    let words: Vec<&str> = errors.into_iter().flatten().filter_map(Value::as_str).collect();
    crate::sanitize::sanitize(words.join("; ").trim())
}

/// The answer as JSON; `Null` if it is none.
pub(super) fn json_of(answer: &Response) -> SecretJson {
    // What is secret in it goes into a `Secret` where it is taken out.
    SecretJson::parse(answer.body.expose()).unwrap_or_default()
}
