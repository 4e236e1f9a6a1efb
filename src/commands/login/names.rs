//! What the three entries of a cluster are called.

use crate::discovery::search::LocatedCluster;
use crate::identity::Identity;
use crate::plan::ServerChoice;

/// The cluster entry.
pub(super) fn cluster(located: &LocatedCluster) -> String {
    format!("{}.{}", located.cluster.name, located.location.project.name)
}

/// The user entry.
pub(super) fn user(identity: &Identity, located: &LocatedCluster) -> String {
    format!("{}@{}", identity.name(), cluster(located))
}

/// The entry of another endpoint of a cluster that has an entry already.
pub(super) fn second_cluster(located: &LocatedCluster, choice: &ServerChoice) -> String {
    let endpoint = match choice {
        ServerChoice::Auto => "other",
        ServerChoice::Internal => "internal",
        ServerChoice::External => "external",
        ServerChoice::Url(url) => url.host(),
    };
    format!("{}.{endpoint}", cluster(located))
}

/// An entry of this name is one that we make for the cluster.
pub(super) fn is_cluster(name: &str, located: &LocatedCluster) -> bool {
    let rest = name.strip_prefix(&cluster(located));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What `--context-name` means for this cluster.
pub(super) fn fill_in(template: &str, identity: &Identity, located: &LocatedCluster) -> String {
    template
        .replace("{cluster}", &located.cluster.name)
        .replace("{region}", located.location.region.as_str())
        .replace("{project}", &located.location.project.name)
        .replace("{profile}", identity.name())
}

/// The context where nothing says its name: the cluster's if it `is_free`; the user's name where the profile is not the default one, or the
/// cluster's name is taken by another cluster.
pub(super) fn context(identity: &Identity, located: &LocatedCluster, is_free: impl FnOnce(&str) -> bool) -> String {
    let is_default = identity.is_from_environment() || ["clouds", "default"].contains(&identity.name());
    if is_default && is_free(&located.cluster.name) {
        located.cluster.name.clone()
    } else {
        user(identity, located)
    }
}
