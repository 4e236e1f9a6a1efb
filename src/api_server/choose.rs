//! Which of the cluster's servers kubectl shall use: the first that answers and verifies, asked side by side.

use crate::api_server::{ApiServer, ApiServerError};
use crate::cache::index::CertificateRecord;
use crate::error::{Exit, Explain, Result};
use crate::host::{Deadline, parallel};
use crate::http::Proxies;
use crate::huaweicloud::cce::cluster::{Access, Cluster};
use crate::ids::Endpoint;
use crate::plan::ServerChoice;
use crate::session::Session;
use std::sync::mpsc;
use std::time::Duration;

/// How long all servers together have to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a preferred server may lag behind one that has answered.
const GRACE: Duration = Duration::from_millis(500);

/// The name in every API server's certificate, for one that could not be asked which name verifies.
pub(crate) const UNASKED_SERVER_NAME: &str = "kubernetes";

/// The server for the kubeconfig entry.
pub(crate) enum Chosen {
    /// It answers and verifies (or need not, where the user asked for that).
    Reachable(ApiServer),
    /// None answers from here.
    Unreachable {
        /// The one to write all the same.
        url: Endpoint,
        /// The `tls-server-name` to write: every CCE API server has it in its certificate.
        tls_server_name: Option<&'static str>,
        /// Why it does not answer.
        error: ApiServerError,
    },
}

impl Chosen {
    /// The URL to write.
    pub(crate) fn url(&self) -> &Endpoint {
        match self {
            Self::Reachable(server) => &server.url,
            Self::Unreachable { url, .. } => url,
        }
    }

    /// The `tls-server-name` to write.
    pub(crate) fn tls_server_name(&self) -> Option<&str> {
        match self {
            Self::Reachable(server) => server.tls_server_name(),
            Self::Unreachable { tls_server_name, .. } => *tls_server_name,
        }
    }
}

/// Why there is no server to write.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct NoServer {
    problem: String,
    cure: &'static str,
}

impl NoServer {
    /// Nothing is known of the cluster's servers.
    pub(crate) fn nothing_known() -> Self {
        Self {
            problem: "CCE's answer about the cluster's servers is lost".to_owned(),
            cure: "try again",
        }
    }
}

impl Explain for NoServer {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        Some(self.cure.to_owned())
    }
}

/// What is known before the servers are asked.
pub(crate) struct ServerQuery<'a> {
    /// What the user wants.
    pub(crate) choice: &'a ServerChoice,
    /// Whose servers.
    pub(crate) cluster: &'a Cluster,
    /// The servers and authorities that CCE named.
    pub(crate) note: &'a CertificateRecord,
    /// The proxy of the cluster entry.
    pub(crate) proxy_url: Option<&'a str>,
    /// The server that the entry has: it stays as long as it answers, unless another one was named.
    pub(crate) kept: Option<&'a Endpoint>,
    /// The user asked, now or when the entry was made, not to verify the API server.
    pub(crate) is_unverified: bool,
}

/// Asks the servers that the user's choice allows.
pub(crate) fn choose(session: &Session<'_>, search: &ServerQuery<'_>) -> Result<Chosen> {
    let candidates = candidates(search.choice, search.cluster, search.note)?;
    let question = ServerProbe {
        ca_pem: search.note.ca_pem.clone(),
        other_hosts: search
            .cluster
            .endpoints
            .iter()
            .map(|e| e.url.host().to_owned())
            .collect(),
        proxies: match search.proxy_url {
            Some(url) => Proxies::only(url),
            None => Proxies::from_env(&session.host.env),
        },
        deadline: session.deadline.at_most(PATIENCE),
        is_unverified: search.is_unverified,
    };
    if let Some(kept) = search.kept.filter(|_| *search.choice == ServerChoice::Auto)
        && let Ok(chosen @ Chosen::Reachable(_)) = ask_all(&question, std::slice::from_ref(kept))
    {
        return Ok(chosen);
    }
    let question = ServerProbe {
        deadline: session.deadline.at_most(PATIENCE),
        ..question
    };
    let mut chosen = ask_all(&question, &candidates)?;
    // Where nobody answers, no other server is better than the one that the entry has.
    if let (Chosen::Unreachable { url, .. }, ServerChoice::Auto, Some(kept)) = (&mut chosen, search.choice, search.kept)
        && candidates.contains(kept)
    {
        url.clone_from(kept);
    }
    Ok(chosen)
}

/// The servers that `clustercert` named and that belong to the cluster, in the order of preference.
fn candidates(choice: &ServerChoice, cluster: &Cluster, note: &CertificateRecord) -> Result<Vec<Endpoint>> {
    if let ServerChoice::Url(url) = choice {
        return Ok(vec![url.clone()]);
    }
    let parse = |urls: &[String]| {
        urls.iter()
            .filter_map(|url| Endpoint::parse(url).ok())
            .collect::<Vec<_>>()
    };
    let named = parse(&note.servers);
    let is_at = |url: &Endpoint, access| {
        cluster
            .endpoints_for(access)
            .any(|own| own.host_and_port() == url.host_and_port())
    };
    let is_custom_san = |url: &Endpoint| {
        note.custom_san_servers.iter().any(|server| server == url.as_str())
            && cluster.custom_sans.iter().any(|san| san == url.host())
    };
    let of = |belongs: &dyn Fn(&Endpoint) -> bool| named.iter().filter(|url| belongs(url)).cloned().collect::<Vec<_>>();
    let internal = of(&|url| is_at(url, Access::Internal));
    let external = of(&|url| is_at(url, Access::External));
    let custom = of(&|url| is_custom_san(url));
    let is_empty_for = |what: &str, cure| -> Result<Vec<Endpoint>> {
        let strangers: Vec<String> = named.iter().map(|url| format!("`{url}`")).collect();
        let named = if strangers.is_empty() {
            "no https server".to_owned()
        } else {
            strangers.join(", ")
        };
        let problem = format!(
            "cluster `{}` has no {what} among the servers that CCE named ({named})",
            cluster.name
        );
        Err(NoServer { problem, cure }.into())
    };
    let chosen = match choice {
        ServerChoice::Internal => internal,
        ServerChoice::External => external,
        _ => [internal, external, custom].concat(),
    };
    match choice {
        _ if !chosen.is_empty() => Ok(chosen),
        ServerChoice::External => is_empty_for(
            "external endpoint",
            "bind an elastic IP to the cluster, or use `--access internal`",
        ),
        ServerChoice::Internal => is_empty_for("internal endpoint", "use `--access external`"),
        _ => is_empty_for(
            "endpoint of its own",
            "try again when the cluster is available; if it is, open a ticket with the cloud",
        ),
    }
}

/// What is asked of each server.
#[derive(Clone)]
struct ServerProbe {
    ca_pem: Option<String>,
    other_hosts: Vec<String>,
    proxies: Proxies,
    deadline: Deadline,
    is_unverified: bool,
}

impl ServerProbe {
    fn ask(&self, url: &Endpoint) -> std::result::Result<ApiServer, ApiServerError> {
        if self.is_unverified {
            return ApiServer::unverified(url, &self.proxies, self.deadline);
        }
        let others: Vec<&str> = self.other_hosts.iter().map(String::as_str).collect();
        ApiServer::verify(
            url,
            self.ca_pem.as_deref().unwrap_or_default(),
            &others,
            &self.proxies,
            self.deadline,
        )
    }
}

/// Asks all servers at once and takes the first in order that answers, without waiting long for a preferred one that lags.
fn ask_all(question: &ServerProbe, urls: &[Endpoint]) -> Result<Chosen> {
    let (sender, receiver) = mpsc::channel();
    for (rank, url) in urls.iter().cloned().enumerate() {
        let (question, sender) = (question.clone(), sender.clone());
        parallel::beside(move || {
            let _ = sender.send((rank, question.ask(&url))); // nobody waits any more for a server that lags
        });
    }
    drop(sender);
    let mut best: Option<(usize, ApiServer)> = None;
    let mut failures = Vec::new();
    let mut patience = PATIENCE + GRACE;
    while best.as_ref().is_none_or(|(rank, _)| *rank > 0) {
        let Ok((rank, answer)) = receiver.recv_timeout(patience) else {
            break;
        };
        match answer {
            Ok(server) if best.as_ref().is_none_or(|(other, _)| rank < *other) => {
                best = Some((rank, server));
                patience = GRACE;
            }
            Ok(_) => {}
            Err(error) => failures.push((rank, error)),
        }
    }
    if let Some((_, server)) = best {
        return Ok(Chosen::Reachable(server));
    }
    // A server that answers as somebody else is worse news than one that does not answer.
    failures.sort_by_key(|(rank, error)| {
        (
            matches!(error, ApiServerError::Unreachable(_)),
            std::cmp::Reverse(*rank),
        )
    });
    let all: Vec<String> = failures
        .iter()
        .filter_map(|(rank, error)| why(urls.get(*rank)?, error))
        .collect();
    let error = match failures.into_iter().next() {
        Some((_, error @ ApiServerError::Unreachable(_))) if all.len() < 2 => error,
        Some((_, ApiServerError::Unreachable(_))) => ApiServerError::NoneReachable(all.join("; ")),
        Some((_, error)) => return Err(error.into()),
        None => ApiServerError::NoneReachable("no answer in time".to_owned()),
    };
    // The last one is that which can be reached from most places.
    let url = urls.last().cloned().ok_or_else(NoServer::nothing_known)?;
    Ok(Chosen::Unreachable {
        url,
        error,
        tls_server_name: (!question.is_unverified).then_some(UNASKED_SERVER_NAME),
    })
}

/// Why one of several servers is not reached.
fn why(url: &Endpoint, error: &ApiServerError) -> Option<String> {
    let ApiServerError::Unreachable(error) = error else {
        return None;
    };
    let source = std::error::Error::source(error);
    Some(match source {
        Some(reason) => format!("`{url}`: {reason}"),
        None => format!("`{url}`: no answer in time"),
    })
}
