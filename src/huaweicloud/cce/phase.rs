//! Whether a cluster is in a phase in which it can be worked with.

use crate::error::{Exit, Explain, Result};
use crate::huaweicloud::cce::cluster::Cluster;
use crate::sanitize::sanitize;

/// The cluster cannot answer in its phase.
#[derive(Debug, thiserror::Error)]
#[error("cluster `{name}` is in phase `{phase}`{reason}")]
struct NotReady {
    name: String,
    phase: String,
    reason: String,
    cure: &'static str,
    is_passing: bool,
}

impl Explain for NotReady {
    fn exit(&self) -> Exit {
        if self.is_passing { Exit::Temporary } else { Exit::Failed }
    }

    fn hint(&self) -> Option<String> {
        Some(self.cure.to_owned())
    }
}

/// An error, with its cure, if its API server cannot be expected to answer.
pub(crate) fn check(cluster: &Cluster) -> Result<()> {
    let Some(cure) = cluster.unreachable_because() else {
        return Ok(());
    };
    let reason = if cluster.reason.is_empty() {
        String::new()
    } else {
        format!(" ({})", sanitize(&cluster.reason))
    };
    Err(NotReady {
        name: sanitize(&cluster.name),
        phase: sanitize(&cluster.phase),
        reason,
        cure,
        is_passing: matches!(cluster.phase.as_str(), "Creating" | "Awaking"),
    }
    .into())
}
