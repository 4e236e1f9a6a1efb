//! Questions to a person at the terminal: asked on stderr, for stdout belongs to kubectl.
//!
//! `drawn` on a terminal that can move its cursor: lists that filter while one types. `lines` on any other (`TERM=dumb`), and in tests:
//! plain numbered questions, answered by lines.

mod drawn;
mod editor;
mod lines;
mod list;
mod screen;

use crate::env_vars;
use crate::host::{Host, Processes};
use crate::sanitize::line;
use crate::secret::Secret;

/// Longer answers are none.
const LONGEST_ANSWER: usize = 4096;

/// The person does not want to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled, and nothing was changed")]
pub(crate) enum Cancelled {
    /// Not with this question: Esc. The one before may be asked again.
    Back,
    /// At all: Ctrl-C, or the end of the input.
    Stop,
}

impl Host {
    /// Asks for something that everybody may see; `None` if nothing was typed. The caller has made sure that there is a person.
    pub(crate) fn ask(&self, question: &str) -> Option<String> {
        self.waiting(|| self.ask_line(&line(question)).filter(|answer| !answer.is_empty()))
    }

    /// Asks for a secret, which is not shown while it is typed; `None` if nothing was typed. The caller has made sure that there is a person.
    pub(crate) fn ask_secret(&self, question: &str) -> Option<Secret<String>> {
        self.waiting(|| self.ask_hidden_line(&line(question)))
    }

    /// [`Host::ask_secret`] for as long as `goes_on`: once it does not, what was typed counts for nothing. It is asked inside
    /// [`Host::while_waiting`].
    pub(crate) fn ask_secret_while(&self, question: &str, goes_on: &dyn Fn() -> bool) -> Option<Secret<String>> {
        self.ask_hidden_line_while(&line(question), goes_on)
    }

    /// Asks until something is typed that everybody may see. `before` is what was typed the last time.
    pub(crate) fn ask_for(&self, question: &str, before: Option<&str>) -> Result<String, Cancelled> {
        self.waiting(|| match self.colours() {
            Some(colours) => drawn::text(&line(question), before, colours),
            None => self.ask_for_line(&line(question), before),
        })
    }

    /// Asks until a secret is typed, which is not shown.
    pub(crate) fn ask_for_secret(&self, question: &str) -> Result<Secret<String>, Cancelled> {
        self.waiting(|| match self.colours() {
            Some(colours) => drawn::secret(&line(question), colours),
            None => self.ask_for_hidden_line(&line(question)),
        })
    }

    /// Lets a person choose one of these rows, and returns its number from 0.
    pub(crate) fn pick(&self, question: &str, rows: &[String]) -> Result<usize, Cancelled> {
        self.waiting(|| match self.colours() {
            Some(colours) => drawn::pick(&line(question), &lines(rows), colours),
            None => self.pick_by_line(&line(question), &lines(rows)),
        })
    }

    /// Lets a person choose one or several of these rows, and returns their numbers from 0; at least one.
    pub(crate) fn pick_several(&self, question: &str, rows: &[String]) -> Result<Vec<usize>, Cancelled> {
        self.waiting(|| match self.colours() {
            Some(colours) => drawn::pick_several(&line(question), &lines(rows), colours),
            None => self.pick_several_by_line(&line(question), &lines(rows)),
        })
    }

    /// Asks yes or no; nothing typed means yes.
    pub(crate) fn confirm(&self, question: &str) -> Result<bool, Cancelled> {
        self.yes_or_no(question, true)
    }

    /// Asks yes or no; nothing typed means no.
    pub(crate) fn confirm_explicitly(&self, question: &str) -> Result<bool, Cancelled> {
        self.yes_or_no(question, false)
    }

    fn yes_or_no(&self, question: &str, default: bool) -> Result<bool, Cancelled> {
        self.waiting(|| match self.colours() {
            Some(colours) => drawn::confirm(&line(question), default, colours),
            None => self.confirm_by_line(&line(question), default),
        })
    }

    /// The terminal on stderr can move its cursor, and is a real one.
    pub(super) fn can_draw(&self) -> bool {
        let term = self.env.var(env_vars::TERM);
        let is_capable = term.as_deref().map_or(cfg!(windows), |term| term != "dumb");
        is_capable && self.terminal.stderr && matches!(self.processes, Processes::System)
    }

    /// Waits for what a person does elsewhere, in a browser: no deadline comes nearer meanwhile.
    pub(crate) fn while_waiting<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.waiting(wait)
    }

    /// A question takes the place of whatever is shown, and has all the time that a person needs.
    fn waiting<T>(&self, question: impl FnOnce() -> T) -> T {
        self.screen.give_way(|| self.asked.ask(question))
    }

    /// Whether to draw with colours; `None` where nothing can be drawn.
    fn colours(&self) -> Option<bool> {
        (self.can_draw() && self.terminal.stdin).then(|| self.env.var_os(env_vars::NO_COLOR).is_none())
    }
}

/// Rows with names from outside.
fn lines(rows: &[String]) -> Vec<String> {
    rows.iter().map(|row| line(row)).collect()
}

/// Whether this terminal gives and takes whole lines, as a shell leaves it.
#[cfg(unix)]
pub(super) fn is_canonical(terminal: impl std::os::fd::AsFd) -> bool {
    use rustix::termios::{LocalModes, tcgetattr};
    tcgetattr(terminal).is_ok_and(|modes| modes.local_modes.contains(LocalModes::ICANON))
}

/// It is not known there.
#[cfg(not(unix))]
pub(super) fn is_canonical<T>(_terminal: T) -> bool {
    true
}
