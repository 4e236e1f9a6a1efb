//! What the commands have in common at run time: the stores, the directories, the log, the deadline, a client for the cloud.

use crate::api::Api;
use crate::cache::CertCache;
use crate::credentials::Credentials;
use crate::env_vars;
use crate::error::Result;
use crate::host::{Deadline, Directories, Host, Keyrings};
use crate::http::{Http, HttpSettings, Proxies, Trust};
use crate::learnt::Endpoints;
use crate::log::Log;
use crate::plan::{CloudSettings, RunSettings};
use crate::store::{CacheMode, FileStore, LayeredStore, StoreWorld};
use chrono::{DateTime, Utc};
use std::path::PathBuf;
use std::sync::Arc;

/// One run.
pub(super) struct Session<'a> {
    pub(super) host: &'a Host,
    pub(super) log: Log<'a>,
    pub(super) directories: Directories,
    pub(super) deadline: Deadline,
    pub(super) started: DateTime<Utc>,
    pub(super) is_interactive: bool,
}

impl<'a> Session<'a> {
    pub(super) fn new(host: &'a Host, directories: Directories, run: RunSettings, verbosity: u8) -> Self {
        Self {
            host,
            log: Log::new(host, verbosity),
            directories,
            deadline: Deadline::after(run.timeout),
            started: host.clock.now(),
            is_interactive: run.is_interactive,
        }
    }

    /// The stores of certificates.
    pub(super) fn store(&self, mode: CacheMode) -> LayeredStore {
        match &self.host.keyrings {
            _ if mode == CacheMode::None => LayeredStore::default(),
            Keyrings::Given(stores) => LayeredStore::new(stores.clone(), None),
            Keyrings::System => crate::store::open(mode, &self.store_world()),
        }
    }

    /// The cache that keeps its certificates in `store`.
    pub(super) fn cache<'s>(&'s self, store: &'s LayeredStore) -> CertCache<'s> {
        CertCache {
            store,
            directories: &self.directories,
            clock: &self.host.clock,
            log: &self.log,
        }
    }

    /// The store of a profile's secret: `file` where the profile says so, else the keyring.
    pub(super) fn secrets(&self, kind: Option<&str>) -> LayeredStore {
        let world = self.store_world();
        match (&self.host.keyrings, kind, &self.directories.config) {
            (_, Some("file"), Some(config)) => {
                LayeredStore::new(vec![Arc::new(FileStore::new(config.join("secrets"), world.uid))], None)
            }
            (Keyrings::Given(stores), ..) => LayeredStore::new(stores.clone(), None),
            (Keyrings::System, ..) => LayeredStore::new(vec![crate::store::open_secrets(&world)], None),
        }
    }

    fn store_world(&self) -> StoreWorld {
        let env = &self.host.env;
        StoreWorld {
            dbus_session_bus_address: env.var_os(env_vars::DBUS_SESSION_BUS_ADDRESS),
            xdg_runtime_dir: env.path(env_vars::XDG_RUNTIME_DIR),
            container: env.var_os(env_vars::CONTAINER),
            kubernetes_service_host: env.var_os(env_vars::KUBERNETES_SERVICE_HOST),
            cache_dir: self.directories.cache.clone(),
            shared_memory_dir: PathBuf::from("/dev/shm"),
            time_out_marker: self
                .directories
                .runtime
                .as_ref()
                .map(|dir| dir.join("keyring-timed-out")),
            uid: crate::host::user_id(),
            interactive: self.is_interactive,
            keyring_deadline: StoreWorld::keyring_deadline_for(self.is_interactive),
            now: self.started,
        }
    }

    /// A client for the cloud's endpoints.
    pub(super) fn cloud_http(&self, cloud: &CloudSettings) -> Result<Http> {
        let trust = cloud.roots().map_or(Trust::System, |path| Trust::File(path.to_owned()));
        let proxy = cloud.proxy.as_deref().map(Proxies::only);
        Ok(Http::new(&HttpSettings {
            trust,
            proxies: proxy.unwrap_or_else(|| Proxies::from_env(&self.host.env)),
            ..HttpSettings::default()
        })?)
    }

    /// Calls of the cloud's services with `credentials`, all of them over by `deadline`.
    pub(super) fn api<'s>(&'s self, http: &'s Http, credentials: &'s Credentials, deadline: Deadline) -> Api<'s> {
        let clock = &self.host.clock;
        let endpoints = Endpoints::new(&self.directories, clock);
        Api::new(http, credentials, endpoints, clock, &self.log, deadline)
    }
}
