//! What the commands have in common at run time: the stores, the directories, the log, the deadline, a client for the cloud.

use crate::cache::CertCache;
use crate::env_vars;
use crate::error::{Error, Result};
use crate::host::{Deadline, Directories, Host, Keyrings};
use crate::http::{AnswerSize, Http, HttpSettings, Proxies, Trust};
use crate::huaweicloud::api::Api;
use crate::huaweicloud::credentials::Credentials;
use crate::huaweicloud::observed::Endpoints;
use crate::log::Log;
use crate::plan::{CloudSettings, RunSettings};
use crate::store::{CacheMode, LayeredStore, SecretPlace, StoreEnvironment, Stores};
use chrono::{DateTime, TimeDelta, Utc};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The pause after a 429 that names none.
const THROTTLE_PAUSE: TimeDelta = TimeDelta::seconds(6);

/// Whether a run may send a person to a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BrowserUse {
    /// A person runs the command.
    ByPerson,
    /// kubectl does: only if it was told so.
    ByKubectl,
    /// Nobody is to be signed in.
    Never,
}

/// One run.
pub(crate) struct Session<'a> {
    pub(crate) host: &'a Host,
    pub(crate) log: Log<'a>,
    pub(crate) directories: Directories,
    pub(crate) deadline: Deadline,
    pub(crate) started: DateTime<Utc>,
    pub(crate) is_interactive: bool,
    /// Whether a person may be sent to a browser.
    pub(crate) browser_use: BrowserUse,
    stores: Stores,
    /// A client runs us with arguments that may be anybody's: nothing is signed for endpoints that nothing else names.
    pub(crate) is_for_client: bool,
    timeout_per_certificate: Duration,
}

impl<'a> Session<'a> {
    pub(crate) fn new(host: &'a Host, directories: Directories, run: RunSettings, verbosity: u8) -> Self {
        let started = host.clock.now();
        Self {
            stores: Stores::new(store_environment(host, &directories, run.is_interactive, started)),
            host,
            log: Log::new(host, verbosity),
            directories,
            deadline: host.deadline(run.timeout),
            started,
            is_interactive: run.is_interactive,
            browser_use: BrowserUse::ByPerson,
            timeout_per_certificate: run.timeout_per_certificate,
            is_for_client: false,
        }
    }

    /// The same for kubectl and its like.
    pub(crate) fn for_client(self) -> Self {
        Self {
            is_for_client: true,
            browser_use: BrowserUse::ByKubectl,
            stores: self.stores.for_client(),
            ..self
        }
    }

    /// More time, for so many requests of which each waits for its turn.
    pub(crate) fn allow_for(&mut self, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.deadline = self.deadline.later(self.timeout_per_certificate.saturating_mul(count));
    }

    /// The stores of certificates.
    pub(crate) fn store(&self, mode: CacheMode) -> LayeredStore {
        match &self.host.keyrings {
            _ if mode == CacheMode::None => LayeredStore::default(),
            Keyrings::Given(stores) => LayeredStore::new(stores.clone(), None),
            Keyrings::System => self.stores.of(mode),
        }
    }

    /// Every store that this system has, whatever the settings say; and files in this directory, if they are not among them.
    pub(crate) fn every_store(&self, elsewhere: Option<&Path>) -> LayeredStore {
        match &self.host.keyrings {
            Keyrings::Given(stores) => LayeredStore::new(stores.clone(), None),
            Keyrings::System => self.stores.all(elsewhere),
        }
    }

    /// The cache that keeps its certificates in `store`.
    pub(crate) fn cache<'s>(&'s self, store: &'s LayeredStore) -> CertCache<'s> {
        CertCache {
            store,
            directories: &self.directories,
            clock: &self.host.clock,
            log: &self.log,
        }
    }

    /// The store of secrets that are kept there.
    pub(crate) fn secrets(&self, place: SecretPlace) -> LayeredStore {
        match (&self.host.keyrings, place, &self.directories.config) {
            (_, SecretPlace::File, Some(config)) => self.stores.files_in(&config.join("secrets")),
            (Keyrings::Given(stores), ..) => LayeredStore::new(stores.clone(), None),
            (Keyrings::System, ..) => self.stores.secrets(),
        }
    }

    /// A client for the cloud's endpoints.
    pub(crate) fn cloud_http(&self, cloud: &CloudSettings) -> Result<Http> {
        Ok(Http::new(&self.http_settings(cloud.roots(), cloud.proxy.as_deref()))?)
    }

    /// A client for where people sign in, whose roots are the system's or those that its own profile names: never those of an argument.
    pub(crate) fn sign_on_http(&self, ca_file: Option<&Path>, proxy: Option<&str>) -> Result<Http> {
        Ok(Http::new(&HttpSettings {
            answers: AnswerSize::Short,
            ..self.http_settings(ca_file, proxy)
        })?)
    }

    /// As the environment says, but for these roots and this proxy.
    fn http_settings(&self, roots: Option<&Path>, proxy: Option<&str>) -> HttpSettings {
        let usual = HttpSettings::of(&self.host.env);
        HttpSettings {
            trust: roots.map_or(usual.trust, |path| Trust::File(path.to_owned())),
            proxies: proxy.map_or(usual.proxies, Proxies::only),
            ..usual
        }
    }

    /// Calls of the cloud's services with `credentials`, all of them over by `deadline`.
    pub(crate) fn api<'s>(&'s self, http: &'s Http, credentials: &'s Credentials, deadline: Deadline) -> Api<'s> {
        let clock = &self.host.clock;
        let endpoints = Endpoints::new(&self.directories, clock);
        Api::new(http, credentials, endpoints, clock, &self.log, deadline).with_known_forms_only(self.is_for_client)
    }

    /// Waits as long as the cloud asks after it has throttled us, and says so; the error itself if there is not so much time.
    pub(crate) fn wait_out_throttle(&self, error: Error) -> Result<()> {
        self.sit_out(error, 0.1, |line| self.host.say(&line))
    }

    /// The same without a word: it was said before.
    pub(crate) fn wait_out_next_throttle(&self, error: Error) -> Result<()> {
        self.sit_out(error, 0.1, drop)
    }

    /// Does it, and where there is patience [until it is not throttled](Self::until_not_throttled).
    pub(crate) fn patiently<T>(&self, is_patient: bool, act: impl Fn() -> Result<T>) -> Result<T> {
        if is_patient {
            self.until_not_throttled(act)
        } else {
            act()
        }
    }

    /// Does it again as often as it is throttled and there is time; without a word but in the log, and among many that do the same.
    pub(crate) fn until_not_throttled<T>(&self, act: impl Fn() -> Result<T>) -> Result<T> {
        loop {
            match act() {
                Err(error) if error.is_throttled() => self.sit_out(error, 0.5, |line| self.log.info(|| line))?,
                result => return result,
            }
        }
    }

    /// `spread`: how much longer, as a part of the pause, somebody may wait by chance.
    fn sit_out(&self, error: Error, spread: f64, say: impl FnOnce(String)) -> Result<()> {
        let jitter = self.host.processes.jitter();
        let pause = error
            .retry_after()
            .unwrap_or(THROTTLE_PAUSE)
            .to_std()
            .unwrap_or_default();
        let pause = pause.max(Duration::from_millis(100)).mul_f64(1.0 + spread * jitter);
        if self.deadline.remaining() < pause {
            return Err(error);
        }
        let seconds = pause.as_secs_f64().ceil();
        say(format!("the cloud throttles this identity: going on in {seconds} s"));
        std::thread::sleep(pause);
        Ok(())
    }
}

fn store_environment(
    host: &Host,
    directories: &Directories,
    interactive: bool,
    now: DateTime<Utc>,
) -> StoreEnvironment {
    let env = &host.env;
    let runtime = directories.runtime.as_ref();
    StoreEnvironment {
        dbus_session_bus_address: env.var_os(env_vars::DBUS_SESSION_BUS_ADDRESS),
        xdg_runtime_dir: env.path(env_vars::XDG_RUNTIME_DIR),
        container: env.var_os(env_vars::CONTAINER),
        kubernetes_service_host: env.var_os(env_vars::KUBERNETES_SERVICE_HOST),
        cache_dir: directories.cache.clone(),
        shared_memory_dir: PathBuf::from("/dev/shm"),
        time_out_marker: runtime.map(|dir| dir.join("keyring-timed-out")),
        uid: crate::host::user_id(),
        interactive,
        is_for_client: false,
        keyring_deadline: StoreEnvironment::keyring_deadline_for(interactive),
        now,
    }
}
