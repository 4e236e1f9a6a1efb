//! The request for a certificate, and what is taken from the answer.

use crate::support::World;
use cce_login::error::Exit;
use cce_sim::{ClusterSpec, ExpireAt, KeyFormat, Sim};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// The bodies of all requests for certificates, in order.
fn bodies(world: &World) -> Vec<Value> {
    let requests = world.sim.requests().into_iter();
    let ours = requests.filter(|request| request.operation == "clustercert");
    ours.map(|request| serde_json::from_str(&request.body).unwrap())
        .collect()
}

fn end_in(body: &Value) -> DateTime<Utc> {
    let text = body["expire_at"].as_str().unwrap();
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S +0000 UTC")
        .unwrap()
        .and_utc()
}

#[test]
fn end_and_whole_days_are_sent_together() {
    let world = World::new();
    let table = [
        (None, 8 * 60, 1),
        (Some("24h"), 24 * 60, 1),
        (Some("25h"), 25 * 60, 2),
        (Some("7d"), 7 * 24 * 60, 7),
    ];
    for (duration, minutes, days) in table {
        let flags: Vec<String> = duration
            .iter()
            .map(|duration| format!("--duration={duration}"))
            .collect();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let credential = world.get_credential(&flags).credential();
        let body = bodies(&world).pop().unwrap();
        assert_eq!(body["duration"], days, "{body}");
        assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
        let expected = world.now() + TimeDelta::minutes(minutes);
        assert!((end_in(&body) - expected).abs() < TimeDelta::seconds(30), "{body}");
        assert_eq!(
            credential.not_after,
            end_in(&body),
            "what is granted is what was asked for"
        );
    }
}

#[test]
fn fifteen_minutes_are_long_enough_for_the_cloud_that_measures_them_later() {
    let world = World::new();
    let credential = world.get_credential(&["--duration=15m"]).credential();
    let life = credential.not_after - world.now();
    assert!(life > TimeDelta::minutes(14) && life < TimeDelta::minutes(16), "{life}");
    assert_eq!(world.certificate_requests(), 1);
}

#[test]
fn where_the_end_is_refused_whole_days_are_asked_for_alone() {
    let world = World::new();
    world
        .sim
        .set_behaviour(|b| b.expire_at_supported = ExpireAt::Refused400);
    let credential = world.get_credential(&["--duration=25h"]).credential();
    let bodies = bodies(&world);
    assert_eq!(bodies.len(), 2);
    assert!(bodies[0].get("expire_at").is_some());
    assert_eq!(bodies[1], json!({"duration": 2}));
    let life = credential.not_after - world.now();
    assert!((life - TimeDelta::days(2)).abs() < TimeDelta::minutes(5), "{life}");
}

#[test]
fn max_asks_for_the_longest_that_there_is() {
    let world = World::new();
    world.get_credential(&["--duration=max"]).credential();
    assert_eq!(bodies(&world), [json!({"duration": -1})]);
}

#[test]
fn strict_duration_refuses_another_lifetime_than_asked_for() {
    let world = World::new();
    world.get_credential(&["--strict-duration"]).credential();
    world.sim.set_behaviour(|b| b.expire_at_supported = ExpireAt::Ignored);
    let outcome = world.get_credential(&["--strict-duration", "--force-refresh"]);
    outcome.fails(Exit::Failed, "CCE granted 1d in place of 8h");
    world.snapshot("get-credential/granted-another-lifetime", &outcome);
    world.get_credential(&["--force-refresh"]).credential();
    world
        .get_credential(&["--strict-duration", "--duration=1d"])
        .credential();
}

#[test]
fn the_login_says_what_was_asked_for_and_what_was_granted() {
    let world = World::new();
    world.sim.set_behaviour(|b| b.expire_at_supported = ExpireAt::Ignored);
    let outcome = world.login(&[]);
    outcome.is_done();
    assert!(
        outcome.stderr.contains("; asked for 8h, this cloud granted 1d"),
        "{outcome}"
    );
}

#[test]
fn the_request_names_the_project_and_carries_a_temporary_keys_token() {
    let mut world = World::new();
    let key = world.sim.temporary_access_key("alice");
    world.set("HUAWEICLOUD_SDK_AK", &key.id);
    world.set("HUAWEICLOUD_SDK_SK", &key.secret);
    world.set("HUAWEICLOUD_SDK_SECURITY_TOKEN", key.security_token.as_deref().unwrap());
    world.get_credential(&[]).credential();
    let request = world.sim.requests().pop().unwrap();
    assert_eq!(
        request.header("x-project-id"),
        Some(world.sim.project_id("cn-north-4").as_str())
    );
    assert_eq!(request.header("x-security-token"), key.security_token.as_deref());
    assert!(
        request.path.starts_with("/api/v3/projects/") && request.path.ends_with("/clustercert"),
        "{}",
        request.path
    );
}

#[test]
fn an_autopilot_cluster_has_a_path_of_its_own() {
    let world = World::with(Sim::start_empty());
    world.sim.add_cluster(ClusterSpec {
        autopilot: true,
        ..ClusterSpec::default()
    });
    world.get_credential(&["--autopilot"]).credential();
    assert!(world.sim.requests()[0].path.starts_with("/autopilot/v3/projects/"));
}

#[test]
fn every_kind_of_key_is_kept_as_it_was_issued_and_accepted_by_the_cluster() {
    let kinds = [
        (KeyFormat::Pkcs1, "-----BEGIN RSA PRIVATE KEY-----\n"),
        (KeyFormat::Pkcs8, "-----BEGIN PRIVATE KEY-----\n"),
        (KeyFormat::Sec1, "-----BEGIN EC PRIVATE KEY-----\n"),
        (KeyFormat::Pkcs8Ec, "-----BEGIN PRIVATE KEY-----\n"),
    ];
    for (key_format, begin) in kinds {
        let world = World::with(Sim::start_empty());
        world.sim.add_cluster(ClusterSpec {
            key_format,
            ..ClusterSpec::default()
        });
        world.login(&[]).is_done();
        assert_eq!(
            world.sim.api_requests("prod").pop().unwrap().user,
            world.sim.user_id("alice")
        );
        let cached = world.get_credential(&[]).credential();
        assert!(cached.key.starts_with(begin), "{key_format:?}");
        assert_eq!(world.certificate_requests(), 1);
    }
}

#[test]
fn the_text_before_the_ca_certificate_is_left_out() {
    use base64::Engine as _;
    let world = World::with(Sim::start_empty());
    world.sim.add_cluster(ClusterSpec {
        ca_text_dump: true,
        ..ClusterSpec::default()
    });
    world.login(&[]).is_done();
    let kubeconfig = world.kubeconfig();
    let data = kubeconfig.cluster("prod.cn-north-4")["certificate-authority-data"]
        .as_str()
        .unwrap();
    let pem = String::from_utf8(base64::engine::general_purpose::STANDARD.decode(data).unwrap()).unwrap();
    let body = |pem: &str| pem.replace(['\r', '\n'], "");
    assert_eq!(body(&pem), body(&world.sim.cluster("prod").ca_pem));
}

#[test]
fn several_clusters_of_one_name_in_the_answer_are_told_apart() {
    let world = World::with(Sim::start_empty());
    world.sim.add_cluster(ClusterSpec {
        custom_sans: vec!["localhost".to_owned()],
        ..ClusterSpec::default()
    });
    world.sim.set_behaviour(|b| b.duplicate_external_clusters = true);
    world.login(&[]).is_done();
    let url = world.sim.cluster("prod").external_url.unwrap();
    assert_eq!(world.kubeconfig().cluster("prod.cn-north-4")["server"], url);
    assert!(world.kubeconfig().cluster("prod.cn-north-4")["certificate-authority-data"].is_string());
}

#[test]
fn nothing_but_ca_servers_and_key_pair_is_taken_from_the_answer() {
    let world = World::new();
    world.sim.set_behaviour(|b| b.smuggle = true);
    world.login(&[]).is_done();
    let text = world.kubeconfig_text();
    for smuggled in ["smuggled", "/bin/false", "127.0.0.1:9\n", "proxy-url", "extensions"] {
        assert!(!text.contains(smuggled), "`{smuggled}` in\n{text}");
    }
    let kubeconfig = world.kubeconfig();
    assert_eq!(kubeconfig.names("users"), ["env@prod.cn-north-4"]);
    assert_eq!(kubeconfig.exec("env@prod.cn-north-4")["command"], "kubectl-cce_login");
}

#[test]
fn a_server_that_is_not_the_clusters_is_refused() {
    let world = World::new();
    let cases = [
        ("server-of-somebody-else", "https://127.0.0.1:9"),
        ("server-without-tls", "http://127.0.0.1:9"),
        ("server-without-tls-elsewhere", "http://api.invalid:5443"),
    ];
    for (name, server) in cases {
        world.sim.set_behaviour(|b| b.server_override = Some(server.to_owned()));
        let outcome = world.login(&[]);
        outcome.fails(Exit::Failed, "cluster `prod` has no endpoint of its own");
        world.snapshot(&format!("login/{name}"), &outcome);
        assert!(!world.has(".kube/config"));
    }
}
