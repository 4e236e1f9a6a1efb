//! The processes around us: who runs us, and one that we leave behind.

mod interruption;

use crate::env_vars::KUBERNETES_EXEC_INFO;
use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A process, told from a later one that gets the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// When it was started, in the system's own units; 0 where the system does not say.
    pub started: u64,
}

/// What [`Processes::when_interrupted`] has set, until it is dropped.
pub(crate) struct Interruption(());

impl Drop for Interruption {
    fn drop(&mut self) {
        interruption::set(None);
    }
}

/// The processes around us.
pub enum Processes {
    /// The machine's.
    System,
    /// What tests say and watch.
    Given {
        /// Who runs us.
        parent: Option<Process>,
        /// The name of its program.
        parent_program: Option<String>,
        /// The command lines of the processes that were left behind.
        left_behind: Arc<Mutex<Vec<Vec<OsString>>>>,
        /// The addresses that a browser was to open.
        opened: Arc<Mutex<Vec<String>>>,
    },
}

impl Processes {
    /// Who runs us: kubectl, k9s, an IDE. `None` where the system does not tell.
    pub(crate) fn parent(&self) -> Option<Process> {
        match self {
            Self::System => system::parent(),
            Self::Given { parent, .. } => *parent,
        }
    }

    /// The name of the program that runs us, itself or through a shell, without its directory: the interpreter's, where it is a script. `None` where the system does not
    /// tell, or it is somebody else's.
    pub(crate) fn parent_program(&self) -> Option<String> {
        match self {
            Self::System => system::parent_program(),
            Self::Given { parent_program, .. } => parent_program.clone(),
        }
    }

    /// Starts this program with `args` (its own name first) as a process of its own: in a process group of its own, with our environment and
    /// none of our descriptors. `false` where it cannot live: our parent is process 1, which may be a container's only program and
    /// does not wait for children that are not its own; or the system refuses.
    pub(crate) fn spawn_detached(&self, args: &[OsString]) -> bool {
        if self.parent().is_some_and(|parent| parent.pid == 1) {
            return false;
        }
        match self {
            Self::System => system::spawn_detached(args).is_ok(),
            Self::Given { left_behind, .. } => {
                let mut left_behind = left_behind.lock().unwrap_or_else(PoisonError::into_inner);
                left_behind.push(args.to_vec());
                true
            }
        }
    }

    /// As long as the answer lives, Ctrl-C says this on stderr and ends the process with 130, whatever it is waiting for.
    #[must_use]
    pub(crate) fn when_interrupted(&self, last_words: &str) -> Interruption {
        if matches!(self, Self::System) {
            interruption::set(Some(last_words.to_owned()));
        }
        Interruption(())
    }

    /// Lets so much time pass; none in tests.
    pub(crate) fn pause(&self, span: Duration) {
        if matches!(self, Self::System) && !span.is_zero() {
            std::thread::sleep(span);
        }
    }

    /// A number from 0 to 1, so that many machines do not do the same thing in the same second; 0 in tests.
    pub(crate) fn jitter(&self) -> f64 {
        match self {
            // 32 bits: all of them fit into the number.
            Self::System => f64::from((random_u64() >> 32) as u32) / f64::from(u32::MAX),
            Self::Given { .. } => 0.0,
        }
    }
}

/// How long a program that is left to itself may take to find out that it cannot do what it is for.
const FIRST_MOMENT: Duration = Duration::from_millis(500);

/// Starts another program (its words, the first one its name) and leaves it to itself: its streams are nobody's. One that fails at once is an
/// error.
pub(super) fn start_detached(words: &[OsString]) -> std::io::Result<()> {
    let (program, arguments) = words.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(arguments).env_remove(KUBERNETES_EXEC_INFO);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;
    let started = super::clock::Stopwatch::start();
    while started.elapsed() < FIRST_MOMENT {
        match child.try_wait()? {
            Some(status) if !status.success() => return Err(std::io::Error::other(status.to_string())),
            Some(_) => return Ok(()),
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
    Ok(())
}

/// A number that nobody can guess or repeat.
pub fn random_u64() -> u64 {
    use ring::rand::SecureRandom as _;
    let mut bytes = [0; 8];
    match ring::rand::SystemRandom::new().fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        Err(_) => u64::from(std::process::id()), // unique enough for what it is used for
    }
}

#[cfg(unix)]
mod system {
    use super::{KUBERNETES_EXEC_INFO, OsString, Process};
    #[cfg(target_os = "linux")]
    use std::fs::File;
    use std::io;
    #[cfg(target_os = "linux")]
    use std::io::Read as _;
    use std::os::unix::process::CommandExt as _;
    use std::path::PathBuf;
    use std::process::{Command, Stdio};

    pub(super) fn parent() -> Option<Process> {
        let pid = u32::try_from(rustix::process::getppid()?.as_raw_pid()).ok()?;
        Some(Process {
            pid,
            started: started(pid).unwrap_or_default(),
        })
    }

    #[cfg(target_os = "linux")]
    pub(super) fn parent_program() -> Option<String> {
        let parent = u32::try_from(rustix::process::getppid()?.as_raw_pid()).ok()?;
        let program = program_of(parent)?;
        // fabric8's Java client runs us as `sh -c '…'`: who waits for the shell is who asks.
        if matches!(program.as_str(), "sh" | "dash" | "bash" | "busybox") {
            return program_of(stat_field(parent, PARENT)?.parse().ok()?);
        }
        Some(program)
    }

    /// What `/proc/PID/exe` leads to (proc(5)); after an upgrade of the program it ends with ` (deleted)`.
    #[cfg(target_os = "linux")]
    fn program_of(pid: u32) -> Option<String> {
        let path = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        let name = path.file_name()?.to_str()?;
        Some(name.strip_suffix(" (deleted)").unwrap_or(name).to_owned())
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn parent_program() -> Option<String> {
        None
    }

    /// Clock ticks since boot.
    #[cfg(target_os = "linux")]
    fn started(pid: u32) -> Option<u64> {
        stat_field(pid, STARTED)?.parse().ok()
    }

    /// Fields of `/proc/PID/stat` (proc(5)).
    #[cfg(target_os = "linux")]
    const PARENT: usize = 4;
    #[cfg(target_os = "linux")]
    const STARTED: usize = 22;

    /// A field of `/proc/PID/stat` behind the second one, which is a name in parentheses and may hold anything.
    #[cfg(target_os = "linux")]
    fn stat_field(pid: u32, number: usize) -> Option<String> {
        // One read: the line is shorter than this, and the system makes it anew at each opening.
        let mut line = [0; 1024];
        #[expect(clippy::disallowed_methods, reason = "the kernel's own file: one line, at once")]
        let mut file = File::open(format!("/proc/{pid}/stat")).ok()?;
        let length = file.read(&mut line).ok()?;
        let stat = line.get(..length)?;
        let after_name = stat.get(stat.iter().rposition(|byte| *byte == b')')? + 1..)?;
        let fields = std::str::from_utf8(after_name).ok()?;
        fields
            .split_ascii_whitespace()
            .nth(number.checked_sub(3)?)
            .map(str::to_owned)
    }

    #[cfg(not(target_os = "linux"))]
    fn started(_pid: u32) -> Option<u64> {
        None
    }

    /// The running file itself, also when an upgrade has replaced it.
    fn executable() -> io::Result<PathBuf> {
        if cfg!(target_os = "linux") {
            Ok(PathBuf::from("/proc/self/exe"))
        } else {
            std::env::current_exe()
        }
    }

    pub(super) fn spawn_detached(args: &[OsString]) -> io::Result<()> {
        // Ours are closed on exec already; what our caller left open for us (the lock of a script, the pipe of a build) is not.
        close_fds::set_fds_cloexec(3, &[]);
        let mut command = Command::new(executable()?);
        if let Some((name, rest)) = args.split_first() {
            command.arg0(name).args(rest);
        }
        command.env_remove(KUBERNETES_EXEC_INFO).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(drop) // we end before it does: process 1 reaps it
    }
}

#[cfg(windows)]
#[path = "processes/windows.rs"]
mod system;
