//! Why a call failed, what that means for the run, and what to do about it.

use crate::error::{Exit, Explain, REFUSED_FOR, TRIED_A_MOMENT_AGO, UNUSABLE_FOR};
use crate::http::HttpError;
use crate::huaweicloud::cloud::Cloud;
use crate::ids::Region;
use chrono::TimeDelta;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// No answer.
    #[error(transparent)]
    Http(HttpError),
    /// The host's name is unknown, and so is its region: mistyped, most probably.
    #[error("there is no region `{region}`: nobody knows the host `{host}`")]
    NoSuchRegion {
        /// What was asked for.
        region: Region,
        /// The host that would be there.
        host: String,
    },
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

impl From<HttpError> for ApiError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::UnknownHost { host } => match Cloud::unknown_region_of(&host) {
                Some(region) => Self::NoSuchRegion { region, host },
                None => Self::Http(HttpError::UnknownHost { host }),
            },
            error => Self::Http(error),
        }
    }
}

/// An answer that says no, in the words of the service.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Who answered.
    pub(crate) service: &'static str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// `CCE.01403001`, `APIGW.0301`, …
    pub(crate) code: String,
    /// The most telling message of the body.
    pub(crate) message: String,
    /// For a ticket with the cloud.
    pub(crate) request_id: String,
    /// The service's `Retry-After`, in seconds; an hour at most.
    pub(crate) retry_after: Option<f64>,
    /// The IAM action that the call needs.
    pub(crate) permission: &'static str,
    /// The server's clock and ours, if they differ so much that signatures are refused.
    pub(crate) clock_offset: Option<TimeDelta>,
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
    pub(crate) fn is_unknown_api(&self) -> bool {
        self.code == "APIGW.0101"
    }

    /// Status and code: `404, APIGW.0101`.
    pub(crate) fn in_short(&self) -> String {
        let code = if self.code.is_empty() {
            String::new()
        } else {
            format!(", {}", self.code)
        };
        format!("{}{code}", self.status)
    }

    /// Nobody here has such an API: the gateway does not know it, or what answers is no CCE at all (its own 404s have a code of its own).
    pub(crate) fn is_missing_api(&self) -> bool {
        self.status == 404 && (self.is_unknown_api() || self.code.is_empty())
    }

    /// It is not the identity that is refused: the cluster sleeps, is being made or is in trouble.
    pub(crate) fn is_state_refused(&self) -> bool {
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
    pub(crate) fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::Http(HttpError::Timeout { .. } | HttpError::Broken { .. } | HttpError::TooLarge { .. })
            | Self::NotJson { .. }
            | Self::Incomplete { .. } => true,
            Self::Http(_) | Self::NoSuchRegion { .. } => false,
            Self::Refused(refusal) => refusal.status == 408 || refusal.status >= 500,
        }
    }
}

impl Explain for ApiError {
    fn exit(&self) -> Exit {
        match self {
            Self::Http(error) => error.exit(),
            Self::NoSuchRegion { .. } => Exit::Usage,
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
            Self::Http(error) => through_proxy(error).or_else(|| error.hint()),
            Self::NoSuchRegion { region, .. } => Some(no_such_region(region)),
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

/// A proxy does not say why it does not reach a host: a mistyped region is one reason.
fn through_proxy(error: &HttpError) -> Option<String> {
    let HttpError::Proxy { host, .. } = error else {
        return None;
    };
    let region = Cloud::unknown_region_of(host)?;
    let own = error.hint().unwrap_or_default();
    Some(format!(
        "`{region}` is no region that is known here: {}; {own}",
        no_such_region(&region)
    ))
}

/// What the region may be instead.
fn no_such_region(region: &Region) -> String {
    let near = Cloud::regions_like(region);
    let near: Vec<String> = near.iter().map(|region| format!("`{region}`")).collect();
    if near.is_empty() {
        "regions look like `eu-de` or `cn-north-4`; if this one is new, check the network's name service (DNS)"
            .to_owned()
    } else {
        format!(
            "did you mean {}? If the region is right, check the network's name service (DNS)",
            near.join(" or ")
        )
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

#[cfg(test)]
mod tests {
    use super::{ApiError, Exit, Explain as _, HttpError};

    fn unknown(host: &str) -> ApiError {
        HttpError::UnknownHost { host: host.to_owned() }.into()
    }

    /// Issue 13.5: the smallest mistakes, and what was meant.
    #[test]
    fn a_mistyped_region_is_said_to_be_one_with_what_it_may_be() {
        for (host, meant) in [
            ("iam.eu-dee.myhuaweicloud.com", "`eu-de`"),
            ("cce.cn-nroth-4.myhuaweicloud.com", "`cn-north-4`"),
            ("iam.eude.otc.t-systems.com", "`eu-de`"),
            ("iam.ap-southeast-33.myhuaweicloud.com", "`ap-southeast-3`"),
        ] {
            let error = unknown(host);
            assert_eq!(error.exit(), Exit::Usage, "{host}");
            let hint = error.hint().unwrap();
            assert!(hint.starts_with(&format!("did you mean {meant}")), "{host}: {hint}");
            assert!(!hint.contains("try again"), "{hint}");
        }
        let odd = unknown("iam.xx-1.myhuaweicloud.com").hint().unwrap();
        assert!(odd.starts_with("regions look like"), "{odd}");
    }

    #[test]
    fn a_region_that_exists_and_a_host_of_somebody_else_are_matters_of_the_network() {
        for host in [
            "iam.eu-de.otc.t-systems.com",
            "iam.myhuaweicloud.com",
            "cce.eu-dee.example.com",
        ] {
            assert_eq!(unknown(host).exit(), Exit::Temporary, "{host}");
        }
    }
}
