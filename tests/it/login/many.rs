//! Many clusters in one login: one certificate, one write, and one failure does not stop the rest.

use crate::support::{Outcome, World};
use cce_login::error::Exit;
use cce_sim::{ClusterSpec, Fault, ProxyKind, Sim};
use serde_json::Value;

/// `prod` and two more, one of them of a sub-project.
fn of_three() -> World {
    let world = World::new();
    world.sim.add_cluster(ClusterSpec::named("staging"));
    world.sim.add_cluster(ClusterSpec {
        project: "cn-north-4_team".to_owned(),
        ..ClusterSpec::named("teams")
    });
    world
}

fn contexts(world: &World) -> Vec<String> {
    let kubeconfig = world.kubeconfig();
    kubeconfig.names("contexts").into_iter().map(str::to_owned).collect()
}

fn cluster(world: &World, name: &str) -> Value {
    world.kubeconfig().cluster(name).clone()
}

fn login(world: &World, line: &str) -> Outcome {
    world.run(line.split_whitespace())
}

#[test]
fn all_sets_up_what_clusters_lists_with_one_certificate_and_one_write() {
    let world = of_three();
    let outcome = login(&world, "--all");
    outcome.is_done();
    world.snapshot("login/all", &outcome);
    assert_eq!(contexts(&world), ["prod", "staging", "teams"]);
    assert_eq!(world.kubeconfig().current(), Some("prod"));
    assert_eq!(world.certificate_requests(), 1);
    assert!(cluster(&world, "prod.cn-north-4")["certificate-authority-data"].is_string());
    for name in ["staging.cn-north-4", "teams.cn-north-4_team"] {
        let entry = cluster(&world, name);
        assert!(entry.get("certificate-authority-data").is_none(), "{entry}");
        assert!(entry.get("insecure-skip-tls-verify").is_none(), "{entry}");
    }
    assert_eq!(
        cluster(&world, "staging.cn-north-4")["server"],
        world.sim.cluster("staging").external_url.unwrap()
    );
    assert!(
        !world.has(".kube/config.cce-login-backup"),
        "a new file is written once"
    );

    let text = world.kubeconfig_text();
    let again = login(&world, "--all");
    world.snapshot("login/all-again", again.is_done());
    assert_eq!(world.kubeconfig_text(), text);
    assert_eq!(world.certificate_requests(), 1);
}

#[test]
fn refresh_completes_the_entries_and_the_next_login_leaves_them_so() {
    let world = of_three();
    login(&world, "--all").is_done();
    world.run(["refresh", "--all"]).is_done();
    for name in ["prod.cn-north-4", "staging.cn-north-4", "teams.cn-north-4_team"] {
        let entry = cluster(&world, name);
        assert!(entry["certificate-authority-data"].is_string(), "{entry}");
        assert!(entry["tls-server-name"].is_string(), "{entry}");
    }
    let (text, requests) = (world.kubeconfig_text(), world.certificate_requests());
    let again = login(&world, "--all");
    assert!(!again.is_done().stderr.contains("wait"), "{again}");
    assert_eq!(world.kubeconfig_text(), text);
    assert_eq!(world.certificate_requests(), requests);
}

/// What kubectl says of this cluster entry.
fn exec_info(world: &World, name: &str) -> String {
    let mut entry = cluster(world, name);
    entry["config"] = Value::Null;
    let info = serde_json::json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "spec": { "interactive": false, "cluster": entry },
    });
    info.to_string()
}

#[test]
fn the_first_use_completes_the_entry_and_the_second_works() {
    let mut world = of_three();
    login(&world, "--all").is_done();
    world.set("KUBERNETES_EXEC_INFO", &exec_info(&world, "staging.cn-north-4"));
    let first = world.get_credential_of("staging", &["--identity=env"]);
    first.fails(Exit::Temporary, "context `staging` had no CA");
    world.snapshot("get-credential/first-use", &first);
    let entry = cluster(&world, "staging.cn-north-4");
    assert!(
        entry["certificate-authority-data"].is_string() && entry["tls-server-name"].is_string(),
        "{entry}"
    );
    assert!(
        cluster(&world, "teams.cn-north-4_team")
            .get("certificate-authority-data")
            .is_none()
    );

    world.set("KUBERNETES_EXEC_INFO", &exec_info(&world, "staging.cn-north-4"));
    let requests = world.sim.count("*");
    world.get_credential_of("staging", &["--identity=env"]).credential();
    assert_eq!(world.sim.count("*"), requests, "from the cache");
    assert_eq!(world.certificate_requests(), 2);
}

#[test]
fn an_entry_without_a_ca_that_is_not_waiting_for_one_is_served() {
    let mut world = World::new();
    world.login(&[]).is_done();
    let text = world.kubeconfig_text();
    let without = text.lines().filter(|line| !line.contains("certificate-authority-data"));
    world.write(".kube/config", without.collect::<Vec<_>>().join("\n") + "\n");
    world.set("KUBERNETES_EXEC_INFO", &exec_info(&world, "prod.cn-north-4"));
    world.get_credential(&["--identity=env"]).credential();
}

#[test]
fn the_first_use_of_an_entry_in_an_unknown_file_says_what_completes_it() {
    let mut world = of_three();
    let file = world.path("elsewhere");
    login(&world, &format!("--all --kubeconfig {file}")).is_done();
    let text = world.read("elsewhere");
    let entry = crate::support::Written::parse(&text)
        .cluster("staging.cn-north-4")
        .clone();
    let info = serde_json::json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "spec": { "cluster": entry },
    });
    world.set("KUBERNETES_EXEC_INFO", &info.to_string());
    let first = world.get_credential_of("staging", &["--identity=env"]);
    first.fails(Exit::Failed, "has no CA yet");
    world.snapshot("get-credential/first-use-elsewhere", &first);
    world.unset("KUBERNETES_EXEC_INFO");
    world.run(["refresh", "--all", "--kubeconfig", &file]).is_done();
    assert_eq!(world.read("elsewhere").matches("certificate-authority-data").count(), 3);
}

#[test]
fn several_clusters_by_name_and_id_are_set_up_in_the_order_given() {
    let world = of_three();
    let id = world.sim.cluster("prod").uid;
    login(&world, &format!("--cluster staging --cluster {id} --cluster prod")).is_done();
    assert_eq!(contexts(&world), ["staging", "prod"]);
    assert_eq!(world.kubeconfig().current(), Some("staging"));
    login(&world, "--cluster prod --cluster staging --set-current").is_done();
    assert_eq!(world.kubeconfig().current(), Some("prod"));
}

#[test]
fn one_failure_does_not_stop_the_rest() {
    let world = of_three();
    world.sim.set_phase("prod", "Hibernation");
    let outcome = login(&world, "--all");
    assert_eq!(outcome.exit, Exit::Failed, "{outcome}");
    world.snapshot("login/all-but-one", &outcome);
    assert_eq!(contexts(&world), ["staging", "teams"]);

    let world = of_three();
    let outcome = login(&world, "--cluster prod --cluster prodd --cluster staging");
    assert_eq!(outcome.exit, Exit::Usage, "{outcome}");
    world.snapshot("login/several-one-mistyped", &outcome);
    assert_eq!(contexts(&world), ["prod", "staging"]);

    // The first one's certificate is not to be had, the next one's is.
    let world = of_three();
    world.sim.add_fault("clustercert", Fault::Malformed("{}".to_owned()), 1);
    let outcome = login(&world, "--all");
    assert_eq!(contexts(&world), ["staging", "teams"], "{outcome}");
    assert!(cluster(&world, "staging.cn-north-4")["certificate-authority-data"].is_string());
    assert!(
        outcome.stderr.contains("error: 1 of 3 could not be set up\n"),
        "{outcome}"
    );
}

#[test]
fn whoever_is_throttled_gets_the_entries_and_asks_no_more() {
    let world = of_three();
    world
        .sim
        .set_fault("clustercert", Fault::Throttle { retry_after: None });
    let outcome = login(&world, "--all");
    assert_eq!(outcome.exit, Exit::Temporary, "{outcome}");
    assert_eq!(contexts(&world), ["prod", "staging", "teams"]);
    assert!(outcome.stderr.contains("3 clusters wait"), "{outcome}");
    let asked = world.certificate_requests();
    let single = of_three();
    single
        .sim
        .set_fault("clustercert", Fault::Throttle { retry_after: None });
    single.login(&[]).fails(Exit::Temporary, "");
    assert_eq!(asked, single.certificate_requests(), "for one cluster only");
}

#[test]
fn an_entry_of_somebody_else_is_left_alone_and_the_others_are_written() {
    let world = of_three();
    world.write(
        ".kube/config",
        "apiVersion: v1\nkind: Config\nusers:\n- name: env@staging.cn-north-4\n  user:\n    token: mine\n",
    );
    let outcome = login(&world, "--all");
    assert_eq!(outcome.exit, Exit::Usage, "{outcome}");
    assert!(outcome.stderr.contains("env@staging.cn-north-4"), "{outcome}");
    assert_eq!(contexts(&world), ["prod", "teams"]);
    assert!(world.kubeconfig_text().contains("token: mine"));
}

#[test]
fn whoever_is_refused_altogether_learns_it_once_and_nothing_is_written() {
    let mut world = of_three();
    world.set("HUAWEICLOUD_SDK_SK", "wrong");
    let outcome = login(&world, "--all");
    assert_eq!(outcome.exit, Exit::Identity, "{outcome}");
    assert_eq!(outcome.stderr.matches("error:").count(), 1, "{outcome}");
    assert!(!world.has(".kube"));
}

#[test]
fn the_template_names_each_context_and_must_tell_them_apart() {
    let world = of_three();
    login(&world, "--all --context-name {region}/{project}/{cluster}/{profile}").is_done();
    assert_eq!(
        contexts(&world),
        [
            "cn-north-4/cn-north-4/prod/env",
            "cn-north-4/cn-north-4/staging/env",
            "cn-north-4/cn-north-4_team/teams/env"
        ]
    );
    let world = of_three();
    let outcome = login(&world, "--all --context-name cce-{region}");
    outcome.fails(Exit::Usage, "more than one context");
    world.snapshot("login/one-name-for-several", &outcome);
    assert_eq!(world.certificate_requests(), 0);
    assert!(!world.has(".kube"));
}

#[test]
fn clusters_of_one_name_in_two_regions_get_contexts_of_their_own() {
    let (world, proxy) = World::behind_a_proxy(ProxyKind::Http);
    world.sim.add_project("cn-south-1");
    world.sim.add_cluster(ClusterSpec {
        project: "cn-south-1".to_owned(),
        ..ClusterSpec::default()
    });
    login(&world, "--region cn-north-4 --region cn-south-1 --cluster prod").is_done();
    assert_eq!(contexts(&world), ["prod", "env@prod.cn-south-1"]);
    let args = world.kubeconfig().exec("env@prod.cn-south-1")["args"].clone();
    assert!(args.to_string().contains("--region=cn-south-1"), "{args}");

    proxy.cut_off("cce.cn-south-1");
    let file = world.path("other");
    let outcome = login(&world, &format!("--all --kubeconfig {file}"));
    assert_eq!(outcome.exit, Exit::Temporary, "{outcome}");
    assert!(world.read("other").contains("prod.cn-north-4"));
    assert!(
        outcome
            .stderr
            .contains("failed to list the clusters of project `cn-south-1`"),
        "{outcome}"
    );
}

#[test]
fn what_is_printed_or_shown_is_what_would_be_written() {
    let world = of_three();
    let printed = login(&world, "--all --print");
    let diff = login(&world, "--all --dry-run");
    assert!(!world.has(".kube"));
    assert!(printed.is_done().stderr.contains("2 clusters wait"), "{printed}");
    assert!(
        diff.is_done().stdout.contains("+- name: teams.cn-north-4_team\n"),
        "{diff}"
    );
    login(&world, "--all").is_done();
    assert_eq!(crate::support::Written::parse(&printed.stdout), world.kubeconfig());
}

#[test]
fn a_server_of_ones_own_goes_with_one_cluster() {
    let world = of_three();
    let outcome = login(&world, "--cluster prod --cluster staging --server https://127.0.0.1:1");
    outcome.fails(Exit::Usage, "`--server` is one cluster's");
    world.snapshot("login/one-server-for-several", &outcome);
}

#[test]
fn the_kind_of_endpoint_that_answers_for_the_first_is_taken_for_the_others() {
    let world = World::with(Sim::start_empty());
    for name in ["one", "two"] {
        world.sim.add_cluster(ClusterSpec {
            internal_reachable: true,
            ..ClusterSpec::named(name)
        });
    }
    login(&world, "--all").is_done();
    assert_eq!(
        cluster(&world, "two.cn-north-4")["server"],
        world.sim.cluster("two").internal_url
    );
    // Said aloud, it counts for entries that are there already.
    login(&world, "--all --access external").is_done();
    for name in ["one", "two"] {
        let external = world.sim.cluster(name).external_url.unwrap();
        assert_eq!(cluster(&world, &format!("{name}.cn-north-4"))["server"], external);
    }
}

#[test]
fn a_thousand_clusters_are_set_up_in_one_run_and_the_second_changes_nothing() {
    let world = World::new();
    for number in 1..1000 {
        world.sim.add_cluster(ClusterSpec {
            eip: false,
            ..ClusterSpec::named(&format!("team-{number:04}"))
        });
    }
    let outcome = login(&world, "--all");
    outcome.is_done();
    assert_eq!(contexts(&world).len(), 1000);
    assert_eq!(world.certificate_requests(), 1);
    assert!(world.sim.count("*") < 10, "{}", world.sim.count("*"));
    let text = world.kubeconfig_text();
    login(&world, "--all").is_done();
    assert_eq!(world.kubeconfig_text(), text);
}
