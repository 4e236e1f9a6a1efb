//! Where a login writes: `--print`, `--dry-run`, `--kubeconfig`, `KUBECONFIG`, and how the plugin is named there.

use crate::support::{World, Written};
use cce_login::error::Exit;

#[test]
fn print_is_a_complete_kubeconfig_and_nothing_is_written() {
    let world = World::new();
    world.write(".kube/config", "apiVersion: v1\nkind: Config\ncurrent-context: other\n");
    let outcome = world.login(&["--print"]);
    outcome.is_done();
    assert_eq!(outcome.stderr, "");
    world.snapshot("login/print", &outcome);
    let printed = Written::parse(&outcome.stdout);
    assert_eq!(
        (&printed.0["apiVersion"], &printed.0["kind"]),
        (&"v1".into(), &"Config".into())
    );
    assert_eq!(printed.current(), Some("prod"));
    assert_eq!(printed.names("contexts"), ["prod"]);
    assert_eq!(printed.names("users"), ["env@prod.cn-north-4"]);
    assert_eq!(world.kubeconfig().current(), Some("other"));
    assert!(world.kubeconfig().names("clusters").is_empty());
}

#[test]
fn what_is_printed_is_what_would_be_written() {
    let world = World::new();
    let printed = world.login(&["--print"]).stdout;
    world.login(&[]).is_done();
    assert_eq!(Written::parse(&printed), world.kubeconfig());
}

#[test]
fn a_dry_run_shows_the_difference_and_writes_nothing() {
    let world = World::new();
    let outcome = world.login(&["--dry-run"]);
    outcome.is_done();
    world.snapshot("login/dry-run", &outcome);
    assert!(!world.has(".kube"));

    world.login(&[]).is_done();
    let text = world.kubeconfig_text();
    let again = world.login(&["--dry-run"]);
    assert_eq!(again.is_done().stdout, "", "nothing would change");
    let other = world.login(&["--dry-run", "--duration=1d"]);
    assert!(other.is_done().stdout.contains("+      - --duration=1d\n"), "{other}");
    assert_eq!(world.kubeconfig_text(), text);
}

#[test]
fn the_file_is_the_one_that_the_flag_names_and_the_hint_too() {
    let mut world = World::new();
    world.set("KUBECONFIG", world.path("not-this-one"));
    let file = world.path("other/config");
    let outcome = world.login(&["--kubeconfig", &file]);
    outcome.is_done();
    assert!(world.has("other/config") && !world.has("not-this-one") && !world.has(".kube"));
    assert!(
        outcome
            .stderr
            .ends_with(&format!("try: kubectl --kubeconfig {file} get namespaces\n")),
        "{outcome}"
    );
}

#[test]
fn an_entry_is_changed_in_the_file_of_the_list_in_which_it_lives() {
    let mut world = World::new();
    world.login(&["--kubeconfig", &world.path("b")]).is_done();
    let first = world.write("a", "apiVersion: v1\nkind: Config\n");
    world.set("KUBECONFIG", format!("{first}:{}", world.path("b")));
    world.login(&["--duration=1d"]).is_done();
    assert!(world.read("b").contains("--duration=1d"));
    assert!(!world.read("a").contains("exec"), "{}", world.read("a"));
}

#[test]
fn the_absolute_path_is_the_stable_link_and_not_the_version_behind_it() {
    let mut world = World::new();
    let program = world.write("opt/2.0/kubectl-cce_login", "");
    std::fs::create_dir(world.home().join("bin")).unwrap();
    std::os::unix::fs::symlink(&program, world.home().join("bin/kubectl-cce_login")).unwrap();
    world.executable(program.clone().into());
    world.login(&["--absolute-path"]).is_done();
    let command = |world: &World| world.kubeconfig().exec("env@prod.cn-north-4")["command"].clone();
    assert_eq!(command(&world), program.as_str(), "nothing on PATH leads there");
    world.set("PATH", world.path("bin"));
    world.login(&["--absolute-path"]).is_done();
    assert_eq!(command(&world), world.path("bin/kubectl-cce_login"));
}

#[test]
fn the_exec_version_is_v1_unless_the_flag_or_an_old_kubectl_says_otherwise() {
    let version = |world: &World| world.kubeconfig().exec("env@prod.cn-north-4")["apiVersion"].clone();
    let world = World::new();
    world.login(&[]).is_done();
    assert_eq!(version(&world), "client.authentication.k8s.io/v1");
    world.login(&["--exec-api-version=v1beta1"]).is_done();
    assert_eq!(version(&world), "client.authentication.k8s.io/v1beta1");

    for (minor, expected) in [
        ("20+", "v1beta1"),
        ("21", "v1beta1"),
        ("22", "v1"),
        ("34+", "v1"),
        ("?", "v1"),
    ] {
        let mut world = World::new();
        let script = format!("#!/bin/sh\necho '{{\"clientVersion\": {{\"major\": \"1\", \"minor\": \"{minor}\"}}}}'\n");
        write_program(&world.write("bin/text", script));
        world.set("PATH", world.path("bin"));
        world.login(&[]).is_done();
        assert_eq!(
            version(&world),
            format!("client.authentication.k8s.io/{expected}"),
            "{minor}"
        );
    }
}

/// Makes the file the `kubectl` beside it. Not by us: a child that another thread forks meanwhile would hold it open for writing.
fn write_program(text: &str) {
    let script = format!("cp {text} \"$(dirname {text})/kubectl\" && chmod 755 \"$(dirname {text})/kubectl\"");
    assert!(
        std::process::Command::new("sh")
            .args(["-c", &script])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn a_kubeconfig_that_cannot_be_read_is_told_before_any_request() {
    let world = World::new();
    let cases = [
        ("kubeconfig-is-malformed", "apiVersion: v1\nclusters: [\n".as_bytes()),
        ("kubeconfig-is-something-else", b"just a text\n"),
        ("kubeconfig-is-not-utf8", b"apiVersion: v1\nkind: \xff\n"),
    ];
    for (name, content) in cases {
        world.write(".kube/config", content);
        let outcome = world.login(&[]);
        outcome.fails(Exit::Usage, ".kube/config");
        world.snapshot(&format!("login/{name}"), &outcome);
        assert_eq!(std::fs::read(world.home().join(".kube/config")).unwrap(), content);
    }
    std::fs::remove_file(world.home().join(".kube/config")).unwrap();
    std::fs::create_dir(world.home().join(".kube/config")).unwrap();
    let outcome = world.login(&[]);
    outcome.fails(Exit::Usage, ".kube/config");
    world.snapshot("login/kubeconfig-is-a-directory", &outcome);
    assert_eq!(world.sim.count("*"), 0);
}

#[test]
fn without_a_home_directory_the_file_must_be_named() {
    let mut world = World::new();
    world.unset("HOME");
    let outcome = world.login(&[]);
    outcome.fails(Exit::Usage, "");
    world.snapshot("login/no-home-directory", &outcome);
    let file = world.path("named");
    world.login(&["--kubeconfig", &file]).is_done();
    assert!(world.has("named"));
}
