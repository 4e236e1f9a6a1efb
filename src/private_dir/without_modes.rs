//! A directory of ours where there are no modes: under the user's profile, which on Windows only the user, administrators and the system enter.
//!
//! The same face as the Unix file of that name.

#[path = "files.rs"]
mod files;

pub(crate) use files::user_id;
pub(crate) use files::{
    open_private, others_who_can_write, private_names, read_private, remove_private, write_private,
};

use crate::secret::Secret;
use files::{SIZE_MAX, is_temporary, refused, temporary_name};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// What to do with a directory of ours that others may enter; without modes, the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loose {
    /// Take it as it is.
    Tighten,
}

/// A directory of ours.
#[derive(Debug)]
pub(crate) struct PrivateDir {
    path: PathBuf,
}

impl PrivateDir {
    /// Opens the directory at `path` for reading; `None`: there is none.
    pub(crate) fn open(path: &Path, _uid: u32, _loose: Loose) -> io::Result<Option<Self>> {
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_dir() => Ok(Some(Self { path: path.to_owned() })),
            Ok(_) => Err(refused("it is not a directory")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the directory at `path` for writing, making it, and what leads to it, if need be.
    pub(crate) fn create(path: &Path, uid: u32, loose: Loose) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Self::open(path, uid, loose)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Reads a file; `None`: there is none.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<Secret<Vec<u8>>>> {
        let Some(metadata) = self.existing(name)? else {
            return Ok(None);
        };
        if metadata.len() > SIZE_MAX {
            return Err(refused("the entry is too large to be ours"));
        }
        let mut value = Vec::new();
        #[expect(clippy::disallowed_methods, reason = "a file of our own, looked at a moment ago")]
        File::open(self.path.join(name))?
            .take(SIZE_MAX)
            .read_to_end(&mut value)?;
        Ok(Some(Secret::new(value)))
    }

    /// Opens a file that is changed in place or locked, and makes it if need be.
    pub(crate) fn open_file(&self, name: &str) -> io::Result<File> {
        self.existing(name)?;
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        options.open(self.path.join(name))
    }

    fn existing(&self, name: &str) -> io::Result<Option<fs::Metadata>> {
        match fs::symlink_metadata(self.path.join(name)) {
            Ok(metadata) if metadata.is_file() => Ok(Some(metadata)),
            Ok(_) => Err(refused("the entry is not a file of ours")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a file so that a reader sees the old contents or the new ones; `durable`: also after a power cut.
    pub(crate) fn write(&self, name: &str, value: &Secret<Vec<u8>>, durable: bool) -> io::Result<()> {
        let temporary = self.path.join(temporary_name());
        let written = (|| {
            let mut file = File::create_new(&temporary)?;
            // Into a file of the user's profile: this is what it is for.
            file.write_all(value.expose())?;
            if durable {
                file.sync_all()?;
            }
            drop(file);
            fs::rename(&temporary, self.path.join(name))
        })();
        if written.is_err() {
            let _already_failing = fs::remove_file(&temporary);
        }
        written
    }

    /// Removes a file; one that is not there is no error.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The names in it, without those of temporary files; what is not text is not ours.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name().into_string();
            names.extend(name.ok().filter(|name| !is_temporary(name)));
        }
        Ok(names)
    }
}
