//! Taking our entries out again.

use std::collections::HashSet;

use super::change::{Change, Intent};
use super::meaning::{Kind, text};
use super::operation::Operation;
use super::view::UserView;
use super::{Kubeconfig, KubeconfigError};

impl Kubeconfig {
    /// Computes the change that removes these contexts of ours, the user entries that no context uses any more, and the cluster entries that
    /// nothing else uses; a `current-context` that named one of them is cleared.
    ///
    /// Writes nothing. A context that is not there or not ours is an error. An entry is removed from the file that defines it, as kubectl does.
    pub fn remove(&self, contexts: &[&str]) -> Result<Change, KubeconfigError> {
        let gone: HashSet<&str> = contexts.iter().copied().collect();
        let mut users: Vec<&str> = Vec::new();
        let mut clusters: Vec<&str> = Vec::new();
        let mut entries: Vec<(Kind, &str)> = Vec::new();
        for name in contexts {
            let context = self.context(name).ok_or_else(|| KubeconfigError::NoSuchContext {
                name: (*name).to_owned(),
            })?;
            let user = context.user.and_then(|name| self.user(name)).filter(UserView::is_ours);
            let user = user.ok_or_else(|| KubeconfigError::NotOurs {
                name: (*name).to_owned(),
                path: context.file.to_owned(),
            })?;
            entries.push((Kind::Context, name));
            users.push(user.name);
            clusters.extend(context.cluster);
        }
        let mut used_users = HashSet::new();
        let mut used_clusters = HashSet::new();
        // All definitions, also those that another file shadows now.
        for (number, file) in self.files.iter().enumerate() {
            for (name, body) in file.meaning.entries(Kind::Context) {
                let is_effective = || {
                    self.find(Kind::Context, name)
                        .is_some_and(|(found, ..)| found == number)
                };
                if !(gone.contains(name) && is_effective()) {
                    used_users.extend(text(body, "user"));
                    used_clusters.extend(text(body, "cluster"));
                }
            }
        }
        entries.extend(
            users
                .iter()
                .filter(|name| !used_users.contains(*name))
                .map(|name| (Kind::User, *name)),
        );
        entries.extend(
            clusters
                .iter()
                .filter(|name| !used_clusters.contains(*name))
                .map(|name| (Kind::Cluster, *name)),
        );

        let mut operations: Vec<Vec<Operation>> = self.files.iter().map(|_| Vec::new()).collect();
        let mut done = HashSet::new();
        for (kind, name) in entries {
            if let Some((number, file, _)) = self.find(kind, name)
                && let Some(position) = file.meaning.position(kind, name)
                && let Some(list) = operations.get_mut(number)
                && done.insert((kind, name))
            {
                list.push(Operation::Remove { kind, position });
            }
        }
        for (file, list) in self.files.iter().zip(&mut operations) {
            if file.meaning.current_context().is_some_and(|name| gone.contains(name)) {
                list.push(Operation::Current(String::new()));
            }
        }
        let names = contexts.iter().map(|name| (*name).to_owned()).collect();
        self.change(&operations, Intent::Remove(names))
    }
}
