//! The life of a certificate in the cache, in order. What is cached is served without any request to the cloud.

use crate::support::World;
use cce_login::host::{Directories, Env};
use cce_login::store::SecretStore as _;

const HOUR: i64 = 3600;

#[test]
fn a_certificate_is_fetched_once_served_while_it_is_good_and_renewed_when_it_is_close_to_its_end() {
    let mut world = World::new();
    world.let_pass(0);
    let get = |world: &World| world.get_credential(&[]).credential();

    // no cache
    let first = get(&world);
    assert_eq!(world.certificate_requests(), 1);
    assert_eq!(world.sim.count("*"), 1, "one request and no other");

    // valid: any request would fail
    world.sim.set_behaviour(|b| b.cloud_down = true);
    assert_eq!(get(&world).certificate, first.certificate);
    world.let_pass(5 * HOUR);
    assert_eq!(get(&world).certificate, first.certificate);
    // inside the renewal window it is served still
    world.let_pass(2 * HOUR);
    assert_eq!(get(&world).certificate, first.certificate);
    world.let_pass(58 * 60);
    let last = get(&world);
    assert_eq!((last.certificate, last.key), (first.certificate.clone(), first.key));
    world.sim.set_behaviour(|b| b.cloud_down = false);
    assert_eq!(world.certificate_requests(), 1);

    // its last moments
    world.let_pass(90);
    let second = get(&world);
    assert_eq!(world.certificate_requests(), 2);
    assert_ne!(second.certificate, first.certificate);

    // and again from the cache
    assert_eq!(get(&world).certificate, second.certificate);
    assert_eq!(world.certificate_requests(), 2);

    // a laptop that slept for a week
    world.let_pass(7 * 24 * HOUR);
    let third = get(&world);
    assert_ne!(third.certificate, second.certificate);
    assert_eq!(world.certificate_requests(), 3);
}

#[test]
fn a_corrupt_entry_is_fetched_again_without_a_word() {
    let world = World::new();
    let first = world.get_credential(&[]).credential();
    let account = the_account(&world);
    for corrupt in [&b""[..], b"garbage", &[0xff; 2000]] {
        world.keyring().plant(&account, Some(corrupt));
        let requests = world.certificate_requests();
        let next = world.get_credential(&[]).credential(); // checks that stderr is empty
        assert_ne!(next.certificate, first.certificate);
        assert_eq!(world.certificate_requests(), requests + 1);
        assert_eq!(world.get_credential(&[]).credential().certificate, next.certificate);
    }
    // One flipped bit in an otherwise good entry.
    let bytes = world.keyring().get(&account).unwrap().unwrap();
    let mut bytes = bytes.expose().clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    world.keyring().plant(&account, Some(&bytes));
    let requests = world.certificate_requests();
    world.get_credential(&[]).credential();
    assert_eq!(world.certificate_requests(), requests + 1);
}

#[test]
fn an_entry_of_a_later_version_counts_as_missing() {
    let world = World::new();
    world.get_credential(&[]).credential();
    let account = the_account(&world);
    let mut bytes = world.keyring().get(&account).unwrap().unwrap().expose().clone();
    bytes[0] = 3;
    world.keyring().plant(&account, Some(&bytes));
    world.get_credential(&[]).credential();
    assert_eq!(world.certificate_requests(), 2);
}

#[test]
fn what_was_asked_for_before_a_logout_is_void_and_what_comes_after_counts() {
    let mut world = World::new();
    world.let_pass(0);
    let first = world.get_credential(&[]).credential();
    // The tombstone as `logout` and `revoke` will leave it.
    let account = the_account(&world);
    world.write(&format!(".local/state/cce-login/tombstones/{account}"), "4711");
    world.let_pass(1);
    let second = world.get_credential(&[]).credential();
    assert_ne!(first.certificate, second.certificate);
    assert_eq!(world.get_credential(&[]).credential().certificate, second.certificate);
    assert_eq!(world.certificate_requests(), 2);
}

#[test]
fn force_refresh_replaces_the_certificate_for_everybody() {
    let world = World::new();
    let first = world.get_credential(&[]).credential();
    let forced = world.get_credential(&["--force-refresh"]).credential();
    assert_ne!(first.certificate, forced.certificate);
    assert_eq!(world.get_credential(&[]).credential().certificate, forced.certificate);
}

#[test]
fn another_access_key_in_the_environment_is_another_entry() {
    let mut world = World::new();
    let alice = world.get_credential(&["--identity=env"]).credential();
    world.use_key_of("bob");
    let bob = world.get_credential(&["--identity=env"]).credential();
    assert_ne!(alice.certificate, bob.certificate);
    assert_eq!(world.certificate_requests(), 2);
    world.use_key_of("alice");
    assert_eq!(
        world.get_credential(&["--identity=env"]).credential().certificate,
        alice.certificate
    );
    assert_eq!(world.certificate_requests(), 2, "both are kept side by side");
}

#[test]
fn somebody_elses_exported_access_key_changes_nothing_when_a_profile_is_pinned() {
    let mut world = World::new();
    world.keep_profile("default", "alice");
    let alice = world.get_credential(&["--profile=default"]).credential();
    world.use_key_of("bob");
    assert_eq!(
        world.get_credential(&["--profile=default"]).credential().certificate,
        alice.certificate
    );
    let renewed = world.get_credential(&["--profile=default", "--force-refresh"]);
    renewed.credential();
    let asked_by = world.sim.requests().pop().unwrap().access_key_id;
    assert_eq!(asked_by, Some(world.sim.access_key("alice").id));
}

#[test]
fn another_lifetime_cluster_or_project_is_another_entry() {
    let world = World::new();
    world.sim.add_cluster(cce_sim::ClusterSpec::named("staging"));
    world.sim.add_cluster(cce_sim::ClusterSpec {
        project: "cn-north-4_team".to_owned(),
        ..cce_sim::ClusterSpec::named("team")
    });
    let get = |cluster: &str, flags: &[&str]| world.get_credential_of(cluster, flags).credential().certificate;
    let all = || {
        [
            get("prod", &[]),
            get("prod", &["--duration=15m"]),
            get("prod", &["--duration=1d"]),
            get("staging", &[]),
            get("team", &[]),
        ]
    };
    let fetched = all();
    assert_eq!(world.certificate_requests(), 5);
    assert_eq!(all(), fetched);
    assert_eq!(world.certificate_requests(), 5);
    // The same lifetime in other words is the same entry.
    assert_eq!(get("prod", &["--duration=24h"]), fetched[2]);
    assert_eq!(get("prod", &["--duration=8h"]), fetched[0]);
}

#[test]
fn a_keyring_that_fails_costs_a_fetch_but_never_the_login() {
    use cce_login::store::Switches;
    let world = World::new();
    for switches in [
        Switches {
            locked: true,
            ..Switches::default()
        },
        Switches {
            unavailable: true,
            ..Switches::default()
        },
        Switches {
            fail_get: true,
            ..Switches::default()
        },
        Switches {
            fail_set: true,
            ..Switches::default()
        },
        Switches {
            size_limit: Some(10),
            ..Switches::default()
        },
    ] {
        world.keyring().switch(switches);
        world.get_credential(&["--force-refresh"]).credential();
        world.get_credential(&[]).credential();
    }
}

#[test]
fn without_a_cache_every_call_fetches() {
    let world = World::new();
    let first = world.get_credential(&["--cache=none"]).credential();
    let second = world.get_credential(&["--cache=none"]).credential();
    assert_ne!(first.certificate, second.certificate);
    assert_eq!(world.certificate_requests(), 2);
    assert!(world.keyring().is_empty());
}

#[test]
fn the_file_store_is_used_only_when_asked_for_and_only_we_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut world = World::new();
    world.use_system_stores();
    world.allow_secrets_below(".cache/cce-login");
    let first = world.get_credential(&["--cache=file"]).credential();
    assert_eq!(
        world.get_credential(&["--cache=file"]).credential().certificate,
        first.certificate
    );
    assert_eq!(world.certificate_requests(), 1);

    let cache = world.home().join(".cache/cce-login");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&cache), 0o700);
    let files: Vec<_> = std::fs::read_dir(&cache)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert!(!files.is_empty());
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_state_directory_that_cannot_be_written_costs_nothing_but_notes() {
    let mut world = World::new();
    let blocked = world.write("blocked", "a file, not a directory");
    world.set("CCE_LOGIN_STATE_DIR", &blocked);
    world.unset("XDG_RUNTIME_DIR");
    let first = world.get_credential(&[]).credential();
    assert_eq!(world.get_credential(&[]).credential().certificate, first.certificate);
    assert_eq!(world.certificate_requests(), 1);
    let env = Env::given([("CCE_LOGIN_STATE_DIR", blocked.clone())]);
    assert_eq!(Directories::of(&env).state, Some(blocked.into()));
}

/// The account of the one entry there is.
fn the_account(world: &World) -> String {
    let accounts: Vec<_> = world.keyring().names();
    let certificates: Vec<_> = accounts.iter().filter(|name| name.starts_with("cert-")).collect();
    assert_eq!(certificates.len(), 1, "{accounts:?}");
    certificates[0].clone()
}
