//! Which API server a login writes, and that it is always verified.

use crate::support::World;
use cce_login::error::Exit;
use cce_sim::{ApiServerCertificate, ClusterSpec, SelfSubjectReviews, Sim};

fn world_with(spec: ClusterSpec) -> World {
    let world = World::with(Sim::start_empty());
    world.sim.add_cluster(spec);
    world
}

fn entry(world: &World) -> serde_json::Value {
    world.kubeconfig().cluster("prod.cn-north-4").clone()
}

/// Issue 13.15: an address is no TLS server name (RFC 6066), and Node warns of one.
#[test]
fn an_external_endpoint_is_verified_under_a_name_before_an_address() {
    let world = World::new();
    let cluster = world.sim.cluster("prod");
    let internal = cluster.internal_url.trim_start_matches("https://");
    let address = internal.split(':').next().unwrap().to_owned();
    let is_as_written_now = |world: &World| {
        let entry = entry(world);
        assert_eq!(entry["server"], cluster.external_url.clone().unwrap());
        assert_eq!(entry["tls-server-name"], "kubernetes");
        assert!(entry["certificate-authority-data"].is_string());
        assert!(entry.get("insecure-skip-tls-verify").is_none(), "{entry}");
    };
    // A new entry, and one of an earlier version.
    world.login(&[]).is_done();
    is_as_written_now(&world);
    for again in [
        &["login", "--region=cn-north-4", "--cluster=prod"][..],
        &["refresh", "--all"],
        &["refresh", "--missing"],
    ] {
        let of_now = world.read(".kube/config");
        let of_earlier = of_now.replace("tls-server-name: kubernetes", &format!("tls-server-name: {address}"));
        assert_ne!(of_earlier, of_now);
        world.write(".kube/config", of_earlier);
        world.run(["logout"]).is_done();
        world.run(again).is_done();
        is_as_written_now(&world);
    }
}

/// The address is still better than nothing: installations whose certificates have no name of Kubernetes'.
#[test]
fn an_address_is_taken_where_no_name_verifies() {
    let names = [
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ];
    let world = World::new();
    world
        .sim
        .set_behaviour(|b| b.api_server_certificate = ApiServerCertificate::AddressOnly);
    world.login(&[]).is_done();
    let entry = entry(&world);
    let internal = world.sim.cluster("prod").internal_url;
    let name = entry["tls-server-name"].as_str().unwrap();
    assert!(internal.contains(name) && !names.contains(&name), "{entry}");
}

#[test]
fn an_endpoint_that_verifies_as_itself_needs_no_other_name() {
    let world = world_with(ClusterSpec {
        internal_reachable: true,
        ..ClusterSpec::default()
    });
    world.login(&["--access=internal"]).is_done();
    let entry = entry(&world);
    assert_eq!(entry["server"], world.sim.cluster("prod").internal_url);
    assert!(entry.get("tls-server-name").is_none(), "{entry}");
}

#[test]
fn a_server_that_is_not_who_it_should_be_is_refused() {
    let cases = [
        ("certificate-of-a-node", ApiServerCertificate::NodeName),
        ("certificate-of-another-ca", ApiServerCertificate::OtherCa),
        ("certificate-for-clients-only", ApiServerCertificate::ClientAuthOnlyEku),
        ("certificate-of-the-server-expired", ApiServerCertificate::Expired),
    ];
    for (name, certificate) in cases {
        let world = World::new();
        world.sim.set_behaviour(|b| b.api_server_certificate = certificate);
        let outcome = world.login(&[]);
        outcome.fails(Exit::Failed, "cannot be verified with the cluster's CA");
        world.snapshot(&format!("login/{name}"), &outcome);
        assert!(!world.has(".kube/config"), "nothing is written");
    }
}

#[test]
fn verification_is_skipped_only_when_asked_for_and_said_aloud() {
    let world = World::new();
    world
        .sim
        .set_behaviour(|b| b.api_server_certificate = ApiServerCertificate::NodeName);
    let outcome = world.login(&["--insecure-skip-tls-verify"]);
    outcome.is_done();
    world.snapshot("login/not-verified", &outcome);
    let entry = entry(&world);
    assert_eq!(entry["insecure-skip-tls-verify"], true);
    assert!(
        entry.get("certificate-authority-data").is_none() && entry.get("tls-server-name").is_none(),
        "{entry}"
    );
}

#[test]
fn a_server_that_does_not_answer_is_written_all_the_same() {
    let world = World::new();
    world.sim.set_api_server_open("prod", false);
    let outcome = world.login(&[]);
    assert_eq!(outcome.exit, Exit::Temporary, "{outcome}");
    world.snapshot("login/server-does-not-answer", &outcome);
    assert_eq!(world.kubeconfig().names("contexts"), ["prod"]);
    assert!(entry(&world)["certificate-authority-data"].is_string());
    world.login(&["--no-check"]).is_done();
}

#[test]
fn no_check_asks_nobody_who_we_are() {
    let world = World::new();
    let outcome = world.login(&["--no-check"]);
    outcome.is_done();
    world.snapshot("login/no-check", &outcome);
    let paths: Vec<_> = world
        .sim
        .api_requests("prod")
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert!(paths.iter().all(|path| path == "/version"), "{paths:?}");
}

#[test]
fn access_chooses_between_the_endpoints() {
    let both = || ClusterSpec {
        internal_reachable: true,
        ..ClusterSpec::default()
    };
    for (flag, is_internal) in [
        ("--access=auto", true),
        ("--access=internal", true),
        ("--access=external", false),
    ] {
        let world = world_with(both());
        world.login(&[flag]).is_done();
        let cluster = world.sim.cluster("prod");
        let expected = if is_internal {
            cluster.internal_url
        } else {
            cluster.external_url.unwrap()
        };
        assert_eq!(entry(&world)["server"], expected, "{flag}");
    }
    let world = world_with(ClusterSpec { eip: false, ..both() });
    let outcome = world.login(&["--access=external"]);
    outcome.fails(Exit::Failed, "has no external endpoint");
    world.snapshot("login/no-external-endpoint", &outcome);
}

#[test]
fn a_server_of_ones_own_is_taken_if_it_verifies() {
    let world = world_with(ClusterSpec {
        custom_sans: vec!["localhost".to_owned()],
        ..ClusterSpec::default()
    });
    let server = format!("https://localhost:{}", world.sim.cluster("prod").api_server_port);
    world.login(&["--server", &server]).is_done();
    assert_eq!(entry(&world)["server"], server.as_str());
    // It stays when the login is run again without saying it.
    world.login(&[]).is_done();
    assert_eq!(entry(&world)["server"], server.as_str());

    let world = World::new();
    let outcome = world.login(&["--server", &world.sim.cce_endpoint()]);
    outcome.fails(Exit::Failed, "cannot be verified with the cluster's CA");
    world.snapshot("login/server-of-ones-own-is-somebody-else", &outcome);
    assert!(!world.has(".kube/config"));
}

#[test]
fn who_we_are_is_asked_in_every_version_that_clusters_speak() {
    let cases = [
        (
            SelfSubjectReviews::V1,
            "/apis/authentication.k8s.io/v1/selfsubjectreviews",
            201,
        ),
        (
            SelfSubjectReviews::V1beta1Only,
            "/apis/authentication.k8s.io/v1beta1/selfsubjectreviews",
            201,
        ),
        (SelfSubjectReviews::Absent, "/api", 200),
    ];
    for (reviews, path, status) in cases {
        let world = World::new();
        world.sim.set_behaviour(|b| b.self_subject_reviews = reviews);
        let outcome = world.login(&[]);
        let known = format!(
            "the API server knows you as alice ({}…)",
            &world.sim.user_id("alice")[..5]
        );
        assert!(outcome.is_done().stderr.contains(&known), "{outcome}");
        let last = world.sim.api_requests("prod").pop().unwrap();
        assert_eq!((last.path.as_str(), last.status), (path, status));
    }
}

#[test]
fn the_shapes_in_which_clouds_list_endpoints_lead_to_the_same_entry() {
    use cce_sim::EndpointsShape::{HuaweiList, OtcList, OtcObject};
    for endpoints in [HuaweiList, OtcObject, OtcList] {
        let world = world_with(ClusterSpec {
            endpoints,
            ..ClusterSpec::default()
        });
        world.login(&[]).is_done();
        assert_eq!(
            entry(&world)["server"],
            world.sim.cluster("prod").external_url.unwrap(),
            "{endpoints:?}"
        );
    }
}

/// Takes connections at this URL's address, and never says anything.
fn silent_at(url: &str) -> std::net::TcpListener {
    std::net::TcpListener::bind(url.trim_start_matches("https://")).unwrap()
}

#[test]
fn endpoints_are_tried_side_by_side_so_a_silent_one_costs_little() {
    let world = World::new();
    let cluster = world.sim.cluster("prod");
    let _silent = silent_at(&cluster.internal_url);
    let started = std::time::Instant::now();
    world.login(&[]).is_done();
    assert!(
        started.elapsed() < std::time::Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(entry(&world)["server"], cluster.external_url.unwrap());
}

#[test]
fn where_no_endpoint_answers_each_is_named_with_its_reason() {
    let world = world_with(ClusterSpec {
        internal_reachable: true,
        ..ClusterSpec::default()
    });
    world.sim.set_api_server_open("prod", false);
    let outcome = world.login(&[]);
    assert_eq!(outcome.exit, Exit::Temporary, "{outcome}");
    world.snapshot("login/no-endpoint-answers", &outcome);
    let cluster = world.sim.cluster("prod");
    for url in [cluster.internal_url, cluster.external_url.unwrap()] {
        assert!(outcome.stderr.contains(&format!("`{url}`: ")), "{outcome}");
    }
    assert_eq!(world.kubeconfig().names("contexts"), ["prod"]);
}

/// A cluster whose endpoints both answer.
fn with_two_endpoints() -> World {
    world_with(ClusterSpec {
        internal_reachable: true,
        ..ClusterSpec::default()
    })
}

#[test]
fn two_endpoints_of_one_cluster_can_have_a_context_each() {
    let world = with_two_endpoints();
    let cluster = world.sim.cluster("prod");
    world.login(&["--access=internal"]).is_done();
    let second = world.login(&["--access=external", "--context-name=outside"]);
    world.snapshot("login/second-endpoint", second.is_done());
    let external = cluster.external_url.unwrap();
    let servers = |world: &World| {
        let kubeconfig = world.kubeconfig();
        ["prod.cn-north-4", "prod.cn-north-4.external"].map(|name| kubeconfig.cluster(name)["server"].clone())
    };
    assert_eq!(world.kubeconfig().names("contexts"), ["prod", "outside"]);
    assert_eq!(servers(&world), [cluster.internal_url.clone(), external.clone()]);
    assert_eq!(world.certificate_requests(), 1, "it is the same certificate");

    // Whichever way it is said again, nothing moves.
    let text = world.kubeconfig_text();
    for flags in [
        &["--access=external", "--context-name=outside"][..],
        &["--access=external"],
        &["--access=internal"],
        &["--context-name=outside"],
        &[],
    ] {
        world.login(flags).is_done();
        assert_eq!(world.kubeconfig_text(), text, "{flags:?}");
    }
    world.run(["refresh", "--all"]).is_done();
    assert_eq!(servers(&world), [cluster.internal_url, external]);

    // Without a name of its own the one that is there is moved, and that is said.
    let world = with_two_endpoints();
    world.login(&["--access=internal"]).is_done();
    let moved = world.login(&["--access=external"]);
    world.snapshot("login/moved-endpoint", moved.is_done());
    assert_eq!(world.kubeconfig().names("clusters"), ["prod.cn-north-4"]);
}

#[test]
fn an_entry_that_was_written_while_nobody_answered_works_as_soon_as_somebody_does() {
    for flags in [&[][..], &["--no-check"]] {
        let world = World::new();
        world.sim.set_api_server_open("prod", false);
        let outcome = world.login(flags);
        let expected = if flags.is_empty() { Exit::Temporary } else { Exit::Done };
        assert_eq!(outcome.exit, expected, "{outcome}");
        assert!(outcome.stderr.contains("does not answer from here"), "{outcome}");
        assert_eq!(entry(&world)["tls-server-name"], "kubernetes");

        // It works: the server is the entry's, under the entry's name.
        world.sim.set_api_server_open("prod", true);
        let status = world.run(["status", "--check", "-o", "json"]);
        assert!(status.is_done().stdout.contains("\"accepted\""), "{status}");
        let text = world.kubeconfig_text();
        world.login(&[]).is_done();
        world.sim.set_api_server_open("prod", false);
        let before = world.kubeconfig_text();
        world.login(&["--no-check"]).is_done();
        assert_eq!(
            world.kubeconfig_text(),
            before,
            "what was known stays, when nobody answers again"
        );
        assert!(text.contains("tls-server-name"));
    }
}

#[test]
fn a_server_that_does_not_answer_now_is_not_replaced_by_another_one_that_does_not() {
    let world = with_two_endpoints();
    world.login(&["--access=internal"]).is_done();
    let text = world.kubeconfig_text();
    world.sim.set_api_server_open("prod", false);
    world.login(&["--no-check"]).is_done();
    assert_eq!(world.kubeconfig_text(), text);
}
