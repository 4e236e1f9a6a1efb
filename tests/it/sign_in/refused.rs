//! Identities that are missing, incomplete or refused: one clear line, a hint, exit 3, and nobody else tried.

use crate::support::World;
use cce_login::error::Exit;

#[test]
fn no_identity_at_all_names_the_cures() {
    let mut world = World::new();
    world.use_no_key();
    for (name, outcome) in [
        ("login", world.login(&[])),
        ("get-credential", world.get_credential(&[])),
    ] {
        outcome.fails(Exit::Identity, "no identity is configured");
        world.snapshot(&format!("{name}/no-identity"), &outcome);
    }
    assert_eq!(world.sim.count("*"), 0);
}

#[test]
fn without_any_identity_the_answer_comes_at_once() {
    let mut world = World::new();
    world.use_no_key();
    world.get_credential(&[]); // the first run of a process pays for more than its own work
    let started = std::time::Instant::now();
    world
        .get_credential(&[])
        .fails(Exit::Identity, "no identity is configured");
    let milliseconds = started.elapsed().as_millis();
    assert!(milliseconds < 50, "{milliseconds} ms");
    assert_eq!(world.sim.count("*"), 0);
}

#[test]
fn blank_variables_count_as_unset() {
    let mut world = World::new();
    world.set("HUAWEICLOUD_SDK_AK", "");
    world.set("HUAWEICLOUD_SDK_SK", "  ");
    world
        .get_credential(&[])
        .fails(Exit::Identity, "no identity is configured");
    world.keep_profile("default", "alice");
    world.set("HUAWEICLOUD_SDK_AK", " \t");
    world.set("CCE_LOGIN_PROFILE", "");
    world.set("CCE_LOGIN_IDENTITY", " ");
    world.get_credential(&[]).credential();
}

#[test]
fn half_an_access_key_stops_even_if_a_profile_would_do() {
    for (name, unset) in [
        ("only-an-access-key-id", "HUAWEICLOUD_SDK_SK"),
        ("only-a-secret-key", "HUAWEICLOUD_SDK_AK"),
    ] {
        let mut world = World::new();
        world.keep_profile("default", "alice");
        world.use_key_of("bob");
        world.set(unset, " ");
        world.sim.clear_requests();
        let outcome = world.get_credential(&[]);
        outcome.fails(Exit::Identity, &format!("`{unset}` is not"));
        world.snapshot(&format!("get-credential/{name}"), &outcome);
        assert_eq!(world.sim.count("*"), 0);
    }
}

#[test]
fn a_refused_access_key_is_told_with_where_it_comes_from() {
    let mut world = World::new();
    world.set("HUAWEICLOUD_SDK_SK", "0123456789abcdef0123456789abcdef01234567");
    let outcome = world.get_credential(&[]);
    outcome.fails(Exit::Identity, "verify aksk signature fail");
    world.snapshot("get-credential/wrong-secret-key", &outcome);
    let outcome = world.login(&[]);
    outcome.fails(Exit::Identity, "verify aksk signature fail");
    world.snapshot("login/wrong-secret-key", &outcome);

    world.set("HUAWEICLOUD_SDK_AK", "UNKNOWNUNKNOWNUNKNOW");
    let outcome = world.get_credential(&[]);
    outcome.fails(Exit::Identity, "ak not exist");
    world.snapshot("get-credential/unknown-access-key", &outcome);
}

#[test]
fn an_access_key_id_with_odd_signs_never_leaves_the_machine() {
    let mut world = World::new();
    world.set("HUAWEICLOUD_SDK_AK", "AK\r\nX-Evil: 1");
    let outcome = world.get_credential(&[]);
    outcome.fails(Exit::Identity, "HUAWEICLOUD_SDK_AK");
    world.snapshot("get-credential/odd-access-key-id", &outcome);
    assert_eq!(world.sim.count("*"), 0);
}

#[test]
fn a_profiles_key_that_was_deleted_in_the_cloud_is_told_with_the_profiles_name() {
    let mut world = World::new();
    world.keep_profile("work", "bob");
    let id = world.sim.access_key("bob").id;
    world.sim.remove_access_key(&id);
    let outcome = world.get_credential(&["--profile=work"]);
    outcome.fails(Exit::Identity, "ak not exist");
    world.snapshot("get-credential/key-of-the-profile-is-gone", &outcome);
}

#[test]
fn a_profile_that_does_not_exist_or_cannot_be_read_is_told() {
    use cce_login::store::Switches;
    let mut world = World::new();
    world.keep_profile("work", "alice");
    let outcome = world.get_credential(&["--profile=wrok"]);
    outcome.fails(Exit::Identity, "there is no profile `wrok`");
    world.snapshot("get-credential/unknown-profile", &outcome);

    world.keyring().switch(Switches {
        locked: true,
        ..Switches::default()
    });
    let outcome = world.get_credential(&["--profile=work"]);
    outcome.fails(Exit::Identity, "cannot read the secret of profile `work`");
    world.snapshot("get-credential/keyring-is-locked", &outcome);

    world.keyring().switch(Switches::default());
    for account in world.keyring().names() {
        world.keyring().plant(&account, None);
    }
    let outcome = world.get_credential(&["--profile=work"]);
    outcome.fails(Exit::Identity, "its secret is in no store");
    world.snapshot("get-credential/secret-is-in-no-store", &outcome);

    world.keyring().switch(Switches {
        unavailable: true,
        ..Switches::default()
    });
    let outcome = world.get_credential(&["--profile=work"]);
    outcome.fails(Exit::Identity, "cannot read the secret of profile `work`");
    world.snapshot("get-credential/keyring-is-away", &outcome);

    // It is there, and only slow: nobody has to set anything again.
    world.keyring().switch(Switches {
        silent: true,
        ..Switches::default()
    });
    let outcome = world.get_credential(&["--profile=work"]);
    outcome.fails(Exit::Temporary, "cannot read the secret of profile `work`");
    world.snapshot("get-credential/keyring-is-slow", &outcome);
    assert_eq!(world.certificate_requests(), 0);
}

#[test]
fn a_malformed_config_is_told_with_its_line() {
    let mut world = World::new();
    world.use_no_key();
    let good = "# mine\n[profiles.default]\nkind = \"access-key\"\n";
    for (name, text) in [
        ("config-is-malformed", format!("{good}access_key_id = \n")),
        ("config-has-another-shape", format!("{good}region = 5\n")),
    ] {
        world.write(".config/cce-login/config.toml", text);
        let outcome = world.get_credential(&[]);
        outcome.fails(Exit::Usage, "config.toml`, line 4: ");
        world.snapshot(&format!("get-credential/{name}"), &outcome);
    }
    world.write(
        ".config/cce-login/config.toml",
        "[profiles.default]\nkind = \"passkey\"\n",
    );
    let outcome = world.get_credential(&[]);
    outcome.fails(Exit::Identity, "its kind `passkey` is unknown");
    world.snapshot("get-credential/profile-of-unknown-kind", &outcome);
}

#[test]
fn another_person_than_at_the_login_is_refused() {
    let mut world = World::new();
    world.login(&[]).is_done();
    // The same access key, whose certificates are suddenly for somebody else: made with bob's note.
    let account = world.keyring().names().remove(0);
    let note = format!(".local/state/cce-login/entries/{account}.json");
    let changed = world
        .read(&note)
        .replace(&world.sim.user_id("alice"), &world.sim.user_id("bob"));
    world.write(&note, changed);
    world.keyring().plant(&account, None);
    let outcome = world.get_credential(&[]);
    outcome.fails(Exit::Identity, "the one at login was for");
    world.snapshot("get-credential/another-person-than-at-login", &outcome);
    // A person who logs in again means it.
    world.login(&[]).is_done();
    world.use_key_of("alice");
    world.get_credential(&[]).credential();
}

#[test]
fn a_clock_that_is_off_by_hours_is_no_obstacle() {
    let mut world = World::new();
    for hours in [-30, 5] {
        world.set_clock_off(hours * 3600);
        let fresh = world.get_credential(&["--force-refresh"]).credential();
        let left = fresh.expires_at() - world.now();
        assert!(
            left.num_hours() >= 5 && left.num_hours() <= 6,
            "in terms of our clock: {left}"
        );
        assert_eq!(world.get_credential(&[]).credential().certificate, fresh.certificate);
    }
}

#[test]
fn a_clock_that_is_some_minutes_slow_does_not_turn_a_quarter_of_an_hour_into_a_day() {
    let mut world = World::new();
    // Not enough for the signature to be refused, but the end that we ask for is too near for the cloud.
    world.set_clock_off(-600);
    let credential = world.get_credential(&["--duration=15m"]).credential();
    let minutes = (credential.not_after - credential.not_before).num_minutes();
    assert!((14..=16).contains(&minutes), "{minutes} minutes");
    assert_eq!(world.certificate_requests(), 2);
}
