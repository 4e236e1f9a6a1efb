//! Log lines for `-v` and `-vv`, on stderr or in the file that `CCE_LOGIN_LOG` names. Secrets cannot be formatted, so none get here.
//!
//! A variable may come from anywhere, a kubeconfig's `exec.env` included: only a file that is a log of ours already, or that is new or
//! empty, is written to. `~/.bashrc`, a link, a pipe or a device is left alone, with one warning.

use crate::env_vars;
use crate::host::Host;
use crate::sanitize::sanitize;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The first line of each log: a file that begins otherwise is not one.
const FIRST_LINE: &str = "# log of kubectl cce-login\n";

/// Where log lines go, and how many.
pub(crate) struct Log<'a> {
    host: &'a Host,
    level: u8,
    file: Option<Mutex<File>>,
}

impl<'a> Log<'a> {
    /// By `-v` (given so many times) and `CCE_LOGIN_LOG`. Without either, nothing is opened and nothing is formatted.
    pub(crate) fn new(host: &'a Host, verbosity: u8) -> Self {
        let opened = host.env.var_os(env_vars::LOG).map(|path| open(&PathBuf::from(path)));
        let (file, level) = match opened {
            None => (None, verbosity),
            Some(Ok(file)) => (Some(Mutex::new(file)), verbosity.max(2)),
            Some(Err(why)) => {
                host.say(&format!(
                    "warning: nothing is logged: `{}` {}",
                    env_vars::LOG,
                    sanitize(&why.to_string())
                ));
                (None, verbosity)
            }
        };
        Self { host, level, file }
    }

    /// What a person who looks for the reason of trouble wants to see (`-v`).
    pub(crate) fn info(&self, line: impl FnOnce() -> String) {
        self.write(1, line);
    }

    /// Everything else (`-vv`).
    pub(crate) fn debug(&self, line: impl FnOnce() -> String) {
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
                let _ = file.write_all(format!("{now} [{}] {line}\n", std::process::id()).as_bytes());
            }
            None => self.host.say(&line),
        }
    }
}

/// Opens a log of ours for appending, or begins one.
fn open(path: &Path) -> io::Result<File> {
    let not_a_log = |what: &str| io::Error::other(format!("names {what} (`{}`)", path.display()));
    if !path.is_absolute() {
        return Err(not_a_log("no absolute path"));
    }
    let mut file = match open_existing(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => begin(path)?,
        opened => opened.map_err(|error| not_a_log(&format!("what cannot be opened: {error}")))?,
    };
    if !is_file_of_ours(&file)? {
        return Err(not_a_log("what is not a file of yours"));
    }
    let mut first = Vec::new();
    (&mut file).take(FIRST_LINE.len() as u64).read_to_end(&mut first)?;
    if first.is_empty() {
        file.write_all(FIRST_LINE.as_bytes())?;
    } else if first != FIRST_LINE.as_bytes() {
        return Err(not_a_log("a file that is no log of this program"));
    }
    Ok(file)
}

#[cfg(unix)]
fn open_existing(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    // O_NONBLOCK: a pipe must not stop us before it is seen to be one.
    let flags = OFlags::RDWR | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let fd = rustix::io::retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))?;
    Ok(File::from(fd))
}

#[cfg(unix)]
fn is_file_of_ours(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = file.metadata()?;
    Ok(metadata.is_file() && metadata.uid() == crate::host::user_id())
}

#[cfg(not(unix))]
fn open_existing(path: &Path) -> io::Result<File> {
    #[expect(clippy::disallowed_methods, reason = "what is opened is looked at before it is used")]
    File::options().read(true).append(true).open(path)
}

#[cfg(not(unix))]
fn is_file_of_ours(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.is_file())
}

fn begin(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    #[expect(
        clippy::disallowed_methods,
        reason = "a new file: no link is followed, nothing is waited for"
    )]
    match options.open(path) {
        // Another process of ours was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open_existing(path),
        opened => opened,
    }
}
