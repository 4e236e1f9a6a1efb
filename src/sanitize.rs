//! The one door for text that came from outside (servers, certificates, files, arguments) to a terminal, a shell or a clipboard: no control
//! characters, no direction overrides, no line of its own, and short where it is quoted in a sentence.
//!
//! `Host::say` and `Host::print` lead everything through here, so that no caller can forget it; callers use [`sanitize`] to quote, and
//! [`shell_word`] in commands that they propose.

use std::fmt::Write as _;

/// The most characters of a server's text that a message shows.
const LIMIT: usize = 300;

/// Returns `text` on one line: white space folded, control and invisible formatting characters escaped, at most 300 characters.
pub(crate) fn sanitize(text: &str) -> String {
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let out = escaped(&folded, |_| false);
    match out.char_indices().nth(LIMIT) {
        Some((end, _)) => out.get(..end).unwrap_or_default().to_owned() + "…",
        None => out,
    }
}

/// A line that is ours as a whole: what a part of it brought along and a terminal would obey is escaped, line breaks too.
pub(crate) fn line(text: &str) -> String {
    escaped(text, |_| false)
}

/// A document: the same, but for its line breaks and tabs.
pub(crate) fn document(text: &str) -> String {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

/// A JSON document whose strings show what is invisible, as JSON escapes it; what it means stays the same.
pub(crate) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && is_unsafe(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}"); // to memory
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// A name that any shell takes as it is, however it got onto the command line: nothing in it starts anything, separates or is expanded.
pub(crate) fn is_harmless(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.,:/@%+=".contains(c);
    !name.is_empty() && name.chars().all(is_plain)
}

/// A word as a POSIX shell reads it back: quoted where it must be, and on one line.
pub(crate) fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.,:/@%+=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    if word.chars().any(is_unsafe) {
        // `$'…'` names what cannot be seen, so that what is pasted is what was meant.
        let mut out = String::from("$'");
        for c in word.chars() {
            match c {
                '\'' | '\\' => out.extend(['\\', c]),
                c if is_unsafe(c) => {
                    let _ = write!(out, "\\U{:08x}", u32::from(c)); // to memory
                }
                c => out.push(c),
            }
        }
        return out + "'";
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn escaped(text: &str, is_kept: fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) && !is_kept(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// What a terminal obeys, or does not show.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control() || is_invisible_format(c)
}

/// Zero-width, bidirectional and tag characters, which make a text look like another one.
fn is_invisible_format(c: char) -> bool {
    matches!(c, '\u{00ad}' | '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_direction_overrides_do_not_reach_the_terminal() {
        assert_eq!(sanitize("a\u{1b}[31mb\n\tc\u{202e}d"), "a\\u{1b}[31mb c\\u{202e}d");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(sanitize(&"x".repeat(5000)).chars().count(), 301);
    }

    #[test]
    fn a_line_stays_one_and_a_document_keeps_its_own() {
        assert_eq!(line("a  b\nhint: c\r\u{9b}31m"), "a  b\\u{a}hint: c\\u{d}\\u{9b}31m");
        assert_eq!(document("a\n\tb\u{1b}c\u{2066}\r"), "a\n\tb\\u{1b}c\\u{2066}\\u{d}");
        assert_eq!(line("北京四 é 👍🏽"), "北京四 é 👍🏽");
    }

    #[test]
    fn json_means_the_same_afterwards() {
        let value = serde_json::json!({"name": "a\u{202e}b\u{7f}\u{9b}c\u{e0041}\n\u{1b}"});
        let shown = json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(shown.chars().all(|c| c == '\n' || !is_unsafe(c)), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn a_word_is_read_back_by_a_shell_as_it_was() {
        for word in [
            "prod",
            "eu:prod",
            "with space",
            "dollar$HOME",
            "$(id)",
            "prod;curl x|sh;",
            "it's",
            "",
            "-",
            "#x",
            "~",
            "a\nb",
            "a\u{202e}b",
            "back\\slash\n'",
            "!history",
            "`id`",
            "ü",
        ] {
            let quoted = shell_word(word);
            assert!(!quoted.chars().any(is_unsafe), "{quoted}");
            let script = format!("printf %s {quoted}");
            let output = std::process::Command::new("bash")
                .args(["-c", &script])
                .env("LC_ALL", "C.UTF-8")
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word, "{quoted}");
        }
        assert_eq!(shell_word("prod.eu-de"), "prod.eu-de");
    }
}
