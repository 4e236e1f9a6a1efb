//! Which contexts a command is about.

use super::absolute;
use crate::cli::{ContextArgs, StatusArgs};
use std::path::{Path, PathBuf};

/// Which of the contexts that use us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The current one.
    Current,
    /// These.
    Named(Vec<String>),
    /// All of them.
    All,
}

/// Which contexts, of which kubeconfig.
#[derive(Debug, Clone)]
pub struct ContextsPlan {
    /// Which contexts.
    pub selection: Selection,
    /// The file of `--kubeconfig`.
    pub kubeconfig: Option<PathBuf>,
}

impl ContextsPlan {
    /// By `--context` and `--kubeconfig`, where every context that uses us is meant if none is named.
    pub fn all_unless_named(args: &StatusArgs) -> Self {
        let selection = match args.context.as_slice() {
            [] => Selection::All,
            names => Selection::Named(names.to_vec()),
        };
        Self {
            selection,
            kubeconfig: args.kubeconfig.as_deref().map(|file| absolute(Path::new(file))),
        }
    }

    /// By `--context`, `--all` and `--kubeconfig`.
    pub fn new(args: &ContextArgs) -> Self {
        let selection = match args.context.as_slice() {
            _ if args.all => Selection::All,
            [] => Selection::Current,
            names => Selection::Named(names.to_vec()),
        };
        Self {
            selection,
            kubeconfig: args.kubeconfig.as_deref().map(|file| absolute(Path::new(file))),
        }
    }
}
