//! Processes that end before their time.

use super::process::{Running, wait_for};
use super::world::{World, words};
use cce_sim::{ClusterSpec, Fault};
use rustix::process::Signal;
use std::time::Duration;

/// Starts `get-credential` and returns when it waits for the cloud's answer, with the fetch lock in its hands.
fn fetching(world: &World) -> Running {
    world.sim.add_fault("clustercert", Fault::Hang, 1);
    let running = world.start(&world.get_credential_words());
    wait_for("the request", || world.certificate_requests() == 1);
    running
}

#[test]
fn a_process_killed_while_it_fetches_does_not_keep_the_next_one_waiting() {
    let world = World::new();
    let running = fetching(&world);
    let waiting = world.start(&world.get_credential_words());
    running.signal(Signal::KILL);
    assert_eq!(running.finish().signal, Some(9));
    let next = world.checked(waiting.finish());
    assert!(next.took < Duration::from_secs(5), "{:?}", next.took);
    next.certificate();
    assert_eq!(world.certificate_requests(), 2);
}

#[test]
fn ctrl_c_ends_a_fetch_at_once() {
    let world = World::new();
    let mut running = fetching(&world);
    assert!(running.runs());
    running.signal(Signal::INT);
    let output = world.checked(running.finish());
    assert!(output.signal == Some(2) || output.code == Some(130), "{output:?}");
    assert!(output.took < Duration::from_secs(10), "{:?}", output.took);
    assert_eq!(output.stdout, "");
    world.get_credential().certificate();
}

/// Issue 13.23: a shell without job control starts what runs in the background with Ctrl-C ignored, and that is inherited.
#[test]
fn what_these_tests_start_hears_ctrl_c_wherever_they_run() {
    let mut world = World::new();
    world.put_in_front(&["sh", "-c", "trap '' INT; exec \"$0\" \"$@\""]);
    let status = world.run(&["grep", "SigIgn", "/proc/self/status"]).succeeded().stdout;
    let mask = u64::from_str_radix(status.split_whitespace().nth(1).unwrap(), 16).unwrap();
    assert_eq!(mask & (1 << (Signal::INT.as_raw() - 1)), 0, "{status}");
}

#[test]
fn a_client_that_closes_its_end_of_the_pipe_is_no_error() {
    let world = World::new();
    world.get_credential().certificate();
    let line = world.get_credential_words().join(" ");
    // The reader is gone before the first byte is written.
    let script = format!("{{ read -r _ <\"$HOME/gone\"; {line}; echo \"$?\" >&2; }} | :");
    world.shell("mkfifo \"$HOME/gone\"");
    let running = world.start(&["sh", "-c", &script]);
    world.shell("echo >\"$HOME/gone\"");
    let output = world.checked(running.finish()).succeeded();
    assert_eq!(output.stderr, "0\n");
}

#[test]
fn closed_streams_are_no_error() {
    let world = World::new();
    let line = world.get_credential_words().join(" ");
    let fetched = world.run(&["sh", "-c", &format!("{line} <&-")]).certificate();
    let cached = world.run(&["sh", "-c", &format!("{line} <&- 2>&-")]).certificate();
    assert_eq!(cached, fetched);
    assert_eq!(world.certificate_requests(), 1);
    let namespaces = world.run(&["sh", "-c", "kubectl-cce_login version >&-"]);
    assert_eq!(namespaces.signal, None, "no panic: {}", namespaces.stderr);
}

#[test]
fn ctrl_c_in_a_refresh_of_many_keeps_what_is_done_and_says_how_far_it_was() {
    let world = World::new();
    for name in ["staging", "lab"] {
        world.sim.add_cluster(ClusterSpec::named(name));
    }
    world
        .login_with("--cluster prod --cluster staging --cluster lab")
        .succeeded();
    let kubeconfig = world.path(".kube/config");
    let text = || std::fs::read_to_string(&kubeconfig).unwrap();
    let before = text();
    world.sim.rotate("prod");
    let fetched = world.certificate_requests();
    world.sim.add_fault("clustercert", Fault::Latency(Duration::ZERO), 1);
    world.sim.add_fault("clustercert", Fault::Hang, 1);
    let running = world.start(&words("kubectl-cce_login", "refresh --all"));
    wait_for("the second request", || world.certificate_requests() == fetched + 2);
    running.signal(Signal::INT);
    let output = world.checked(running.finish()).failed(130);
    let rest = "1 of 3 are done; the rest: `kubectl cce-login refresh --context staging --context lab`";
    assert!(output.stderr.contains(rest), "{}", output.stderr);
    assert_ne!(text(), before, "the first entry has the authorities of today");
}
