//! What the stores need to know of the world, as values; and which stores a run uses.

use crate::store::{FileStore, LayeredStore, OsKeyring, SecretStore, Split, StoreError, StoreKind, TimeOutMarker};
use chrono::{DateTime, Utc};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
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

impl CacheMode {
    /// Reads the words of `--cache`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Auto, Self::Keyring, Self::Kernel, Self::File, Self::None]
            .into_iter()
            .find(|mode| mode.as_str() == text)
    }

    /// The word of `--cache`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Keyring => "keyring",
            Self::Kernel => "kernel",
            Self::File => "file",
            Self::None => "none",
        }
    }
}

/// The parts of the world that decide which stores there are; environment variables as they are set, blank or not.
///
/// On Linux the D-Bus library reads the bus address from the process's environment itself: the values here decide only whether it is asked.
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
    /// How long one operation of the OS keyring may take: see [`StoreEnvironment::keyring_deadline_for`].
    pub keyring_deadline: Duration,
    /// The time at the start of the run.
    pub now: DateTime<Utc>,
}

impl StoreEnvironment {
    /// The contract's deadlines: 60 s where a person may have to answer a dialog, 2 s elsewhere.
    pub fn keyring_deadline_for(interactive: bool) -> Duration {
        Duration::from_secs(if interactive { 60 } else { 2 })
    }

    /// The marker of the OS keyring's time-outs.
    pub fn time_out_marker(&self) -> TimeOutMarker {
        TimeOutMarker::new(self.time_out_marker.clone(), self.now)
    }

    /// `XDG_RUNTIME_DIR` if it counts: not blank, absolute.
    #[cfg(all(unix, not(target_os = "macos")))]
    pub(super) fn runtime_dir(&self) -> Option<&std::path::Path> {
        self.xdg_runtime_dir.as_deref().filter(|path| path.is_absolute())
    }

    /// Whether there is a session bus to connect to, without connecting.
    ///
    /// Where there is none, libdbus would start one with `dbus-launch`; it looks in the same two places before it does.
    #[cfg(all(unix, not(target_os = "macos")))]
    pub(super) fn session_bus(&self) -> Result<(), &'static str> {
        use std::os::unix::fs::{FileTypeExt, MetadataExt};
        match self.dbus_session_bus_address.as_deref().filter(|value| is_set(value)) {
            Some(address)
                if address
                    .to_string_lossy()
                    .split(';')
                    .any(|way| way.trim_start().starts_with("autolaunch:")) =>
            {
                Err("`DBUS_SESSION_BUS_ADDRESS` asks for a new session bus")
            }
            Some(_) => Ok(()),
            None => {
                let socket = self
                    .runtime_dir()
                    .and_then(|directory| directory.join("bus").metadata().ok());
                let is_ours = socket.is_some_and(|meta| meta.file_type().is_socket() && meta.uid() == self.uid);
                if is_ours {
                    Ok(())
                } else {
                    Err("there is no session bus")
                }
            }
        }
    }
}

/// Whether a variable has a value: a blank one counts as unset.
#[cfg(all(unix, not(target_os = "macos")))]
pub(super) fn is_set(value: &std::ffi::OsStr) -> bool {
    !value.to_string_lossy().trim().is_empty()
}

/// Builds the stores that `mode` names; cheap, nothing is connected to or created before it is used.
///
/// A store that turns out not to be there answers [`StoreError::Unavailable`] with the reason.
pub fn open(mode: CacheMode, world: &StoreEnvironment) -> LayeredStore {
    let is_linux = cfg!(target_os = "linux");
    let layers = match mode {
        CacheMode::Auto if is_linux => vec![kernel_keyring(world), os_keyring(world)],
        CacheMode::Auto | CacheMode::Keyring => vec![os_keyring(world)],
        CacheMode::Kernel => vec![kernel_keyring(world)],
        CacheMode::File => vec![file(world)],
        CacheMode::None => Vec::new(),
    };
    let fallback = (mode == CacheMode::Auto && is_linux).then(|| memory_directory(world));
    LayeredStore::new(layers, fallback)
}

/// The store for what must outlive a reboot (profile secrets): the OS keyring.
///
/// It is asked without the kernel keyring in front of it and without a fallback: a secret that a person typed is kept well or not at all. For
/// `--secret-store file` take a [`FileStore`].
pub fn open_secrets(world: &StoreEnvironment) -> Arc<dyn SecretStore> {
    os_keyring(world)
}

fn file(world: &StoreEnvironment) -> Arc<dyn SecretStore> {
    match &world.cache_dir {
        Some(directory) => Arc::new(FileStore::new(directory.clone(), world.uid)),
        None => absent(StoreKind::File, world),
    }
}

fn os_keyring(world: &StoreEnvironment) -> Arc<dyn SecretStore> {
    let keyring = OsKeyring::new(world);
    match OsKeyring::ITEM_LIMIT {
        Some(limit) => Arc::new(Split::new(keyring, limit)),
        None => Arc::new(keyring),
    }
}

fn kernel_keyring(world: &StoreEnvironment) -> Arc<dyn SecretStore> {
    #[cfg(target_os = "linux")]
    return Arc::new(crate::store::KernelKeyring::new(world));
    #[cfg(not(target_os = "linux"))]
    return absent(StoreKind::KernelKeyring, world);
}

fn memory_directory(world: &StoreEnvironment) -> Arc<dyn SecretStore> {
    #[cfg(target_os = "linux")]
    return Arc::new(crate::store::MemoryDirectory::new(world));
    #[cfg(not(target_os = "linux"))]
    return absent(StoreKind::MemoryDirectory, world);
}

/// Stands where a store was asked for by name that this platform or this environment does not have.
struct Absent(StoreKind);

fn absent(kind: StoreKind, _world: &StoreEnvironment) -> Arc<dyn SecretStore> {
    Arc::new(Absent(kind))
}

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
