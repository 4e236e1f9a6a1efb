//! helm, which makes many requests in one short process, over three renewals and while the cloud is away.

use super::{SHORT, THREE_RENEWALS};
use crate::real::cce_cluster::RealCluster;
use crate::system::process::{Output, wait_for};
use crate::system::world::{Kubectl, words};
use std::time::Instant;

const CHART: &str = "{apiVersion: v2, name: counter, version: 0.1.0}\n";
const TEMPLATE: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: counter}\ndata: {number: \"{{ .Values.number }}\"}\n";

fn helm(cluster: &RealCluster, line: &str) -> Output {
    let program = std::env::var("HELM").unwrap_or_else(|_| panic!("HELM is not set: run tests/run --real"));
    cluster.world.run(&words(&program, line))
}

/// With a chart of one config map, installed.
fn installed(cluster: &RealCluster) -> String {
    cluster.world.write("chart/Chart.yaml", CHART);
    cluster.world.write("chart/values.yaml", "{number: 0}\n");
    cluster.world.write("chart/templates/map.yaml", TEMPLATE);
    let chart = cluster.world.path("chart");
    helm(cluster, &format!("install counter {chart}")).succeeded();
    chart
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn helm_upgrades_without_a_failure_over_three_renewals() {
    let cluster = RealCluster::logged_in(Kubectl::Current, SHORT);
    let chart = installed(&cluster);
    let (started, mut upgrades) = (Instant::now(), 0);
    while started.elapsed() < THREE_RENEWALS {
        upgrades += 1;
        let output = helm(&cluster, &format!("upgrade counter {chart} --set number={upgrades}")).succeeded();
        assert_eq!(output.stderr, "");
    }
    let listed = helm(&cluster, "list --output json").succeeded();
    assert!(
        listed.stdout.contains(&format!("\"revision\":\"{}\"", upgrades + 1)),
        "{}",
        listed.stdout
    );
    let certificates = cluster.certificates().len();
    eprintln!("{upgrades} upgrades, {certificates} certificates");
    assert!(certificates > 3, "{certificates}");
    helm(&cluster, "uninstall counter").succeeded();
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn helm_works_while_the_cloud_is_down_until_the_certificate_ends_and_again_when_it_is_back() {
    let cluster = RealCluster::logged_in(Kubectl::Current, SHORT);
    let chart = installed(&cluster);
    let set_down = |is_down| {
        cluster
            .world
            .sim
            .set_behaviour(|behaviour| behaviour.cloud_down = is_down);
    };
    set_down(true);
    helm(&cluster, &format!("upgrade counter {chart} --set number=1")).succeeded();
    std::thread::sleep(SHORT.unwrap());
    let failed = helm(&cluster, "list").failed(1);
    assert!(
        failed.stderr.starts_with("kubectl cce-login: error: "),
        "{}",
        failed.stderr
    );
    set_down(false);
    wait_for("helm to work again", || helm(&cluster, "list").code == Some(0));
}
