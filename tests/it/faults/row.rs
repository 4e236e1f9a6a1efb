//! A row of the table as the source gives it: the fault, and what has to come of it in every state of the cache.

use super::cell::Cell;
use std::fmt;

/// What the cache holds when the fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// A certificate of eight hours, fetched a moment ago.
    Valid,
    /// A certificate inside its renewal window: it is renewed behind the caller.
    Window,
    /// A certificate in its last moments: it is renewed while the caller waits.
    LastMoments,
    /// Nothing.
    Empty,
}

impl State {
    pub(super) const ALL: [Self; 4] = [Self::Valid, Self::Window, Self::LastMoments, Self::Empty];
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "valid",
            Self::Window => "near expiry",
            Self::LastMoments => "last minute",
            Self::Empty => "none",
        })
    }
}

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// Exit 0 with the certificate that was in the cache.
    Kept,
    /// The same, and when the process behind the call has ended there is a new one in the cache.
    KeptThenNew,
    /// Exit 0 with a new certificate.
    New,
    /// This exit code, and one line that says this.
    Fails(i32, &'static str),
    /// This exit code, and nobody to hear more.
    Unheard(i32),
    /// Ended by this signal.
    Killed(i32),
}

impl fmt::Display for Came {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept => f.write_str("0: kept"),
            Self::New => f.write_str("0: new"),
            Self::Fails(code, words) => write!(f, "{code}: {words}"),
            Self::KeptThenNew => f.write_str("0: kept, renewed behind"),
            Self::Unheard(code) => write!(f, "{code}, unheard"),
            Self::Killed(number) => write!(f, "ended by signal {number}"),
        }
    }
}

/// Nothing came until the deadline.
pub(super) const NO_ANSWER: Came = Came::Fails(4, "did not answer in time");

/// A fault, and what has to come of it in the states of [`State::ALL`].
pub(super) struct Fault {
    pub(super) name: &'static str,
    /// What the machine is like from the beginning.
    pub(super) given: fn(&mut Cell),
    /// What goes wrong when the cache is as the state says.
    pub(super) strikes: Box<dyn Fn(&mut Cell) + Send + Sync>,
    pub(super) comes: [Came; 4],
}

/// Whoever has a valid certificate does not notice; who has none ends so.
pub(super) const fn unnoticed_but(none: Came) -> [Came; 4] {
    [Came::Kept, Came::Kept, Came::Kept, none]
}

/// Nobody notices: a certificate that is due is replaced, and who has none gets one.
pub(super) const UNNOTICED: [Came; 4] = [Came::Kept, Came::KeptThenNew, Came::New, Came::New];

/// What was kept is lost: everybody gets a new one.
pub(super) const LOST: [Came; 4] = [Came::New; 4];

pub(super) fn fault(
    name: &'static str,
    strikes: impl Fn(&mut Cell) + Send + Sync + 'static,
    comes: [Came; 4],
) -> Fault {
    Fault {
        name,
        given: |_| {},
        strikes: Box::new(strikes),
        comes,
    }
}

impl Fault {
    /// On a machine that is like this from the beginning.
    #[must_use]
    pub(super) fn given(self, given: fn(&mut Cell)) -> Self {
        Self { given, ..self }
    }
}
