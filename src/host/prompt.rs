//! Questions to a person at the terminal: asked on stderr, for stdout belongs to kubectl.

use super::{Host, Processes};
use crate::secret::Secret;
use std::io::{Read as _, Write as _};
use std::sync::PoisonError;

/// Longer answers are none.
const LONGEST_ANSWER: usize = 4096;

impl Host {
    /// Asks for something that everybody may see; `None` if nothing was typed. The caller has made sure that there is a person.
    pub fn ask(&self, question: &str) -> Option<String> {
        self.put(question);
        let answer = self.read_line();
        let answer = answer.expose().trim(); // no secret
        (!answer.is_empty()).then(|| answer.to_owned())
    }

    /// Draws one line on a terminal in place of the one that was drawn before.
    pub fn draw(&self, line: &str) {
        self.put(&format!("\r{line:<70}"));
    }

    fn put(&self, question: &str) {
        let mut stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush());
    }

    /// Asks for a secret, which is not shown while it is typed; `None` if nothing was typed. The caller has made sure that there is a person.
    pub fn ask_secret(&self, question: &str) -> Option<Secret<String>> {
        self.put(question);
        let text = match self.processes {
            Processes::System => Secret::new(rpassword::read_password().ok()?),
            // A world of a test has no terminal whose echo could be switched off.
            Processes::Given { .. } => self.read_line(),
        };
        let answer = text.expose().trim(); // its white space is cut off, that is all
        (!answer.is_empty() && answer.len() <= LONGEST_ANSWER).then(|| Secret::new(answer.to_owned()))
    }

    /// One line of stdin, byte for byte: what comes after it is for the next question.
    fn read_line(&self) -> Secret<String> {
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() <= LONGEST_ANSWER && matches!(stdin.read(&mut byte), Ok(1)) && byte != *b"\n" {
            line.extend(byte);
        }
        Secret::new(String::from_utf8(line).unwrap_or_default())
    }
}

/// Whether the terminal on stdin gives whole lines, as a shell leaves it.
pub(super) fn reads_lines() -> bool {
    #[cfg(unix)]
    {
        use rustix::termios::{LocalModes, tcgetattr};
        tcgetattr(std::io::stdin()).is_ok_and(|modes| modes.local_modes.contains(LocalModes::ICANON))
    }
    #[cfg(not(unix))]
    true
}
