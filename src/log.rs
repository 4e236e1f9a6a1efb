//! Log lines for `-v` and `-vv`, on stderr or in the file that `CCE_LOGIN_LOG` names. Secrets cannot be formatted, so none get here.

use crate::env_vars;
use crate::host::Host;
use crate::sanitize::sanitize;
use std::fs::File;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

/// Where log lines go, and how many.
pub struct Log<'a> {
    host: &'a Host,
    level: u8,
    file: Option<Mutex<File>>,
}

impl<'a> Log<'a> {
    /// By `-v` (given so many times) and `CCE_LOGIN_LOG`. Without either, nothing is opened and nothing is formatted.
    pub fn new(host: &'a Host, verbosity: u8) -> Self {
        let path = host.env.path(env_vars::LOG);
        let level = if path.is_some() { verbosity.max(2) } else { verbosity };
        let file = path.and_then(|path| {
            let mut options = std::fs::OpenOptions::new();
            options.append(true).create(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            options.open(path).ok().map(Mutex::new)
        });
        Self { host, level, file }
    }

    /// What a person who looks for the reason of trouble wants to see (`-v`).
    pub fn info(&self, line: impl FnOnce() -> String) {
        self.write(1, line);
    }

    /// Everything else (`-vv`).
    pub fn debug(&self, line: impl FnOnce() -> String) {
        self.write(2, line);
    }

    fn write(&self, level: u8, line: impl FnOnce() -> String) {
        if level > self.level {
            return;
        }
        let line = sanitize(&line());
        match &self.file {
            Some(file) => {
                let now = self.host.clock.now().format("%Y-%m-%dT%H:%M:%SZ");
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = writeln!(file, "{now} [{}] {line}", std::process::id());
            }
            None => self.host.say(&line),
        }
    }
}
