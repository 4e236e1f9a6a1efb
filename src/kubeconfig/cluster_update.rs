//! Bringing cluster entries of ours up to date, and nothing else.

use super::change::{Change, Intent};
use super::meaning::Kind;
use super::operation::{BodyChange, Operation};
use super::{ClusterEntry, Kubeconfig, KubeconfigError};

impl Kubeconfig {
    /// Computes the change that gives these cluster entries, by name, these contents; fields that are not ours stay. An entry that is not
    /// there (any more) is not made. Writes nothing.
    pub fn update_clusters(&self, clusters: &[(String, ClusterEntry)]) -> Result<Change, KubeconfigError> {
        let mut operations: Vec<Vec<Operation>> = self.files.iter().map(|_| Vec::new()).collect();
        for (name, wanted) in clusters {
            let Some((number, file, existing)) = self.find(Kind::Cluster, name) else {
                continue;
            };
            let change = BodyChange::fields(self.keep_encoding(name, wanted), existing);
            let position = file.meaning.position(Kind::Cluster, name);
            let alter = change.zip(position).map(|(change, position)| Operation::Alter {
                kind: Kind::Cluster,
                position,
                change,
            });
            if let Some(list) = operations.get_mut(number) {
                list.extend(alter);
            }
        }
        self.change(&operations, Intent::UpdateClusters(clusters.to_vec()))
    }
}
