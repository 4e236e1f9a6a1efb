//! Error answers with the bodies that the real services send.

use serde_json::json;

use crate::{answer::Answer, pki};

/// An error of the API gateway in front of every service.
pub(crate) fn gateway(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(
        status,
        &json!({"error_msg": message, "error_code": code, "request_id": pki::random_id()}),
    )
}

/// Wrong path, wrong method, a trailing slash.
pub(crate) fn no_such_api() -> Answer {
    gateway(
        404,
        "APIGW.0101",
        "The API does not exist or has not been published in the environment",
    )
}

/// The gateway does not know who is asking.
pub(crate) fn unauthenticated(detail: &str) -> Answer {
    gateway(
        401,
        "APIGW.0301",
        &format!("Incorrect IAM authentication information: {detail}"),
    )
}

/// The token was good once.
pub(crate) fn token_must_be_updated() -> Answer {
    gateway(401, "APIGW.0307", "The token must be updated")
}

/// The request's date is more than 15 minutes off.
pub(crate) fn clock_skew() -> Answer {
    gateway(
        401,
        "APIGW.0303",
        "Incorrect IAM authentication information: x-sdk-date expired",
    )
}

/// Too many requests.
pub(crate) fn throttled(limit: u32) -> Answer {
    let message =
        format!("The throttling threshold has been reached: policy user over ratelimit,limit:{limit},time:1 minute");
    gateway(429, "APIGW.0308", &message)
}

/// An error of CCE: both generations of fields in one body, as real ones have.
pub(crate) fn cce(status: u16, code: &str, message: &str) -> Answer {
    let (error_message, reason, old_code, old_message) = match status {
        400 => ("Invalid request.", "BadRequest", "CCE_CM.0004", "Request is invalid"),
        401 => ("Authorization failed.", "Unauthorized", "CCE_CM.0201", "Unauthorized"),
        403 => ("Forbidden.", "Forbidden", "CCE_CM.0201", "Forbidden"),
        404 => ("Resource not found.", "NotFound", "CCE_CM.0003", "Resource not found"),
        409 => ("Conflict.", "Conflict", "CCE_CM.0410", "Conflict"),
        _ => ("Internal error.", "InternalError", "CCE_CM.0001", "Internal error"),
    };
    Answer::json(
        status,
        &json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": status,
            "errorCode": code, "errorMessage": error_message, "error_code": old_code, "error_msg": old_message,
            "message": message, "reason": reason,
        }),
    )
}

/// 400 with the code for an invalid request.
pub(crate) fn cce_invalid(message: &str) -> Answer {
    cce(400, "CCE.01400001", message)
}

/// 403: the identity lacks the permission.
pub(crate) fn cce_forbidden(action: &str) -> Answer {
    let message = format!("Policy doesn't allow {action} to be performed.");
    cce(403, "CCE.01403001", &message)
}

/// 404: no such thing, or none the identity may see.
pub(crate) fn cce_not_found(message: &str) -> Answer {
    cce(404, "CCE.01404001", message)
}

/// 401 of IAM.
pub(crate) fn iam_unauthorized(message: &str) -> Answer {
    iam(401, "Unauthorized", message)
}

/// 403 of IAM, in Keystone's words.
pub(crate) fn iam_forbidden(action: &str) -> Answer {
    let message = format!("You are not authorized to perform the requested action: {action}");
    iam(403, "Forbidden", &message)
}

/// 400 of IAM in its newer shape: what it says of a body that it cannot read.
pub(crate) fn iam_invalid_body(detail: &str) -> Answer {
    let message = format!("Request body is invalid. {detail}");
    Answer::json(400, &json!({"error_msg": message, "error_code": "IAM.0011"}))
}

/// An error of IAM, in Keystone's shape.
pub(crate) fn iam(status: u16, title: &str, message: &str) -> Answer {
    Answer::json(
        status,
        &json!({"error": {"code": status, "message": message, "title": title}}),
    )
}
