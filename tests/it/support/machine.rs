//! One run of the library in a process-like world of its own: environment, clock, streams, keyring.

use super::Outcome;
use cce_login::host::{Clock, Env, Host, Keyrings, Process, Processes, Terminal};
use cce_login::store::{MemoryStore, SecretStore};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Cursor, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// What a run finds.
pub(crate) struct Machine {
    pub(super) variables: BTreeMap<String, String>,
    pub(super) clock: Option<Clock>,
    pub(super) terminal: Terminal,
    pub(super) stdin: Vec<u8>,
    pub(super) has_system_stores: bool,
    pub(super) executable: Option<PathBuf>,
    /// Who runs the program.
    pub(super) parent: Process,
    /// The command lines of the processes that were left behind and have not run yet.
    pub(super) left_behind: Arc<Mutex<Vec<Vec<OsString>>>>,
    keyring: MemoryStore,
}

impl Machine {
    /// Nothing but a keyring.
    pub(super) fn with(keyring: MemoryStore) -> Self {
        Self {
            variables: BTreeMap::new(),
            clock: None,
            terminal: Terminal::default(),
            stdin: Vec::new(),
            has_system_stores: false,
            executable: None,
            parent: Process { pid: 1000, started: 1 },
            left_behind: Arc::default(),
            keyring,
        }
    }

    pub(super) fn replace_keyring(&mut self, keyring: MemoryStore) {
        self.keyring = keyring;
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock.clone().unwrap_or(Clock::System)
    }

    /// Runs one command line.
    pub(super) fn run(&self, args: Vec<String>) -> Outcome {
        self.run_as("kubectl-cce_login", args)
    }

    /// [`Self::run`] under another name.
    pub(super) fn run_as(&self, program: &str, args: Vec<String>) -> Outcome {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let keyring: Arc<dyn SecretStore> = Arc::new(self.keyring.clone());
        let host = Host {
            env: Env::given(self.variables.clone()),
            clock: self.clock(),
            terminal: self.terminal,
            stdin: Mutex::new(Box::new(Cursor::new(self.stdin.clone()))),
            stdout: Mutex::new(Box::new(stdout.clone())),
            stderr: Mutex::new(Box::new(stderr.clone())),
            keyrings: if self.has_system_stores {
                Keyrings::System
            } else {
                Keyrings::Given(vec![keyring])
            },
            executable: self.executable.clone(),
            processes: Processes::Given {
                parent: Some(self.parent),
                left_behind: self.left_behind.clone(),
            },
        };
        let words = std::iter::once(program.to_owned()).chain(args.iter().cloned());
        let exit = cce_login::run(words.map(Into::into), &host);
        Outcome {
            args,
            exit,
            stdout: stdout.text(),
            stderr: stderr.text(),
        }
    }
}

/// A stream that the test reads afterwards.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
