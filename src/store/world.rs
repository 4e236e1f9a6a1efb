//! What the stores need to know of the world, as values; and which stores a run uses.

use crate::store::{FileStore, LayeredStore, OsKeyring, SecretStore, Split, StoreError, StoreKind, TimeOutMarker};
use crate::words::Word;
use chrono::{DateTime, Utc};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Which stores a cache may use: `--cache`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheMode {
    /// The kernel keyring (Linux, not in a container) in front of the OS keyring; a private directory in memory if neither takes a value.
    #[default]
    Auto,
    /// The OS keyring alone.
    Keyring,
    /// The kernel keyring alone (Linux).
    Kernel,
    /// Files in the cache directory.
    File,
    /// Nothing is kept.
    None,
}

impl Word for CacheMode {
    const ALL: &'static [Self] = &[Self::Auto, Self::Keyring, Self::Kernel, Self::File, Self::None];

    fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Keyring => "keyring",
            Self::Kernel => "kernel",
            Self::File => "file",
            Self::None => "none",
        }
    }
}

/// Where a profile's secret is kept: `--secret-store`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretPlace {
    /// The OS keyring.
    Keyring,
    /// A file in the clear, which only its owner can read.
    File,
}

impl Word for SecretPlace {
    const ALL: &'static [Self] = &[Self::Keyring, Self::File];

    fn as_str(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::File => "file",
        }
    }
}

/// The parts of the world that decide which stores there are; environment variables as they are set, blank or not.
#[derive(Clone, Debug)]
pub struct StoreEnvironment {
    /// `DBUS_SESSION_BUS_ADDRESS`.
    pub dbus_session_bus_address: Option<OsString>,
    /// `XDG_RUNTIME_DIR`.
    pub xdg_runtime_dir: Option<PathBuf>,
    /// `container`, which container managers set (<https://systemd.io/CONTAINER_INTERFACE>).
    pub container: Option<OsString>,
    /// `KUBERNETES_SERVICE_HOST`, which every pod has.
    pub kubernetes_service_host: Option<OsString>,
    /// Where [`CacheMode::File`] puts its files; `None`: nowhere to put them.
    pub cache_dir: Option<PathBuf>,
    /// Where memory is mounted for everybody: `/dev/shm` on Linux.
    pub shared_memory_dir: PathBuf,
    /// Where a time-out of the OS keyring is noted for other processes (see [`TimeOutMarker`]).
    pub time_out_marker: Option<PathBuf>,
    /// Our user id; 0 where there is no such thing.
    pub uid: u32,
    /// Whether the OS keyring may open a dialog.
    pub interactive: bool,
    /// A client runs us, perhaps again in a moment: a dialog that was dismissed is not opened for the next run too.
    pub is_for_client: bool,
    /// How long one operation of the OS keyring may take: see [`StoreEnvironment::keyring_deadline_for`].
    pub keyring_deadline: Duration,
    /// The time at the start of the run.
    pub now: DateTime<Utc>,
}

impl StoreEnvironment {
    /// The deadlines: 60 s where a person may have to answer a dialog, 2 s elsewhere.
    pub fn keyring_deadline_for(interactive: bool) -> Duration {
        Duration::from_secs(if interactive { 60 } else { 2 })
    }

    /// The marker of the OS keyring's time-outs.
    pub(crate) fn time_out_marker(&self) -> TimeOutMarker {
        TimeOutMarker::new(self.time_out_marker.clone(), self.now)
    }

    /// `XDG_RUNTIME_DIR` if it counts: not blank, absolute.
    #[cfg(all(unix, not(target_os = "macos")))]
    pub(super) fn runtime_dir(&self) -> Option<&Path> {
        self.xdg_runtime_dir.as_deref().filter(|path| path.is_absolute())
    }
}

/// Whether a variable has a value: a blank one counts as unset.
#[cfg(all(unix, not(target_os = "macos")))]
pub(super) fn is_set(value: &std::ffi::OsStr) -> bool {
    !value.to_string_lossy().trim().is_empty()
}

/// The stores of one run; cheap, nothing is connected to or created before it is used.
///
/// The OS keyring is one for all of them: one connection, and one dialog at most. A store that turns out not to be there answers
/// [`StoreError::Unavailable`] with the reason.
pub struct Stores {
    environment: StoreEnvironment,
    os_keyring: OnceLock<Arc<dyn SecretStore>>,
}

impl Stores {
    /// Of this environment.
    pub fn new(environment: StoreEnvironment) -> Self {
        Self {
            environment,
            os_keyring: OnceLock::new(),
        }
    }

    /// The same for a run of a client; before any of them is used.
    #[must_use]
    pub(crate) fn for_client(self) -> Self {
        Self::new(StoreEnvironment {
            is_for_client: true,
            ..self.environment
        })
    }

    /// The stores that `mode` names.
    pub fn of(&self, mode: CacheMode) -> LayeredStore {
        let is_linux = cfg!(target_os = "linux");
        let layers = match mode {
            CacheMode::Auto if is_linux => vec![self.kernel_keyring(), self.os_keyring()],
            CacheMode::Auto | CacheMode::Keyring => vec![self.os_keyring()],
            CacheMode::Kernel => vec![self.kernel_keyring()],
            CacheMode::File => vec![self.file()],
            CacheMode::None => Vec::new(),
        };
        let fallback = (mode == CacheMode::Auto && is_linux).then(|| self.memory_directory());
        LayeredStore::new(layers, fallback)
    }

    /// Every store that this system may have, whatever the settings say today: to forget what was ever put into one of them.
    ///
    /// `elsewhere`: a directory that files were put into under other settings.
    pub(crate) fn all(&self, elsewhere: Option<&Path>) -> LayeredStore {
        let mut layers = Vec::new();
        if cfg!(target_os = "linux") {
            layers.extend([self.kernel_keyring(), self.memory_directory()]);
        }
        layers.push(self.file());
        if let Some(directory) = elsewhere.filter(|directory| self.environment.cache_dir.as_deref() != Some(directory))
        {
            layers.push(self.file_in(directory));
        }
        layers.push(self.os_keyring());
        LayeredStore::new(layers, None)
    }

    /// The store for what must outlive a reboot (profile secrets): the OS keyring.
    ///
    /// Without the kernel keyring in front of it and without a fallback: a secret that a person typed is kept well or not at all. For
    /// `--secret-store file` see [`Stores::files_in`].
    pub fn secrets(&self) -> LayeredStore {
        LayeredStore::new(vec![self.os_keyring()], None)
    }

    /// Files in this directory.
    pub(crate) fn files_in(&self, directory: &Path) -> LayeredStore {
        LayeredStore::new(vec![self.file_in(directory)], None)
    }

    fn file_in(&self, directory: &Path) -> Arc<dyn SecretStore> {
        Arc::new(FileStore::new(directory.to_owned(), self.environment.uid))
    }

    fn file(&self) -> Arc<dyn SecretStore> {
        match &self.environment.cache_dir {
            Some(directory) => self.file_in(directory),
            None => Arc::new(Absent(StoreKind::File)),
        }
    }

    fn os_keyring(&self) -> Arc<dyn SecretStore> {
        let open = || -> Arc<dyn SecretStore> {
            let keyring = OsKeyring::new(&self.environment);
            match OsKeyring::ITEM_LIMIT {
                Some(limit) => Arc::new(Split::new(keyring, limit)),
                None => Arc::new(keyring),
            }
        };
        Arc::clone(self.os_keyring.get_or_init(open))
    }

    fn kernel_keyring(&self) -> Arc<dyn SecretStore> {
        #[cfg(target_os = "linux")]
        return Arc::new(super::KernelKeyring::new(&self.environment));
        #[cfg(not(target_os = "linux"))]
        return Arc::new(Absent(StoreKind::KernelKeyring));
    }

    fn memory_directory(&self) -> Arc<dyn SecretStore> {
        #[cfg(target_os = "linux")]
        return Arc::new(super::MemoryDirectory::new(&self.environment));
        #[cfg(not(target_os = "linux"))]
        return Arc::new(Absent(StoreKind::MemoryDirectory));
    }
}

/// Stands where a store was asked for by name that this platform or this environment does not have.
struct Absent(StoreKind);

impl Absent {
    fn error(&self) -> StoreError {
        let reason = match self.0 {
            StoreKind::File => "there is no cache directory",
            _ => "this platform does not have it",
        };
        StoreError::unavailable(self.0, reason)
    }
}

impl SecretStore for Absent {
    fn kind(&self) -> StoreKind {
        self.0
    }

    fn get(&self, _account: &str) -> Result<Option<crate::secret::Secret<Vec<u8>>>, StoreError> {
        Err(self.error())
    }

    fn set(
        &self,
        _account: &str,
        _label: &str,
        _value: &crate::secret::Secret<Vec<u8>>,
        _expires_at: Option<DateTime<Utc>>,
        _now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        Err(self.error())
    }

    fn delete(&self, _account: &str) -> Result<(), StoreError> {
        Err(self.error())
    }

    fn list(&self) -> Result<Vec<String>, StoreError> {
        Err(self.error())
    }
}
