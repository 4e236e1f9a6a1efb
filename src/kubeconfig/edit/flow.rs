//! Splices in flow style, which JSON is: what is inserted is JSON, laid out like its neighbours.

use crate::kubeconfig::edit::document::{Content, DocumentText};
use crate::kubeconfig::edit::node::Node;
use crate::kubeconfig::edit::splice::{Obstacle, Splicer};
use crate::kubeconfig::edit::yaml_writer::{self, Layout};

impl Splicer<'_> {
    /// A new value for a key in a flow mapping.
    pub(crate) fn set_flow_value(
        &mut self,
        key: &DocumentText<'_>,
        value: &DocumentText<'_>,
        new: &Node,
    ) -> Result<(), Obstacle> {
        let json = yaml_writer::json(new, self.layout(key.start).as_ref(), self.newline);
        if value.is_empty() {
            let colon = self.after_colon(key)?;
            self.replace(colon, colon, format!(" {json}"));
        } else {
            self.replace(value.start, value.end, json);
        }
        Ok(())
    }

    /// Removes and appends children of a flow list (keys `None`) or mapping.
    pub(crate) fn edit_flow(
        &mut self,
        collection: &DocumentText<'_>,
        gone: &[usize],
        new: &[(Option<&'static str>, &Node)],
    ) -> Result<(), Obstacle> {
        let children: Vec<(usize, usize)> = match &collection.content {
            Content::List { flow: true, items } => items.iter().map(|item| (item.start, item.end)).collect(),
            Content::Map { flow: true, pairs } => {
                pairs.iter().map(|pair| (pair.0.start, self.pair_end(pair))).collect()
            }
            _ => return Err("an alias stands where a collection is needed".to_owned()),
        };
        let (Some(first), Some(last)) = (children.first(), children.last()) else {
            let open = collection.start + 1;
            let new = new.iter().map(|(key, node)| self.child(*key, node, None));
            let new = new.collect::<Vec<_>>().join(", ");
            self.replace(open, open, new);
            return Ok(());
        };
        let layout = self.layout(last.0);
        let new = new
            .iter()
            .map(|(key, node)| self.child(*key, node, layout.as_ref()))
            .collect::<Vec<_>>();
        let before_each = layout
            .as_ref()
            .map_or(" ".to_owned(), |layout| format!("{}{}", self.newline, layout.prefix));
        let kept = (0..children.len()).rev().find(|at| !gone.contains(at));
        let Some((kept, end)) = kept.and_then(|at| Some((at, children.get(at)?.1))) else {
            let (open, close) = (collection.start + 1, collection.end.saturating_sub(1));
            let is_hollow = self.is_blank(open, first.0) && self.is_blank(last.1, close);
            let (start, end) = if is_hollow && new.is_empty() {
                (open, close)
            } else {
                (first.0, last.1)
            };
            self.replace(start, end, new.join(&format!(",{before_each}")));
            return Ok(());
        };
        let before_kept = children.iter().zip(children.iter().skip(1)).take(kept).enumerate();
        for (_, (child, next)) in before_kept.filter(|(at, _)| gone.contains(at)) {
            self.replace(child.0, next.0, String::new());
        }
        let new: Vec<String> = new.into_iter().map(|child| format!(",{before_each}{child}")).collect();
        self.replace(end, last.1, new.concat());
        Ok(())
    }

    fn child(&self, key: Option<&str>, node: &Node, layout: Option<&Layout>) -> String {
        let json = yaml_writer::json(node, layout, self.newline);
        key.map_or(json.clone(), |key| format!("\"{key}\": {json}"))
    }

    /// The layout of what begins here, if it begins a line.
    fn layout(&self, start: usize) -> Option<Layout> {
        let prefix = self.line_prefix(start);
        let is_own_line = prefix.chars().all(|c| c == ' ' || c == '\t');
        is_own_line.then(|| Layout {
            prefix: prefix.to_owned(),
            step: self.step(),
        })
    }

    /// One step of indentation: that of the first indented line.
    fn step(&self) -> String {
        let indented = self.text.lines().map(|line| {
            let body = line.trim_start_matches([' ', '\t']);
            (line.len() - body.len(), line, body)
        });
        indented
            .filter(|(width, _, body)| *width > 0 && !body.is_empty())
            .find_map(|(width, line, _)| line.get(..width))
            .unwrap_or("  ")
            .to_owned()
    }

    /// Whether nothing but white space stands between the brackets of an empty flow collection; true for anything else that is empty.
    pub(crate) fn is_hollow(&self, collection: &DocumentText<'_>) -> bool {
        self.is_blank(collection.start + 1, collection.end.saturating_sub(1))
    }

    fn is_blank(&self, start: usize, end: usize) -> bool {
        self.text
            .get(start..end)
            .is_none_or(|between| between.trim().is_empty())
    }
}
