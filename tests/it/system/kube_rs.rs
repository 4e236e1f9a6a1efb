//! kube-rs: a program that lives on, and gets its certificate when it builds a client and never again.

use super::process::LIMIT;
use super::short_lives::{assert_no_event_is_missing, world_of_short_lives};
use super::world::{Kubectl, World};
use futures_util::TryStreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use std::collections::HashMap;
use std::pin::pin;
use std::time::{Duration, Instant, SystemTime};
use tokio::time::timeout;

/// What `login` wrote, with the world's environment for the plugin: that of the test's own process is for all tests.
pub(crate) fn kubeconfig(world: &World) -> Kubeconfig {
    let mut kubeconfig = Kubeconfig::read_from(world.home().join(".kube/config")).unwrap();
    let user = kubeconfig.auth_infos[0].auth_info.as_mut().unwrap();
    let exec = user.exec.as_mut().unwrap();
    let variables = world.variables();
    let entry = |(name, value): (&String, &String)| {
        HashMap::from([("name", name), ("value", value)].map(|(key, text)| (key.to_owned(), text.clone())))
    };
    exec.command = Some(world.home().join("bin/kubectl-cce_login").display().to_string());
    exec.env = Some(variables.iter().map(entry).collect());
    let inherited = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    exec.drop_env = Some(
        inherited
            .filter(|name| !variables.contains_key(name.as_str()))
            .collect(),
    );
    kubeconfig
}

/// A client, and how much longer it is good for by its own account.
pub(crate) async fn new_client(kubeconfig: &Kubeconfig) -> (Client, Duration) {
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig.clone(), &options).await;
    let client = Client::try_from(config.unwrap()).unwrap();
    let valid_until = client.valid_until().unwrap().as_millisecond();
    let valid_until = SystemTime::UNIX_EPOCH + Duration::from_millis(valid_until.try_into().unwrap());
    let left = valid_until.duration_since(SystemTime::now()).unwrap_or_default();
    (client, left)
}

/// The versions of all events until the certificate has been renewed so often. Whatever is not an event stops the test.
async fn watch_until_renewed(world: &World, times: usize) -> Vec<u64> {
    let kubeconfig = kubeconfig(world);
    let (mut client, mut left) = new_client(&kubeconfig).await;
    let pods = Api::<Pod>::default_namespaced(client.clone());
    let list = pods.list(&ListParams::default()).await.unwrap();
    let mut version = list.metadata.resource_version.unwrap();
    let mut versions = Vec::new();
    let started = Instant::now();
    loop {
        let pods = Api::<Pod>::default_namespaced(client);
        let mut events = pin!(pods.watch(&WatchParams::default(), &version).await.unwrap());
        let watching = async {
            while world.certificates().len() <= times {
                assert!(started.elapsed() < LIMIT, "{} events so far", versions.len());
                let event = events.try_next().await.unwrap();
                let Some(WatchEvent::Modified(pod)) = event else {
                    panic!("{event:?}")
                };
                version = pod.metadata.resource_version.unwrap();
                versions.push(version.parse().unwrap());
            }
        };
        if timeout(left, watching).await.is_ok() {
            return versions;
        }
        (client, left) = new_client(&kubeconfig).await;
    }
}

#[test]
fn a_kube_rs_program_that_rebuilds_its_client_in_time_misses_no_event() {
    let world = world_of_short_lives(Kubectl::Current);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let versions = runtime.block_on(watch_until_renewed(&world, 3));
    assert_no_event_is_missing(&world, &versions);
    world.assert_renewed_once_per_life();
}
