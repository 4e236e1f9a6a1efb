//! Writes our values as block YAML, or as JSON where the file is JSON or in flow style (JSON is valid flow YAML).
//!
//! The same value gives the same bytes always. Scalars are quoted wherever any YAML 1.1 or 1.2 reader could take them for something else.

use std::fmt::Write as _;

use crate::kubeconfig::edit::node::Node;

/// One scalar on one line: plain where no reader could misread it, else double-quoted.
pub(crate) fn scalar(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        double_quoted(text)
    }
}

/// One value on one line of block style.
pub(crate) fn json_or_scalar(node: &Node) -> String {
    match node {
        Node::Text(text) => scalar(text),
        _ => json(node, None, "\n"),
    }
}

fn is_plain(text: &str) -> bool {
    // YAML 1.1 readers (kubectl's) know all of these, in any case.
    const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    let flag = text.strip_prefix("--").unwrap_or(text);
    flag.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && !text.ends_with(':')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_./@+=:".contains(c))
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A double-quoted scalar that YAML and JSON read alike.
pub(crate) fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The pairs of a block mapping, each line indented, without a final line break.
pub(crate) fn pairs(pairs: &[(&'static str, Node)], indent: usize, newline: &str) -> String {
    let pad = " ".repeat(indent);
    let lines: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{pad}{}", pair(key, value, indent, newline)))
        .collect();
    lines.join(newline)
}

/// A text of several lines as the literal behind a key at column `indent`; `None` for what is written otherwise.
pub(crate) fn literal(value: &Node, indent: usize, newline: &str) -> Option<String> {
    let Node::Text(text) = value else { return None };
    let pad = " ".repeat(indent + 2);
    is_literal(text).then(|| {
        let lines: Vec<String> = text.lines().map(|line| format!("{newline}{pad}{line}")).collect();
        format!("|-{}", lines.concat())
    })
}

/// `key: value` for a key at column `indent`, the first line not indented.
pub(crate) fn pair(key: &str, value: &Node, indent: usize, newline: &str) -> String {
    if let Some(literal) = literal(value, indent, newline) {
        return format!("{key}: {literal}");
    }
    match value {
        Node::Text(text) => format!("{key}: {}", scalar(text)),
        Node::Bool(value) => format!("{key}: {value}"),
        Node::List(list) if list.is_empty() => format!("{key}: []"),
        Node::Map(map) if map.is_empty() => format!("{key}: {{}}"),
        Node::List(list) => format!("{key}:{newline}{}", items(list, indent, newline)),
        Node::Map(map) => format!("{key}:{newline}{}", pairs(map, indent + 2, newline)),
    }
}

/// The items of a block list whose dashes stand at column `indent`, without a final line break.
pub(crate) fn items(list: &[Node], indent: usize, newline: &str) -> String {
    let pad = " ".repeat(indent);
    let lines: Vec<String> = list
        .iter()
        .map(|item| match item {
            Node::Text(text) => format!("{pad}- {}", scalar(text)),
            Node::Bool(value) => format!("{pad}- {value}"),
            Node::Map(map) if !map.is_empty() => {
                format!("{pad}- {}", pairs(map, indent + 2, newline).trim_start())
            }
            Node::Map(_) | Node::List(_) => format!("{pad}- {}", json(item, None, newline)),
        })
        .collect();
    lines.join(newline)
}

/// Text of several lines that a literal block keeps exactly.
fn is_literal(text: &str) -> bool {
    let line_is_plain =
        |line: &str| !line.is_empty() && line.trim() == line && line.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    text.contains('\n') && text.split('\n').all(line_is_plain)
}

/// How JSON is laid out over lines: the white space before the value's line, and one step of it.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) prefix: String,
    pub(crate) step: String,
}

impl Layout {
    /// One level further in.
    pub(crate) fn inner(&self) -> Self {
        Self {
            prefix: format!("{}{}", self.prefix, self.step),
            step: self.step.clone(),
        }
    }
}

/// JSON, valid inside any flow YAML too; on one line without a layout.
pub(crate) fn json(node: &Node, layout: Option<&Layout>, newline: &str) -> String {
    let inner = layout.map(Layout::inner);
    let parts: Vec<String> = match node {
        Node::Text(text) => return double_quoted(text),
        Node::Bool(value) => return value.to_string(),
        Node::List(list) => list.iter().map(|item| json(item, inner.as_ref(), newline)).collect(),
        Node::Map(map) => map
            .iter()
            .map(|(key, value)| format!("\"{key}\": {}", json(value, inner.as_ref(), newline)))
            .collect(),
    };
    let (open, close) = if matches!(node, Node::List(_)) {
        ('[', ']')
    } else {
        ('{', '}')
    };
    match (layout, inner) {
        (Some(outer), Some(inner)) if !parts.is_empty() => {
            let pad = format!("{newline}{}", inner.prefix);
            let end = format!("{newline}{}", outer.prefix);
            format!("{open}{pad}{}{end}{close}", parts.join(&format!(",{pad}")))
        }
        _ => format!("{open}{}{close}", parts.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_is_plain_only_where_every_reader_takes_it_for_text() {
        let plain = [
            "default@prod.eu-de",
            "https://10.0.0.1:5443",
            "--cluster-id=4711",
            "/opt/bin/kubectl-cce_login",
            "client.authentication.k8s.io/v1",
            "LS0tLS1CRUdJTg==",
        ];
        for text in plain {
            assert_eq!(scalar(text), text);
        }
        let quoted = [
            "", "on", "Yes", "NULL", "~", "y", "1e3", "0x1f", "4711", "1_000", "10:30", ".inf", "-", "--", "---", "-a",
            "=", "<<", "a:", "a b", "a #b", "#", "*a", "&a", "!a", "'", "\"", "\\", "[", "{", "%a", "@a", "`", "\n",
            " a", "ü", "C:\\bin",
        ];
        for text in quoted {
            assert_eq!(serde_json::from_str::<String>(&scalar(text)).unwrap(), text);
            assert_eq!(serde_saphyr::from_str::<String>(&scalar(text)).unwrap(), text);
        }
    }

    #[test]
    fn what_is_empty_is_written_as_empty_and_not_as_nothing() {
        let (list, map) = (Node::List(Vec::new()), Node::Map(Vec::new()));
        assert_eq!(pair("k", &list, 2, "\n"), "k: []");
        assert_eq!(pair("k", &map, 2, "\n"), "k: {}");
        assert_eq!(items(&[map, list], 2, "\n"), "  - {}\n  - []");
    }

    #[test]
    fn text_of_plain_lines_is_a_literal_block_and_any_other_is_quoted() {
        assert_eq!(
            pair("k", &Node::text("one: 1\n# two"), 2, "\n"),
            "k: |-\n    one: 1\n    # two"
        );
        for text in ["one\n", "one\n\ntwo", " one\ntwo", "one \ntwo", "one\ntü", "one\r\ntwo"] {
            let written = pair("k", &Node::text(text), 0, "\n");
            assert!(written.starts_with("k: \""), "{written}");
        }
    }
}
