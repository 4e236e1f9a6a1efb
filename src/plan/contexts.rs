//! Which contexts a command is about.

use crate::cli::{ContextArgs, StatusArgs};
use crate::plan::absolute;
use std::path::{Path, PathBuf};

/// Which of the contexts that use us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selection {
    /// The current one.
    Current,
    Named(Vec<String>),
    /// All of them.
    All,
}

/// Which contexts, of which kubeconfig.
#[derive(Debug, Clone)]
pub(crate) struct ContextsPlan {
    /// Which contexts.
    pub(crate) selection: Selection,
    /// The file of `--kubeconfig`.
    pub(crate) kubeconfig: Option<PathBuf>,
}

impl ContextsPlan {
    /// By `--context` and `--kubeconfig`, where every context that uses us is meant if none is named.
    pub(crate) fn all_unless_named(args: &StatusArgs) -> Self {
        Self::of(&args.context, Selection::All, args.kubeconfig.as_deref())
    }

    /// By `--context` and `--kubeconfig`, where every context that uses us is meant if none is named.
    pub(crate) fn all_unless_chosen(args: &ContextArgs) -> Self {
        Self::of(&args.context, Selection::All, args.kubeconfig.as_deref())
    }

    /// By `--context`, `--all` and `--kubeconfig`.
    pub(crate) fn new(args: &ContextArgs) -> Self {
        let unnamed = if args.all { Selection::All } else { Selection::Current };
        Self::of(&args.context, unnamed, args.kubeconfig.as_deref())
    }

    /// By `--context` and `--kubeconfig`; `unnamed` is what is meant where no context is named.
    pub(super) fn of(names: &[String], unnamed: Selection, kubeconfig: Option<&str>) -> Self {
        Self {
            selection: match names {
                [] => unnamed,
                names => Selection::Named(names.to_vec()),
            },
            kubeconfig: kubeconfig.map(|file| absolute(Path::new(file))),
        }
    }
}
