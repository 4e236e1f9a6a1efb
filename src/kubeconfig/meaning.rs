//! What a kubeconfig file means to kubectl, without its notation.
//!
//! As kubectl reads it: the first document counts, of a key that is there twice the last one, an entry may have no name. What kubectl
//! refuses as a whole, and the rest of the module relies on, is checked here: three lists of mappings, no name twice.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use crate::kubeconfig::edit::document;
use crate::kubeconfig::edit::kind::Kind;
use crate::kubeconfig::error::KubeconfigError;

/// What one file means.
#[derive(Debug, Clone)]
pub(crate) struct Meaning {
    /// Null for an empty file, else a mapping.
    pub(crate) value: Value,
    positions: HashMap<Kind, HashMap<String, usize>>,
}

impl Meaning {
    /// Reads a file's text; errors name `path`.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, KubeconfigError> {
        let options = serde_saphyr::options! {
            // Tens of thousands of clusters fit in; what is meant to fill the memory does not.
            budget: serde_saphyr::budget! { max_events: 3_000_000, max_nodes: 1_000_000, },
            duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
            // Far more than any kubeconfig needs; a bomb of aliases ends here after a moment.
            alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000, },
            // No excerpt: it could show a token.
            with_snippet: false,
        };
        let value: Option<Value> =
            serde_saphyr::from_str_with_options(document::first(text), options).map_err(|error| {
                KubeconfigError::Malformed {
                    path: path.to_owned(),
                    line: error
                        .location()
                        .and_then(|location| usize::try_from(location.line()).ok()),
                    source: in_our_words(error),
                }
            })?;
        let value = value.unwrap_or(Value::Null);
        let positions = check(&value).map_err(|what| KubeconfigError::Shape {
            path: path.to_owned(),
            what,
        })?;
        Ok(Self { value, positions })
    }

    /// The list's names and contents (null if an item has none), in the file's order.
    pub(crate) fn entries(&self, kind: Kind) -> impl Iterator<Item = (&str, &Value)> {
        let items = self.value.get(kind.list_key()).and_then(Value::as_array);
        items
            .into_iter()
            .flatten()
            .map(move |item| (text(item, "name").unwrap_or_default(), body(item, kind)))
    }

    /// Where in its list the entry of this name is.
    pub(crate) fn position(&self, kind: Kind, name: &str) -> Option<usize> {
        self.positions.get(&kind)?.get(name).copied()
    }

    /// The contents of the entry of this name; null if it has none.
    pub(crate) fn body(&self, kind: Kind, name: &str) -> Option<&Value> {
        let position = self.position(kind, name)?;
        Some(body(self.value.get(kind.list_key())?.get(position)?, kind))
    }

    /// The file's current context; an empty one counts as none.
    pub(crate) fn current_context(&self) -> Option<&str> {
        self.value
            .get("current-context")?
            .as_str()
            .filter(|name| !name.is_empty())
    }
}

/// The parser's advice is for programmers; where it gives some, say it for people.
fn in_our_words(error: serde_saphyr::Error) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        serde_saphyr::Error::Budget { .. } => "it has more in it than a kubeconfig can have".into(),
        error => Box::new(error),
    }
}

fn body(item: &Value, kind: Kind) -> &Value {
    item.get(kind.body_key()).unwrap_or(&Value::Null)
}

/// A field of a mapping as text; anything else counts as absent.
pub(crate) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

fn check(value: &Value) -> Result<HashMap<Kind, HashMap<String, usize>>, String> {
    if !(value.is_null() || value.is_object()) {
        return Err("it is not a mapping".to_owned());
    }
    if !matches!(
        value.get("current-context"),
        None | Some(Value::Null | Value::String(_))
    ) {
        return Err("`current-context` is not text (quote it)".to_owned());
    }
    let mut positions = HashMap::new();
    for kind in Kind::ALL {
        let key = kind.list_key();
        let items = match value.get(key) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(items)) => items,
            Some(_) => return Err(format!("`{key}` is not a list")),
        };
        let mut names = HashMap::with_capacity(items.len());
        for (position, item) in items.iter().enumerate() {
            let number = position + 1;
            if !(item.is_object() || item.is_null()) {
                return Err(format!("item {number} of `{key}` is not a mapping"));
            }
            let name = match item.get("name") {
                None | Some(Value::Null) => "",
                Some(Value::String(name)) => name,
                Some(_) => {
                    return Err(format!(
                        "item {number} of `{key}` has a name that is not text (quote it)"
                    ));
                }
            };
            if !(body(item, kind).is_object() || body(item, kind).is_null()) {
                return Err(format!("{kind} `{}` is not a mapping", name.escape_debug()));
            }
            if names.insert(name.to_owned(), position).is_some() {
                return Err(format!("{kind} `{}` is defined twice", name.escape_debug()));
            }
        }
        positions.insert(kind, names);
    }
    Ok(positions)
}
