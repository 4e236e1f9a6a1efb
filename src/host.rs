//! The world as a value: environment, clocks, streams, terminal, paths, processes. `main.rs` builds the real one; tests build their own.
//!
//! Nothing else in the crate reaches for the process.

mod browser;
pub(crate) mod captured;
mod clock;
mod directories;
mod input;
pub(crate) mod parallel;
mod parent_env;
mod processes;
pub(crate) mod programs;
mod progress;
mod prompt;
mod self_protection;

pub use clock::{Asked, Clock, Deadline, Skew};
pub(crate) use clock::{Stopwatch, is_moment, last_moment, moment};
pub use directories::Directories;
pub(crate) use directories::{NO_HOME, NOT_OUR_HOME};
pub(crate) use input::text_of;
pub use input::{Input, Inputs};
pub use parent_env::ParentEnv;
pub use processes::{Process, Processes, random_u64};
pub use progress::ShownProgress;
pub(crate) use progress::{Progress, StateProgress};
pub(crate) use prompt::Cancelled;
pub use self_protection::protect_process;

pub(crate) use crate::private_dir::user_id;
pub(crate) use crate::private_dir::{
    open_private, others_who_can_write, private_names, read_private, remove_private, write_private,
};
use crate::sanitize;
use crate::secret::Secret;
use crate::store::SecretStore;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Everything outside that a command may touch.
pub struct Host {
    /// The environment variables.
    pub env: Env,
    /// The wall clock and the boot clock.
    pub clock: Clock,
    /// What is a terminal.
    pub terminal: Terminal,
    /// Where secrets are read from when they come through a pipe.
    pub stdin: Mutex<Box<dyn Read + Send>>,
    /// kubectl's stream: one document, once, at the end.
    pub stdout: Mutex<Box<dyn Write + Send>>,
    /// People's stream.
    pub stderr: Mutex<Box<dyn Write + Send>>,
    /// The operating system's stores, or the ones a test brought.
    pub keyrings: Keyrings,
    /// Where this program's file is; `None`: the process knows.
    pub executable: Option<PathBuf>,
    /// Who runs us, and what we leave behind.
    pub processes: Processes,
    /// What is shown on the terminal.
    pub screen: ShownProgress,
    /// How long a person has been asked.
    pub asked: Asked,
}

/// Where secrets may be kept.
pub enum Keyrings {
    /// Chosen by the settings and by what this machine has.
    System,
    /// These, front to back, whatever the settings say.
    Given(Vec<Arc<dyn SecretStore>>),
}

impl Host {
    /// The real process.
    pub fn real() -> Self {
        use std::io::IsTerminal as _;
        let env = Env::of_process();
        Self {
            stdin: Mutex::new(Box::new(input::Stdin::of(env.inputs()))),
            env,
            clock: Clock::System,
            terminal: Terminal {
                stdin: io::stdin().is_terminal() && prompt::is_canonical(io::stdin()),
                stdout: real_stdout().is_terminal(),
                stderr: real_stderr().is_terminal() && prompt::is_canonical(real_stderr()),
            },
            stdout: Mutex::new(Box::new(real_stdout())),
            stderr: Mutex::new(Box::new(real_stderr())),
            keyrings: Keyrings::System,
            executable: None,
            processes: Processes::System,
            screen: ShownProgress::default(),
            asked: Asked::default(),
        }
    }

    /// So much time from now, not counting what a person takes to answer.
    pub(crate) fn deadline(&self, time: Duration) -> Deadline {
        self.asked.deadline(time)
    }

    /// Where this program's file is, links resolved.
    pub(crate) fn executable(&self) -> Option<PathBuf> {
        self.executable.clone().or_else(|| std::env::current_exe().ok())
    }

    /// The whole of a file, or of stdin; it may be secret. An error if it is larger than anything that is meant to be read so.
    pub(crate) fn read_input(&self, file: Option<&Path>) -> io::Result<Secret<Vec<u8>>> {
        if let Some(path) = file {
            return self.env.read_file(path, Input::Certificates).map(Secret::new);
        }
        self.read_stdin(Input::Certificates)
    }

    /// The whole of stdin, if it is not larger than such an input may be; it may be secret.
    pub(crate) fn read_stdin(&self, input: Input) -> io::Result<Secret<Vec<u8>>> {
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        input::read_whole(&mut *stdin, input)
    }

    /// Writes one complete document to stdout. A closed pipe is a normal end. On a terminal, what it would obey is escaped.
    pub(crate) fn print(&self, text: &str) -> io::Result<()> {
        let safe = self.terminal.stdout.then(|| sanitize::document(text));
        let text = safe.as_deref().unwrap_or(text);
        let mut out = self.stdout.lock().unwrap_or_else(PoisonError::into_inner);
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }

    /// A program such as k9s has the terminal that messages would go to: whatever is written there spoils its picture.
    pub(crate) fn is_over_a_program(&self) -> bool {
        use io::IsTerminal as _;
        let is_real = matches!(self.processes, Processes::System);
        is_real && real_stderr().is_terminal() && !prompt::is_canonical(real_stderr())
    }

    /// Writes one line for people to stderr, and only one, whatever names in it bring along; a closed stderr is nobody's fault.
    pub(crate) fn say(&self, line: &str) {
        let line = sanitize::line(line);
        let mut err = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.screen.above_progress(|| writeln!(err, "{line}"));
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that hands the real stream out")]
fn real_stdout() -> io::Stdout {
    io::stdout()
}

#[expect(clippy::disallowed_methods, reason = "the one place that hands the real stream out")]
fn real_stderr() -> io::Stderr {
    io::stderr()
}

/// What the run was given: the environment variables, and the time in which what they name is read. A blank variable counts as unset.
pub struct Env {
    variables: Variables,
    inputs: Inputs,
    /// What the program that runs us was started with, where the system tells.
    parent: OnceLock<Option<ParentEnv>>,
    /// Below these the system's services put the tokens of a pod.
    token_directories: Vec<PathBuf>,
}

/// One is a link to the other on most systems.
const TOKEN_DIRECTORIES: [&str; 2] = ["/var/run", "/run"];

enum Variables {
    /// The process's own.
    Process,
    /// These and no others.
    Given(BTreeMap<OsString, OsString>),
}

impl Env {
    /// The process's own environment.
    pub(crate) fn of_process() -> Self {
        Self {
            variables: Variables::Process,
            inputs: Inputs::default(),
            parent: OnceLock::new(),
            token_directories: TOKEN_DIRECTORIES.map(PathBuf::from).to_vec(),
        }
    }

    /// An environment of these pairs only.
    pub fn given<K: Into<OsString>, V: Into<OsString>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self {
            variables: Variables::Given(pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect()),
            inputs: Inputs::default(),
            parent: OnceLock::from(None),
            token_directories: TOKEN_DIRECTORIES.map(PathBuf::from).to_vec(),
        }
    }

    /// The pairs that a program has to be given too; `None`: it has the process's own by itself.
    pub(crate) fn given_pairs(&self) -> Option<&BTreeMap<OsString, OsString>> {
        match &self.variables {
            Variables::Process => None,
            Variables::Given(pairs) => Some(pairs),
        }
    }

    /// The same, run by a program that was started with these variables.
    #[must_use]
    pub fn run_by(self, parent: ParentEnv) -> Self {
        Self {
            parent: OnceLock::from(Some(parent)),
            ..self
        }
    }

    /// The same on a system whose services put their tokens elsewhere.
    #[must_use]
    pub fn with_tokens_below(self, directory: PathBuf) -> Self {
        Self {
            token_directories: vec![directory],
            ..self
        }
    }

    /// Below these the system's services put the tokens of a pod.
    pub(crate) fn token_directories(&self) -> &[PathBuf] {
        &self.token_directories
    }

    /// Whether the program that runs us was started with this variable as we have it; `None` where it is unset, or the system does not tell.
    pub(crate) fn is_of_parent(&self, name: &str) -> Option<bool> {
        let value = self.var_os(name)?;
        let parent = self.parent.get_or_init(ParentEnv::of_system).as_ref()?;
        Some(parent.has(name, &value))
    }

    /// A variable's value, unless it is unset or blank.
    pub(crate) fn var_os(&self, name: &str) -> Option<OsString> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the process's environment"
        )]
        let value = match &self.variables {
            Variables::Process => std::env::var_os(name),
            Variables::Given(pairs) => pairs.get(OsStr::new(name)).cloned(),
        };
        value.filter(|v| !v.as_encoded_bytes().iter().all(u8::is_ascii_whitespace))
    }

    /// A variable's value as text, trimmed; one that is not UTF-8 counts as unset.
    pub(crate) fn var(&self, name: &str) -> Option<String> {
        Some(self.var_os(name)?.to_str()?.trim().to_owned())
    }

    /// A directory or file named by a variable; relative ones are refused as the XDG specification asks.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.var_os(name).map(PathBuf::from).filter(|p| p.is_absolute())
    }

    /// The user's home directory, if it is known.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.path(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
    }
}

/// What is a terminal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminal {
    /// Lines can be read: a terminal in its usual (canonical) mode, which k9s and its like switch off.
    pub stdin: bool,
    /// A person reads the answer.
    pub stdout: bool,
    /// A person reads the messages, and no program has the whole screen.
    pub stderr: bool,
}
