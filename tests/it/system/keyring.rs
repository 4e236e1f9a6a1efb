//! GNOME Keyring behind the kernel's keyring, real kubectl in front.

use super::bus::Bus;
use super::world::{Memory, World};
use std::os::unix::net::UnixListener;
use std::time::Duration;

/// Every call that could open a dialog.
const DIALOGS: &str =
    "exec dbus-monitor --session interface=org.freedesktop.Secret.Prompt member=Unlock >$HOME/dialogs";

#[test]
fn after_one_login_kubectl_works_from_two_keyrings_and_asks_the_cloud_only_when_both_are_empty() {
    let mut world = World::new();
    let _bus = Bus::unlocked(&mut world);
    let login = world.login();
    assert!(
        login
            .stderr
            .contains("kept in the kernel keyring and the Secret Service"),
        "{}",
        login.stderr
    );
    assert_eq!(world.certificate_requests(), 1);

    let before = world.cloud_requests();
    for _ in 0..2 {
        let namespaces = world.kubectl("get namespaces").succeeded();
        assert!(namespaces.stdout.contains("kube-system"), "{}", namespaces.stdout);
        assert_eq!(namespaces.stderr, "");
    }
    assert_eq!(world.cloud_requests(), before);

    let account = world.account();
    let seen = world.shell(&format!(
        "secret-tool search service kubectl-cce_login username {account} 2>/dev/null | grep -a '^label'"
    ));
    assert!(seen.contains("label = CCE client certificate, cluster "), "{seen}");

    assert!(world.kernel_key().is_some());
    world.remove_kernel_key();
    assert_eq!(world.kernel_key(), None);
    world.kubectl("get namespaces").succeeded();
    assert_eq!(world.cloud_requests(), before, "the second store has it");

    world.remove_kernel_key();
    world.shell(&format!(
        "secret-tool clear service kubectl-cce_login username {account}"
    ));
    world.kubectl("get namespaces").succeeded();
    world.kubectl("get namespaces").succeeded();
    assert_eq!(world.certificate_requests(), 2);
    assert_eq!(world.cloud_requests(), before + 1, "one new request, no more");
}

#[test]
fn a_locked_keyring_costs_a_fetch_and_opens_no_dialog() {
    let mut world = World::new();
    let _bus = Bus::unlocked(&mut world);
    world.set("container", "docker"); // no kernel keyring
    world.give_memory(Memory::Shared); // the certificate that is fetched goes there
    world.login();
    Bus::lock(&world);
    let monitor = world.start(&["sh", "-c", DIALOGS]);
    super::process::wait_for("the monitor", || {
        std::fs::read_to_string(world.home().join("dialogs")).is_ok_and(|log| log.contains("NameAcquired"))
    });
    let credential = world.get_credential();
    assert!(credential.took < Duration::from_secs(5), "{:?}", credential.took);
    credential.certificate();
    assert_eq!(world.certificate_requests(), 2);
    drop(monitor);
    let dialogs = std::fs::read_to_string(world.home().join("dialogs")).unwrap();
    for call in ["member=Unlock", "member=Prompt"] {
        assert!(!dialogs.contains(call), "{dialogs}");
    }
}

/// A bus whose socket takes connections and never answers: the kernel completes them up to the backlog.
fn silent_bus(world: &mut World) -> UnixListener {
    let socket = world.home().join("run/bus");
    let listener = UnixListener::bind(&socket).unwrap();
    world.set("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", socket.display()));
    listener
}

#[test]
fn a_secret_service_that_never_answers_costs_less_than_five_seconds_once() {
    let mut world = World::new();
    let _listener = silent_bus(&mut world);
    let first = world.get_credential();
    assert!(first.took < Duration::from_secs(5), "{:?}", first.took);
    let certificate = first.certificate();
    assert_eq!(world.certificate_requests(), 1);
    let second = world.get_credential();
    assert!(second.took < Duration::from_secs(1), "{:?}", second.took);
    assert_eq!(second.certificate(), certificate);

    world.remove_kernel_key();
    let third = world.get_credential();
    assert!(third.took < Duration::from_secs(2), "not asked again: {:?}", third.took);
    assert_eq!(world.certificate_requests(), 2);
}

#[test]
fn a_secret_service_that_never_answers_in_a_container_leaves_the_memory_directory() {
    let mut world = World::new();
    let _listener = silent_bus(&mut world);
    world.set("container", "docker");
    world.give_memory(Memory::Shared);
    let first = world.get_credential();
    assert!(first.took < Duration::from_secs(5), "{:?}", first.took);
    let certificate = first.certificate();
    let second = world.get_credential();
    assert!(second.took < Duration::from_secs(1), "{:?}", second.took);
    assert_eq!(second.certificate(), certificate);
}
