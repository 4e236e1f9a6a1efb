//! Files that we keep, by their paths: each in a [`PrivateDir`], read, replaced, opened or removed as one step.

use super::{Loose, PrivateDir};
use crate::secret::Secret;
use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::path::Path;

/// A longer file was not written by us.
pub(super) const SIZE_MAX: u64 = 1 << 20;
/// How the names of files that are being written begin.
const TEMPORARY: &str = ".new-";

/// The contents of a file of ours; `None`: there is none.
pub(crate) fn read_private(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let (directory, name) = split(path)?;
    let Some(directory) = PrivateDir::open(directory, user_id(), Loose::Tighten)? else {
        return Ok(None);
    };
    // For the owner of the file; what is secret is in stores, and they do not come through here.
    Ok(directory.read(name)?.map(|bytes| bytes.expose().clone()))
}

/// Writes a file that only we can read, all at once, and makes its directory if need be.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (directory, name) = split(path)?;
    let durable = true;
    PrivateDir::create(directory, user_id(), Loose::Tighten)?.write(name, &Secret::new(bytes.to_vec()), durable)
}

/// Opens a file that is changed in place or locked; makes it, and its directory, if need be.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let (directory, name) = split(path)?;
    PrivateDir::create(directory, user_id(), Loose::Tighten)?.open_file(name)
}

/// Removes a file of ours; one that is not there is no error.
pub(crate) fn remove_private(path: &Path) -> io::Result<()> {
    let (directory, name) = split(path)?;
    match PrivateDir::open(directory, user_id(), Loose::Tighten)? {
        Some(directory) => directory.remove(name),
        None => Ok(()),
    }
}

/// The names of the files in a directory of ours; none where there is no such directory.
pub(crate) fn private_names(directory: &Path) -> io::Result<Vec<String>> {
    match PrivateDir::open(directory, user_id(), Loose::Tighten)? {
        Some(directory) => directory.names(),
        None => Ok(Vec::new()),
    }
}

fn split(path: &Path) -> io::Result<(&Path, &str)> {
    let name = path.file_name().and_then(std::ffi::OsStr::to_str);
    path.parent()
        .zip(name)
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
}

/// Who but us (and root) can write this file or directory, if anybody can; links are followed. Unknown where there are no such modes.
#[cfg(unix)]
pub(crate) fn others_who_can_write(path: &Path) -> io::Result<Option<String>> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path)?;
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    if owner != 0 && owner != user_id() {
        return Ok(Some(format!("it belongs to somebody else (user {owner})")));
    }
    Ok((mode & 0o022 != 0).then(|| format!("others can write it (mode {mode:04o})")))
}

/// Who but us (and root) can write this file or directory, if anybody can; links are followed. Unknown where there are no such modes.
#[cfg(not(unix))]
pub(crate) fn others_who_can_write(_path: &Path) -> io::Result<Option<String>> {
    Ok(None)
}

/// Our user id; 0 where there is no such thing.
pub(crate) fn user_id() -> u32 {
    #[cfg(unix)]
    return rustix::process::geteuid().as_raw();
    #[cfg(not(unix))]
    0
}

/// A name that nobody can know before the file is there.
pub(super) fn temporary_name() -> String {
    format!("{TEMPORARY}{:016x}", RandomState::new().build_hasher().finish())
}

/// The name of a file that is being written.
pub(super) fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY)
}

/// Something there is not ours.
pub(super) fn refused(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, reason)
}
