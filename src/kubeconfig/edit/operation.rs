//! What is to change in one file, and the strict side of it: the same change made to the meaning.

use serde_json::{Map, Value, json};

use crate::kubeconfig::ExecEntry;
use crate::kubeconfig::edit::kind::Kind;
use crate::kubeconfig::edit::node::Node;
use crate::kubeconfig::ownership::is_our_exec;

/// One change to one file.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    /// A new item at the end of its list.
    Add { kind: Kind, name: String, body: Node },
    /// Other contents for the item at this position.
    Alter {
        kind: Kind,
        position: usize,
        change: BodyChange,
    },
    /// The item at this position goes.
    Remove { kind: Kind, position: usize },
    /// Another `current-context`.
    Current(String),
}

/// Other contents for an item.
#[derive(Debug, Clone)]
pub(crate) enum BodyChange {
    /// All of it.
    Replace(Node),
    /// These fields set, those removed, all others kept.
    Fields {
        set: Vec<(&'static str, Node)>,
        unset: Vec<&'static str>,
    },
    /// These fields of its exec block set, those of its own removed, all others kept.
    Exec {
        set: Vec<(&'static str, Node)>,
        unset: Vec<&'static str>,
        /// Arguments of ours that were others, or are gone: for people.
        changed: Vec<String>,
    },
}

/// What a user entry of ours does not have any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loss {
    /// The user's name.
    pub(crate) user: String,
    /// The credentials that kubectl would use in place of our plugin, or refuses beside it.
    pub(crate) removed: Vec<&'static str>,
    /// Arguments of ours that were others, or are gone, each as a clause.
    pub(crate) arguments: Vec<String>,
}

/// What kubectl would use in place of an exec plugin, or refuses beside it. Nothing else of a user is ever removed.
const OTHER_CREDENTIALS: [&str; 9] = [
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "token",
    "tokenFile",
    "username",
    "password",
    "auth-provider",
];

/// A new item of a list.
pub(crate) fn item(kind: Kind, name: &str, body: &Node) -> Node {
    Node::Map(vec![("name", Node::text(name)), (kind.body_key(), body.clone())])
}

impl BodyChange {
    /// What is left to do on an item with these contents; `None` if nothing.
    pub(crate) fn fields(fields: Vec<(&'static str, Option<Node>)>, existing: &Value) -> Option<Self> {
        if existing.is_null() {
            return Some(Self::Replace(Node::Map(crate::kubeconfig::entries::present(fields))));
        }
        let mut set = Vec::new();
        let mut unset = Vec::new();
        for (key, wanted) in fields {
            match wanted {
                Some(wanted) if existing.get(key) != Some(&wanted.meaning()) => set.push((key, wanted)),
                None if !is_absent(existing.get(key)) => unset.push(key),
                _ => {}
            }
        }
        (!set.is_empty() || !unset.is_empty()).then_some(Self::Fields { set, unset })
    }

    /// What makes a user run us; `None` if it does. Of an exec block of ours, our own fields are set one by one: what a person has added
    /// (`env`, `interactiveMode`, fields that we do not know) stays. Another one's gives way as a whole.
    pub(crate) fn user(wanted: &ExecEntry, existing: &Value) -> Option<Self> {
        if existing.is_null() {
            return Some(Self::Replace(wanted.user()));
        }
        let unset: Vec<_> = OTHER_CREDENTIALS
            .into_iter()
            .filter(|key| !is_absent(existing.get(*key)))
            .collect();
        let change = match existing.get("exec").filter(|exec| is_our_exec(exec)) {
            Some(exec) => {
                let (wanted, changed) = wanted.beside(exec);
                Self::Exec {
                    set: wanted.fields_to_set(exec),
                    unset,
                    changed,
                }
            }
            None => Self::Fields {
                set: vec![("exec", wanted.exec())],
                unset,
            },
        };
        let is_done = matches!(&change, Self::Exec { set, unset, .. } if set.is_empty() && unset.is_empty());
        (!is_done).then_some(change)
    }

    /// What a user of this name loses by it; `None` if nothing.
    pub(crate) fn loss(&self, user: &str) -> Option<Loss> {
        let (removed, arguments) = match self {
            Self::Replace(_) => return None,
            Self::Fields { unset, .. } => (unset.clone(), Vec::new()),
            Self::Exec { unset, changed, .. } => (unset.clone(), changed.clone()),
        };
        let is_any = !removed.is_empty() || !arguments.is_empty();
        is_any.then(|| Loss {
            user: user.to_owned(),
            removed,
            arguments,
        })
    }
}

/// As Go has it: a field that is null, false or empty is as good as none.
fn is_absent(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    }
}

/// Changes an item of a list; `None` if it does not look so that the change fits it.
fn alter(item: &mut Map<String, Value>, kind: Kind, change: &BodyChange) -> Option<()> {
    match change {
        BodyChange::Replace(node) => {
            item.insert(kind.body_key().to_owned(), node.meaning());
        }
        BodyChange::Fields { set, unset } => {
            let body = item.get_mut(kind.body_key())?.as_object_mut()?;
            for (key, value) in set {
                body.insert((*key).to_owned(), value.meaning());
            }
            for key in unset {
                body.remove(*key);
            }
        }
        BodyChange::Exec { set, unset, .. } => {
            let body = item.get_mut(kind.body_key())?.as_object_mut()?;
            let exec = body.get_mut("exec")?.as_object_mut()?;
            for (key, value) in set {
                exec.insert((*key).to_owned(), value.meaning());
            }
            for key in unset {
                body.remove(*key);
            }
        }
    }
    Some(())
}

/// What a file that means `before` must mean after these operations; `None` if an operation does not fit it.
pub(crate) fn expected(before: &Value, operations: &[Operation]) -> Option<Value> {
    let mut root = match before {
        Value::Null if operations.is_empty() => return Some(Value::Null),
        Value::Null => Map::from_iter([
            ("apiVersion".to_owned(), json!("v1")),
            ("kind".to_owned(), json!("Config")),
        ]),
        Value::Object(root) => root.clone(),
        _ => return None,
    };
    for operation in operations {
        match operation {
            Operation::Add { kind, name, body } => {
                let list = root.entry(kind.list_key()).or_insert(Value::Null);
                if list.is_null() {
                    *list = Value::Array(Vec::new());
                }
                list.as_array_mut()?.push(item(*kind, name, body).meaning());
            }
            Operation::Alter { kind, position, change } => {
                let item = root.get_mut(kind.list_key())?.get_mut(*position)?.as_object_mut()?;
                alter(item, *kind, change)?;
            }
            Operation::Remove { .. } => {}
            Operation::Current(name) => {
                root.insert("current-context".to_owned(), json!(name));
            }
        }
    }
    // Last, because all positions are those of before.
    for kind in Kind::ALL {
        let gone = |position: usize| {
            operations
                .iter()
                .any(|operation| matches!(operation, Operation::Remove { kind: k, position: p } if (*k, *p) == (kind, position)))
        };
        if let Some(list) = root.get_mut(kind.list_key()).and_then(Value::as_array_mut) {
            let mut position = 0..;
            list.retain(|_| !position.next().is_some_and(gone));
        }
    }
    Some(Value::Object(root))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_loses_credentials_and_arguments_or_nothing() {
        let exec = |unset: &[&'static str], changed: &[&str]| BodyChange::Exec {
            set: Vec::new(),
            unset: unset.to_vec(),
            changed: changed.iter().map(|&clause| clause.to_owned()).collect(),
        };
        let fields = |unset: &[&'static str]| BodyChange::Fields {
            set: Vec::new(),
            unset: unset.to_vec(),
        };
        let loss = |removed: &[&'static str], arguments: &[&str]| {
            Some(Loss {
                user: "anna".to_owned(),
                removed: removed.to_vec(),
                arguments: arguments.iter().map(|&clause| clause.to_owned()).collect(),
            })
        };
        for (change, expected) in [
            (exec(&["token"], &[]), loss(&["token"], &[])),
            (
                exec(&[], &["`--autopilot` is gone"]),
                loss(&[], &["`--autopilot` is gone"]),
            ),
            (exec(&[], &[]), None),
            (fields(&["username", "password"]), loss(&["username", "password"], &[])),
            (fields(&[]), None),
            (BodyChange::Replace(Node::Map(Vec::new())), None),
        ] {
            assert_eq!(change.loss("anna"), expected, "{change:?}");
        }
    }
}
