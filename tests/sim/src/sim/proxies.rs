//! Proxies in front of the cloud.

use std::{net::Ipv4Addr, sync::Arc};

use super::{Sim, listen};
use crate::{
    proxy::{Proxy, ProxyKind, Services},
    tls,
};

impl Sim {
    /// Starts a proxy through which the simulated services answer by the names of the real clouds': `cce.{region}.{cloud}`, `iam.…`, `sts.…`.
    pub fn start_proxy(&self, kind: ProxyKind) -> Proxy {
        let listener = listen(Ipv4Addr::LOCALHOST.into(), 0).expect("loopback has a free port");
        let proxy = Proxy {
            kind,
            address: listener.local_addr().expect("a listener has an address"),
            services: Services {
                iam: self.iam,
                cce: self.cce,
                sts: self.sts,
                identity_center_oidc: self.identity_center_oidc,
                identity_center_portal: self.identity_center_portal,
            },
            tls: tls::cloud(&self.world),
            seen: Arc::default(),
        };
        let _inside = self.runtime().enter();
        let listener = tokio::net::TcpListener::from_std(listener).expect("a loopback listener can be polled");
        self.runtime().spawn(proxy.clone().serve(listener));
        proxy
    }
}
