//! What the sources have in common when they read: files, ids and addresses, and how a malformed source is told.

use super::IdentityError;
use crate::host::{Env, Input, Inputs};
use crate::ids::{AccessKeyId, Endpoint};
use crate::sanitize::sanitize;
use crate::secret::{InvalidSecret, Secret, SecretShape};
use std::path::{Path, PathBuf};

/// A file that somebody puts a token into, and keeps fresh.
#[derive(Debug, Clone)]
pub(crate) struct TokenFile {
    path: PathBuf,
    inputs: Inputs,
}

impl TokenFile {
    /// A file among the inputs of this run.
    pub(crate) fn of(path: impl Into<PathBuf>, env: &Env) -> Self {
        Self {
            path: path.into(),
            inputs: env.inputs().clone(),
        }
    }

    /// Its name.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it now.
    pub(crate) fn read(&self) -> std::io::Result<Secret<String>> {
        self.inputs.read_text(&self.path, Input::Token)
    }
}

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
    let shown = sanitize(&path.to_string_lossy());
    let problem = format!("`{variable}` is `{shown}`, a relative path");
    let cure = format!("set `{variable}` to the whole path, or unset it");
    Err(malformed_source(source, problem, cure))
}

/// The text of a source's file; `None` where there is none.
pub(crate) fn read_file(source: &str, env: &Env, path: &Path) -> Result<Option<Secret<String>>, IdentityError> {
    match env.read_text(path, Input::Settings) {
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
    one_word(source, name, base)?;
    Endpoint::parse(base).map_err(|invalid| malformed_source(source, format!("`{name}`: {invalid}"), invalid.hint()))
}

/// A secret as a source gives it under `name`.
pub(crate) fn secret(
    source: &str,
    name: &str,
    shape: SecretShape,
    text: &Secret<String>,
) -> Result<Secret<String>, IdentityError> {
    // Only to be looked at: it stays a secret.
    shape
        .check(text.expose())
        .map_err(|invalid| malformed_secret(source, name, invalid))
}

/// A secret in a variable; `None` where it is unset or blank.
pub(crate) fn secret_variable(
    source: &str,
    env: &Env,
    name: &str,
    shape: SecretShape,
) -> Result<Option<Secret<String>>, IdentityError> {
    let value = env.var_os(name);
    let secret = value.map(|value| shape.check_bytes(value.as_encoded_bytes()));
    secret
        .transpose()
        .map_err(|invalid| malformed_secret(source, name, invalid))
}

fn malformed_secret(source: &str, name: &str, invalid: InvalidSecret) -> IdentityError {
    malformed_source(
        source,
        format!("`{name}` cannot be right: {invalid}"),
        format!("set `{name}` again, on one line and as it was issued"),
    )
}

/// A variable's text, trimmed. One that is no text is not unset.
pub(crate) fn variable(source: &str, env: &Env, name: &str) -> Result<Option<String>, IdentityError> {
    match env.var_os(name).map(std::ffi::OsString::into_string) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text.trim().to_owned())),
        Some(Err(_)) => Err(malformed_secret(source, name, InvalidSecret::NotText)),
    }
}

/// A name or a path as a source gives it under `name`. What goes over several lines is refused without being shown: it has swallowed the lines
/// after its own, and a secret may be among them.
pub(crate) fn one_line(source: &str, name: &str, text: &str) -> Result<(), IdentityError> {
    if text.contains(['\n', '\r']) {
        let problem = format!("`{name}` goes over several lines");
        let cure = format!("write `{name}` on one line, and look at the lines below it: one may belong to another key");
        return Err(malformed_source(source, problem, cure));
    }
    Ok(())
}

/// An id or an address: what has a blank in it or goes over several lines is refused without being shown, as by [`one_line`].
pub(crate) fn one_word(source: &str, name: &str, text: &str) -> Result<(), IdentityError> {
    let checked = SecretShape::Key.check(text);
    checked
        .map(drop)
        .map_err(|invalid| malformed_secret(source, name, invalid))
}

/// An access key id as a source gives it under `name`.
pub(crate) fn access_key_id(source: &str, name: &str, text: &str) -> Result<AccessKeyId, IdentityError> {
    one_word(source, name, text)?;
    AccessKeyId::parse(text).map_err(|invalid| malformed_source(source, format!("`{name}`: {invalid}"), invalid.hint()))
}
