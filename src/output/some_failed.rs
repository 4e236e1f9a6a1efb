//! The end of a run in which some of several things failed: one alone is told as it is; of several each is told, and then how many.

use crate::error::{Error, Exit, Explain, Result};
use crate::host::Host;

/// What failed so far, in the order in which it is told.
pub(crate) struct Failures {
    kind: &'static str,
    /// Each with the name of what failed, where the error does not say it.
    all: Vec<(Option<String>, Error)>,
}

impl Failures {
    /// Nothing yet. `kind` is what the names are those of: `context`, `cluster`, `user`.
    pub(crate) fn of(kind: &'static str) -> Self {
        Self { kind, all: Vec::new() }
    }

    /// The thing of this name failed.
    pub(crate) fn add(&mut self, name: &str, error: Error) {
        let error = error.doing(format!("{} `{name}`", self.kind));
        self.all.push((Some(name.to_owned()), error));
    }

    /// Something failed that the error itself names.
    pub(crate) fn add_named(&mut self, error: Error) {
        self.all.push((None, error));
    }

    /// The failures of others, after these.
    pub(crate) fn extend(&mut self, others: Self) {
        self.all.extend(others.all);
    }

    /// The thing of this name has failed already.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.all.iter().any(|(failed, _)| failed.as_deref() == Some(name))
    }

    /// What the names are those of.
    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The first of them, for whom nothing else is left.
    pub(crate) fn into_first(self) -> Option<Error> {
        self.all.into_iter().next().map(|(_, error)| error)
    }

    /// How the run ends, of `count` things: `verdict` goes on after `2 of 3 `.
    pub(crate) fn conclude(self, host: &Host, count: usize, verdict: &str) -> Result<()> {
        let failed = self.len();
        self.conclude_as(host, count, format!("{failed} of {count} {verdict}"))
    }

    /// How the run ends, of `count` things, with a verdict of one's own.
    pub(crate) fn conclude_as(mut self, host: &Host, count: usize, verdict: String) -> Result<()> {
        if count <= 1 && self.len() == 1 {
            return self.all.pop().map_or(Ok(()), |(_, error)| Err(error));
        }
        let Some(exit) = self.all.first().map(|(_, error)| error.exit()) else {
            return Ok(());
        };
        for (_, error) in self.all {
            error.report(host);
        }
        Err(SomeFailed { verdict, exit }.into())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{verdict}")]
struct SomeFailed {
    verdict: String,
    exit: Exit,
}

impl Explain for SomeFailed {
    fn exit(&self) -> Exit {
        self.exit
    }

    fn hint(&self) -> Option<String> {
        None
    }
}
