//! Why a call failed, what that means for the run, and what to do about it.

use crate::error::{Exit, Explain, REFUSED_FOR, TRIED_A_MOMENT_AGO, UNUSABLE_FOR};
use crate::http::HttpError;
use chrono::TimeDelta;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// An answer that says no.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// An answer that is not JSON.
    #[error("{service} answered {status} with {what} in place of JSON")]
    NotJson {
        /// Who answered.
        service: &'static str,
        /// With which status.
        status: u16,
        /// What came: `an HTML page`, `an incomplete text`, …
        what: &'static str,
    },
    /// JSON that lacks what we need.
    #[error("{service} answered without {what}")]
    Incomplete {
        /// Who answered.
        service: &'static str,
        /// What is missing or wrong.
        what: String,
    },
}

/// An answer that says no, in the words of the service.
#[derive(Debug)]
pub struct Refusal {
    /// Who answered.
    pub service: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// `CCE.01403001`, `APIGW.0301`, …
    pub code: String,
    /// The most telling message of the body.
    pub message: String,
    /// For a ticket with the cloud.
    pub request_id: String,
    /// The service's `Retry-After`, in seconds; an hour at most.
    pub retry_after: Option<f64>,
    /// The IAM action that the call needs.
    pub permission: &'static str,
    /// The server's clock and ours, if they differ so much that signatures are refused.
    pub clock_offset: Option<TimeDelta>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} answered {}", self.service, self.status)?;
        let reason = reason_phrase(self.status);
        if !reason.is_empty() {
            write!(f, " {reason}")?;
        }
        let request = if self.request_id.is_empty() {
            String::new()
        } else {
            format!("request `{}`", self.request_id)
        };
        let parts: Vec<&str> = [self.code.as_str(), &request]
            .into_iter()
            .filter(|p| !p.is_empty())
            .collect();
        if !parts.is_empty() {
            write!(f, " ({})", parts.join(", "))?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

/// The usual words for a status (RFC 9110).
fn reason_phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

impl Refusal {
    /// The gateway knows no such API: another cloud, an older installation, a wrong endpoint.
    pub fn is_unknown_api(&self) -> bool {
        self.code == "APIGW.0101"
    }

    /// Status and code: `404, APIGW.0101`.
    pub fn in_short(&self) -> String {
        let code = if self.code.is_empty() {
            String::new()
        } else {
            format!(", {}", self.code)
        };
        format!("{}{code}", self.status)
    }

    /// Nobody here has such an API: the gateway does not know it, or what answers is no CCE at all (its own 404s have a code of its own).
    pub fn is_missing_api(&self) -> bool {
        self.status == 404 && (self.is_unknown_api() || self.code.is_empty())
    }

    /// It is not the identity that is refused: the cluster sleeps, is being made or is in trouble.
    pub fn is_state_refused(&self) -> bool {
        self.status == 403
            && self
                .code
                .strip_prefix("CCE.0140300")
                .is_some_and(|digit| matches!(digit, "3" | "4" | "5" | "6" | "7" | "8" | "9"))
    }

    pub(crate) fn is_temporary(&self) -> bool {
        self.status == 429 || self.status == 408 || self.status >= 500
    }
}

impl ApiError {
    /// The service may have done what it was asked for, although no good answer came.
    pub fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::Http(HttpError::Timeout { .. } | HttpError::Broken { .. } | HttpError::TooLarge { .. })
            | Self::NotJson { .. }
            | Self::Incomplete { .. } => true,
            Self::Http(_) => false,
            Self::Refused(refusal) => refusal.status == 408 || refusal.status >= 500,
        }
    }
}

impl Explain for ApiError {
    fn exit(&self) -> Exit {
        match self {
            Self::Http(error) => error.exit(),
            Self::Refused(refusal) => match refusal.status {
                _ if refusal.is_state_refused() => Exit::Failed,
                401 | 403 => Exit::Identity,
                _ if refusal.is_temporary() => Exit::Temporary,
                _ => Exit::Failed,
            },
            Self::NotJson { status: 500.., .. } => Exit::Temporary,
            Self::NotJson { .. } | Self::Incomplete { .. } => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Http(error) => error.hint(),
            Self::Refused(refusal) => refusal_hint(refusal),
            Self::NotJson { .. } => {
                Some("something between us and the cloud answered, a proxy or a login page perhaps: check the endpoint and `HTTPS_PROXY`".to_owned())
            }
            Self::Incomplete { .. } => Some("check that the endpoint is the right one; if it is, please report this".to_owned()),
        }
    }

    fn retry_after(&self) -> Option<TimeDelta> {
        let Self::Refused(refusal) = self else { return None };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float that is too large becomes the largest number"
        )]
        let milliseconds = (refusal.retry_after? * 1000.0) as i64;
        Some(TimeDelta::try_milliseconds(milliseconds).unwrap_or(TimeDelta::MAX))
    }

    fn is_throttled(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == 429)
    }

    fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == 401 && refusal.clock_offset.is_none())
    }

    fn holds_for(&self) -> TimeDelta {
        match (self, self.exit()) {
            (Self::Http(error), _) => error.holds_for(),
            (_, Exit::Identity) => REFUSED_FOR,
            (_, Exit::Temporary) => TRIED_A_MOMENT_AGO,
            _ => UNUSABLE_FOR,
        }
    }
}

fn refusal_hint(refusal: &Refusal) -> Option<String> {
    if let Some(offset) = refusal.clock_offset {
        let minutes = offset.num_minutes();
        return Some(format!(
            "this machine's clock differs from the cloud's by {minutes} minutes: set it right"
        ));
    }
    Some(match refusal.status {
        401 => "access key id and secret access key must belong together and be active: check both".to_owned(),
        403 if refusal.is_state_refused() => {
            "look at the cluster's state in the CCE console; one that hibernates must be woken up first".to_owned()
        }
        403 => format!("this identity needs the IAM action `{}` here: ask an administrator to grant it", refusal.permission),
        404 if refusal.is_unknown_api() => "this cloud does not offer the API here: check the region and the endpoint".to_owned(),
        404 => "check the project, the region and the cluster: `kubectl cce-login --cluster NAME --region REGION --project NAME`".to_owned(),
        429 => match refusal.retry_after {
            Some(seconds) => format!("the cloud throttles this identity: try again in {seconds:.0} seconds"),
            None => "the cloud throttles this identity (about ten certificates a minute): try again in a minute".to_owned(),
        },
        500.. | 408 => "the cloud has trouble: try again".to_owned(),
        300..=399 => "the endpoint redirects elsewhere, which is never followed: check the endpoint".to_owned(),
        _ => return None,
    })
}
