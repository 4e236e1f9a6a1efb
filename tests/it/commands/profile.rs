//! `profile`: an access key is verified, then kept; its secret in the keyring, the rest in `config.toml`.

use crate::support::{Outcome, World};
use cce_login::error::Exit;
use cce_login::store::Switches;
use cce_sim::Fault;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

const CONFIG: &str = ".config/cce-login/config.toml";

/// `profile set NAME` for this user's key, the secret on stdin.
fn set(world: &mut World, name: &str, user: &str, flags: &[&str]) -> Outcome {
    let key = world.sim.access_key(user);
    world.pipe_in(&format!("{}\n", key.secret));
    let args = ["profile", "set", name, "--access-key-id", &key.id, "--secret-stdin"];
    world.run(args.iter().chain(flags))
}

#[test]
fn a_verified_key_is_kept_and_used_from_then_on() {
    let mut world = World::new();
    world.use_no_key();
    let outcome = set(&mut world, "default", "alice", &["--region=cn-north-4"]);
    outcome.is_done();
    world.snapshot("profile/set", &outcome);
    assert_eq!(world.sim.count("projects"), 1, "it was verified");
    let config = world.elided(&world.read(CONFIG));
    assert_eq!(
        config,
        "[profiles.default]\nkind = \"access-key\"\naccess_key_id = \"[AK OF alice]\"\nregion = \"cn-north-4\"\n"
    );
    assert_eq!(
        world.home().join(CONFIG).metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );

    world.pipe_in("");
    world.unset("CCE_LOGIN_REGION"); // the profile knows it
    world.login(&[]).is_done();
    assert_eq!(world.kubeconfig().names("users"), ["default@prod.cn-north-4"]);
    world.get_credential(&["--profile=default"]).credential();
}

#[test]
fn a_key_that_the_cloud_refuses_is_not_kept() {
    let mut world = World::new();
    world.pipe_in("0123456789abcdef0123456789abcdef01234567");
    let id = world.sim.access_key("alice").id;
    let outcome = world.run(["profile", "set", "default", "--access-key-id", &id, "--secret-stdin"]);
    outcome.fails(Exit::Identity, "so nothing is kept");
    world.snapshot("profile/set-refused", &outcome);
    assert!(world.keyring().is_empty() && !world.has(CONFIG));
}

#[test]
fn a_key_that_cannot_be_verified_now_is_not_kept() {
    let mut world = World::new();
    world.sim.set_behaviour(|b| b.cloud_down = true);
    let outcome = set(&mut world, "default", "alice", &[]);
    outcome.fails(Exit::Temporary, "so nothing is kept");
    assert!(world.keyring().is_empty() && !world.has(CONFIG));
}

#[test]
fn the_secret_comes_from_stdin_and_from_nowhere_else() {
    let mut world = World::new();
    let id = world.sim.access_key("alice").id;
    let run = |world: &World, flags: &[&str]| {
        world.run(
            ["profile", "set", "default", "--access-key-id", &id]
                .iter()
                .chain(flags),
        )
    };
    let outcome = run(&world, &[]);
    outcome.fails(Exit::Usage, "--secret-stdin");
    world.snapshot("profile/set-without-secret-stdin", &outcome);
    run(&world, &["--secret=abc"]).fails(Exit::Usage, "unexpected argument");

    for (name, piped) in [
        ("set-nothing-on-stdin", ""),
        ("set-several-lines-on-stdin", "several\nlines of text\n"),
    ] {
        world.pipe_in(piped);
        let outcome = run(&world, &["--secret-stdin"]);
        outcome.fails(Exit::Usage, "on stdin");
        world.snapshot(&format!("profile/{name}"), &outcome);
    }
    assert_eq!(world.sim.count("*"), 0);
}

#[test]
fn comments_and_other_profiles_in_the_config_stay() {
    let mut world = World::new();
    let before = "# my clouds\n\n[profiles.other] # the other one\nkind = \"access-key\"\naccess_key_id = \"OTHER\"\nnote = 1 # unknown to us\n";
    world.write(CONFIG, before);
    set(&mut world, "work", "alice", &[]).is_done();
    let with = world.read(CONFIG);
    assert!(with.starts_with(before) && with.contains("[profiles.work]"), "{with}");
    set(&mut world, "work", "bob", &[]).is_done();
    let bob = world.sim.access_key("bob").id;
    assert!(world.read(CONFIG).contains(&bob) && world.read(CONFIG).matches("[profiles.work]").count() == 1);
    world.run(["profile", "remove", "work"]).is_done();
    assert_eq!(world.read(CONFIG), before);
}

#[test]
fn the_profiles_are_listed_in_every_form() {
    let mut world = World::new();
    let outcome = world.run(["profile", "list"]);
    world.snapshot("profile/list-of-none", &outcome);
    set(&mut world, "default", "alice", &["--region=cn-north-4"]).is_done();
    set(&mut world, "work", "bob", &["--secret-store=keyring"]).is_done();
    for (name, flags) in [
        ("list", &[][..]),
        ("list-as-json", &["-o", "json"]),
        ("list-as-yaml", &["-o", "yaml"]),
        ("list-of-names", &["-o", "name"]),
    ] {
        let outcome = world.run(["profile", "list"].iter().chain(flags));
        outcome.is_done();
        world.snapshot(&format!("profile/{name}"), &outcome);
    }
}

#[test]
fn removing_a_profile_removes_its_secret() {
    let mut world = World::new();
    set(&mut world, "work", "alice", &[]).is_done();
    assert!(!world.keyring().is_empty());
    let outcome = world.run(["profile", "remove", "work"]);
    outcome.is_done();
    world.snapshot("profile/remove", &outcome);
    assert!(world.keyring().is_empty());
    world
        .get_credential(&["--profile=work"])
        .fails(Exit::Identity, "there is no profile `work`");
    let outcome = world.run(["profile", "remove", "work"]);
    outcome.fails(Exit::Usage, "there is no profile `work`");
    world.snapshot("profile/remove-unknown", &outcome);
}

#[test]
fn removing_a_profile_forgets_its_certificates_and_nobody_elses() {
    let mut world = World::new();
    world.keep_profile("work", "bob");
    world.get_credential(&["--profile=work"]).is_done();
    world.use_key_of("alice");
    world.get_credential(&["--identity=env"]).is_done();
    assert_eq!(world.certificate_requests(), 2);
    world.use_no_key();
    world.run(["profile", "remove", "work"]).is_done();
    world.use_key_of("bob");
    // The same key from elsewhere shares the certificate, which is gone; alice's is still there.
    world.let_pass(1);
    world.get_credential(&["--identity=env"]).is_done();
    assert_eq!(world.certificate_requests(), 3);
    world.use_key_of("alice");
    world.get_credential(&["--identity=env"]).is_done();
    assert_eq!(world.certificate_requests(), 3);
}

#[test]
fn a_certificate_that_is_fetched_while_its_profile_is_removed_does_not_come_back() {
    let mut world = World::new();
    world.keep_profile("work", "alice");
    world.get_credential(&["--profile=work"]).is_done();
    let latency = Fault::Latency(Duration::from_millis(800));
    world.sim.set_fault("clustercert", latency);
    let fetched = world.get_credential_while(&["--profile=work", "--force-refresh"], || {
        world.run(["profile", "remove", "work"]).is_done();
    });
    fetched.is_done();
    assert!(world.keyring().is_empty(), "the fetched certificate was kept");
}

#[test]
fn a_locked_keyring_is_told_and_nothing_is_half_kept() {
    let mut world = World::new();
    world.keyring().switch(Switches {
        locked: true,
        ..Switches::default()
    });
    let outcome = set(&mut world, "work", "alice", &[]);
    outcome.fails(Exit::Failed, "cannot keep the secret of profile `work`");
    world.snapshot("profile/set-with-locked-keyring", &outcome);
    assert!(!world.has(CONFIG));

    world.keyring().switch(Switches::default());
    set(&mut world, "work", "alice", &[]).is_done();
    world.keyring().switch(Switches {
        locked: true,
        ..Switches::default()
    });
    let outcome = world.run(["profile", "remove", "work"]);
    assert_eq!(outcome.exit, Exit::Failed, "{outcome}");
    world.snapshot("profile/remove-with-locked-keyring", &outcome);
    // The hint's cure works: unlock, and run it again.
    world.keyring().switch(Switches::default());
    world.run(["profile", "remove", "work"]).is_done();
    assert!(world.keyring().is_empty() && !world.read(CONFIG).contains("work"));
}

#[test]
fn asked_for_by_name_the_secret_goes_to_a_file_that_only_we_can_read() {
    let mut world = World::new();
    world.use_no_key();
    world.allow_secrets_below(".config/cce-login/secrets");
    let outcome = set(&mut world, "default", "alice", &["--secret-store=file"]);
    outcome.is_done();
    world.snapshot("profile/set-in-a-file", &outcome);
    assert!(world.keyring().is_empty());
    let directory = world.home().join(".config/cce-login/secrets");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    let files: Vec<_> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(mode(&files[0]), 0o600);
    world.login(&[]).is_done();
    world.run(["profile", "remove", "default"]).is_done();
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
}

#[test]
fn two_profiles_whose_names_differ_in_case_only_have_two_secrets() {
    let mut world = World::new();
    set(&mut world, "work", "alice", &[]).is_done();
    set(&mut world, "Work", "bob", &[]).is_done();
    world.use_no_key();
    for (profile, user) in [("work", "alice"), ("Work", "bob")] {
        world.login(&["--profile", profile]).is_done();
        assert_eq!(
            world.sim.api_requests("prod").pop().unwrap().user,
            world.sim.user_id(user)
        );
    }
}

#[test]
fn what_is_written_by_hand_stays_when_a_profile_is_set_again() {
    let mut world = World::new();
    world.keep_profile("default", "alice");
    let config = ".config/cce-login/config.toml";
    let by_hand = "shared_cache = \"vault:kv/cce\"\n\n[profiles.default.vault]\naddress = \"https://vault.example.com\"\nrole = \"cce\"\n";
    let text = world.read(config);
    world.write(config, format!("{}\n{by_hand}", text.trim_end()));
    world.keep_profile("default", "alice");
    let text = world.read(config);
    for line in by_hand.lines().filter(|line| !line.is_empty()) {
        assert!(text.contains(line), "{line} is gone:\n{text}");
    }
}

/// Nothing to delete is deleted: the store that would hold a secret is not missed by a profile that has none (issue 13, 3).
#[test]
fn a_profile_without_a_secret_is_removed_without_any_keyring() {
    let world = World::new();
    world.write(
        ".config/cce-login/config.toml",
        "[profiles.ecs]\nkind = \"metadata\"\nregion = \"cn-north-4\"\n\n[profiles.work]\nkind = \"access-key\"\naccess_key_id = \"EXAMPLEACCESSKEYID00\"\n",
    );
    world.keyring().switch(Switches {
        unavailable: true,
        ..Switches::default()
    });
    world.run(["profile", "remove", "ecs"]).is_done();
    world
        .run(["profile", "remove", "work"])
        .fails(Exit::Failed, "its secret cannot be removed");
    let left = world.read(".config/cce-login/config.toml");
    assert!(!left.contains("ecs") && left.contains("work"), "{left}");
    world.keyring().switch(Switches::default());
    world.run(["profile", "remove", "work"]).is_done();
}
