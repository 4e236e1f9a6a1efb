//! Turns operations into splices of the file's text. A range that no operation names is never touched.
//!
//! Block style is handled here, flow style and JSON in `flow.rs`. What cannot be done safely is an error that says what stands in the way;
//! the caller compares the result's meaning with the expected one in any case.

use std::fmt::Write as _;

use crate::kubeconfig::edit::document::{self, Content, DocumentText};
use crate::kubeconfig::edit::kind::Kind;
use crate::kubeconfig::edit::node::Node;
use crate::kubeconfig::edit::operation::{BodyChange, Operation, item};
use crate::kubeconfig::edit::yaml_writer;

/// Replace these bytes of the old text by this text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Splice {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) text: String,
}

/// Why a change cannot be made.
pub(crate) type Obstacle = String;

/// The splices, in order, that carry out the operations on a text that the strict reading has accepted.
pub(crate) fn splices(text: &str, operations: &[Operation]) -> Result<Vec<Splice>, Obstacle> {
    let root = document::parse(text).map_err(|error| error.to_string())?;
    let mut editor = Splicer::new(text);
    match root {
        Some(root) if !root.is_empty() => editor.edit(&root, operations)?,
        _ if document::first(text).len() < text.trim_end().len() => {
            return Err("its first document is empty, and another one follows".to_owned());
        }
        _ => editor.fill(operations),
    }
    let mut splices = editor.splices;
    splices.sort_by_key(|splice| splice.start); // stable: insertions at one place stay in the order they were made
    Ok(splices)
}

/// Carries the splices out; `None` where two meet in one place, or one ends before it begins.
pub(crate) fn apply(text: &str, splices: &[Splice]) -> Option<String> {
    let mut out = String::with_capacity(text.len() + splices.iter().map(|splice| splice.text.len()).sum::<usize>());
    let mut reached = 0;
    for splice in splices {
        out.push_str(text.get(reached..splice.start)?);
        text.get(splice.start..splice.end)?; // what goes
        out.push_str(&splice.text);
        reached = splice.end;
    }
    out.push_str(text.get(reached..)?);
    Some(out)
}

pub(crate) struct Splicer<'t> {
    pub(crate) text: &'t str,
    pub(crate) newline: &'static str,
    pub(crate) splices: Vec<Splice>,
}

impl<'t> Splicer<'t> {
    fn new(text: &'t str) -> Self {
        let first_line = text.find('\n').and_then(|at| text.get(..at));
        let newline = if first_line.is_some_and(|line| line.ends_with('\r')) {
            "\r\n"
        } else {
            "\n"
        };
        Self {
            text,
            newline,
            splices: Vec::new(),
        }
    }

    /// A file without content (it may have comments): everything is new.
    fn fill(&mut self, operations: &[Operation]) {
        let newline = self.newline;
        let mut text = String::new();
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            text.push_str(newline);
        }
        let _ = write!(text, "apiVersion: v1{newline}kind: Config{newline}");
        for (key, node) in new_root_pairs(operations, |_| true) {
            text.push_str(&root_pair(key, &node, 0, 0, newline));
            text.push_str(newline);
        }
        self.replace(self.text.len(), self.text.len(), text);
    }

    fn edit(&mut self, root: &DocumentText<'_>, operations: &[Operation]) -> Result<(), Obstacle> {
        let Content::Map { flow, pairs } = &root.content else {
            return Err("it is not a mapping".to_owned());
        };
        for operation in operations {
            if let Operation::Alter { kind, position, change } = operation {
                self.alter(root, *kind, *position, change)?;
            }
        }
        for kind in Kind::ALL {
            let is_ours = |operation: &&Operation| matches!(operation, Operation::Remove { kind: k, .. } if *k == kind);
            let gone: Vec<usize> = operations
                .iter()
                .filter(is_ours)
                .filter_map(|operation| match operation {
                    Operation::Remove { position, .. } => Some(*position),
                    _ => None,
                })
                .collect();
            let Some((_, (key, list))) = root.pair(kind.list_key()) else {
                continue;
            };
            if !gone.is_empty() {
                self.remove_items(key, list, &gone)?;
            }
            let new = new_items(operations, kind);
            if !new.is_empty() {
                self.add_items(root, *flow, key, list, &new)?;
            }
        }
        if let Some(name) = new_current(operations)
            && let Some((_, (key, value))) = root.pair("current-context")
        {
            self.set_value(*flow, key, value, &Node::text(name))?;
        }
        let missing = new_root_pairs(operations, |key| root.pair(key).is_none());
        if missing.is_empty() {
            return Ok(());
        }
        let Some((first, last)) = pairs.first().zip(pairs.last()).filter(|_| !*flow) else {
            let missing: Vec<_> = missing.iter().map(|(key, node)| (Some(*key), node)).collect();
            return self.edit_flow(root, &[], &missing);
        };
        let column = self.column(first.0.start);
        let dash = self.dash_column(root).unwrap_or(column);
        let lines = missing
            .iter()
            .map(|(key, node)| format!("{}{}", self.newline, root_pair(key, node, column, dash, self.newline)));
        let lines = lines.collect();
        self.insert_after_line(self.pair_end(last), lines);
        Ok(())
    }

    fn alter(
        &mut self,
        root: &DocumentText<'_>,
        kind: Kind,
        position: usize,
        change: &BodyChange,
    ) -> Result<(), Obstacle> {
        let list = root.pair(kind.list_key()).map(|(_, (_, list))| &list.content);
        let item = match list {
            Some(Content::List { items, .. }) => items.get(position),
            _ => None,
        };
        let Some((item, Content::Map { flow, .. })) = item.map(|item| (item, &item.content)) else {
            return Err(format!("an item of `{}` comes from an alias", kind.list_key()));
        };
        match (item.pair(kind.body_key()), change) {
            (None, BodyChange::Replace(body)) => self.add_pair(item, kind.body_key(), body),
            (Some((_, (key, value))), BodyChange::Replace(body)) => self.set_value(*flow, key, value, body),
            (Some((_, (_, value))), BodyChange::Fields { set, unset }) => match &value.content {
                Content::Map { .. } => self.set_fields(value, set, unset),
                _ => Err(format!("the contents of a {kind} come from an alias")),
            },
            (Some((_, (_, value))), BodyChange::Exec { set, unset, .. }) => {
                let Some((_, (_, exec))) = value.pair("exec") else {
                    return Err(format!("the contents of a {kind} come from an alias or a merge key"));
                };
                if !matches!(exec.content, Content::Map { .. }) {
                    return Err("an `exec` comes from an alias".to_owned());
                }
                self.set_fields(exec, set, &[])?;
                self.set_fields(value, &[], unset)
            }
            (None, BodyChange::Fields { .. } | BodyChange::Exec { .. }) => {
                Err(format!("the contents of a {kind} come from a merge key"))
            }
        }
    }

    /// A new value for a key.
    fn set_value(
        &mut self,
        flow: bool,
        key: &DocumentText<'_>,
        value: &DocumentText<'_>,
        new: &Node,
    ) -> Result<(), Obstacle> {
        if flow {
            return self.set_flow_value(key, value, new);
        }
        let colon = self.after_colon(key)?;
        if let Node::Map(pairs) = new {
            let column = match &value.content {
                Content::Map { flow: false, pairs } => pairs.first().map(|(key, _)| self.column(key.start)),
                _ => None,
            };
            let column = column.unwrap_or(self.column(key.start) + 2);
            let lines = yaml_writer::pairs(pairs, column, self.newline);
            self.set_lines(colon, value, &lines);
            return Ok(());
        }
        if let (Node::List(items), Content::List { flow: false, .. }) = (new, &value.content) {
            let column = self.column(self.first_dash(key, value)?);
            let lines = yaml_writer::items(items, column, self.newline);
            self.set_lines(colon, value, &lines);
            return Ok(());
        }
        if let Some(literal) = yaml_writer::literal(new, self.column(key.start), self.newline)
            && self.line_end(value.end.max(colon)) == value.end.max(colon)
        {
            self.replace(colon, value.end.max(colon), format!(" {literal}"));
            return Ok(());
        }
        // Aligned values stay aligned; an anchor or tag before the old value goes with it.
        let between = self.text.get(colon..value.start).unwrap_or_default();
        let is_aligned = !value.is_empty() && between.chars().all(|c| c == ' ');
        let scalar = yaml_writer::json_or_scalar(new);
        if is_aligned {
            self.replace(value.start, value.end, scalar);
        } else {
            self.replace(colon, value.end.max(colon), format!(" {scalar}"));
        }
        Ok(())
    }

    /// Puts lines in place of a value; a comment behind the key or behind the old value stays.
    fn set_lines(&mut self, colon: usize, value: &DocumentText<'_>, lines: &str) {
        let newline = self.newline;
        if value.is_block() {
            self.replace(self.line_end(colon), value.end, format!("{newline}{lines}"));
        } else {
            let end = value.end.max(colon);
            let line_end = self.line_end(end);
            let rest = self.text.get(end..line_end).unwrap_or_default().trim_end();
            self.replace(colon, line_end, format!("{rest}{newline}{lines}"));
        }
    }

    fn add_pair(&mut self, map: &DocumentText<'_>, key: &'static str, value: &Node) -> Result<(), Obstacle> {
        match &map.content {
            Content::Map { flow: false, pairs } => {
                let (Some(first), Some(last)) = (pairs.first(), pairs.last()) else {
                    return Err("an empty mapping".to_owned());
                };
                let column = self.column(first.0.start);
                let pair = yaml_writer::pairs(&[(key, value.clone())], column, self.newline);
                self.insert_after_line(self.pair_end(last), format!("{}{pair}", self.newline));
                Ok(())
            }
            _ => self.edit_flow(map, &[], &[(Some(key), value)]),
        }
    }

    /// Sets and removes fields of a mapping.
    fn set_fields(
        &mut self,
        map: &DocumentText<'_>,
        set: &[(&'static str, Node)],
        unset: &[&'static str],
    ) -> Result<(), Obstacle> {
        let Content::Map { flow, pairs } = &map.content else {
            return Err("not a mapping".to_owned());
        };
        let mut new: Vec<(&'static str, Node)> = Vec::new();
        for (name, node) in set {
            match map.pair(name) {
                Some((_, (key, value))) => self.set_value(*flow, key, value, node)?,
                None => new.push((name, node.clone())),
            }
        }
        let mut gone = Vec::new();
        for name in unset {
            let found = map.pair(name);
            if map.has_twice(name) {
                return Err(format!("`{name}` is there twice"));
            }
            gone.push(found.ok_or_else(|| format!("`{name}` comes from a merge key"))?.0);
        }
        if *flow {
            let new: Vec<_> = new.iter().map(|(key, node)| (Some(*key), node)).collect();
            return self.edit_flow(map, &gone, &new);
        }
        let column = pairs.first().map_or(0, |(key, _)| self.column(key.start));
        let lines = yaml_writer::pairs(&new, column, self.newline);
        let kept = pairs.iter().enumerate().rev().find(|(at, _)| !gone.contains(at));
        if !new.is_empty() {
            if let Some((_, last)) = kept {
                self.insert_after_line(self.pair_end(last), format!("{}{lines}", self.newline));
            } else {
                // All of it goes: the new lines take the place of the first one.
                let first = pairs.first().ok_or("an empty mapping")?;
                gone.retain(|at| *at != 0);
                let line_end = self.line_end(self.pair_end(first));
                self.replace(first.0.start, line_end, lines.trim_start().to_owned());
            }
        }
        for (_, pair) in pairs.iter().enumerate().filter(|(at, _)| gone.contains(at)) {
            self.remove_lines(pair.0.start, self.pair_end(pair))?;
        }
        Ok(())
    }

    fn add_items(
        &mut self,
        root: &DocumentText<'_>,
        root_flow: bool,
        key: &DocumentText<'_>,
        list: &DocumentText<'_>,
        new: &[Node],
    ) -> Result<(), Obstacle> {
        match &list.content {
            Content::List { flow: false, items } => {
                let dash = self.first_dash(key, list)?;
                let end = items.last().map_or(list.end, |item| item.end);
                let lines = yaml_writer::items(new, self.column(dash), self.newline);
                self.insert_after_line(end, format!("{}{lines}", self.newline));
                Ok(())
            }
            Content::Alias => Err("a list is an alias".to_owned()),
            // A list with a comment between its brackets stays in flow style.
            Content::List { .. } if !self.is_hollow(list) => {
                let new: Vec<_> = new.iter().map(|node| (None, node)).collect();
                self.edit_flow(list, &[], &new)
            }
            _ if root_flow => self.set_flow_value(key, list, &Node::List(new.to_vec())),
            _ => {
                let column = self.dash_column(root).unwrap_or(self.column(key.start));
                let lines = yaml_writer::items(new, column, self.newline);
                let colon = self.after_colon(key)?;
                self.set_lines(colon, list, &lines);
                Ok(())
            }
        }
    }

    fn remove_items(
        &mut self,
        key: &DocumentText<'_>,
        list: &DocumentText<'_>,
        gone: &[usize],
    ) -> Result<(), Obstacle> {
        let Content::List { flow, items } = &list.content else {
            return Err("a list is an alias".to_owned());
        };
        if *flow {
            return self.edit_flow(list, gone, &[]);
        }
        if gone.len() == items.len() {
            let colon = self.after_colon(key)?;
            self.replace(colon, colon, " []".to_owned());
        }
        let mut dash = self.first_dash(key, list)?;
        for (position, item) in items.iter().enumerate() {
            if position > 0 {
                let before = items.get(position - 1).map_or(dash, |item| item.end);
                dash = self.next_dash(self.line_end(before))?;
            }
            if gone.contains(&position) {
                self.remove_lines(dash, item.end)?;
            }
        }
        Ok(())
    }
}

/// `key:` and its list (dashes at `dash`) or scalar, at column `column`.
fn root_pair(key: &str, node: &Node, column: usize, dash: usize, newline: &str) -> String {
    let pad = " ".repeat(column);
    match node {
        Node::List(list) => format!("{pad}{key}:{newline}{}", yaml_writer::items(list, dash, newline)),
        _ => format!("{pad}{}", yaml_writer::pair(key, node, column, newline)),
    }
}

fn new_items(operations: &[Operation], kind: Kind) -> Vec<Node> {
    let item = |operation: &Operation| match operation {
        Operation::Add { kind: k, name, body } if *k == kind => Some(item(kind, name, body)),
        _ => None,
    };
    operations.iter().filter_map(item).collect()
}

fn new_current(operations: &[Operation]) -> Option<&str> {
    operations.iter().find_map(|operation| match operation {
        Operation::Current(name) => Some(name.as_str()),
        _ => None,
    })
}

/// The top-level pairs that are to be added, of those that `is_missing`.
fn new_root_pairs(operations: &[Operation], is_missing: impl Fn(&str) -> bool) -> Vec<(&'static str, Node)> {
    let lists = Kind::ALL.map(|kind| (kind.list_key(), new_items(operations, kind)));
    let mut pairs: Vec<(&'static str, Node)> = lists
        .into_iter()
        .filter(|(key, list)| !list.is_empty() && is_missing(key))
        .map(|(key, list)| (key, Node::List(list)))
        .collect();
    if let Some(name) = new_current(operations)
        && is_missing("current-context")
    {
        pairs.push(("current-context", Node::text(name)));
    }
    pairs
}
