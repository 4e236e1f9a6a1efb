//! kubectl's exec protocol: what comes in `KUBERNETES_EXEC_INFO`, what goes out on stdout.

use crate::support::World;
use cce_login::error::Exit;
use serde_json::json;

const GROUP: &str = "client.authentication.k8s.io";

fn exec_info(world: &mut World, version: &str, spec: &serde_json::Value) {
    let info = json!({"kind": "ExecCredential", "apiVersion": format!("{GROUP}/{version}"), "spec": spec});
    world.set("KUBERNETES_EXEC_INFO", info.to_string());
}

#[test]
fn the_answer_has_the_version_that_the_client_speaks() {
    let mut world = World::new();
    for version in ["v1", "v1beta1"] {
        exec_info(&mut world, version, &json!({"interactive": false}));
        let credential = world.get_credential(&[]).credential();
        assert_eq!(credential.json["apiVersion"], format!("{GROUP}/{version}"));
        assert_eq!(credential.json["kind"], "ExecCredential");
        let status: Vec<_> = credential.json["status"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            status,
            ["clientCertificateData", "clientKeyData", "expirationTimestamp"]
        );
    }
    // The client's word outranks the flag.
    let credential = world.get_credential(&["--exec-api-version=v1"]).credential();
    assert_eq!(credential.json["apiVersion"], format!("{GROUP}/v1beta1"));
}

#[test]
fn a_client_that_says_nothing_gets_v1_or_what_the_flag_says() {
    let world = World::new();
    let version = |flags: &[&str]| world.get_credential(flags).credential().json["apiVersion"].clone();
    assert_eq!(version(&[]), format!("{GROUP}/v1"));
    assert_eq!(version(&["--exec-api-version=v1"]), format!("{GROUP}/v1"));
    assert_eq!(version(&["--exec-api-version=v1beta1"]), format!("{GROUP}/v1beta1"));
    assert_eq!(
        version(&["--exec-api-version=client.authentication.k8s.io/v1beta1"]),
        format!("{GROUP}/v1beta1")
    );
}

#[test]
fn the_answer_is_one_line_of_json() {
    let outcome = World::new().get_credential(&[]);
    outcome.credential();
    assert_eq!(outcome.stdout.matches('\n').count(), 1);
    assert!(outcome.stdout.ends_with("}\n"));
}

#[test]
fn the_cluster_in_the_exec_info_is_accepted_and_not_needed() {
    let mut world = World::new();
    let cluster = world.sim.cluster("prod");
    exec_info(
        &mut world,
        "v1",
        &json!({"interactive": false, "cluster": {
            "server": cluster.external_url, "tls-server-name": "kubernetes", "certificate-authority-data": "eA==",
            "proxy-url": "http://127.0.0.1:9", "config": null,
        }}),
    );
    let with = world.get_credential(&[]).credential();
    exec_info(&mut world, "v1", &json!({"interactive": false}));
    assert_eq!(world.get_credential(&[]).credential().certificate, with.certificate);
    // The Python client passes its raw cluster entry, and some pass no spec at all.
    exec_info(
        &mut world,
        "v1",
        &json!({"cluster": {"insecure-skip-tls-verify": true, "x": [1, {"y": null}]}, "more": 1}),
    );
    assert_eq!(world.get_credential(&[]).credential().certificate, with.certificate);
    world.set("KUBERNETES_EXEC_INFO", format!("{{\"apiVersion\": \"{GROUP}/v1\"}}"));
    assert_eq!(world.get_credential(&[]).credential().certificate, with.certificate);
    assert_eq!(world.certificate_requests(), 1);
}

#[test]
fn a_blank_exec_info_counts_as_absent() {
    let mut world = World::new();
    world.set("KUBERNETES_EXEC_INFO", " ");
    world.get_credential(&[]).credential();
}

#[test]
fn an_exec_info_that_is_wrong_is_refused_before_any_request() {
    let mut world = World::new();
    let cases = [
        ("exec-info-is-no-json", "{\"apiVersion\":"),
        ("exec-info-of-another-shape", "[]"),
        (
            "exec-info-of-another-kind",
            r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"Pod"}"#,
        ),
        (
            "exec-info-of-an-old-version",
            r#"{"apiVersion":"client.authentication.k8s.io/v1alpha1","kind":"ExecCredential"}"#,
        ),
        (
            "exec-info-of-a-coming-version",
            r#"{"apiVersion":"client.authentication.k8s.io/v2","kind":"ExecCredential"}"#,
        ),
    ];
    for (name, info) in cases {
        world.set("KUBERNETES_EXEC_INFO", info);
        let outcome = world.get_credential(&[]);
        outcome.fails(Exit::Usage, "KUBERNETES_EXEC_INFO");
        world.snapshot(&format!("get-credential/{name}"), &outcome);
    }
    assert_eq!(world.sim.count("*"), 0);
}

#[test]
fn typed_by_hand_the_key_is_not_shown() {
    let mut world = World::new();
    world.terminal(true, true, true);
    let outcome = world.get_credential(&[]);
    outcome.is_done();
    assert_eq!(outcome.shown_credential().key, "REDACTED");
    assert_eq!(
        outcome.stderr,
        "the private key is not shown on a terminal; `--show-key` shows it\n"
    );

    let shown = world.get_credential(&["--show-key"]).credential();
    assert!(shown.key.contains("PRIVATE KEY"));
    assert_eq!(shown.certificate, outcome.shown_credential().certificate);
}

#[test]
fn a_client_gets_the_key_even_at_a_terminal() {
    let mut world = World::new();
    world.terminal(true, true, true);
    exec_info(&mut world, "v1", &json!({"interactive": true}));
    assert!(world.get_credential(&[]).credential().key.contains("PRIVATE KEY"));
    world.unset("KUBERNETES_EXEC_INFO");
    world.terminal(true, false, true);
    assert!(
        world.get_credential(&[]).credential().key.contains("PRIVATE KEY"),
        "a pipe is no terminal"
    );
}

#[test]
fn the_certificate_and_the_key_are_the_ones_that_the_cluster_accepts() {
    let mut world = World::new();
    world.login(&[]).is_done();
    let review = world.sim.api_requests("prod").pop().unwrap();
    assert_eq!(review.user, world.sim.user_id("alice"));
    assert_eq!(review.status, 201);
    world.use_key_of("bob");
    world.login(&["--context-name=bob"]).is_done();
    assert_eq!(
        world.sim.api_requests("prod").pop().unwrap().user,
        world.sim.user_id("bob")
    );
}

#[test]
fn the_project_is_looked_up_once_when_it_is_not_given() {
    let mut world = World::new();
    let cluster = format!("--cluster-id={}", world.sim.cluster("prod").uid);
    let args = ["get-credential", "--region=cn-north-4", &cluster];
    let first = world.run(args).credential();
    assert_eq!((world.sim.count("projects"), world.certificate_requests()), (1, 1));
    assert_eq!(world.run(args).credential().certificate, first.certificate);
    assert_eq!(world.sim.count("*"), 2, "the second time nothing is asked");
    // The SDKs' variable saves even the first look-up.
    world.set("HUAWEICLOUD_SDK_PROJECT_ID", world.sim.project_id("cn-north-4"));
    world.sim.clear_requests();
    assert_eq!(world.run(args).credential().certificate, first.certificate);
    assert_eq!(world.sim.count("*"), 0);
}

#[test]
fn the_client_is_told_to_come_back_at_the_start_of_the_renewal_window_then_in_short_steps() {
    use chrono::TimeDelta;
    let mut world = World::new();
    world.let_pass(0);
    let first = world.get_credential(&[]).credential();
    assert_eq!(first.expires.len(), "2026-01-01T00:00:00Z".len(), "{}", first.expires);
    assert!(first.expires.ends_with('Z'));
    let window = first.not_after - first.expires_at();
    assert!(
        (window - TimeDelta::hours(2)).abs() < TimeDelta::seconds(60),
        "{window}"
    );

    for hours in [6, 1] {
        world.let_pass(hours * 3600 + 60);
        let next = world.get_credential(&[]).credential();
        assert_eq!(next.certificate, first.certificate);
        let step = next.expires_at() - world.now();
        assert!(step > TimeDelta::zero() && step <= TimeDelta::seconds(61), "{step}");
        assert!(next.expires_at() <= first.not_after);
    }
}

#[test]
fn a_certificate_of_a_few_seconds_never_has_an_end_in_the_past() {
    let world = World::new();
    for seconds in [3, 5] {
        let lifetime = std::time::Duration::from_secs(seconds);
        world.sim.set_behaviour(|b| b.certificate_lifetime = Some(lifetime));
        let before = world.now();
        let credential = world.get_credential(&["--force-refresh"]).credential();
        assert!(credential.expires_at() > before);
    }
}

#[test]
fn a_hint_is_told_once_to_whoever_keeps_asking() {
    let mut world = World::new();
    exec_info(&mut world, "v1", &json!({"interactive": false}));
    world.set("HUAWEICLOUD_SDK_SK", "wrong");
    world.parent(4711, 1000);
    let first = world.get_credential(&[]);
    assert!(first.stderr.contains("\nhint: "), "{first}");
    for _ in 0..3 {
        let again = world.get_credential(&[]);
        assert!(
            again.stderr.contains("error: ") && !again.stderr.contains("hint: "),
            "{again}"
        );
        assert_eq!(again.exit, first.exit);
    }
    // Another failure has another hint, and another process has not been told.
    let other = world.get_credential(&["--cache=nowhere"]);
    assert!(other.stderr.contains("\nhint: "), "{other}");
    world.parent(4712, 1000);
    let other = world.get_credential(&[]);
    assert!(other.stderr.contains("\nhint: "), "{other}");
    // A person at a shell is told each time.
    world.unset("KUBERNETES_EXEC_INFO");
    for _ in 0..2 {
        let outcome = world.get_credential(&[]);
        assert!(outcome.stderr.contains("\nhint: "), "{outcome}");
    }
}
