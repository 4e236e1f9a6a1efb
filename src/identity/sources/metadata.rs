//! The agency of an ECS as an identity source, only where it is asked for: a shared bastion must not lend its own.

use crate::config::Profile;
use crate::env_vars::METADATA_ENDPOINT;
use crate::host::Env;
use crate::identity::fingerprint::Fingerprint;
use crate::identity::found::{AuthMethod, FoundIdentity};
use crate::identity::reading::malformed_source;
use crate::identity::{IdentityError, local};
use crate::sanitize::sanitize;

const SOURCE: &str = "metadata";
/// The link-local address of the service on every ECS.
const USUAL: &str = "http://169.254.169.254";

/// The ECS that we run on; nobody is asked yet.
pub(crate) fn find(env: &Env, settings: Profile) -> Result<FoundIdentity, IdentityError> {
    let url = env.var(METADATA_ENDPOINT).unwrap_or_else(|| USUAL.to_owned());
    if !local::is_reachable_safely(&url) {
        let shown = sanitize(&url);
        let problem = format!("`{METADATA_ENDPOINT}`: `{shown}` is not encrypted");
        return Err(malformed_source(
            SOURCE,
            problem,
            "use https, or an address of this machine or of its link",
        ));
    }
    Ok(FoundIdentity {
        name: None,
        means: AuthMethod::Metadata {
            url: url.trim_end_matches('/').to_owned(),
        },
        agency: None,
        settings,
        fingerprint: Fingerprint::of("ecs", []),
        described: "the agency of this ECS".to_owned(),
        cure: "the ECS must have an agency that may use CCE: set it in the ECS console".to_owned(),
    })
}
