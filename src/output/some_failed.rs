//! The end of a run in which some of several things failed: one alone is told as it is; of several each is told, and then how many.

use crate::error::{Error, Exit, Explain, Result};
use crate::host::Host;
use crate::words::names::quoted;

/// What failed so far, in the order in which it is told.
pub(crate) struct Failures {
    kind: &'static str,
    /// Each with the names of what failed, where the error does not say it.
    all: Vec<(Vec<String>, Error)>,
}

impl Failures {
    /// Nothing yet. `kind` is what the names are those of: `context`, `cluster`, `user`.
    pub(crate) fn of(kind: &'static str) -> Self {
        Self { kind, all: Vec::new() }
    }

    /// The thing of this name failed.
    pub(crate) fn add(&mut self, name: &str, error: Error) {
        let error = error.doing(format!("{} `{name}`", self.kind));
        self.all.push((vec![name.to_owned()], error));
    }

    /// The things of these names failed for one reason, which is told once.
    pub(crate) fn add_all(&mut self, names: Vec<String>, error: Error) {
        match names.as_slice() {
            [name] => self.add(name, error),
            several => {
                let names_in_words = quoted(&several.iter().map(String::as_str).collect::<Vec<_>>());
                let error = error.doing(format!("{}s {names_in_words}", self.kind));
                self.all.push((names, error));
            }
        }
    }

    /// Something failed that the error itself names.
    pub(crate) fn add_named(&mut self, error: Error) {
        self.all.push((Vec::new(), error));
    }

    /// The failures of others, after these.
    pub(crate) fn extend(&mut self, others: Self) {
        self.all.extend(others.all);
    }

    /// The thing of this name has failed already.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.all
            .iter()
            .any(|(failed, _)| failed.iter().any(|failed| failed == name))
    }

    /// What the names are those of.
    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.iter().map(|(names, _)| names.len().max(1)).sum()
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
        if self.all.len() == 1 && self.len() >= count {
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
