//! The notation: a file's tree with the byte range of every node, so that an edit is a splice and all other bytes stay.

use std::borrow::Cow;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StructureStyle};

/// One node of the file.
#[derive(Debug)]
pub(crate) struct DocumentText<'t> {
    /// Where its content begins (after an anchor or tag; a block scalar: after its header).
    pub(crate) start: usize,
    /// Where its content ends (a block scalar: before the line break of its last line).
    pub(crate) end: usize,
    pub(crate) content: Content<'t>,
}

/// What a node is.
#[derive(Debug)]
pub(crate) enum Content<'t> {
    Scalar(Cow<'t, str>),
    Alias,
    List {
        flow: bool,
        items: Vec<DocumentText<'t>>,
    },
    Map {
        flow: bool,
        pairs: Vec<(DocumentText<'t>, DocumentText<'t>)>,
    },
}

impl<'t> DocumentText<'t> {
    /// The pair with this key, with its position; the last one counts if there are several.
    pub(crate) fn pair(&self, name: &str) -> Option<(usize, &(Self, Self))> {
        let Content::Map { pairs, .. } = &self.content else {
            return None;
        };
        let is_named = |(key, _): &(Self, Self)| matches!(&key.content, Content::Scalar(text) if text == name);
        pairs.iter().enumerate().rfind(|(_, pair)| is_named(pair))
    }

    /// Whether a key is there more than once.
    pub(crate) fn has_twice(&self, name: &str) -> bool {
        let Content::Map { pairs, .. } = &self.content else {
            return false;
        };
        let is_named = |(key, _): &&(Self, Self)| matches!(&key.content, Content::Scalar(text) if text == name);
        pairs.iter().filter(is_named).count() > 1
    }

    /// Whether it is a list or mapping in block style.
    pub(crate) fn is_block(&self) -> bool {
        matches!(
            self.content,
            Content::List { flow: false, .. } | Content::Map { flow: false, .. }
        )
    }

    /// Whether it is written as nothing at all, as in `users:`.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.content, Content::Scalar(_)) && self.start == self.end
    }

    fn close(&mut self, end: usize) {
        let last = match &self.content {
            Content::List { flow: false, items } => items.last().map(|item| item.end),
            Content::Map { flow: false, pairs } => pairs.last().map(|(key, value)| key.end.max(value.end)),
            _ => Some(end),
        };
        self.end = last.unwrap_or(self.start);
    }

    fn push(&mut self, child: DocumentText<'t>, key: &mut Option<DocumentText<'t>>) {
        match &mut self.content {
            Content::List { items, .. } => items.push(child),
            Content::Map { pairs, .. } => match key.take() {
                None => *key = Some(child),
                Some(key) => pairs.push((key, child)),
            },
            Content::Scalar(_) | Content::Alias => {}
        }
    }
}

/// Reads the tree of a text that the strict reading has accepted; `None` if there is no content.
pub(crate) fn parse(text: &str) -> Result<Option<DocumentText<'_>>, ScanError> {
    let options = granit_parser::options! { emit_comments: false };
    let mut root = None;
    let mut open: Vec<(DocumentText<'_>, Option<DocumentText<'_>>)> = Vec::new();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event?;
        let (start, end) = range(&span);
        let node = |content| DocumentText { start, end, content };
        let done = match event {
            Event::SequenceStart(style, ..) => {
                let (flow, items) = (style == StructureStyle::Flow, Vec::new());
                open.push((node(Content::List { flow, items }), None));
                continue;
            }
            Event::MappingStart(style, ..) => {
                let (flow, pairs) = (style == StructureStyle::Flow, Vec::new());
                open.push((node(Content::Map { flow, pairs }), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                None => continue,
                Some((mut collection, _)) => {
                    collection.close(end);
                    collection
                }
            },
            Event::Scalar(value, style, ..) => {
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let end = if is_block {
                    block_scalar_end(text, end, &value)
                } else {
                    end
                };
                DocumentText {
                    start: start.min(end),
                    end,
                    content: Content::Scalar(value),
                }
            }
            Event::Alias(_) => node(Content::Alias),
            // What follows is not kubectl's business, and not ours.
            Event::DocumentEnd => break,
            _ => continue,
        };
        match open.last_mut() {
            Some((parent, key)) => parent.push(done, key),
            None => root = Some(done),
        }
    }
    Ok(root)
}

/// The part of a text that is its first document: all of it, as a rule.
pub(crate) fn first(text: &str) -> &str {
    let is_marker = |line: &str| line.starts_with("---") || line.starts_with("...");
    if !text.lines().skip(1).any(is_marker) {
        return text;
    }
    let options = granit_parser::options! { emit_comments: false };
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((Event::DocumentEnd, span)) => return text.get(..range(&span).0).unwrap_or(text),
            Ok(_) => {}
            Err(_) => break, // the reading says what is wrong
        }
    }
    text
}

fn range(span: &Span) -> (usize, usize) {
    // Always there when the parser was given a `str`.
    let start = span.start.byte_offset().unwrap_or_default();
    (start, span.end.byte_offset().unwrap_or(start))
}

/// The parser's span of a block scalar reaches to the next token; cut it before the last line break that belongs to it.
fn block_scalar_end(text: &str, end: usize, value: &str) -> usize {
    let reach = text.get(..end).unwrap_or_default();
    let (lines, last) = reach.rsplit_once('\n').unwrap_or(("", reach));
    if !last.trim().is_empty() {
        return end;
    }
    // Blank lines behind the text belong to it only if they show in the value (`|+`, or spaces beyond the indentation).
    let has_blank_end = value.ends_with("\n\n") || value.trim_end_matches('\n').ends_with([' ', '\t']) || value == "\n";
    let mut kept = lines;
    while !has_blank_end
        && let Some((rest, line)) = kept.rsplit_once('\n')
        && line.trim().is_empty()
    {
        kept = rest;
    }
    kept.strip_suffix('\r').unwrap_or(kept).len()
}
