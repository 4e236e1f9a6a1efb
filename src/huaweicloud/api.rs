//! One call of a Huawei Cloud API: authenticated, sent, retried where that is safe, its error bodies understood.
//!
//! IAM, CCE and the API gateway in front of them each have error shapes of their own; [`ApiError`] is what they have in common.

pub(crate) mod answer;
mod error;

pub(crate) use error::{ApiError, Refusal};

use crate::host::{Clock, Deadline, Skew, Stopwatch};
use crate::http::{Http, HttpError, Request, Response};
use crate::huaweicloud::cloud::Cloud;
use crate::huaweicloud::credentials::{AccessKey, Credentials};
use crate::huaweicloud::observed::{EndpointTraits, Endpoints, SignatureForm};
use crate::huaweicloud::signing::{self, SignableRequest, SigningKey};
use crate::ids::{Endpoint, ProjectId};
use crate::log::Log;
use crate::secret::{Secret, SecretJson};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use std::time::Duration;

/// The gateway's code for a signature that it does not take.
const SIGNATURE_REFUSED: &str = "APIGW.0301";
/// The pause before the one retry.
const RETRY_PAUSE: Duration = Duration::from_millis(400);
/// The longest `Retry-After` that we sit out instead of giving up.
const LONGEST_RETRY_AFTER: f64 = 2.0;

/// One call.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// What it is called in messages: `CCE`, `IAM`.
    pub(crate) service: &'static str,
    /// The service's base URL.
    pub(crate) endpoint: &'a Endpoint,
    /// `GET`, `POST`, …
    pub(crate) method: &'static str,
    /// The path below the endpoint; never with a trailing slash, which the gateway refuses.
    pub(crate) path: String,
    /// Query parameters, not encoded.
    pub(crate) query: Vec<(String, String)>,
    /// The JSON body, if any.
    pub(crate) body: Option<Body<'a>>,
    /// Sent as `X-Project-Id`: sub-projects need it.
    pub(crate) project: Option<&'a ProjectId>,
    /// Sent as `X-Idp-Id`: whose id token is in the body.
    pub(crate) identity_provider: Option<&'a str>,
    /// The IAM action that this call needs, for the hint on a 403.
    pub(crate) permission: &'static str,
    /// Asking twice does no harm.
    pub(crate) is_repeatable: bool,
}

/// A JSON body, made for the moment by the service's clock at which it is sent.
#[derive(Clone, Copy)]
pub(crate) struct Body<'a>(pub(crate) &'a dyn Fn(DateTime<Utc>) -> Value);

impl std::fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Body")
    }
}

/// The good answer of a call.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The body; it may hold secrets.
    pub(crate) json: SecretJson,
    /// `X-Subject-Token`: the token that was issued.
    pub(crate) subject_token: Option<Secret<String>>,
    /// The service's clock, else ours.
    pub(crate) server_time: DateTime<Utc>,
    /// How the service's clock stands to ours.
    pub(crate) skew: Skew,
}

/// Who calls, with what, until when.
pub(crate) struct Api<'a> {
    http: &'a Http,
    credentials: &'a Credentials,
    endpoints: Endpoints<'a>,
    clock: &'a Clock,
    log: &'a Log<'a>,
    deadline: Deadline,
    knows_forms_only: bool,
}

impl<'a> Api<'a> {
    /// Calls with `credentials`, all of them over by `deadline`.
    pub(crate) fn new(
        http: &'a Http,
        credentials: &'a Credentials,
        endpoints: Endpoints<'a>,
        clock: &'a Clock,
        log: &'a Log<'a>,
        deadline: Deadline,
    ) -> Self {
        Self {
            http,
            credentials,
            endpoints,
            clock,
            log,
            deadline,
            knows_forms_only: false,
        }
    }

    /// Does not try the legacy form, which leaves headers unsigned, where nothing says that it is needed.
    #[must_use]
    pub(crate) fn with_known_forms_only(self, knows_forms_only: bool) -> Self {
        Self {
            knows_forms_only,
            ..self
        }
    }

    /// Whether a form may be tried that is not the one that the endpoint is known to take.
    fn may_try(&self, form: SignatureForm, endpoint: &Endpoint) -> bool {
        let is_needed_there = || {
            let cloud = Cloud::of_service(endpoint.host());
            cloud.is_some_and(|(cloud, _)| cloud == Cloud::Otc) || self.traits(endpoint).has_needed_legacy
        };
        !self.knows_forms_only || form == SignatureForm::Modern || is_needed_there()
    }

    /// What is known of `endpoint`.
    pub(crate) fn traits(&self, endpoint: &Endpoint) -> EndpointTraits {
        self.endpoints.traits(endpoint)
    }

    /// Remembers something about `endpoint` for the next run.
    pub(crate) fn learn(&self, endpoint: &Endpoint, change: impl FnOnce(&mut EndpointTraits)) {
        self.endpoints.learn(endpoint, change);
    }

    /// What to add to our clock to get the endpoint's, as far as it is known.
    fn offset(&self, endpoint: &Endpoint) -> TimeDelta {
        self.traits(endpoint).skew.now(self.clock)
    }

    /// Makes one call and returns its answer's JSON. Temporary trouble is tried once more where that does no harm, and so
    /// is a signature that was refused because of our clock or of its form.
    pub(crate) fn call(&self, call: &Call<'_>) -> Result<Answer, ApiError> {
        let known_form = self.traits(call.endpoint).signature;
        match self.call_in_form(call, known_form) {
            Err(ApiError::Refused(refusal))
                if self.is_signed()
                    && refusal.status == 401
                    && refusal.code == SIGNATURE_REFUSED
                    && self.may_try(known_form.other(), call.endpoint) =>
            {
                let other_form = known_form.other();
                self.log
                    .info(|| format!("the signature was refused: trying the {other_form:?} form"));
                let Ok(answer) = self.call_in_form(call, other_form) else {
                    return Err(ApiError::Refused(refusal)); // then it was not the form
                };
                self.learn(call.endpoint, |traits| traits.signature = other_form);
                Ok(answer)
            }
            answer => answer,
        }
    }

    fn call_in_form(&self, call: &Call<'_>, form: SignatureForm) -> Result<Answer, ApiError> {
        let mut retries_left = u8::from(call.is_repeatable);
        let mut is_clock_corrected = false;
        loop {
            let offset_used = self.offset(call.endpoint);
            let failure = match self.attempt(call, form) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let offset = self.offset(call.endpoint);
            let clock_was_wrong = self.is_signed()
                && matches!(&failure, ApiError::Refused(r) if r.status == 401)
                && (offset - offset_used).num_minutes().abs() >= 1;
            if clock_was_wrong && !is_clock_corrected {
                is_clock_corrected = true;
                self.log
                    .info(|| format!("the clocks differ by {} s: signing again", offset.num_seconds()));
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

    fn attempt(&self, call: &Call<'_>, form: SignatureForm) -> Result<Answer, ApiError> {
        let started = Stopwatch::start();
        let outcome = self.http.send(self.request(call, form), self.deadline);
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
        self.note_clock(call.endpoint, &response);
        let skew = self.traits(call.endpoint).skew;
        answer::read(call, &response, self.clock, skew)
    }

    /// The secret key signs; a token and a proof in the body go as they are.
    fn is_signed(&self) -> bool {
        matches!(self.credentials, Credentials::AccessKey(_))
    }

    /// Builds the request: JSON, for the time as the server sees it.
    fn request(&self, call: &Call<'_>, form: SignatureForm) -> Request {
        let server_now = self.clock.now() + self.offset(call.endpoint);
        let body = call.body.map(|body| SecretJson::new((body.0)(server_now)).to_bytes());
        // To be signed: a hash of it leaves.
        let signed_body = body.as_ref().map_or(&[][..], |body| body.expose().as_slice());
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let content_type = call.body.map(|_| header("Content-Type", "application/json"));
        let about = call.project.map(|project| header("X-Project-Id", project.as_str()));
        let provider = call.identity_provider.map(|name| header("X-Idp-Id", name));
        let about: Vec<_> = about.into_iter().chain(provider).collect();
        // The one place where a request is authenticated.
        let mut headers = match self.credentials {
            Credentials::AccessKey(key) => signed(call, form, key, signed_body, server_now, about),
            Credentials::Token(token) => {
                // Over TLS, to an endpoint that the identity lets its token go to.
                let token = header("X-Auth-Token", token.expose());
                content_type.into_iter().chain(about).chain([token]).collect()
            }
            Credentials::IdToken(token) => {
                // Over TLS, to the IAM that the identity lets its id token go to.
                let token = header("Authorization", &format!("Bearer {}", token.expose()));
                content_type.into_iter().chain(about).chain([token]).collect()
            }
            Credentials::PortalToken(token) => {
                // Over TLS, to the portal that the session is of.
                let token = header("access-token", token.expose());
                content_type.into_iter().chain(about).chain([token]).collect()
            }
            Credentials::InBody => content_type.into_iter().chain(about).collect(),
        };
        headers.push(header("Accept", "application/json"));
        headers.push(header(
            "User-Agent",
            concat!("kubectl-cce_login/", env!("CARGO_PKG_VERSION")),
        ));
        let query = signing::canonical_request::query_string(&call.query);
        let query = if query.is_empty() { query } else { format!("?{query}") };
        let url = format!("{}{}{query}", call.endpoint, call.path);
        Request {
            method: call.method,
            url,
            headers,
            body,
        }
    }

    /// The server's clock, from answers whose sender TLS has verified.
    fn note_clock(&self, endpoint: &Endpoint, response: &Response) {
        let Some(date) = response.date().filter(|_| endpoint.as_str().starts_with("https://")) else {
            return;
        };
        self.learn(endpoint, |traits| traits.skew = Skew::measured(date, self.clock));
    }
}

/// The headers of a signed request: those to be signed, the signature, and `about`.
fn signed(
    call: &Call<'_>,
    form: SignatureForm,
    key: &AccessKey,
    body: &[u8],
    now: DateTime<Utc>,
    mut about: Vec<(String, String)>,
) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    if call.body.is_some() {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    if let Some(token) = &key.security_token {
        // A temporary key's token is of use together with the signature only.
        about.push(("X-Security-Token".to_owned(), token.expose().clone()));
    }
    // The legacy form leaves these unsigned, as gophertelekomcloud does.
    let unsigned = match form {
        SignatureForm::Modern => {
            headers.append(&mut about);
            Vec::new()
        }
        SignatureForm::Legacy => about,
    };
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
        body,
    };
    let signing_key = SigningKey {
        id: key.id.as_str(),
        secret: &key.secret,
    };
    let signature = match form {
        SignatureForm::Modern => signing::modern::sign(&signable, &signing_key, now),
        SignatureForm::Legacy => signing::legacy::sign(&signable, &signing_key, now, "", ""),
    };
    headers.extend(signature.headers);
    headers.extend(unsigned);
    headers
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
