//! `refresh`: a new certificate now, and cluster entries that follow the cluster.

use crate::support::World;
use cce_login::error::Exit;
use cce_sim::{ClusterSpec, Fault};

/// A world with a login to `prod`.
fn logged_in() -> World {
    let world = World::new();
    world.login(&[]).is_done();
    world
}

fn certificate(world: &World) -> String {
    world.get_credential(&["--identity=env"]).credential().certificate
}

#[test]
fn a_certificate_is_replaced_now_and_the_entries_stay_as_they_are() {
    let world = logged_in();
    let (text, first) = (world.kubeconfig_text(), certificate(&world));
    let refreshed = world.run(["refresh"]);
    refreshed.is_done();
    world.snapshot("refresh/refresh", &refreshed);
    assert_eq!(world.certificate_requests(), 2);
    assert_ne!(certificate(&world), first);
    assert_eq!(world.certificate_requests(), 2);
    assert_eq!(world.kubeconfig_text(), text);
}

#[test]
fn after_a_rotation_the_authorities_follow_and_nothing_else() {
    let world = logged_in();
    let text = world.kubeconfig_text();
    let edited = text.replace("    user: env@prod", "    namespace: shop # mine\n    user: env@prod");
    world.write(
        ".kube/config",
        edited.replace("installHint: ", "env: [{name: A, value: b}]\n      installHint: "),
    );
    let before = world.kubeconfig();
    world.sim.rotate("prod");
    let refreshed = world.run(["refresh"]);
    refreshed.is_done();
    assert!(refreshed.stderr.contains("brought up to date"), "{refreshed}");
    let after = world.kubeconfig();
    assert_ne!(after.cluster("prod.cn-north-4"), before.cluster("prod.cn-north-4"));
    assert_eq!(after.exec("env@prod.cn-north-4"), before.exec("env@prod.cn-north-4"));
    assert!(world.kubeconfig_text().contains("namespace: shop # mine"));
    // The new authorities are the cluster's own: it verifies.
    world.login(&[]).is_done();
    assert_eq!(
        world.kubeconfig().cluster("prod.cn-north-4"),
        after.cluster("prod.cn-north-4")
    );
}

#[test]
fn a_server_that_is_gone_is_replaced_by_one_that_answers() {
    let world = World::with(cce_sim::Sim::start_empty());
    world.sim.add_cluster(ClusterSpec {
        internal_reachable: true,
        ..ClusterSpec::default()
    });
    world.login(&["--access=external"]).is_done();
    let internal = world.sim.cluster("prod").internal_url;
    let text = world.kubeconfig_text();
    let external = world.sim.cluster("prod").external_url.unwrap();
    world.write(".kube/config", text.replace(&external, "https://127.0.0.1:9"));
    let refreshed = world.run(["refresh"]);
    refreshed.is_done();
    world.snapshot("refresh/another-server", &refreshed);
    assert!(world.kubeconfig_text().contains(&internal));
}

#[test]
fn a_server_that_does_not_answer_from_here_stays() {
    let world = logged_in();
    let text = world.kubeconfig_text();
    world.sim.set_api_server_open("prod", false);
    let refreshed = world.run(["refresh"]);
    refreshed.is_done();
    world.snapshot("refresh/no-server-answers", &refreshed);
    assert_eq!(world.kubeconfig_text(), text);
}

#[test]
fn all_contexts_are_refreshed_at_the_clouds_pace_and_one_failure_does_not_stop_the_rest() {
    let world = logged_in();
    for name in ["staging", "lab"] {
        world.sim.add_cluster(ClusterSpec::named(name));
        world.run(["--cluster", name]).is_done();
    }
    let gone = world.sim.cluster("staging").uid;
    world.sim.delete_cluster("staging");
    world.sim.clear_requests();
    let throttle = Fault::Throttle {
        retry_after: Some("2.2".to_owned()),
    };
    world.sim.add_fault("clustercert", throttle, 1);
    let mut refreshed = world.run(["refresh", "--all"]);
    refreshed.fails(Exit::Failed, "1 of 3 contexts failed");
    refreshed.stderr = refreshed.stderr.replace(&gone, "[ID OF staging]");
    world.snapshot("refresh/all", &refreshed);
    let statuses: Vec<u16> = world
        .sim
        .requests()
        .iter()
        .filter(|request| request.operation == "clustercert")
        .map(|request| request.status)
        .collect();
    assert_eq!(statuses, [429, 200, 404, 200]);
}

#[test]
fn two_contexts_of_one_cluster_cost_one_certificate() {
    let world = logged_in();
    let text = world.kubeconfig_text();
    let second = "- name: prod-shop\n  context:\n    cluster: prod.cn-north-4\n    user: env@prod.cn-north-4\n";
    world.write(
        ".kube/config",
        text.replace("contexts:\n", &format!("contexts:\n{second}")),
    );
    world.sim.clear_requests();
    world.run(["refresh", "--all"]).is_done();
    let fetched = world.certificate_requests();
    assert!(fetched <= 2, "{fetched}");
}

#[test]
fn two_contexts_that_share_a_cluster_entry_follow_a_rotation() {
    let mut world = logged_in();
    world.keep_profile("work", "bob");
    world.login(&["--profile", "work"]).is_done();
    world.use_key_of("alice");
    world.sim.rotate("prod");
    world.run(["refresh", "--all"]).is_done();
    world.login(&[]).is_done();
}

#[test]
fn what_cannot_be_refreshed_is_told() {
    let world = logged_in();
    let kubeconfig = "apiVersion: v1\nkind: Config\ncontexts:\n- name: foreign\n  context: {cluster: c, user: u}\n\
                      clusters:\n- name: c\n  cluster: {server: 'https://127.0.0.1:9'}\nusers:\n- name: u\n  user: {token: t}\n";
    let foreign = world.write("foreign", kubeconfig);
    let none = world.path("none");
    let odd = world.write("odd", world.kubeconfig_text().replace("--cluster-id=", "--clusterid="));
    for (name, args) in [
        ("unknown-context", vec!["--context", "nope"]),
        (
            "foreign-context",
            vec!["--context", "foreign", "--kubeconfig", &foreign],
        ),
        ("no-current-context", vec!["--kubeconfig", &none]),
        ("nothing-is-ours", vec!["--all", "--kubeconfig", &foreign]),
        ("odd-arguments", vec!["--kubeconfig", &odd]),
        ("context-and-all", vec!["--all", "--context", "prod"]),
    ] {
        let outcome = world.run([vec!["refresh"], args].concat());
        assert_ne!(outcome.exit, Exit::Done, "{outcome}");
        world.snapshot(&format!("refresh/{name}"), &outcome);
    }
    assert_eq!(world.certificate_requests(), 1);
}

#[test]
fn the_kubeconfig_of_the_flag_is_the_one_that_is_refreshed() {
    let world = World::new();
    let file = world.path("other");
    world.login(&["--kubeconfig", &file]).is_done();
    world.sim.rotate("prod");
    let before = world.read("other");
    world.run(["refresh", "--kubeconfig", &file]).is_done();
    assert_ne!(world.read("other"), before);
    assert!(!world.has(".kube/config"));
}

#[test]
fn a_refresh_clears_what_a_failure_left_behind() {
    let mut world = logged_in();
    world.sim.set_behaviour(|b| b.cloud_down = true);
    let failed = world.run(["refresh"]);
    failed.fails(Exit::Temporary, "context `prod`");
    world.snapshot("refresh/cloud-is-down", &failed);
    world.sim.set_behaviour(|b| b.cloud_down = false);
    world.run(["refresh"]).is_done();
    world.use_no_key();
    world.run(["refresh"]).fails(Exit::Identity, "context `prod`");
}

#[test]
fn an_identity_that_is_refused_is_not_tried_for_every_context() {
    let mut world = logged_in();
    for name in ["staging", "lab"] {
        world.sim.add_cluster(ClusterSpec::named(name));
        world.run(["--cluster", name]).is_done();
    }
    world.set("HUAWEICLOUD_SDK_SK", "wrong");
    world.sim.clear_requests();
    let refused = world.run(["refresh", "--all"]);
    refused.fails(Exit::Identity, "3 of 3 contexts failed");
    assert_eq!(
        refused.stderr.matches("not tried: the cloud has just refused").count(),
        2,
        "{refused}"
    );
    assert!(world.sim.count("*") <= 2, "{}", world.sim.count("*"));
}

#[test]
fn throttling_is_told_once_for_all() {
    let world = logged_in();
    for name in ["staging", "lab"] {
        world.sim.add_cluster(ClusterSpec::named(name));
        world.run(["--cluster", name]).is_done();
    }
    // Longer than a single call waits by itself.
    let throttle = Fault::Throttle {
        retry_after: Some("2.2".to_owned()),
    };
    world.sim.add_fault("clustercert", throttle, 2);
    let refreshed = world.run(["refresh", "--all"]);
    assert_eq!(
        refreshed.is_done().stderr.matches("throttles").count(),
        1,
        "{refreshed}"
    );
}
