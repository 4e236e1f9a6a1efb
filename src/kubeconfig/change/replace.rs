//! New contents for one file: by a rename where nothing is lost by it, else in place, as kubectl writes.
//!
//! A rename puts another file there. Hard links would keep the old contents, an owner, group or attribute that we may not give would be
//! gone, and what is mounted on the file stands in the way.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

use crate::kubeconfig::KubeconfigError;
use crate::kubeconfig::change::lock::{beside, create_new};
use crate::kubeconfig::error::failed;

/// A complete file under a temporary name next to its target; dropping it removes it.
pub(crate) struct Staged {
    temporary: PathBuf,
    target: PathBuf,
    contents: Vec<u8>,
    /// What is written back if writing in place fails.
    before: Option<Vec<u8>>,
    is_rename_enough: bool,
}

impl Staged {
    /// Contents for the target, which `model` describes if it is there.
    pub(crate) fn new(
        contents: &[u8],
        target: PathBuf,
        model: Option<&Metadata>,
        before: Option<Vec<u8>>,
    ) -> Result<Self, KubeconfigError> {
        let (file, mut staged) = Self::fill(contents, target)?;
        staged.before = before;
        if let Some(model) = model {
            let kept = take_after(&file, model).and_then(|()| loses_nothing(&file, &staged.target, model));
            staged.is_rename_enough = kept.map_err(failed("read the attributes of", &staged.target))?;
        }
        file.sync_all().map_err(failed("write", &staged.temporary))?;
        Ok(staged)
    }

    /// A backup for its owner only: the one who owns the file that it is a backup of.
    pub(crate) fn backup(contents: &[u8], target: PathBuf, model: Option<&Metadata>) -> Result<Self, KubeconfigError> {
        let (file, staged) = Self::fill(contents, target)?;
        #[cfg(unix)]
        if let Some(model) = model {
            use std::os::unix::fs::{MetadataExt as _, fchown};
            // Only root may give files away; for everybody else it is theirs already.
            let _ = fchown(&file, Some(model.uid()), None);
        }
        #[cfg(not(unix))]
        let _ = model;
        file.sync_all().map_err(failed("write", &staged.temporary))?;
        Ok(staged)
    }

    fn fill(contents: &[u8], target: PathBuf) -> Result<(File, Self), KubeconfigError> {
        // One name is enough: the target is locked. A left-over of a killed run is of no use to anyone.
        let temporary = beside(&target, ".cce-login-new");
        let _ = fs::remove_file(&temporary);
        let mut file = create_new(&temporary).map_err(failed("create", &temporary))?;
        let staged = Self {
            temporary,
            target,
            contents: contents.to_vec(),
            before: None,
            is_rename_enough: true,
        };
        file.write_all(contents).map_err(failed("write", &staged.temporary))?;
        Ok((file, staged))
    }

    /// Puts the contents in the target's place.
    pub(crate) fn commit(self) -> Result<(), KubeconfigError> {
        if !self.is_rename_enough {
            return self.write_in_place().map_err(failed("write", &self.target));
        }
        match fs::rename(&self.temporary, &self.target) {
            Ok(()) => {
                // The new file is in place; that its directory cannot be synced does not make it less so.
                #[cfg(unix)]
                let _ = sync_directory(crate::kubeconfig::locations::parent(&self.target));
                Ok(())
            }
            // Something is mounted on it, or the directory lets nobody replace the files of others.
            Err(error) if is_in_the_way(&error) && self.before.is_some() => {
                self.write_in_place().map_err(failed("write", &self.target))
            }
            Err(error) => Err(failed("replace", &self.target)(error)),
        }
    }

    fn write_in_place(&self) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, no_links());
        #[expect(
            clippy::disallowed_methods,
            reason = "a regular file, looked at before; no link is followed"
        )]
        let mut file = options.open(&self.target)?;
        let mut put = |contents: &[u8]| {
            io::Seek::rewind(&mut file)?;
            file.write_all(contents)?;
            file.set_len(contents.len() as u64)?;
            file.sync_all()
        };
        put(&self.contents).inspect_err(|_| {
            // The backup has it too.
            let _ = self.before.as_ref().map(|before| put(before));
        })
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.temporary);
    }
}

fn is_in_the_way(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ResourceBusy | io::ErrorKind::PermissionDenied | io::ErrorKind::CrossesDevices
    )
}

#[cfg(unix)]
fn no_links() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
}

#[cfg(unix)]
fn sync_directory(directory: &std::path::Path) -> io::Result<()> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::io::retry_on_intr(|| rustix::fs::open(directory, flags, Mode::empty()))?;
    Ok(rustix::fs::fsync(directory)?)
}

/// Gives the new file the mode, owner and group of the one that it replaces, as far as we may.
fn take_after(file: &File, model: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, fchown};
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (model.uid(), model.gid()) {
            let _ = fchown(file, Some(model.uid()), Some(model.gid()));
        }
    }
    file.set_permissions(model.permissions())
}

/// Whether the new file has everything that the one at `target` has besides its contents.
#[cfg(unix)]
fn loses_nothing(new: &File, target: &std::path::Path, model: &Metadata) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let has = new.metadata()?;
    let same = model.nlink() == 1 && (has.uid(), has.gid(), has.mode()) == (model.uid(), model.gid(), model.mode());
    Ok(same && attributes_are_kept(new, target))
}

#[cfg(not(unix))]
fn loses_nothing(_new: &File, _target: &std::path::Path, _model: &Metadata) -> io::Result<bool> {
    Ok(true)
}

/// Whether all extended attributes (access control lists and labels among them) are on the new file too.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn attributes_are_kept(new: &File, target: &std::path::Path) -> bool {
    use rustix::fs::{fgetxattr, getxattr, listxattr};
    const LONGEST: usize = 64 << 10; // as Linux has it for names and for a value
    let mut names = vec![0; LONGEST];
    let Ok(count) = listxattr(target, &mut names) else {
        return true; // a file system without such
    };
    let names = names.get(..count).unwrap_or_default().split(|byte| *byte == 0);
    names.filter(|name| !name.is_empty()).all(|name| {
        let (mut old, mut kept) = (vec![0; LONGEST], vec![0; LONGEST]);
        match (getxattr(target, name, &mut old), fgetxattr(new, name, &mut kept)) {
            (Ok(old_length), Ok(length)) => old.get(..old_length) == kept.get(..length),
            (Err(_), _) => true, // one that we cannot see is none that a rename can keep or lose knowingly
            _ => false,
        }
    })
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "macos"))))]
fn attributes_are_kept(_new: &File, _target: &std::path::Path) -> bool {
    true
}
