//! One sign-in across real processes, each at a terminal of its own, before a portal whose person is the test.

use super::bus::Bus;
use super::process::wait_for;
use super::terminal::Terminal;
use super::world::{World, words};
use cce_sim::Approval;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

const REFRESH: &str = "kubectl cce-login refresh";

/// A machine that is signed in at the portal and set up for a cluster; then the sign-in and everything that was made of it has ended. What a
/// browser is to open is a line of a file.
fn world() -> (World, Bus) {
    let mut world = World::new();
    world.use_no_key();
    world.sim.assign_permission_set("example-account", "Operators");
    world
        .sim
        .set_behaviour(|b| b.identity_center.approval = Approval::AfterPolls(0));
    let opener = world.path("bin/opener");
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$1\" >>'{}'\n", world.path("opened"));
    fs::write(&opener, script).unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o700)).unwrap();
    world.set("BROWSER", opener);
    let bus = Bus::unlocked(&mut world);
    let line = format!(
        "{} && kubectl cce-login login --profile work --cluster prod",
        set_line(&world)
    );
    let terminal = Terminal::start(&world, 200, 50, &line);
    terminal.ended(0);
    drop(terminal);
    assert_eq!(opened(&world), 1, "for profile and login");
    world.sim.end_portal_sessions();
    world.sim.expire_temporary_access_keys();
    world
        .sim
        .set_behaviour(|b| b.identity_center.approval = Approval::Waits);
    (world, bus)
}

fn set_line(world: &World) -> String {
    format!(
        "kubectl cce-login profile set work --kind sso --start-url {} --sso-region cn-north-4 --sso-endpoint {} --portal-endpoint {} --region cn-north-4 {}",
        world.sim.start_url(),
        world.sim.identity_center_oidc_endpoint(),
        world.sim.identity_center_portal_endpoint(),
        world.cloud_flags().join(" ")
    )
}

/// How many windows were opened.
fn opened(world: &World) -> usize {
    fs::read_to_string(world.path("opened")).map_or(0, |text| text.lines().count())
}

/// The certificate that is kept is gone, and nothing else.
fn lose_certificate(world: &World) {
    world.kubectl("cce-login logout --no-input").succeeded();
}

fn approve(world: &World) {
    let mut codes = Vec::new();
    wait_for("a code", || {
        codes = world.sim.waiting_user_codes();
        !codes.is_empty()
    });
    assert_eq!(codes.len(), 1, "one code for all");
    assert!(world.sim.decide_user_code(&codes[0], true));
}

#[test]
fn twenty_kubectls_whose_sign_in_has_ended_open_no_window() {
    let (world, _bus) = world();
    lose_certificate(&world);
    // Each with the terminal, so that somebody could be asked.
    let line = "exec 3<&0; for _ in $(seq 20); do kubectl get namespaces <&3 >>got & done; wait";
    let terminal = Terminal::start(&world, 200, 50, line);
    terminal.ended(0);
    let said = String::from_utf8_lossy(&terminal.recorded()).into_owned();
    assert!(said.contains("profile `work` has to sign in again"), "{said}");
    assert!(said.contains("kubectl cce-login refresh"), "{said}");
    assert_eq!(world.read("got"), "");
    assert_eq!((opened(&world), world.sim.count("start_device_authorization")), (1, 1));
    let codes = |world: &World| world.sim.waiting_user_codes().len();
    assert_eq!(codes(&world), 0);
    // Nor do those without one, nor the process that renews.
    world.kubectl("get namespaces").failed(1);
    let mut renew = world.get_credential_words();
    renew.retain(|word| !word.starts_with("--identity"));
    renew.extend(["--profile=work".to_owned(), "--renew".to_owned()]);
    world.run(&renew);
    assert_eq!((opened(&world), codes(&world)), (1, 0));
}

#[test]
fn five_refreshes_at_once_open_one_window() {
    let (world, _bus) = world();
    let terminals: Vec<Terminal> = (0..5).map(|_| Terminal::start(&world, 120, 30, REFRESH)).collect();
    wait_for("a window", || opened(&world) == 2);
    let waits = |terminal: &&Terminal| terminal.screen().contains("somebody is signing in already");
    wait_for("the four others", || terminals.iter().filter(waits).count() == 4);
    approve(&world);
    for terminal in &terminals {
        terminal.ended(0);
    }
    assert_eq!((opened(&world), world.sim.count("start_device_authorization")), (2, 2));
    drop(terminals);
    world.kubectl("get namespaces").succeeded();
}

#[test]
fn whoever_signs_in_and_dies_holds_nobody_up() {
    let (world, _bus) = world();
    let line = "echo $$ >first; exec kubectl-cce_login refresh";
    let first = Terminal::start(&world, 120, 30, &format!("sh -c '{line}'"));
    wait_for("a window", || opened(&world) == 2);
    let second = Terminal::start(&world, 120, 30, REFRESH);
    second.shows("somebody is signing in already");
    assert_eq!(opened(&world), 2);
    let pid = world.read("first").trim().parse().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    first.ended(137);
    // Its turn has come, with a code of its own.
    wait_for("the second window", || opened(&world) == 3);
    let codes = world.sim.waiting_user_codes();
    assert_eq!(codes.len(), 2);
    for code in codes {
        world.sim.decide_user_code(&code, true);
    }
    second.ended(0);
}

#[test]
fn nobody_waits_for_a_lock_while_a_person_thinks() {
    let (world, _bus) = world();
    world.set_profile("alice", "alice").succeeded();
    let asks = Terminal::start(&world, 120, 30, REFRESH);
    asks.shows("code   ");
    let at_once = |output: super::process::Output| {
        assert!(
            output.took < Duration::from_secs(10),
            "{:?}: {}",
            output.took,
            output.stderr
        );
        output
    };
    // Who has a certificate is served, and who has none is told at once.
    at_once(world.kubectl("get namespaces").succeeded());
    at_once(world.run(&words("kubectl-cce_login", "status")).succeeded());
    at_once(world.run(&words("kubectl-cce_login", "refresh --no-input")).failed(3));
    // Another identity is nobody's business.
    let mut others = world.get_credential_words();
    others.retain(|word| !word.starts_with("--identity"));
    others.push("--profile=alice".to_owned());
    at_once(world.run(&others).succeeded());
    let started = Instant::now();
    lose_certificate(&world);
    at_once(world.kubectl("get namespaces").failed(1));
    assert!(started.elapsed() < Duration::from_secs(30));
    asks.press("C-c");
    asks.ended(130);
    // The lease went with whoever had it.
    let again = Terminal::start(&world, 120, 30, REFRESH);
    again.shows("code   ");
    assert!(!again.screen().contains("already"), "{}", again.screen());
}
