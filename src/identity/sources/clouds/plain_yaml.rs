//! YAML (and so JSON) whose scalars keep the text that was typed: a user id of digits, `1e5` or `0123` stays what it is.

use crate::secret::Secret;
use granit_parser::{Event, Parser, ScalarStyle, Span};
use serde::de::IgnoredAny;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// The key whose mapping, or list of mappings, fills the gaps of the mapping it stands in (YAML 1.1).
const MERGE: &str = "<<";

/// A node. Any scalar may be a secret. Aliases share what they stand for, so that none makes a file larger.
#[derive(Debug, Clone)]
pub(crate) enum PlainYaml {
    /// Nothing, `~` or `null`.
    Null,
    Text(Secret<String>),
    List(Vec<Rc<PlainYaml>>),
    Map(Map),
}

pub(crate) type Map = BTreeMap<String, Rc<PlainYaml>>;

/// A line, from 1, that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MalformedYaml {
    pub(crate) line: u64,
    pub(crate) problem: &'static str,
}

impl MalformedYaml {
    fn at(line: u64) -> Self {
        let problem = "it is not YAML of this kind";
        Self { line, problem }
    }
}

impl PlainYaml {
    /// Reads one document.
    pub(crate) fn parse(text: &str) -> Result<Self, MalformedYaml> {
        let options = serde_saphyr::options! {
            duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
            // No excerpt: it could show a secret.
            with_snippet: false,
        };
        // The strict reading has the bounds (depth, aliases) and one opinion of what is well-formed; then there is only the tree to build.
        serde_saphyr::from_str_with_options::<IgnoredAny>(text, options)
            .map_err(|error| MalformedYaml::at(error.location().map_or(1, |at| at.line())))?;
        let mut builder = Builder::default();
        let options = granit_parser::options! { emit_comments: false };
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event.map_err(|_| MalformedYaml::at(1))?;
            let line = span.start.line();
            if matches!(&event, Event::Scalar(_, style, ..) if is_quoted(*style)) && has_swallowed(text, &span) {
                let problem = "the quote that begins here ends below, behind other keys";
                return Err(MalformedYaml {
                    line: line as u64,
                    problem,
                });
            }
            builder.take(event).map_err(|()| MalformedYaml::at(line as u64))?;
        }
        Ok(builder.root.map_or(Self::Null, Rc::unwrap_or_clone))
    }

    pub(crate) fn map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The text of a scalar that is not blank, trimmed.
    pub(crate) fn text(&self) -> Option<Secret<String>> {
        let Self::Text(text) = self else { return None };
        let text = text.expose().trim(); // into another secret
        (!text.is_empty()).then(|| Secret::new(text.to_owned()))
    }

    /// `other` goes over it, mapping by mapping.
    pub(crate) fn overlay(&mut self, other: &Self) {
        match (self, other) {
            (Self::Map(own), Self::Map(other)) => {
                for (key, value) in other {
                    match own.get_mut(key) {
                        Some(had) => Rc::make_mut(had).overlay(value),
                        None => drop(own.insert(key.clone(), Rc::clone(value))),
                    }
                }
            }
            (own, other) => *own = other.clone(),
        }
    }
}

fn is_quoted(style: ScalarStyle) -> bool {
    matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted)
}

/// A quote is missing: the scalar goes on over lines that have keys of their own. It would swallow a secret, and whatever shows it would show
/// that.
fn has_swallowed(text: &str, span: &Span) -> bool {
    // Always there when the parser was given a `str`.
    let [start, end] = [&span.start, &span.end].map(|marker| marker.byte_offset().unwrap_or_default());
    let Some((_, below)) = text.get(start..end).and_then(|scalar| scalar.split_once('\n')) else {
        return false;
    };
    let behind = text.get(end..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    below.contains([':', '=']) || behind.contains([':', '='])
}

/// A collection that has not ended yet, with its anchor.
enum Open {
    List(Vec<Rc<PlainYaml>>, usize),
    Map(Map, Option<String>, usize),
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<PlainYaml>>,
    root: Option<Rc<PlainYaml>>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), ()> {
        let (node, anchor) = match event {
            Event::SequenceStart(_, anchor, _) => {
                self.open.push(Open::List(Vec::new(), anchor));
                return Ok(());
            }
            Event::MappingStart(_, anchor, _) => {
                self.open.push(Open::Map(Map::new(), None, anchor));
                return Ok(());
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List(items, anchor)) => (Rc::new(PlainYaml::List(items)), anchor),
                Some(Open::Map(map, _, anchor)) => (Rc::new(PlainYaml::Map(merged(map))), anchor),
                None => return Err(()),
            },
            Event::Scalar(text, style, anchor, _) => {
                let is_null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let text = || PlainYaml::Text(Secret::new(text.clone().into_owned()));
                (Rc::new(if is_null { PlainYaml::Null } else { text() }), anchor)
            }
            Event::Alias(anchor) => (self.anchors.get(&anchor).cloned().ok_or(())?, 0),
            _ => return Ok(()),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        match self.open.last_mut() {
            Some(Open::List(items, _)) => items.push(node),
            Some(Open::Map(map, key, _)) => match key.take() {
                Some(key) => drop(map.insert(key, node)),
                // A key that is no scalar names nothing that we look for.
                None => *key = Some(node.text().map(|key| key.expose().clone()).unwrap_or_default()), // a name
            },
            None => self.root = Some(node),
        }
        Ok(())
    }
}

fn merged(mut map: Map) -> Map {
    let others: Vec<Rc<PlainYaml>> = match map.remove(MERGE).map(Rc::unwrap_or_clone) {
        Some(PlainYaml::List(items)) => items,
        Some(other) => vec![Rc::new(other)],
        None => Vec::new(),
    };
    for (key, value) in others.iter().filter_map(|other| other.map()).flatten() {
        map.entry(key.clone()).or_insert_with(|| Rc::clone(value));
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(yaml: &str, path: &[&str]) -> Option<String> {
        let tree = PlainYaml::parse(yaml).unwrap();
        let node = path
            .iter()
            .try_fold(&tree, |node, name| Some(&**node.map()?.get(*name)?));
        Some(node?.text()?.expose().clone())
    }

    #[test]
    fn scalars_keep_their_text() {
        for scalar in [
            "12345678901234567890123456789012",
            "1e5",
            "0123",
            "0x1f",
            "1.10",
            "yes",
            "12:30",
            "1_000",
        ] {
            assert_eq!(text(&format!("a: {scalar}"), &["a"]).as_deref(), Some(scalar));
            assert_eq!(text(&format!("{{\"a\": {scalar}}}"), &["a"]).as_deref(), Some(scalar));
        }
        for nothing in ["", "~", "null", "''", "\"  \""] {
            assert_eq!(text(&format!("a: {nothing}"), &["a"]), None, "{nothing}");
        }
        assert_eq!(text("a: 'null'", &["a"]).as_deref(), Some("null"));
    }

    #[test]
    fn aliases_and_merge_keys_are_followed() {
        let yaml = "base: &b {user: u, word: w}\nit: {<<: *b, word: own}\nlist: {<<: [*b, {x: y}]}\nalias: *b\n";
        assert_eq!(text(yaml, &["it", "user"]).as_deref(), Some("u"));
        assert_eq!(text(yaml, &["it", "word"]).as_deref(), Some("own"));
        assert_eq!(text(yaml, &["list", "x"]).as_deref(), Some("y"));
        assert_eq!(text(yaml, &["alias", "word"]).as_deref(), Some("w"));
    }

    #[test]
    fn a_key_that_comes_twice_counts_the_last_time() {
        assert_eq!(text("a: 1\na: 2\n", &["a"]).as_deref(), Some("2"));
    }

    #[test]
    fn what_is_no_yaml_is_told_by_its_line() {
        assert_eq!(PlainYaml::parse("a: 1\nb: [\n").unwrap_err(), MalformedYaml::at(2));
        assert!(PlainYaml::parse("a: 1\n---\nb: 2\n").is_err());
        assert!(PlainYaml::parse(&"[".repeat(100_000)).is_err());
        let levels = (1..40).map(|level| format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1));
        let bomb = "a0: &a0 [x, x]\n".to_owned() + &levels.collect::<String>();
        assert!(PlainYaml::parse(&bomb).is_err());
        assert!(matches!(PlainYaml::parse("# nothing\n"), Ok(PlainYaml::Null)));
    }
}
