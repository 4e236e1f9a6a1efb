//! Registers: small values that many machines keep together, in an engine that they run anyway.
//!
//! A [`Register`] can do no more than what every such engine can: read a value with its version, put another one in its place if nobody was
//! faster, and remove it. Each answer brings the engine's clock, so that the machines' own clocks do not matter.

mod access;
mod answers;
mod error;
pub mod flight;
mod kubernetes;
pub(crate) mod pace;
mod seal;
pub(crate) mod value;
mod vault;

pub use access::{VaultAccess, VaultLogin};
pub use error::RegisterError;
pub use kubernetes::Kubernetes;
pub use seal::SealingKey;
pub use value::SharedFailure;
pub use vault::Vault;

use crate::host::Deadline;
use crate::secret::Secret;
use chrono::{DateTime, Utc};
use std::fmt;

/// One engine, as far as we need it.
pub trait Register {
    /// For messages: which engine, and where in it.
    fn describe(&self) -> String;

    /// The value under `name`. None is not an error.
    fn read(&self, name: &str, deadline: Deadline) -> Result<Reading, RegisterError>;

    /// Puts `value` in the place of what was read as `version`, unless somebody has been faster.
    fn swap(
        &self,
        name: &str,
        version: &Version,
        value: &Secret<Vec<u8>>,
        deadline: Deadline,
    ) -> Result<Swap, RegisterError>;

    /// Removes what was read as `version`, unless somebody has been faster.
    fn delete(&self, name: &str, version: &Version, deadline: Deadline) -> Result<Swap, RegisterError>;
}

/// What was read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What a swap has to name.
    pub version: Version,
    /// The value, if there is one.
    pub value: Option<Secret<Vec<u8>>>,
    /// The engine's clock, in whole seconds; `None` if it did not say.
    pub now: Option<DateTime<Utc>>,
}

/// The engine's own word for a state of a value; `None` for one that never was.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Version(pub Option<String>);

/// How a swap ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swap {
    /// It is done, and this is the version now.
    Done(Version),
    /// Somebody has been faster.
    Lost,
}

/// Which register is shared, as `--shared-cache` says it: what, never where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum SharedCache {
    /// None: each machine for itself.
    #[default]
    None,
    /// A path below a mount of Vault's or OpenBao's key-value engine, version 2.
    Vault {
        /// The mount.
        mount: String,
        /// The path below it.
        path: String,
    },
    /// Secrets of the cluster in which this pod runs.
    Kubernetes {
        /// The namespace; the pod's own if it is not named.
        namespace: Option<String>,
    },
}

impl SharedCache {
    /// What can be given, for messages.
    pub(crate) const FORMS: &'static str = "none, vault:MOUNT/PATH or kubernetes[:NS]";

    /// Reads a setting.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "none" => Some(Self::None),
            None if text == "kubernetes" => Some(Self::Kubernetes { namespace: None }),
            Some(("kubernetes", namespace)) if is_label(namespace) => Some(Self::Kubernetes {
                namespace: Some(namespace.to_owned()),
            }),
            Some(("vault", place)) => {
                let (mount, path) = place.split_once('/')?;
                let is_plain = std::iter::once(mount).chain(path.split('/')).all(is_segment);
                is_plain.then(|| Self::Vault {
                    mount: mount.to_owned(),
                    path: path.to_owned(),
                })
            }
            _ => None,
        }
    }

    /// There is one.
    pub(crate) fn is_some(&self) -> bool {
        *self != Self::None
    }
}

impl fmt::Display for SharedCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Vault { mount, path } => write!(f, "vault:{mount}/{path}"),
            Self::Kubernetes { namespace: None } => f.write_str("kubernetes"),
            Self::Kubernetes {
                namespace: Some(namespace),
            } => write!(f, "kubernetes:{namespace}"),
        }
    }
}

/// A part of a path that needs no escaping and leads nowhere else.
fn is_segment(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !text.is_empty() && text.len() <= 128 && !text.starts_with(['.', '-']) && text.chars().all(is_plain)
}

/// A namespace's name (RFC 1123).
fn is_label(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.len() <= 63 && !text.starts_with('-') && !text.ends_with('-') && text.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_says_what_and_never_where() {
        for text in [
            "none",
            "vault:kv/cce",
            "vault:kv/team-a/cce_login",
            "kubernetes",
            "kubernetes:ci",
        ] {
            assert_eq!(SharedCache::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "vault",
            "vault:",
            "vault:kv",
            "vault:kv/",
            "vault:/cce",
            "vault:kv//cce",
            "vault:kv/../sys",
            "vault:https://evil/kv",
            "vault:kv/a b",
            "vault:kv/a?x=1",
            "vault:kv/%2e%2e",
            "kubernetes:",
            "kubernetes:CI",
            "kubernetes:a/b",
            "kubernetes:-a",
            "redis:x",
        ] {
            assert_eq!(SharedCache::parse(text), None, "{text}");
        }
    }
}
