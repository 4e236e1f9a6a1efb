//! One run of the library in a process-like world of its own: environment, clock, streams, keyring.

use super::Outcome;
use cce_login::host::{Asked, Clock, Env, Host, Keyrings, ParentEnv, Process, Processes, ShownProgress, Terminal};
use cce_login::store::{MemoryStore, SecretStore};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Cursor, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// What a run finds.
pub(crate) struct Machine {
    pub(super) began: DateTime<Utc>,
    /// From one on, where a user has several.
    pub(super) number: usize,
    pub(super) clock: Option<Clock>,
    pub(super) terminal: Terminal,
    pub(super) stdin: Vec<u8>,
    pub(super) has_system_stores: bool,
    pub(super) executable: Option<PathBuf>,
    /// Who runs the program.
    pub(super) parent: Process,
    /// What its program is called.
    pub(super) parent_program: Option<String>,
    /// The command lines of the processes that were left behind and have not run yet.
    pub(super) left_behind: Arc<Mutex<Vec<Vec<OsString>>>>,
    /// The addresses that a browser was to open.
    pub(super) opened: Arc<Mutex<Vec<String>>>,
    pub(super) keyring: MemoryStore,
    /// What the program that runs us was started with, if the system tells.
    pub(super) parent_env: Option<BTreeMap<String, String>>,
}

impl Machine {
    /// Nothing but a keyring.
    pub(super) fn with(keyring: MemoryStore) -> Self {
        Self {
            number: 1,
            began: std::time::SystemTime::now().into(),
            clock: None,
            terminal: Terminal::default(),
            stdin: Vec::new(),
            has_system_stores: false,
            executable: None,
            parent: Process { pid: 1000, started: 1 },
            parent_program: None,
            left_behind: Arc::default(),
            opened: Arc::default(),
            parent_env: None,
            keyring,
        }
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock.clone().unwrap_or(Clock::System)
    }

    /// The variables, on a system that puts its tokens below the home directory.
    fn env(&self, variables: &BTreeMap<String, String>) -> Env {
        let env = Env::given(variables.clone());
        let env = match variables.get("HOME") {
            Some(home) => env.with_tokens_below(PathBuf::from(home).join("var-run")),
            None => env,
        };
        match &self.parent_env {
            Some(parent) => env.run_by(ParentEnv::of(parent.clone())),
            None => env,
        }
    }

    /// Runs one command line.
    pub(super) fn run(&self, variables: &BTreeMap<String, String>, args: Vec<String>) -> Outcome {
        self.run_as("kubectl-cce_login", variables, args)
    }

    /// [`Self::run`] under another name.
    pub(super) fn run_as(&self, program: &str, variables: &BTreeMap<String, String>, args: Vec<String>) -> Outcome {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let keyring: Arc<dyn SecretStore> = Arc::new(self.keyring.clone());
        let host = Host {
            env: self.env(variables),
            clock: self.clock(),
            terminal: self.terminal,
            stdin: Mutex::new(Box::new(Typed {
                text: Cursor::new(self.stdin.clone()),
                shown: self.terminal.stdin.then(|| stderr.clone()),
            })),
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
                parent_program: self.parent_program.clone(),
                left_behind: self.left_behind.clone(),
                opened: self.opened.clone(),
            },
            screen: ShownProgress::default(),
            asked: Asked::default(),
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

/// What somebody types: a terminal shows at least where a line ended.
struct Typed {
    text: Cursor<Vec<u8>>,
    shown: Option<Captured>,
}

impl Read for Typed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.text.read(bytes)?;
        if let Some(shown) = &mut self.shown
            && bytes[..count].contains(&b'\n')
        {
            shown.write_all(b"\n")?;
        }
        Ok(count)
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
