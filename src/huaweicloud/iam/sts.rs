//! STS of the newer IAM: an agency in exchange for an id token, and who a signature belongs to.

use crate::huaweicloud::api::{Api, ApiError, Body, Call};
use crate::huaweicloud::iam::IamError;
use crate::huaweicloud::iam::token_answer::TemporaryAccessKey;
use crate::ids::Endpoint;
use crate::secret::{Secret, SecretJson};
use serde_json::{Value, json};

/// STS at one endpoint.
pub(crate) struct StsClient<'a> {
    pub(crate) api: &'a Api<'a>,
    /// Where STS answers.
    pub(crate) endpoint: &'a Endpoint,
}

/// Which agency, by which identity provider, under which name (`HUAWEICLOUD_OIDC_*`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AssumeWithOidc {
    /// `iam::ACCOUNT:oidcProvider:NAME`.
    pub(crate) provider_urn: String,
    /// `iam::ACCOUNT:agency:NAME`.
    pub(crate) agency_urn: String,
    /// Who it is, in the cloud's audit trail.
    pub(crate) session_name: String,
    /// How long the key shall live, in seconds.
    pub(crate) seconds: u32,
    /// Narrows what the key may do.
    pub(crate) policy: Option<String>,
    /// The same by ids.
    pub(crate) policy_ids: Vec<String>,
}

/// Whom a signature belongs to.
#[derive(Debug, Clone)]
pub(crate) struct CallerIdentity {
    /// The user's id; `ID:SESSION` of an agency.
    pub(crate) principal_id: Option<String>,
    /// `iam::ACCOUNT:user:NAME`, `sts::ACCOUNT:assumed-agency:NAME/SESSION`, …
    pub(crate) urn: String,
}

impl CallerIdentity {
    /// Somebody who has become an agency.
    pub(crate) fn is_assumed_agency(&self) -> bool {
        self.urn.contains(":assumed-agency:")
    }
}

impl StsClient<'_> {
    /// A temporary access key of an agency, in exchange for an id token (`POST /v5/agencies/assume-with-oidc`).
    pub(crate) fn assume_with_oidc(
        &self,
        wanted: &AssumeWithOidc,
        id_token: &Secret<String>,
    ) -> Result<TemporaryAccessKey, IamError> {
        let policy = wanted.policy.as_ref().map(|policy| ("policy", json!(policy)));
        let policy_ids = (!wanted.policy_ids.is_empty()).then(|| ("policy_ids", json!(wanted.policy_ids)));
        let body: Value = [
            ("provider_urn", json!(wanted.provider_urn)),
            ("agency_urn", json!(wanted.agency_urn)),
            ("agency_session_name", json!(wanted.session_name)),
            // Into the body that proves who we are, to the cloud's own STS.
            ("id_token", json!(id_token.expose())),
            ("duration_seconds", json!(wanted.seconds)),
        ]
        .into_iter()
        .chain(policy)
        .chain(policy_ids)
        .collect();
        let body = SecretJson::new(body);
        let answer = self.api.call(&Call {
            body: Some(Body(&|_| Value::clone(&body))),
            ..self.call("POST", "/v5/agencies/assume-with-oidc", "sts:agencies:assumeWithOIDC")
        })?;
        let key = TemporaryAccessKey::from_json(&answer.json);
        Ok(key.ok_or_else(|| incomplete("a whole temporary access key"))?)
    }

    /// Who signs (`GET /v5/caller-identity`).
    pub(crate) fn caller_identity(&self) -> Result<CallerIdentity, IamError> {
        let answer = self
            .api
            .call(&self.call("GET", "/v5/caller-identity", "sts::getCallerIdentity"))?;
        let text = |name| answer.json.get(name).and_then(Value::as_str).map(str::to_owned);
        let caller = || {
            Some(CallerIdentity {
                principal_id: text("principal_id"),
                urn: text("principal_urn")?,
            })
        };
        Ok(caller().ok_or_else(|| incomplete("a principal"))?)
    }

    fn call(&self, method: &'static str, path: &str, permission: &'static str) -> Call<'_> {
        Call {
            service: "STS",
            endpoint: self.endpoint,
            method,
            path: path.to_owned(),
            query: Vec::new(),
            body: None,
            project: None,
            identity_provider: None,
            permission,
            is_repeatable: true,
        }
    }
}

fn incomplete(what: &str) -> ApiError {
    ApiError::Incomplete {
        service: "STS",
        what: what.to_owned(),
    }
}
