//! How far something is that takes minutes: one line that is drawn anew on a terminal, else a line for each change.
//!
//! Drawn on the host's stderr, which the libraries for this do not let one choose for as long as a run.

use crate::host::Host;
use crate::lifetime::span;
use chrono::TimeDelta;
use std::time::{Duration, Instant};

/// How often the line on a terminal is drawn anew.
const REDRAW: Duration = Duration::from_secs(1);

/// One thing under way.
pub(super) struct Progress<'a> {
    host: &'a Host,
    what: String,
    started: Instant,
    state: String,
}

impl<'a> Progress<'a> {
    /// Nothing is known of it yet.
    pub(super) fn new(host: &'a Host, what: String) -> Self {
        Self {
            host,
            what,
            started: Instant::now(),
            state: String::new(),
        }
    }

    /// It is in this state now.
    pub(super) fn is_in(&mut self, state: &str) {
        if state != self.state {
            state.clone_into(&mut self.state);
            if !self.host.terminal.stderr {
                self.host.say(&format!("{}: {state}", self.what));
            }
        }
        self.draw();
    }

    /// Waits, and shows how the time passes.
    pub(super) fn pause(&self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(REDRAW));
            self.draw();
        }
    }

    fn draw(&self) {
        if !self.host.terminal.stderr || self.state.is_empty() {
            return;
        }
        let elapsed = TimeDelta::from_std(self.started.elapsed()).unwrap_or_default();
        self.host
            .draw(&format!("{}: {}, {}", self.what, self.state, span(elapsed)));
    }
}

impl Drop for Progress<'_> {
    /// The line on a terminal is ended; what comes next begins a new one.
    fn drop(&mut self) {
        if self.host.terminal.stderr && !self.state.is_empty() {
            self.host.say("");
        }
    }
}
