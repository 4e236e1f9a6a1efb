//! Logins to operations: which file each entry goes to, and what is left to do there.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use crate::kubeconfig::change::{Change, FileChange, Intent};
use crate::kubeconfig::edit::kind::Kind;
use crate::kubeconfig::edit::node::Node;
use crate::kubeconfig::edit::operation::{BodyChange, Operation, expected};
use crate::kubeconfig::edit::splice;
use crate::kubeconfig::entries::{Current, present};
use crate::kubeconfig::meaning::{Meaning, text};
use crate::kubeconfig::text::Text;
use crate::kubeconfig::{ClusterEntry, ExecEntry, File, Kubeconfig, KubeconfigError, Login, view};

/// One entry to be there in the end.
#[derive(PartialEq)]
enum DesiredEntry<'l> {
    User(&'l ExecEntry),
    Fields {
        fields: Vec<(&'static str, Option<Node>)>,
        new: Node,
    },
}

impl Kubeconfig {
    /// Computes the change that makes these logins' entries be as given, in the files where kubectl would put them.
    ///
    /// Writes nothing. Refuses to touch an entry that is not ours or belongs to another cluster id. Entries that already mean what they should
    /// are left as they are written, so a second run gives an empty change.
    pub fn upsert(&self, logins: &[Login]) -> Result<Change, KubeconfigError> {
        self.check_free(logins)?;
        let mut operations: Vec<Vec<Operation>> = self.files.iter().map(|_| Vec::new()).collect();
        let mut losses = Vec::new();
        for (kind, name, wanted) in self.wanted(logins)? {
            let found = self.find(kind, name);
            let number = found.map_or(self.default_file, |(number, ..)| number);
            let operation = match (found, wanted) {
                (None, wanted) => Some(Operation::Add {
                    kind,
                    name: name.to_owned(),
                    body: match wanted {
                        DesiredEntry::User(exec) => exec.user(),
                        DesiredEntry::Fields { new, .. } => new,
                    },
                }),
                (Some((_, file, existing)), wanted) => {
                    let change = match wanted {
                        DesiredEntry::User(exec) => BodyChange::user(exec, existing),
                        DesiredEntry::Fields { fields, .. } => BodyChange::fields(fields, existing),
                    };
                    if kind == Kind::User {
                        losses.extend(change.as_ref().and_then(|change| change.loss(name)));
                    }
                    let position = file.meaning.position(kind, name);
                    change
                        .zip(position)
                        .map(|(change, position)| Operation::Alter { kind, position, change })
                }
            };
            if let Some(list) = operations.get_mut(number) {
                list.extend(operation);
            }
        }
        let current = self.current_after(logins);
        if current != self.current_context()
            && let (Some(current), Some(list)) = (current, operations.get_mut(self.default_file))
        {
            list.push(Operation::Current(current.to_owned()));
        }
        let change = self.change(&operations, Intent::Upsert(logins.to_vec()))?;
        Ok(change.with_losses(losses))
    }

    fn current_after<'k>(&'k self, logins: &'k [Login]) -> Option<&'k str> {
        let mut current = self.current_context();
        for login in logins {
            match login.current {
                Current::Set => current = Some(&login.context_name),
                Current::IfNone => current = current.or(Some(&login.context_name)),
                Current::Keep => {}
            }
        }
        current
    }

    /// Each entry once, in the order of the logins.
    fn wanted<'l>(&self, logins: &'l [Login]) -> Result<Vec<(Kind, &'l str, DesiredEntry<'l>)>, KubeconfigError> {
        let mut order: Vec<(Kind, &'l str, DesiredEntry<'l>)> = Vec::new();
        let mut seen: HashMap<(Kind, &str), usize> = HashMap::new();
        for login in logins {
            let cluster = self.keep_encoding(&login.cluster_name, &login.cluster);
            let entries = [
                (
                    Kind::Cluster,
                    login.cluster_name.as_str(),
                    DesiredEntry::Fields {
                        new: Node::Map(present(cluster.clone())),
                        fields: cluster,
                    },
                ),
                (
                    Kind::Context,
                    &login.context_name,
                    DesiredEntry::Fields {
                        fields: login.context_fields(),
                        new: login.new_context(),
                    },
                ),
                (Kind::User, &login.user_name, DesiredEntry::User(&login.exec)),
            ];
            for (kind, name, wanted) in entries {
                match seen.get(&(kind, name)).and_then(|at| order.get(*at)) {
                    None => {
                        seen.insert((kind, name), order.len());
                        order.push((kind, name, wanted));
                    }
                    Some((_, _, earlier)) if *earlier == wanted => {}
                    Some(_) => {
                        return Err(KubeconfigError::Contradiction {
                            kind,
                            name: name.to_owned(),
                        });
                    }
                }
            }
        }
        Ok(order)
    }

    /// The cluster's fields; the same CA in another base64 layout counts as the same.
    pub(crate) fn keep_encoding(&self, name: &str, cluster: &ClusterEntry) -> Vec<(&'static str, Option<Node>)> {
        let mut fields = cluster.fields();
        let body = self.find(Kind::Cluster, name).map(|(_, _, body)| body);
        let of_body = |key| body.and_then(|body| text(body, key)).filter(|text| !text.is_empty());
        if cluster.certificate_authority_data.is_none() && of_body("certificate-authority").is_some() {
            // A person's file says more than we know.
            fields.retain(|(key, _)| *key != "certificate-authority-data");
        }
        let existing = of_body("certificate-authority-data");
        if let Some(existing) = existing
            && view::decode(existing) == cluster.certificate_authority_data
        {
            for (key, value) in &mut fields {
                if *key == "certificate-authority-data" {
                    *value = Some(Node::text(existing));
                }
            }
        }
        fields
    }

    /// The change made of these operations, per file, checked.
    pub(crate) fn change(&self, operations: &[Vec<Operation>], intent: Intent) -> Result<Change, KubeconfigError> {
        let mut files = Vec::new();
        for (file, operations) in self.files.iter().zip(operations) {
            if !operations.is_empty() {
                files.push(file.change(operations)?);
            }
        }
        Ok(Change::new(self.locations.clone(), intent, files))
    }
}

impl File {
    pub(crate) fn change(&self, operations: &[Operation]) -> Result<FileChange, KubeconfigError> {
        let cannot = |what: String| KubeconfigError::CannotEdit {
            path: self.path.clone(),
            what,
        };
        let before = self.text.as_ref().map_or("", |text| &text.text);
        let splices = splice::splices(before, operations).map_err(cannot)?;
        let after = splice::apply(before, &splices).ok_or_else(|| cannot("the places do not fit".to_owned()))?;
        self.verify(before, &after, operations).map_err(cannot)?;
        Ok(FileChange {
            path: self.path.clone(),
            after: match &self.text {
                Some(before) => before.with(after),
                None => Text::new(after),
            },
            before: self.text.clone(),
            splices,
            backup: None,
        })
    }

    /// The strict second reading: our entries are as meant, everything else means what it meant before, JSON is still JSON.
    fn verify(&self, before: &str, after: &str, operations: &[Operation]) -> Result<(), String> {
        let expected = expected(&self.meaning.value, operations).ok_or("the entries are not where they should be")?;
        let result = Meaning::parse(Path::new(""), after).map_err(|error| match error {
            KubeconfigError::Malformed { source, .. } => format!("the result would not be valid: {source}"),
            error => format!("the result would not be valid: {error}"),
        })?;
        if result.value != expected {
            return Err("other entries depend on what would change (aliases or merge keys)".to_owned());
        }
        let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok();
        if before.trim_start().starts_with('{') && is_json(before) && !is_json(after) {
            return Err("the result would no longer be JSON".to_owned());
        }
        Ok(())
    }
}

impl Kubeconfig {
    /// Computes the change that gives these cluster entries, by name, these contents; fields that are not ours stay. An entry that is not
    /// there (any more) is not made. Writes nothing.
    pub(crate) fn update_clusters(&self, clusters: &[(String, ClusterEntry)]) -> Result<Change, KubeconfigError> {
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
