//! A small client of the cluster itself: does its API server answer, is it who it should be, and who are we to it.

pub(crate) mod choose;
pub(crate) mod known;

use crate::certificate::ClientCert;
use crate::error::{Exit, Explain};
use crate::host::Deadline;
use crate::http::{
    AnswerSize, ClusterTls, Http, HttpError, HttpSettings, Proxies, Request, Response, ServerCheck, Trust,
};
use crate::ids::Endpoint;
use crate::secret::Secret;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// The names that every API server's certificate is made for, in the order in which they are tried.
const USUAL_NAMES: [&str; 4] = [
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// What to do about a certificate of the future.
pub(crate) const NOT_VALID_YET: &str = "wait until then; if that is long, a clock is wrong, here or in the cloud";

/// An API server and how it is verified.
#[derive(Debug, Clone)]
pub struct ApiServer {
    /// Its URL.
    pub url: Endpoint,
    /// How it is verified.
    pub check: ServerCheck,
    /// The proxies on the way.
    pub proxies: Proxies,
}

/// Why the API server gave no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiServerError {
    /// It does not answer.
    #[error("the API server cannot be reached")]
    Unreachable(#[source] HttpError),
    /// None of several does.
    #[error("no endpoint of the cluster can be reached: {0}")]
    NoneReachable(String),
    /// It is not who it should be.
    #[error("the API server `{url}` cannot be verified with the cluster's CA, neither as itself nor as {tried}")]
    Unverified {
        /// Where it was asked.
        url: Endpoint,
        /// The other names that were tried.
        tried: String,
        /// rustls's reason for the URL's own host.
        #[source]
        source: Box<HttpError>,
    },
    /// It does not accept the certificate.
    #[error("the API server refuses the certificate")]
    Refused,
    /// It does not accept the certificate before this moment.
    #[error("the API server refuses the certificate, which is not valid before {}", .0.format("%Y-%m-%d %H:%M:%S UTC"))]
    NotValidYet(DateTime<Utc>),
    /// Something else.
    #[error("the API server answered {0}")]
    Unexpected(u16),
}

impl ApiServerError {
    /// The same of this certificate, at this moment by the cloud's clock: a refusal may have a plain reason.
    pub(crate) fn of(self, cert: &ClientCert, now: DateTime<Utc>) -> Self {
        match self {
            Self::Refused if cert.not_before > now => Self::NotValidYet(cert.not_before),
            error => error,
        }
    }
}

impl Explain for ApiServerError {
    fn exit(&self) -> Exit {
        match self {
            Self::Unreachable(_) | Self::NoneReachable(_) | Self::NotValidYet(_) | Self::Unexpected(500..) => {
                Exit::Temporary
            }
            Self::Unverified { .. } | Self::Unexpected(_) => Exit::Failed,
            Self::Refused => Exit::Identity,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Unreachable(_) | Self::NoneReachable(_) => {
                    "check that this machine can reach it: an internal endpoint needs the VPC (VPN, bastion), an external one an elastic IP; \
                     `kubectl cce-login --cluster NAME --access external` (or `internal`) chooses, `--server URL` in its place names another way in"
                }
                Self::Unverified { source, .. } => why_unverified(&reason_of(source)),
                Self::NotValidYet(_) => NOT_VALID_YET,
                Self::Refused => "it may have been revoked a moment ago: try `kubectl cce-login` again",
                Self::Unexpected(_) => "look at the cluster's state in the CCE console, then try again",
            }
            .to_owned(),
        )
    }
}

/// The innermost reason, as text.
fn reason_of(error: &HttpError) -> String {
    std::error::Error::source(error).map_or_else(String::new, ToString::to_string)
}

/// What to do about a certificate that does not verify, by rustls's reason.
fn why_unverified(reason: &str) -> &'static str {
    let has = |part: &str| reason.contains(part);
    if has("not valid for name") {
        "its certificate is the cluster's, but made for other names. If an elastic IP or a name was bound a moment ago, the certificate follows \
         within ten minutes; otherwise add the name as a custom SAN in the CCE console, and give it with `kubectl cce-login --cluster NAME --server URL`"
    } else if has("expired") || has("not valid yet") {
        "compare this machine's clock with the time; if it is right, the cluster's own certificate has to be renewed: `kubectl cce-login rotate --component all`"
    } else if has("extended key usage") {
        "a certificate for clients answers as the server: do not go on, somebody may be in between"
    } else {
        "it shows a certificate of another authority: do not go on over an untrusted network, somebody may be in between. If the cluster's \
         certificates were rotated a moment ago, try again in some minutes"
    }
}

impl ApiServer {
    /// Finds out how the server at `url` verifies against the cluster's authorities: as its own host, else under the first of
    /// [`other_names`]. Names that the server presents are never taken over.
    pub(crate) fn verify(
        url: &Endpoint,
        ca_pem: &str,
        other_hosts: &[&str],
        proxies: &Proxies,
        deadline: Deadline,
    ) -> Result<Self, ApiServerError> {
        let attempt = |name: Option<&str>| {
            let check = ServerCheck::Verified {
                ca_pem: ca_pem.to_owned(),
                name: name.map(str::to_owned),
            };
            let server = Self {
                url: url.clone(),
                check,
                proxies: proxies.clone(),
            };
            server.get("/version", None, deadline).map(|_| server)
        };
        let own_failure = match attempt(None) {
            Ok(server) => return Ok(server),
            Err(failure @ HttpError::Tls { .. }) => failure,
            Err(failure) => return Err(ApiServerError::Unreachable(failure)),
        };
        let names = other_names(url, other_hosts);
        for name in &names {
            match attempt(Some(name)) {
                Ok(server) => return Ok(server),
                Err(HttpError::Tls { .. } | HttpError::Settings { .. }) => {}
                Err(failure) => return Err(ApiServerError::Unreachable(failure)),
            }
        }
        let tried = names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ");
        Err(ApiServerError::Unverified {
            url: url.clone(),
            tried,
            source: Box::new(own_failure),
        })
    }

    /// The server without any verification, if it answers: `--insecure-skip-tls-verify`.
    pub(crate) fn unverified(url: &Endpoint, proxies: &Proxies, deadline: Deadline) -> Result<Self, ApiServerError> {
        let server = Self {
            url: url.clone(),
            check: ServerCheck::Unverified,
            proxies: proxies.clone(),
        };
        server
            .get("/version", None, deadline)
            .map_err(ApiServerError::Unreachable)?;
        Ok(server)
    }

    /// The `tls-server-name` that kubectl needs.
    pub(crate) fn tls_server_name(&self) -> Option<&str> {
        match &self.check {
            ServerCheck::Verified { name, .. } => name.as_deref(),
            ServerCheck::Unverified => None,
        }
    }

    /// Asks who we are: `SelfSubjectReview` v1, else v1beta1; where neither exists any authenticated answer, and then the
    /// certificate's CN is the name.
    pub(crate) fn who_am_i(&self, cert: &ClientCert, deadline: Deadline) -> Result<String, ApiServerError> {
        for version in ["v1", "v1beta1"] {
            let api_version = format!("authentication.k8s.io/{version}");
            let review = json!({ "apiVersion": api_version, "kind": "SelfSubjectReview" });
            let path = format!("/apis/{api_version}/selfsubjectreviews");
            let answer = self
                .request("POST", &path, Some(&review), Some(cert), deadline)
                .map_err(ApiServerError::Unreachable)?;
            if is_refused(&answer) {
                return Err(ApiServerError::Refused);
            }
            if (200..300).contains(&answer.status) {
                let name = json_of(&answer)
                    .pointer("/status/userInfo/username")
                    .and_then(Value::as_str)
                    .map(str::to_owned);
                return Ok(name.unwrap_or_else(|| cert.common_name.clone()));
            }
        }
        if self.accepts(cert, deadline)? {
            Ok(cert.common_name.clone())
        } else {
            Err(ApiServerError::Refused)
        }
    }

    /// Whether the server takes the certificate: one request, which nobody may make without being known. What the holder may do
    /// is no matter.
    pub fn accepts(&self, cert: &ClientCert, deadline: Deadline) -> Result<bool, ApiServerError> {
        let answer = self
            .get("/api", Some(cert), deadline)
            .map_err(ApiServerError::Unreachable)?;
        match answer.status {
            _ if is_refused(&answer) => Ok(false),
            200..300 | 403 => Ok(true),
            status => Err(ApiServerError::Unexpected(status)),
        }
    }

    fn get(&self, path: &str, cert: Option<&ClientCert>, deadline: Deadline) -> Result<Response, HttpError> {
        self.request("GET", path, None, cert, deadline)
    }

    fn request(
        &self,
        method: &'static str,
        path: &str,
        body: Option<&Value>,
        cert: Option<&ClientCert>,
        deadline: Deadline,
    ) -> Result<Response, HttpError> {
        let tls = ClusterTls {
            server: self.check.clone(),
            client_cert: cert.cloned(),
        };
        let http = Http::new(&HttpSettings {
            trust: Trust::Cluster(Box::new(tls)),
            proxies: self.proxies.clone(),
            answers: AnswerSize::Short,
            ..HttpSettings::default()
        })?;
        let mut headers = vec![("Accept".to_owned(), "application/json".to_owned())];
        if body.is_some() {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        let body = body.map(|json| Secret::new(json.to_string().into_bytes()));
        http.send(
            Request {
                method,
                url: format!("{}{path}", self.url),
                headers,
                body,
            },
            deadline,
        )
    }
}

/// The names under which a server may verify that is not its own host, in the order in which they are tried: those that every API server
/// has, then `other_hosts`, names before addresses. A TLS server name is a DNS name (RFC 6066): Node warns of an address there.
fn other_names<'n>(url: &Endpoint, other_hosts: &[&'n str]) -> Vec<&'n str> {
    let others = other_hosts.iter().copied().filter(|host| *host != url.host());
    let (addresses, names): (Vec<_>, Vec<_>) = others.partition(|host| is_address(host));
    USUAL_NAMES.into_iter().chain(names).chain(addresses).collect()
}

fn is_address(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
}

/// 401, or 403 as nobody: the certificate was not accepted.
fn is_refused(answer: &Response) -> bool {
    let is_anonymous = || {
        json_of(answer)
            .get("message")
            .and_then(Value::as_str)
            .is_some_and(|m| m.contains("system:anonymous"))
    };
    answer.status == 401 || (answer.status == 403 && is_anonymous())
}

fn json_of(answer: &Response) -> Value {
    serde_json::from_slice(answer.body.expose()).unwrap_or_default() // an API server's answer to us holds no secret
}
