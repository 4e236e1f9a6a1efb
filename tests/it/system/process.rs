//! Real processes under a bound: each leads a process group of its own, which ends with its handle also when a test fails.

use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// Longer than anything takes, also on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(5);
const SLOWEST_POLL: Duration = Duration::from_millis(50);

/// How a process ended, what it said, and every command line that was seen in its group.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) has_left_a_core: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
    pub(crate) command_lines: BTreeSet<String>,
}

/// A process that runs.
pub(crate) struct Running {
    child: Child,
    started: Instant,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
    command_lines: BTreeSet<String>,
}

impl Running {
    /// Starts it with `stdin` in a pipe, or with the stdin that `command` already has.
    pub(crate) fn start(mut command: Command, stdin: Option<&str>) -> Self {
        command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        Self::spawn(command, stdin)
    }

    /// Starts it with this stdin.
    pub(crate) fn start_with_stdin(mut command: Command, stdin: Stdio) -> Self {
        command.stdin(stdin);
        Self::spawn(command, None)
    }

    fn spawn(mut command: Command, stdin: Option<&str>) -> Self {
        command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|error| {
            panic!("{command:?} does not start ({error}): run tests/run, which sets everything up")
        });
        if let (Some(text), Some(mut pipe)) = (stdin, child.stdin.take()) {
            match pipe.write_all(text.as_bytes()) {
                // It has ended without reading it, as after `echo … |` in a shell.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
                written => written.unwrap(),
            }
        }
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self {
            child,
            started,
            stdout: collect(stdout),
            stderr: collect(stderr),
            command_lines: BTreeSet::new(),
        }
    }

    fn group(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// The process's own id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process_group(self.group(), signal).unwrap();
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    pub(crate) fn finish(self) -> Output {
        self.finish_within(LIMIT)
    }

    /// Waits for the end of one that has been told to end, however long it has been running.
    pub(crate) fn finish_now(self) -> Output {
        let age = self.started.elapsed();
        self.finish_within(age + LIMIT)
    }

    /// Waits for its end, no longer than this since its start.
    pub(crate) fn finish_within(mut self, limit: Duration) -> Output {
        let status = self.wait(limit);
        let took = self.started.elapsed();
        let rest = |stream: &Receiver<Vec<u8>>| {
            // A descendant may hold the pipe open: what it says later is not ours.
            let bytes = stream.recv_timeout(Duration::from_secs(10)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Output {
            code: status.code(),
            signal: status.signal(),
            has_left_a_core: status.core_dumped(),
            stdout: rest(&self.stdout),
            stderr: rest(&self.stderr),
            took,
            command_lines: std::mem::take(&mut self.command_lines),
        }
    }

    fn wait(&mut self, limit: Duration) -> ExitStatus {
        loop {
            self.look();
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                self.started.elapsed() < limit,
                "still running: {:?}",
                self.command_lines
            );
            // What runs for long is looked at less often: many may be running.
            std::thread::sleep(POLL.max((self.started.elapsed() / 10).min(SLOWEST_POLL)));
        }
    }

    /// Notes what every process of the group was started with.
    fn look(&mut self) {
        let group = self.group().as_raw_nonzero().to_string();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
                continue;
            };
            // After the name in parentheses: state, parent, group.
            let fields = stat.rsplit(')').next().unwrap_or_default();
            if fields.split_whitespace().nth(2) == Some(group.as_str())
                && let Ok(line) = fs::read(entry.path().join("cmdline"))
            {
                self.command_lines
                    .insert(String::from_utf8_lossy(&line).replace('\0', " "));
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone_already = kill_process_group(self.group(), Signal::KILL);
        let _ = self.child.wait();
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

/// Waits for a condition; `what` is said if it does not come.
pub(crate) fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_there() {
        assert!(started.elapsed() < Duration::from_secs(30), "waited in vain for {what}");
        std::thread::sleep(POLL);
    }
}
