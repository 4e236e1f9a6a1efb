//! The services that an ECS, a pod and a CI job find next to them: plain HTTP requests, not calls of the cloud's API.

use crate::env_vars;
use crate::error::{Error, Exit, Explain, Result};
use crate::host::{Deadline, Env};
use crate::http::{AnswerSize, Http, HttpError, HttpSettings, Proxies, Request, Response};
use crate::huaweicloud::iam::token_answer::TemporaryAccessKey;
use crate::identity::reading::{TokenFile, malformed_source};
use crate::sanitize::sanitize;
use crate::secret::{Secret, SecretJson};
use serde_json::Value;
use std::time::Duration;

/// The longest that a connection to a neighbour may take: on a laptop nobody is there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest wait for a neighbour's answer, as the SDKs have it.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a token of the metadata service shall be good, in seconds: longer than we need it.
const METADATA_TOKEN_SECONDS: &str = "60";

/// How to reach them.
pub(crate) struct Local<'a> {
    /// For the proxies towards GitHub; neighbours are reached directly.
    pub(crate) env: &'a Env,
    /// By when all must be over.
    pub(crate) deadline: Deadline,
}

/// What a neighbour answered in place of what it is there for.
#[derive(Debug, thiserror::Error)]
enum LocalError {
    #[error("the {service} does not answer")]
    Silent {
        service: &'static str,
        #[source]
        source: HttpError,
    },
    #[error("the {service} answered {status}: {message}")]
    Refused {
        service: &'static str,
        status: u16,
        message: String,
    },
    #[error("the {service} answered without {what}")]
    Incomplete { service: &'static str, what: &'static str },
    #[error("this ECS has no agency")]
    NoAgency,
}

const METADATA: &str = "ECS metadata service";
const POD: &str = "pod identity service";
const ACTIONS: &str = "id token service of GitHub Actions";

impl Explain for LocalError {
    fn exit(&self) -> Exit {
        match self {
            Self::Silent { .. }
            | Self::Refused {
                status: 429 | 500.., ..
            } => Exit::Temporary,
            Self::Refused { .. } | Self::NoAgency => Exit::Identity,
            Self::Incomplete { .. } => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Silent { service, .. } | Self::Refused { service, status: 404, .. } if *service == METADATA => {
                "only an ECS has one: elsewhere use another identity, such as a profile (`kubectl cce-login profile set default`)".to_owned()
            }
            Self::NoAgency => "give the ECS an agency that may use CCE, in the ECS console".to_owned(),
            Self::Silent { .. } => "try again; if it stays so, use another identity".to_owned(),
            Self::Refused { service, .. } if *service == POD => {
                "associate the pod's service account with an agency in the CCE console".to_owned()
            }
            Self::Refused { service, .. } if *service == ACTIONS => "the job needs `permissions: id-token: write`".to_owned(),
            Self::Refused { .. } => "use another identity, or try again".to_owned(),
            Self::Incomplete { .. } => "check that the address is the right one; if it is, please report this".to_owned(),
        })
    }
}

/// Whether a secret may go to `url`: encrypted, or to this machine or its link.
pub(crate) fn is_reachable_safely(url: &str) -> bool {
    url_host(url).is_some_and(|(scheme, host)| {
        let is_plain_http = scheme.eq_ignore_ascii_case("http");
        scheme.eq_ignore_ascii_case("https") || is_plain_http && is_near_host(host)
    })
}

/// Whether `url` leads to this machine or its link.
pub(crate) fn is_near(url: &str) -> bool {
    url_host(url).is_some_and(|(scheme, host)| {
        let is_http = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        is_http && is_near_host(host)
    })
}

/// Scheme and host of a URL that is written plainly.
fn url_host(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let is_plain = !host.is_empty() && !authority.contains(['@', '\\']) && url.chars().all(|c| c.is_ascii_graphic());
    is_plain.then_some((scheme, host))
}

fn is_near_host(host: &str) -> bool {
    match host.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(ip)) => ip.is_loopback() || ip.is_link_local(),
        Ok(std::net::IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unicast_link_local() || ip.is_unique_local(),
        Err(_) => host == "localhost",
    }
}

impl Local<'_> {
    /// Asks a neighbour: no proxy, no patience.
    fn ask(&self, service: &'static str, request: Request) -> Result<Response> {
        let http = Http::new(&HttpSettings {
            connect_timeout: Some(CONNECT_TIMEOUT),
            proxies: Proxies::default(),
            answers: AnswerSize::Short,
            ..HttpSettings::of(self.env)
        })?;
        let answer = http.send(request, self.deadline.at_most(PATIENCE));
        Ok(answer.map_err(|source| LocalError::Silent { service, source })?)
    }
}

/// The access key of the ECS' agency: with a token first (version 2), without where nobody gives tokens (version 1).
pub(crate) fn metadata_key(local: &Local<'_>, base: &str) -> Result<TemporaryAccessKey> {
    let seconds = (
        "X-Metadata-Token-Ttl-Seconds".to_owned(),
        METADATA_TOKEN_SECONDS.to_owned(),
    );
    let asked = local.ask(
        METADATA,
        request("PUT", format!("{base}/meta-data/latest/api/token"), vec![seconds], None),
    )?;
    let headers = match asked.status {
        200 => {
            let token = String::from_utf8_lossy(asked.body.expose()).trim().to_owned(); // into the header of the next request
            vec![("X-Metadata-Token".to_owned(), token)]
        }
        404 | 405 | 503 => Vec::new(),
        _ => return Err(refused(METADATA, &asked).into()),
    };
    let answer = local.ask(
        METADATA,
        request("GET", format!("{base}/openstack/latest/securitykey"), headers, None),
    )?;
    if answer.status == 401 && body_text(&answer).contains("configure Cloud Service Agency") {
        return Err(LocalError::NoAgency.into());
    }
    key_of(METADATA, &answer, TemporaryAccessKey::from_json)
}

/// The access key of the pod's agency, for the token in `token_file`.
pub(crate) fn pod_key(local: &Local<'_>, url: &str, token_file: &TokenFile) -> Result<TemporaryAccessKey> {
    let token = token_file.read().map_err(|error| {
        let problem = format!("cannot read `{}`: {error}", token_file.path().display());
        Error::from(malformed_source(
            "pod",
            problem,
            "let the pod have its identity from CCE's add-on again",
        ))
    })?;
    // To the service that came from the same place.
    let authorization = ("Authorization".to_owned(), token.expose().trim().to_owned());
    let content_type = ("Content-Type".to_owned(), "application/json".to_owned());
    let answer = local.ask(
        POD,
        request("POST", url.to_owned(), vec![authorization, content_type], Some("{}")),
    )?;
    key_of(POD, &answer, TemporaryAccessKey::from_pod_json)
}

/// The id token of a job of GitHub Actions.
pub(crate) fn actions_id_token(local: &Local<'_>, url: &str, token: &Secret<String>) -> Result<Secret<String>> {
    if !is_reachable_safely(url) {
        let problem = format!("`{}` is not encrypted", env_vars::ACTIONS_ID_TOKEN_REQUEST_URL);
        return Err(malformed_source(
            "oidc",
            problem,
            "GitHub sets it in jobs with `permissions: id-token: write`",
        )
        .into());
    }
    let http = Http::new(&HttpSettings {
        answers: AnswerSize::Short,
        ..HttpSettings::of(local.env)
    })?;
    // To the service that came from the same place.
    let authorization = ("Authorization".to_owned(), format!("Bearer {}", token.expose()));
    let answer = http.send(
        request("GET", url.to_owned(), vec![authorization], None),
        local.deadline,
    );
    let answer = answer.map_err(|source| LocalError::Silent {
        service: ACTIONS,
        source,
    })?;
    if answer.status != 200 {
        return Err(refused(ACTIONS, &answer).into());
    }
    let json = SecretJson::parse(answer.body.expose()).ok(); // the token goes into a `Secret`
    let value = json.as_ref().and_then(|json| json.get("value")?.as_str());
    let value = value.filter(|value| !value.is_empty()).ok_or(LocalError::Incomplete {
        service: ACTIONS,
        what: "an id token",
    })?;
    Ok(Secret::new(value.to_owned()))
}

fn request(method: &'static str, url: String, mut headers: Vec<(String, String)>, body: Option<&str>) -> Request {
    headers.push(("Accept".to_owned(), "application/json".to_owned()));
    Request {
        method,
        url,
        headers,
        body: body.map(|text| Secret::new(text.as_bytes().to_vec())),
    }
}

fn key_of(
    service: &'static str,
    answer: &Response,
    read: fn(&Value) -> Option<TemporaryAccessKey>,
) -> Result<TemporaryAccessKey> {
    if answer.status != 200 {
        return Err(refused(service, answer).into());
    }
    let json = SecretJson::parse(answer.body.expose()).ok(); // what is secret in it goes into `Secret`s
    let key = json.as_ref().and_then(|json| read(json));
    Ok(key.ok_or(LocalError::Incomplete {
        service,
        what: "a whole access key",
    })?)
}

fn refused(service: &'static str, answer: &Response) -> LocalError {
    let message = body_text(answer);
    let json: Option<Value> = serde_json::from_str(&message).ok();
    let told = json.as_ref().and_then(|json| {
        ["errorMessage", "message"]
            .iter()
            .find_map(|name| json.get(name)?.as_str())
    });
    LocalError::Refused {
        service,
        status: answer.status,
        message: sanitize(told.unwrap_or_else(|| message.lines().next_back().unwrap_or_default())),
    }
}

/// The text of a refusal.
fn body_text(answer: &Response) -> String {
    String::from_utf8_lossy(answer.body.expose()).trim().to_owned() // a refusal holds no secret
}
