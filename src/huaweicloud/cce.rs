//! CCE's API: clusters and their certificates. Strict in what it sends, lenient in what it reads.

pub mod cluster;
pub mod cluster_cert;
pub mod job;
pub(crate) mod phase;
pub(crate) mod revocation;
pub(crate) mod rotation;

use crate::error::{Exit, Explain, UNUSABLE_FOR};
use crate::huaweicloud::api::{Answer, Api, ApiError, Body, Call, Refusal};
use crate::ids::{ClusterId, Endpoint, ProjectId};
use crate::lifetime::CertLifetime;
use chrono::{DateTime, TimeDelta, Utc};
use cluster::Cluster;
use cluster_cert::{ClusterCert, ClusterCertError};
use serde_json::{Value, json};

/// `expire_at` must lie 15 minutes ahead of the server's clock when the request arrives there.
const EXPIRE_AT_MARGIN: TimeDelta = TimeDelta::seconds(30);
/// The shortest lifetime, to which the margin is added.
const SHORTEST_LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// Why a cluster or its certificate was not to be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CceError {
    /// CCE did not say, or said no.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The answer is not what it should be.
    #[error("CCE's answer cannot be used")]
    Cert(#[from] ClusterCertError),
}

impl Explain for CceError {
    fn exit(&self) -> Exit {
        match self {
            Self::Api(error) => error.exit(),
            Self::Cert(_) => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Api(error) => error.hint(),
            Self::Cert(error) => Some(error.hint().to_owned()),
        }
    }

    fn retry_after(&self) -> Option<TimeDelta> {
        match self {
            Self::Api(error) => error.retry_after(),
            Self::Cert(_) => None,
        }
    }

    fn is_throttled(&self) -> bool {
        matches!(self, Self::Api(error) if error.is_throttled())
    }

    fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Api(error) if error.is_unauthorized())
    }

    fn holds_for(&self) -> TimeDelta {
        match self {
            Self::Api(error) => error.holds_for(),
            Self::Cert(_) => UNUSABLE_FOR,
        }
    }
}

impl CceError {
    /// Nobody knows whether CCE has done what it was asked for.
    pub(crate) fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::Api(error) => error.is_outcome_unknown(),
            Self::Cert(_) => true,
        }
    }

    /// The answer that says no, if it was one.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Api(ApiError::Refused(refusal)) => Some(refusal),
            _ => None,
        }
    }
}

/// CCE in one project.
pub(crate) struct CceClient<'a> {
    /// Signs and sends.
    pub(crate) api: &'a Api<'a>,
    /// Where CCE answers.
    pub(crate) endpoint: &'a Endpoint,
    /// Whose clusters.
    pub(crate) project: &'a ProjectId,
    /// Autopilot clusters have a path of their own.
    pub(crate) is_autopilot: bool,
}

impl CceClient<'_> {
    /// All clusters of the project (`GET …/clusters`; there is no paging).
    pub(crate) fn clusters(&self) -> Result<Vec<Cluster>, CceError> {
        let answer = self
            .api
            .call(&self.call("GET", "/clusters", None, "cce:cluster:list"))?;
        let items = answer.json.get("items").and_then(Value::as_array);
        let items = items.ok_or_else(|| ApiError::Incomplete {
            service: "CCE",
            what: "a list of clusters".to_owned(),
        })?;
        Ok(items.iter().filter_map(Cluster::from_json).collect())
    }

    /// The project's Autopilot clusters, which are listed at a path of their own. None where the cloud has no such path, or does not let
    /// this identity use it.
    pub(crate) fn autopilot_clusters(&self) -> Result<Vec<Cluster>, CceError> {
        let autopilot = CceClient {
            is_autopilot: true,
            ..*self
        };
        match autopilot.clusters() {
            // The category there is that of the network.
            Ok(clusters) => Ok(clusters.into_iter().map(Cluster::into_autopilot).collect()),
            Err(CceError::Api(ApiError::Refused(refusal))) if matches!(refusal.status, 400..=428) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// One cluster (`GET …/clusters/{id}`).
    pub(crate) fn cluster(&self, id: &ClusterId) -> Result<Cluster, CceError> {
        let answer = self
            .api
            .call(&self.call("GET", &format!("/clusters/{id}"), None, "cce:cluster:get"))?;
        let cluster = Cluster::from_json(&answer.json);
        Ok(cluster.ok_or_else(|| ApiError::Incomplete {
            service: "CCE",
            what: "the cluster's name and id".to_owned(),
        })?)
    }

    /// A new client certificate (`POST …/clustercert`, api-cce `cce_02_0248`).
    ///
    /// Sends `expire_at` and `duration` together: where `expire_at` is known it wins, elsewhere it is ignored, and where
    /// unknown fields are refused (400) `duration` alone is sent next. An endpoint that showed to know `duration` only is sent nothing
    /// else for a day. What was granted is only in the certificate.
    pub(crate) fn create_cluster_cert(&self, id: &ClusterId, lifetime: CertLifetime) -> Result<ClusterCert, CceError> {
        let path = format!("/clusters/{id}/clustercert");
        let ask = |body: &dyn Fn(DateTime<Utc>) -> Value| {
            let permission = "cce:cluster:generateClientCredential";
            self.api.call(&self.call("POST", &path, Some(Body(body)), permission))
        };
        let is_bad_request =
            |answer: &Result<Answer, ApiError>| matches!(answer, Err(ApiError::Refused(r)) if r.status == 400);
        let days = |_| json!({ "duration": lifetime.whole_days() });
        let mut traits = self.api.traits(self.endpoint);
        let span = lifetime.span().filter(|_| !*traits.days_only(self.is_autopilot));
        let Some(span) = span else {
            let answer = ask(&days)?;
            return Ok(ClusterCert::from_json(&answer.json, answer.server_time, answer.skew)?);
        };
        let sent_span = span.max(SHORTEST_LIFETIME + EXPIRE_AT_MARGIN);
        let days_and_end =
            |server_now| json!({ "duration": lifetime.whole_days(), "expire_at": go_time(server_now + sent_span) });
        let mut answer = ask(&days_and_end);
        if is_bad_request(&answer) && self.api.traits(self.endpoint).skew != traits.skew {
            answer = ask(&days_and_end); // our clock was wrong, and this answer told by how much
        }
        let is_refused = is_bad_request(&answer);
        if is_refused {
            answer = ask(&days);
        }
        let answer = answer?;
        let cert = ClusterCert::from_json(&answer.json, answer.server_time, answer.skew)?;
        if is_refused || cert.lives_whole_days(lifetime, sent_span) {
            self.api
                .learn(self.endpoint, |traits| *traits.days_only(self.is_autopilot) = true);
        }
        Ok(cert)
    }

    fn call<'c>(
        &'c self,
        method: &'static str,
        path: &str,
        body: Option<Body<'c>>,
        permission: &'static str,
    ) -> Call<'c> {
        let prefix = if self.is_autopilot { "/autopilot/v3" } else { "/api/v3" };
        Call {
            service: "CCE",
            endpoint: self.endpoint,
            method,
            path: format!("{prefix}/projects/{}{path}", self.project),
            query: Vec::new(),
            body,
            project: Some(self.project),
            identity_provider: None,
            permission,
            is_repeatable: true,
        }
    }
}

/// The time format of `expire_at`: Go's `time.String()`, always UTC.
fn go_time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S +0000 UTC").to_string()
}
