//! Whether a text can be the secret that it is given as: what an editor, a pipe or a copy has broken is said where it enters, and not by
//! the network or the cloud.

use super::Secret;

/// What a secret is used for, which says what it may consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecretShape {
    /// A key or a token: it signs, or stands in a header.
    Key,
    /// A password or passcode: it stands in a JSON body, so it may hold blanks and any letter.
    Password,
}

/// Why a text cannot be the secret; never with a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidSecret {
    /// Nothing is left of it.
    #[error("it is empty")]
    Empty,
    /// The bytes are no text.
    #[error("it is not UTF-8 text")]
    NotText,
    /// A line break, as a copied or wrapped line has one.
    #[error("it holds a line break")]
    LineBreak,
    /// Another control character.
    #[error("it holds a control character")]
    Control,
    /// A blank inside of what has none.
    #[error("it holds a blank")]
    Blank,
    /// A letter that no key has.
    #[error("it holds a character that is not ASCII")]
    NotAscii,
}

impl SecretShape {
    /// The secret, without a byte-order mark before it and blanks around it.
    pub(crate) fn check(self, text: &str) -> Result<Secret<String>, InvalidSecret> {
        let text = text.trim().trim_start_matches('\u{feff}').trim();
        let problem = |c: char| match c {
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => Some(InvalidSecret::LineBreak),
            c if c.is_control() => Some(InvalidSecret::Control),
            // Nobody sees or types it: it came with a file.
            '\u{feff}' | '\u{200b}' => Some(InvalidSecret::NotAscii),
            _ if self == Self::Password => None,
            c if c.is_whitespace() => Some(InvalidSecret::Blank),
            c if !c.is_ascii() => Some(InvalidSecret::NotAscii),
            _ => None,
        };
        match text.chars().find_map(problem) {
            Some(problem) => Err(problem),
            None if text.is_empty() => Err(InvalidSecret::Empty),
            None => Ok(Secret::new(text.to_owned())),
        }
    }

    /// [`Self::check`] of what may not even be text.
    pub(crate) fn check_bytes(self, bytes: &[u8]) -> Result<Secret<String>, InvalidSecret> {
        self.check(std::str::from_utf8(bytes).map_err(|_| InvalidSecret::NotText)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_surrounds_a_secret_is_not_part_of_it() {
        for text in ["key", " key ", "\u{feff}key\r\n", "key\n", "\t\u{feff} key"] {
            for shape in [SecretShape::Key, SecretShape::Password] {
                assert_eq!(shape.check(text).unwrap().expose(), "key", "{text:?}"); // to compare it
            }
        }
        assert_eq!(
            SecretShape::Password.check(" pass wörd ").unwrap().expose(),
            "pass wörd"
        ); // to compare it
    }

    #[test]
    fn what_no_secret_holds_is_named() {
        use InvalidSecret::{Blank, Control, Empty, LineBreak, NotAscii, NotText};
        for (text, of_key, of_password) in [
            ("", Some(Empty), Some(Empty)),
            ("\u{feff} \r\n", Some(Empty), Some(Empty)),
            ("a\nb", Some(LineBreak), Some(LineBreak)),
            ("a\r\nb", Some(LineBreak), Some(LineBreak)),
            ("a\u{2028}b", Some(LineBreak), Some(LineBreak)),
            ("a\0b", Some(Control), Some(Control)),
            ("a\u{1b}[1mb", Some(Control), Some(Control)),
            ("a\u{feff}b", Some(NotAscii), Some(NotAscii)),
            ("a b", Some(Blank), None),
            ("ä", Some(NotAscii), None),
        ] {
            assert_eq!(SecretShape::Key.check(text).err(), of_key, "{text:?}");
            assert_eq!(SecretShape::Password.check(text).err(), of_password, "{text:?}");
        }
        assert_eq!(SecretShape::Password.check_bytes(b"a\xff").err(), Some(NotText));
    }
}
