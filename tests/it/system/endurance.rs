//! Many calls, and processes that are killed at any moment: nothing is left behind, nothing breaks.

use super::process::wait_for;
use super::world::World;
use rustix::process::{Signal, kill_process};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

const KILLS: usize = 500;
const CALLS: usize = 10_000;

/// Numbers that look random and can be had again by their seed.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn start(world: &World) -> Child {
    let mut command = world.command(&world.get_credential_words());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

#[test]
fn processes_killed_at_any_moment_leave_a_cache_that_works() {
    let world = World::new();
    // So short that there is always one to fetch and one to renew.
    world
        .sim
        .set_behaviour(|b| b.certificate_lifetime = Some(Duration::from_secs(2)));
    let seed = u64::from(std::process::id());
    let mut numbers = Numbers::new(seed);
    let mut fetched_at_last_look = 0;
    for round in 0..KILLS {
        let mut children = [start(&world), start(&world)];
        std::thread::sleep(Duration::from_millis(numbers.below(40)));
        // A caller, or whoever renews at the moment.
        let victims = world.processes();
        if let Some(victim) = victims.get(usize::try_from(numbers.below(4)).unwrap()) {
            let _gone_already = kill_process(*victim, Signal::KILL);
        }
        for child in &mut children {
            child.wait().unwrap();
        }
        if round % 25 == 0 {
            // Two callers at once agree, whatever was killed before.
            let both: BTreeSet<String> = [world.get_credential(), world.get_credential()]
                .map(super::process::Output::certificate)
                .into();
            let requests = world.certificate_requests() - fetched_at_last_look;
            fetched_at_last_look = world.certificate_requests();
            assert!(both.len() <= 2, "seed {seed}, round {round}");
            assert!(requests <= 25 * 3, "seed {seed}, round {round}: {requests} requests");
        }
    }
    // Once certificates last, one is fetched and everybody has it.
    wait_for("the last renewal", || world.processes().is_empty());
    world.sim.set_behaviour(|b| b.certificate_lifetime = None);
    wait_for("a certificate that lasts", || {
        let document: serde_json::Value = serde_json::from_str(&world.get_credential().stdout).unwrap();
        let asked_again: chrono::DateTime<chrono::Utc> = document["status"]["expirationTimestamp"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        asked_again > chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()) + chrono::TimeDelta::hours(1)
    });
    let requests = world.certificate_requests();
    let certificates: BTreeSet<String> = (0..5)
        .map(|_| world.get_credential_from_a_shell().certificate())
        .collect();
    assert_eq!(
        (certificates.len(), world.certificate_requests()),
        (1, requests),
        "seed {seed}"
    );
}

#[test]
fn ten_thousand_cached_calls_leave_nothing_behind() {
    let world = World::new();
    world.login();
    let certificate = world.get_credential_from_a_shell().certificate();
    let names = || -> Vec<(PathBuf, u64)> { world.files().into_iter().map(|(path, size, _)| (path, size)).collect() };
    let keys = || {
        fs::read_to_string("/proc/keys")
            .unwrap()
            .lines()
            .filter(|line| line.contains(&world.account()[..20]))
            .count()
    };
    let line = world.get_credential_words().join(" ");
    // One that asks often makes us ask the API server once: that file is there before we look.
    world.shell(&format!("{line} >/dev/null; {line} >/dev/null; true"));
    let (files_before, keys_before) = (names(), keys());

    let each = CALLS / 4;
    let script = format!("n=0; while [ $n -lt {each} ]; do {line} >/dev/null || exit 1; n=$((n+1)); done; true");
    let running: Vec<_> = (0..4).map(|_| world.start(&["sh", "-c", &script])).collect();
    for shell in running {
        let output = world.checked(shell.finish_within(Duration::from_secs(600))).succeeded();
        assert_eq!(output.stderr, "");
    }
    assert_eq!(names(), files_before);
    assert_eq!(keys(), keys_before);
    assert!(world.processes().is_empty());
    assert_eq!(world.certificate_requests(), 1);
    assert_eq!(world.get_credential_from_a_shell().certificate(), certificate);
}
