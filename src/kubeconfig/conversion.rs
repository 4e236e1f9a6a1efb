//! Users with a key of their own become users that run us.

use crate::kubeconfig::change::{Change, Intent};
use crate::kubeconfig::edit::kind::Kind;
use crate::kubeconfig::edit::operation::{BodyChange, Operation};
use crate::kubeconfig::text::Text;
use crate::kubeconfig::{ClusterEntry, ExecEntry, File, Kubeconfig, KubeconfigError};

/// What a conversion's backup must not keep.
const SECRETS: [&str; 4] = ["client-key-data", "token", "password", "auth-provider"];

/// Which users become what.
#[derive(Debug, Clone)]
pub struct Conversion {
    /// The users by name, and what they run from now on.
    pub users: Vec<(String, ExecEntry)>,
    /// The cluster entries by name that are verified from now on, and what they become.
    pub clusters: Vec<(String, ClusterEntry)>,
    /// The backup keeps their keys.
    pub keeps_keys: bool,
}

impl Kubeconfig {
    /// Computes the change that gives these users, by name, an exec entry in place of all that they have, and these cluster entries
    /// what verifies their servers; contexts stay. What is not there (any more) is not made. The backup leaves the users' keys out, unless it is to keep them. Writes nothing.
    pub fn convert(&self, conversion: &Conversion) -> Result<Change, KubeconfigError> {
        let mut operations: Vec<Vec<Operation>> = self.files.iter().map(|_| Vec::new()).collect();
        let mut without_keys = operations.clone();
        let mut losses = Vec::new();
        for (name, exec) in &conversion.users {
            let Some((number, file, existing)) = self.find(Kind::User, name) else {
                continue;
            };
            let Some(position) = file.meaning.position(Kind::User, name) else {
                continue;
            };
            let alter = |change| Operation::Alter {
                kind: Kind::User,
                position,
                change,
            };
            let replaced = BodyChange::user(exec, existing);
            losses.extend(replaced.as_ref().and_then(|change| change.loss(name)));
            let replaced = replaced.map(alter);
            let bared = BodyChange::fields(SECRETS.map(|field| (field, None)).to_vec(), existing).map(alter);
            for (lists, operation) in [(&mut operations, replaced), (&mut without_keys, bared)] {
                if let Some(list) = lists.get_mut(number) {
                    list.extend(operation);
                }
            }
        }
        for (name, cluster) in &conversion.clusters {
            let found = self.find(Kind::Cluster, name);
            let position = found.and_then(|(_, file, _)| file.meaning.position(Kind::Cluster, name));
            let Some(((number, _, existing), position)) = found.zip(position) else {
                continue;
            };
            let change = BodyChange::fields(cluster.fields(), existing).map(|change| Operation::Alter {
                kind: Kind::Cluster,
                position,
                change,
            });
            if let Some(list) = operations.get_mut(number) {
                list.extend(change);
            }
        }
        let mut change = self.change(&operations, Intent::Convert(conversion.clone()))?;
        if !conversion.keeps_keys {
            for (file, operations) in self.files.iter().zip(&without_keys) {
                change.set_backup(&file.path, file.backup(operations)?);
            }
        }
        Ok(change.with_losses(losses))
    }
}

impl File {
    fn backup(&self, operations: &[Operation]) -> Result<Option<Text>, KubeconfigError> {
        if operations.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.change(operations)?.after))
    }
}
