//! A private directory that lives in memory: the fallback where no keyring takes a value.
//!
//! `$XDG_RUNTIME_DIR/cce-login` first, then `/dev/shm/cce-login-UID`. Each is used only if it is on tmpfs, ours, 0700 and no symbolic link.

use crate::private_dir::{Loose, PrivateDir};
use crate::secret::Secret;
use crate::store::file::{accounts, file_name};
use crate::store::{SecretStore, StoreEnvironment, StoreError, StoreKind, check_account};
use chrono::{DateTime, Utc};
use rustix::fs::{StatFs, fstatfs, statfs};
use std::io;
use std::path::{Path, PathBuf};

const KIND: StoreKind = StoreKind::MemoryDirectory;
/// File systems that live in memory: `TMPFS_MAGIC`, `RAMFS_MAGIC` (Linux, `include/uapi/linux/magic.h`).
const IN_MEMORY: [u32; 2] = [0x0102_1994, 0x8584_58f6];

/// Keeps each value in a file of its own, 0600, in a directory in memory; gone at reboot, or when the last session ends.
pub struct MemoryDirectory {
    candidates: Vec<PathBuf>,
    uid: u32,
}

impl MemoryDirectory {
    /// Describes the store; the first write makes its directory.
    pub fn new(world: &StoreEnvironment) -> Self {
        let of_the_session = world.runtime_dir().map(|directory| directory.join("cce-login"));
        let of_the_machine = world.shared_memory_dir.join(format!("cce-login-{}", world.uid));
        Self {
            candidates: of_the_session.into_iter().chain([of_the_machine]).collect(),
            uid: world.uid,
        }
    }

    /// Does one thing in each directory there is, until it gives an answer; an error only if no candidate could be looked into.
    fn in_each<T>(
        &self,
        mut operation: impl FnMut(&PrivateDir) -> io::Result<Option<T>>,
    ) -> Result<Option<T>, StoreError> {
        let mut refusals = Vec::new();
        for path in &self.candidates {
            match self.existing(path) {
                Ok(None) => {}
                Ok(Some(directory)) => match operation(&directory) {
                    Ok(None) => {}
                    Ok(answer) => return Ok(answer),
                    Err(error) => refusals.push((path, error)),
                },
                Err(error) => refusals.push((path, error)),
            }
        }
        if refusals.len() == self.candidates.len() {
            Err(unavailable(&refusals))
        } else {
            Ok(None)
        }
    }

    fn existing(&self, path: &Path) -> io::Result<Option<PrivateDir>> {
        let Some(directory) = PrivateDir::open(path, self.uid, Loose::Refuse)? else {
            return Ok(None);
        };
        in_memory(fstatfs(directory.fd())?)?;
        Ok(Some(directory))
    }

    fn write(&self, path: &Path, account: &str, value: &Secret<Vec<u8>>) -> io::Result<()> {
        if self.existing(path)?.is_none()
            && let Some(parent) = path.parent()
        {
            // Before a directory is made: nothing of ours is left on a disk, or with somebody else (`sudo -E` keeps their variable).
            in_memory(statfs(parent)?)?;
            if ![0, self.uid].contains(&std::os::unix::fs::MetadataExt::uid(&parent.metadata()?)) {
                return Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    "it belongs to somebody else",
                ));
            }
        }
        let directory = PrivateDir::create(path, self.uid, Loose::Refuse)?;
        in_memory(fstatfs(directory.fd())?)?;
        let durable = false;
        directory.write(&file_name(account), value, durable)
    }
}

impl SecretStore for MemoryDirectory {
    fn kind(&self) -> StoreKind {
        KIND
    }

    fn get(&self, account: &str) -> Result<Option<Secret<Vec<u8>>>, StoreError> {
        check_account(account)?;
        self.in_each(|directory| directory.read(&file_name(account)))
    }

    /// Writes to the first directory that will do, and takes an older value out of the other.
    fn set(
        &self,
        account: &str,
        _label: &str,
        value: &Secret<Vec<u8>>,
        expires_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        check_account(account)?;
        if expires_at.is_some_and(|end| end <= now) {
            return Err(StoreError::Expired);
        }
        let mut refusals = Vec::new();
        for path in &self.candidates {
            match self.write(path, account, value) {
                Ok(()) => {
                    for other in self.candidates.iter().filter(|other| *other != path) {
                        let _nothing_of_ours_there = self
                            .existing(other)
                            .map(|directory| directory.map(|directory| directory.remove(&file_name(account))));
                    }
                    return Ok(());
                }
                Err(error) => refusals.push((path, error)),
            }
        }
        Err(unavailable(&refusals))
    }

    fn delete(&self, account: &str) -> Result<(), StoreError> {
        check_account(account)?;
        self.in_each::<()>(|directory| directory.remove(&file_name(account)).map(|()| None))
            .map(|_| ())
    }

    fn list(&self) -> Result<Vec<String>, StoreError> {
        let mut all = Vec::new();
        self.in_each::<()>(|directory| {
            all.append(&mut accounts(directory)?);
            Ok(None)
        })?;
        Ok(all)
    }
}

fn in_memory(file_system: StatFs) -> io::Result<()> {
    // The width and sign of `f_type` differ between architectures; the magic numbers have 32 bits.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "magic numbers have 32 bits on every architecture"
    )]
    let magic = file_system.f_type as u32;
    if IN_MEMORY.contains(&magic) {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "it is not in memory (tmpfs)",
        ))
    }
}

fn unavailable(refusals: &[(&PathBuf, io::Error)]) -> StoreError {
    let reasons: Vec<_> = refusals
        .iter()
        .map(|(path, error)| format!("`{}`: {error}", path.display()))
        .collect();
    StoreError::unavailable(KIND, reasons.join("; "))
}
