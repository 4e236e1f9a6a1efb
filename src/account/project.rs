//! From a project's name to its id, and back: IAM says, and a region's main project is remembered.

use crate::error::Result;
use crate::huaweicloud::api::Api;
use crate::huaweicloud::iam::{IamClient, Project};
use crate::huaweicloud::observed;
use crate::identity::Identity;
use crate::ids::{Endpoint, ProjectId, Region};
use crate::plan::{CloudSettings, ProjectChoice};
use crate::session::Session;
use crate::sign_in::SignIn;
use crate::sign_in::explain::explain;
use crate::store::CacheMode;

/// The project that a person means.
pub(crate) fn find(api: &Api<'_>, endpoint: &Endpoint, identity: &Identity, choice: &ProjectChoice) -> Result<Project> {
    let iam = IamClient { api, endpoint };
    let found = match choice {
        ProjectChoice::Name(name) => iam.project_by_name(name),
        ProjectChoice::Id(id) => iam.project_by_id(id),
    };
    found.map_err(|e| explain(e, identity))
}

/// The id of a region's main project. It never changes, so the answer is remembered in the state directory.
pub(crate) fn main_project_id(
    session: &Session<'_>,
    cloud: &CloudSettings,
    region: &Region,
    identity: &Identity,
    cache: CacheMode,
) -> Result<ProjectId> {
    let endpoint = cloud.iam(region);
    let (directories, fingerprint) = (&session.directories, identity.fingerprint());
    if let Some(id) = observed::main_project(directories, &endpoint, fingerprint, region) {
        return Ok(id);
    }
    let http = session.cloud_http(cloud)?;
    let project = SignIn::new(identity, cloud, region, cache).with_credentials(session, |credentials| {
        let api = session.api(&http, credentials, session.deadline);
        find(&api, &endpoint, identity, &ProjectChoice::Name(region.to_string()))
    })?;
    observed::is_main_project(directories, &endpoint, fingerprint, region, &project.id);
    Ok(project.id)
}
