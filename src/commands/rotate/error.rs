//! Why a rotation did not come about, or not to a good end.

use crate::error::{Exit, Explain};
use crate::ids::JobId;

/// Where to look when we cannot know.
const RECORDS: &str = "look at the cluster's operation records in the CCE console";

#[derive(Debug, thiserror::Error)]
pub(super) enum RotateError {
    #[error(
        "cluster `{name}` has no certificates of yours: its authentication mode is `{mode}`, not `authenticating_proxy`"
    )]
    NoOwnCertificates { name: String, mode: String },
    #[error(
        "this cloud does not offer to rotate a cluster's certificates by API ({0}): use the CCE console, where it offers that"
    )]
    NotOffered(String),
    #[error("the answer was lost, so nobody knows whether the rotation has begun ({0})")]
    Lost(String),
    #[error("job `{id}` failed: {reason}")]
    JobFailed { id: JobId, reason: String },
    #[error("CCE knows no job `{0}`")]
    UnknownJob(JobId),
    #[error("job `{0}` has vanished before it came to an end")]
    JobVanished(JobId),
    #[error("job `{id}` is another cluster's (`{cluster}`)")]
    OtherCluster { id: JobId, cluster: String },
    #[error("job `{id}` has not come to an end yet{trouble}")]
    NotYet { id: JobId, trouble: String, resume: String },
}

impl Explain for RotateError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoOwnCertificates { .. } | Self::OtherCluster { .. } => Exit::Usage,
            Self::Lost(_) | Self::NotYet { .. } => Exit::Temporary,
            _ => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoOwnCertificates { .. } => "`--component all` rotates the cluster's own certificates".to_owned(),
            Self::NotOffered(_) => return None,
            Self::Lost(_) => format!(
                "{RECORDS} before you run it again; when a rotation is through, `kubectl cce-login refresh` brings this machine up to date"
            ),
            Self::JobFailed { .. } => format!(
                "{RECORDS}; what was rotated stays so, and `kubectl cce-login refresh` brings this machine up to date with it"
            ),
            Self::UnknownJob(_) => format!("check id, cluster and region; jobs are not kept for long: {RECORDS}"),
            Self::JobVanished(_) => format!("{RECORDS}; `kubectl cce-login refresh` brings this machine up to date"),
            Self::OtherCluster { .. } => "name its cluster with `--context` or `--cluster`".to_owned(),
            Self::NotYet { resume, .. } => {
                format!("it goes on; wait for it with `{resume}`, perhaps with a longer `--timeout`")
            }
        })
    }
}
