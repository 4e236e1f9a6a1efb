//! The kubectl on PATH: which exec version it speaks, and whether it can use a kubeconfig.

pub(crate) mod asked;
pub(crate) mod completer;
pub(crate) mod rules;
mod schema;

use crate::exec_credential::ApiVersion;
use crate::host::{Host, captured, programs};
use crate::sanitize::sanitize;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// The first minor version of kubectl 1.x that speaks `v1`.
const FIRST_MINOR_WITH_V1: u32 = 22;
/// The longest that `kubectl version` may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A kubectl.
pub(crate) struct Kubectl {
    /// Its file.
    pub(crate) path: PathBuf,
    /// `v1.35.0`, as it says itself; empty if it does not say.
    pub(crate) version: String,
    minor: Option<u32>,
}

impl Kubectl {
    /// The one on PATH.
    pub(crate) fn find(host: &Host) -> Option<Self> {
        let path = programs::find(host, "kubectl").next()?;
        let said = version_of(path.clone()).unwrap_or_default();
        let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
        let minor = text("minor").trim_end_matches(|c: char| !c.is_ascii_digit());
        Some(Self {
            path,
            minor: minor.parse().ok(),
            version: sanitize(text("gitVersion")),
        })
    }

    /// `v1beta1` for one that is older than 1.22, else `v1`.
    pub(crate) fn exec_api_version(&self) -> ApiVersion {
        if self.minor.is_some_and(|minor| minor < FIRST_MINOR_WITH_V1) {
            ApiVersion::V1Beta1
        } else {
            ApiVersion::V1
        }
    }
}

/// What kubectl says of its own version.
fn version_of(kubectl: PathBuf) -> Option<Value> {
    let stdout = captured::stdout_of(kubectl, &["version", "--client", "--output=json"], PATIENCE)?;
    // What kubectl says of itself is no secret.
    let mut version: Value = serde_json::from_slice(stdout.expose()).ok()?;
    version.get_mut("clientVersion").map(Value::take)
}
