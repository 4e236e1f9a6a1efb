//! Renewals by real processes, with certificates of a few seconds: in their last third they are renewed.

use super::bus::Bus;
use super::process::{Running, wait_for};
use super::world::{World, kernel_key_of};
use cce_sim::Fault;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A world whose certificates live for so many seconds.
fn world_of_lifetime(seconds: u64) -> World {
    let world = World::new();
    world
        .sim
        .set_behaviour(|b| b.certificate_lifetime = Some(Duration::from_secs(seconds)));
    world
}

/// Fetches a certificate that lives so long, and comes back when it is in its renewal window.
fn in_the_window(world: &World, lifetime: u64, get: impl Fn(&World) -> String) -> String {
    let fetched = Instant::now();
    let certificate = get(world);
    let window = Duration::from_secs(lifetime * 2 / 3) + Duration::from_millis(1100); // its end is in whole seconds
    wait_for("the renewal window", || fetched.elapsed() > window);
    certificate
}

fn certificate(world: &World) -> String {
    world.get_credential_from_a_shell().certificate()
}

/// The processes that renew in this world: its cluster's id is in their arguments.
fn renewals(world: &World) -> Vec<Pid> {
    let cluster = world.sim.cluster("prod").uid;
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let pid = |process: fs::DirEntry| {
        let line = fs::read(process.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        let is_one = line.contains(&cluster) && line.split('\0').any(|arg| arg == "--renew");
        Pid::from_raw(process.file_name().to_str()?.parse().ok().filter(|_| is_one)?)
    };
    processes.filter_map(pid).collect()
}

fn the_renewal(world: &World) -> Pid {
    wait_for("the process that renews", || renewals(world).len() == 1);
    renewals(world)[0]
}

fn proc_of(pid: Pid, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{}/{name}", pid.as_raw_nonzero()))
}

#[test]
fn the_process_that_renews_has_nothing_of_its_caller_and_outlives_it() {
    let world = world_of_lifetime(15);
    let first = in_the_window(&world, 15, certificate);
    world.sim.set_fault("clustercert", Fault::Hang);
    let mut script = world.in_a_shell("exec 9>\"$HOME/held\"", "sleep 60");
    script[2] = script[2].replace("--identity=env", "--identity=env --timeout=6s");
    let running = world.start(&script);
    let renewal = the_renewal(&world);
    wait_for("its request", || world.certificate_requests() == 2);

    let descriptors = fs::read_dir(proc_of(renewal, "fd")).unwrap().flatten();
    for descriptor in descriptors {
        let target = fs::read_link(descriptor.path())
            .unwrap_or_default()
            .display()
            .to_string();
        let number: u32 = descriptor.file_name().to_str().unwrap().parse().unwrap();
        let is_its_own = ["socket:", "anon_inode:"].iter().any(|kind| target.starts_with(kind))
            || target.contains("/cce-login/locks/");
        assert!(
            target == "/dev/null" || (number > 2 && is_its_own),
            "{number} is {target}"
        );
    }
    let stat = fs::read_to_string(proc_of(renewal, "stat")).unwrap();
    let group = stat.rsplit(')').next().unwrap().split_whitespace().nth(2).unwrap();
    assert_eq!(group, renewal.as_raw_nonzero().to_string(), "a group of its own");

    // Ctrl-C, a closed terminal, a killed job: what hits the caller's group does not hit it.
    running.signal(Signal::KILL);
    assert_eq!(running.finish().signal, Some(9));
    assert!(proc_of(renewal, "fd").exists());
    // Others do not start another one.
    assert_eq!(certificate(&world), first);
    assert_eq!(renewals(&world), [renewal]);
    // It ends by itself, and whoever reaps orphans has reaped it.
    wait_for("its end", || !proc_of(renewal, "stat").exists());
    assert_eq!(world.certificate_requests(), 2);
}

#[test]
fn whoever_reads_our_stdout_does_not_wait_for_the_renewal() {
    let world = world_of_lifetime(15);
    let first = in_the_window(&world, 15, certificate);
    world
        .sim
        .set_fault("clustercert", Fault::Latency(Duration::from_secs(2)));
    // Returns when stdout and stderr are closed by everybody who has them.
    assert_eq!(certificate(&world), first);
    assert_eq!(world.certificate_requests(), 1, "the renewal has not even asked");
    let renewal = the_renewal(&world);
    wait_for("its end", || !proc_of(renewal, "stat").exists());
    assert_ne!(certificate(&world), first);
    assert_eq!(world.certificate_requests(), 2);
}

#[test]
fn as_child_of_process_1_the_renewal_is_in_line() {
    let world = world_of_lifetime(15);
    let get = |world: &World, front: &[&str]| {
        let line = world.get_credential_words().join(" ") + " --cache=file; ended=$?; exit $ended";
        let words = [front, &["sh", "-c", &line]].concat();
        world.run(&words).certificate()
    };
    let first = in_the_window(&world, 15, |world| get(world, &[]));
    let front = ["unshare", "--map-root-user", "--pid", "--fork", "--mount-proc"];
    assert_ne!(get(&world, &front), first);
    assert_eq!(world.certificate_requests(), 2);
    assert!(renewals(&world).is_empty());
}

#[test]
fn a_renewal_that_hangs_with_the_lock_in_its_hands_holds_nobody_up() {
    let world = world_of_lifetime(15);
    let first = in_the_window(&world, 15, certificate);
    world
        .sim
        .set_fault("clustercert", Fault::Latency(Duration::from_secs(1)));
    assert_eq!(certificate(&world), first);
    let renewal = the_renewal(&world);
    wait_for("its request", || world.certificate_requests() == 2);
    kill_process(renewal, Signal::STOP).unwrap();
    for _ in 0..5 {
        assert_eq!(certificate(&world), first);
    }
    kill_process(renewal, Signal::KILL).unwrap();
    wait_for("its end", || !proc_of(renewal, "stat").exists());
    world.sim.clear_faults();
    wait_for("the next renewal", || certificate(&world) != first);
}

#[test]
fn a_hundred_processes_at_the_end_of_a_certificate_make_one_request() {
    let world = world_of_lifetime(4);
    let fetched = Instant::now();
    let first = certificate(&world);
    wait_for("the end", || fetched.elapsed() > Duration::from_millis(5100));
    world.sim.set_behaviour(|b| b.certificate_lifetime = None);
    world
        .sim
        .set_fault("clustercert", Fault::Latency(Duration::from_secs(2)));
    let words = world.in_a_shell("", "");
    let running: Vec<Running> = (0..100).map(|_| world.start(&words)).collect();
    let certificates: BTreeSet<String> = running
        .into_iter()
        .map(|process| world.checked(process.finish()).certificate())
        .collect();
    assert_eq!(certificates.len(), 1);
    assert!(!certificates.contains(&first));
    assert_eq!(world.certificate_requests(), 2);
}

#[test]
fn kubectl_in_a_loop_over_several_lifetimes_never_fails_and_each_lifetime_costs_one_request() {
    let world = world_of_lifetime(9);
    world.login();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(20) {
        let namespaces = world.kubectl("get namespaces").succeeded();
        assert_eq!(namespaces.stderr, "");
    }
    let requests = world.sim.api_requests("prod");
    assert!(requests.iter().all(|request| request.status < 300), "{requests:?}");
    let used: BTreeSet<_> = requests
        .iter()
        .filter_map(|request| request.certificate_serial.clone())
        .collect();
    assert!(used.len() >= 3, "{used:?}");
    // The last one may have come without having been used yet.
    assert!(
        (0..=1).contains(&(world.certificate_requests() - used.len())),
        "{} for {used:?}",
        world.certificate_requests()
    );
}

#[test]
fn a_cloud_that_hangs_for_the_whole_window_is_not_noticed() {
    let world = world_of_lifetime(18);
    let first = in_the_window(&world, 18, certificate);
    world.sim.set_fault("clustercert", Fault::Hang);
    let (began, mut calls) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_millis(1200) {
        let output = world.get_credential_from_a_shell();
        assert!(output.took < Duration::from_secs(3), "{:?}", output.took);
        assert_eq!(output.certificate(), first);
        calls += 1;
    }
    assert!(calls > 1);
    for renewal in renewals(&world) {
        kill_process(renewal, Signal::KILL).unwrap();
    }
    // Over, and the cloud is back: the next call brings a new one.
    wait_for("the end", || began.elapsed() > Duration::from_secs(6));
    world.sim.clear_faults();
    assert_ne!(certificate(&world), first);
}

#[test]
fn after_a_revocation_the_first_kubectl_fails_and_the_second_works() {
    let world = World::new();
    world.login();
    world.kubectl("get namespaces").succeeded();
    world.sim.revoke("prod", "alice");
    world.sim.clear_requests();
    let refused = world.kubectl("get namespaces").failed(1);
    assert!(refused.stderr.contains("Unauthorized"), "{}", refused.stderr);
    let of_refused = world.sim.api_requests("prod");
    let seen: Vec<_> = of_refused
        .iter()
        .map(|request| (request.path.as_str(), request.status))
        .collect();
    // kubectl's own request, and our question.
    assert_eq!(seen, [("/api/v1/namespaces?limit=500", 401), ("/api", 401)]);
    world.kubectl("get namespaces").succeeded();
    assert_eq!(world.certificate_requests(), 1);
    let rest = &world.sim.api_requests("prod")[of_refused.len()..];
    assert!(rest.iter().all(|request| request.status < 300), "{rest:?}");
}

#[test]
fn a_process_that_asks_often_costs_three_questions_and_no_certificate() {
    let world = World::new();
    world.login();
    world.sim.clear_requests();
    let line = world.get_credential_words().join(" ");
    world.shell(&format!(
        "for n in $(seq 20); do {line} >/dev/null || exit 1; done; true"
    ));
    let paths: Vec<String> = world
        .sim
        .api_requests("prod")
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(paths, ["/api"; 3], "one, and two in reserve");
    assert_eq!(world.cloud_requests(), 0);
}

#[test]
fn what_is_forgotten_while_it_is_renewed_does_not_come_back_even_with_a_locked_keyring() {
    let mut world = world_of_lifetime(15);
    let bus = Bus::unlocked(&mut world);
    world.set_profile("work", "alice").succeeded();
    let get = |world: &World| {
        let line = world
            .get_credential_words()
            .join(" ")
            .replace("--identity=env", "--profile=work");
        world.run(&["sh", "-c", &format!("{line}; ended=$?; exit $ended")])
    };
    world.login_with("--profile=work").succeeded();
    let first = in_the_window(&world, 15, |world| get(world).certificate());
    let account = world.account();
    world
        .sim
        .set_fault("clustercert", Fault::Latency(Duration::from_secs(2)));
    assert_eq!(get(&world).certificate(), first);
    wait_for("the request of the renewal", || world.certificate_requests() == 2);
    Bus::lock(&world);
    let out = world.run(&["kubectl-cce_login", "logout"]).failed(1);
    assert!(out.stderr.contains("the Secret Service is locked"), "{}", out.stderr);
    wait_for("the end of the renewal", || renewals(&world).is_empty());
    world.sim.clear_faults();
    assert_eq!(kernel_key_of(&account), None);
    // The next session opens the keyring again: neither of the two certificates comes out of it.
    drop(bus);
    let _bus = Bus::unlocked(&mut world);
    let second = get(&world).certificate();
    assert_ne!(second, first);
    assert_eq!(world.certificate_requests(), 3);
    assert_eq!(get(&world).certificate(), second);
}
