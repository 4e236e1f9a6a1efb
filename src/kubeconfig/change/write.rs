//! Carries a change out: lock, look again, stage, replace. At any moment each file is the old one or the new one, where a rename can do it.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::kubeconfig::change::FileChange;
use crate::kubeconfig::change::lock::{Lock, beside};
use crate::kubeconfig::change::replace::Staged;
use crate::kubeconfig::error::failed;
use crate::kubeconfig::locations::{parent, real_file};
use crate::kubeconfig::{KubeconfigError, Locations, read};

/// Writes all the files; [`KubeconfigError::ChangedMeanwhile`] if one is not as it was when the change was computed.
pub(crate) fn write(files: &[FileChange], locations: &Locations) -> Result<(), KubeconfigError> {
    let mut targets = Vec::new();
    let mut to_lock = BTreeSet::new(); // sorted, as kubectl does, so that two writers cannot wait for each other
    for file in files {
        let Some(target) = locations.target(&file.path)? else {
            continue; // the null device takes everything and keeps nothing
        };
        for path in [&file.path, &target] {
            create_directory(parent(path)).map_err(failed("create", parent(path)))?;
            to_lock.insert(path.clone());
        }
        targets.push((file, target));
    }
    let locks = to_lock.iter().map(|path| Lock::take(path));
    let _locks = locks.collect::<Result<Vec<_>, _>>()?;
    for (file, _) in &targets {
        if read(&file.path, locations.inputs())? != file.before {
            return Err(KubeconfigError::ChangedMeanwhile {
                path: file.path.clone(),
            });
        }
    }
    let mut staged = Vec::new();
    for (file, target) in targets {
        let model = attributes(&target)?;
        let before = file.before.as_ref().map(crate::kubeconfig::text::Text::encode);
        if let Some(before) = &before {
            let backup = file.backup.as_ref().map(crate::kubeconfig::text::Text::encode);
            let text = backup.as_ref().unwrap_or(before);
            staged.push(Staged::backup(text, backup_file(&file.path), model.as_ref())?);
        }
        staged.push(Staged::new(&file.after.encode(), target, model.as_ref(), before)?);
    }
    staged.into_iter().try_for_each(Staged::commit)
}

/// The file that keeps what a kubeconfig was before the last change.
pub(crate) fn backup_file(kubeconfig: &Path) -> PathBuf {
    beside(kubeconfig, ".cce-login-backup")
}

impl Locations {
    /// The file that is written for `path`, any links followed; `None` for the null device. What is not a file is refused, and so is a
    /// new file in the home of somebody else.
    fn target(&self, path: &Path) -> Result<Option<PathBuf>, KubeconfigError> {
        let target = real_file(path).map_err(failed("follow the links of", path))?;
        match attributes(&target)? {
            Some(metadata) if metadata.is_file() => Ok(Some(target)),
            Some(metadata) => match kind(&metadata) {
                None => Ok(None),
                Some(what) => Err(KubeconfigError::NotAFile {
                    path: path.to_owned(),
                    what,
                }),
            },
            None if self.is_default() && is_home_of_somebody_else(&target) => {
                Err(KubeconfigError::HomeOfSomebodyElse { path: path.to_owned() })
            }
            None => Ok(Some(target)),
        }
    }
}

/// `None` for a new file. One whose attributes cannot be read is none: it would lose mode, owner and links.
fn attributes(path: &Path) -> Result<Option<Metadata>, KubeconfigError> {
    match path.metadata() {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(failed("read the attributes of", path)(error)),
    }
}

/// It is not there, nor can it be where a directory of its path is a file; creating it says so.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// What that is which is not a file; `None` for the null device.
#[cfg(unix)]
fn kind(metadata: &Metadata) -> Option<&'static str> {
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    let kind = metadata.file_type();
    if kind.is_dir() {
        Some("a directory")
    } else if kind.is_fifo() {
        Some("a pipe")
    } else if kind.is_char_device()
        && Path::new("/dev/null")
            .metadata()
            .is_ok_and(|null| null.rdev() == metadata.rdev())
    {
        None
    } else {
        Some("a device")
    }
}

#[cfg(not(unix))]
fn kind(_metadata: &Metadata) -> Option<&'static str> {
    Some("a directory or a device")
}

/// `sudo` leaves `HOME` as it was: what root makes there, its owner could not change any more.
#[cfg(unix)]
fn is_home_of_somebody_else(new_file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let owner = new_file.ancestors().find_map(|path| path.metadata().ok());
    owner.is_some_and(|owner| ![0, crate::host::user_id()].contains(&owner.uid()))
}

#[cfg(not(unix))]
fn is_home_of_somebody_else(_new_file: &Path) -> bool {
    false
}

fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
