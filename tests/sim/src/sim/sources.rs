//! Where identities come from besides IAM: what an ECS, a pod and a CI job find next to them.

use super::Sim;
use crate::{accounts::IdTokenSpec, actions, pod_identity, world::lock};

impl Sim {
    /// STS: `https://127.0.0.1:PORT`
    pub fn sts_endpoint(&self) -> String {
        format!("https://{}", self.sts)
    }

    /// The ECS' metadata service: `http://127.0.0.1:PORT`
    pub fn metadata_endpoint(&self) -> String {
        format!("http://{}", self.metadata)
    }

    /// The agency of the ECS; at first it has none.
    pub fn set_ecs_agency(&self, agency: Option<&str>) {
        let id = agency.map(|agency| self.agency_id(agency));
        lock(&self.world.ecs).agency_id = id;
    }

    /// The agency that pods get keys of; at first there is none.
    pub fn set_pod_agency(&self, agency: Option<&str>) {
        let id = agency.map(|agency| self.agency_id(agency));
        *lock(&self.world.pod_agency_id) = id;
    }

    /// `HC_CONTAINER_CREDENTIALS_FULL_URI`
    pub fn pod_credentials_uri(&self) -> String {
        format!("http://{}{}", self.pod_identity, pod_identity::PATH)
    }

    /// What is in `HC_CONTAINER_AUTHORIZATION_TOKEN_FILE`, for the service account `kubectl` in `default`.
    pub fn pod_authorization_token(&self) -> String {
        let spec = IdTokenSpec {
            issuer: pod_identity::ISSUER.to_owned(),
            subject: "system:serviceaccount:default:kubectl".to_owned(),
            audience: pod_identity::AUDIENCE.to_owned(),
            ..IdTokenSpec::default()
        };
        self.world.id_token(&spec)
    }

    /// `ACTIONS_ID_TOKEN_REQUEST_URL`; a query is there already, `&audience=` goes behind it.
    pub fn actions_request_url(&self) -> String {
        format!("http://{}{}?api-version=2.0", self.actions, actions::PATH)
    }

    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`
    pub fn actions_request_token(&self) -> String {
        self.world.actions_request_token.clone()
    }
}
