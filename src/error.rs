//! The top error: what failed, what to do, with which exit code. The only place that renders errors.
//!
//! Every layer has a small enum of its own and says through [`Explain`] how it ends and what cures it.

use crate::host::{Cancelled, Host};
use crate::sanitize::sanitize;
use chrono::TimeDelta;
use std::fmt;

/// The exit codes, as `--help` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done = 0,
    /// 1: failed.
    Failed = 1,
    /// 2: usage: the flags, the environment or a file of yours is wrong.
    Usage = 2,
    /// 3: identity missing, refused or in need of signing in.
    Identity = 3,
    /// 4: temporary (network, throttled, deadline): try again.
    Temporary = 4,
    /// 130: interrupted by a person.
    Interrupted = 130,
}

impl Exit {
    /// The number that the process ends with.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The exit with this number; an unknown one counts as failed.
    pub(crate) fn from_code(code: u8) -> Self {
        [
            Self::Done,
            Self::Usage,
            Self::Identity,
            Self::Temporary,
            Self::Interrupted,
        ]
        .into_iter()
        .find(|exit| exit.code() == code)
        .unwrap_or(Self::Failed)
    }
}

/// What a layer's error tells about itself besides its text.
pub(crate) trait Explain: std::error::Error + Send + Sync + 'static {
    /// How the run ends.
    fn exit(&self) -> Exit;
    /// What to do next, as a command or a setting where possible.
    fn hint(&self) -> Option<String>;
    /// How long the other side asks us to wait.
    fn retry_after(&self) -> Option<TimeDelta> {
        None
    }
    /// The other side has had too many requests of this identity.
    fn is_throttled(&self) -> bool {
        false
    }
    /// The other side does not know, or not any more, what we showed it.
    fn is_unauthorized(&self) -> bool {
        false
    }
    /// A person wants the question before this one again.
    fn is_step_back(&self) -> bool {
        false
    }
    /// Nothing that is kept will do: a person has to sign in.
    fn needs_person(&self) -> bool {
        false
    }

    /// How long the same attempt would end in the same way, so that whoever comes next need not make it. Zero: nothing is known of that.
    fn holds_for(&self) -> TimeDelta {
        match self.exit() {
            Exit::Temporary => TRIED_A_MOMENT_AGO,
            _ => TimeDelta::zero(),
        }
    }
}

/// What is temporary is tried again soon.
pub(crate) const TRIED_A_MOMENT_AGO: TimeDelta = TimeDelta::seconds(5);
/// An answer that cannot be used: three of them a minute are enough.
pub(crate) const UNUSABLE_FOR: TimeDelta = TimeDelta::seconds(20);
/// A refusal: what is lifted at the cloud works again within a minute, and nobody is locked out by failed sign-ins until then.
pub(crate) const REFUSED_FOR: TimeDelta = TimeDelta::seconds(60);

impl Explain for Cancelled {
    fn exit(&self) -> Exit {
        Exit::Interrupted
    }

    fn is_step_back(&self) -> bool {
        matches!(self, Self::Back)
    }

    fn hint(&self) -> Option<String> {
        None
    }
}

/// An error of any layer, with what we were about to do.
#[derive(Debug)]
pub(crate) struct Error {
    doing: Option<String>,
    hint: Option<String>,
    is_hint_known: bool,
    cause: Box<dyn Explain>,
}

/// The crate's result.
pub(crate) type Result<T> = std::result::Result<T, Error>;

impl<E: Explain> From<E> for Error {
    fn from(cause: E) -> Self {
        Self {
            doing: None,
            hint: None,
            is_hint_known: false,
            cause: Box::new(cause),
        }
    }
}

impl Error {
    /// Adds what we were about to do: a lower-case fragment such as ``failed to find cluster `x` ``.
    #[must_use]
    pub(crate) fn doing(mut self, doing: impl Into<String>) -> Self {
        self.doing.get_or_insert_with(|| doing.into());
        self
    }

    /// Puts a hint that knows more in place of the cause's own.
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Leaves the hint out: whoever would read it has read it.
    #[must_use]
    pub(crate) fn without_hint(mut self) -> Self {
        self.is_hint_known = true;
        self
    }

    /// How the run ends.
    pub(crate) fn exit(&self) -> Exit {
        self.cause.exit()
    }

    /// What to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        if self.is_hint_known {
            return None;
        }
        self.hint.clone().or_else(|| self.cause.hint())
    }

    /// How long the other side asks us to wait.
    pub(crate) fn retry_after(&self) -> Option<TimeDelta> {
        self.cause.retry_after()
    }

    /// The other side has had too many requests of this identity.
    pub(crate) fn is_throttled(&self) -> bool {
        self.cause.is_throttled()
    }

    /// The other side does not know, or not any more, what we showed it.
    pub(crate) fn is_unauthorized(&self) -> bool {
        self.cause.is_unauthorized()
    }

    /// A person wants the question before this one again.
    pub(crate) fn is_step_back(&self) -> bool {
        self.cause.is_step_back()
    }

    /// Nothing that is kept will do: a person has to sign in.
    pub(crate) fn needs_person(&self) -> bool {
        self.cause.needs_person()
    }

    /// [`Explain::holds_for`].
    pub(crate) fn holds_for(&self) -> TimeDelta {
        self.cause.holds_for()
    }

    /// The cloud refused who is asking, and would do so again.
    pub(crate) fn is_refusal(&self) -> bool {
        self.holds_for() >= REFUSED_FOR
    }

    /// What failed, without what we were about to do.
    pub(crate) fn cause(&self) -> String {
        chain(&*self.cause)
    }

    /// Writes the error to stderr: one line, and a hint if there is one.
    pub(crate) fn report(&self, host: &Host) {
        // Who cancels knows that nothing is wrong.
        let kind = if self.exit() == Exit::Interrupted {
            ""
        } else {
            "error: "
        };
        host.say(&format!("kubectl cce-login: {kind}{self}"));
        if let Some(hint) = self.hint() {
            host.say(&format!("hint: {hint}"));
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(doing) = &self.doing {
            write!(f, "{doing}: ")?;
        }
        f.write_str(&self.cause())
    }
}

/// An error and its sources on one line, safe for a terminal; a source that repeats what was said is left out.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = sanitize(&error.to_string());
    let mut next = error.source();
    while let Some(source) = next {
        let part = sanitize(&source.to_string());
        if !text.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        next = source.source();
    }
    text
}
