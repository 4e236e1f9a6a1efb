//! A login is safe to run again: it changes nothing that is right, and keeps what was not said this time.

use crate::support::World;
use cce_login::error::Exit;

#[test]
fn the_second_run_changes_nothing_and_asks_for_no_certificate() {
    let world = World::new();
    world.login(&[]).is_done();
    let (text, file) = (world.kubeconfig_text(), world.home().join(".kube/config"));
    let modified = file.metadata().unwrap().modified().unwrap();
    let outcome = world.login(&[]);
    outcome.is_done();
    world.snapshot("login/second-login", &outcome);
    assert_eq!(world.kubeconfig_text(), text);
    assert_eq!(
        file.metadata().unwrap().modified().unwrap(),
        modified,
        "it is not even written"
    );
    assert_eq!(world.certificate_requests(), 1);
}

#[test]
fn flags_left_out_keep_what_the_entry_has() {
    let mut world = World::new();
    let program = world.write("opt/2.0/kubectl-cce_login", "");
    world.executable(program.into());
    world.sim.set_api_server_open("prod", false); // the proxy does not exist either
    world
        .login(&[
            "--duration=1d",
            "--cache=keyring",
            "--context-name=mine",
            "--proxy-url=http://127.0.0.1:9",
            "--exec-api-version=v1beta1",
            "--absolute-path",
            "--no-check",
        ])
        .is_done();
    let text = world.kubeconfig_text();
    for part in [
        "--duration=1d",
        "name: mine",
        "proxy-url: http://127.0.0.1:9",
        "v1beta1",
        "opt/2.0/kubectl-cce_login",
    ] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    world.login(&["--no-check"]).is_done();
    assert_eq!(world.kubeconfig_text(), text);
    // What is said this time counts, and nothing else changes.
    world.login(&["--no-check", "--duration=2d"]).is_done();
    assert_eq!(world.kubeconfig_text(), text.replace("--duration=1d", "--duration=2d"));
}

#[test]
fn comments_other_entries_and_a_contexts_namespace_stay() {
    let world = World::new();
    world.login(&[]).is_done();
    let text = world.kubeconfig_text();
    let edited = format!(
        "# mine, hands off\n{}",
        text.replace(
            "    user: env@prod.cn-north-4",
            "    user: env@prod.cn-north-4\n    namespace: shop # the shop"
        )
    );
    assert_ne!(edited, text);
    world.write(".kube/config", &edited);
    world.login(&[]).is_done();
    assert_eq!(world.kubeconfig_text(), edited);
    world.login(&["--duration=1d"]).is_done();
    let after = world.kubeconfig_text();
    assert!(
        after.starts_with("# mine, hands off\n") && after.contains("namespace: shop # the shop"),
        "{after}"
    );
}

#[test]
fn a_cached_certificate_that_was_revoked_is_replaced() {
    let world = World::new();
    world.login(&[]).is_done();
    let revoked = world.get_credential(&[]).credential();
    world.sim.revoke("prod", "alice");
    world.login(&[]).is_done();
    assert_eq!(world.certificate_requests(), 2);
    assert_eq!(world.sim.api_requests("prod").pop().unwrap().status, 201);
    assert_ne!(world.get_credential(&[]).credential().certificate, revoked.certificate);
}

#[test]
fn after_a_rotation_of_the_clusters_ca_the_entries_follow() {
    let world = World::new();
    world.login(&[]).is_done();
    let before = world.kubeconfig_text();
    world.sim.rotate("prod");
    world.login(&[]).is_done();
    assert_ne!(world.kubeconfig_text(), before);
    assert_eq!(world.certificate_requests(), 2);
    let text = world.kubeconfig_text();
    world.login(&[]).is_done();
    assert_eq!(world.kubeconfig_text(), text);
}

#[test]
fn the_current_context_moves_only_where_there_is_none_or_when_asked_to() {
    let other = "apiVersion: v1\nkind: Config\ncurrent-context: other\n";
    let cases: [(&str, &[&str], Option<&str>, &str); 5] = [
        (
            "apiVersion: v1\nkind: Config\n",
            &[],
            Some("prod"),
            "try: kubectl get namespaces\n",
        ),
        (
            other,
            &[],
            Some("other"),
            "try: kubectl --context prod get namespaces\n",
        ),
        (other, &["--set-current"], Some("prod"), "try: kubectl get namespaces\n"),
        (
            other,
            &["--keep-current"],
            Some("other"),
            "try: kubectl --context prod get namespaces\n",
        ),
        (
            "apiVersion: v1\nkind: Config\n",
            &["--keep-current"],
            None,
            "try: kubectl --context prod get namespaces\n",
        ),
    ];
    for (before, flags, current, said) in cases {
        let world = World::new();
        world.write(".kube/config", before);
        let outcome = world.login(flags);
        outcome.is_done();
        assert_eq!(world.kubeconfig().current(), current, "{before}{flags:?}");
        assert!(outcome.stderr.ends_with(said), "{outcome}");
    }
}

#[test]
fn an_identity_from_the_environment_is_said_to_be_needed_by_kubectl_too() {
    let mut world = World::new();
    let said =
        "kubectl needs the same variables. `kubectl cce-login profile set default` keeps them in the keyring instead";
    assert!(world.login(&[]).is_done().stderr.contains(said));
    assert!(
        world
            .kubeconfig()
            .args("env@prod.cn-north-4")
            .contains(&"--identity=env")
    );
    world.keep_profile("default", "alice");
    let outcome = world.login(&[]);
    assert!(
        outcome.is_done().stderr.contains("identity: profile `default`\n"),
        "{outcome}"
    );
    assert!(!outcome.stderr.contains("variables"), "{outcome}");
}

#[test]
fn the_pinned_profile_counts_whatever_is_exported() {
    let mut world = World::new();
    world.keep_profile("work", "alice");
    world.use_key_of("bob");
    world.login(&["--profile=work"]).is_done();
    assert_eq!(
        world.sim.api_requests("prod").pop().unwrap().user,
        world.sim.user_id("alice")
    );
    let asked_by: Vec<_> = world
        .sim
        .requests()
        .into_iter()
        .filter_map(|request| request.access_key_id)
        .collect();
    assert!(!asked_by.contains(&world.sim.access_key("bob").id));
    // And without any flag the environment comes first.
    world.login(&["--context-name=other"]).is_done();
    assert_eq!(
        world.sim.api_requests("prod").pop().unwrap().user,
        world.sim.user_id("bob")
    );
}

#[test]
fn a_pin_to_a_source_that_is_gone_is_said_and_nothing_else_is_tried() {
    let mut world = World::new();
    world.keep_profile("default", "alice");
    let outcome = world.get_credential(&["--identity=env"]);
    outcome.fails(Exit::Identity, "the identity source `env` is not configured");
    world.snapshot("get-credential/pinned-variables-are-gone", &outcome);
    assert_eq!(world.certificate_requests(), 0);
}

/// Issue 12, D13.
#[test]
fn what_a_person_has_put_into_our_entry_stays_and_what_is_taken_out_is_said() {
    let world = World::new();
    world.login(&[]).is_done();
    let text = world.kubeconfig_text();
    let edited = text
        .replace("      - get-credential\n", "      - get-credential\n      - --timeout=20s # slow line\n      - -v\n")
        .replace("interactiveMode: IfAvailable", "interactiveMode: Never")
        .replace(
            "      command: ",
            "      env:\n      - name: HTTPS_PROXY\n        value: http://127.0.0.1:9\n      theirs: {a: 1}\n      command: ",
        )
        .replace("  user:\n    exec:", "  user:\n    extensions:\n    - name: x\n      extension: {y: 1}\n    exec:");
    assert!(edited.len() > text.len() + 150, "{edited}");
    let by_kubectl = text.replace("      command: ", "      env: null\n      command: ");
    assert_ne!(by_kubectl, text);
    for kept in [&edited, &by_kubectl] {
        world.write(".kube/config", kept);
        assert!(world.login(&[]).is_done().stderr.contains("was up to date"));
        world.run(["refresh", "--context", "prod"]).is_done();
        assert_eq!(world.kubeconfig_text(), **kept);
    }

    // Ours and theirs in one list: only ours changes.
    world.write(
        ".kube/config",
        edited.replace("--cluster-id", "--cache=none\n      - --cluster-id"),
    );
    let changed = world.login(&["--cache=file"]);
    changed.is_done();
    assert!(changed.stderr.contains("`--cache=none` is now `--cache="), "{changed}");
    let after = world.kubeconfig_text();
    assert!(after.contains("--timeout=20s") && after.contains("- \"-v\""), "{after}");

    world.write(
        ".kube/config",
        edited.replace("    exec:", "    token: abcdef\n    password: geheim\n    exec:"),
    );
    let cleaned = world.login(&[]);
    assert!(
        cleaned
            .is_done()
            .stderr
            .contains("kubectl would have used `token`, `password`"),
        "{cleaned}"
    );
    assert_eq!(world.kubeconfig_text(), edited);
}
