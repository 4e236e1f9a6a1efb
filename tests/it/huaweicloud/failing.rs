//! A cloud that says no, is busy, broken or not there: each with one line, a hint and its exit code.

use crate::support::World;
use cce_login::error::Exit;
use cce_sim::{ClusterSpec, Fault, Sim};
use std::time::Duration;

/// `get-credential` while `clustercert` meets `fault`.
#[track_caller]
fn with_fault(name: &str, fault: Fault, exit: Exit) {
    let world = World::new();
    world.sim.set_fault("clustercert", fault);
    let outcome = world.get_credential(&["--timeout=5s"]);
    outcome.fails(exit, "failed to get a client certificate for cluster `");
    world.snapshot(&format!("get-credential/{name}"), &outcome);
}

fn status(code: u16) -> Fault {
    Fault::Status {
        code,
        body: String::new(),
        headers: Vec::new(),
    }
}

#[test]
fn a_missing_permission_is_told_with_its_name() {
    let mut world = World::new();
    world.use_key_of("carol");
    let outcome = world.get_credential(&[]);
    outcome.fails(Exit::Identity, "`cce:cluster:generateClientCredential`");
    world.snapshot("get-credential/not-permitted", &outcome);
    let outcome = world.login(&[]);
    outcome.fails(Exit::Identity, "`cce:cluster:list`");
    world.snapshot("login/not-permitted", &outcome);
}

#[test]
fn throttling_is_temporary_and_says_when_to_try_again() {
    with_fault("throttled", Fault::Throttle { retry_after: None }, Exit::Temporary);
    let retry_after = Some("42".to_owned());
    with_fault(
        "throttled-with-retry-after",
        Fault::Throttle { retry_after },
        Exit::Temporary,
    );
}

#[test]
fn a_short_retry_after_is_waited_for() {
    let world = World::new();
    let retry_after = Some("1".to_owned());
    world.sim.add_fault("clustercert", Fault::Throttle { retry_after }, 1);
    world.get_credential(&[]).credential();
    assert_eq!(world.certificate_requests(), 2);
}

#[test]
fn trouble_of_the_cloud_is_tried_once_more() {
    for fault in [status(500), status(502), status(503), Fault::ResetBeforeAnswer] {
        let world = World::new();
        world.sim.add_fault("clustercert", fault.clone(), 1);
        world.get_credential(&[]).credential();
        assert_eq!(world.certificate_requests(), 2, "{fault:?}");
    }
}

#[test]
fn trouble_of_the_cloud_that_lasts_is_temporary() {
    with_fault("internal-error", status(500), Exit::Temporary);
    with_fault("bad-gateway", status(502), Exit::Temporary);
    with_fault("connection-reset", Fault::ResetBeforeAnswer, Exit::Temporary);
}

#[test]
fn a_cloud_that_never_answers_is_given_up_in_time() {
    let world = World::new();
    world.sim.set_fault("clustercert", Fault::Hang);
    let started = std::time::Instant::now();
    let outcome = world.get_credential(&["--timeout=1s"]);
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    outcome.fails(Exit::Temporary, "did not answer in time");
    world.snapshot("get-credential/no-answer", &outcome);
    assert_eq!(world.certificate_requests(), 1);
}

#[test]
fn a_closed_port_is_temporary() {
    let world = World::new();
    world.sim.set_behaviour(|b| b.cloud_down = true);
    let outcome = world.get_credential(&[]);
    outcome.fails(Exit::Temporary, "Connection refused");
    world.snapshot("get-credential/connection-refused", &outcome);
    let outcome = world.login(&[]);
    outcome.fails(Exit::Temporary, "Connection refused");
    world.snapshot("login/connection-refused", &outcome);
}

#[test]
fn a_cloud_that_cannot_be_verified_is_not_spoken_to() {
    let mut world = World::new();
    let other = world.write("other-ca.pem", Sim::start_empty().ca_pem());
    world.set("CCE_LOGIN_CA_FILE", &other);
    let outcome = world.get_credential(&[]);
    outcome.fails(Exit::Failed, "the TLS connection to");
    world.snapshot("get-credential/cloud-of-another-ca", &outcome);
    assert_eq!(world.sim.count("*"), 0);
    // `SSL_CERT_FILE` serves as well, and the flag outranks both.
    world.unset("CCE_LOGIN_CA_FILE");
    world.set("SSL_CERT_FILE", world.path("cloud-ca.pem"));
    world.get_credential(&[]).credential();
    world
        .get_credential(&["--force-refresh", "--ca-file", &other])
        .fails(Exit::Failed, "TLS");
}

#[test]
fn a_ca_file_that_is_missing_or_no_pem_is_told() {
    let mut world = World::new();
    let cases = [
        ("ca-file-is-missing", world.path("nowhere.pem")),
        ("ca-file-is-empty", world.write("empty.pem", "")),
        ("ca-file-is-no-pem", world.write("text.pem", "just a text\n")),
        (
            "ca-file-is-damaged",
            world.write(
                "damaged.pem",
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            ),
        ),
    ];
    for (name, path) in cases {
        world.set("CCE_LOGIN_CA_FILE", &path);
        let outcome = world.get_credential(&[]);
        outcome.fails(Exit::Usage, path.rsplit('/').next().unwrap());
        world.snapshot(&format!("get-credential/{name}"), &outcome);
    }
}

#[test]
fn a_proxy_that_does_not_answer_is_named_without_its_password() {
    let mut world = World::new();
    world.set("HTTPS_PROXY", "http://me:hunter2secret@127.0.0.1:9");
    let outcome = world.get_credential(&[]);
    outcome.fails(Exit::Temporary, "through the proxy `http://127.0.0.1:9`");
    assert!(
        !outcome.stderr.contains("hunter2") && !world.read("log").contains("hunter2"),
        "{outcome}"
    );
    world.snapshot("get-credential/proxy-does-not-answer", &outcome);
    world.set("NO_PROXY", "127.0.0.1");
    world.get_credential(&["--force-refresh"]).credential();
}

#[test]
fn a_redirect_is_never_followed() {
    let elsewhere = Sim::start();
    let world = World::new();
    let target = format!("{}/elsewhere", elsewhere.cce_endpoint());
    world.sim.set_fault("clustercert", Fault::Redirect(target));
    let outcome = world.get_credential(&[]);
    outcome.fails(Exit::Failed, "302");
    world.snapshot("get-credential/redirect", &outcome);
    assert_eq!(elsewhere.count("*"), 0);
}

#[test]
fn an_api_that_the_cloud_does_not_have_is_told() {
    let world = World::new();
    let endpoint = format!("{}/wrong", world.sim.cce_endpoint());
    let outcome = world.get_credential(&["--cce-endpoint", &endpoint]);
    outcome.fails(Exit::Failed, "APIGW.0101");
    world.snapshot("get-credential/no-such-api", &outcome);
}

#[test]
fn an_unknown_cluster_is_told_with_the_nearest_names() {
    let world = World::with(Sim::start_empty());
    for name in ["prod-eu", "prod-us", "staging"] {
        world.sim.add_cluster(ClusterSpec::named(name));
    }
    for (name, wanted) in [("a-mistyped-cluster", "prod-ue"), ("an-unknown-cluster", "zzz")] {
        let outcome = world.run(["login", "--cluster", wanted]);
        outcome.fails(Exit::Usage, &format!("there is no cluster `{wanted}`"));
        world.snapshot(&format!("login/{name}"), &outcome);
    }
    let outcome = world.run(["login"]);
    outcome.fails(Exit::Usage, "the cluster is missing");
    world.snapshot("login/no-cluster-given", &outcome);
    world.sim.add_cluster(ClusterSpec::named("staging"));
    let outcome = world.run(["login", "--cluster=staging"]);
    outcome.fails(Exit::Usage, "2 clusters are called `staging`");

    let world = World::with(Sim::start_empty());
    let outcome = world.run(["login", "--cluster=prod"]);
    outcome.fails(Exit::Usage, "there is no cluster `prod`");
    world.snapshot("login/a-project-without-clusters", &outcome);
}

#[test]
fn a_cluster_that_was_deleted_is_told() {
    let world = World::new();
    world.sim.add_cluster(ClusterSpec::named("other"));
    let cluster = world.sim.cluster("other");
    world.sim.delete_cluster("other");
    let args = [
        format!("--project-id={}", cluster.project_id),
        format!("--cluster-id={}", cluster.uid),
    ];
    let outcome = world.run(["get-credential", "--region=cn-north-4", &args[0], &args[1]]);
    outcome.fails(Exit::Failed, "404");
    let text = world
        .elided(&outcome.to_string())
        .replace(&cluster.uid, "[ID OF other]");
    crate::support::check_text("get-credential/a-deleted-cluster.txt", &text);
}

#[test]
fn a_cluster_that_sleeps_or_is_being_made_is_told_with_what_to_do() {
    let world = World::new();
    for (phase, exit) in [
        ("Hibernation", Exit::Failed),
        ("Awaking", Exit::Temporary),
        ("Creating", Exit::Temporary),
        ("Unavailable", Exit::Failed),
    ] {
        world.sim.set_phase("prod", phase);
        let outcome = world.login(&[]);
        outcome.fails(exit, &format!("cluster `prod` is in phase `{phase}`"));
        world.snapshot(&format!("login/phase-{}", phase.to_lowercase()), &outcome);
    }
    assert_eq!(world.certificate_requests(), 0);
    world.sim.set_phase("prod", "Hibernation");
    let outcome = world.get_credential(&[]);
    outcome.fails(Exit::Failed, "Cluster status is Hibernation");
    world.snapshot("get-credential/a-hibernated-cluster", &outcome);
}

#[test]
fn a_project_that_is_wrong_or_ambiguous_is_told() {
    let world = World::new();
    let outcome = world.login(&["--project=cn-north-4_taem"]);
    outcome.fails(Exit::Usage, "there is no project `cn-north-4_taem`");
    world.snapshot("login/unknown-project", &outcome);
    let outcome = world.login(&["--project=00000000000000000000000000000000"]);
    outcome.fails(Exit::Usage, "there is no project `00000000000000000000000000000000`");
    let outcome = world.login(&["--region=eu-de"]);
    outcome.fails(Exit::Usage, "there is no project `eu-de`");
    world.snapshot("login/region-of-another-cloud", &outcome);
    let twin = world.sim.add_project("cn-north-4_team");
    let mut outcome = world.login(&["--project=cn-north-4_team"]);
    outcome.fails(Exit::Usage, "2 projects are called `cn-north-4_team`");
    outcome.stderr = outcome.stderr.replace(&twin, "[ID OF ITS TWIN]");
    world.snapshot("login/two-projects-of-one-name", &outcome);
}

#[test]
fn a_project_that_is_not_open_to_the_identity_is_told() {
    let mut world = World::new();
    world.use_key_of("bob");
    let project = format!("--project-id={}", world.sim.project_id("cn-north-4_team"));
    let cluster = format!("--cluster-id={}", world.sim.cluster("prod").uid);
    let outcome = world.run(["get-credential", "--region=cn-north-4", &project, &cluster]);
    assert!([Exit::Identity, Exit::Failed].contains(&outcome.exit), "{outcome}");
    world.snapshot("get-credential/project-of-somebody-else", &outcome);
}
