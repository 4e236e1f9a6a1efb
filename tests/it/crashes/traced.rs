//! A run under strace: which system calls it makes on the user's directories, and what comes of it when one of them fails.

use super::operations::Operation;
use super::place::Place;
use crate::system::world::World;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than any of them takes.
const LIMIT_SECONDS: &str = "60";

/// The calls that look at files.
const LOOKING: [&str; 12] = [
    "open",
    "openat",
    "read",
    "pread64",
    "flock",
    "fcntl",
    "statx",
    "newfstatat",
    "fstat",
    "getdents64",
    "lseek",
    "readlink",
];
/// The calls that change files and names.
const CHANGING: [&str; 21] = [
    "write",
    "pwrite64",
    "writev",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "rmdir",
    "mkdir",
    "mkdirat",
    "chmod",
    "fchmod",
    "fchmodat",
    "ftruncate",
    "symlinkat",
    "fchown",
];

/// One system call of an operation: the so-many-th of its kind in its process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point {
    call: String,
    number: usize,
    makes_file: bool,
    shown: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Error(&'static str),
    Killed,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} number {} ({})", self.call, self.number, self.shown)
    }
}

impl Point {
    pub(super) fn changes_something(&self) -> bool {
        self.makes_file || CHANGING.contains(&self.call.as_str())
    }

    pub(super) fn is_removal(&self) -> bool {
        ["unlink", "unlinkat", "rmdir"].contains(&self.call.as_str())
    }

    /// What may happen to a call of this kind.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let mut faults = vec![Fault::Error("EIO")];
        // Killed at a call that changes nothing is killed at the next one that does.
        if self.changes_something() {
            faults.push(Fault::Killed);
        }
        let takes_room = self.makes_file
            || [
                "write",
                "pwrite64",
                "writev",
                "fsync",
                "mkdir",
                "mkdirat",
                "rename",
                "renameat",
                "ftruncate",
            ]
            .contains(&self.call.as_str());
        if takes_room {
            faults.extend([Fault::Error("ENOSPC"), Fault::Error("EDQUOT")]);
        }
        if ["open", "openat", "read", "write", "fsync", "flock"].contains(&self.call.as_str()) {
            faults.push(Fault::Error("EINTR"));
        }
        faults
    }
}

/// How a run ended.
pub(super) struct Ran {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) took: Duration,
    pub(super) is_injected: bool,
}

/// Runs words in the world, with what the operation types.
pub(super) fn run(world: &World, operation: &Operation, words: &[String], front: &[String]) -> Ran {
    let bound = ["timeout", "--signal=KILL", LIMIT_SECONDS].map(str::to_owned);
    let all: Vec<String> = bound.iter().chain(front).chain(words).cloned().collect();
    let mut command: Command = world.command(&all);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn().unwrap();
    let typed = (operation.stdin)(world);
    // One that has been killed does not read.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran {
        code: output.status.code(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
        took: started.elapsed(),
        is_injected: false,
    }
}

fn strace(world: &World, flags: &[String]) -> (Vec<String>, tempfile::NamedTempFile) {
    let log = tempfile::NamedTempFile::new().unwrap();
    // Not with `--seccomp-bpf`: it is faster, and does not deliver the signals that are injected.
    let mut front: Vec<String> = ["strace", "-f", "-y", "-qq", "--signal=none"].map(str::to_owned).into();
    front.push(format!("--output={}", log.path().display()));
    front.extend_from_slice(flags);
    assert!(!log.path().starts_with(world.home()));
    (front, log)
}

/// The calls of a trace: which one, the so-many-th of its kind in its process, and what it is about.
fn numbered(trace: &str) -> impl Iterator<Item = (&str, usize, &str)> + Clone {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let call_of = move |line| {
        let (process, rest): (&str, &str) = str::split_once(line, ' ')?;
        // What has no name here is the second half of a call that another process has come between.
        let (call, arguments) = rest
            .trim_start()
            .split_once('(')
            .filter(|(call, _)| LOOKING.contains(call) || CHANGING.contains(call))?;
        let number = counts.entry((process, call)).or_default();
        *number += 1;
        Some((call, *number, arguments))
    };
    trace.lines().filter_map(call_of)
}

/// Every call that the operation makes on the user's directories.
pub(super) fn points(world: &World, operation: &Operation, start: &Place, words: &[String]) -> Vec<Point> {
    start.restore(world);
    let (front, log) = strace(
        world,
        &[format!(
            "--trace={}",
            [&LOOKING[..], &CHANGING]
                .concat()
                .iter()
                .map(|call| format!("?{call}"))
                .collect::<Vec<_>>()
                .join(",")
        )],
    );
    run(world, operation, words, &front);
    let trace = std::fs::read(log.path()).unwrap();
    let (trace, home) = (String::from_utf8_lossy(&trace).into_owned(), world.path(""));
    let mut points = BTreeSet::new();
    for (call, number, line) in numbered(&trace) {
        if line.contains(&home) {
            points.insert(Point {
                call: call.to_owned(),
                number,
                makes_file: line.contains("O_CREAT"),
                shown: line.chars().take(160).collect::<String>().replace(&home, "~"),
            });
        }
    }
    assert!(!points.is_empty(), "{}: nothing was written", operation.name);
    points.into_iter().collect()
}

/// Where a call of this number may be found: what a process says to itself comes between the calls on files, not as often each time.
const AROUND: [isize; 7] = [0, 1, -1, 2, -2, 3, -3];

/// Runs the operation from its start with this fault at this call.
pub(super) fn run_with(
    world: &World,
    operation: &Operation,
    start: &Place,
    words: &[String],
    point: &Point,
    fault: Fault,
) -> Ran {
    let what = match fault {
        Fault::Error(name) => format!("error={name}"),
        Fault::Killed => "signal=KILL".to_owned(),
    };
    let home = world.path("");
    let mut last = None;
    for number in AROUND
        .iter()
        .filter_map(|offset| point.number.checked_add_signed(*offset))
    {
        start.restore(world);
        let call = &point.call;
        let (front, log) = strace(
            world,
            &[
                format!("--trace={call}"),
                format!("--inject={call}:{what}:when={}", number.max(1)),
            ],
        );
        let ran = run(world, operation, words, &front);
        let trace = std::fs::read(log.path()).unwrap();
        let trace = String::from_utf8_lossy(&trace).into_owned();
        // In another process or on another file it is not what is meant.
        let hit = numbered(&trace).filter(|(_, of_kind, _)| *of_kind == number);
        let is_there = match fault {
            Fault::Error(_) => trace.contains("(INJECTED)"),
            Fault::Killed => ran.code != Some(operation.code),
        };
        let is_injected = is_there && hit.clone().count() > 0 && hit.clone().all(|(_, _, line)| line.contains(&home));
        let ran = Ran { is_injected, ..ran };
        if is_injected {
            return ran;
        }
        last = Some(ran);
    }
    last.unwrap()
}
