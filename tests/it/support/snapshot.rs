//! Texts as files: what users read lies in `tests/cmd/`, and changing words means changing a file on purpose.
//!
//! `BLESS=1` writes what is; read it before it is committed.

use std::fs;
use std::path::Path;

/// Fails if `text` is not what `tests/cmd/NAME` holds.
#[track_caller]
pub(crate) fn check_text(name: &str, text: &str) {
    check_text_at(&super::in_repository("tests/cmd").join(name), text);
}

/// Fails if `text` is not what the file holds.
#[track_caller]
pub(crate) fn check_text_at(path: &Path, text: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        return;
    }
    let name = path.strip_prefix(super::in_repository("")).unwrap_or(path).display();
    let expected = fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}; it would be\n{text}"));
    assert!(
        expected == text,
        "{name} differs (BLESS=1 writes what is)\n--- expected\n{expected}\n--- is\n{text}"
    );
}

/// The text with known values replaced, and ports, times, spans and request ids as well.
pub(crate) fn elided(text: &str, known: &[(String, String)]) -> String {
    let mut text = text.to_owned();
    for (value, name) in known {
        text = text.replace(value, name);
    }
    let text = after_each(&text, "127.0.0.1:", |c| c.is_ascii_digit(), "[PORT]");
    let text = after_each(&text, "request `", |c| c.is_ascii_hexdigit(), "[REQUEST]");
    let text = after_each(&text, "certificate-authority-data: ", |c| c != '\n', "[CA]");
    let text = after_each(&text, "certificate: valid for ", |c| c != '(' && c != '\n', "[SPAN] ");
    let text = after_each(&text, "broke off: ", |c| c != '\n', "[REASON]");
    let times = [
        "until ",
        "expired at ",
        "not valid before ",
        "verification time ",
        "not valid after ",
    ];
    let is_in_time = |c: char| c.is_ascii_digit() || "-: UTC".contains(c);
    let text = times
        .iter()
        .fold(text, |text, word| after_each(&text, word, is_in_time, "[TIME]"));
    let text = after_each(&text, "[TIME](", |c| c.is_ascii_digit(), "[NUMBER]");
    let text = after_each(&text, "secondsLeft\": ", |c| c.is_ascii_digit(), "[SECONDS]");
    let text = after_each(&text, "secondsLeft: ", |c| c.is_ascii_digit(), "[SECONDS]");
    without_timestamps(&text)
}

/// Replaces what begins like `2026-11-22T08:` or `2026-11-22 08:`, with what belongs to it.
fn without_timestamps(text: &str) -> String {
    let is_timestamp = |text: &str| {
        let shape: String = text
            .chars()
            .take(14)
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect();
        ["0000-00-00T00:", "0000-00-00 00:"].contains(&shape.as_str())
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if is_timestamp(rest) {
            rest = rest[14..].trim_start_matches(|c: char| c.is_ascii_digit() || ":.Z".contains(c));
            rest = rest.strip_prefix(" UTC").unwrap_or(rest);
            out.push_str("[TIME]");
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// Replaces what follows each `word`, as far as `is_value`.
fn after_each(text: &str, word: &str, is_value: impl Fn(char) -> bool, name: &str) -> String {
    let mut parts = text.split(word);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(&is_value);
        out.push_str(word);
        out.push_str(if rest.len() == part.len() { "" } else { name });
        out.push_str(rest);
    }
    out
}
