//! `doctor`: what it finds, and what it says to do about it.

use crate::support::{Outcome, World};
use cce_login::error::Exit;
use cce_login::store::Switches;
use cce_sim::ClusterSpec;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

/// A world that is in order: the program and a kubectl on PATH, one context.
fn in_order() -> World {
    let mut world = World::new();
    let program = world.write("bin/kubectl-cce_login", "");
    world.executable(PathBuf::from(program));
    kubectl(&world, "1.35.0", "35");
    world.set("PATH", world.path("bin"));
    world.login(&[]).is_done();
    world
}

/// A kubectl that says which one it is.
fn kubectl(world: &World, version: &str, minor: &str) {
    let said = format!(r#"{{"clientVersion": {{"major": "1", "minor": "{minor}", "gitVersion": "v{version}"}}}}"#);
    let path = world.write("bin/kubectl", format!("#!/bin/sh\necho '{said}'\n"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The checks that are not ok, with what they are.
fn troubles(world: &World, flags: &[&str]) -> Vec<(String, String)> {
    let outcome = world.run(["doctor", "-o", "json"].iter().chain(flags));
    let findings: Vec<Value> =
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome}"));
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let not_ok = findings.iter().filter(|finding| finding["result"] != "ok");
    let not_ok: Vec<_> = not_ok
        .map(|finding| (text(finding, "check"), text(finding, "result")))
        .collect();
    let has_problem = not_ok.iter().any(|(_, result)| result == "problem");
    assert_eq!(outcome.exit == Exit::Failed, has_problem, "{outcome}");
    not_ok
}

fn told(world: &World, name: &str) -> Outcome {
    let outcome = world.run(["doctor"]);
    world.snapshot(&format!("doctor/{name}"), &outcome);
    outcome
}

fn trouble(check: &str, result: &str) -> (String, String) {
    (check.to_owned(), result.to_owned())
}

/// That GUI clients do not find a program in a temporary directory is so in every case.
fn usual() -> (String, String) {
    trouble("path-of-gui", "warning")
}

#[test]
fn everything_is_in_order() {
    let world = in_order();
    told(&world, "in-order").is_done();
    assert_eq!(troubles(&world, &[]), [usual()]);
    let names = world.run(["doctor", "-o", "name"]);
    assert_eq!(names.is_done().stdout, "");
    assert_eq!(world.certificate_requests(), 1);
}

#[test]
fn without_a_context_the_identity_is_looked_at() {
    let mut world = World::new();
    let program = world.write("bin/kubectl-cce_login", "");
    world.executable(PathBuf::from(program));
    world.set("PATH", world.path("bin"));
    let outcome = told(&world, "no-context");
    outcome.is_done();
    assert!(outcome.stdout.contains("knows you as user alice"), "{outcome}");
    world.use_no_key();
    assert_eq!(told(&world, "nothing").exit, Exit::Failed);
}

#[test]
fn a_program_that_kubectl_does_not_find_is_told() {
    let mut world = in_order();
    world.set("PATH", world.path("empty"));
    let found = troubles(&world, &[]);
    assert!(
        found.contains(&trouble("path", "problem")) && found.contains(&trouble("kubectl", "warning")),
        "{found:?}"
    );
    world.write("other/kubectl-cce_login", "");
    world.set("PATH", format!("{}:{}", world.path("other"), world.path("bin")));
    assert!(troubles(&world, &[]).contains(&trouble("path", "warning")));
    world.login(&["--absolute-path"]).is_done();
    world.set("PATH", world.path("empty"));
    assert_eq!(troubles(&world, &[]), [trouble("kubectl", "warning")]);
}

#[test]
fn a_kubectl_that_does_not_speak_the_entrys_version_is_told() {
    let world = in_order();
    kubectl(&world, "1.20.2", "20");
    assert!(troubles(&world, &[]).contains(&trouble("kubectl", "problem")));
    told(&world, "old-kubectl");
}

#[test]
fn kubectls_policy_on_plugins_is_read() {
    let mut world = in_order();
    for (text, result) in [
        ("credentialPluginPolicy: DenyAll", Some("problem")),
        (
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n- command: aws\n",
            Some("problem"),
        ),
        (
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n- command: kubectl-cce_login\n",
            None,
        ),
        (
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n- name: /opt/kubectl-cce_login\n",
            None,
        ),
        ("credentialPluginPolicy: AllowAll", None),
        ("defaults: []", None),
        ("{", Some("warning")),
    ] {
        world.write(".kube/kuberc", text);
        let found = troubles(&world, &[]).into_iter().find(|(check, _)| check == "policy");
        assert_eq!(found.map(|(_, result)| result).as_deref(), result, "{text}");
    }
    world.write(
        ".kube/kuberc",
        "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: []\n",
    );
    told(&world, "policy");
    world.set("KUBERC", "off");
    assert_eq!(troubles(&world, &[]), [usual()]);
}

#[test]
fn a_keyring_that_keeps_nothing_is_a_problem() {
    let world = in_order();
    world.keyring().switch(Switches {
        locked: true,
        ..Switches::default()
    });
    let found = troubles(&world, &[]);
    assert!(found.contains(&trouble("keyring", "problem")), "{found:?}");
    told(&world, "locked-keyring");
    world.keyring().switch(Switches::default());
    world.run(["doctor"]).is_done();
    assert!(world.keyring().names().iter().all(|name| !name.contains("doctor")));
}

#[test]
fn files_that_others_can_read_and_locks_left_behind_are_told() {
    let world = in_order();
    let kubeconfig = world.path(".kube/config");
    fs::set_permissions(&kubeconfig, fs::Permissions::from_mode(0o644)).unwrap();
    let lock = world.write(".kube/config.lock", "");
    let ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    fs::File::open(&lock).unwrap().set_modified(ago).unwrap();
    let found = troubles(&world, &[]);
    assert_eq!(
        found,
        [usual(), trouble("files", "warning"), trouble("locks", "problem")]
    );
    told(&world, "files");
    fs::File::open(&lock)
        .unwrap()
        .set_modified(std::time::SystemTime::now())
        .unwrap();
    assert!(
        !troubles(&world, &[]).contains(&trouble("locks", "problem")),
        "somebody is writing"
    );
}

#[test]
fn a_kubeconfig_that_cannot_be_read_is_a_problem_and_the_rest_is_looked_at() {
    let world = in_order();
    world.write(".kube/config", "a: [");
    let outcome = told(&world, "kubeconfig");
    assert!(outcome.stdout.contains("iam: "), "{outcome}");
}

#[test]
fn a_wrong_clock_is_told() {
    let mut world = in_order();
    world.set_clock_off(3 * 3600);
    assert!(troubles(&world, &[]).contains(&trouble("clock", "warning")));
}

#[test]
fn a_permission_that_is_missing_is_named() {
    let mut world = in_order();
    world.use_key_of("carol");
    let outcome = told(&world, "no-permission");
    assert!(
        outcome.stdout.contains("cce:cluster:generateClientCredential"),
        "{outcome}"
    );
}

#[test]
fn a_cluster_that_sleeps_is_told_with_its_phase() {
    let world = in_order();
    world.sim.set_phase("prod", "Hibernation");
    assert!(troubles(&world, &[]).contains(&trouble("cluster", "problem")));
}

#[test]
fn a_cluster_that_is_too_old_to_revoke_is_told() {
    let world = in_order();
    world.sim.add_cluster(ClusterSpec {
        version: "v1.21".to_owned(),
        release: Some("v1.21.10-r0".to_owned()),
        ..ClusterSpec::named("old")
    });
    world.run(["--cluster", "old"]).is_done();
    assert_eq!(
        troubles(&world, &["--context", "old"]),
        [usual(), trouble("revoke", "warning")]
    );
}

#[test]
fn a_revoked_certificate_a_rotated_cluster_and_a_server_that_moved_are_told() {
    let world = in_order();
    world.sim.revoke("prod", "alice");
    assert_eq!(troubles(&world, &[]), [usual(), trouble("api-server", "problem")]);
    told(&world, "revoked");
    world.run(["refresh"]).is_done();
    assert_eq!(troubles(&world, &[]), [usual()]);

    world.sim.rotate("prod");
    let rotated = told(&world, "rotated");
    assert!(
        rotated.stdout.contains("were rotated") && rotated.stdout.contains("refresh --context prod"),
        "{rotated}"
    );
    world.run(["refresh"]).is_done();
    assert_eq!(troubles(&world, &[]), [usual()]);

    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let server = world.kubeconfig().cluster("prod.cn-north-4")["server"]
        .as_str()
        .unwrap()
        .to_owned();
    let text = world.kubeconfig_text().replace(&server, &format!("https://{free}"));
    world.write(".kube/config", text);
    assert_eq!(
        troubles(&world, &[]),
        [usual(), trouble("entry", "warning"), trouble("api-server", "problem")]
    );
    told(&world, "server-moved");
}

/// The kubeconfig's line with this key, gone.
fn without_line(world: &World, key: &str) {
    let text = world.kubeconfig_text();
    let kept: Vec<&str> = text.lines().filter(|line| !line.contains(key)).collect();
    world.write(".kube/config", kept.join("\n") + "\n");
}

/// Issue 13.5, as are those below.
#[test]
fn a_context_that_has_not_been_used_yet_is_called_so_and_nobody_is_suspected() {
    let world = in_order();
    without_line(&world, "certificate-authority-data");
    without_line(&world, "tls-server-name");
    assert_eq!(troubles(&world, &[]), [usual(), trouble("entry", "warning")]);
    told(&world, "not-used-yet");
    let status = world.run(["status", "--check"]);
    status.is_done();
    assert!(status.stdout.contains("not used yet"), "{status}");
}

#[test]
fn new_authorities_are_cured_by_a_refresh_and_another_server_is_not() {
    let world = in_order();
    world.sim.rotate("prod");
    let status = world.run(["status", "--check"]);
    assert_eq!(status.exit, Exit::Failed, "{status}");
    world.snapshot("status/check-rotated", &status);
    told(&world, "rotated");
    world.run(["refresh"]).is_done();
    world.run(["status", "--check"]).is_done();

    // Somebody answers in its place.
    world.sim.add_cluster(ClusterSpec::named("staging"));
    let server = |name: &str| world.sim.cluster(name).external_url.unwrap();
    let text = world.kubeconfig_text().replace(&server("prod"), &server("staging"));
    world.write(".kube/config", text);
    let outcome = told(&world, "impostor");
    assert!(outcome.stdout.contains("somebody may be in between"), "{outcome}");
}

#[test]
fn a_certificate_that_is_not_valid_yet_is_not_called_revoked() {
    let mut world = in_order();
    world.sim.set_behaviour(|behaviour| behaviour.not_before_offset = 50);
    let login = world.run(["refresh"]);
    assert_ne!(login.exit, Exit::Identity, "{login}");
    let outcome = told(&world, "not-valid-yet");
    assert_eq!(outcome.exit, Exit::Failed);
    assert!(!outcome.stdout.contains("revoked"), "{outcome}");
    let status = world.run(["status", "--check"]);
    assert!(
        status.stderr.contains("is not valid yet") && status.exit == Exit::Failed,
        "{status}"
    );
    world.let_pass(60);
    world.run(["doctor"]).is_done();
}
