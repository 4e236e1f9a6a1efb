//! Questions answered by lines, without any movement of the cursor.

use crate::host::prompt::drawn::hidden as length_of_hidden;
use crate::host::prompt::list::matching;
use crate::host::prompt::{Cancelled, LONGEST_ANSWER};
use crate::host::{Host, Processes};
use crate::sanitize::sanitize;
use crate::secret::Secret;
use std::io::{Read as _, Write as _};
use std::sync::PoisonError;
use zeroize::Zeroizing;

impl Host {
    /// One line, trimmed; `None` at the end of the input.
    pub(super) fn ask_line(&self, question: &str) -> Option<String> {
        self.put(question);
        let answer = self.read_line()?;
        Some(answer.expose().trim().to_owned()) // no secret
    }

    /// One line that is not shown, trimmed; `None` if nothing was typed.
    pub(super) fn ask_hidden_line(&self, question: &str) -> Option<Secret<String>> {
        self.ask_hidden_line_while(question, &|| true)
    }

    /// The same for as long as `goes_on`.
    pub(super) fn ask_hidden_line_while(&self, question: &str, goes_on: &dyn Fn() -> bool) -> Option<Secret<String>> {
        self.put(question);
        let text = match self.processes {
            Processes::System => hidden::read_line(goes_on)?,
            // A world of a test has no terminal whose echo could be switched off.
            Processes::Given { .. } => self.read_line()?,
        };
        let answer = text.expose().trim(); // its white space is cut off, that is all
        if !answer.is_empty() {
            self.say(&length_of_hidden(answer.chars().count()));
        }
        (!answer.is_empty() && answer.len() <= LONGEST_ANSWER).then(|| Secret::new(answer.to_owned()))
    }

    pub(super) fn ask_for_line(&self, question: &str, before: Option<&str>) -> Result<String, Cancelled> {
        let shown = before.map_or_else(String::new, |before| format!(" [{before}]"));
        loop {
            let typed = self.ask_line(&format!("{question}{shown} ")).ok_or(Cancelled::Stop)?;
            match before {
                _ if !typed.is_empty() => return Ok(typed),
                Some(before) => return Ok(before.to_owned()),
                None => {}
            }
        }
    }

    pub(super) fn ask_for_hidden_line(&self, question: &str) -> Result<Secret<String>, Cancelled> {
        self.ask_hidden_line(&format!("{question} ")).ok_or(Cancelled::Stop)
    }

    /// By number, or by words of which only one row has all: these narrow the list.
    pub(super) fn pick_by_line(&self, question: &str, rows: &[String]) -> Result<usize, Cancelled> {
        let mut left: Vec<usize> = (0..rows.len()).collect();
        loop {
            let typed = self.ask_for_rows(&format!("{question} (a number, or a part of the name) "), rows, &left)?;
            if let Some(at) = row_of(&typed, rows.len()) {
                return Ok(at);
            }
            left = self.narrowed(rows, &typed);
            if let [only] = left.as_slice() {
                return Ok(*only);
            }
        }
    }

    /// The same; several by numbers with commas or blanks between them, and `4-7`.
    pub(super) fn pick_several_by_line(&self, question: &str, rows: &[String]) -> Result<Vec<usize>, Cancelled> {
        let mut left: Vec<usize> = (0..rows.len()).collect();
        loop {
            let typed = self.ask_for_rows(&format!("{question} (numbers, or a part of the name) "), rows, &left)?;
            if let Some(chosen) = rows_of(&typed, rows.len()) {
                return Ok(chosen);
            }
            left = self.narrowed(rows, &typed);
            if left.len() == 1 {
                return Ok(left);
            }
        }
    }

    fn ask_for_rows(&self, question: &str, rows: &[String], left: &[usize]) -> Result<String, Cancelled> {
        for at in left {
            self.say(&format!("{:>4}  {}", at + 1, rows.get(*at).map_or("", String::as_str)));
        }
        self.ask_line(question).ok_or(Cancelled::Stop)
    }

    /// The rows that have these words; all of them again where none has.
    fn narrowed(&self, rows: &[String], typed: &str) -> Vec<usize> {
        let left = matching(rows, typed);
        if !left.is_empty() {
            return left;
        }
        self.say(&format!("none of them has `{}`", sanitize(typed)));
        (0..rows.len()).collect()
    }

    pub(super) fn confirm_by_line(&self, question: &str, default: bool) -> Result<bool, Cancelled> {
        let choice = if default { "Y/n" } else { "y/N" };
        loop {
            let typed = self
                .ask_line(&format!("{question} ({choice}) "))
                .ok_or(Cancelled::Stop)?;
            match typed.to_ascii_lowercase().as_str() {
                "" => return Ok(default),
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => {}
            }
        }
    }

    fn put(&self, question: &str) {
        let mut stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush());
    }

    /// One line of stdin, byte for byte: what comes after it is for the next question. `None` at the end of the input.
    fn read_line(&self) -> Option<Secret<String>> {
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        // Of the longest length it can have: it does not grow, and leaves no copy behind.
        let mut line = Zeroizing::new(Vec::with_capacity(LONGEST_ANSWER + 1));
        let mut byte = [0];
        while line.len() <= LONGEST_ANSWER {
            match stdin.read(&mut byte) {
                Ok(1) if byte == *b"\n" => break,
                Ok(1) => line.extend(byte),
                _ if line.is_empty() => return None,
                _ => break,
            }
        }
        Some(Secret::new(std::str::from_utf8(&line).unwrap_or_default().to_owned()))
    }
}

/// The row with this number from 1.
fn row_of(typed: &str, count: usize) -> Option<usize> {
    let at = typed.parse::<usize>().ok()?.checked_sub(1)?;
    (at < count).then_some(at)
}

/// The rows of `1, 3 5-7`, each once; `None` for what is no list of numbers.
fn rows_of(typed: &str, count: usize) -> Option<Vec<usize>> {
    let mut chosen = Vec::new();
    for word in typed.split([',', ' ']).filter(|word| !word.is_empty()) {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        chosen.extend(row_of(first, count)?..=row_of(last, count)?);
    }
    chosen.sort_unstable();
    chosen.dedup();
    (!chosen.is_empty()).then_some(chosen)
}

#[cfg(unix)]
mod hidden {
    //! The terminal without echo. Ctrl-C is taken as a character, so that the echo is switched on again before it ends us.

    use crate::host::prompt::editor::{Editor, Key};
    use crate::secret::Secret;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Signal, getpid, kill_process};
    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
    use std::io::{Write as _, stdin};

    const INTERRUPT: u8 = 3;
    const END_OF_INPUT: u8 = 4;
    /// Backspace, Ctrl-H, and what takes a word or everything away, as terminals send them.
    const KEYS: [(u8, Key); 4] = [
        (8, Key::Backspace),
        (127, Key::Backspace),
        (21, Key::Control('u')),
        (23, Key::Control('w')),
    ];

    /// How often it is looked whether the question still stands.
    const LOOK: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 100_000_000,
    };

    /// A line; `None` where it was not ended, or the question does not stand any more.
    pub(super) fn read_line(goes_on: &dyn Fn() -> bool) -> Option<Secret<String>> {
        let before = tcgetattr(stdin()).ok()?;
        let mut modes = before.clone();
        modes.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(stdin(), OptionalActions::Flush, &modes).ok()?;
        let (line, last) = read(goes_on);
        let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
        let _ = crate::host::real_stderr().write_all(b"\n");
        if last == Some(INTERRUPT) {
            let _ = kill_process(getpid(), Signal::INT); // as if it had been one all the time
        }
        matches!(last, Some(b'\r' | b'\n')).then_some(line)
    }

    /// What was typed, and with what it ended. Other keys of control type nothing.
    fn read(goes_on: &dyn Fn() -> bool) -> (Secret<String>, Option<u8>) {
        let mut line = Editor::new("");
        let mut sign = zeroize::Zeroizing::new(Vec::with_capacity(4));
        let mut byte = [0];
        let last = loop {
            if !goes_on() {
                break None;
            }
            if let Ok(0) = poll(&mut [PollFd::new(&stdin(), PollFlags::IN)], Some(&LOOK)) {
                continue;
            }
            match rustix::io::read(stdin(), &mut byte) {
                Ok(1) => {}
                Err(rustix::io::Errno::INTR) => continue,
                _ => break None,
            }
            let [byte] = byte;
            if matches!(byte, b'\r' | b'\n' | INTERRUPT | END_OF_INPUT) {
                break Some(byte);
            }
            if let Some((_, key)) = KEYS.iter().find(|(code, _)| *code == byte) {
                line.press(*key);
                continue;
            }
            sign.push(byte);
            // A sign beyond ASCII comes in several bytes.
            match std::str::from_utf8(&sign) {
                Ok(text) => line.insert(text),
                Err(error) if error.error_len().is_none() => continue,
                Err(_) => {}
            }
            zeroize::Zeroize::zeroize(&mut *sign);
        };
        (Secret::new(line.text().to_string()), last)
    }
}

#[cfg(not(unix))]
mod hidden {
    use crate::secret::Secret;

    /// It cannot be looked up meanwhile whether the question still stands: Enter ends it.
    pub(super) fn read_line(_goes_on: &dyn Fn() -> bool) -> Option<Secret<String>> {
        rpassword::read_password().ok().map(Secret::new)
    }
}
