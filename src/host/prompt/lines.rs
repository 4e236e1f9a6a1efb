//! Questions answered by lines, without any movement of the cursor.

use crate::host::prompt::drawn::has_all_words;
use crate::host::prompt::{Cancelled, LONGEST_ANSWER};
use crate::host::{Host, Processes};
use crate::secret::Secret;
use std::io::{Read as _, Write as _};
use std::sync::PoisonError;

impl Host {
    /// One line, trimmed; `None` at the end of the input.
    pub(super) fn ask_line(&self, question: &str) -> Option<String> {
        self.put(question);
        let answer = self.read_line()?;
        Some(answer.expose().trim().to_owned()) // no secret
    }

    /// One line that is not shown, trimmed; `None` if nothing was typed.
    pub(super) fn ask_hidden_line(&self, question: &str) -> Option<Secret<String>> {
        self.put(question);
        let text = match self.processes {
            Processes::System => hidden::read_line()?,
            // A world of a test has no terminal whose echo could be switched off.
            Processes::Given { .. } => self.read_line()?,
        };
        let answer = text.expose().trim(); // its white space is cut off, that is all
        (!answer.is_empty() && answer.len() <= LONGEST_ANSWER).then(|| Secret::new(answer.to_owned()))
    }

    pub(super) fn ask_for_line(&self, question: &str, before: Option<&str>) -> Result<String, Cancelled> {
        let shown = before.map_or_else(String::new, |before| format!(" [{before}]"));
        loop {
            let typed = self.ask_line(&format!("{question}{shown} ")).ok_or(Cancelled)?;
            match before {
                _ if !typed.is_empty() => return Ok(typed),
                Some(before) => return Ok(before.to_owned()),
                None => {}
            }
        }
    }

    pub(super) fn ask_for_hidden_line(&self, question: &str) -> Result<Secret<String>, Cancelled> {
        self.ask_hidden_line(&format!("{question} ")).ok_or(Cancelled)
    }

    /// By number, or by words of which only one row has all: these narrow the list.
    pub(super) fn pick_by_line(&self, question: &str, rows: &[String]) -> Result<usize, Cancelled> {
        let mut left: Vec<usize> = (0..rows.len()).collect();
        loop {
            for at in &left {
                self.say(&format!("{:>4}  {}", at + 1, rows.get(*at).map_or("", String::as_str)));
            }
            let typed = self
                .ask_line(&format!("{question} (a number, or a part of the name) "))
                .ok_or(Cancelled)?;
            if let Some(at) = typed.parse::<usize>().ok().and_then(|number| number.checked_sub(1))
                && at < rows.len()
            {
                return Ok(at);
            }
            let fits = |at: &usize| rows.get(*at).is_some_and(|row| has_all_words(row, &typed));
            left = (0..rows.len()).filter(fits).collect();
            match left.as_slice() {
                [only] => return Ok(*only),
                [] => {
                    self.say(&format!("none of them has `{}`", crate::sanitize::sanitize(&typed)));
                    left = (0..rows.len()).collect();
                }
                _ => {}
            }
        }
    }

    pub(super) fn confirm_by_line(&self, question: &str) -> Result<bool, Cancelled> {
        loop {
            let typed = self.ask_line(&format!("{question} (Y/n) ")).ok_or(Cancelled)?;
            match typed.to_ascii_lowercase().as_str() {
                "" | "y" | "yes" => return Ok(true),
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
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() <= LONGEST_ANSWER {
            match stdin.read(&mut byte) {
                Ok(1) if byte == *b"\n" => break,
                Ok(1) => line.extend(byte),
                _ if line.is_empty() => return None,
                _ => break,
            }
        }
        Some(Secret::new(String::from_utf8(line).unwrap_or_default()))
    }
}

#[cfg(unix)]
mod hidden {
    //! The terminal without echo. Ctrl-C is taken as a character, so that the echo is switched on again before it ends us.

    use crate::host::prompt::LONGEST_ANSWER;
    use crate::secret::Secret;
    use rustix::process::{Signal, getpid, kill_process};
    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
    use std::io::{Write as _, stdin};

    const INTERRUPT: u8 = 3;
    const END_OF_INPUT: u8 = 4;
    const BACKSPACE: [u8; 2] = [8, 127];

    /// A line; `None` where it was not ended.
    pub(super) fn read_line() -> Option<Secret<String>> {
        let before = tcgetattr(stdin()).ok()?;
        let mut modes = before.clone();
        modes.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(stdin(), OptionalActions::Flush, &modes).ok()?;
        let (line, last) = read();
        let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
        let _ = crate::host::real_stderr().write_all(b"\n");
        if last == Some(INTERRUPT) {
            let _ = kill_process(getpid(), Signal::INT); // as if it had been one all the time
        }
        matches!(last, Some(b'\r' | b'\n')).then_some(line)
    }

    /// What was typed, and with what it ended.
    fn read() -> (Secret<String>, Option<u8>) {
        let mut line = zeroize::Zeroizing::new(Vec::with_capacity(LONGEST_ANSWER + 1));
        let mut byte = [0];
        let last = loop {
            match rustix::io::read(stdin(), &mut byte) {
                Ok(1) => {}
                Err(rustix::io::Errno::INTR) => continue,
                _ => break None,
            }
            match byte {
                [end @ (b'\r' | b'\n' | INTERRUPT | END_OF_INPUT)] => break Some(end),
                [sign] if BACKSPACE.contains(&sign) => {
                    line.pop();
                }
                [other] if line.len() <= LONGEST_ANSWER => line.push(other),
                _ => {}
            }
        };
        let text = std::str::from_utf8(&line).unwrap_or_default().to_owned();
        (Secret::new(text), last)
    }
}

#[cfg(not(unix))]
mod hidden {

    pub(super) fn read_line() -> Option<Secret<String>> {
        rpassword::read_password().ok().map(Secret::new)
    }
}
