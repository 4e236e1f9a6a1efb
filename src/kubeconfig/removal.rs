//! Taking our entries out again.

use std::collections::{BTreeSet, HashSet};

use crate::kubeconfig::change::{Change, Intent};
use crate::kubeconfig::edit::kind::Kind;
use crate::kubeconfig::edit::operation::Operation;
use crate::kubeconfig::meaning::text;
use crate::kubeconfig::view::{UserView, user_view};
use crate::kubeconfig::{Kubeconfig, KubeconfigError};

impl Kubeconfig {
    /// Computes the change that removes these contexts of ours, the user entries that no context uses any more, and the cluster entries that
    /// nothing else uses; a `current-context` that named one of them is cleared.
    ///
    /// Writes nothing. A context that is not there or not ours is an error. Definitions of ours that an earlier file shadows go too, so that
    /// a removed context does not come back from the next file; what is not ours stays wherever it is.
    pub fn remove(&self, contexts: &[&str]) -> Result<Change, KubeconfigError> {
        self.check_ours(contexts)?;
        let mut operations: Vec<Vec<Operation>> = self.files.iter().map(|_| Vec::new()).collect();
        for (number, kind, name) in self.gone_with(contexts) {
            if let Some((file, list)) = self.files.get(number).zip(operations.get_mut(number)) {
                let position = file.meaning.position(kind, name);
                list.extend(position.map(|position| Operation::Remove { kind, position }));
            }
        }
        for (file, list) in self.files.iter().zip(&mut operations) {
            if file
                .meaning
                .current_context()
                .is_some_and(|name| contexts.contains(&name))
            {
                list.push(Operation::Current(String::new()));
            }
        }
        let names = contexts.iter().map(|name| (*name).to_owned()).collect();
        self.change(&operations, Intent::Remove(names))
    }

    /// An error if one of the contexts is not there or not ours.
    fn check_ours(&self, contexts: &[&str]) -> Result<(), KubeconfigError> {
        for name in contexts {
            let known = || self.contexts().into_iter().map(|context| context.name);
            let context = self.context(name);
            let context = context.ok_or_else(|| KubeconfigError::no_such_context(name, known()))?;
            if !self.uses_us(context.user) {
                return Err(KubeconfigError::NotOurs {
                    name: (*name).to_owned(),
                    path: context.file.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// The contexts with what only they use: each by the number of its file, its list and its name.
    fn gone_with(&self, contexts: &[&str]) -> BTreeSet<(usize, Kind, &str)> {
        let (mut users, mut clusters) = (BTreeSet::new(), BTreeSet::new());
        let (mut used_users, mut used_clusters) = (BTreeSet::new(), BTreeSet::new());
        let mut gone: BTreeSet<(usize, Kind, &str)> = BTreeSet::new();
        for (number, file) in self.files.iter().enumerate() {
            for (name, body) in file.meaning.entries(Kind::Context) {
                let (user, cluster) = (text(body, "user"), text(body, "cluster"));
                if contexts.contains(&name) && self.uses_us(user) {
                    gone.insert((number, Kind::Context, name));
                    users.extend(user);
                    clusters.extend(cluster);
                } else {
                    used_users.extend(user);
                    used_clusters.extend(cluster);
                }
            }
        }
        let files_with_ours: HashSet<usize> = gone.iter().map(|(number, ..)| *number).collect();
        for (number, file) in self.files.iter().enumerate() {
            for name in users.difference(&used_users) {
                let body = file.meaning.body(Kind::User, name);
                if body.is_some_and(|body| user_view(name, body, &file.path).is_ours()) {
                    gone.insert((number, Kind::User, *name));
                }
            }
            for name in clusters.difference(&used_clusters) {
                let found = self.find(Kind::Cluster, name);
                let is_effective = found.is_some_and(|(found, ..)| found == number);
                if file.meaning.position(Kind::Cluster, name).is_some()
                    && (files_with_ours.contains(&number) || is_effective)
                {
                    gone.insert((number, Kind::Cluster, *name));
                }
            }
        }
        gone
    }

    fn uses_us(&self, user: Option<&str>) -> bool {
        user.and_then(|name| self.user(name))
            .as_ref()
            .is_some_and(UserView::is_ours)
    }
}
