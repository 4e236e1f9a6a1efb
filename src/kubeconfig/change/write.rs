//! Carries a change out: lock, look again, stage, replace. At any moment each file is the old one or the new one.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::kubeconfig::change::FileChange;
use crate::kubeconfig::change::lock::{Lock, beside, create_new};
use crate::kubeconfig::{KubeconfigError, read};

/// As many links in a row as Linux follows.
const MAX_LINKS: usize = 40;

/// Writes all the files; [`KubeconfigError::ChangedMeanwhile`] if one is not as it was when the change was computed.
pub(crate) fn write(files: &[FileChange]) -> Result<(), KubeconfigError> {
    let mut targets = Vec::new();
    let mut to_lock = BTreeSet::new(); // sorted, as kubectl does, so that two writers cannot wait for each other
    for file in files {
        let target = real_file(&file.path).map_err(failed("follow the links of", &file.path))?;
        for path in [&file.path, &target] {
            create_directory(parent(path)).map_err(failed("create", parent(path)))?;
            to_lock.insert(path.clone());
        }
        targets.push(target);
    }
    let locks = to_lock.iter().map(|path| Lock::take(path));
    let _locks = locks.collect::<Result<Vec<_>, _>>()?;
    for file in files {
        if read(&file.path)? != file.before {
            return Err(KubeconfigError::ChangedMeanwhile {
                path: file.path.clone(),
            });
        }
    }
    let mut staged = Vec::new();
    for (file, target) in files.iter().zip(targets) {
        if let Some(before) = &file.before {
            let backup = backup_file(&file.path);
            staged.push(Staged::new(file.backup.as_ref().unwrap_or(before), backup, None)?);
        }
        let model = fs::metadata(&target).ok();
        staged.push(Staged::new(&file.after, target, model.as_ref())?);
    }
    staged.into_iter().try_for_each(Staged::commit)
}

/// The file that keeps what a kubeconfig was before the last change.
pub fn backup_file(kubeconfig: &Path) -> PathBuf {
    beside(kubeconfig, ".cce-login-backup")
}

/// A complete file under a temporary name next to its target; dropping it removes it.
struct Staged {
    temporary: PathBuf,
    target: PathBuf,
}

impl Staged {
    /// Writes the text with the model's mode and owner, else for us only.
    fn new(text: &str, target: PathBuf, model: Option<&fs::Metadata>) -> Result<Self, KubeconfigError> {
        // One name is enough: the target is locked. A left-over of a killed run is of no use to anyone.
        let temporary = beside(&target, ".cce-login-new");
        let _ = fs::remove_file(&temporary);
        let file = create_new(&temporary).map_err(failed("create", &temporary))?;
        let staged = Self { temporary, target };
        fill(file, text, model).map_err(failed("write", &staged.temporary))?;
        Ok(staged)
    }

    fn commit(self) -> Result<(), KubeconfigError> {
        fs::rename(&self.temporary, &self.target).map_err(failed("replace", &self.target))?;
        // The new file is in place; that its directory cannot be synced does not make it less so.
        #[cfg(unix)]
        let _ = File::open(parent(&self.target)).and_then(|directory| directory.sync_all());
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.temporary);
    }
}

fn fill(mut file: File, text: &str, model: Option<&fs::Metadata>) -> io::Result<()> {
    if let Some(model) = model {
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt as _, fchown};
            // Only root may give files away; for everybody else it is theirs already.
            let _ = fchown(&file, Some(model.uid()), Some(model.gid()));
        }
        file.set_permissions(model.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The file behind any symbolic links; it may not exist yet.
fn real_file(path: &Path) -> io::Result<PathBuf> {
    let mut file = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&file) {
            Ok(link) => file = parent(&file).join(link),
            // Not a link, or not there: anything else shows when it is opened.
            Err(_) => return Ok(file),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn failed(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KubeconfigError {
    let path = path.to_owned();
    move |source| KubeconfigError::Write { step, path, source }
}
