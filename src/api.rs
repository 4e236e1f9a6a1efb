//! One call of a Huawei Cloud API: signed, sent, retried where that is safe, its error bodies understood.
//!
//! IAM, CCE and the API gateway in front of them each have error shapes of their own; [`ApiError`] is what they have in common.

mod error;

pub use error::{ApiError, Refusal};

use crate::credentials::Credentials;
use crate::host::{Clock, Deadline};
use crate::http::{Http, HttpError, Request, Response};
use crate::ids::{Endpoint, ProjectId};
use crate::log::Log;
use crate::secret::Secret;
use crate::signing::{self, SignableRequest, SigningKey};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use std::cell::Cell;
use std::time::Duration;

/// A difference between the clocks that is smaller than this counts as none.
const SMALLEST_CLOCK_OFFSET: i64 = 30;
/// The pause before the one retry.
const RETRY_PAUSE: Duration = Duration::from_millis(400);
/// The longest `Retry-After` that we sit out instead of giving up.
const LONGEST_RETRY_AFTER: f64 = 2.0;

/// One call.
#[derive(Debug)]
pub struct Call<'a> {
    /// What it is called in messages: `CCE`, `IAM`.
    pub service: &'static str,
    /// The service's base URL.
    pub endpoint: &'a Endpoint,
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// The path below the endpoint; never with a trailing slash, which the gateway refuses.
    pub path: String,
    /// Query parameters, not encoded.
    pub query: Vec<(String, String)>,
    /// The JSON body, if any.
    pub body: Option<Body<'a>>,
    /// Sent as `X-Project-Id`: sub-projects need it.
    pub project: Option<&'a ProjectId>,
    /// The IAM action that this call needs, for the hint on a 403.
    pub permission: &'static str,
    /// Asking twice does no harm.
    pub is_repeatable: bool,
}

/// A JSON body, made for the moment by the service's clock at which it is sent.
#[derive(Clone, Copy)]
pub struct Body<'a>(pub &'a dyn Fn(DateTime<Utc>) -> Value);

impl std::fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Body")
    }
}

/// The good answer of a call.
#[derive(Debug)]
pub struct Answer {
    /// The body; it may hold secrets.
    pub json: Value,
    /// The service's clock, else ours.
    pub server_time: DateTime<Utc>,
}

/// Who calls, with what, until when.
pub struct Api<'a> {
    http: &'a Http,
    credentials: &'a Credentials,
    clock: &'a Clock,
    log: &'a Log<'a>,
    deadline: Deadline,
    /// Server time minus our time, from the last answer; zero while unknown or small.
    offset: Cell<TimeDelta>,
}

impl<'a> Api<'a> {
    /// Calls with `credentials`, all of them over by `deadline`.
    pub fn new(
        http: &'a Http,
        credentials: &'a Credentials,
        clock: &'a Clock,
        log: &'a Log<'a>,
        deadline: Deadline,
    ) -> Self {
        Self {
            http,
            credentials,
            clock,
            log,
            deadline,
            offset: Cell::new(TimeDelta::zero()),
        }
    }

    /// The service's clock minus ours; zero while unknown or small.
    pub fn clock_offset(&self) -> TimeDelta {
        self.offset.get()
    }

    /// The time by the service's clock, as far as it is known.
    pub fn server_now(&self) -> DateTime<Utc> {
        self.clock.now() + self.offset.get()
    }

    /// Makes one call and returns its answer's JSON. Temporary trouble is tried once more where that does no harm, and so
    /// is a signature that was refused because of our clock.
    pub fn call(&self, call: &Call<'_>) -> Result<Answer, ApiError> {
        let mut retries_left = u8::from(call.is_repeatable);
        loop {
            let offset_used = self.offset.get();
            let failure = match self.attempt(call) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let clock_was_wrong = matches!(&failure, ApiError::Refused(r) if r.status == 401)
                && (self.offset.get() - offset_used).num_minutes().abs() >= 1;
            if clock_was_wrong {
                self.log.info(|| {
                    format!(
                        "the clocks differ by {} s: signing again",
                        self.offset.get().num_seconds()
                    )
                });
                continue;
            }
            let Some(pause) = retry_pause(&failure).filter(|_| retries_left > 0) else {
                return Err(failure);
            };
            if self.deadline.remaining() < pause * 2 {
                return Err(failure);
            }
            retries_left -= 1;
            self.log.info(|| format!("{failure}; trying once more"));
            std::thread::sleep(pause);
        }
    }

    fn attempt(&self, call: &Call<'_>) -> Result<Answer, ApiError> {
        let started = std::time::Instant::now();
        let outcome = self.http.send(self.request(call), self.deadline);
        self.log.info(|| {
            let status = outcome
                .as_ref()
                .map_or_else(ToString::to_string, |r| r.status.to_string());
            let milliseconds = started.elapsed().as_millis();
            format!(
                "{} {}{} -> {status} ({milliseconds} ms)",
                call.method, call.endpoint, call.path
            )
        });
        let response = outcome?;
        self.note_clock(&response);
        read(call, &response, self.server_now(), self.offset.get())
    }

    /// Builds the request: JSON, signed with the time as the server sees it.
    fn request(&self, call: &Call<'_>) -> Request {
        let body = call.body.map(|body| (body.0)(self.server_now()).to_string());
        let body = body.unwrap_or_default();
        let mut headers = Vec::new();
        if call.body.is_some() {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        if let Some(project) = call.project {
            headers.push(("X-Project-Id".to_owned(), project.to_string()));
        }
        let Credentials::AccessKey(key) = self.credentials;
        if let Some(token) = &key.security_token {
            // A temporary key's token authenticates together with the signature, over TLS, to the cloud's own endpoint.
            headers.push(("X-Security-Token".to_owned(), token.expose().clone()));
        }
        let (host, port) = call.endpoint.host_and_port();
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let host = if port == 443 { host } else { format!("{host}:{port}") };
        let base_path = call.endpoint.as_str().split_once("://").map_or("", |(_, rest)| {
            rest.find('/').map_or("", |at| rest.get(at..).unwrap_or(""))
        });
        let path = format!("{base_path}{}", call.path);
        let signable = SignableRequest {
            method: call.method,
            host: &host,
            path: &path,
            query: &call.query,
            headers: &headers,
            body: body.as_bytes(),
        };
        let signing_key = SigningKey {
            id: key.id.as_str(),
            secret: &key.secret,
        };
        let signature = signing::modern::sign(&signable, &signing_key, self.server_now());
        headers.extend(signature.headers);
        headers.push(("Accept".to_owned(), "application/json".to_owned()));
        headers.push((
            "User-Agent".to_owned(),
            concat!("kubectl-cce_login/", env!("CARGO_PKG_VERSION")).to_owned(),
        ));
        let query = signing::canonical_request::query_string(&call.query);
        let query = if query.is_empty() { query } else { format!("?{query}") };
        let url = format!("{}{}{query}", call.endpoint, call.path);
        Request {
            method: call.method,
            url,
            headers,
            body: call.body.is_some().then(|| Secret::new(body.into_bytes())),
        }
    }

    fn note_clock(&self, response: &Response) {
        let Some(date) = response.date() else { return };
        let offset = date - self.clock.now();
        let is_noise = offset.num_seconds().abs() < SMALLEST_CLOCK_OFFSET;
        self.offset.set(if is_noise { TimeDelta::zero() } else { offset });
    }
}

/// How long to wait before the one retry; `None` where another try would change nothing.
fn retry_pause(failure: &ApiError) -> Option<Duration> {
    match failure {
        // A time-out has used up the patience already.
        ApiError::Http(HttpError::Timeout { .. }) => None,
        ApiError::Http(error) if error.is_temporary() => Some(RETRY_PAUSE),
        ApiError::Refused(r) if r.status == 429 => r
            .retry_after
            .filter(|s| *s <= LONGEST_RETRY_AFTER)
            .map(Duration::from_secs_f64),
        ApiError::Refused(r) if r.is_temporary() => Some(RETRY_PAUSE),
        ApiError::NotJson { status: 500.., .. } => Some(RETRY_PAUSE),
        _ => None,
    }
}

fn read(
    call: &Call<'_>,
    response: &Response,
    server_time: DateTime<Utc>,
    offset: TimeDelta,
) -> Result<Answer, ApiError> {
    let body = response.body.expose(); // parsed here; what is secret in it goes into `Secret`s of the caller
    let json = serde_json::from_slice::<Value>(body);
    if (200..300).contains(&response.status) {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Answer {
                json: Value::Null,
                server_time,
            });
        }
        let json = json.map_err(|error| not_json(call, response, &error))?;
        return Ok(Answer { json, server_time });
    }
    let json = match json {
        Ok(json) => json,
        Err(error) if !body.is_empty() && response.status < 300 => return Err(not_json(call, response, &error)),
        Err(_) => Value::Null, // the status says enough
    };
    let text = |value: Option<String>| crate::sanitize::sanitize(&value.unwrap_or_default());
    Err(ApiError::Refused(Box::new(Refusal {
        service: call.service,
        status: response.status,
        code: text(first_text(&json, &["errorCode", "error_code", "code"])),
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
            .filter(|s: &f64| s.is_finite() && *s >= 0.0),
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

/// The first of `names` that holds a text, in the object itself, else in its nested `error`.
fn first_text(json: &Value, names: &[&str]) -> Option<String> {
    let text = |object: &Value| {
        names
            .iter()
            .find_map(|name| object.get(name)?.as_str().filter(|t| !t.is_empty()).map(str::to_owned))
    };
    text(json).or_else(|| text(json.get("error")?))
}
