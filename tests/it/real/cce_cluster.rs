//! A cluster of the simulated cloud whose Kubernetes is a real one: the cloud signs for it, and names its addresses and its CA.

use super::free_address;
use super::kube_apiserver::{KubeApiserver, Shown};
use super::relay::Relay;
use crate::system::world::{Kubectl, World};
use cce_sim::{ClusterSpec, Elsewhere};
use std::net::TcpListener;
use std::time::Duration;

/// One user before such a cluster, which is called `prod`. Its external address leads through a relay, and its certificate does not name that.
pub(crate) struct RealCluster {
    pub(crate) world: World,
    pub(crate) server: KubeApiserver,
    pub(crate) relay: Relay,
}

impl RealCluster {
    /// Every certificate lives this long; `None`: as long as is asked for.
    pub(crate) fn start(kubectl: Kubectl, life: Option<Duration>) -> Self {
        let mut world = World::without_kubectl();
        world.install_kubectl(kubectl);
        world
            .sim
            .set_behaviour(|behaviour| behaviour.certificate_lifetime = life);
        let elastic = TcpListener::bind((free_address().split_once(':').unwrap().0, 0)).unwrap();
        let internal = free_address();
        world.sim.delete_cluster("prod");
        world.sim.add_cluster(ClusterSpec {
            elsewhere: Some(Elsewhere {
                internal: internal.parse().unwrap(),
                external: elastic.local_addr().unwrap(),
            }),
            ..ClusterSpec::default()
        });
        let server = KubeApiserver::start_at(&internal, Some(&shown(&world)), &client_ca(&world));
        let user = world.sim.user_id("alice");
        server.kubectl(&format!(
            "create clusterrolebinding alice --clusterrole=cluster-admin --user={user}"
        ));
        let relay = Relay::start(elastic, internal);
        Self { world, server, relay }
    }

    /// The same, logged in through the external address.
    pub(crate) fn logged_in(kubectl: Kubectl, life: Option<Duration>) -> Self {
        let cluster = Self::start(kubectl, life);
        cluster.world.login_with("--access external").succeeded();
        cluster
    }

    /// Every certificate until now is refused from a moment later on, as after `clustercertrevoke`: the API server takes another client CA.
    pub(crate) fn revoke(&self) {
        self.world.sim.renew_client_authority("prod");
        self.server.trust(&client_ca(&self.world));
    }

    /// A new CA for servers and clients, and a new server certificate, as a rotation gives.
    pub(crate) fn rotate(&self) {
        self.world.sim.rotate("prod");
        self.server.trust(&client_ca(&self.world));
        self.server.show(&shown(&self.world));
    }

    /// The certificates that the API server took, each once, in order.
    pub(crate) fn certificates(&self) -> Vec<String> {
        let mut seen = Vec::new();
        for certificate in self
            .server
            .requests()
            .into_iter()
            .filter_map(|request| request.certificate)
        {
            if !seen.contains(&certificate) {
                seen.push(certificate);
            }
        }
        seen
    }
}

fn shown(world: &World) -> Shown {
    let identity = world.sim.server_certificate("prod");
    Shown {
        ca: world.sim.cluster("prod").ca_pem,
        certificate: identity.certificate,
        key: identity.key,
    }
}

fn client_ca(world: &World) -> String {
    world.sim.cluster("prod").client_ca_pem
}
