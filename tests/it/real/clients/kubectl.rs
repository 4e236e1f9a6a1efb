//! kubectl as Debian ships it and as it is today: single commands, `-w` and `proxy`.

use super::{SHORT, THREE_RENEWALS, counting};
use crate::real::cce_cluster::RealCluster;
use crate::system::proxy::Proxy;
use crate::system::world::Kubectl;
use rustix::process::Signal;
use std::time::Duration;

const MANIFEST: &str =
    r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"number": "@"}}"#;

/// `get` and `apply` again and again, and `proxy` and `get -w` that live on, for this time.
#[expect(clippy::print_stderr, reason = "the figures of a run")]
fn every_day(kubectl: Kubectl, life: Option<Duration>, time: Duration) -> RealCluster {
    let cluster = RealCluster::logged_in(kubectl, life);
    counting::create(&cluster);
    let world = &cluster.world;
    let script = "exec kubectl get configmap counter -w -o 'jsonpath={.data.number}{\"\\n\"}' >\"$HOME/watched\"";
    let mut watch = world.start(&["sh", "-c", script]);
    let proxy = Proxy::start(world);
    let (mut rounds, mut cut, mut ended_after) = (0, 0, None);
    let last = counting::count_for(&cluster, time, || {
        rounds += 1;
        let manifest = world.write("applied.yaml", MANIFEST.replace('@', &rounds.to_string()));
        world.kubectl(&format!("apply -f {manifest}")).succeeded();
        let read = world
            .kubectl("get configmap applied -o jsonpath={.data.number}")
            .succeeded();
        assert_eq!(
            (read.stdout.as_str(), read.stderr.as_str()),
            (rounds.to_string().as_str(), "")
        );
        // A request that was under way at the moment of a renewal is cut off; the next one has to work.
        if proxy.get("/api/v1/namespaces").is_none() {
            cut += 1;
            assert!(proxy.get("/api/v1/namespaces").is_some());
        }
        if ended_after.is_none() && !watch.runs() {
            ended_after = Some(rounds);
        }
    });
    let watched: Vec<u32> = world
        .read("watched")
        .lines()
        .filter_map(|line| line.parse().ok())
        .collect();
    eprintln!(
        "{kubectl:?}, {life:?}: {rounds} rounds, {} certificates, {cut} requests of the proxy cut; -w saw {} of {last} events, ended in round {ended_after:?}",
        cluster.certificates().len(),
        watched.len()
    );
    // What happens between kubectl's own first get and its watch is shown once only: the watch begins with the second line.
    let events = &watched[1..];
    assert!(events.windows(2).all(|pair| pair[1] == pair[0] + 1), "{watched:?}");
    if life.is_none() {
        assert_eq!(ended_after, None);
    }
    if ended_after.is_none() {
        watch.signal(Signal::TERM);
    }
    world.checked(watch.finish_now());
    proxy.stop(world);
    let refused = cluster
        .server
        .requests()
        .into_iter()
        .filter(|request| request.status == 401);
    assert_eq!(refused.count(), 0);
    cluster
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn get_apply_watch_and_proxy_work_with_one_long_certificate() {
    for kubectl in [Kubectl::Old, Kubectl::Current] {
        let cluster = every_day(kubectl, None, Duration::from_secs(15));
        assert_eq!(cluster.certificates().len(), 1, "{kubectl:?}");
    }
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn get_apply_watch_and_proxy_of_kubectl_1_20_go_on_over_three_renewals() {
    let cluster = every_day(Kubectl::Old, SHORT, THREE_RENEWALS);
    assert!(cluster.certificates().len() > 3);
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn get_apply_watch_and_proxy_of_a_current_kubectl_go_on_over_three_renewals() {
    let cluster = every_day(Kubectl::Current, SHORT, THREE_RENEWALS);
    assert!(cluster.certificates().len() > 3);
}
