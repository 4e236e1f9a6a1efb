//! kubectl's lock: a file `<kubeconfig>.lock` that exists while somebody writes (client-go `clientcmd/config.go`, `lockFile`).
//!
//! It carries no owner, so a left-over one cannot be told from a held one: we wait a little, then say which file it is and how to remove it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use crate::host::Stopwatch;
use crate::kubeconfig::KubeconfigError;

const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(25);

/// A held lock; dropping it removes the file.
#[derive(Debug)]
pub(crate) struct Lock {
    file: PathBuf,
}

impl Lock {
    /// Takes the lock of a kubeconfig, waiting up to two seconds for another holder.
    pub(crate) fn take(kubeconfig: &Path) -> Result<Self, KubeconfigError> {
        let file = lock_file(kubeconfig);
        let began = Stopwatch::start();
        loop {
            match create_new(&file) {
                Ok(_) => return Ok(Self { file }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => {
                    return Err(KubeconfigError::Write {
                        step: "create the lock file",
                        path: file,
                        source,
                    });
                }
            }
            if began.elapsed() >= PATIENCE {
                let age = fs::metadata(&file).and_then(|metadata| metadata.modified());
                return Err(KubeconfigError::Locked {
                    path: kubeconfig.to_owned(),
                    age: age.ok().and_then(|modified| modified.elapsed().ok()),
                    lock: file,
                });
            }
            sleep(PAUSE);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nothing is lost if this fails: the next writer names the file and the cure.
        let _ = fs::remove_file(&self.file);
    }
}

/// The file that is there while somebody writes this kubeconfig.
pub(crate) fn lock_file(kubeconfig: &Path) -> PathBuf {
    beside(kubeconfig, ".lock")
}

/// A path with something appended to its name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Creates a file that must not exist, for its owner only.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    #[expect(
        clippy::disallowed_methods,
        reason = "a new file: no link is followed, nothing is waited for"
    )]
    options.open(path)
}
