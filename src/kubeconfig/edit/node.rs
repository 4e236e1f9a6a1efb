//! A value that we write: ordered, unlike `serde_json::Value`.

use serde_json::Value;

/// A YAML or JSON value whose mappings keep their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Text(String),
    Bool(bool),
    List(Vec<Node>),
    Map(Vec<(&'static str, Node)>),
}

impl Node {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// What a parser makes of it.
    pub(crate) fn meaning(&self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.clone()),
            Self::Bool(value) => Value::Bool(*value),
            Self::List(items) => items.iter().map(Self::meaning).collect(),
            Self::Map(pairs) => pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.meaning()))
                .collect(),
        }
    }
}
