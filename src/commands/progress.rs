//! How far something is that takes minutes: one line that is drawn anew on a terminal, else a line for each change.

use crate::host::{self, Host};

/// One thing under way.
pub(super) struct Progress<'a> {
    host: &'a Host,
    what: String,
    state: String,
    shown: host::Progress,
}

impl<'a> Progress<'a> {
    /// Nothing is known of it yet.
    pub(super) fn new(host: &'a Host, what: String) -> Self {
        Self {
            shown: host::Progress::clock(host, &what),
            host,
            what,
            state: String::new(),
        }
    }

    /// It is in this state now.
    pub(super) fn is_in(&mut self, state: &str) {
        if state == self.state {
            return;
        }
        state.clone_into(&mut self.state);
        let line = format!("{}: {state}", self.what);
        if self.shown.is_drawn() {
            self.shown.says(&line);
        } else {
            self.host.say(&line);
        }
    }
}
