//! The network's only door, and the only module that knows reqwest and tokio: deadlines, proxies, roots, no redirects.
//!
//! Callers see a blocking function from [`Request`] to [`Response`]. The runtime and the client are made on first use,
//! because making them costs more than a whole cached run.

mod bounds;
mod cluster_tls;
mod error;
mod proxies;
mod wiped;

pub(crate) use bounds::AnswerSize;
pub use cluster_tls::{ClusterTls, ServerCheck};
pub(crate) use error::{HttpError, Reason};
pub use proxies::Proxies;

use crate::certificate;
use crate::env_vars;
use crate::host::{Deadline, Env, Input, Inputs, is_moment};
use crate::secret::{Secret, append};
use chrono::{DateTime, Utc};
use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::{Zeroize as _, Zeroizing};

/// The longest that a connection may take to come about.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The room for a body whose length is not announced.
const FIRST_ROOM: usize = 16 * 1024;

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// The whole URL, query included.
    pub url: String,
    /// All headers but `Host`; values may be secrets, so they are never logged.
    pub headers: Vec<(String, String)>,
    /// The body, if any; it may hold secrets.
    pub body: Option<Secret<Vec<u8>>>,
}

impl Drop for Request {
    fn drop(&mut self) {
        for (_, value) in &mut self.headers {
            value.zeroize();
        }
    }
}

/// One answer, whatever its status.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Header names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The whole body; it may hold secrets.
    pub body: Secret<Vec<u8>>,
}

impl Response {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// The server's clock, if it shows a time that clocks show.
    pub(crate) fn date(&self) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc2822(self.header("date")?)
            .ok()
            .map(|date| date.with_timezone(&Utc))
            .filter(|date| is_moment(*date))
    }
}

/// How to reach servers: whom to trust, through which proxies.
#[derive(Debug, Clone, Default)]
pub struct HttpSettings {
    /// Whom to trust.
    pub trust: Trust,
    /// The environment's proxies.
    pub proxies: Proxies,
    /// The longest that a connection may take to come about, if not [`CONNECT_TIMEOUT`].
    pub connect_timeout: Option<Duration>,
    /// What is asked there, and so how large an answer may be.
    pub answers: AnswerSize,
    /// How the file of roots is read.
    pub inputs: Inputs,
}

impl HttpSettings {
    /// As the environment says: its proxies, and the roots of `SSL_CERT_FILE` in place of the system's.
    pub(crate) fn of(env: &Env) -> Self {
        let roots = env.var_os(env_vars::SSL_CERT_FILE).map(PathBuf::from);
        Self {
            trust: roots.map_or(Trust::System, Trust::File),
            proxies: Proxies::from_env(env),
            inputs: env.inputs().clone(),
            ..Self::default()
        }
    }
}

/// Whom to trust.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// The system's roots.
    #[default]
    System,
    /// The certificates of this PEM file and no others.
    File(PathBuf),
    /// A cluster's own authorities.
    Cluster(Box<ClusterTls>),
}

/// A client with its runtime.
pub struct Http {
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    proxies: Proxies,
    answers: AnswerSize,
}

impl Http {
    /// Builds a client. Reads the roots' file; connects to nobody.
    #[expect(clippy::disallowed_methods, reason = "the one place where a client is built")]
    pub fn new(settings: &HttpSettings) -> Result<Self, HttpError> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(settings.connect_timeout.unwrap_or(CONNECT_TIMEOUT))
            .no_proxy();
        builder = match &settings.trust {
            Trust::System => builder,
            Trust::File(path) => builder.tls_certs_only(read_roots(path, &settings.inputs)?),
            Trust::Cluster(tls) => builder.tls_backend_preconfigured(cluster_tls::client_config(tls)?),
        };
        if !settings.proxies.is_empty() {
            builder = builder.proxy(settings.proxies.clone().into_proxy());
        }
        let client = builder
            .build()
            .map_err(|e| settings_error("the TLS settings".to_owned(), &e))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| settings_error("the network".to_owned(), &e))?;
        Ok(Self {
            client,
            runtime,
            proxies: settings.proxies.clone(),
            answers: settings.answers,
        })
    }

    /// Sends one request and reads the whole answer, by `deadline`. Redirects are answers like any other.
    pub fn send(&self, request: Request, deadline: Deadline) -> Result<Response, HttpError> {
        let host = host_of(&request.url);
        self.proxies.check(&request.url)?;
        let work = async { tokio::time::timeout(deadline.remaining(), self.exchange(request, &host)).await };
        self.runtime
            .block_on(work)
            .unwrap_or_else(|_| Err(HttpError::Timeout { host: host.clone() }))
    }

    async fn exchange(&self, request: Request, host: &str) -> Result<Response, HttpError> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes()).unwrap_or(reqwest::Method::GET);
        let mut builder = self.client.request(method, &request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, wiped::header(value));
        }
        if let Some(body) = &request.body {
            builder = builder.body(wiped::bytes(body.expose())); // over TLS, to the host it was made for
        }
        let mut answer = builder
            .send()
            .await
            .map_err(|error| self.classify(&error, host, &request.url))?;
        let headers = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        // Of the length that was announced: a vector that grows leaves its old bytes behind.
        let announced = answer.content_length().and_then(|length| usize::try_from(length).ok());
        let too_large = || HttpError::TooLarge { host: host.to_owned() };
        let largest = self.answers.largest();
        if announced.is_some_and(|length| length > largest) {
            return Err(too_large());
        }
        let mut body = Zeroizing::new(Vec::with_capacity(announced.unwrap_or(FIRST_ROOM).min(largest)));
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|error| self.classify(&error, host, &request.url))?
        {
            if body.len() + chunk.len() > largest {
                return Err(too_large());
            }
            append(&mut body, &chunk);
        }
        if bounds::has_too_many_values(&body) {
            return Err(too_large());
        }
        Ok(Response {
            status: answer.status().as_u16(),
            headers,
            body: Secret::new(std::mem::take(&mut *body)),
        })
    }

    fn classify(&self, error: &reqwest::Error, host: &str, url: &str) -> HttpError {
        let host = host.to_owned();
        if error.is_timeout() {
            return HttpError::Timeout { host };
        }
        let (source, is_tls) = innermost(error);
        match (self.proxies.shown_for(url), error.is_connect()) {
            (_, _) if is_tls => HttpError::Tls { host, source },
            (Some(proxy), true) => HttpError::Proxy { host, proxy, source },
            (None, true) if source.is_unknown_name() => HttpError::UnknownHost { host },
            (None, true) => HttpError::Connect { host, source },
            (_, false) => HttpError::Broken { host, source },
        }
    }
}

/// `host` or `host:port` of a URL.
fn host_of(url: &str) -> String {
    url.split_once("://")
        .map_or(url, |(_, rest)| rest)
        .split(['/', '?'])
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// The innermost reason, and whether rustls gave it.
fn innermost(error: &(dyn StdError + 'static)) -> (Reason, bool) {
    let mut current = error;
    let mut is_tls = false;
    loop {
        is_tls |= current.is::<rustls::Error>();
        let inside = current
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        match inside
            .map(|e| e as &(dyn StdError + 'static))
            .or_else(|| current.source())
        {
            Some(next) => current = next,
            None => return (Reason(current.to_string()), is_tls),
        }
    }
}

fn settings_error(what: String, error: &(dyn StdError + 'static)) -> HttpError {
    HttpError::Settings {
        what,
        source: innermost(error).0,
    }
}

fn read_roots(path: &Path, inputs: &Inputs) -> Result<Vec<reqwest::Certificate>, HttpError> {
    let what = format!("{} `{}`", error::CA_FILE, path.display());
    let pem = inputs.read(path, Input::Certificates);
    let pem = pem.map_err(|e| settings_error(what.clone(), &e))?;
    parse_roots(&pem, &what)
}

/// Reads every certificate of a PEM text; what stands before and between the blocks is skipped.
fn parse_roots(pem: &[u8], what: &str) -> Result<Vec<reqwest::Certificate>, HttpError> {
    let refuse = |reason: &str| HttpError::Settings {
        what: what.to_owned(),
        source: Reason(reason.to_owned()),
    };
    let roots: Vec<_> = rustls::pki_types::pem::PemObject::pem_slice_iter(pem)
        .map(|der: Result<rustls::pki_types::CertificateDer<'_>, _>| {
            let der = der.map_err(|_| refuse("it is not PEM"))?;
            certificate::facts_of(&der).ok_or_else(|| refuse("it holds a damaged certificate"))?;
            reqwest::Certificate::from_der(&der).map_err(|e| settings_error(what.to_owned(), &e))
        })
        .collect::<Result<_, _>>()?;
    if roots.is_empty() {
        Err(refuse("it holds no PEM certificate"))
    } else {
        Ok(roots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_that_no_clock_shows_is_none() {
        let date = |date: &str| {
            let response = Response {
                status: 200,
                headers: vec![("date".to_owned(), date.to_owned())],
                body: Secret::new(Vec::new()),
            };
            response.date().map(|date| date.timestamp())
        };
        assert_eq!(date("Thu, 26 Nov 2026 18:05:00 GMT"), Some(1_795_716_300));
        for odd in [
            "Wed, 31 Dec 262142 23:59:59 GMT",
            "Wed, 31 Dec 1969 23:59:59 GMT",
            "yesterday",
            "",
        ] {
            assert_eq!(date(odd), None, "{odd}");
        }
    }
}
