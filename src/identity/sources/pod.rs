//! A pod's own identity as a source: the node's pod identity service gives its agency's access key for the service account's token.

use crate::config::Profile;
use crate::env_vars as names;
use crate::host::Env;
use crate::identity::found::{AuthMethod, FoundIdentity};
use crate::identity::id_token::IdTokenSource;
use crate::identity::reading::{TokenFile, malformed_source};
use crate::identity::{IdentityError, local};
use crate::sanitize::sanitize;
use std::path::{Path, PathBuf};

const SOURCE: &str = "pod";

/// Reads the variables that CCE sets in a pod; `None` where it has not.
pub(crate) fn find(env: &Env) -> Result<Option<FoundIdentity>, IdentityError> {
    let Some(url) = env.var(names::POD_CREDENTIALS_URI) else {
        return Ok(None);
    };
    if !local::is_near(&url) {
        let shown = sanitize(&url);
        let problem = format!("`{}`: `{shown}` is not next to this pod", names::POD_CREDENTIALS_URI);
        return Err(malformed_source(
            SOURCE,
            problem,
            "the pod identity service has an address of this machine or of its link, such as `http://169.254.…`",
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
    if !is_of_service(&token_file, env.token_directories()) {
        let problem = format!("`{}` names a file that no service has put there", names::POD_TOKEN_FILE);
        return Err(malformed_source(
            SOURCE,
            problem,
            "the pod's token lies below `/var/run/secrets`: let the pod have its identity from CCE's add-on again",
        ));
    }
    let token_file = TokenFile::of(token_file, env);
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

/// Whether a file lies, by its name and in fact, where the system's services put tokens: no other file is sent to anybody.
fn is_of_service(file: &Path, directories: &[PathBuf]) -> bool {
    let is_below = |file: &Path| directories.iter().any(|directory| file.starts_with(directory));
    let is_plain = file.components().all(|part| part != std::path::Component::ParentDir);
    let is_there_in_fact = || {
        let real = |path: &Path| path.canonicalize().ok();
        let directories: Vec<PathBuf> = directories.iter().filter_map(|directory| real(directory)).collect();
        // What is not there is told when it is read.
        real(file).is_none_or(|file| directories.iter().any(|directory| file.starts_with(directory)))
    };
    is_plain && is_below(file) && is_there_in_fact()
}
