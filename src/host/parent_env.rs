//! The environment of the program that runs us: what it has not is from elsewhere, such as `exec.env` of a kubeconfig.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// The variables with which our parent was started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParentEnv(BTreeMap<OsString, OsString>);

impl ParentEnv {
    /// Of these pairs.
    pub fn of<K: Into<OsString>, V: Into<OsString>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }

    /// The parent's, where the system tells: Linux does, of processes of the same user.
    #[cfg(target_os = "linux")]
    pub(super) fn of_system() -> Option<Self> {
        use std::io::Read as _;
        use std::os::unix::ffi::OsStrExt as _;
        /// The kernel gives a process a few megabytes of arguments and environment.
        const LARGEST: u64 = 16 << 20;
        let parent = rustix::process::getppid()?.as_raw_pid();
        #[expect(clippy::disallowed_methods, reason = "the kernel's own file, and bounded below")]
        let file = std::fs::File::open(format!("/proc/{parent}/environ")).ok()?;
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes).ok()?;
        // A process that has ended, or none of ours, shows nothing.
        if bytes.is_empty() {
            return None;
        }
        let pairs = bytes.split(|byte| *byte == 0).filter_map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=')?;
            let (name, value) = (pair.get(..at)?, pair.get(at + 1..)?);
            Some((OsStr::from_bytes(name), OsStr::from_bytes(value)))
        });
        Some(Self::of(pairs))
    }

    /// Other systems do not tell.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn of_system() -> Option<Self> {
        None
    }

    /// Whether it has this variable with this value.
    pub(super) fn has(&self, name: &str, value: &OsStr) -> bool {
        self.0.get(OsStr::new(name)).is_some_and(|own| own == value)
    }
}
