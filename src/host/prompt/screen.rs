//! The terminal while a question is drawn on it: its keys, and a few lines that are drawn anew after each of them.

use crate::host::prompt::editor::Key;
use crate::host::real_stderr;
use crossterm::cursor::{MoveToColumn, MoveUp};
use crossterm::event::{
    DisableBracketedPaste, EnableBracketedPaste, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers,
};
use crossterm::style::{Attribute, Color, ResetColor, SetAttribute, SetForegroundColor};
use crossterm::terminal::{Clear, ClearType};
use crossterm::{event, queue, terminal};
use std::io::{self, Write as _};
use unicode_width::UnicodeWidthChar as _;
use zeroize::Zeroizing;

/// The window where the terminal does not tell.
const USUAL_WINDOW: (u16, u16) = (80, 24);

/// How a part of a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    /// What is asked.
    Strong,
    /// What was chosen or is pointed at.
    Chosen,
    /// What helps.
    Faint,
    /// What is wrong.
    Wrong,
}

/// A line as its parts.
pub(super) type Line = Vec<(Look, Zeroizing<String>)>;

/// A part of a line.
pub(super) fn part(look: Look, text: impl Into<String>) -> (Look, Zeroizing<String>) {
    (look, Zeroizing::new(text.into()))
}

/// What came from the keyboard.
pub(super) enum Typed {
    Key(Key),
    /// At once, line breaks included.
    Pasted(Zeroizing<String>),
    /// Ctrl-C.
    Interrupt,
    /// The window has another size.
    Resized,
}

/// The terminal in raw mode; as it was before once this is dropped.
pub(super) struct Screen {
    has_colours: bool,
    /// So many lines above the cursor are ours.
    lines_above: u16,
}

impl Screen {
    pub(super) fn open(has_colours: bool) -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        let screen = Self {
            has_colours,
            lines_above: 0,
        };
        queue!(real_stderr(), EnableBracketedPaste)?;
        real_stderr().flush()?;
        Ok(screen)
    }

    /// Columns and lines.
    pub(super) fn window() -> (usize, usize) {
        let (columns, lines) = terminal::size()
            .ok()
            .filter(|(columns, lines)| *columns > 0 && *lines > 0)
            .unwrap_or(USUAL_WINDOW);
        (usize::from(columns), usize::from(lines))
    }

    /// Draws these in place of what was drawn before; the cursor goes to a column of the line with this number.
    pub(super) fn draw(&mut self, lines: &[Line], cursor: (usize, usize)) -> io::Result<()> {
        let mut err = real_stderr();
        self.clear(&mut err)?;
        let (width, _) = Self::window();
        for (number, line) in lines.iter().enumerate() {
            if number > 0 {
                queue!(err, crossterm::style::Print("\r\n"))?;
            }
            self.put(&mut err, line, width)?;
        }
        let (row, column) = cursor;
        let below = u16::try_from(lines.len().saturating_sub(row + 1)).unwrap_or_default();
        if below > 0 {
            queue!(err, MoveUp(below))?;
        }
        queue!(
            err,
            MoveToColumn(u16::try_from(column.min(width.saturating_sub(1))).unwrap_or_default())
        )?;
        self.lines_above = u16::try_from(row).unwrap_or_default();
        err.flush()
    }

    /// Leaves one line for good.
    pub(super) fn leave(mut self, line: &Line) -> io::Result<()> {
        let mut err = real_stderr();
        self.clear(&mut err)?;
        let (width, _) = Self::window();
        self.put(&mut err, line, width)?;
        queue!(err, crossterm::style::Print("\r\n"))?;
        err.flush()
    }

    fn clear(&mut self, err: &mut io::Stderr) -> io::Result<()> {
        if self.lines_above > 0 {
            queue!(err, MoveUp(self.lines_above))?;
        }
        self.lines_above = 0;
        queue!(err, MoveToColumn(0), Clear(ClearType::FromCursorDown))
    }

    fn put(&self, err: &mut io::Stderr, line: &Line, width: usize) -> io::Result<()> {
        let mut left = width;
        for (look, text) in line {
            let shown = Zeroizing::new(cut(text, left));
            left -= columns(&shown);
            if self.has_colours {
                match look {
                    Look::Plain => {}
                    Look::Strong => queue!(err, SetAttribute(Attribute::Bold))?,
                    Look::Chosen => queue!(err, SetForegroundColor(Color::Cyan))?,
                    Look::Faint => queue!(err, SetForegroundColor(Color::DarkGrey))?,
                    Look::Wrong => queue!(err, SetForegroundColor(Color::Red))?,
                }
            }
            queue!(err, crossterm::style::Print(shown.as_str()))?;
            if self.has_colours && *look != Look::Plain {
                queue!(err, ResetColor, SetAttribute(Attribute::Reset))?;
            }
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut err = real_stderr();
        let _ = queue!(err, DisableBracketedPaste);
        let _ = err.flush();
        let _ = terminal::disable_raw_mode();
    }
}

/// Waits for the next key that means something.
pub(super) fn read() -> io::Result<Typed> {
    loop {
        let typed = match event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => typed(key),
            Event::Paste(text) => Some(Typed::Pasted(Zeroizing::new(text))),
            Event::Resize(..) => Some(Typed::Resized),
            _ => None,
        };
        if let Some(typed) = typed {
            return Ok(typed);
        }
    }
}

fn typed(event: KeyEvent) -> Option<Typed> {
    let has = |modifier| event.modifiers.contains(modifier);
    let (is_control, is_alt) = (has(KeyModifiers::CONTROL), has(KeyModifiers::ALT));
    let by_word = is_control || is_alt;
    let key = match event.code {
        KeyCode::Char('c') if is_control => return Some(Typed::Interrupt),
        // As terminals send them: Ctrl-M is Enter, Ctrl-I is Tab, Ctrl-[ is Esc. AltGr is both at once, and types.
        KeyCode::Char('m' | 'j') if is_control && !is_alt => Key::Enter,
        KeyCode::Char(sign) if is_control && !is_alt => Key::Control(sign.to_ascii_lowercase()),
        KeyCode::Char(sign) if is_alt && !is_control => Key::Alt(sign.to_ascii_lowercase()),
        KeyCode::Char(sign) => Key::Sign(sign),
        KeyCode::Backspace if by_word => Key::WordBackspace,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Left if by_word => Key::WordLeft,
        KeyCode::Left => Key::Left,
        KeyCode::Right if by_word => Key::WordRight,
        KeyCode::Right => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Tab => Key::Tab,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        _ => return None,
    };
    Some(Typed::Key(key))
}

/// The columns that a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(|sign| sign.width().unwrap_or_default()).sum()
}

/// As much of a text as these columns have room for.
pub(super) fn cut(text: &str, width: usize) -> String {
    let mut left = width;
    let fits = |sign: &char| {
        let taken = sign.width().unwrap_or_default();
        let fits = taken <= left;
        left = left.saturating_sub(taken);
        fits
    };
    text.chars().take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_signs_take_two_columns() {
        assert_eq!(columns("北京四 4"), 8);
        assert_eq!(cut("北京四", 5), "北京");
        assert_eq!(cut("abc", 2), "ab");
        assert_eq!(cut("abc", 10), "abc");
    }
}
