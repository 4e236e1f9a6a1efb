//! `--kind command`: a program of the user's that prints an access key.

use crate::support::World;
use cce_login::error::Exit;

/// A program that prints this.
fn program(world: &World, script: &str) -> String {
    let path = world.write("broker", format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    path
}

fn printing(world: &World, user: &str, end: &str) -> String {
    let key = world.sim.temporary_access_key(user);
    // Its own file: what a program reads is not ours to look after.
    let json = format!(
        r#"{{"accessKeyId":"{}","secretAccessKey":"{}","securityToken":"{}","expiration":"{end}"}}"#,
        key.id,
        key.secret,
        key.security_token.unwrap()
    );
    world.write("vault/key.json", json);
    program(
        world,
        &format!("echo once >> {0}/calls; cat {0}/vault/key.json", world.path("")),
    )
}

/// How often it ran.
fn calls(world: &World) -> usize {
    world.read("calls").lines().count()
}

#[test]
fn a_program_of_the_users_is_an_identity_and_its_answer_is_kept_until_it_ends() {
    let mut world = World::new();
    world.use_no_key();
    world.allow_secrets_below("vault");
    let end = (world.now() + chrono::TimeDelta::hours(2)).to_rfc3339();
    let broker = printing(&world, "alice", &end);
    let set = world.run([
        "profile", "set", "vault", "--kind", "command", "--", &broker, "--key", "a b",
    ]);
    set.is_done();
    world.snapshot("profile/set-command", &set);
    assert!(world.read(".config/cce-login/config.toml").contains("\"a b\"]"));
    world.get_credential(&["--profile", "vault"]).credential();
    let before = calls(&world);
    world
        .get_credential(&["--profile", "vault", "--force-refresh"])
        .is_done();
    assert_eq!(calls(&world), before);
    world.let_pass(2 * 3600);
    world
        .get_credential(&["--profile", "vault", "--force-refresh"])
        .is_done();
    assert_eq!(calls(&world), before + 1);
}

#[test]
fn a_program_that_fails_is_explained_in_its_own_words_and_nothing_of_its_answer_is_shown() {
    let mut world = World::new();
    world.use_no_key();
    for (script, exit, said) in [
        (
            "echo 'not signed in: run op signin' >&2; exit 7",
            Exit::Identity,
            "not signed in: run op signin",
        ),
        (
            "echo 'AKAKAK secretsecretsecret'",
            Exit::Identity,
            "something else than JSON",
        ),
        (
            "echo '{\"accessKeyId\":\"AKAKAK\"}'",
            Exit::Identity,
            "no `secretAccessKey`",
        ),
        ("exec sleep 60", Exit::Temporary, "did not end in time"),
    ] {
        let broker = program(&world, script);
        let config = format!("[profiles.vault]\nkind = \"command\"\ncommand = [{broker:?}]\n");
        world.write(".config/cce-login/config.toml", config);
        let outcome = world.get_credential(&["--profile", "vault", "--timeout", "1s"]);
        outcome.fails(exit, said);
        assert!(!outcome.stderr.contains("secretsecret"), "{outcome}");
        world.let_pass(10);
    }
    world.write(
        ".config/cce-login/config.toml",
        "[profiles.vault]\nkind = \"command\"\ncommand = [\"/nowhere/broker\"]\n",
    );
    world
        .get_credential(&["--profile", "vault"])
        .fails(Exit::Identity, "cannot run `/nowhere/broker`");
}

#[test]
fn a_helper_that_a_program_leaves_behind_is_not_waited_for() {
    let mut world = World::new();
    world.use_no_key();
    world.allow_secrets_below("vault");
    let end = (world.now() + chrono::TimeDelta::hours(2)).to_rfc3339();
    printing(&world, "alice", &end);
    // As the daemons of password managers do: it has our pipe, and stays.
    let broker = program(&world, &format!("sleep 60 & cat {}/vault/key.json", world.path("")));
    let config = format!("[profiles.vault]\nkind = \"command\"\ncommand = [{broker:?}]\n");
    world.write(".config/cce-login/config.toml", config);
    let started = std::time::Instant::now();
    world.get_credential(&["--profile", "vault"]).credential();
    assert!(
        started.elapsed() < std::time::Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn only_the_settings_name_a_program() {
    let mut world = World::new();
    world.use_no_key();
    for flags in [
        &["--kind", "command"][..],
        &["--", "/bin/echo"],
        &["--command", "/bin/echo"],
        &["--identity", "command"],
    ] {
        assert_eq!(world.get_credential(flags).exit, Exit::Usage, "{flags:?}");
    }
    world.set("CCE_LOGIN_COMMAND", "/bin/echo");
    world
        .get_credential(&[])
        .fails(Exit::Identity, "no identity is configured");
}
