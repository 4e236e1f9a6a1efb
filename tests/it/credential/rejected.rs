//! A 401 is noticed by the way in which we are called again, and answered with a new certificate only if the API server refuses the old one.

use crate::support::World;
use cce_login::error::Exit;
use cce_sim::{ClusterSpec, Fault};
use serde_json::json;
use std::time::{Duration, Instant};

/// A world in which kubectl (this process) has been given a certificate. The cluster is told with each call.
fn world() -> (World, String) {
    let mut world = World::new();
    world.at(0);
    tell_cluster(&mut world, &json!({}));
    let first = certificate(&world);
    (world, first)
}

/// The client says which cluster it means; `more` overrides.
fn tell_cluster(world: &mut World, more: &serde_json::Value) {
    let cluster = world.sim.cluster("prod");
    let mut told = json!({
        "server": cluster.external_url,
        "tls-server-name": "kubernetes",
        "certificate-authority-data": base64(&cluster.ca_pem),
        "config": null,
    });
    for (name, value) in more.as_object().unwrap() {
        told[name] = value.clone();
    }
    let info = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "spec": { "interactive": false, "cluster": told },
    });
    world.set("KUBERNETES_EXEC_INFO", info.to_string());
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn certificate(world: &World) -> String {
    world.get_credential(&[]).credential().certificate
}

/// How often the API server was asked.
fn questions(world: &World) -> usize {
    world.sim.api_requests("prod").len()
}

#[test]
fn after_a_revocation_the_second_call_of_a_process_brings_a_new_certificate() {
    let (world, first) = world();
    world.sim.revoke("prod", "alice");
    let second = certificate(&world);
    assert_ne!(second, first);
    assert_eq!((questions(&world), world.certificate_requests()), (1, 2));
    // Everybody has the new one from now on.
    assert_eq!(certificate(&world), second);
    assert_eq!(world.certificate_requests(), 2);
}

/// Found by the soak: the three questions were used up, and for minutes a certificate was served that was known to be refused.
#[test]
fn a_refusal_is_remembered_until_the_cloud_gives_a_new_certificate() {
    let (mut world, first) = world();
    world.sim.revoke("prod", "alice");
    world.sim.set_fault("clustercert", Fault::ResetBeforeAnswer);
    for _ in 0..5 {
        world.get_credential(&[]).fails(Exit::Temporary, "broke off");
    }
    assert_eq!(questions(&world), 1, "asked once, and believed");
    world.sim.clear_faults();
    world.at(10); // what was waited for together fails together
    assert_ne!(certificate(&world), first);
    assert_eq!(questions(&world), 1);
    // What was refused is not what has taken its place.
    let second = certificate(&world);
    assert_eq!(certificate(&world), second);
    assert_eq!(questions(&world), 3);
}

#[test]
fn after_a_rotation_too() {
    let (mut world, first) = world();
    world.sim.rotate("prod");
    tell_cluster(&mut world, &json!({}));
    assert_ne!(certificate(&world), first);
    assert_eq!((questions(&world), world.certificate_requests()), (1, 2));
}

#[test]
fn a_healthy_server_is_asked_once_a_minute_and_twice_more_however_often_a_process_asks() {
    let (mut world, first) = world();
    for _ in 0..20 {
        assert_eq!(certificate(&world), first);
    }
    assert_eq!(questions(&world), 3);
    world.at(59);
    certificate(&world);
    assert_eq!(questions(&world), 3);
    for (minute, asked) in [(1, 4), (2, 5), (3, 6)] {
        world.at(minute * 60 + 1);
        certificate(&world);
        certificate(&world);
        assert_eq!((questions(&world), world.certificate_requests()), (asked, 1));
    }
}

#[test]
fn a_client_that_runs_us_twice_for_each_command_heals_at_its_third_call() {
    let (world, first) = world();
    assert_eq!(certificate(&world), first);
    world.sim.revoke("prod", "alice");
    assert_ne!(certificate(&world), first);
    assert_eq!((questions(&world), world.certificate_requests()), (2, 2));
}

/// The certificate for another process each time, as Python's, Node's and Java's are.
fn certificate_of_process(world: &mut World, pid: u32) -> String {
    world.parent(pid, 1);
    world.get_credential(&["--identity=env"]).credential().certificate
}

/// A world in which a login has set the cluster up and a process has used it; the client does not tell its cluster.
fn world_of_processes() -> (World, String) {
    let mut world = World::new();
    world.at(0);
    world.login(&[]).is_done(); // which server it is, is known by that alone
    let first = certificate_of_process(&mut world, 2000);
    world.sim.clear_requests();
    (world, first)
}

#[test]
fn processes_that_never_ask_twice_heal_within_three_minutes_of_use() {
    let (mut world, first) = world_of_processes();
    world.sim.revoke("prod", "alice");
    for (pid, second) in [(2001, 10), (2002, 60), (2003, 119)] {
        world.at(second);
        certificate_of_process(&mut world, pid);
        assert_eq!((questions(&world), world.left_behind()), (0, 0), "at {second} s");
    }
    world.at(121);
    assert_eq!(certificate_of_process(&mut world, 2004), first, "nobody waits");
    assert_eq!(world.left_behind(), 1);
    world.run_left_behind();
    assert_eq!((questions(&world), world.certificate_requests()), (1, 1));
    world.at(122);
    assert_ne!(certificate_of_process(&mut world, 2005), first);
}

#[test]
fn a_certificate_that_is_taken_costs_one_question_in_two_minutes_of_use() {
    let (mut world, first) = world_of_processes();
    for step in 1..=120 {
        world.at(5 * step);
        let pid = 3000 + u32::try_from(step).unwrap();
        assert_eq!(certificate_of_process(&mut world, pid), first);
        world.run_left_behind();
    }
    assert!((4..=5).contains(&questions(&world)), "{}", questions(&world));
    assert_eq!(world.certificate_requests(), 0);
}

#[test]
fn where_no_process_can_be_left_behind_it_is_asked_in_line() {
    let (mut world, first) = world_of_processes();
    world.sim.revoke("prod", "alice");
    world.at(121);
    assert_ne!(certificate_of_process(&mut world, 1), first);
    assert_eq!(world.left_behind(), 0);
}

#[test]
fn many_calls_of_one_process_at_once_ask_once() {
    let (world, first) = world();
    let outcomes = world.get_credentials_at_once(20, &[]);
    assert!(outcomes.iter().all(|outcome| outcome.credential().certificate == first));
    assert!((1..=3).contains(&questions(&world)), "{}", questions(&world));
}

#[test]
fn another_process_is_no_reason_to_ask() {
    let (mut world, first) = world();
    for (pid, started) in [(1001, 1), (1000, 2), (1002, 7)] {
        world.parent(pid, started);
        assert_eq!(certificate(&world), first);
    }
    assert_eq!(questions(&world), 0);
}

#[test]
fn a_process_that_asks_when_it_was_told_to_is_no_reason_to_ask() {
    let (mut world, first) = world();
    world.at(6 * 3600);
    for seconds in [1, 62, 123] {
        world.at(6 * 3600 + seconds);
        assert_eq!(certificate(&world), first);
    }
    assert_eq!(questions(&world), 0);
}

#[test]
fn a_server_that_cannot_be_reached_within_a_second_changes_nothing() {
    let (mut world, first) = world();
    world.sim.set_api_server_open("prod", false);
    assert_eq!(certificate(&world), first);

    world.sim.set_api_server_open("prod", true);
    world.sim.set_fault("api", Fault::Hang);
    world.at(61);
    let started = Instant::now();
    assert_eq!(certificate(&world), first);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!(world.certificate_requests(), 1);
}

#[test]
fn an_answer_that_is_no_refusal_changes_nothing() {
    let (mut world, first) = world();
    let forbidden = r#"{"kind":"Status","message":"forbidden: User \"0605768a\" cannot get path \"/api\"","code":403}"#;
    for (n, (code, body)) in [(500, "{}"), (429, "{}"), (403, forbidden), (200, "<html>")]
        .into_iter()
        .enumerate()
    {
        world.at(61 * (i64::try_from(n).unwrap() + 1));
        let fault = Fault::Status {
            code,
            body: body.to_owned(),
            headers: Vec::new(),
        };
        world.sim.set_fault("api", fault);
        assert_eq!(certificate(&world), first, "{code}");
        assert_eq!(questions(&world), n + 1);
    }
    assert_eq!(world.certificate_requests(), 1);
}

#[test]
fn a_403_as_nobody_is_a_refusal() {
    let (world, first) = world();
    let body =
        r#"{"kind":"Status","message":"forbidden: User \"system:anonymous\" cannot get path \"/api\"","code":403}"#;
    let fault = Fault::Status {
        code: 403,
        body: body.to_owned(),
        headers: Vec::new(),
    };
    world.sim.set_fault("api", fault);
    assert_ne!(certificate(&world), first);
}

#[test]
fn a_server_that_is_not_who_it_should_be_is_not_believed() {
    let (mut world, first) = world();
    world.sim.revoke("prod", "alice");
    world.sim.add_cluster(ClusterSpec::named("stranger"));
    let strangers = world.sim.cluster("stranger").external_url;
    tell_cluster(&mut world, &json!({ "server": strangers }));
    assert_eq!(certificate(&world), first);
    assert_eq!(world.certificate_requests(), 1);
    // Unless the kubeconfig says not to look.
    world.at(61);
    tell_cluster(
        &mut world,
        &json!({ "certificate-authority-data": null, "tls-server-name": null, "insecure-skip-tls-verify": true }),
    );
    assert_ne!(certificate(&world), first);
}

#[test]
fn the_proxy_of_the_cluster_entry_is_the_way_to_its_server() {
    let (mut world, first) = world();
    world.sim.revoke("prod", "alice");
    tell_cluster(&mut world, &json!({ "proxy-url": "http://127.0.0.1:9" }));
    assert_eq!(certificate(&world), first, "there is no proxy, so there is no answer");
    assert_eq!(questions(&world), 0);
}

#[test]
fn a_client_that_does_not_tell_its_cluster_is_helped_by_what_login_noted() {
    let mut world = World::new();
    world.at(0);
    world.login(&[]).is_done();
    let get = |world: &World| world.get_credential(&["--identity=env"]).credential().certificate;
    let first = get(&world);
    world.sim.revoke("prod", "alice");
    world.sim.clear_requests();
    assert_ne!(get(&world), first);
    assert_eq!((questions(&world), world.certificate_requests()), (1, 1));
}

#[test]
fn a_cluster_of_any_shape_in_the_exec_info_is_no_error() {
    let (mut world, first) = world();
    for (n, cluster) in [
        json!(null),
        json!([]),
        json!("x"),
        json!({"server": 7}),
        json!({"server": "ftp://x"}),
    ]
    .into_iter()
    .enumerate()
    {
        world.at(61 * (i64::try_from(n).unwrap() + 1));
        let info = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
            "spec": { "interactive": false, "cluster": cluster },
        });
        world.set("KUBERNETES_EXEC_INFO", info.to_string());
        assert_eq!(certificate(&world), first);
    }
}

#[test]
fn refused_by_the_cluster_and_by_the_cloud_is_told_as_such() {
    let (world, _) = world();
    world.sim.revoke("prod", "alice");
    let key = world.sim.access_key("alice");
    world.sim.remove_access_key(&key.id);
    world.get_credential(&[]).fails(Exit::Identity, "CCE answered 401");
}

#[test]
fn a_damaged_file_of_callers_costs_nothing() {
    let (world, first) = world();
    for damage in [Vec::new(), vec![0], vec![0xff; 100_000]] {
        world.write("run/cce-login/callers", damage);
        assert_eq!(certificate(&world), first);
    }
    assert_eq!(world.certificate_requests(), 1);
}
