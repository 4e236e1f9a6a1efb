//! What was requested, in the order of arrival.

use serde::Serialize;

/// A request to the cloud, or to what an ECS, a pod or a CI job finds next to it.
#[derive(Clone, Debug, Serialize)]
pub struct Recorded {
    /// `iam`, `cce`, `sts`, `identity_center_oidc`, `identity_center_portal`, `provider`, `metadata`, `pod_identity` or `actions`.
    pub service: String,
    /// What was asked for; `unknown` if there is no such API.
    ///
    /// - `iam`: `tokens`, `show_token`, `revoke_token`, `id_token_tokens`, `federation_auth`, `securitytokens`, `projects`, `auth_projects`,
    ///   `auth_domains`, `user`, `users`, `credential`, `agency`, `agencies`
    /// - `cce`: `clusters`, `cluster`, `clustercert`, `clustercertrevoke`, `rotatecredentials`, `job`
    /// - `sts`: `assume_with_oidc`, `caller_identity`
    /// - `identity_center_oidc`: `register_client`, `start_device_authorization`, `create_token`
    /// - `identity_center_portal`: `assigned_accounts`, `assigned_agencies`, `agency_credentials`, `portal_logout`
    /// - `provider`: `oidc_discovery`, `oidc_keys`, `oidc_authorize`, `oidc_token`, `oidc_device`, `oidc_revoke`
    /// - `metadata`: `metadata_token`, `securitykey`, `meta_data`
    /// - `pod_identity`: `pod_credentials`
    /// - `actions`: `actions_id_token`
    pub operation: String,
    /// The HTTP method.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The query as sent, without `?`.
    pub query: String,
    /// The status of the answer; 0 while or if there is none.
    pub status: u16,
    /// The access key's id in `Authorization`, verified or not.
    pub access_key_id: Option<String>,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
    /// Milliseconds since 1970 at arrival, by the machine's clock.
    pub at_ms: i64,
}

impl Recorded {
    /// The first header of this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut matching = self.headers.iter().filter(|(header, _)| header == name);
        matching.next().map(|(_, value)| value.as_str())
    }
}

/// A request to a cluster's API server.
#[derive(Clone, Debug, Serialize)]
pub struct ApiRecorded {
    /// The HTTP method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The authenticated user; empty if authentication failed.
    pub user: String,
    /// The status of the answer; 0 if there is none.
    pub status: u16,
    /// The client certificate's serial number in hex, if one was shown.
    pub certificate_serial: Option<String>,
    /// Milliseconds since 1970 at arrival, by the machine's clock.
    pub at_ms: i64,
}

/// Numbered records: a number stays valid when earlier records are cleared.
#[derive(Debug)]
pub(crate) struct Records<T> {
    first: usize,
    records: Vec<T>,
}

impl<T> Default for Records<T> {
    fn default() -> Self {
        Self {
            first: 0,
            records: Vec::new(),
        }
    }
}

impl<T: Clone> Records<T> {
    pub(crate) fn add(&mut self, record: T) -> usize {
        self.records.push(record);
        self.first + self.records.len() - 1
    }

    pub(crate) fn update(&mut self, number: usize, change: impl FnOnce(&mut T)) {
        let index = number.checked_sub(self.first);
        if let Some(record) = index.and_then(|index| self.records.get_mut(index)) {
            change(record);
        }
    }

    pub(crate) fn all(&self) -> Vec<T> {
        self.records.clone()
    }

    pub(crate) fn clear(&mut self) {
        self.first += self.records.len();
        self.records.clear();
    }
}
