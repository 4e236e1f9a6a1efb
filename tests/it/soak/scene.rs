//! What the loops and the trouble makers share: who calls, with what, until when, and what has happened.

use crate::system::world::World;
use cce_sim::Sim;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Somebody in whose name kubectl is called.
pub(super) struct Person {
    pub(super) user: &'static str,
    pub(super) id: String,
    pub(super) access_key: String,
    pub(super) context: String,
}

/// What somebody did to the loops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Killed {
        user: &'static str,
        is_renewal: bool,
    },
    BusRestarted,
    KeyringRestarted,
    /// The clock of the cloud and of its API servers; seconds ahead.
    CloudJumped(i64),
    /// The clock of this machine: seconds that the time of day moved against the boot clock.
    MachineJumped(i64),
}

impl Event {
    pub(super) fn is_jump(&self) -> bool {
        matches!(self, Self::CloudJumped(_) | Self::MachineJumped(_))
    }
}

/// A process of ours.
pub(super) struct Ours {
    pub(super) pid: i32,
    pub(super) user: &'static str,
    pub(super) is_renewal: bool,
}

pub(super) struct Scene<'s> {
    pub(super) sim: &'s Sim,
    pub(super) people: &'s [Person; 2],
    pub(super) length: Duration,
    variables: BTreeMap<String, String>,
    home: PathBuf,
    cluster: String,
    began: Instant,
    /// The boot clock of the calls, seconds ahead of the machine's.
    boot_offset: AtomicI64,
    peak_kib: AtomicU64,
    events: Mutex<Vec<(i64, Event)>>,
}

/// By the clock of the requests' records.
pub(super) fn now_ms() -> i64 {
    chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).timestamp_millis()
}

impl<'s> Scene<'s> {
    pub(super) fn new(world: &'s World, people: &'s [Person; 2], length: Duration) -> Self {
        Self {
            sim: &world.sim,
            people,
            length,
            variables: world.variables().clone(),
            home: world.home().to_owned(),
            cluster: world.sim.cluster("prod").uid,
            began: Instant::now(),
            boot_offset: AtomicI64::new(7200),
            peak_kib: AtomicU64::new(0),
            events: Mutex::default(),
        }
    }

    /// In whose name the loop of this number calls.
    pub(super) fn person(&self, number: usize) -> &Person {
        &self.people[number % self.people.len()]
    }

    pub(super) fn is_over(&self) -> bool {
        self.began.elapsed() >= self.length
    }

    /// Waits so long, or until the time is over; whether it is not.
    pub(super) fn pause(&self, span: Duration) -> bool {
        let left = self.length.saturating_sub(self.began.elapsed());
        std::thread::sleep(span.min(left));
        !self.is_over()
    }

    pub(super) fn note(&self, event: Event) {
        self.events.lock().unwrap().push((now_ms(), event));
    }

    pub(super) fn events(&self) -> Vec<(i64, Event)> {
        self.events.lock().unwrap().clone()
    }

    /// The clock of the cloud and its API servers moves by so many seconds.
    pub(super) fn move_cloud_clock(&self, seconds: i64) {
        self.sim.set_behaviour(|b| b.clock_offset += seconds);
        self.note(Event::CloudJumped(seconds));
    }

    /// The time of day moves by so many seconds against the boot clock, and against cloud and API server.
    pub(super) fn move_machine_clock(&self, seconds: i64) {
        self.boot_offset.fetch_sub(seconds, Ordering::Relaxed);
        self.sim.set_behaviour(|b| b.clock_offset -= seconds);
        self.note(Event::MachineJumped(seconds));
    }

    /// kubectl as it is called in a loop, ended by force after a minute.
    pub(super) fn kubectl(&self, words: &[String]) -> Command {
        let boot = format!("--boottime={}", self.boot_offset.load(Ordering::Relaxed));
        let mut front = vec![
            "--signal=KILL",
            "60",
            "unshare",
            "--time",
            &boot,
            "--fork",
            "--kill-child",
        ];
        if !rustix::process::geteuid().is_root() {
            front.push("--map-root-user");
        }
        let mut command = Command::new("timeout");
        // A core would be wherever a process was when it was killed: in the home directory, which is searched.
        command
            .args(front)
            .args(["sh", "-c", "ulimit -c unlimited; exec kubectl \"$@\"", "sh"])
            .args(words);
        command.env_clear().envs(&self.variables).current_dir(&self.home);
        command.stdin(std::process::Stdio::null());
        command
    }

    /// The processes of ours at this moment. What most memory any had is noted.
    pub(super) fn processes(&self) -> Vec<Ours> {
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        let ours = |process: std::fs::DirEntry| {
            let pid: i32 = process.file_name().to_str()?.parse().ok()?;
            let line = std::fs::read(process.path().join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).into_owned();
            let words: Vec<&str> = line.split('\0').collect();
            let is_ours = words.first()?.ends_with("kubectl-cce_login") && line.contains(&self.cluster);
            let user = if words.contains(&"--profile=bob") {
                "bob"
            } else {
                "alice"
            };
            let is_renewal = words.contains(&"--renew");
            is_ours.then_some(())?;
            let status = std::fs::read_to_string(process.path().join("status")).unwrap_or_default();
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = peak.and_then(|text| text.split_whitespace().next()?.parse().ok());
            self.peak_kib.fetch_max(kib.unwrap_or(0), Ordering::Relaxed);
            Some(Ours { pid, user, is_renewal })
        };
        all.filter_map(ours).collect()
    }

    pub(super) fn peak_kib(&self) -> u64 {
        self.peak_kib.load(Ordering::Relaxed)
    }
}
