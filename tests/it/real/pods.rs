//! Pods that share through the cluster in which they run: the program itself, with the files that a kubelet gives.

use super::kube_apiserver::KubeApiserver;
use crate::support::in_repository;
use crate::system::world::World;

/// Mounts the service account `$0` where every pod has its own, out of sight of everybody else.
const AS_A_POD: &str = "mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io && \
                        cp -r \"$0\" /run/secrets/kubernetes.io/serviceaccount && exec \"$@\"";

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn pods_take_one_certificate_through_a_secret() {
    let cluster = KubeApiserver::start("");
    cluster.kubectl("create namespace ci");
    cluster.kubectl("-n ci create serviceaccount runner");
    let manifest = in_repository("docs/ci/shared-secret.yaml");
    cluster.kubectl(&format!("apply -f {}", manifest.display()));
    let account = cluster.service_account("ci", "runner").display().to_string();
    let (host, port) = cluster.address().split_once(':').unwrap();

    let mut world = World::without_kubectl();
    world.set("KUBERNETES_SERVICE_HOST", host);
    world.set("KUBERNETES_SERVICE_PORT", port);
    world.set("CCE_LOGIN_SHARED_CACHE", "kubernetes:cce-login");
    let mut front = vec!["unshare", "--mount"];
    if !rustix::process::geteuid().is_root() {
        front.push("--map-root-user");
    }
    front.extend(["sh", "-c", AS_A_POD, &account]);
    world.put_in_front(&front);
    let mut served = Vec::new();
    for number in 0..3 {
        // Each in a container of its own.
        for variable in ["HOME", "XDG_RUNTIME_DIR", "CCE_LOGIN_STATE_DIR"] {
            let directory = world.path(&format!("pod-{number}/{variable}"));
            std::fs::create_dir_all(&directory).unwrap();
            world.set(variable, directory);
        }
        let mut words = world.get_credential_words();
        words.push("--cache=none".to_owned());
        served.push(world.run(&words).succeeded().stdout);
    }
    assert_eq!(world.sim.count("clustercert"), 1);
    assert!(served.iter().all(|other| *other == served[0]));
    let secret = cluster.kubectl("-n cce-login get secrets -o name");
    assert_eq!(
        secret
            .lines()
            .filter(|line| line.starts_with("secret/cce-login-cert-"))
            .count(),
        1,
        "{secret}"
    );
}
