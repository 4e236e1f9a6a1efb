//! The Identity Center: whom it lets become what, and the person in front of its portal.

use super::Sim;
use crate::{
    accounts::{AgencySpec, Trust},
    identity_center::{self, Assignment, START_URL},
    pki,
    world::lock,
};

impl Sim {
    /// Where clients register and poll: `https://127.0.0.1:PORT`
    pub fn identity_center_oidc_endpoint(&self) -> String {
        format!("https://{}", self.identity_center_oidc)
    }

    /// The portal's API: `https://127.0.0.1:PORT`
    pub fn identity_center_portal_endpoint(&self) -> String {
        format!("https://{}", self.identity_center_portal)
    }

    /// The portal's address as people have it.
    pub fn start_url(&self) -> String {
        START_URL.to_owned()
    }

    /// The person may use this permission set in this account from now on; returns the id of its agency.
    pub fn assign_permission_set(&self, account: &str, permission_set: &str) -> String {
        let hash = pki::random_id();
        let spec = AgencySpec {
            account: account.to_owned(),
            trust: Trust::Service("identity-center".to_owned()),
            groups: vec![permission_set.to_lowercase()],
            ..AgencySpec::named(&format!(
                "SysReservedV3_{permission_set}_{}",
                hash.get(..8).unwrap_or_default()
            ))
        };
        let agency_id = self.add_agency(&spec);
        lock(&self.world.center).assigned.push(Assignment {
            permission_set: permission_set.to_owned(),
            agency_id: agency_id.clone(),
        });
        agency_id
    }

    /// The URNs of the agencies that the person may take.
    pub fn assigned_urns(&self) -> Vec<String> {
        let center = lock(&self.world.center);
        let directory = lock(&self.world.directory);
        let agencies = center
            .assigned
            .iter()
            .filter_map(|assigned| directory.agency(&assigned.agency_id));
        let urn = |agency: &crate::directory::Agency| format!("iam::{}:agency:{}", agency.account_id, agency.name);
        agencies.map(urn).collect()
    }

    /// The tokens of the sessions that have not ended.
    pub fn portal_tokens(&self) -> Vec<String> {
        lock(&self.world.center).session_tokens()
    }

    /// Nothing is assigned to the person any more.
    pub fn unassign_all(&self) {
        lock(&self.world.center).assigned.clear();
    }

    /// The codes that wait for a person.
    pub fn waiting_user_codes(&self) -> Vec<String> {
        let center = lock(&self.world.center);
        let waiting = center.devices.iter().filter(|device| device.verdict.is_none());
        waiting.map(|device| device.user_code.clone()).collect()
    }

    /// The person approves or denies a code; false where there is none.
    pub fn decide_user_code(&self, user_code: &str, verdict: bool) -> bool {
        identity_center::decide(&self.world, user_code, verdict)
    }

    /// Every session of the portal has ended.
    pub fn end_portal_sessions(&self) {
        lock(&self.world.center).end_sessions();
    }

    /// The Identity Center knows none of its registered clients any more.
    pub fn forget_registered_clients(&self) {
        lock(&self.world.center).forget_clients();
    }
}
