//! From a name or an id to a cluster.

use crate::error::{Error, Exit, Explain, Result};
use crate::huaweicloud::cce::cluster::Cluster;
use crate::huaweicloud::cce::phase;
use crate::huaweicloud::iam::Project;
use crate::output;
use crate::sanitize::sanitize;

/// How alike two names must be for one to be proposed in place of the other (0 to 1).
const ALIKE: f64 = 0.7;

/// Why there is no cluster to set up.
#[derive(Debug, thiserror::Error)]
enum SelectError {
    #[error("there is no cluster `{wanted}` in project `{project}`")]
    Unknown {
        wanted: String,
        project: String,
        cure: String,
    },
    #[error("{count} clusters are called `{wanted}`")]
    Ambiguous { wanted: String, count: usize, ids: String },
    #[error("the cluster is missing")]
    NotGiven { cure: String },
    #[error("no cluster was found")]
    NoneAnywhere { cure: &'static str },
}

impl Explain for SelectError {
    fn exit(&self) -> Exit {
        match self {
            Self::Unknown { .. } | Self::Ambiguous { .. } | Self::NotGiven { .. } | Self::NoneAnywhere { .. } => {
                Exit::Usage
            }
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { cure, .. } | Self::NotGiven { cure } => cure.clone(),
            Self::NoneAnywhere { cure } => (*cure).to_owned(),
            Self::Ambiguous { ids, .. } => format!("give its id with `--cluster`: {ids}"),
        })
    }
}

/// A search over all regions and projects has found nothing.
pub(crate) fn nothing_found() -> Error {
    let cure = "`kubectl cce-login clusters` shows where it looks; choose with `--region`, `--project` or `--profile`";
    SelectError::NoneAnywhere { cure }.into()
}

/// The cluster with this id; else those with this name or alias.
pub(crate) fn called<'c>(clusters: &'c [Cluster], wanted: &str) -> Vec<&'c Cluster> {
    let by_id: Vec<_> = clusters.iter().filter(|c| c.id.as_str() == wanted).collect();
    if !by_id.is_empty() {
        return by_id;
    }
    let is_called = |c: &&Cluster| c.name == wanted || c.alias.as_deref() == Some(wanted);
    clusters.iter().filter(is_called).collect()
}

/// The cluster with this id, name or alias, if its API server can be expected to answer.
pub(crate) fn choose(clusters: &[Cluster], wanted: Option<&str>, project: &Project) -> Result<Cluster> {
    let names = || clusters.iter().map(|c| c.name.as_str()).collect::<Vec<_>>();
    let Some(wanted) = wanted else {
        let cure = if clusters.is_empty() {
            no_clusters(project)
        } else {
            format!("give it with `--cluster`: {}", output::names(&names()))
        };
        return Err(SelectError::NotGiven { cure }.into());
    };
    let cluster = match called(clusters, wanted).as_slice() {
        [cluster] => (*cluster).clone(),
        [] => {
            let cure = unknown_cure(wanted, &names(), project);
            return Err(SelectError::Unknown {
                wanted: sanitize(wanted),
                project: project.name.clone(),
                cure,
            }
            .into());
        }
        several => {
            let ids = output::names(&several.iter().map(|c| c.id.as_str()).collect::<Vec<_>>());
            return Err(SelectError::Ambiguous {
                wanted: sanitize(wanted),
                count: several.len(),
                ids,
            }
            .into());
        }
    };
    phase::check(&cluster)?;
    Ok(cluster)
}

fn unknown_cure(wanted: &str, names: &[&str], project: &Project) -> String {
    let likeness = |name: &str| strsim::jaro_winkler(wanted, name);
    let mut near: Vec<&str> = names.iter().copied().filter(|name| likeness(name) >= ALIKE).collect();
    near.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
    match (near.is_empty(), names.is_empty()) {
        (false, _) => format!("did you mean {}?", output::names(&near)),
        (true, false) => format!("project `{}` has {}", project.name, output::names(names)),
        (true, true) => no_clusters(project),
    }
}

fn no_clusters(project: &Project) -> String {
    let name = &project.name;
    format!("project `{name}` has no clusters: choose another one with `--project`, or another `--region`")
}
