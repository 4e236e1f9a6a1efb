//! Which clusters a command is about that acts on the cloud.

use crate::cli::ChoiceArgs;
use crate::plan::PlanError;
use crate::plan::contexts::{ContextsPlan, Selection};

/// Where the clusters come from.
#[derive(Debug, Clone)]
pub(crate) enum ClusterSelection {
    /// Contexts that use us: they say which cluster, and as whom.
    Contexts(ContextsPlan),
    /// What the identity can list.
    Listed {
        /// Names or ids; none: all of them.
        names: Vec<String>,
    },
}

impl ClusterSelection {
    /// By `--context`, `--cluster` and, where the command has it, `--all`.
    pub(crate) fn new(args: &ChoiceArgs, all: bool) -> Result<Self, PlanError> {
        if all || !args.cluster.is_empty() {
            return Ok(Self::Listed {
                names: args.cluster.clone(),
            });
        }
        if let Some(flag) = search_flag(args) {
            return Err(PlanError::Invalid {
                origin: flag.to_owned(),
                problem: "the context says that already".to_owned(),
                cure: "name the cluster with `--cluster` to go without a context".to_owned(),
            });
        }
        let kubeconfig = args.kubeconfig.as_deref();
        Ok(Self::Contexts(ContextsPlan::of(
            &args.context,
            Selection::Current,
            kubeconfig,
        )))
    }
}

/// A flag that is for a search only.
fn search_flag(args: &ChoiceArgs) -> Option<&'static str> {
    let search = &args.search;
    [
        (!search.region.is_empty(), "--region"),
        (search.project.is_some(), "--project"),
        (search.identity.profile.is_some(), "--profile"),
        (search.identity.identity.is_some(), "--identity"),
        (search.cloud.cloud.is_some(), "--cloud"),
        (search.cloud.cce_endpoint.is_some(), "--cce-endpoint"),
        (search.cloud.iam_endpoint.is_some(), "--iam-endpoint"),
        (search.cloud.ca_file.is_some(), "--ca-file"),
    ]
    .into_iter()
    .find_map(|(is_given, flag)| is_given.then_some(flag))
}
