//! A question to CCE about one cluster, as somebody.

use crate::credential::request::CertificateRequest;
use crate::error::Result;
use crate::huaweicloud::cce::CceClient;
use crate::huaweicloud::cce::cluster::Cluster;
use crate::plan::ClusterRef;
use crate::session::Session;
use crate::sign_in::SignIn;
use crate::sign_in::explain::explain;
use std::time::Duration;

/// The longest that CCE may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The cluster, as CCE describes it now.
pub(crate) fn cluster(session: &Session<'_>, wanted: &CertificateRequest<'_>) -> Result<Cluster> {
    ask_cce(session, &wanted.sign_in(), wanted.target, |cce| {
        cce.cluster(&wanted.target.cluster_id)
            .map_err(|error| explain(error, wanted.identity))
    })
}

/// Signs in where that is needed, and lets `act` ask.
pub(crate) fn ask_cce<T>(
    session: &Session<'_>,
    wanted: &SignIn<'_>,
    target: &ClusterRef,
    act: impl Fn(&CceClient<'_>) -> Result<T>,
) -> Result<T> {
    let http = session.cloud_http(wanted.cloud)?;
    wanted.with_credentials(session, |credentials| {
        act(&CceClient {
            api: &session.api(&http, credentials, session.deadline.at_most(PATIENCE)),
            endpoint: &wanted.cloud.cce(&target.region),
            project: &target.project_id,
            is_autopilot: target.is_autopilot,
        })
    })
}
