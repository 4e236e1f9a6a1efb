//! `clusters`: everything that an identity can reach, over regions and projects, side by side.

use crate::support::{Outcome, World, in_repository};
use cce_login::error::Exit;
use cce_sim::{ClusterSpec, EndpointsShape, Fault, ProxyKind, Sim};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn of_many_kinds() -> World {
    let world = World::new();
    world.sim.add_cluster(ClusterSpec {
        autopilot: true,
        ..ClusterSpec::named("pilot")
    });
    world.sim.add_cluster(ClusterSpec {
        project: "cn-north-4_team".to_owned(),
        endpoints: EndpointsShape::OtcObject,
        eip: false,
        ..ClusterSpec::named("teams")
    });
    world.sim.set_phase("teams", "Hibernation");
    world
}

fn rows(outcome: &Outcome) -> Vec<Value> {
    let rows: Value = serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome}"));
    rows.as_array().unwrap().clone()
}

/// These fields of the rows, joined.
fn fields(outcome: &Outcome, names: &[&str]) -> Vec<String> {
    let text = |row: &Value, name: &&str| row[*name].as_str().unwrap_or("-").to_owned();
    let line = |row: Value| names.iter().map(|name| text(&row, name)).collect::<Vec<_>>().join(" ");
    rows(outcome).into_iter().map(line).collect()
}

#[test]
fn clusters_of_every_project_and_kind_are_listed_in_every_form() {
    let world = of_many_kinds();
    for (name, flags) in [
        ("table", &[][..]),
        ("json", &["-o", "json"]),
        ("yaml", &["-o", "yaml"]),
        ("names", &["-o", "name"]),
    ] {
        let outcome = world.run(["clusters"].iter().chain(flags));
        assert_eq!(outcome.is_done().stderr, "");
        world.snapshot(&format!("clusters/{name}"), &outcome);
    }
    let json: Value = serde_json::from_str(&world.run(["clusters", "-o", "json"]).stdout).unwrap();
    let yaml: Value = serde_saphyr::from_str(&world.run(["clusters", "-o", "yaml"]).stdout).unwrap();
    assert_eq!(json, yaml);
}

/// Issue 13.18.
#[test]
fn the_tables_fit_a_terminal_and_names_are_in_the_order_in_which_people_count() {
    let world = World::new();
    for name in ["c10", "c2", "production-payments-frankfurt-01"] {
        world.sim.add_cluster(ClusterSpec {
            project: "cn-north-4_team".to_owned(),
            ..ClusterSpec::named(name)
        });
    }
    let is_narrow = |text: &str| text.lines().all(|line| line.chars().count() <= 80);
    let listed = world.run(["clusters"]);
    assert!(is_narrow(&listed.is_done().stdout), "{listed}");
    let order: Vec<&str> = listed
        .stdout
        .lines()
        .skip(1)
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(order, ["prod", "c2", "c10", "production-payments-frankfurt-01"]);
    world.snapshot("clusters/wide", &world.run(["clusters", "-o", "wide"]));

    world.run(["login", "--all"]).is_done();
    let status = world.run(["status"]);
    assert!(is_narrow(&status.is_done().stdout), "{status}");
    assert!(
        status
            .stdout
            .contains(&format!("alice ({}…)", &world.sim.user_id("alice")[..5])),
        "{status}"
    );
    assert_eq!(
        world.run(["status", "-o", "name"]).stdout,
        "c2\nc10\nprod\nproduction-payments-frankfurt-01\n"
    );
}

/// Issue 13.18: what `-o name` prints is what `--cluster` takes, wherever the profile's own login would look.
#[test]
fn each_name_that_is_printed_means_one_cluster() {
    let mut world = World::new();
    world.unset("CCE_LOGIN_REGION");
    world.sim.add_cluster(ClusterSpec {
        project: "cn-north-4_team".to_owned(),
        ..ClusterSpec::named("prod")
    });
    world.sim.add_cluster(ClusterSpec {
        project: "cn-north-4_team".to_owned(),
        ..ClusterSpec::named("lab")
    });
    let printed = |world: &World, flags: &[&str]| -> Vec<String> {
        let outcome = world.run(["clusters", "-o", "name"].iter().chain(flags));
        outcome.is_done().stdout.lines().map(str::to_owned).collect()
    };
    let each_is_taken = |world: &World, flags: &[&str]| {
        for name in printed(world, flags) {
            let mut line = vec!["login", "--print", "--cluster", &name];
            line.extend(flags);
            let (cluster, project) = name.split_once('.').unwrap_or((&name, "cn-north-4"));
            let project = if name == "lab" { "cn-north-4_team" } else { project };
            let outcome = world.run(&line);
            assert!(
                outcome
                    .is_done()
                    .stdout
                    .contains(&format!("name: {cluster}.{project}\n")),
                "{name}: {outcome}"
            );
            let outcome = world.run(["revoke", "--yes", "--cluster", &name].iter().chain(flags));
            outcome.is_done();
        }
    };
    assert_eq!(printed(&world, &[]), ["prod.cn-north-4", "lab", "prod.cn-north-4_team"]);
    each_is_taken(&world, &[]);

    // A login of this profile looks in the main project of its region.
    let key = world.sim.access_key("alice");
    world.pipe_in(&key.secret);
    world
        .run([
            "profile",
            "set",
            "default",
            "--access-key-id",
            &key.id,
            "--region=cn-north-4",
            "--secret-stdin",
        ])
        .is_done();
    let as_profile = &["--profile=default"];
    assert_eq!(
        printed(&world, as_profile),
        ["prod.cn-north-4", "lab.cn-north-4_team", "prod.cn-north-4_team"]
    );
    each_is_taken(&world, as_profile);
}

#[test]
fn a_form_that_there_is_not_is_a_usage_error() {
    let world = World::new();
    let outcome = world.run(["clusters", "-o", "xml"]);
    outcome.fails(Exit::Usage, "is not one of table, wide, json, yaml or name");
    world.snapshot("clusters/unknown-form", &outcome);
    assert_eq!(world.sim.count("*"), 0);
}

#[test]
fn regions_are_found_and_one_that_cannot_be_reached_is_a_row() {
    let (world, proxy) = World::behind_a_proxy(ProxyKind::Http);
    world.sim.add_project("cn-south-1");
    for name in ["MOS", "mos"] {
        world.sim.add_project(name); // an account has projects that are no region's
    }
    world.sim.add_cluster(ClusterSpec {
        project: "cn-south-1".to_owned(),
        ..ClusterSpec::named("south")
    });
    let outcome = world.run(["clusters", "-o", "json"]);
    outcome.is_done();
    assert_eq!(
        fields(&outcome, &["region", "name"]),
        ["cn-north-4 prod", "cn-south-1 south"]
    );
    let mut targets = proxy.targets();
    targets.sort();
    targets.dedup();
    let hosts = ["cce.cn-north-4", "cce.cn-south-1", "iam"].map(|host| format!("{host}.myhuaweicloud.com:443"));
    assert_eq!(targets, hosts);

    proxy.cut_off("cce.cn-south-1");
    let outcome = world.run(["clusters", "-o", "json"]);
    outcome.is_done();
    assert_eq!(
        fields(&outcome, &["region", "project", "name"]),
        ["cn-north-4 cn-north-4 prod", "cn-south-1 cn-south-1 -"]
    );
    let error = rows(&outcome)[1]["error"].as_str().unwrap().to_owned();
    assert!(
        error.contains("cannot connect to `cce.cn-south-1.myhuaweicloud.com`"),
        "{error}"
    );
    let outcome = world.run(["clusters"]);
    assert!(outcome.is_done().stderr.contains(&error), "{outcome}");
    let outcome = world.run(["clusters", "-o", "name"]);
    assert_eq!(outcome.is_done().stdout, "prod\n");
    assert!(
        outcome
            .stderr
            .starts_with("warning: cn-south-1: cannot connect to `cce."),
        "{outcome}"
    );

    proxy.cut_off("cce.");
    let outcome = world.run(["clusters", "-o", "json"]);
    assert_eq!(outcome.exit, Exit::Temporary, "{outcome}");
    assert_eq!(
        fields(&outcome, &["region", "name"]),
        ["cn-north-4 -", "cn-north-4 -", "cn-south-1 -"]
    );
    assert!(
        outcome
            .stderr
            .contains("failed to list the clusters of project `cn-north-4`"),
        "{outcome}"
    );

    proxy.cut_off("iam.");
    let outcome = world.run(["clusters", "-o", "json"]);
    assert_eq!(outcome.exit, Exit::Temporary, "{outcome}");
    assert_eq!(fields(&outcome, &["region", "name"]), ["- -"]);
    assert!(
        outcome
            .stderr
            .contains("failed to find the projects at `https://iam.myhuaweicloud.com`"),
        "{outcome}"
    );
}

#[test]
fn every_cloud_is_looked_for_where_it_is() {
    for (flags, hosts) in [
        (&["--cloud=huawei"][..], &["iam.myhuaweicloud.com"][..]),
        (
            &["--cloud=otc"],
            &["iam.eu-de.otc.t-systems.com", "iam.eu-nl.otc.t-systems.com"],
        ),
        (
            &["--cloud=stack.example.com"],
            &["iam-apigateway-proxy.stack.example.com"],
        ),
        (
            &["--region=eu-ch2", "--region=eu-west-101"],
            &[
                "iam-pub.eu-ch2.sc.otc.t-systems.com",
                "iam.eu-west-101.myhuaweicloud.eu",
            ],
        ),
        (&["--project=eu-nl_team"], &["iam.eu-nl.otc.t-systems.com"]),
    ] {
        let (world, proxy) = World::behind_a_proxy(ProxyKind::Http);
        proxy.cut_off("cce.");
        world.run(["clusters"].iter().chain(flags));
        let mut targets = proxy.targets();
        targets.retain(|target| target.starts_with("iam"));
        targets.sort();
        targets.dedup();
        let hosts: Vec<_> = hosts.iter().map(|host| format!("{host}:443")).collect();
        assert_eq!(targets, hosts, "{flags:?}");
    }
}

#[test]
fn an_identity_that_huawei_cloud_does_not_know_may_be_another_clouds() {
    let (mut world, _proxy) = World::behind_a_proxy(ProxyKind::Http);
    world.set("HUAWEICLOUD_SDK_SK", "0123456789abcdef0123456789abcdef01234567");
    let outcome = world.run(["clusters"]);
    assert_eq!(outcome.exit, Exit::Identity, "{outcome}");
    world.snapshot("clusters/identity-refused", &outcome);
    let outcome = world.run(["clusters", "--cloud=huawei"]);
    assert!(!outcome.stderr.contains("another cloud"), "{outcome}");
}

#[test]
fn regions_and_a_project_narrow_the_search() {
    let (mut world, _proxy) = World::behind_a_proxy(ProxyKind::Http);
    let south = world.sim.add_project("cn-south-1");
    for (name, project) in [("south", "cn-south-1"), ("teams", "cn-north-4_team")] {
        world.sim.add_cluster(ClusterSpec {
            project: project.to_owned(),
            ..ClusterSpec::named(name)
        });
    }
    let list = |world: &World, flags: &[&str]| {
        let outcome = world.run(["clusters", "-o", "name"].iter().chain(flags));
        outcome.is_done();
        outcome.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(list(&world, &[]), ["prod", "teams", "south"]);
    assert_eq!(list(&world, &["--region=cn-south-1"]), ["south"]);
    // A login with these flags looks in main projects.
    assert_eq!(
        list(&world, &["--region=cn-south-1", "--region=cn-north-4"]),
        ["prod", "teams.cn-north-4_team", "south"]
    );
    // Who is named twice, or known to two IAMs, is there once.
    assert_eq!(list(&world, &["--region=cn-south-1", "--region=cn-south-1"]), ["south"]);
    assert_eq!(list(&world, &["--cloud=otc"]), ["prod", "teams", "south"]);
    assert_eq!(list(&world, &["--project=cn-north-4_team"]), ["teams"]);
    assert_eq!(list(&world, &["--project", &south]), ["south"]);
    world.set("CCE_LOGIN_REGION", "cn-north-4");
    assert_eq!(list(&world, &[]), ["prod", "teams.cn-north-4_team"]);
    assert_eq!(list(&world, &["--region=cn-south-1"]), ["south.cn-south-1"]);
    world.set("CCE_LOGIN_PROJECT", "cn-north-4_team");
    assert_eq!(list(&world, &[]), ["teams"]);
    // A profile's region is where a login begins; here everything is meant.
    world.unset("CCE_LOGIN_PROJECT");
    world.keep_profile("default", "alice");
    world.write(
        ".config/cce-login/config.toml",
        world.read(".config/cce-login/config.toml") + "region = \"cn-south-1\"\n",
    );
    world.unset("CCE_LOGIN_REGION");
    assert_eq!(list(&world, &[]), ["prod.cn-north-4", "teams.cn-north-4_team", "south"]);
}

#[test]
fn a_region_without_a_project_is_a_row_and_an_unknown_project_an_error() {
    let (world, _proxy) = World::behind_a_proxy(ProxyKind::Http);
    let outcome = world.run(["clusters", "--region=cn-north-4", "--region=cn-east-3", "-o", "json"]);
    outcome.is_done();
    assert_eq!(
        fields(&outcome, &["region", "name", "error"]),
        [
            "cn-east-3 - there is no project `cn-east-3` for this identity",
            "cn-north-4 prod -"
        ]
    );
    let outcome = world.run(["clusters", "--project=cn-north-4_nobody"]);
    outcome.fails(Exit::Usage, "there is no project `cn-north-4_nobody`");
    world.snapshot("clusters/unknown-project", &outcome);
}

#[test]
fn where_nothing_may_be_seen_the_run_fails_and_says_why() {
    let mut world = World::new();
    world.use_key_of("carol");
    let outcome = world.run(["clusters"]);
    assert_eq!(outcome.exit, Exit::Identity, "{outcome}");
    world.snapshot("clusters/not-permitted", &outcome);
}

#[test]
fn a_project_without_clusters_is_no_error() {
    let world = World::with(Sim::start_empty());
    let outcome = world.run(["clusters"]);
    outcome.is_done();
    world.snapshot("clusters/none", &outcome);
    assert_eq!(world.run(["clusters", "-o", "json"]).stdout, "[]\n");
}

#[test]
fn a_cloud_without_autopilot_has_the_others_all_the_same() {
    let world = World::new();
    // The second of the two lists is that of Autopilot.
    world.sim.add_fault("clusters", Fault::Latency(Duration::ZERO), 1);
    let body = r#"{"message":"API not found","request_id":"1"}"#.to_owned();
    let fault = Fault::Status {
        code: 404,
        body,
        headers: Vec::new(),
    };
    world.sim.add_fault("clusters", fault, 1);
    let outcome = world.run(["clusters", "--project=cn-north-4", "-o", "name"]);
    assert_eq!(outcome.is_done().stdout, "prod\n");
}

#[test]
fn eight_requests_are_in_flight_and_no_more() {
    let world = World::new();
    for number in 0..14 {
        world.sim.add_project(&format!("cn-north-4_{number}"));
    }
    let latency = Duration::from_millis(400);
    world.sim.set_fault("clusters", Fault::Latency(latency));
    let started = Instant::now();
    world.run(["clusters"]).is_done();
    let took = started.elapsed();
    let requests = world.sim.requests();
    let mut times: Vec<i64> = requests
        .iter()
        .filter(|r| r.operation == "clusters")
        .map(|r| r.at_ms)
        .collect();
    assert_eq!(times.len(), 32, "two lists of sixteen projects");
    times.sort_unstable();
    let least = i64::try_from(latency.as_millis()).unwrap() - 20;
    let too_many = times.windows(9).filter(|nine| nine[8] - nine[0] < least).count();
    assert_eq!(too_many, 0, "{times:?}");
    assert!(took < latency * 32 / 2, "{took:?}: one after the other");
}

/// Every example of a cluster, and what may be odd about it.
#[test]
fn what_clusters_look_like_elsewhere_is_read() {
    let examples = [
        (
            "cluster_get_response_huawei",
            "https://192.168.0.61:5443 https://198.51.100.7:5443",
        ),
        (
            "cluster_get_response_hibernated",
            "https://192.168.0.61:5443 https://198.51.100.7:5443",
        ),
        (
            "cluster_get_response_otc_list_endpoints",
            "https://192.168.0.61:5443 https://10.185.69.54:5443",
        ),
        (
            "cluster_get_response_otc_object_endpoints",
            "https://192.168.0.68:5443 https://10.34.56.78:5443",
        ),
    ];
    let odd = [
        ("/status/conditions", json!([{"type": "Ready", "status": "True"}])),
        ("/status/conditions", json!({"type": "Ready"})),
        ("/status/conditions", Value::Null),
        ("/spec/category", Value::Null),
        ("/spec/customSan", Value::Null),
        ("/metadata/alias", Value::Null),
        ("/metadata/labels", json!({"a": [1, null, {"b": 2.5}]})),
        ("/status/endpoints", Value::Null),
        ("/status/endpoints", json!({})),
        (
            "/status/endpoints",
            json!([null, {}, {"type": "Internal", "url": null}, 7]),
        ),
        ("/spec", Value::Null),
        ("/status", Value::Null),
        ("/unknown", json!([{}])),
    ];
    let world = World::new();
    for (example, endpoints) in examples {
        let text = std::fs::read_to_string(in_repository(&format!("tests/vectors/examples/{example}.json"))).unwrap();
        let mut items: Vec<Value> = vec![serde_json::from_str(&text).unwrap(); odd.len() + 1];
        for (number, item) in items.iter_mut().enumerate() {
            item["metadata"]["uid"] = format!("4d1ecb2c-229a-11e8-9c75-{number:012}").into();
            if let Some((pointer, value)) = number.checked_sub(1).and_then(|at| odd.get(at)) {
                let (parent, name) = pointer.rsplit_once('/').unwrap();
                item.pointer_mut(parent).unwrap()[name] = value.clone();
            }
        }
        let answer = json!({"kind": "Cluster", "items": items}).to_string();
        world.sim.add_fault("clusters", Fault::Malformed(answer), 1);
        let outcome = world.run(["clusters", "--project=cn-north-4", "-o", "json"]);
        outcome.is_done();
        let rows: Vec<Value> = rows(&outcome)
            .into_iter()
            .filter(|row| row["name"] == "mycluster")
            .collect();
        assert_eq!(rows.len(), odd.len() + 1, "{example}: {outcome}");
        for (number, row) in rows.iter().enumerate() {
            let text = |name: &str| row["endpoints"][name].as_str().unwrap_or("-").to_owned();
            let loses_them = number > 0 && matches!(odd[number - 1].0, "/status/endpoints" | "/status");
            let expected = if loses_them { "- -" } else { endpoints };
            assert_eq!(
                format!("{} {}", text("internal"), text("external")),
                expected,
                "{example} {number}: {row}"
            );
        }
    }
}
