//! A cluster as CCE describes it at the moment.

use super::explain::explain;
use super::obtain::Wanted;
use super::session::Session;
use super::sign_in;
use crate::cce::CceClient;
use crate::cce::cluster::Cluster;
use crate::error::Result;

/// The cluster that a certificate is wanted for.
pub(super) fn cluster(session: &Session<'_>, wanted: &Wanted<'_>) -> Result<Cluster> {
    let http = session.cloud_http(wanted.cloud)?;
    sign_in::with(session, &wanted.sign_in(), |credentials| {
        let cce = CceClient {
            api: &session.api(&http, credentials, session.deadline),
            endpoint: &wanted.cloud.cce(&wanted.target.region),
            project: &wanted.target.project_id,
            is_autopilot: wanted.target.is_autopilot,
        };
        cce.cluster(&wanted.target.cluster_id)
            .map_err(|e| explain(e, wanted.identity))
    })
}
