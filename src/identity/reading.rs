//! What the sources have in common when they read: files, ids and addresses, and how a malformed source is told.

use super::IdentityError;
use crate::host::{Deadline, Env, Input, read_bounded, text_of};
use crate::ids::{AccessKeyId, Endpoint};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a pipe in place of a file is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// `source` is configured, but not so that it can be used.
pub(crate) fn malformed_source(
    source: impl Into<String>,
    problem: impl Into<String>,
    cure: impl Into<String>,
) -> IdentityError {
    IdentityError::Broken {
        source_name: source.into(),
        problem: problem.into(),
        cure: cure.into(),
    }
}

/// The file that a variable names. A relative path would be another file in every directory that kubectl runs in.
pub(crate) fn named_file(source: &str, env: &Env, variable: &str) -> Result<Option<PathBuf>, IdentityError> {
    let Some(path) = env.var_os(variable).map(PathBuf::from) else {
        return Ok(None);
    };
    if path.is_absolute() {
        return Ok(Some(path));
    }
    let shown = crate::sanitize::sanitize(&path.to_string_lossy());
    let problem = format!("`{variable}` is `{shown}`, a relative path");
    let cure = format!("set `{variable}` to the whole path, or unset it");
    Err(malformed_source(source, problem, cure))
}

/// The text of a source's file; `None` where there is none.
pub(crate) fn read_file(source: &str, path: &Path) -> Result<Option<String>, IdentityError> {
    match read_bounded(path, Input::Settings, Deadline::after(PATIENCE)).and_then(text_of) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let problem = format!("cannot read `{}`: {error}", path.display());
            Err(malformed_source(
                source,
                problem,
                "check who owns the file and its directory",
            ))
        }
    }
}

/// IAM's base URL out of an `auth_url`, which ends in the version as a rule.
pub(crate) fn auth_url(source: &str, name: &str, url: &str) -> Result<Endpoint, IdentityError> {
    let base = url.trim_end_matches('/');
    let base = base.strip_suffix("/v3").unwrap_or(base);
    Endpoint::parse(base).map_err(|invalid| malformed_source(source, format!("`{name}`: {invalid}"), invalid.hint()))
}

/// An access key id as a source gives it under `name`.
pub(crate) fn access_key_id(source: &str, name: &str, text: &str) -> Result<AccessKeyId, IdentityError> {
    AccessKeyId::parse(text).map_err(|invalid| malformed_source(source, format!("`{name}`: {invalid}"), invalid.hint()))
}
