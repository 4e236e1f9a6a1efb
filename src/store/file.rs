//! Files on disk: only where the user asked for it by name (`--cache file`, `--secret-store file`).

use crate::private_dir::{Loose, PrivateDir};
use crate::secret::Secret;
use crate::store::{SecretStore, StoreError, StoreKind, check_account};
use chrono::{DateTime, Utc};
use std::io;
use std::path::PathBuf;

const KIND: StoreKind = StoreKind::File;
/// An account's file is `entry-<account>`; whatever else lies there is not ours to touch.
const PREFIX: &str = "entry-";
/// On Windows no name of a device, and no dot at its end.
const SUFFIX: &str = if cfg!(windows) { ".bin" } else { "" };

/// Keeps each value in a file of its own: directory 0700, files 0600, written to a temporary file, synced and renamed.
///
/// A directory of ours that is open to others is tightened when something is written. Symbolic links (as the directory or as an entry) and what
/// belongs to somebody else are refused.
pub struct FileStore {
    directory: PathBuf,
    uid: u32,
}

impl FileStore {
    /// Describes a store in `directory`, which the first write makes; `uid` is our user id (0 where there is no such thing).
    pub fn new(directory: PathBuf, uid: u32) -> Self {
        Self { directory, uid }
    }

    fn existing(&self, action: &'static str) -> Result<Option<PrivateDir>, StoreError> {
        PrivateDir::open(&self.directory, self.uid, Loose::Tighten).map_err(|error| self.failed(&error, action))
    }

    fn failed(&self, error: &io::Error, action: &'static str) -> StoreError {
        // The path is in the text because the cause, an errno, does not have it.
        let kind = error.kind();
        StoreError::failed(
            KIND,
            action,
            io::Error::new(kind, format!("`{}`: {error}", self.directory.display())),
        )
    }
}

impl SecretStore for FileStore {
    fn kind(&self) -> StoreKind {
        KIND
    }

    fn get(&self, account: &str) -> Result<Option<Secret<Vec<u8>>>, StoreError> {
        check_account(account)?;
        let action = "read an entry";
        match self.existing(action)? {
            Some(directory) => directory
                .read(&file_name(account))
                .map_err(|error| self.failed(&error, action)),
            None => Ok(None),
        }
    }

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
        let durable = true;
        PrivateDir::create(&self.directory, self.uid, Loose::Tighten)
            .and_then(|directory| directory.write(&file_name(account), value, durable))
            .map_err(|error| self.failed(&error, "write an entry"))
    }

    fn delete(&self, account: &str) -> Result<(), StoreError> {
        check_account(account)?;
        let action = "delete an entry";
        match self.existing(action)? {
            Some(directory) => directory
                .remove(&file_name(account))
                .map_err(|error| self.failed(&error, action)),
            None => Ok(()),
        }
    }

    fn list(&self) -> Result<Vec<String>, StoreError> {
        let action = "list its entries";
        match self.existing(action)? {
            Some(directory) => accounts(&directory).map_err(|error| self.failed(&error, action)),
            None => Ok(Vec::new()),
        }
    }
}

pub(crate) fn file_name(account: &str) -> String {
    [PREFIX, account, SUFFIX].concat()
}

/// The accounts that have a file in a directory.
pub(crate) fn accounts(directory: &PrivateDir) -> io::Result<Vec<String>> {
    let account = |name: String| Some(name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.to_owned());
    Ok(directory.names()?.into_iter().filter_map(account).collect())
}
