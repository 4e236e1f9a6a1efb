//! What an answer says: its JSON, or a refusal in the words of whichever service or gateway it came from.

use crate::host::{Clock, Skew};
use crate::http::Response;
use crate::huaweicloud::api::{Answer, ApiError, Call, Refusal};
use crate::sanitize::sanitize;
use crate::secret::{Secret, SecretJson};
use serde_json::Value;

/// A longer `Retry-After` is a mistake: an hour.
const LONGEST_RETRY_AFTER_BELIEVED: f64 = 3600.0;

/// Reads an answer, the bad ones too.
pub(crate) fn read(call: &Call<'_>, response: &Response, clock: &Clock, skew: Skew) -> Result<Answer, ApiError> {
    let offset = skew.now(clock);
    let server_time = clock.now() + offset;
    let body = response.body.expose(); // parsed here; what is secret in it goes into `Secret`s of the caller
    let json = SecretJson::parse(body);
    let subject_token = response
        .header("x-subject-token")
        .map(|token| Secret::new(token.to_owned()));
    let answer = |json| Answer {
        json,
        subject_token,
        server_time,
        skew,
    };
    if (200..300).contains(&response.status) {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(answer(SecretJson::default()));
        }
        return Ok(answer(json.map_err(|error| not_json(call, response, &error))?));
    }
    let json = match json {
        Ok(json) => json,
        Err(error) if !body.is_empty() && response.status < 300 => return Err(not_json(call, response, &error)),
        Err(_) => SecretJson::default(), // the status says enough
    };
    let text = |value: Option<String>| sanitize(&value.unwrap_or_default());
    Err(ApiError::Refused(Box::new(Refusal {
        service: call.service,
        status: response.status,
        code: text(first_text(&json, &["errorCode", "error_code", "code"]).or_else(|| oauth_error(&json))),
        message: text(first_text(
            &json,
            &["message", "error_msg", "errorMessage", "errorMsg", "error_description"],
        )),
        request_id: text(
            ["x-request-id", "x-iam-trace-id"]
                .iter()
                .find_map(|name| response.header(name).map(str::to_owned))
                .or_else(|| first_text(&json, &["request_id"])),
        ),
        retry_after: response
            .header("retry-after")
            .and_then(|v| v.trim().parse().ok())
            .filter(|s: &f64| s.is_finite() && *s >= 0.0)
            .map(|s| s.min(LONGEST_RETRY_AFTER_BELIEVED)),
        permission: call.permission,
        clock_offset: Some(offset).filter(|offset| response.status == 401 && offset.num_minutes().abs() >= 15),
    })))
}

fn not_json(call: &Call<'_>, response: &Response, error: &serde_json::Error) -> ApiError {
    let start = response.body.expose().trim_ascii_start(); // only its first byte is looked at
    let what = if start.first() == Some(&b'<') {
        "an HTML page"
    } else if error.is_eof() {
        "an incomplete text"
    } else {
        "another text"
    };
    ApiError::NotJson {
        service: call.service,
        status: response.status,
        what,
    }
}

/// `error` as OAuth has it: a word, where others have an object.
fn oauth_error(json: &Value) -> Option<String> {
    json.get("error")?.as_str().map(str::to_owned)
}

/// The first of `names` that holds a text, in the object itself, else in its nested `error`.
fn first_text(json: &Value, names: &[&str]) -> Option<String> {
    let text = |object: &Value| {
        names
            .iter()
            .find_map(|name| object.get(name)?.as_str().filter(|t| !t.is_empty()).map(str::to_owned))
    };
    text(json).or_else(|| text(json.get("error")?))
}
