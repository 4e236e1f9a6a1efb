//! From a name or an id to one cluster: the same choice, and the same words where there is none, for every command.

use crate::discovery::search::{LocatedCluster, Location, matching};
use crate::error::{Exit, Explain};
use crate::huaweicloud::iam::Project;
use crate::output;
use crate::sanitize::sanitize;
use crate::words::names::did_you_mean;

/// Why a name means no cluster.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SelectError {
    #[error("there is no cluster `{wanted}` {among}")]
    Unknown {
        wanted: String,
        among: String,
        hint: String,
    },
    #[error("{count} clusters are called `{wanted}`")]
    Ambiguous {
        wanted: String,
        count: usize,
        names: String,
    },
    #[error("the cluster is missing")]
    NotGiven { hint: String },
    #[error("no cluster was found")]
    NoneAnywhere,
    #[error("this identity can list no cluster")]
    NoneListed,
}

impl Explain for SelectError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { hint, .. } | Self::NotGiven { hint } => hint.clone(),
            Self::Ambiguous { names, .. } => format!("say which with `--cluster`: {names}"),
            Self::NoneAnywhere => {
                "`kubectl cce-login clusters` shows where it looks; choose with `--region`, `--project` or `--profile`"
                    .to_owned()
            }
            Self::NoneListed => elsewhere(),
        })
    }
}

/// What a name is looked for in.
#[derive(Clone, Copy)]
pub(crate) enum Among<'a> {
    /// The clusters of this project.
    Project(&'a Project),
    /// Everything that the identity can list.
    Everything,
}

impl Among<'_> {
    fn in_words(self) -> String {
        match self {
            Self::Project(project) => format!("in project `{}`", project.name),
            Self::Everything => "among those that this identity can list".to_owned(),
        }
    }

    /// What to do where no name is near the one that was typed.
    fn hint(self, names: &[&str]) -> String {
        match self {
            Self::Project(project) if names.is_empty() => no_clusters(project),
            Self::Project(project) => format!("project `{}` has {}", project.name, output::names(names)),
            Self::Everything => elsewhere(),
        }
    }
}

/// The one cluster with this id, name or alias.
pub(crate) fn one<'c>(
    clusters: &'c [LocatedCluster],
    wanted: &str,
    among: Among<'_>,
) -> Result<&'c LocatedCluster, SelectError> {
    match matching(clusters, wanted).as_slice() {
        [one] => Ok(one),
        [] => Err(unknown(clusters, wanted, among)),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|found| own_name(found, clusters, |_| true))
                .collect();
            Err(SelectError::Ambiguous {
                wanted: sanitize(wanted),
                count: several.len(),
                names: output::names(&names.iter().map(String::as_str).collect::<Vec<_>>()),
            })
        }
    }
}

/// What `--cluster` takes for this one of the clusters alone: its name, else its name with its project, else its id. The name alone does not
/// do where a login looks elsewhere.
pub(crate) fn own_name(
    located: &LocatedCluster,
    among: &[LocatedCluster],
    is_where_login_looks: impl Fn(&Location) -> bool,
) -> String {
    let is_alone = |name: &str| matching(among, name).len() == 1;
    let full = located.name_with_project();
    let cluster = &located.cluster;
    if is_alone(&cluster.name) && is_where_login_looks(&located.location) {
        cluster.name.clone()
    } else if is_alone(&full) {
        full
    } else {
        cluster.id.to_string()
    }
}

/// Nobody said which of this project's clusters.
pub(crate) fn not_given(clusters: &[LocatedCluster], project: &Project) -> SelectError {
    let hint = if clusters.is_empty() {
        no_clusters(project)
    } else {
        format!("give it with `--cluster`: {}", output::names(&names(clusters)))
    };
    SelectError::NotGiven { hint }
}

fn unknown(clusters: &[LocatedCluster], wanted: &str, among: Among<'_>) -> SelectError {
    let names = names(clusters);
    SelectError::Unknown {
        wanted: sanitize(wanted),
        among: among.in_words(),
        hint: did_you_mean(wanted, names.iter().copied()).unwrap_or_else(|| among.hint(&names)),
    }
}

fn names(clusters: &[LocatedCluster]) -> Vec<&str> {
    clusters.iter().map(|found| found.cluster.name.as_str()).collect()
}

fn no_clusters(project: &Project) -> String {
    let name = &project.name;
    format!("project `{name}` has no clusters: choose another one with `--project`, or another `--region`")
}

fn elsewhere() -> String {
    "`kubectl cce-login clusters` lists them; perhaps it is another `--region` or `--project`".to_owned()
}
