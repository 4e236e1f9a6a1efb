//! The world as a value: environment, clock, streams, terminal, paths. `main.rs` builds the real one; tests build their own.
//!
//! Nothing else in the crate reaches for the process.

use crate::env_vars;
use crate::store::SecretStore;
use chrono::{DateTime, Utc};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// Everything outside that a command may touch.
pub struct Host {
    /// The environment variables.
    pub env: Env,
    /// The wall clock and the boot clock.
    pub clock: Clock,
    /// What is a terminal.
    pub terminal: Terminal,
    /// Where secrets are read from when they come through a pipe.
    pub stdin: RefCell<Box<dyn Read>>,
    /// kubectl's stream: one document, once, at the end.
    pub stdout: RefCell<Box<dyn Write>>,
    /// People's stream.
    pub stderr: RefCell<Box<dyn Write>>,
    /// The operating system's stores, or the ones a test brought.
    pub keyrings: Keyrings,
    /// Where this program's file is; `None`: the process knows.
    pub executable: Option<PathBuf>,
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
        Self {
            env: Env::Process,
            clock: Clock::System,
            terminal: Terminal {
                stdin: io::stdin().is_terminal(),
                stdout: real_stdout().is_terminal(),
                stderr: real_stderr().is_terminal(),
            },
            stdin: RefCell::new(Box::new(io::stdin())),
            stdout: RefCell::new(Box::new(real_stdout())),
            stderr: RefCell::new(Box::new(real_stderr())),
            keyrings: Keyrings::System,
            executable: None,
        }
    }

    /// Where this program's file is, links resolved.
    pub fn executable(&self) -> Option<PathBuf> {
        self.executable.clone().or_else(|| std::env::current_exe().ok())
    }

    /// Writes one complete document to stdout. A closed pipe is a normal end.
    pub fn print(&self, text: &str) -> io::Result<()> {
        let mut out = self.stdout.borrow_mut();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }

    /// Writes one line for people to stderr; a closed stderr is nobody's fault.
    pub fn say(&self, line: &str) {
        let mut err = self.stderr.borrow_mut();
        let _ = writeln!(err, "{line}");
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

/// The environment variables. A blank variable counts as unset.
pub enum Env {
    /// The process's own.
    Process,
    /// These and no others.
    Given(BTreeMap<OsString, OsString>),
}

impl Env {
    /// An environment of these pairs only.
    pub fn given<K: Into<OsString>, V: Into<OsString>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self::Given(pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }

    /// A variable's value, unless it is unset or blank.
    pub fn var_os(&self, name: &str) -> Option<OsString> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the process's environment"
        )]
        let value = match self {
            Self::Process => std::env::var_os(name),
            Self::Given(pairs) => pairs.get(OsStr::new(name)).cloned(),
        };
        value.filter(|v| !v.as_encoded_bytes().iter().all(u8::is_ascii_whitespace))
    }

    /// A variable's value as text, trimmed; one that is not UTF-8 counts as unset.
    pub fn var(&self, name: &str) -> Option<String> {
        Some(self.var_os(name)?.to_str()?.trim().to_owned())
    }

    /// A directory or file named by a variable; relative ones are refused as the XDG specification asks.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.var_os(name).map(PathBuf::from).filter(|p| p.is_absolute())
    }

    /// The user's home directory, if it is known.
    pub fn home(&self) -> Option<PathBuf> {
        self.path(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
    }
}

/// The wall clock. All times in the crate are UTC.
#[derive(Clone)]
pub enum Clock {
    /// The machine's.
    System,
    /// A clock that tests set: seconds since 1970, shared.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The time now.
    pub fn now(&self) -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
        match self {
            Self::System => DateTime::from(std::time::SystemTime::now()),
            Self::Fixed(seconds) => DateTime::from_timestamp(seconds.load(Ordering::SeqCst), 0).unwrap_or_default(),
        }
    }
}

/// What is a terminal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminal {
    /// Keys can be read.
    pub stdin: bool,
    /// A person reads the answer.
    pub stdout: bool,
    /// A person reads the messages.
    pub stderr: bool,
}

/// The moment by which a run must be over.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// So much time from now.
    pub fn after(time: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_add(time).unwrap_or(now))
    }

    /// What is left; zero when it is over.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// The earlier of this deadline and `time` from now.
    #[must_use]
    pub fn at_most(self, time: Duration) -> Self {
        let other = Self::after(time);
        Self(self.0.min(other.0))
    }
}

/// The directories we keep things in. A part that is `None` cannot be kept (no home directory).
#[derive(Debug, Clone, Default)]
pub struct Directories {
    /// `config.toml` and, if asked for, `secrets/`.
    pub config: Option<PathBuf>,
    /// Index, capabilities, failures, tombstones.
    pub state: Option<PathBuf>,
    /// `--cache file`.
    pub cache: Option<PathBuf>,
    /// Locks and callers: `$XDG_RUNTIME_DIR/cce-login`, else beside the state.
    pub runtime: Option<PathBuf>,
}

impl Directories {
    /// By our own variables, the XDG variables and the platform's custom, in this order.
    pub fn of(env: &Env) -> Self {
        let named = |own: &str, xdg: &str, custom: &[&str]| {
            env.path(own).or_else(|| {
                let base = env.path(xdg).or_else(|| {
                    let home = if cfg!(windows) {
                        env.path("LOCALAPPDATA")
                    } else {
                        env.home()
                    };
                    Some(custom.iter().fold(home?, |path, part| path.join(part)))
                })?;
                Some(base.join("cce-login"))
            })
        };
        let (config, state, cache): (&[&str], &[&str], &[&str]) = if cfg!(windows) {
            (&[], &["State"], &["Cache"])
        } else if cfg!(target_os = "macos") {
            (
                &["Library", "Application Support"],
                &["Library", "Application Support"],
                &["Library", "Caches"],
            )
        } else {
            (&[".config"], &[".local", "state"], &[".cache"])
        };
        let state = named(env_vars::STATE_DIR, env_vars::XDG_STATE_HOME, state);
        Self {
            config: named(env_vars::CONFIG_DIR, env_vars::XDG_CONFIG_HOME, config),
            cache: named(env_vars::CACHE_DIR, env_vars::XDG_CACHE_HOME, cache),
            runtime: env
                .path(env_vars::XDG_RUNTIME_DIR)
                .filter(|dir| dir.is_dir())
                .map(|dir| dir.join("cce-login"))
                .or_else(|| Some(state.as_ref()?.join("run"))),
            state,
        }
    }
}

/// Creates a directory (and its parents) that only we can read.
pub fn create_private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Writes a file that only we can read, all at once: a temporary file beside it, synchronised, then renamed.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let dir = path
        .parent()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    create_private_dir(dir)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = dir.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = write_new_private(&temporary, bytes).and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

fn write_new_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Our user id; 0 where there is no such thing.
pub fn user_id() -> u32 {
    #[cfg(unix)]
    return rustix::process::geteuid().as_raw();
    #[cfg(not(unix))]
    0
}
