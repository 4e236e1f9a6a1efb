//! A pod's own identity as a source: the node's pod identity service gives its agency's access key for the service account's token.

use crate::config::Profile;
use crate::env_vars as names;
use crate::host::Env;
use crate::identity::found::{AuthMethod, FoundIdentity};
use crate::identity::id_token::IdTokenSource;
use crate::identity::reading::malformed_source;
use crate::identity::{IdentityError, local};
use std::path::PathBuf;

const SOURCE: &str = "pod";

/// Reads the variables that CCE sets in a pod; `None` where it has not.
pub(crate) fn find(env: &Env) -> Result<Option<FoundIdentity>, IdentityError> {
    let Some(url) = env.var(names::POD_CREDENTIALS_URI) else {
        return Ok(None);
    };
    if !local::is_reachable_safely(&url) {
        let shown = crate::sanitize::sanitize(&url);
        let problem = format!("`{}`: `{shown}` is not encrypted", names::POD_CREDENTIALS_URI);
        return Err(malformed_source(
            SOURCE,
            problem,
            "use https, or an address of this machine or of its link",
        ));
    }
    let Some(token_file) = env.var_os(names::POD_TOKEN_FILE).map(PathBuf::from) else {
        let problem = format!(
            "`{}` is set, `{}` is not",
            names::POD_CREDENTIALS_URI,
            names::POD_TOKEN_FILE
        );
        return Err(malformed_source(
            SOURCE,
            problem,
            "let the pod have its identity from CCE's add-on again",
        ));
    };
    Ok(Some(FoundIdentity {
        name: None,
        fingerprint: IdTokenSource::File(token_file.clone()).fingerprint("pod", &[]),
        described: "the agency of this pod".to_owned(),
        cure: "the pod's service account must be associated with an agency, and the agency trust CCE".to_owned(),
        means: AuthMethod::Pod { url, token_file },
        agency: None,
        settings: Profile::default(),
    }))
}
