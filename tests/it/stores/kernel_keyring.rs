//! The kernel keyring of the machine the tests run on. Each test uses names of its own and removes them.

#![expect(clippy::unwrap_used, reason = "a broken test world should stop the test")]

use super::support::{Run, bare_world, now, unique, wait_for};
use cce_login::secret::Secret;
use cce_login::store::{KernelKeyring, SecretStore, StoreError};
use chrono::TimeDelta;
use std::fs;

fn secret(text: &str) -> Secret<Vec<u8>> {
    Secret::new(text.into())
}

fn keyring() -> KernelKeyring {
    KernelKeyring::new(&bare_world())
}

fn set(account: &str, value: &str, seconds: i64) {
    let now = now();
    keyring()
        .set(
            account,
            "label",
            &secret(value),
            Some(now + TimeDelta::seconds(seconds)),
            now,
        )
        .unwrap();
}

/// What the kernel shows of a key: timeout and permissions.
fn shown(account: &str) -> (String, String) {
    let keys = fs::read_to_string("/proc/keys").unwrap();
    let line = keys
        .lines()
        .find(|line| line.contains(&format!(" cce-login:{account}: ")));
    let mut columns = line.unwrap().split_ascii_whitespace().skip(3).map(str::to_owned);
    (columns.next().unwrap(), columns.next().unwrap())
}

#[test]
fn a_key_is_kept_listed_and_deleted() {
    let account = unique("kept");
    assert_eq!(keyring().get(&account).unwrap(), None);
    set(&account, "certificate", 3600);
    assert_eq!(keyring().get(&account).unwrap(), Some(secret("certificate")));
    assert!(keyring().list().unwrap().contains(&account));
    keyring().delete(&account).unwrap();
    assert_eq!(keyring().get(&account).unwrap(), None);
    assert!(!keyring().list().unwrap().contains(&account));
    keyring().delete(&account).unwrap();
}

#[test]
fn permission_and_timeout_hold_after_an_update_too() {
    let account = unique("limits");
    set(&account, "first", 8 * 3600 + 120);
    assert_eq!(shown(&account), ("8h".into(), "3f010000".into()));
    set(&account, "second", 20 * 3600 + 120);
    assert_eq!(shown(&account), ("20h".into(), "3f010000".into()));
    keyring().delete(&account).unwrap();
}

#[test]
fn the_kernel_forgets_a_key_when_its_value_ends() {
    let account = unique("ends");
    set(&account, "soon gone", 2);
    assert_eq!(keyring().get(&account).unwrap(), Some(secret("soon gone")));
    wait_for("the key to expire", || keyring().get(&account).unwrap().is_none());
    // An expired key is in the way of nothing.
    set(&account, "next", 60);
    assert_eq!(keyring().get(&account).unwrap(), Some(secret("next")));
    keyring().delete(&account).unwrap();
}

#[test]
fn what_has_expired_never_expires_or_is_too_large_is_refused_and_takes_the_older_value_along() {
    let now = now();
    let ended = Some(now);
    let later = Some(now + TimeDelta::hours(1));
    let account = unique("refused");
    for (value, expires_at) in [
        ("new".to_owned(), ended),
        ("new".to_owned(), None),
        ("x".repeat(32_768), later),
    ] {
        set(&account, "old", 3600);
        let error = keyring()
            .set(&account, "label", &secret(&value), expires_at, now)
            .unwrap_err();
        assert!(
            matches!(
                error,
                StoreError::Expired | StoreError::NeverExpires { .. } | StoreError::TooLarge { .. }
            ),
            "{error}"
        );
        assert_eq!(keyring().get(&account).unwrap(), None, "{error}");
    }
}

#[test]
fn the_largest_value_comes_back_whole() {
    let account = unique("large");
    let large = "x".repeat(32_767);
    let now = now();
    match keyring().set(&account, "label", &secret(&large), Some(now + TimeDelta::hours(1)), now) {
        Ok(()) => assert_eq!(keyring().get(&account).unwrap(), Some(secret(&large))),
        // Only root's quota has room for it.
        Err(error) => assert!(
            matches!(error, StoreError::Full { .. }) && bare_world().uid != 0,
            "{error}"
        ),
    }
    keyring().delete(&account).unwrap();
}

#[test]
fn every_thread_possesses_what_another_thread_stored() {
    let account = unique("threads");
    set(&account, "shared", 60);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let account = account.clone();
            std::thread::spawn(move || keyring().get(&account).unwrap())
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), Some(secret("shared")));
    }
    keyring().delete(&account).unwrap();
}

const LIFE: [&str; 6] = [
    "set a one 3600",
    "get a",
    "set a two 3600",
    "get a",
    "delete a",
    "get a",
];
const LIVED: [&str; 6] = [
    "held by [kernel-keyring]",
    "kernel-keyring: one",
    "held by [kernel-keyring]",
    "kernel-keyring: two",
    "deleted",
    "none",
];

#[test]
fn a_session_that_does_not_hold_the_user_keyring_is_as_good() {
    let mut run = Run::new();
    run.under(&["keyctl", "session", "-"]);
    let account = unique("session");
    let steps = LIFE.map(|step| step.replacen(" a", &format!(" {account}"), 1));
    assert_eq!(run.texts("kernel", &steps), LIVED);
}

/// A user with no session, no keys, and the quota of an ordinary user. Not root itself, the tests take a user namespace for it.
fn as_another_user(uid: &str) -> Run {
    let mut run = Run::new();
    if bare_world().uid == 0 {
        run.for_every_user();
        run.under(&["setpriv", "--reuid", uid, "--regid", uid, "--clear-groups"]);
    } else {
        run.under(&["unshare", "--user", "--map-root-user"]);
    }
    run
}

#[test]
fn another_user_is_as_good() {
    assert_eq!(as_another_user("47110").texts("kernel", &LIFE), LIVED);
}

#[test]
fn room_is_made_from_our_own_keys_the_one_that_expires_first_going_first() {
    let run = as_another_user("47111");
    let mut steps = vec!["sh printf foreign | keyctl padd user not-ours @u >/dev/null".to_owned()];
    for (account, seconds) in [("day", 90_000), ("hour", 4000), ("minute", 100), ("week", 700_000)] {
        steps.push(format!("set {account} bytes:4500 {seconds}"));
    }
    steps.push("set new bytes:4500 3600".into());
    for account in ["minute", "hour", "day", "week", "new"] {
        steps.push(format!("get {account}"));
    }
    // An update that is beyond the quota with only ours gone: the older value must not stay.
    steps.push("set new bytes:20001 3600".into());
    steps.push("get new".into());
    steps.push("list".into());
    steps.push("sh keyctl session - sh -c 'keyctl link @u @s; keyctl pipe %user:not-ours' 2>/dev/null".into());
    steps.push("sh keyctl purge user not-ours >/dev/null".into());
    let texts = run.texts("kernel", &steps);
    let held = "held by [kernel-keyring]";
    let there = "kernel-keyring: bytes:4500";
    assert_eq!(
        texts,
        [
            "",
            held,
            held,
            held,
            held,
            held,
            "none",
            there,
            there,
            there,
            there,
            "held by []; the kernel keyring has no room left",
            "none",
            "[]",
            "foreign",
            ""
        ]
    );
}

#[test]
fn it_is_left_alone_in_containers() {
    let mut pid = Run::new();
    pid.under(&["unshare", "--map-root-user", "--pid", "--fork", "--mount-proc"]);
    let mut cgroup = Run::new();
    cgroup.under(&["unshare", "--map-root-user", "--cgroup"]);
    let mut variable = Run::new();
    variable.set("container", "podman");
    let mut pod = Run::new();
    pod.set("KUBERNETES_SERVICE_HOST", "127.0.0.9");
    let runs = [
        (pid, "the PID namespace is not the machine's"),
        (cgroup, "the cgroup namespace is not the machine's"),
        (variable, "the variable `container` is set"),
        (pod, "the variable `KUBERNETES_SERVICE_HOST` is set"),
    ];
    for (run, sign) in runs {
        let reason = format!("; the kernel keyring is not available: it is not used in containers, and {sign}");
        assert_eq!(
            run.texts("kernel", &["set a one 60", "get a"]),
            [format!("held by []{reason}"), format!("none{reason}")]
        );
    }
    let mut blank = Run::new();
    blank.set("container", "");
    assert_eq!(blank.texts("kernel", &["get never-there"]), ["none"]);
}
