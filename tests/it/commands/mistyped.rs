//! What is one letter off, and what is looked for where there is nothing: the answer names what was meant, or what is not there.

use crate::support::{Outcome, World};
use cce_login::error::Exit;

const NO_HOME: &str = "`HOME` is not set";

/// Contexts `prod` and, of a profile, `work@prod.cn-north-4`.
fn two_contexts() -> World {
    let mut world = World::new();
    world.login(&[]).is_done();
    world.keep_profile("work", "alice");
    world.login(&["--profile=work"]).is_done();
    world.use_key_of("alice");
    world
}

#[test]
fn every_command_that_takes_a_context_proposes_the_one_that_was_meant() {
    let world = two_contexts();
    for command in [
        &["refresh"][..],
        &["status"],
        &["logout"],
        &["revoke", "--yes"],
        &["rotate", "--component=service-account-controller", "--yes"],
        &["convert"],
    ] {
        let out = world.run(command.iter().chain(&["--context", "prodd"]));
        out.fails(Exit::Usage, "there is no context `prodd`");
        assert!(out.stderr.contains("did you mean `prod`?"), "{out}");
    }
    world.snapshot(
        "refresh/mistyped-context",
        &world.run(["refresh", "--context", "prodd"]),
    );
    let doctor = world.run(["doctor", "--context", "prodd"]);
    assert!(doctor.stdout.contains("did you mean `prod`?"), "{doctor}");
    // Nothing is near: where they are listed.
    let far = world.run(["refresh", "--context", "zzz"]);
    far.fails(Exit::Usage, "`kubectl config get-contexts` lists them");
}

#[test]
fn every_command_that_takes_a_profile_proposes_the_one_that_was_meant() {
    let mut world = two_contexts();
    for (exit, command) in [
        (Exit::Identity, &["whoami", "--profile", "wrok"][..]),
        (Exit::Identity, &["clusters", "--profile", "wrok"]),
        (Exit::Identity, &["login", "--cluster=prod", "--profile", "wrok"]),
        (Exit::Usage, &["profile", "show", "wrok"]),
        (Exit::Usage, &["profile", "remove", "wrok"]),
    ] {
        let out = world.run(command);
        out.fails(exit, "there is no profile `wrok`");
        assert!(out.stderr.contains("did you mean `work`?"), "{out}");
    }
    world.snapshot("whoami/mistyped-profile", &world.run(["whoami", "--profile", "wrok"]));
    let far = world.run(["whoami", "--profile", "xyz"]);
    far.fails(Exit::Identity, "`kubectl cce-login profile set xyz` adds it");
    // Somebody may want a new one: it is only said.
    world.terminal(true, true, true);
    world.type_in("\u{4}");
    let asked = world.run(["login", "--cluster=prod", "--profile", "wrok"]);
    assert!(asked.stderr.contains("yet (did you mean `work`?): sign in"), "{asked}");
}

#[test]
fn every_command_that_takes_a_project_proposes_the_one_that_was_meant() {
    let mut world = World::new();
    let login = world.login(&["--project=cn-north-4_taem"]);
    login.fails(Exit::Usage, "did you mean `cn-north-4_team`");
    let clusters = world.run(["clusters", "--project=cn-north-4_taem"]);
    clusters.fails(Exit::Usage, "did you mean `cn-north-4_team`");
    let key = world.sim.access_key("alice");
    world.pipe_in(&key.secret);
    let set = ["profile", "set", "work", "--access-key-id", &key.id, "--secret-stdin"];
    let set = world.run(set.iter().chain(&["--project=cn-north-4_taem"]));
    set.fails(Exit::Usage, "did you mean `cn-north-4_team`");
}

#[test]
fn without_a_home_directory_that_is_what_is_said() {
    let mut world = two_contexts();
    world.use_no_key();
    world.unset("HOME");
    for (exit, command) in [
        (Exit::Identity, &["whoami", "--profile=work"][..]),
        (Exit::Identity, &["clusters", "--profile=work"]),
        (Exit::Identity, &["whoami"]),
        (Exit::Usage, &["profile", "list"]),
        (Exit::Usage, &["profile", "show", "work"]),
        (Exit::Usage, &["profile", "remove", "work"]),
        (Exit::Usage, &["profile", "set", "work", "--secret-stdin"]),
        (Exit::Usage, &["refresh"]),
        (Exit::Usage, &["status"]),
    ] {
        let out = world.run(command);
        out.fails(exit, NO_HOME);
        assert!(out.stderr.contains("set `HOME`"), "{out}");
    }
    world.get_credential(&["--profile=work"]).fails(Exit::Identity, NO_HOME);
    for (name, command) in [
        ("whoami/no-home-directory", &["whoami"][..]),
        ("whoami/no-home-directory-for-a-profile", &["whoami", "--profile=work"]),
        ("profile/no-home-directory", &["profile", "list"]),
    ] {
        world.snapshot(name, &world.run(command));
    }
    // What needs none goes on: a key in the environment, a directory that is named.
    world.use_key_of("alice");
    world.run(["whoami"]).is_done();
    world.use_no_key();
    world.set("CCE_LOGIN_CONFIG_DIR", world.path(".config/cce-login"));
    world.run(["whoami", "--profile=work"]).is_done();
}

#[test]
fn a_kubeconfig_of_the_environment_that_is_not_there_is_said_to_be_missing() {
    let mut world = two_contexts();
    let nope = world.path("nope");
    world.set("KUBECONFIG", &nope);
    let is_missing = |out: &Outcome| out.stderr.contains(&format!("there is no kubeconfig `{nope}`"));
    for command in [
        &["refresh"][..],
        &["refresh", "--all"],
        &["refresh", "--context=prod"],
        &["logout"],
        &["revoke", "--yes"],
        &["rotate", "--component=service-account-controller", "--yes"],
        &["convert"],
        &["status", "--context=prod"],
    ] {
        let out = world.run(command);
        assert!(out.exit == Exit::Usage && is_missing(&out), "{out}");
    }
    world.snapshot("refresh/no-kubeconfig-of-the-environment", &world.run(["refresh"]));
    // Nothing to show is no mistake.
    let status = world.run(["status"]);
    assert!(status.is_done().stderr.contains("there is no kubeconfig"), "{status}");
    let doctor = world.run(["doctor"]);
    assert!(
        doctor.stdout.contains("problem  kubeconfig: there is no kubeconfig"),
        "{doctor}"
    );
    // A purge needs none, and one of several files is enough.
    world.set("KUBECONFIG", format!("{nope}:{}", world.path(".kube/config")));
    world.run(["refresh", "--context=prod"]).is_done();
    world.set("KUBECONFIG", &nope);
    world.run(["logout", "--all", "--purge", "--yes"]).is_done();
}
