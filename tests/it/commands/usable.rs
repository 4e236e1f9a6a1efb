//! Nobody is told that all is well where kubectl cannot use the file (issue 12.E17).

use crate::support::{Outcome, World, spoiled};
use cce_login::error::Exit;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

fn logged_in() -> (World, String) {
    let world = World::new();
    world.login(&[]).is_done();
    let text = world.kubeconfig_text();
    (world, text)
}

fn says(outcome: &Outcome, words: &str) {
    assert!(outcome.stdout.contains(words), "`{words}` is not in {outcome}");
}

#[test]
fn what_kubectl_cannot_use_is_a_problem_for_doctor_and_status() {
    let (world, text) = logged_in();
    for spoiled in &spoiled::ALL {
        world.write(".kube/config", spoiled.text(&text));
        let (doctor, check) = (
            world.run(["doctor", "--context", "prod"]),
            world.run(["status", "--check"]),
        );
        let Some(said) = spoiled.said else {
            // (Without a program on the PATH `path` is a problem in every case.)
            assert!(
                !doctor.stdout.contains("kubectl cannot use"),
                "{}: {doctor}",
                spoiled.what
            );
            assert!(!doctor.stdout.contains("kubectl refuses"), "{}: {doctor}", spoiled.what);
            assert!(!doctor.stdout.contains("rotated"), "{}: {doctor}", spoiled.what);
            assert!(check.stdout.contains("accepted"), "{}: {check}", spoiled.what);
            check.is_done();
            continue;
        };
        says(&doctor, said);
        assert_eq!(doctor.exit, Exit::Failed, "{}", spoiled.what);
        assert_eq!(check.exit, Exit::Failed, "{}: {check}", spoiled.what);
        assert!(check.stderr.contains(said), "{}: {check}", spoiled.what);
        let status = world.run(["status"]);
        status.is_done();
        assert!(format!("{status}").contains(said), "{}: {status}", spoiled.what);
    }
}

#[test]
fn a_login_puts_its_own_entry_right_and_says_where_somebody_elses_is_not() {
    let (world, text) = logged_in();
    for spoiled in &spoiled::ALL {
        let before = spoiled.text(&text);
        world.write(".kube/config", &before);
        let login = world.login(&[]);
        let is_theirs = spoiled.what.contains("stranger") || spoiled.what.contains("of the file");
        let is_theirs = is_theirs || spoiled.what.contains("kind of file");
        match spoiled.said.filter(|_| is_theirs) {
            Some(said) => {
                login.fails(Exit::Usage, said);
                assert!(!login.stderr.contains("try: "), "{}: {login}", spoiled.what);
            }
            None if login.exit == Exit::Done => {
                assert!(
                    login.stderr.contains("try: kubectl get namespaces"),
                    "{}: {login}",
                    spoiled.what
                );
                world.run(["status", "--check"]).is_done();
            }
            // What a person has put there, and only they can put right.
            None => {
                login.fails(Exit::Usage, spoiled.said.unwrap());
                assert!(!login.stderr.contains("try: "), "{}: {login}", spoiled.what);
            }
        }
    }
    world.write(
        ".kube/config",
        "contexts:\n- name: theirs\n  context: {cluster: c, user: u, namespace: 973585995}\n",
    );
    world.snapshot("login/refused-by-kubectl", &world.login(&[]));
}

/// A kubectl that says which one it is, and answers the rest with this script.
fn kubectl(world: &World, script: &str) {
    let version = r#"{"clientVersion": {"major": "1", "minor": "35", "gitVersion": "v1.35.0"}}"#;
    let path = world.write(
        "bin/kubectl",
        format!("#!/bin/sh\ncase \"$*\" in version*) echo '{version}' ;; *) {script} ;; esac\n"),
    );
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn where_there_is_a_kubectl_it_has_the_last_word() {
    let mut world = World::new();
    world.executable(world.write("bin/kubectl-cce_login", "").into());
    world.set("PATH", world.path("bin"));
    kubectl(&world, "exit 0");
    let login = world.login(&[]);
    login.is_done();
    assert!(login.stderr.contains("try: kubectl get namespaces"), "{login}");
    world.run(["doctor"]).is_done();

    kubectl(&world, "echo 'error: yaml: line 3: found a tab' >&2; exit 1");
    let doctor = world.run(["doctor"]);
    says(&doctor, "kubectl refuses the kubeconfig: yaml: line 3: found a tab");
    assert_eq!(doctor.exit, Exit::Failed);
    world.login(&[]).fails(Exit::Usage, "found a tab");

    kubectl(
        &world,
        "case \"$*\" in *raw*) echo 'E1126 memcache' >&2; echo 'error: exec: executable aws not found' >&2; exit 1 ;; esac",
    );
    let doctor = world.run(["doctor"]);
    says(
        &doctor,
        "kubectl gets no answer through it: exec: executable aws not found",
    );
    assert_eq!(doctor.exit, Exit::Failed);
    let login = world.login(&[]);
    login.fails(Exit::Failed, "kubectl gets no answer through it");
    assert!(!login.stderr.contains("try: "), "{login}");
    world.login(&["--no-check"]).is_done();

    // Who is known and may not do this works all the same.
    kubectl(
        &world,
        "case \"$*\" in *raw*) echo 'Error from server (Forbidden): User \"u\" cannot get path' >&2; exit 1 ;; esac",
    );
    world.run(["doctor"]).is_done();
    world.login(&[]).is_done();
}

#[test]
fn a_kubectl_that_hangs_is_not_waited_for_beyond_the_deadline() {
    let mut world = World::new();
    world.executable(world.write("bin/kubectl-cce_login", "").into());
    world.set("PATH", world.path("bin"));
    kubectl(&world, "exec /bin/sleep 60");
    let began = std::time::Instant::now();
    let login = world.login(&["--timeout", "3s"]);
    assert!(began.elapsed().as_secs() < 20, "{login}");
}

#[test]
fn a_program_that_kubectl_would_not_find_is_told_in_place_of_a_command_that_fails() {
    let mut world = World::new();
    kubectl(&world, "exit 0");
    world.set("PATH", world.path("bin"));
    let login = world.login(&[]);
    login.is_done();
    assert!(
        login.stderr.contains("kubectl does not find") && !login.stderr.contains("try: "),
        "{login}"
    );
}
