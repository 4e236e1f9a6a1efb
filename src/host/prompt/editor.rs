//! One line that is being typed, with the keys that shells have taught everybody (Ctrl-A, -E, -U, -W, -K and their kin).

use crate::host::prompt::LONGEST_ANSWER;
use crate::sanitize::is_unsafe;
use zeroize::Zeroizing;

/// A key, as far as it means something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Sign(char),
    /// Ctrl with a letter, in lower case.
    Control(char),
    /// Alt with a letter, in lower case.
    Alt(char),
    Backspace,
    /// Backspace with Alt or Ctrl.
    WordBackspace,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Up,
    Down,
    PageUp,
    PageDown,
    Tab,
    Enter,
    Escape,
}

/// The line. What was typed may be a secret: it is wiped in the end.
#[derive(Default)]
pub(super) struct Editor {
    signs: Zeroizing<Vec<char>>,
    cursor: usize,
}

impl Editor {
    pub(super) fn new(text: &str) -> Self {
        let mut editor = Self {
            // So many that it does not grow, which would leave copies behind.
            signs: Zeroizing::new(Vec::with_capacity(LONGEST_ANSWER + 1)),
            cursor: 0,
        };
        editor.insert(text);
        editor
    }

    pub(super) fn text(&self) -> Zeroizing<String> {
        let mut text = String::with_capacity(self.signs.len() * 4);
        text.extend(self.signs.iter());
        Zeroizing::new(text)
    }

    pub(super) fn signs(&self) -> &[char] {
        &self.signs
    }

    pub(super) fn cursor(&self) -> usize {
        self.cursor
    }

    /// Types all of this, what cannot be shown left out. A line that is too long takes no more.
    pub(super) fn insert(&mut self, text: &str) {
        for sign in text.chars().filter(|sign| !is_unsafe(*sign)) {
            if self.signs.len() <= LONGEST_ANSWER {
                self.signs.insert(self.cursor, sign);
                self.cursor += 1;
            }
        }
    }

    /// Does what the key says; `false` if it says nothing to a line.
    pub(super) fn press(&mut self, key: Key) -> bool {
        match key {
            Key::Sign(sign) => self.insert(sign.encode_utf8(&mut [0; 4])),
            Key::Backspace | Key::Control('h') => self.remove(self.cursor.saturating_sub(1), self.cursor),
            Key::Delete | Key::Control('d') => self.remove(self.cursor, self.cursor + 1),
            Key::Control('u') => self.remove(0, self.cursor),
            Key::Control('k') => self.remove(self.cursor, self.signs.len()),
            Key::Control('w') | Key::WordBackspace => self.remove(self.word_left(), self.cursor),
            Key::Alt('d') => self.remove(self.cursor, self.word_right()),
            Key::Home | Key::Control('a') => self.cursor = 0,
            Key::End | Key::Control('e') => self.cursor = self.signs.len(),
            Key::Left | Key::Control('b') => self.cursor = self.cursor.saturating_sub(1),
            Key::Right | Key::Control('f') => self.cursor = (self.cursor + 1).min(self.signs.len()),
            Key::WordLeft | Key::Alt('b') => self.cursor = self.word_left(),
            Key::WordRight | Key::Alt('f') => self.cursor = self.word_right(),
            _ => return false,
        }
        true
    }

    fn remove(&mut self, from: usize, to: usize) {
        let to = to.min(self.signs.len()).max(from);
        self.signs.drain(from..to);
        self.cursor = from;
    }

    /// Where the word begins that ends at the cursor or before it.
    fn word_left(&self) -> usize {
        let before = self.signs.iter().take(self.cursor).rev();
        let blanks = before.clone().take_while(|sign| sign.is_whitespace()).count();
        let word = before.skip(blanks).take_while(|sign| !sign.is_whitespace()).count();
        self.cursor - blanks - word
    }

    fn word_right(&self) -> usize {
        let after = self.signs.iter().skip(self.cursor);
        let blanks = after.clone().take_while(|sign| sign.is_whitespace()).count();
        let word = after.skip(blanks).take_while(|sign| !sign.is_whitespace()).count();
        self.cursor + blanks + word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line after these keys, `|` where the cursor stands.
    fn after(text: &str, keys: &[Key]) -> String {
        let mut editor = Editor::new(text);
        for key in keys {
            assert!(editor.press(*key), "{key:?}");
        }
        let mut shown: String = editor.text().to_string();
        let at = editor
            .signs()
            .iter()
            .take(editor.cursor())
            .map(|sign| sign.len_utf8())
            .sum();
        shown.insert(at, '|');
        shown
    }

    #[test]
    fn the_keys_of_every_shell_are_known() {
        let control = Key::Control;
        assert_eq!(after("one two", &[control('u')]), "|");
        assert_eq!(after("one two", &[control('w')]), "one |");
        assert_eq!(after("one two  ", &[control('w')]), "one |");
        assert_eq!(after("one two", &[control('a'), Key::Sign('x')]), "x|one two");
        assert_eq!(
            after("one two", &[control('a'), control('e'), Key::Sign('x')]),
            "one twox|"
        );
        assert_eq!(after("one two", &[Key::WordLeft, control('k')]), "one |");
        assert_eq!(after("one two", &[Key::WordLeft, control('u')]), "|two");
        assert_eq!(after("one two", &[control('b'), control('h'), control('d')]), "one t|");
        assert_eq!(
            after("one two", &[Key::Alt('b'), Key::Alt('b'), Key::Alt('d')]),
            "| two"
        );
        assert_eq!(after("one two", &[Key::Home, Key::WordRight, Key::Right]), "one |two");
        assert_eq!(after("北京四", &[Key::Left, Key::Backspace]), "北|四");
        assert_eq!(
            after("", &[Key::Backspace, Key::Delete, Key::Left, Key::Right, control('w')]),
            "|"
        );
    }

    #[test]
    fn no_other_key_types_a_letter() {
        let mut editor = Editor::new("");
        for key in ['c', 'g', 'r', 't', 'x', 'z'].map(Key::Control) {
            assert!(!editor.press(key));
        }
        assert!(!editor.press(Key::Alt('x')));
        editor.insert("a\u{1b}[31m\nb");
        assert_eq!(*editor.text(), "a[31mb");
    }

    #[test]
    fn a_line_has_an_end() {
        let mut editor = Editor::new(&"x".repeat(10_000));
        editor.press(Key::Sign('y'));
        assert_eq!(editor.signs().len(), LONGEST_ANSWER + 1);
    }
}
