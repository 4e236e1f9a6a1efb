//! The state of the simulated cloud, shared by its servers and the one who controls them.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::{
    accounts::IdTokenSpec,
    behaviour::{Behaviour, MetadataMode},
    clock,
    cluster::Cluster,
    directory::Directory,
    faults::Faults,
    id_token,
    identity_center::Center,
    jobs::Job,
    listener::Listener,
    metadata::Ecs,
    pki::{self, Authority},
    provider::ProviderState,
    records::{Recorded, Records},
    tokens::Tokens,
};
use chrono::{DateTime, Utc};

pub(crate) const REGION: &str = "cn-north-4";

/// Where the cloud is: `https://127.0.0.1:PORT`.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    pub(crate) iam: String,
    pub(crate) cce: String,
    /// `iss` of the company's identity provider.
    pub(crate) provider: String,
}

/// Everything that can change while the servers run.
pub(crate) struct World {
    pub(crate) authority: Authority,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) records: Mutex<Records<Recorded>>,
    pub(crate) directory: Mutex<Directory>,
    pub(crate) tokens: Mutex<Tokens>,
    pub(crate) ecs: Mutex<Ecs>,
    pub(crate) center: Mutex<Center>,
    pub(crate) provider: Mutex<ProviderState>,
    /// The id of the agency that pods get keys of.
    pub(crate) pod_agency_id: Mutex<Option<String>>,
    /// The bearer token of a job of GitHub Actions.
    pub(crate) actions_request_token: String,
    /// Id tokens and metadata tokens given out, for [`Sim::secrets`](crate::Sim::secrets).
    pub(crate) bearer_texts: Mutex<Vec<String>>,
    pub(crate) clusters: Mutex<Vec<Arc<Cluster>>>,
    pub(crate) jobs: Mutex<Vec<Job>>,
    /// Recent `clustercert` requests per user, for [`Behaviour::clustercert_limit`].
    pub(crate) recent_clustercerts: Mutex<HashMap<String, VecDeque<DateTime<Utc>>>>,
    /// The cloud's ports.
    pub(crate) listener: Listener,
    /// The metadata service's port.
    pub(crate) metadata_listener: Listener,
    /// The ports next to a pod and a CI job.
    pub(crate) local_listener: Listener,
    pub(crate) endpoints: OnceLock<Endpoints>,
    behaviour: Mutex<Behaviour>,
    next_cluster: AtomicU32,
}

impl World {
    pub(crate) fn new(authority: Authority) -> Self {
        Self {
            authority,
            faults: Mutex::default(),
            records: Mutex::default(),
            directory: Mutex::new(Directory::new(REGION)),
            tokens: Mutex::default(),
            ecs: Mutex::default(),
            center: Mutex::default(),
            provider: Mutex::default(),
            pod_agency_id: Mutex::default(),
            actions_request_token: pki::random_id().repeat(4),
            bearer_texts: Mutex::default(),
            clusters: Mutex::default(),
            jobs: Mutex::default(),
            recent_clustercerts: Mutex::default(),
            listener: Listener::default(),
            metadata_listener: Listener::default(),
            local_listener: Listener::default(),
            endpoints: OnceLock::new(),
            behaviour: Mutex::default(),
            next_cluster: AtomicU32::new(1),
        }
    }

    pub(crate) fn behaviour(&self) -> Behaviour {
        lock(&self.behaviour).clone()
    }

    pub(crate) fn set_behaviour(&self, change: impl FnOnce(&mut Behaviour)) {
        let (is_down, metadata) = {
            let mut behaviour = lock(&self.behaviour);
            change(&mut behaviour);
            (behaviour.cloud_down, behaviour.metadata)
        };
        self.listener.set(!is_down);
        self.metadata_listener.set(metadata != MetadataMode::Refused);
    }

    /// The cloud's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let offset = lock(&self.behaviour).clock_offset;
        clock::real_now() + chrono::Duration::try_seconds(offset).unwrap_or_default()
    }

    /// When a temporary access key ends that was asked for so many seconds.
    pub(crate) fn temporary_key_end(&self, seconds: i64) -> DateTime<Utc> {
        let lifetime = lock(&self.behaviour).temporary_key_lifetime;
        let lifetime = lifetime.and_then(|lifetime| chrono::Duration::from_std(lifetime).ok());
        self.now() + lifetime.unwrap_or_else(|| chrono::Duration::seconds(seconds))
    }

    /// An id token, signed now.
    pub(crate) fn id_token(&self, spec: &IdTokenSpec) -> String {
        let token = id_token::sign(spec, self.now());
        lock(&self.bearer_texts).push(token.clone());
        token
    }

    pub(crate) fn endpoints(&self) -> Endpoints {
        self.endpoints.get().expect("set before the first request").clone()
    }

    /// Numbers clusters from 1; the number is part of their addresses.
    pub(crate) fn next_cluster_number(&self) -> u32 {
        self.next_cluster.fetch_add(1, Ordering::Relaxed)
    }

    /// By name, alias or uid.
    pub(crate) fn cluster(&self, name_or_uid: &str) -> Option<Arc<Cluster>> {
        let clusters = lock(&self.clusters);
        clusters.iter().find(|cluster| cluster.is_called(name_or_uid)).cloned()
    }
}

/// A lock whose holder cannot leave nonsense behind, even by panicking.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
