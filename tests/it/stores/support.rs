//! Runs store operations in a process of their own, so that the uid, the namespaces and the session keyring are what a test says.
//!
//! The process is this test binary again, told by [`SCRIPT`] to act instead of to test.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken test world should stop the test"
)]

use cce_login::secret::Secret;
use cce_login::store::{CacheMode, LayeredStore, StoreEnvironment, StoreFailure, Stores};
use chrono::{DateTime, TimeDelta, Utc};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

const SCRIPT: &str = "CCE_STORES_TEST_SCRIPT";
const ANSWERS: &str = "CCE_STORES_TEST_ANSWERS";

/// The moment every run of a test takes for now, unless it asks the clock: kernel timeouts count from the real one.
#[expect(clippy::disallowed_methods, reason = "the tests are the world")]
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::<Utc>::from(SystemTime::now())
}

#[expect(clippy::disallowed_methods, reason = "the tests are the world")]
fn var(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// A world in which nothing is set.
pub(crate) fn bare_world() -> StoreEnvironment {
    StoreEnvironment {
        dbus_session_bus_address: None,
        xdg_runtime_dir: None,
        container: None,
        kubernetes_service_host: None,
        cache_dir: None,
        shared_memory_dir: "/dev/shm".into(),
        time_out_marker: None,
        uid: rustix::process::getuid().as_raw(),
        interactive: false,
        is_for_client: false,
        keyring_deadline: StoreEnvironment::keyring_deadline_for(false),
        now: now(),
    }
}

/// A name no other test has, nor another run.
pub(crate) fn unique(name: &str) -> String {
    format!("test-{}-{name}", std::process::id())
}

/// One operation's answer and how long it took.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) took: Duration,
}

/// A process to run operations in: its environment (cleared first) and the commands in front of it.
pub(crate) struct Run {
    pub(crate) directory: tempfile::TempDir,
    program: PathBuf,
    front: Vec<String>,
    variables: Vec<(String, OsString)>,
}

impl Run {
    /// A process with a private home, no bus, and no runtime directory.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        set_mode(directory.path(), 0o755);
        let mut run = Self {
            directory,
            program: std::env::current_exe().unwrap(),
            front: Vec::new(),
            variables: Vec::new(),
        };
        run.set("HOME", run.directory.path().to_owned());
        run.set("PATH", var("PATH").unwrap());
        run
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.variables.push((name.to_owned(), value.into()));
    }

    /// Puts a command in front, nearest to the process last.
    pub(crate) fn under(&mut self, command: &[&str]) {
        self.front.extend(command.iter().map(|word| (*word).to_owned()));
    }

    /// Takes a copy of the program that every user can reach, wherever the build directory is.
    pub(crate) fn for_every_user(&mut self) {
        let copy = self.directory.path().join("test-program");
        // Not by us: a child that another thread forks meanwhile would hold the copy open for writing ("text file busy").
        assert!(
            Command::new("cp")
                .args([&self.program, &copy])
                .status()
                .unwrap()
                .success()
        );
        self.program = copy;
    }

    /// A runtime directory of its own, with no bus in it.
    pub(crate) fn with_runtime_dir(&mut self) -> PathBuf {
        let runtime = self.directory.path().join("runtime");
        fs::create_dir(&runtime).unwrap();
        set_mode(&runtime, 0o700);
        self.set("XDG_RUNTIME_DIR", runtime.clone());
        runtime
    }

    /// Runs the steps one after the other in one process and returns their answers.
    ///
    /// `get A`, `set A VALUE SECONDS`, `delete A`, `list` work on the stores of `mode`; `sh COMMAND` runs a shell command there.
    pub(crate) fn steps(&self, mode: &str, steps: &[impl AsRef<str>]) -> Vec<Answer> {
        let answers = self.directory.path().join(unique("answers"));
        fs::File::create(&answers).unwrap();
        set_mode(&answers, 0o666);
        let actor = format!("{}::act", module_path!().split_once("::").unwrap().1);
        let script = std::iter::once(mode)
            .chain(steps.iter().map(AsRef::as_ref))
            .collect::<Vec<_>>()
            .join("\n");
        let mut words = self.front.clone();
        words.push(self.program.to_str().unwrap().to_owned());
        words.extend(["--exact", "--nocapture", &actor].map(str::to_owned));
        let (first, rest) = words.split_first().unwrap();
        let output = Command::new(first)
            .args(rest)
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .env(SCRIPT, script)
            .env(ANSWERS, &answers)
            .current_dir("/")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = fs::read_to_string(&answers).unwrap();
        fs::remove_file(&answers).unwrap();
        let answers: Vec<_> = text.lines().map(parse_answer).collect();
        assert!(
            output.status.success() && answers.len() == steps.len(),
            "{words:?}: {output:?}\n{text}"
        );
        answers
    }

    /// The texts of the answers alone.
    pub(crate) fn texts(&self, mode: &str, steps: &[impl AsRef<str>]) -> Vec<String> {
        self.steps(mode, steps).into_iter().map(|answer| answer.text).collect()
    }
}

fn parse_answer(line: &str) -> Answer {
    let (micros, text) = line.split_once(' ').unwrap();
    Answer {
        text: text.to_owned(),
        took: Duration::from_micros(micros.parse().unwrap()),
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Waits for something that another process does; `what` is said if it does not come.
pub(crate) fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_there() {
        assert!(started.elapsed() < Duration::from_secs(20), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Not a test of its own: what the process of a [`Run`] does. Without a script there is nothing to do.
#[test]
fn act() {
    let Some(script) = var(SCRIPT) else { return };
    let script = script.into_string().unwrap();
    let mut lines = script.lines();
    let mode = match lines.next().unwrap() {
        "auto" => CacheMode::Auto,
        "keyring" => CacheMode::Keyring,
        "kernel" => CacheMode::Kernel,
        other => panic!("no such mode: {other}"),
    };
    let interactive = var("INTERACTIVE").is_some();
    let world = StoreEnvironment {
        dbus_session_bus_address: var("DBUS_SESSION_BUS_ADDRESS"),
        xdg_runtime_dir: var("XDG_RUNTIME_DIR").map(PathBuf::from),
        container: var("container"),
        kubernetes_service_host: var("KUBERNETES_SERVICE_HOST"),
        time_out_marker: var("MARKER").map(PathBuf::from),
        shared_memory_dir: var("SHARED_MEMORY").map_or_else(|| "/dev/shm".into(), PathBuf::from),
        interactive,
        is_for_client: var("CLIENT").is_some(),
        keyring_deadline: StoreEnvironment::keyring_deadline_for(interactive),
        ..bare_world()
    };
    let stores = Stores::new(world.clone()).of(mode);
    let mut answers = String::new();
    for line in lines {
        let started = Instant::now();
        let text = step(&stores, line);
        writeln!(answers, "{} {}", started.elapsed().as_micros(), text.replace('\n', "|")).unwrap();
    }
    let mut file = fs::OpenOptions::new().write(true).open(var(ANSWERS).unwrap()).unwrap();
    std::io::Write::write_all(&mut file, answers.as_bytes()).unwrap();
}

fn step(stores: &LayeredStore, line: &str) -> String {
    let words: Vec<_> = line.split(' ').collect();
    match *words.as_slice() {
        ["get", account] => {
            let lookup = stores.get(account);
            match lookup.found {
                Some((kind, value)) => format!("{}: {}", kind.name(), shown(value.expose())),
                None => format!("none{}", told(&lookup.troubles)),
            }
        }
        ["set", account, value, seconds] => {
            let expires_at = seconds.parse().ok().map(|seconds| now() + TimeDelta::seconds(seconds));
            let value = match value.strip_prefix("bytes:") {
                Some(len) => vec![b'x'; len.parse().unwrap()],
                None => value.into(),
            };
            let report = stores.set(
                account,
                "a test of kubectl cce-login",
                &Secret::new(value),
                expires_at,
                now(),
            );
            let held: Vec<_> = report.held_by.iter().map(|kind| kind.name()).collect();
            format!("held by [{}]{}", held.join(" "), told(&report.troubles))
        }
        ["delete", account] => {
            let deleted = stores.delete(account);
            format!("deleted{}", told(&deleted.troubles))
        }
        ["list"] => {
            let (accounts, troubles) = stores.list();
            format!("[{}]{}", accounts.join(" "), told(&troubles))
        }
        ["sh", ..] => {
            let output = Command::new("sh")
                .args(["-c", line.strip_prefix("sh ").unwrap()])
                .output()
                .unwrap();
            format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            )
        }
        _ => panic!("no such step: {line}"),
    }
}

fn shown(value: &[u8]) -> String {
    if value.len() > 100 {
        format!("bytes:{}", value.len())
    } else {
        String::from_utf8_lossy(value).into_owned()
    }
}

fn told(troubles: &[StoreFailure]) -> String {
    let mut text = String::new();
    for trouble in troubles {
        write!(text, "; {}", trouble.error).unwrap();
    }
    text
}
