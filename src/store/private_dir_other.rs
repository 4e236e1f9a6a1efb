//! A directory of ours where there are no modes: under the user's profile, which on Windows only the user, administrators and the system enter.
//!
//! The same face as the Unix file of that name.

use crate::secret::Secret;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Files in it are named `entry-<account>.bin`: no reserved device name, no trailing dot.
const PREFIX: &str = "entry-";
const SUFFIX: &str = ".bin";
/// A longer file was not written by us.
const SIZE_MAX: u64 = 1 << 20;

/// What to do with a directory of ours that others may enter; without modes, the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Loose {
    /// Take it as it is.
    Tighten,
}

/// A directory of ours.
#[derive(Debug)]
pub(super) struct PrivateDir {
    path: PathBuf,
}

impl PrivateDir {
    /// Opens the directory at `path` for reading; `None`: there is none.
    pub(super) fn open(path: &Path, _uid: u32, _loose: Loose) -> io::Result<Option<Self>> {
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_dir() => Ok(Some(Self { path: path.to_owned() })),
            Ok(_) => Err(refused("it is not a directory")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the directory at `path` for writing, making it, and what leads to it, if need be.
    pub(super) fn create(path: &Path, uid: u32, loose: Loose) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Self::open(path, uid, loose)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Reads an account's file; `None`: there is none.
    pub(super) fn read(&self, account: &str) -> io::Result<Option<Secret<Vec<u8>>>> {
        let path = self.file(account);
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if !metadata.is_file() || metadata.len() > SIZE_MAX {
            return Err(refused("the entry is not a file of ours"));
        }
        let mut value = Vec::new();
        File::open(&path)?.take(SIZE_MAX).read_to_end(&mut value)?;
        Ok(Some(Secret::new(value)))
    }

    /// Writes an account's file so that a reader sees the old value or the new one; `durable`: also after a power cut.
    pub(super) fn write(&self, account: &str, value: &Secret<Vec<u8>>, durable: bool) -> io::Result<()> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let temporary = self.path.join(format!(
            "{}.{}.tmp",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        ));
        let written = (|| {
            let mut file = File::create(&temporary)?;
            // Into a file of the user's profile: this is what the store is for.
            file.write_all(value.expose())?;
            if durable {
                file.sync_all()?;
            }
            drop(file);
            fs::rename(&temporary, self.file(account))
        })();
        if written.is_err() {
            let _already_failing = fs::remove_file(&temporary);
        }
        written
    }

    /// Removes an account's file; one that is not there is no error.
    pub(super) fn remove(&self, account: &str) -> io::Result<()> {
        match fs::remove_file(self.file(account)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The accounts that have a file here.
    pub(super) fn accounts(&self) -> io::Result<Vec<String>> {
        let mut accounts = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let account = name
                .to_str()
                .and_then(|name| name.strip_prefix(PREFIX))
                .and_then(|name| name.strip_suffix(SUFFIX));
            accounts.extend(account.map(str::to_owned));
        }
        Ok(accounts)
    }

    fn file(&self, account: &str) -> PathBuf {
        self.path.join([PREFIX, account, SUFFIX].concat())
    }
}

fn refused(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, reason)
}
