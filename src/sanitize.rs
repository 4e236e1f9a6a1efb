//! Text that came from outside (servers, certificates, files) made safe for a terminal: no control characters, no
//! direction overrides, and short.

/// The most characters of a server's text that a message shows.
const LIMIT: usize = 300;

/// Returns `text` on one line: white space folded, control and invisible formatting characters escaped, at most 300 characters.
pub fn sanitize(text: &str) -> String {
    let mut out = String::new();
    let words = text.split_whitespace();
    for (i, word) in words.enumerate() {
        if i > 0 {
            out.push(' ');
        }
        for c in word.chars() {
            if c.is_control() || is_invisible_format(c) {
                out.extend(c.escape_unicode());
            } else {
                out.push(c);
            }
        }
        if out.chars().count() > LIMIT {
            let mut short: String = out.chars().take(LIMIT).collect();
            short.push('…');
            return short;
        }
    }
    out
}

/// Zero-width, bidirectional and tag characters, which make a text look like another one.
fn is_invisible_format(c: char) -> bool {
    matches!(c, '\u{00ad}' | '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::sanitize;

    #[test]
    fn escape_sequences_and_direction_overrides_do_not_reach_the_terminal() {
        assert_eq!(sanitize("a\u{1b}[31mb\n\tc\u{202e}d"), "a\\u{1b}[31mb c\\u{202e}d");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(sanitize(&"x".repeat(5000)).chars().count(), 301);
    }
}
