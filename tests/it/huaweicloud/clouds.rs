//! Which hosts are asked in which region of which cloud. The names are the real ones; a proxy leads them to the simulated cloud.

use crate::support::{World, in_repository};
use cce_login::huaweicloud::cloud::Cloud;
use cce_login::ids::Region;
use cce_sim::{ClusterSpec, Proxy, ProxyKind};
use serde_json::Value;

/// Region, CCE's host and IAM's host, as the SDK's tables and the documentation of Open Telekom Cloud have them.
fn regions() -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string(in_repository("tests/vectors/regions.json")).unwrap();
    let table: Value = serde_json::from_str(&text).unwrap();
    let host = |url: &Value| url.as_str().map(|url| url.trim_start_matches("https://").to_owned());
    let clouds = ["huaweicloud", "otc"].map(|cloud| table[cloud].as_object().unwrap().clone());
    let regions = clouds
        .into_iter()
        .flatten()
        .filter(|(_, services)| services.is_object());
    regions
        .map(|(region, services)| {
            let iam = host(&services["iam"]).or_else(|| host(&services["iam_by_pattern"]));
            (region, host(&services["cce"]).unwrap(), iam.unwrap())
        })
        .collect()
}

/// The hosts whose names begin so, each once.
fn hosts(proxy: &Proxy, start: &str) -> Vec<String> {
    let mut hosts: Vec<String> = proxy
        .targets()
        .iter()
        .filter_map(|t| Some(t.strip_suffix(":443")?.to_owned()))
        .collect();
    hosts.retain(|host| host.starts_with(start));
    hosts.sort();
    hosts.dedup();
    hosts
}

fn sorted(hosts: impl Iterator<Item = String>) -> Vec<String> {
    let mut hosts: Vec<String> = hosts.collect();
    hosts.sort();
    hosts
}

#[test]
fn every_region_is_asked_at_its_own_hosts() {
    let (world, proxy) = World::behind_a_proxy(ProxyKind::Http);
    let regions = regions();
    assert!(regions.len() >= 36);
    for (region, ..) in regions.iter().filter(|(region, ..)| region != "cn-north-4") {
        world.sim.add_project(region);
    }
    world.run(["clusters"]).is_done();
    assert_eq!(
        hosts(&proxy, "cce"),
        sorted(regions.iter().map(|(_, cce, _)| cce.clone()))
    );
    assert_eq!(hosts(&proxy, "iam"), ["iam.myhuaweicloud.com"]);

    let flags = regions.iter().map(|(region, ..)| format!("--region={region}"));
    world.run(std::iter::once("clusters".to_owned()).chain(flags)).is_done();
    let mut expected: Vec<String> = regions.iter().map(|(.., iam)| iam.clone()).collect();
    expected.push("iam.myhuaweicloud.com".to_owned());
    assert_eq!(hosts(&proxy, "iam"), sorted(expected.into_iter()));

    for (region, host) in [
        ("eu-west-101", "cce.eu-west-101.myhuaweicloud.eu"),
        ("eu-west-0", "cce.eu-west-0.myhuaweicloud.com"),
        ("eu-ch2", "cce.eu-ch2.sc.otc.t-systems.com"),
    ] {
        assert!(
            regions.iter().any(|(name, cce, _)| name == region && cce == host),
            "{region}"
        );
    }
}

fn args(world: &World, user: &str) -> Vec<String> {
    world.kubeconfig().args(user).into_iter().map(str::to_owned).collect()
}

/// Logs in to the one cluster of this project, runs what the entry says, and returns its arguments.
fn login_and_get(world: &World, project: &str, flags: &[&str]) -> Vec<String> {
    world.sim.add_project(project);
    world.sim.add_cluster(ClusterSpec {
        project: project.to_owned(),
        ..ClusterSpec::named("there")
    });
    world.run(["login", "--cluster=there"].iter().chain(flags)).is_done();
    let user = format!("env@there.{project}");
    assert_eq!(world.kubeconfig().names("users"), [user.as_str()]);
    let args = args(world, &user);
    world.run(&args).credential();
    args
}

#[test]
fn a_sub_project_lies_in_its_region() {
    let (world, proxy) = World::behind_a_proxy(ProxyKind::Http);
    let args = login_and_get(&world, "eu-de_team", &["--project=eu-de_team"]);
    assert!(args.contains(&"--region=eu-de".to_owned()), "{args:?}");
    let project = format!("--project-id={}", world.sim.project_id("eu-de_team"));
    assert!(args.contains(&project), "{args:?}");
    assert_eq!(hosts(&proxy, "cce"), ["cce.eu-de.otc.t-systems.com"]);
    assert_eq!(hosts(&proxy, "iam"), ["iam.eu-de.otc.t-systems.com"]);
    // Sub-projects need to be named in a header.
    let sent = world
        .sim
        .requests()
        .into_iter()
        .filter(|request| request.service == "cce");
    for request in sent {
        assert_eq!(
            request.header("x-project-id"),
            Some(world.sim.project_id("eu-de_team").as_str())
        );
    }
}

#[test]
fn another_installation_is_reached_by_its_domain() {
    let (world, proxy) = World::behind_a_proxy(ProxyKind::Http);
    let args = login_and_get(&world, "r1", &["--cloud=stack.example.com", "--region=r1"]);
    assert!(args.contains(&"--cloud=stack.example.com".to_owned()), "{args:?}");
    assert_eq!(hosts(&proxy, "cce"), ["cce.r1.stack.example.com"]);
    assert_eq!(hosts(&proxy, "iam"), ["iam-apigateway-proxy.stack.example.com"]);
}

#[test]
fn endpoints_that_are_given_outrank_region_and_cloud() {
    let (world, proxy) = World::behind_a_proxy(ProxyKind::Http);
    let flags = [
        "--region=eu-ch2",
        "--cce-endpoint=https://cce.own.example.com",
        "--iam-endpoint=https://iam.own.example.com",
    ];
    let args = login_and_get(&world, "eu-ch2", &flags);
    assert!(flags.iter().all(|flag| args.contains(&(*flag).to_owned())), "{args:?}");
    assert_eq!(hosts(&proxy, "cce"), ["cce.own.example.com"]);
    assert_eq!(hosts(&proxy, "iam"), ["iam.own.example.com"]);
}

#[test]
fn login_recognises_an_autopilot_cluster_by_its_list() {
    let world = World::new();
    world.sim.add_cluster(ClusterSpec {
        autopilot: true,
        ..ClusterSpec::named("pilot")
    });
    world.login(&[]).is_done();
    assert_eq!(world.sim.count("clusters"), 1, "`prod` was in the first list");
    assert!(!world.kubeconfig_text().contains("--autopilot"));

    world.sim.clear_requests();
    world.run(["login", "--cluster=pilot"]).is_done();
    let args = args(&world, "env@pilot.cn-north-4");
    assert!(args.contains(&"--autopilot".to_owned()), "{args:?}");
    world.run(&args).credential();
    let requests = world.sim.requests();
    let paths: Vec<_> = requests
        .iter()
        .filter(|r| r.operation == "clustercert")
        .map(|r| r.path.as_str())
        .collect();
    assert!(
        !paths.is_empty() && paths.iter().all(|path| path.starts_with("/autopilot/v3/projects/")),
        "{paths:?}"
    );
    // Both lists are named where there is no such cluster.
    let outcome = world.run(["login"]);
    outcome.fails(
        cce_login::error::Exit::Usage,
        "hint: give it with `--cluster`: `prod`, `pilot`",
    );
}

#[test]
fn every_known_region_answers_where_its_cloud_says() {
    let text = std::fs::read_to_string(in_repository("tests/vectors/regions.json")).unwrap();
    let table: Value = serde_json::from_str(&text).unwrap();
    let mut checked = 0;
    for (name, services) in table["huaweicloud"].as_object().unwrap() {
        let region = Region::parse(name).unwrap();
        let cloud = Cloud::of_region(&region);
        assert_eq!(cloud, Cloud::Huawei);
        assert_eq!(cloud.cce(&region).as_str(), services["cce"].as_str().unwrap());
        let iam = services["iam"]
            .as_str()
            .or(services["iam_by_pattern"].as_str())
            .unwrap();
        assert_eq!(cloud.iam(&region).as_str(), iam, "{name}");
        checked += 1;
    }
    for name in ["eu-de", "eu-nl", "eu-ch2"] {
        let region = Region::parse(name).unwrap();
        let cloud = Cloud::of_region(&region);
        assert_eq!(cloud, Cloud::Otc);
        assert_eq!(cloud.cce(&region).as_str(), table["otc"][name]["cce"].as_str().unwrap());
        assert_eq!(cloud.iam(&region).as_str(), table["otc"][name]["iam"].as_str().unwrap());
        checked += 1;
    }
    assert!(checked >= 36);
    assert_eq!(Cloud::known_regions().count(), checked);
    for region in Cloud::known_regions() {
        assert!(!Cloud::place_of(&region).is_empty(), "{region} has no place");
        let is_listed = |cloud: &str| table[cloud].get(region.as_str()).is_some();
        assert!(is_listed("huaweicloud") || is_listed("otc"), "{region}");
    }
}
