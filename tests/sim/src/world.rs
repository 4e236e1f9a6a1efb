//! The state of the simulated cloud, shared by its servers and the one who controls them.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::{
    behaviour::Behaviour,
    clock,
    cluster::Cluster,
    directory::Directory,
    door::Door,
    faults::Faults,
    jobs::Job,
    pki::Authority,
    records::{Recorded, Records},
};
use chrono::{DateTime, Utc};

pub(crate) const REGION: &str = "cn-north-4";

/// Everything that can change while the servers run.
pub(crate) struct World {
    pub(crate) authority: Authority,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) records: Mutex<Records<Recorded>>,
    pub(crate) directory: Mutex<Directory>,
    pub(crate) clusters: Mutex<Vec<Arc<Cluster>>>,
    pub(crate) jobs: Mutex<Vec<Job>>,
    /// Recent `clustercert` requests per user, for [`Behaviour::clustercert_limit`].
    pub(crate) recent_clustercerts: Mutex<HashMap<String, VecDeque<DateTime<Utc>>>>,
    /// The cloud's ports.
    pub(crate) door: Door,
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
            clusters: Mutex::default(),
            jobs: Mutex::default(),
            recent_clustercerts: Mutex::default(),
            door: Door::default(),
            behaviour: Mutex::default(),
            next_cluster: AtomicU32::new(1),
        }
    }

    pub(crate) fn behaviour(&self) -> Behaviour {
        lock(&self.behaviour).clone()
    }

    pub(crate) fn set_behaviour(&self, change: impl FnOnce(&mut Behaviour)) {
        let is_down = {
            let mut behaviour = lock(&self.behaviour);
            change(&mut behaviour);
            behaviour.cloud_down
        };
        self.door.set(!is_down);
    }

    /// The cloud's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let offset = lock(&self.behaviour).clock_offset;
        clock::real_now() + chrono::Duration::try_seconds(offset).unwrap_or_default()
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
