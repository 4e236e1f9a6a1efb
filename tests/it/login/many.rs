//! Many clusters in one login: one write, and one failure does not stop the rest. Up to eight get their certificates at once.

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

/// The clusters of [`of_three`], and eight more: more than get their certificates at once.
fn of_eleven() -> World {
    let world = of_three();
    for number in 1..=8 {
        world.sim.add_cluster(ClusterSpec::named(&format!("lab-{number}")));
    }
    world
}

/// How many cluster entries have their authorities.
fn entries_with_ca(world: &World) -> usize {
    let text = world.kubeconfig_text();
    text.matches("certificate-authority-data: ").count() - text.matches(&nobody()).count()
}

/// What stands for authorities that are not known yet.
fn nobody() -> String {
    base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        cce_login::certificate::NOBODY,
    )
}

/// Whether an entry waits for its authorities: until then it trusts nobody, and not those of the system either.
fn waits(entry: &Value) -> bool {
    entry["certificate-authority-data"] == nobody().as_str() && entry.get("insecure-skip-tls-verify").is_none()
}

#[test]
fn up_to_eight_clusters_get_their_certificates_in_one_login_with_one_write() {
    let world = of_three();
    let outcome = login(&world, "--all");
    outcome.is_done();
    world.snapshot("login/all", &outcome);
    assert_eq!(contexts(&world), ["prod", "staging", "teams"]);
    assert_eq!(world.kubeconfig().current(), Some("prod"));
    assert_eq!(world.certificate_requests(), 3);
    for name in ["prod.cn-north-4", "staging.cn-north-4", "teams.cn-north-4_team"] {
        let entry = cluster(&world, name);
        assert!(entry["certificate-authority-data"].is_string(), "{entry}");
        assert!(entry["tls-server-name"].is_string(), "{entry}");
    }
    assert_eq!(
        cluster(&world, "staging.cn-north-4")["server"],
        world.sim.cluster("staging").external_url.unwrap()
    );
    assert!(
        !world.has(".kube/config.cce-login-backup"),
        "a new file is written once"
    );
    assert_eq!(world.left_behind(), 0);

    let text = world.kubeconfig_text();
    let again = login(&world, "--all");
    world.snapshot("login/all-again", again.is_done());
    assert_eq!(world.kubeconfig_text(), text);
    assert_eq!(world.certificate_requests(), 3);
}

#[test]
fn of_more_clusters_the_rest_follows_in_the_background_and_no_certificate_is_taken_twice() {
    let mut world = of_eleven();
    let outcome = login(&world, "--all");
    outcome.is_done();
    world.snapshot("login/all-of-eleven", &outcome);
    assert_eq!((world.certificate_requests(), entries_with_ca(&world)), (8, 8));
    for name in ["staging.cn-north-4", "teams.cn-north-4_team"] {
        let entry = cluster(&world, name);
        assert!(waits(&entry), "{entry}");
    }
    let status = world.run(["status"]);
    assert_eq!(
        status.is_done().stdout.matches("not fetched yet").count(),
        3,
        "{status}"
    );

    // A context that is used meanwhile goes first.
    world.set("KUBERNETES_EXEC_INFO", exec_info(&world, "staging.cn-north-4"));
    world
        .get_credential_of("staging", &["--identity=env"])
        .fails(Exit::Temporary, "context `staging` had no CA");
    world.unset("KUBERNETES_EXEC_INFO");
    assert_eq!((world.certificate_requests(), entries_with_ca(&world)), (9, 9));

    assert_eq!(world.left_behind(), 1);
    for behind in world.run_left_behind() {
        assert_eq!(behind.is_done().stderr, "", "{behind}");
    }
    assert_eq!((world.certificate_requests(), entries_with_ca(&world)), (11, 11));
    assert_eq!(
        world
            .run(["status"])
            .is_done()
            .stdout
            .matches("not fetched yet")
            .count(),
        0
    );

    let text = world.kubeconfig_text();
    // Issue 13.15: in whichever of the three ways an entry came about.
    assert_eq!(text.matches("tls-server-name: kubernetes\n").count(), 11, "{text}");
    let again = login(&world, "--all");
    assert!(again.is_done().stderr.contains("contexts were up to date"), "{again}");
    assert_eq!(world.kubeconfig_text(), text);
    assert_eq!((world.certificate_requests(), world.left_behind()), (11, 0));
}

#[test]
fn whoever_waits_gets_every_certificate_and_a_person_is_asked() {
    let world = of_eleven();
    let outcome = login(&world, "--all --wait");
    assert!(!outcome.is_done().stderr.contains("background"), "{outcome}");
    assert_eq!((entries_with_ca(&world), world.left_behind()), (11, 0));

    for (typed, behind, with_ca) in [("n\n", 0, 11), ("\n", 1, 8), ("y\n", 1, 8)] {
        let mut world = of_eleven();
        world.terminal(true, true, true);
        world.type_in(typed);
        let outcome = login(&world, "--all");
        let question = "3 to go, less than a minute: in the background? (Y/n)";
        assert!(outcome.is_done().stderr.contains(question), "{outcome}");
        assert_eq!(
            (world.left_behind(), entries_with_ca(&world)),
            (behind, with_ca),
            "{typed:?}"
        );
    }

    // Nothing can follow what is printed: whoever waits gets all of it.
    let world = of_eleven();
    let printed = login(&world, "--all --print");
    assert!(
        printed
            .is_done()
            .stderr
            .contains("3 clusters have no certificate and CA yet"),
        "{printed}"
    );
    let printed = login(&world, "--all --print --wait");
    assert_eq!(
        printed.is_done().stdout.matches("certificate-authority-data: ").count(),
        11
    );
    assert_eq!(world.left_behind(), 0);
}

#[test]
fn what_a_killed_process_has_left_is_taken_by_refresh_missing_or_the_next_login() {
    let world = of_eleven();
    login(&world, "--all").is_done();
    world.kill_left_behind();
    login(&world, "--all").is_done();
    assert_eq!(world.left_behind(), 1, "the next login starts it anew");
    world.kill_left_behind();

    let missing = world.run(["refresh", "--missing"]);
    missing.is_done();
    world.snapshot("refresh/missing", &missing);
    assert_eq!((world.certificate_requests(), entries_with_ca(&world)), (11, 11));
    let nothing = world.run(["refresh", "--missing"]);
    assert_eq!(nothing.is_done().stderr, "every context has its certificate\n");
    assert_eq!(world.certificate_requests(), 11);
    let (text, requests) = (world.kubeconfig_text(), world.certificate_requests());
    login(&world, "--all").is_done();
    assert_eq!(
        (world.kubeconfig_text(), world.certificate_requests()),
        (text, requests)
    );
}

#[test]
fn whoever_logs_out_or_removes_a_context_meanwhile_has_the_last_word() {
    let world = of_eleven();
    login(&world, "--all").is_done();
    world
        .run(["logout", "--context", "prod", "--remove-contexts"])
        .is_done();
    for behind in world.run_left_behind() {
        behind.is_done();
    }
    assert_eq!(contexts(&world).len(), 10);
    assert_eq!(world.certificate_requests(), 10, "none for the context that is gone");
}

#[test]
fn a_process_in_the_background_asks_once_where_its_identity_is_refused() {
    let mut world = of_eleven();
    login(&world, "--all").is_done();
    world.set("HUAWEICLOUD_SDK_SK", "wrong");
    world.sim.clear_requests();
    for behind in world.run_left_behind() {
        behind.is_done();
    }
    assert!(world.sim.count("*") <= 2, "{}", world.sim.count("*"));
    assert_eq!(entries_with_ca(&world), 8);
}

#[test]
fn where_no_process_can_be_left_behind_the_command_is_named() {
    let mut world = of_eleven();
    world.parent(1, 1);
    let outcome = login(&world, "--all");
    assert!(
        outcome
            .is_done()
            .stderr
            .contains("`kubectl cce-login refresh --missing`"),
        "{outcome}"
    );
    assert_eq!(world.left_behind(), 0);
}

#[test]
fn the_first_cluster_that_answers_becomes_the_current_one() {
    let world = of_three();
    world.sim.set_api_server_open("prod", false);
    let outcome = login(&world, "--all");
    world.snapshot("login/all-but-one-answers", outcome.is_done());
    assert_eq!(world.kubeconfig().current(), Some("staging"));
    let printed = login(&world, "--all --print --no-check");
    assert!(
        printed.is_done().stdout.contains("current-context: staging\n"),
        "{printed}"
    );
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
fn a_first_use_completes_the_entry_and_a_client_that_has_read_the_old_one_is_told_so_each_time() {
    let mut world = of_eleven();
    login(&world, "--all").is_done();
    let old = exec_info(&world, "staging.cn-north-4");
    world.set("KUBERNETES_EXEC_INFO", &old);
    let first = world.get_credential_of("staging", &["--identity=env"]);
    first.fails(Exit::Temporary, "context `staging` had no CA");
    world.snapshot("get-credential/first-use", &first);
    let entry = cluster(&world, "staging.cn-north-4");
    assert!(
        entry["certificate-authority-data"].is_string() && entry["tls-server-name"].is_string(),
        "{entry}"
    );
    assert!(waits(&cluster(&world, "teams.cn-north-4_team")));
    // client-go runs the plugin several times: it would say `x509` in the end if it got the certificate.
    let second = world.get_credential_of("staging", &["--identity=env"]);
    second.fails(Exit::Temporary, "context `staging` had no CA");

    world.set("KUBERNETES_EXEC_INFO", exec_info(&world, "staging.cn-north-4"));
    let requests = world.sim.count("*");
    world.get_credential_of("staging", &["--identity=env"]).credential();
    assert_eq!(world.sim.count("*"), requests, "from the cache");
    assert_eq!(world.certificate_requests(), 9);
}

#[test]
fn a_client_that_says_nothing_of_its_entry_completes_it_too() {
    let world = of_eleven();
    login(&world, "--all").is_done();
    world.get_credential_of("staging", &["--identity=env"]).credential();
    assert!(cluster(&world, "staging.cn-north-4")["certificate-authority-data"].is_string());
    // Another one's kubeconfig, or none, is no error.
    world.write(".kube/config", "just a text\n");
    world.get_credential_of("teams", &["--identity=env"]).credential();
}

#[test]
fn an_entry_without_a_ca_that_is_not_waiting_for_one_is_served() {
    let mut world = World::new();
    world.login(&[]).is_done();
    let text = world.kubeconfig_text();
    let without = text.lines().filter(|line| !line.contains("certificate-authority-data"));
    world.write(".kube/config", without.collect::<Vec<_>>().join("\n") + "\n");
    world.set("KUBERNETES_EXEC_INFO", exec_info(&world, "prod.cn-north-4"));
    world.get_credential(&["--identity=env"]).credential();
}

#[test]
fn the_first_use_of_an_entry_in_an_unknown_file_says_what_completes_it() {
    let mut world = of_eleven();
    let file = world.path("elsewhere");
    login(&world, &format!("--all --kubeconfig {file}")).is_done();
    let text = world.read("elsewhere");
    let entry = crate::support::Written::parse(&text)
        .cluster("staging.cn-north-4")
        .clone();
    let info = serde_json::json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "spec": { "cluster": entry },
    });
    world.set("KUBERNETES_EXEC_INFO", info.to_string());
    let first = world.get_credential_of("staging", &["--identity=env"]);
    first.fails(Exit::Failed, "has no CA yet");
    world.snapshot("get-credential/first-use-elsewhere", &first);
    world.unset("KUBERNETES_EXEC_INFO");
    // The process in the background knows the file.
    for behind in world.run_left_behind() {
        behind.is_done();
    }
    assert_eq!(
        world.read("elsewhere").matches("certificate-authority-data").count(),
        11
    );
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
    assert!(
        outcome.stderr.contains("3 more certificates follow in the background"),
        "{outcome}"
    );
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
    assert_eq!(printed.is_done().stderr, "", "{printed}");
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
    assert_eq!(world.certificate_requests(), 8);
    assert!(world.sim.count("*") < 20, "{}", world.sim.count("*"));
    let text = world.kubeconfig_text();
    login(&world, "--all").is_done();
    assert_eq!(world.kubeconfig_text(), text);
}

/// Issue 12, E22: without authorities kubectl would believe those of the system.
#[test]
fn an_answer_without_authorities_leaves_no_entry_that_trusts_the_systems() {
    let world = World::new();
    world.sim.set_behaviour(|b| b.no_authorities = true);
    for flags in [&[][..], &["--no-check"], &["--print"], &["--access=internal"]] {
        let outcome = world.login(flags);
        outcome.fails(Exit::Failed, "names no certificate authority of the cluster");
        assert!(!world.has(".kube/config"), "{outcome}");
    }
    world.snapshot("login/no-authorities", &world.login(&[]));

    // Those that come later: the entry waits for its authorities, which do not come.
    let mut world = of_eleven();
    login(&world, "--all").is_done();
    world.sim.set_behaviour(|b| b.no_authorities = true);
    let waiting = world.kubeconfig_text();
    assert_eq!(waiting.matches(&nobody()).count(), 3, "{waiting}");
    let refresh = world.run(["refresh", "--missing"]);
    refresh.fails(Exit::Failed, "names no certificate authority of the cluster");
    world.run_left_behind();
    assert_eq!(world.kubeconfig_text(), waiting);
    world.set("KUBERNETES_EXEC_INFO", exec_info(&world, "staging.cn-north-4"));
    let first_use = world.get_credential_of("staging", &["--identity=env"]);
    first_use.fails(Exit::Failed, "names no certificate authority of the cluster");
    assert_eq!(world.kubeconfig_text(), waiting);

    // What verifies already stays as it is.
    let known = world.run(["refresh", "--context", "lab-1"]);
    assert_eq!(known.exit, Exit::Done, "{known}");
    assert_eq!(world.kubeconfig_text(), waiting);

    world.sim.set_behaviour(|b| b.no_authorities = false);
    world.run(["refresh", "--missing"]).is_done();
    assert_eq!(world.kubeconfig_text().matches(&nobody()).count(), 0);
}

/// The same where everything is printed.
#[test]
fn what_is_printed_of_clusters_that_come_later_trusts_nobody() {
    let world = of_eleven();
    let printed = login(&world, "--all --print");
    let entries = printed.is_done().stdout.matches("certificate-authority-data: ").count();
    assert_eq!(
        (entries, printed.stdout.matches(&nobody()).count()),
        (11, 3),
        "{printed}"
    );
}
