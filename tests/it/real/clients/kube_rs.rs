//! kube-rs: a client has the certificate with which it was built, and is built anew in time.

use super::{SHORT, THREE_RENEWALS, counting};
use crate::real::cce_cluster::RealCluster;
use crate::system::kube_rs::{kubeconfig, new_client};
use crate::system::world::Kubectl;
use futures_util::TryStreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::config::Kubeconfig;
use kube::{Api, Client};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// No number is the last one yet.
const OPEN: u32 = u32::MAX;

/// The numbers of all events up to the `last`, and how many clients were built.
async fn watch(kubeconfig: Kubeconfig, last: Arc<AtomicU32>) -> (Vec<u32>, usize) {
    let (mut client, mut left) = new_client(&kubeconfig).await;
    let maps = Api::<ConfigMap>::default_namespaced(client.clone());
    let mut version = maps
        .list(&ListParams::default())
        .await
        .unwrap()
        .metadata
        .resource_version
        .unwrap();
    let (mut numbers, mut clients) = (Vec::new(), 1);
    loop {
        let maps = Api::<ConfigMap>::default_namespaced(client);
        let mut events = pin!(maps.watch(&WatchParams::default(), &version).await.unwrap());
        let watching = async {
            while numbers.last().copied().unwrap_or(0) < last.load(Ordering::Relaxed) {
                let Ok(event) = timeout(Duration::from_secs(1), events.try_next()).await else {
                    continue;
                };
                let Some(WatchEvent::Modified(map)) = event.unwrap() else {
                    panic!("something else than an event")
                };
                version = map.metadata.resource_version.unwrap();
                numbers.push(map.data.unwrap()["number"].parse().unwrap());
            }
        };
        if timeout(left, watching).await.is_ok() {
            return (numbers, clients);
        }
        (client, left) = new_client(&kubeconfig).await;
        clients += 1;
    }
}

/// The status with which each of so many requests of one client was answered, one a second.
async fn poll(client: Client, times: u64) -> Vec<u16> {
    let maps = Api::<ConfigMap>::default_namespaced(client);
    let mut answers = Vec::new();
    for _ in 0..times {
        answers.push(match maps.list(&ListParams::default()).await {
            Ok(_) => 200,
            Err(kube::Error::Api(status)) => status.code,
            Err(error) => panic!("{error:?}"),
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    answers
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn a_kube_rs_program_that_rebuilds_its_client_in_time_misses_no_event_over_three_renewals() {
    let cluster = RealCluster::logged_in(Kubectl::Current, SHORT);
    counting::create(&cluster);
    let last = Arc::new(AtomicU32::new(OPEN));
    let kubeconfig = kubeconfig(&cluster.world);
    let before = cluster.relay.opened();
    let watching = std::thread::spawn({
        let last = Arc::clone(&last);
        move || runtime().block_on(watch(kubeconfig, last))
    });
    let counted = counting::count_for(&cluster, THREE_RENEWALS, || assert!(!watching.is_finished()));
    last.store(counted, Ordering::Relaxed);
    let (numbers, clients) = watching.join().unwrap();
    let opened = cluster.relay.opened() - before;
    let certificates = cluster.certificates().len();
    eprintln!("{counted} events, {certificates} certificates, {clients} clients, {opened} connections");
    assert!(certificates > 3, "{certificates}");
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    assert_eq!(numbers.last(), Some(&counted));
    let refused = cluster
        .server
        .requests()
        .into_iter()
        .filter(|request| request.status == 401);
    assert_eq!(refused.count(), 0);
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn a_kube_rs_client_that_is_kept_gets_401_from_its_certificates_end_on() {
    let cluster = RealCluster::logged_in(Kubectl::Current, SHORT);
    let answers = runtime().block_on(async {
        let (client, _) = new_client(&kubeconfig(&cluster.world)).await;
        poll(client, THREE_RENEWALS.as_secs()).await
    });
    let refused = answers.iter().position(|answer| *answer == 401).expect("a refusal");
    eprintln!("{} answers, refused from {refused} on", answers.len());
    assert!(answers[..refused].iter().all(|answer| *answer == 200), "{answers:?}");
    assert!(answers[refused..].iter().all(|answer| *answer == 401), "{answers:?}");
}
