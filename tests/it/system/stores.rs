//! Machines without a session bus, without the kernel's keyring, without any memory to write to.

use super::world::{Memory, World, words};
use crate::support::files_below;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn without_a_session_bus_the_kernel_keyring_alone_keeps_the_certificate() {
    let world = World::new();
    let login = world.login();
    assert!(
        login.stderr.contains(", kept in the kernel keyring\n"),
        "{}",
        login.stderr
    );
    let before = world.cloud_requests();
    world.kubectl("get namespaces").succeeded();
    assert_eq!(world.cloud_requests(), before);
    world.remove_kernel_key();
    world.kubectl("get namespaces").succeeded();
    assert_eq!(world.certificate_requests(), 2);
}

/// Both ways to be in a container: told by the manager, and seen by the namespace.
#[test]
fn in_a_container_the_kernel_keyring_is_left_alone() {
    for front in [["env", "container=docker"].as_slice(), &["unshare", "--pid", "--fork"]] {
        let mut world = World::new();
        world.give_memory(Memory::Shared);
        world.put_in_front(front);
        let certificate = world.get_credential().certificate();
        assert_eq!(world.kernel_key(), None, "{front:?}");
        assert_eq!(world.get_credential().certificate(), certificate);
        assert_eq!(world.certificate_requests(), 1, "{front:?}");
    }
}

#[test]
fn without_keyrings_the_runtime_directory_in_memory_keeps_it() {
    keeps_it_in(Memory::Session, "cce-login");
}

#[test]
fn without_keyrings_and_runtime_directory_dev_shm_keeps_it() {
    let uid = rustix::process::geteuid().as_raw();
    let seen_as = if uid == 0 { uid } else { 0 }; // `--map-root-user`
    keeps_it_in(Memory::Shared, &format!("cce-login-{seen_as}"));
}

fn keeps_it_in(memory: Memory, directory: &str) {
    let mut world = World::new();
    world.set("container", "docker");
    world.give_memory(memory);
    let login = world.login();
    assert!(
        login.stderr.contains(", kept in the memory directory\n"),
        "{}",
        login.stderr
    );
    let directory = world.memory().join(directory);
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&directory), 0o700);
    let account = world.account();
    let mut kept = files_below(&directory).into_iter();
    let file = kept.find(|path| path.to_string_lossy().contains(&account)).unwrap();
    assert_eq!(mode(&file), 0o600);
    let before = world.cloud_requests();
    world.kubectl("get namespaces").succeeded();
    assert_eq!(world.cloud_requests(), before);
    std::fs::remove_file(file).unwrap();
    world.kubectl("get namespaces").succeeded();
    assert_eq!(world.certificate_requests(), 2);
}

#[test]
fn with_no_place_at_all_kubectl_works_and_login_says_once_what_that_means() {
    let mut world = World::new();
    world.set("container", "docker");
    world.give_memory(Memory::None);
    let login = world.login();
    let told = "kept nowhere, so every kubectl call fetches a new one (`--cache file` keeps it in a file that only you can read)";
    assert_eq!(login.stderr.matches(told).count(), 1, "{}", login.stderr);
    for fetches in 2..4 {
        let namespaces = world.kubectl("get namespaces").succeeded();
        assert_eq!(namespaces.stderr, "");
        assert_eq!(world.certificate_requests(), fetches);
    }
}

#[test]
fn a_cached_call_is_silent_asks_nobody_and_leaves_no_file() {
    let world = World::new();
    world.login();
    let certificate = world.get_credential_from_a_shell().certificate();
    let requests = || (world.cloud_requests(), world.sim.api_requests("prod").len());
    // The callers are noted, in a file that never grows.
    let files = || {
        let files = world.files().into_iter();
        let is_callers = |path: &std::path::Path| path.ends_with("run/cce-login/callers");
        files
            .map(|(path, size, time)| (size, (!is_callers(&path)).then_some(time), path))
            .collect::<Vec<_>>()
    };
    let (before, asked) = (files(), requests());
    for _ in 0..3 {
        assert_eq!(world.get_credential_from_a_shell().certificate(), certificate);
    }
    assert_eq!(files(), before);
    assert_eq!(requests(), asked);
}

/// Issue 12, E21: a library that asks the dynamic linker for getrandom(2) finds none in a static program, and opens `/dev/random` instead.
#[test]
fn randomness_comes_from_the_system_call() {
    let mut world = World::new();
    world.give_bare_dev();
    world.login();
    world.get_credential().certificate();
    world.kubectl("get namespaces").succeeded();
    // Names are looked up by a library that wants randomness of its own.
    let unreachable = "whoami --region cn-north-4 --iam-endpoint https://localhost:1 --timeout 5s";
    world.run(&words("kubectl-cce_login", unreachable)).failed(4);
}
