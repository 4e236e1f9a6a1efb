//! Rotating a cluster's own certificates: a job (`POST …/rotatecredentials`, api-cce `RotateClusterCredentials`; `GET …/jobs/{id}`).

use crate::huaweicloud::api::{ApiError, Body, Call};
use crate::huaweicloud::cce::job::Job;
use crate::huaweicloud::cce::{CceClient, CceError};
use crate::ids::{ClusterId, JobId};
use crate::secret::Secret;
use crate::words::Word;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

/// The parts that can be rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Component {
    /// The cluster's certificates and authorities.
    All,
    /// The key that signs service account tokens.
    ServiceAccountController,
    /// The user's own certificates.
    Custom,
}

impl Word for Component {
    const ALL: &'static [Self] = &[Self::All, Self::ServiceAccountController, Self::Custom];

    fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::ServiceAccountController => "service-account-controller",
            Self::Custom => "custom",
        }
    }
}

/// What is rotated.
#[derive(Debug)]
pub(crate) enum Rotation {
    /// The cluster's certificates and authorities.
    All,
    /// The key that signs service account tokens.
    ServiceAccountController {
        /// How long tokens of the old key stay good, in hours.
        old_valid_hours: u16,
    },
    /// The user's own certificates, of a cluster in `authenticating_proxy` mode.
    Custom(CustomCertificates),
}

/// The user's own certificates, each as PEM.
#[derive(Debug)]
pub(crate) struct CustomCertificates {
    /// The authorities.
    pub(crate) ca: String,
    /// The client certificate that they signed, the leaf first.
    pub(crate) certificate: String,
    /// Its key, not encrypted.
    pub(crate) key: Secret<String>,
}

impl Rotation {
    fn body(&self) -> Value {
        match self {
            Self::All => json!({ "component": Component::All.as_str() }),
            Self::ServiceAccountController { old_valid_hours } => json!({
                "component": Component::ServiceAccountController.as_str(), "certificateExpirationTime": old_valid_hours,
            }),
            Self::Custom(own) => json!({
                "component": Component::Custom.as_str(),
                "certContent": {
                    "ca": BASE64.encode(&own.ca),
                    "cert": BASE64.encode(&own.certificate),
                    // Into the body, over TLS, to the cloud that runs the cluster.
                    "privateKey": BASE64.encode(own.key.expose()),
                },
            }),
        }
    }
}

impl CceClient<'_> {
    /// Starts a rotation; returns its job. Never asked twice: two rotations are not one.
    pub(crate) fn rotate_credentials(&self, id: &ClusterId, rotation: &Rotation) -> Result<JobId, CceError> {
        let path = format!("/clusters/{id}/rotatecredentials");
        let body = |_| rotation.body();
        let permission = "cce:cluster:rotateCredentials";
        let answer = self.api.call(&Call {
            is_repeatable: false,
            ..self.call("POST", &path, Some(Body(&body)), permission)
        })?;
        let id = Job::id_of_started(&answer.json).and_then(|id| JobId::parse(&id).ok());
        Ok(id.ok_or_else(|| incomplete("the job's id"))?)
    }

    /// How a job stands.
    pub(crate) fn job(&self, id: &JobId) -> Result<Job, CceError> {
        let call = self.call("GET", &format!("/jobs/{id}"), None, "cce:job:get");
        let job = Job::from_json(&self.api.call(&call)?.json);
        Ok(job.ok_or_else(|| incomplete("the job's phase"))?)
    }
}

fn incomplete(what: &str) -> ApiError {
    ApiError::Incomplete {
        service: "CCE",
        what: what.to_owned(),
    }
}
