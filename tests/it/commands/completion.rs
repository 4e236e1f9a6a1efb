//! Completion: what kubectl asks, what our scripts ask, and the link that `completion install` places.

use crate::support::World;
use cce_login::error::Exit;
use std::path::PathBuf;

fn with_names() -> World {
    let mut world = World::new();
    world.login(&[]).is_done();
    world.keep_profile("work", "alice");
    world.keep_profile("home", "bob");
    world.sim.clear_requests();
    world
}

/// What kubectl is answered when the last of `words` is being typed, without the explanations.
fn offered(world: &World, words: &[&str]) -> (Vec<String>, String) {
    let outcome = world.run_as("kubectl_complete-cce_login", words);
    outcome.is_done();
    assert_eq!(outcome.stderr, "", "{outcome}");
    let mut lines: Vec<String> = outcome
        .stdout
        .lines()
        .map(|line| line.split('\t').next().unwrap().to_owned())
        .collect();
    let directive = lines.pop().unwrap();
    (lines, directive)
}

#[test]
fn commands_are_offered_with_what_they_do() {
    let world = with_names();
    let outcome = world.run_as("kubectl_complete-cce_login", &[""]);
    world.snapshot("completion/commands", &outcome);
    assert_eq!(offered(&world, &["whoa"]).0, ["whoami"]);
    assert_eq!(offered(&world, &["profile", "s"]).0, ["set", "show"]);
}

#[test]
fn the_flags_of_login_are_offered_where_no_command_was_typed() {
    let world = with_names();
    assert_eq!(offered(&world, &["--context"]).0, ["--context-name"]);
    assert_eq!(offered(&world, &["login", "--context"]).0, ["--context-name"]);
    assert_eq!(offered(&world, &["--timeout", "5s", "--region", ""]).0, ["cn-north-4"]);
}

#[test]
fn names_are_those_that_this_machine_knows() {
    let world = with_names();
    for (words, names) in [
        (&["refresh", "--context", ""][..], &["prod"][..]),
        (&["--cluster", "p"], &["prod"]),
        (&["--region="], &["--region=cn-north-4"]),
        (&["login", "--profile", ""], &["home", "work"]),
        (&["profile", "show", "w"], &["work"]),
        (&["profile", "remove", ""], &["home", "work"]),
        (&["--identity", "o"], &["oidc"]),
        (&["status", "-o", "j"], &["json"]),
        (&["profile", "set", "new", "--kind", "a"], &["access-key", "agency"]),
        (&["profile", "set", "new", "--kind", "s"], &["sso"]),
        (&["profile", "set", "new", "--secret-store", ""], &["keyring", "file"]),
        (&["profile", "set", "new", "--sign-in", "d"], &["device"]),
        (&["rotate", "--component", "s"], &["service-account-controller"]),
        (&["refresh", "--to", "x", "--format", "k"], &["kubeconfig"]),
    ] {
        assert_eq!(
            offered(&world, words),
            (names.iter().map(ToString::to_string).collect(), ":4".to_owned()),
            "{words:?}"
        );
    }
    assert!(world.sim.requests().is_empty());
}

#[test]
fn files_are_offered_where_a_file_is_meant() {
    let world = with_names();
    world.write("configs/one.yaml", "");
    let directory = world.path("conf");
    let (names, directive) = offered(&world, &["status", "--kubeconfig", &directory]);
    assert_eq!((names, directive.as_str()), (vec![world.path("configs/")], ":6"));
    let (names, directive) = offered(&world, &["status", "--kubeconfig", &world.path("configs/o")]);
    assert_eq!(
        (names, directive.as_str()),
        (vec![world.path("configs/one.yaml")], ":4")
    );
}

#[test]
fn what_cannot_be_read_offers_no_names_and_says_nothing() {
    let world = with_names();
    world.write(".kube/config", "a: [b");
    world.write(".config/cce-login/config.toml", "profile");
    for words in [
        &["refresh", "--context", ""][..],
        &["--profile", ""],
        &["login", "nonsense", ""],
    ] {
        assert_eq!(offered(&world, words).0, [""; 0], "{words:?}");
    }
    assert!(!offered(&world, &[]).0.is_empty());
}

#[test]
fn our_scripts_ask_the_same() {
    let mut world = with_names();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = world.run(["completion", shell]);
        script.is_done();
        assert!(
            script.stdout.contains("_CCE_LOGIN_COMPLETE") && script.stdout.contains("kubectl-cce_login"),
            "{script}"
        );
    }
    world.set("_CCE_LOGIN_COMPLETE", "fish");
    let answer = world.run(["--", "kubectl-cce_login", "refresh", "--context", ""]);
    answer.is_done();
    assert_eq!(answer.stdout.trim(), "prod");
    world.set("_CCE_LOGIN_COMPLETE", "nonsense");
    assert_eq!(world.run(["--", "kubectl-cce_login", ""]).is_done().stdout, "");
}

#[test]
fn the_link_is_placed_again_and_again_and_never_over_what_is_not_ours() {
    let mut world = World::new();
    let program = world.write("bin/kubectl-cce_login", "");
    world.executable(PathBuf::from(&program));
    world.set("PATH", world.path("bin"));
    for _ in 0..2 {
        let outcome = world.run(["completion", "install"]);
        outcome.is_done();
        world.snapshot("completion/install", &outcome);
    }
    let link = PathBuf::from(world.path("bin/kubectl_complete-cce_login"));
    assert_eq!(link.read_link().unwrap(), PathBuf::from(&program));

    std::fs::create_dir(world.path("elsewhere")).unwrap();
    let elsewhere = world.run(["completion", "install", "--dir", &world.path("elsewhere")]);
    elsewhere.is_done();
    world.snapshot("completion/install-elsewhere", &elsewhere);
    world.write("other/kubectl_complete-cce_login", "somebody's");
    let foreign = world.run(["completion", "install", "--dir", &world.path("other")]);
    foreign.fails(Exit::Failed, "is not ours");
    world.snapshot("completion/install-foreign", &foreign);
    assert_eq!(world.read("other/kubectl_complete-cce_login"), "somebody's");
    let nowhere = world.run(["completion", "install", "--dir", &world.path("missing")]);
    world.snapshot("completion/install-nowhere", &nowhere);
}

#[test]
fn only_names_that_no_shell_expands_are_offered() {
    let world = with_names();
    let text = world.kubeconfig_text();
    let item = |name: &&str| {
        format!("- name: \"{name}\"\n  context: {{cluster: prod.cn-north-4, user: env@prod.cn-north-4}}\n")
    };
    let contexts = [
        "eu:prod",
        "eu:test",
        "with space",
        "dollar$HOME",
        "$(touch pwned)",
        "`id`",
        "a;b",
        "a\\nb",
        "北京",
    ]
    .iter()
    .map(item)
    .collect::<Vec<_>>()
    .concat();
    world.write(
        ".kube/config",
        text.replace("\ncontexts:\n", &format!("\ncontexts:\n{contexts}")),
    );
    let names = ["eu:prod", "eu:test", "prod", "北京"];
    assert_eq!(offered(&world, &["status", "--context", ""]).0, names);
    let joined = names.map(|name| format!("--context={name}"));
    assert_eq!(offered(&world, &["status", "--context="]).0, joined);
    assert_eq!(offered(&world, &["status", "--context", "eu:p"]).0, ["eu:prod"]);
    assert_eq!(offered(&world, &["status", "-o=js"]).0, ["-o=json"]);
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let mut world = with_names();
        world.write(
            ".kube/config",
            text.replace("\ncontexts:\n", &format!("\ncontexts:\n{contexts}")),
        );
        world.set("_CCE_LOGIN_COMPLETE", shell);
        let answer = world
            .run(["--", "kubectl-cce_login", "status", "--context", ""])
            .is_done()
            .stdout
            .clone();
        assert!(!answer.contains(['$', '`', ';']), "{shell}: {answer}");
    }
}
