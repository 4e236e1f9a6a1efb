//! A cluster's API server: whom it believes, and whom clients must not believe.

use std::{io::Read as _, time::Duration};

use cce_sim::{ApiServerCertificate, ClusterSpec, Sim};

use crate::client::{Client, Kubeconfig, Reply, Request, send_on};

const NAMESPACES: &str = "/api/v1/namespaces";

fn get(sim: &Sim, trust: &str, name: &str, identity: Option<(&str, &str)>) -> std::io::Result<Reply> {
    let address = sim
        .cluster("prod")
        .external_url
        .unwrap()
        .replace("https://", "")
        .parse()
        .unwrap();
    Client::new(trust, name, identity).send(address, &Request::get(NAMESPACES))
}

#[test]
fn nobody_is_forbidden_and_a_strangers_certificate_is_unauthorized() {
    let sim = Sim::start();
    sim.add_cluster(ClusterSpec::named("other"));
    let ca = sim.cluster("prod").ca_pem;
    let nobody = get(&sim, &ca, "kubernetes", None).unwrap();
    assert_eq!(nobody.status, 403);
    assert!(
        nobody.json()["message"]
            .as_str()
            .unwrap()
            .contains(r#"User "system:anonymous" cannot list"#)
    );
    let stranger = Kubeconfig::fetch(&sim, "other");
    let refused = stranger.get(&sim, "prod", NAMESPACES).unwrap();
    assert_eq!(
        (refused.status, refused.json()["reason"].as_str()),
        (401, Some("Unauthorized"))
    );
    let users: Vec<_> = sim
        .api_requests("prod")
        .into_iter()
        .map(|request| request.user)
        .collect();
    assert_eq!(users, ["system:anonymous", ""]);
}

#[test]
fn certificates_count_in_their_time_by_the_clouds_clock() {
    let sim = Sim::start();
    let status = || {
        Kubeconfig::fetch(&sim, "prod")
            .get(&sim, "prod", NAMESPACES)
            .unwrap()
            .status
    };
    sim.set_behaviour(|behaviour| behaviour.not_before_offset = 3600);
    assert_eq!(status(), 401);
    sim.set_behaviour(|behaviour| behaviour.not_before_offset = -120);
    assert_eq!(status(), 200);
    sim.set_behaviour(|behaviour| behaviour.expired_certificate = true);
    assert_eq!(status(), 401);
    sim.set_behaviour(|behaviour| behaviour.expired_certificate = false);
    let issued = sim.issue_certificate("prod", "bob", Duration::from_secs(60));
    let ca = sim.cluster("prod").ca_pem;
    let status = || {
        get(&sim, &ca, "kubernetes", Some((&issued.certificate, &issued.key)))
            .unwrap()
            .status
    };
    assert_eq!(status(), 200);
    sim.set_behaviour(|behaviour| behaviour.clock_offset = 62);
    assert_eq!(status(), 401);
}

#[test]
fn a_connection_does_not_outlive_its_certificate() {
    let sim = Sim::start();
    let issued = sim.issue_certificate("prod", "alice", Duration::from_secs(60));
    let info = sim.cluster("prod");
    let client = Client::new(&info.ca_pem, "kubernetes", Some((&issued.certificate, &issued.key)));
    let mut stream = client
        .connect(info.external_url.unwrap().replace("https://", "").parse().unwrap())
        .unwrap();
    let mut status = |connection: &str| {
        send_on(&mut stream, &Request::get("/api/v1/pods"), connection).unwrap();
        let mut answer = vec![0; 16384];
        let count = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..count])
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(status("keep-alive"), "HTTP/1.1 200 OK");
    sim.set_behaviour(|behaviour| behaviour.clock_offset = 62);
    // What is left of the first body may come before it.
    assert!((0..3).any(|_| status("keep-alive").contains("401")));
}

#[test]
fn all_watches_tell_the_same_story_and_one_from_a_known_version_tells_what_was_missed() {
    let sim = Sim::start();
    sim.set_behaviour(|behaviour| {
        behaviour.stream_interval_ms = 50;
        behaviour.stream_timeout_ms = Some(400);
    });
    let alice = Kubeconfig::fetch(&sim, "prod");
    let versions = |known: u64| -> Vec<u64> {
        let path = format!("/api/v1/pods?watch=true&resourceVersion={known}");
        let body = alice.get(&sim, "prod", &path).unwrap().body;
        let version = |line: &str| -> Option<u64> {
            let event: serde_json::Value = serde_json::from_str(line).ok()?;
            let version = event["object"]["metadata"]["resourceVersion"].as_str()?;
            version.parse().ok()
        };
        body.lines().filter_map(version).collect()
    };
    let told = versions(0);
    assert_eq!(told[..3], [1000; 3], "the objects as they are");
    let told = &told[3..];
    assert!(
        told.len() > 3 && told.windows(2).all(|pair| pair[1] - pair[0] == 50),
        "{told:?}"
    );
    assert!(versions(told[0]).starts_with(&told[1..]));
}

#[test]
fn the_external_address_is_not_in_the_server_certificate() {
    let sim = Sim::start();
    let info = sim.cluster("prod");
    let external = info.external_url.clone().unwrap().replace("https://", "");
    let (external, _) = external.split_once(':').unwrap();
    let internal = info.internal_url.replace("https://", "").replace(":5443", "");
    assert!(get(&sim, &info.ca_pem, external, None).is_err());
    for name in ["kubernetes", "kubernetes.default.svc.cluster.local", internal.as_str()] {
        assert_eq!(get(&sim, &info.ca_pem, name, None).unwrap().status, 403, "{name}");
    }
}

#[test]
fn wrong_server_certificates_are_refused_by_a_client_that_looks() {
    let sim = Sim::start();
    let ca = sim.cluster("prod").ca_pem;
    for wrong in [
        ApiServerCertificate::NodeName,
        ApiServerCertificate::OtherCa,
        ApiServerCertificate::ClientAuthOnlyEku,
        ApiServerCertificate::Expired,
    ] {
        sim.set_behaviour(|behaviour| behaviour.api_server_certificate = wrong);
        assert!(get(&sim, &ca, "kubernetes", None).is_err(), "{wrong:?}");
    }
    sim.set_behaviour(|behaviour| behaviour.api_server_certificate = ApiServerCertificate::NodeName);
    assert!(get(&sim, &ca, "node-1", None).is_ok());
    sim.set_behaviour(|behaviour| behaviour.api_server_certificate = ApiServerCertificate::Normal);
    assert!(get(&sim, &ca, "kubernetes", None).is_ok());
}

#[test]
fn custom_names_and_the_internal_address_can_be_reached_if_so_ordered() {
    let sim = Sim::start_empty();
    sim.add_cluster(ClusterSpec {
        custom_sans: vec!["localhost".to_owned()],
        internal_reachable: true,
        ..ClusterSpec::default()
    });
    let info = sim.cluster("prod");
    let internal = info.internal_url.replace("https://", "").parse().unwrap();
    let client = Client::new(&info.ca_pem, "localhost", None);
    assert_eq!(client.send(internal, &Request::get("/version")).unwrap().status, 200);
    let by_name = format!("127.0.0.1:{}", info.api_server_port).parse().unwrap();
    assert_eq!(client.send(by_name, &Request::get("/version")).unwrap().status, 200);
}

#[test]
fn a_sleeping_cluster_does_not_answer() {
    let sim = Sim::start();
    let ca = sim.cluster("prod").ca_pem;
    sim.set_phase("prod", "Hibernation");
    assert!(get(&sim, &ca, "kubernetes", None).is_err());
    sim.set_phase("prod", "Upgrading");
    assert!(get(&sim, &ca, "kubernetes", None).is_ok());
}
