//! What the three entries of a cluster are called.

use crate::discovery::search::LocatedCluster;
use crate::identity::Identity;
use crate::plan::LoginPlan;

/// The cluster entry.
pub(super) fn cluster(located: &LocatedCluster) -> String {
    format!("{}.{}", located.cluster.name, located.location.project.name)
}

/// The user entry.
pub(super) fn user(identity: &Identity, located: &LocatedCluster) -> String {
    format!("{}@{}", identity.name(), cluster(located))
}

/// The context: by `--context-name`, else as it is called already, else the cluster's name if it `is_free`; the user's name where the
/// profile is not the default one, or the cluster's name is taken by another cluster.
pub(super) fn context(
    plan: &LoginPlan,
    identity: &Identity,
    located: &LocatedCluster,
    existing: Option<&str>,
    is_free: impl FnOnce(&str) -> bool,
) -> String {
    let name = &located.cluster.name;
    if let Some(template) = &plan.context_name {
        return template
            .replace("{cluster}", name)
            .replace("{region}", located.location.region.as_str())
            .replace("{project}", &located.location.project.name)
            .replace("{profile}", identity.name());
    }
    if let Some(existing) = existing {
        return existing.to_owned();
    }
    let is_default = identity.is_from_environment() || identity.name() == "default";
    if is_default && is_free(name) {
        name.clone()
    } else {
        user(identity, located)
    }
}
