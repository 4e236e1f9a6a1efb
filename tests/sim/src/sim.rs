//! The handle that tests hold: starts the cloud, controls it, asks what it saw.

mod identities;
mod identity_center;
mod provider;
mod proxies;
mod sources;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use tokio::runtime::Runtime;

use crate::{
    api_server::ApiServer,
    behaviour::Behaviour,
    clock,
    cluster::{Addresses, Cluster},
    faults::Fault,
    gateway::{Gateway, Service},
    jobs, keys,
    listener::{Listener, Listening},
    pki::{self, Authority, Subject, Validity},
    records::{ApiRecorded, Recorded},
    server::{self, Answerer},
    spec::{ClusterInfo, ClusterSpec},
    tls,
    world::{Endpoints, REGION, World, lock},
};

/// A running simulated cloud; dropping it ends everything.
///
/// One account, `example-account`, with the users `alice` (administrator), `bob` (ordinary) and `carol` (no permission for CCE), the projects
/// `cn-north-4` and `cn-north-4_team` (not open to `bob` and `carol`), and one cluster, `prod`; a second one, `other-account`, with nothing but
/// its main project. Accounts, users, agencies, clusters and projects can be named by name or id. Methods that name something unknown panic.
pub struct Sim {
    world: Arc<World>,
    iam: SocketAddr,
    cce: SocketAddr,
    sts: SocketAddr,
    identity_center_oidc: SocketAddr,
    identity_center_portal: SocketAddr,
    provider: SocketAddr,
    metadata: SocketAddr,
    pod_identity: SocketAddr,
    actions: SocketAddr,
    runtime: Option<Runtime>,
}

/// A certificate issued past the cloud's API.
#[derive(Clone, Debug)]
pub struct IssuedCertificate {
    /// The certificate, PEM.
    pub certificate: String,
    /// Its key, PEM.
    pub key: String,
}

impl Default for Sim {
    fn default() -> Self {
        Self::start()
    }
}

impl Sim {
    /// Starts with the defaults.
    pub fn start() -> Self {
        let sim = Self::start_empty();
        sim.add_cluster(ClusterSpec::default());
        sim
    }

    /// Starts without any cluster.
    pub fn start_empty() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("cce-sim")
            .enable_all()
            .build()
            .expect("a runtime can be started");
        let validity = Validity::long(clock::real_now());
        let world = Arc::new(World::new(Authority::new(
            "Simulated Cloud",
            "Simulated Cloud CA",
            validity,
        )));
        let open = |service: Service, tls, listener: &Listener| {
            let gateway = Gateway {
                world: Arc::clone(&world),
                service,
                tls,
            };
            let socket = listen(Ipv4Addr::LOCALHOST.into(), 0).expect("loopback has a free port");
            let address = socket.local_addr().expect("a listener has an address");
            spawn_server(&runtime, socket, Arc::new(gateway), listener.add_server());
            address
        };
        let open_cloud = |service: Service| open(service, Some(tls::cloud(&world)), &world.listener);
        let (iam, cce, sts) = (
            open_cloud(Service::Iam),
            open_cloud(Service::Cce),
            open_cloud(Service::Sts),
        );
        let (identity_center_oidc, identity_center_portal) = (
            open_cloud(Service::IdentityCenterOidc),
            open_cloud(Service::IdentityCenterPortal),
        );
        let provider = open_cloud(Service::Provider);
        let endpoints = Endpoints {
            provider: format!("https://{provider}"),
            iam: format!("https://{iam}"),
            cce: format!("https://{cce}"),
        };
        world.endpoints.set(endpoints).expect("the world is new");
        let metadata = open(Service::Metadata, None, &world.metadata_listener);
        let pod_identity = open(Service::PodIdentity, None, &world.local_listener);
        let actions = open(Service::Actions, None, &world.local_listener);
        Self {
            world,
            iam,
            cce,
            sts,
            identity_center_oidc,
            identity_center_portal,
            provider,
            metadata,
            pod_identity,
            actions,
            runtime: Some(runtime),
        }
    }

    /// `https://127.0.0.1:PORT`
    pub fn iam_endpoint(&self) -> String {
        format!("https://{}", self.iam)
    }

    /// `https://127.0.0.1:PORT`
    pub fn cce_endpoint(&self) -> String {
        format!("https://{}", self.cce)
    }

    /// The CA of the cloud's endpoints (not of its clusters).
    pub fn ca_pem(&self) -> String {
        self.world.authority.pem()
    }

    /// The region: `cn-north-4`.
    pub fn region(&self) -> &str {
        REGION
    }

    /// Adds a cluster and starts its API server; returns the uid.
    pub fn add_cluster(&self, spec: ClusterSpec) -> String {
        let number = self.world.next_cluster_number();
        let project_id = self.project_id(&spec.project);
        let mut listeners = Vec::new();
        let mut address = |network: u8, port: u16| {
            let listener = listen(cluster_ip(network, number), port)
                .or_else(|_| listen(Ipv4Addr::LOCALHOST.into(), 0))
                .expect("loopback has a free port");
            let address = listener.local_addr().expect("a listener has an address");
            listeners.push(listener);
            address
        };
        let external = match spec.elsewhere {
            Some(elsewhere) => Some(elsewhere.external),
            None => spec.eip.then(|| address(20, 0)),
        };
        let internal = if let Some(elsewhere) = spec.elsewhere {
            elsewhere.internal
        } else if spec.internal_reachable {
            address(100, 0)
        } else {
            SocketAddr::new(cluster_ip(100, number), 5443)
        };
        let addresses = Addresses { internal, external };
        let port = external.unwrap_or(internal).port();
        listeners.extend(spec.custom_sans.iter().filter_map(|san| listen_on_name(san, port)));
        let uid = pki::random_uuid();
        let cluster = Cluster::new(uid.clone(), spec, project_id, &addresses, clock::real_now());
        let cluster = Arc::new(cluster);
        for listener in listeners {
            let api_server = ApiServer {
                world: Arc::clone(&self.world),
                cluster: Arc::clone(&cluster),
            };
            spawn_server(
                self.runtime(),
                listener,
                Arc::new(api_server),
                cluster.listener.add_server(),
            );
        }
        lock(&self.world.clusters).push(cluster);
        uid
    }

    /// The cluster as it is now.
    pub fn cluster(&self, name_or_uid: &str) -> ClusterInfo {
        self.find(name_or_uid).info()
    }

    /// Every cluster, in the order they were added.
    pub fn clusters(&self) -> Vec<ClusterInfo> {
        lock(&self.world.clusters)
            .iter()
            .map(|cluster| cluster.info())
            .collect()
    }

    /// The cluster is unknown to CCE from now on, its API server's ports closed.
    pub fn delete_cluster(&self, name_or_uid: &str) {
        let cluster = self.find(name_or_uid);
        cluster.listener.set(false);
        lock(&self.world.clusters).retain(|other| other.uid != cluster.uid);
    }

    /// Changes `status.phase`; an API server answers in the phases in which a real one does.
    pub fn set_phase(&self, cluster: &str, phase: &str) {
        phase.clone_into(&mut lock(&self.find(cluster).phase));
    }

    /// Opens or closes the ports of the cluster's API server; closing drops its connections.
    pub fn set_api_server_open(&self, cluster: &str, is_open: bool) {
        self.find(cluster).listener.set(is_open);
    }

    /// Every request to the cloud since the start or [`Self::clear_requests`], in the order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        lock(&self.world.records).all()
    }

    /// How many requests of one operation, or with `*` of all, there were.
    pub fn count(&self, operation: &str) -> usize {
        let requests = self.requests();
        let matching = requests
            .iter()
            .filter(|request| operation == "*" || request.operation == operation);
        matching.count()
    }

    /// Every request to the cluster's API server.
    pub fn api_requests(&self, cluster: &str) -> Vec<ApiRecorded> {
        lock(&self.find(cluster).records).all()
    }

    /// Forgets all requests, to the cloud and to API servers.
    pub fn clear_requests(&self) {
        lock(&self.world.records).clear();
        for cluster in lock(&self.world.clusters).iter() {
            lock(&cluster.records).clear();
        }
    }

    /// Every request of this operation meets this fault, instead of those ordered before. Operations are those of [`Recorded::operation`],
    /// `api` for requests to API servers, and `*` for all that have no fault of their own.
    pub fn set_fault(&self, operation: &str, fault: Fault) {
        let mut faults = lock(&self.world.faults);
        faults.clear(operation);
        faults.add(operation, fault, None);
    }

    /// The next so many requests of this operation meet this fault, after those ordered before.
    pub fn add_fault(&self, operation: &str, fault: Fault, times: u32) {
        lock(&self.world.faults).add(operation, fault, Some(times));
    }

    /// No faults any more.
    pub fn clear_faults(&self) {
        lock(&self.world.faults).clear_all();
    }

    /// Changes how the cloud behaves.
    pub fn set_behaviour(&self, change: impl FnOnce(&mut Behaviour)) {
        self.world.set_behaviour(change);
    }

    /// How the cloud behaves.
    pub fn behaviour(&self) -> Behaviour {
        self.world.behaviour()
    }

    /// Revokes what the user has been issued on the cluster until now, as `clustercertrevoke` does.
    pub fn revoke(&self, cluster: &str, user: &str) {
        let id = self.user_id(user);
        self.find(cluster).revoke(&id, false);
    }

    /// Gives the cluster a new CA and server certificate at once, as a successful rotation of `all` does.
    pub fn rotate(&self, cluster: &str) {
        self.find(cluster).rotate(clock::real_now());
    }

    /// Client certificates of the cluster come from a new CA from now on, and those of the one before are refused.
    pub fn renew_client_authority(&self, cluster: &str) {
        self.find(cluster).renew_client_authority(clock::real_now());
    }

    /// A new certificate for the cluster's API server, where the test brings that along.
    pub fn server_certificate(&self, cluster: &str) -> IssuedCertificate {
        let identity = self.find(cluster).server_identity(clock::real_now());
        IssuedCertificate {
            certificate: identity.certificate_pem,
            key: identity.key_pem,
        }
    }

    /// A server certificate of the cloud's own CA for this name, valid in these seconds from now, for a server that the test brings along.
    pub fn cloud_certificate(&self, name: &str, valid: std::ops::Range<i64>) -> IssuedCertificate {
        let now = clock::real_now();
        let validity = Validity {
            not_before: now + chrono::Duration::seconds(valid.start),
            not_after: now + chrono::Duration::seconds(valid.end),
        };
        let purpose = rcgen::ExtendedKeyUsagePurpose::ServerAuth;
        let identity = self.world.authority.server(&[name.to_owned()], purpose, validity);
        IssuedCertificate {
            certificate: identity.certificate_pem,
            key: identity.key_pem,
        }
    }

    /// Starts a rotation of `all` as the API does; returns the job's id.
    pub fn start_rotation(&self, cluster: &str) -> String {
        jobs::start_rotation(&self.world, &self.find(cluster), true)
    }

    /// Issues a client certificate past the API; `lifetime` in whole seconds from the cloud's now.
    pub fn issue_certificate(&self, cluster: &str, user: &str, lifetime: Duration) -> IssuedCertificate {
        let cluster = self.find(cluster);
        let now = self.world.now();
        let user = lock(&self.world.directory).user(user).expect("the user exists").clone();
        let key = keys::next_key(cluster.spec.key_format);
        let subject = Subject {
            common_name: &user.id,
            is_agency: false,
            organizations: &user.groups,
        };
        let lifetime = chrono::Duration::from_std(lifetime).expect("a lifetime fits");
        let validity = Validity {
            not_before: now,
            not_after: now + lifetime,
        };
        IssuedCertificate {
            certificate: cluster.issue(key, &subject, validity).pem,
            key: key.pem(cluster.spec.key_format).to_owned(),
        }
    }

    pub(crate) fn has_cluster(&self, name_or_uid: &str) -> bool {
        self.world.cluster(name_or_uid).is_some()
    }

    pub(crate) fn has_project(&self, name_or_id: &str) -> bool {
        lock(&self.world.directory).project(name_or_id).is_some()
    }

    pub(crate) fn has_user(&self, name_or_id: &str) -> bool {
        lock(&self.world.directory).user(name_or_id).is_some()
    }

    fn find(&self, name_or_uid: &str) -> Arc<Cluster> {
        self.world.cluster(name_or_uid).expect("the cluster exists")
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("the runtime is taken by drop only")
    }
}

impl Drop for Sim {
    /// Closes every port before it returns.
    fn drop(&mut self) {
        for listener in [
            &self.world.listener,
            &self.world.metadata_listener,
            &self.world.local_listener,
        ] {
            listener.set(false);
        }
        for cluster in lock(&self.world.clusters).iter() {
            cluster.listener.set(false);
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn listen(address: IpAddr, port: u16) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(SocketAddr::new(address, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// A custom SAN that names a loopback address is listened on too, where that is possible.
fn listen_on_name(name: &str, port: u16) -> Option<TcpListener> {
    let address = match name {
        "localhost" => Ipv4Addr::LOCALHOST,
        _ => name.parse::<Ipv4Addr>().ok().filter(Ipv4Addr::is_loopback)?,
    };
    listen(address.into(), port).ok()
}

/// `127.{network}.{number}.1`
fn cluster_ip(network: u8, number: u32) -> IpAddr {
    let third = u8::try_from(number % 256).unwrap_or_default();
    let fourth = u8::try_from(1 + (number / 256) % 250).unwrap_or(1);
    Ipv4Addr::new(127, network, third, fourth).into()
}

fn spawn_server(runtime: &Runtime, socket: TcpListener, answerer: Arc<dyn Answerer>, listening: Listening) {
    let _inside = runtime.enter();
    let socket = tokio::net::TcpListener::from_std(socket).expect("a loopback listener can be polled");
    runtime.spawn(server::serve(socket, answerer, listening));
}
