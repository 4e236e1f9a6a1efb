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
    run(&world, &["--secret=abc"]).fails(Exit::Usage, "has no flag `--secret`");

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

/// Issue 13.19: what no flag says stays, and only the secret is asked for.
#[test]
fn a_profile_that_is_there_is_offered_as_it_is() {
    let mut world = World::new();
    set(
        &mut world,
        "default",
        "alice",
        &["--region=cn-north-4", "--project=cn-north-4_team"],
    )
    .is_done();
    let before = world.read(CONFIG);
    world.terminal(true, true, true);
    world.use_no_key();
    let secret = world.sim.access_key("alice").secret;
    world.type_in(&format!("{secret}\n"));
    let outcome = world.run(["profile", "set", "default"]);
    world.snapshot("profile/set-again", outcome.is_done());
    assert_eq!(world.read(CONFIG), before);

    // By a pipe too; a flag changes what it says, and another region has other projects.
    world.terminal(false, false, false);
    let again = |world: &mut World, flags: &[&str]| {
        world.pipe_in(&secret);
        world
            .run(["profile", "set", "default", "--secret-stdin"].iter().chain(flags))
            .is_done();
        world.read(CONFIG)
    };
    assert_eq!(again(&mut world, &[]), before);
    let main = again(&mut world, &["--project=cn-north-4"]);
    assert_eq!(main, before.replace("cn-north-4_team", "cn-north-4"));
    world.set("CCE_LOGIN_IAM_ENDPOINT", world.sim.iam_endpoint());
    let elsewhere = again(&mut world, &["--region=cn-south-1"]);
    assert!(
        elsewhere.contains("cn-south-1") && !elsewhere.contains("project"),
        "{elsewhere}"
    );
    // Another key is another identity in the same place.
    let bob = world.sim.access_key("bob");
    world.pipe_in(&bob.secret);
    world
        .run([
            "profile",
            "set",
            "default",
            "--access-key-id",
            &bob.id,
            "--secret-stdin",
        ])
        .is_done();
    assert_eq!(
        world.read(CONFIG),
        elsewhere.replace(&world.sim.access_key("alice").id, &bob.id)
    );
}

/// Issue 13.19.
#[test]
fn what_depends_on_a_profile_is_named_before_it_is_removed() {
    let mut world = World::new();
    set(&mut world, "work", "alice", &["--region=cn-north-4"]).is_done();
    world.run(["login", "--profile=work", "--cluster=prod"]).is_done();
    let config = world.read(CONFIG)
        + "\n[profiles.customer]\nkind = \"agency\"\nagency = \"other/ops\"\nbase_profile = \"work\"\n";
    world.write(CONFIG, &config);

    world.terminal(true, true, true);
    world.type_in("\n");
    let kept = world.run(["profile", "remove", "work"]);
    world.snapshot("profile/remove-in-use", kept.is_done());
    assert!(world.read(CONFIG) == config && !world.keyring().is_empty());
    world.type_in("y\n");
    assert!(
        world
            .run(["profile", "remove", "work"])
            .is_done()
            .stderr
            .contains("are removed")
    );

    // Nobody is asked where nobody is there, or it was answered.
    for (has_terminal, flags) in [(false, &[][..]), (true, &["--yes"])] {
        world.terminal(false, false, false);
        set(&mut world, "work", "alice", &["--region=cn-north-4"]).is_done();
        world.terminal(has_terminal, has_terminal, has_terminal);
        world.type_in("");
        let removed = world.run(["profile", "remove", "work"].iter().chain(flags));
        assert!(removed.is_done().stderr.contains("`customer`"), "{removed}");
        assert!(!world.read(CONFIG).contains("[profiles.work]"));
    }
}

/// Issue 13.20: a passcode cannot be typed where the secret comes through a pipe.
#[test]
fn a_piped_secret_and_a_passcode_do_not_go_together() {
    let mut world = World::new();
    world.pipe_in("Passw0rd-of-alice");
    let user = world.sim.user_id("alice");
    let flags = [
        "--kind=password",
        "--user-id",
        &user,
        "--totp",
        "--region=cn-north-4",
        "--secret-stdin",
    ];
    let outcome = world.run(["profile", "set", "work"].iter().chain(&flags));
    outcome.fails(Exit::Usage, "a passcode is asked for");
    world.snapshot("profile/set-passcode-and-pipe", &outcome);
    assert_eq!(world.sim.count("*"), 0);
}

/// Issue 13.20: `profile set default` is all that other messages tell to type.
#[test]
fn at_a_terminal_the_region_is_asked_for() {
    let mut world = World::new();
    world.unset("CCE_LOGIN_REGION");
    world.unset("CCE_LOGIN_IAM_ENDPOINT");
    world.use_no_key();
    world.terminal(true, true, true);
    world.type_in("\u{4}");
    let outcome = world.run(["profile", "set", "default"]);
    assert!(outcome.stderr.contains("Region"), "{outcome}");
}

/// Issue 13.21: it used to ask for the password, refuse to send it, and ask again.
#[test]
fn an_endpoint_of_a_variable_is_told_before_a_password_is_asked_for() {
    let mut world = World::new();
    world.sim.set_password("alice", "Passw0rd-of-alice");
    world.set("CCE_LOGIN_IAM_ENDPOINT", world.sim.iam_endpoint());
    world.terminal(true, true, true);
    let set = [
        "profile",
        "set",
        "work",
        "--kind=password",
        "--username=alice",
        "--domain=example-account",
        "--region=cn-north-4",
    ];
    world.type_in("\n");
    let refused = world.run(set);
    assert_eq!(refused.exit, Exit::Interrupted, "{refused}");
    world.snapshot("profile/set-endpoint-of-a-variable", &refused);
    assert!(!world.has(CONFIG));
    world.type_in("y\nPassw0rd-of-alice\n");
    world.run(set).is_done();
    let config = world.read(CONFIG);
    assert!(
        config.contains(&format!("iam_endpoint = \"{}\"", world.sim.iam_endpoint())),
        "{config}"
    );
}

/// Who signed in with the variables need not type the key again.
#[test]
fn the_key_of_the_environment_is_offered() {
    let mut world = World::new();
    world.terminal(true, true, true);
    let key = world.sim.access_key("alice");
    world.type_in("\n");
    let kept = world.run(["profile", "set", "default"]);
    world.snapshot("profile/set-from-variables", kept.is_done());
    assert!(world.read(CONFIG).contains(&key.id));
    world.use_no_key();
    world.run(["whoami", "--profile=default"]).is_done();

    // No: it is typed. Another id, another kind and a pipe are not asked.
    world.use_key_of("alice");
    let bob = world.sim.access_key("bob");
    world.type_in(&format!("n\n{}\n{}\n", bob.id, bob.secret));
    world.run(["profile", "set", "work"]).is_done();
    assert!(world.read(CONFIG).contains(&bob.id));
    world.type_in(&format!("{}\n", bob.secret));
    let other = world.run(["profile", "set", "work"]);
    assert!(!other.is_done().stderr.contains("of the environment?"), "{other}");
    // A key that ends by itself is not offered.
    world.set("HUAWEICLOUD_SDK_SECURITY_TOKEN", "token-of-a-while");
    world.type_in("\u{4}");
    let temporary = world.run(["profile", "set", "third"]);
    assert!(!temporary.stderr.contains("of the environment?"), "{temporary}");
}

/// As a login says it.
#[test]
fn that_no_keyring_can_keep_the_secret_is_said_before_it_is_typed() {
    for (answer, is_kept) in [("", false), ("y", true)] {
        let mut world = World::new();
        world.use_no_key();
        world.allow_secrets_below(".config/cce-login/secrets");
        world.keyring().switch(Switches {
            unavailable: true,
            ..Switches::default()
        });
        world.terminal(true, true, true);
        let key = world.sim.access_key("alice");
        world.type_in(&format!("{answer}\n{}\n", key.secret));
        let out = world.run(["profile", "set", "default", "--access-key-id", &key.id]);
        assert_eq!(out.exit == Exit::Done, is_kept, "{out}");
        assert_eq!(world.has(".config/cce-login/secrets"), is_kept, "{out}");
        assert_eq!(out.stderr.contains("secret access key:"), is_kept, "{out}");
        let name = if is_kept {
            "set-into-a-file"
        } else {
            "set-without-keyring"
        };
        world.snapshot(&format!("profile/{name}"), &out);
    }
}
