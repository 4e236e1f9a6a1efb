//! After every way of login and every way of logout nothing of ours is anywhere: disk, kernel keyring, Secret Service (issue 12, C9).

use super::bus::Bus;
use super::world::{Memory, World, kernel_key_of, words};
use crate::support::files_below;

/// What a person did before: flags of logins one after the other, and other commands.
const LOGINS: [&[&str]; 7] = [
    &["login"],
    &["login --cache keyring"],
    &["login --cache kernel"],
    &["login --cache file"],
    &["login --cache file", "login --cache auto"],
    &["login", "login --cache file", "refresh"],
    &["login --cache file", "login --cache keyring", "login --cache kernel"],
];
const LOGOUTS: [&str; 5] = [
    "logout",
    "logout --all",
    "logout --all --revoke --yes",
    "logout --all --remove-contexts",
    "logout --all --purge --yes",
];

/// Every file of ours that holds an entry, wherever it lies.
fn entries_on_disk(world: &World) -> Vec<String> {
    let all = files_below(world.home()).into_iter();
    all.map(|path| path.display().to_string())
        .filter(|path| path.contains("/entry-"))
        .collect()
}

/// What the Secret Service has of ours.
fn entries_in_the_keyring(world: &World) -> String {
    world.shell("secret-tool search --all service kubectl-cce_login 2>&1 | grep -a -e '^attribute.username' -e '^label' || true")
}

fn did(world: &World, line: &str) {
    match line.strip_prefix("login") {
        Some(flags) => drop(world.login_with(flags).succeeded()),
        None => drop(world.run(&words("kubectl-cce_login", line)).succeeded()),
    }
}

#[test]
fn nothing_is_left_after_every_way_of_login_and_logout() {
    let mut world = World::new();
    let _bus = Bus::unlocked(&mut world);
    for logins in LOGINS {
        for logout in LOGOUTS {
            for line in logins {
                did(&world, line);
            }
            let accounts = world.accounts();
            assert!(!accounts.is_empty());
            let out = world.run(&words("kubectl-cce_login", logout)).succeeded();
            let what = format!("{logins:?}, {logout}: {}", out.stderr);
            assert_eq!(entries_on_disk(&world), [""; 0], "{what}");
            assert_eq!(entries_in_the_keyring(&world), "", "{what}");
            for account in accounts {
                assert_eq!(kernel_key_of(&account), None, "{what}");
            }
        }
    }
}

/// The note on a certificate is written anew by whoever renews it, perhaps where one of its stores cannot be reached.
#[test]
fn a_keyring_that_has_it_and_cannot_be_asked_is_named_until_it_can() {
    let mut world = World::new();
    let bus = Bus::unlocked(&mut world);
    world.login();
    let address = world.variable("DBUS_SESSION_BUS_ADDRESS");
    world.unset("DBUS_SESSION_BUS_ADDRESS");
    did(&world, "refresh");
    for _ in 0..2 {
        let out = world.run(&words("kubectl-cce_login", "logout --all")).failed(1);
        assert!(
            out.stderr
                .contains("the Secret Service is not available: there is no session bus"),
            "{}",
            out.stderr
        );
        assert!(!out.stderr.contains("is forgotten"), "{}", out.stderr);
    }
    world.set("DBUS_SESSION_BUS_ADDRESS", address);
    assert_ne!(entries_in_the_keyring(&world), "");
    let out = world.run(&words("kubectl-cce_login", "logout --all")).succeeded();
    assert_eq!(entries_in_the_keyring(&world), "", "{}", out.stderr);
    drop(bus);
}

/// A container, then the same home outside of it: neither keyring nor memory directory was there when it was forgotten.
#[test]
fn what_a_session_put_into_memory_is_found_by_a_logout_with_keyrings() {
    let mut world = World::new();
    world.set("container", "docker");
    world.give_memory(Memory::Session);
    world.login();
    let kept = |world: &World| {
        let all = files_below(world.memory()).into_iter();
        all.filter(|path| path.to_string_lossy().contains("/entry-")).count()
    };
    assert_eq!(kept(&world), 1);
    world.unset("container");
    let out = world.run(&words("kubectl-cce_login", "logout --all")).succeeded();
    assert_eq!(kept(&world), 0, "{}", out.stderr);
}

/// Issue 13, 2: six calls of two services that share a keyring and no state directory.
#[test]
fn one_logout_does_not_set_two_environments_of_one_user_against_each_other() {
    let mut world = World::new();
    world.login();
    world.run(&words("kubectl-cce_login", "logout --all")).succeeded();
    let account = world.accounts();
    assert_eq!(account, [""; 0]);
    let before = world.certificate_requests();
    for round in 0..3 {
        world.get_credential().certificate();
        world.set("XDG_STATE_HOME", world.path("another-state"));
        world.get_credential().certificate();
        world.set("CCE_LOGIN_STATE_DIR", "relative/and/so/none");
        world.unset("XDG_STATE_HOME");
        world.unset("CCE_LOGIN_STATE_DIR");
        assert_eq!(world.certificate_requests(), before + 1, "round {round}");
    }
    // What one of them forgets is forgotten for it.
    world.set("XDG_STATE_HOME", world.path("another-state"));
    world.run(&words("kubectl-cce_login", "logout --all")).succeeded();
    world.get_credential().certificate();
    world.unset("XDG_STATE_HOME");
    world.get_credential().certificate();
    assert_eq!(world.certificate_requests(), before + 2);
}
