//! A directory that is ours alone, and files in it: whatever this program keeps, secret or not, goes through here.
//!
//! Every step is relative to the opened directory, no symbolic link is followed at its end, its owner is checked and each file's too, a
//! temporary file has a name that nobody can guess. Where there are no owners and modes (Windows), `private_dir/without_modes.rs`.

mod files;

pub(crate) use files::user_id;
pub(crate) use files::{
    open_private, others_who_can_write, private_names, read_private, remove_private, write_private,
};

use crate::secret::Secret;
use files::{SIZE_MAX, is_temporary, refused, temporary_name};
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fchmod, fstat, fsync, mkdirat, renameat, statat, unlinkat,
};
use rustix::io::{Errno, retry_on_intr};
use rustix::path::Arg;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// What a process that was killed in the middle of writing left behind is removed after so many seconds.
const LEFT_BEHIND: i64 = 3600;

/// What to do with a directory of ours that others may enter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loose {
    /// Refuse it.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only the memory directory refuses, and it is Linux's")
    )]
    Refuse,
    /// Make it 0700 before anything is written; read from it as it is, unless others can write there.
    Tighten,
}

/// An opened directory of ours.
#[derive(Debug)]
pub(crate) struct PrivateDir {
    fd: OwnedFd,
    uid: u32,
    is_writable_by_others: bool,
}

impl PrivateDir {
    /// Opens the directory at `path` for reading; `None`: there is none.
    pub(crate) fn open(path: &Path, uid: u32, loose: Loose) -> io::Result<Option<Self>> {
        match Self::open_any(path, uid, loose)? {
            Some(directory) if directory.is_writable_by_others => Err(refused("others can write it")),
            directory => Ok(directory),
        }
    }

    fn open_any(path: &Path, uid: u32, loose: Loose) -> io::Result<Option<Self>> {
        match openat(
            CWD,
            path,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        ) {
            Ok(fd) => Self::check(fd, uid, loose).map(Some),
            Err(Errno::NOENT) => Ok(None),
            // A symbolic link is NOTDIR on Linux, LOOP on macOS, MLINK on FreeBSD.
            Err(Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => Err(refused("it is not a directory")),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the directory at `path` for writing, making it, and what leads to it, if need be.
    pub(crate) fn create(path: &Path, uid: u32, loose: Loose) -> io::Result<Self> {
        loop {
            if let Some(directory) = Self::open_any(path, uid, loose)? {
                if loose == Loose::Tighten && is_open_to_others(&fstat(&directory.fd)?) {
                    fchmod(&directory.fd, Mode::RWXU)?;
                }
                return Ok(directory);
            }
            if let Some(parent) = path.parent() {
                let mut builder = std::fs::DirBuilder::new();
                std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
                builder.recursive(true).create(parent)?;
            }
            match mkdirat(CWD, path, Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn check(fd: OwnedFd, uid: u32, loose: Loose) -> io::Result<Self> {
        let stat = fstat(&fd)?;
        if stat.st_uid != uid {
            return Err(refused("it belongs to somebody else"));
        }
        if loose == Loose::Refuse && is_open_to_others(&stat) {
            return Err(refused("others may enter it"));
        }
        let is_writable_by_others = Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH);
        Ok(Self {
            fd,
            uid,
            is_writable_by_others,
        })
    }

    /// The directory itself, for further checks.
    #[cfg(target_os = "linux")]
    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Reads a file; `None`: there is none.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<Secret<Vec<u8>>>> {
        let Some((file, stat)) = self.open_existing(name, OFlags::RDONLY)? else {
            return Ok(None);
        };
        let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
        if size > SIZE_MAX {
            return Err(refused("the entry is too large to be ours"));
        }
        let mut value = Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1);
        file.take(SIZE_MAX).read_to_end(&mut value)?;
        Ok(Some(Secret::new(value)))
    }

    /// Opens a file that is changed in place or locked, and makes it if need be.
    pub(crate) fn open_file(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        loop {
            if let Some((file, _)) = self.open_existing(name, OFlags::RDWR)? {
                return Ok(file);
            }
            match openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR) {
                Ok(fd) => return Ok(File::from(fd)),
                Err(Errno::EXIST) => {} // another process of ours was faster
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn open_existing(&self, name: &str, access: OFlags) -> io::Result<Option<(File, Stat)>> {
        // O_NONBLOCK: a FIFO planted here must not stop us.
        let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => File::from(fd),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::MLINK) => return Err(refused("the entry is a symbolic link")),
            Err(Errno::ISDIR | Errno::NXIO) => return Err(refused("the entry is not a file of ours")),
            Err(error) => return Err(error.into()),
        };
        let stat = fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_uid != self.uid {
            return Err(refused("the entry is not a file of ours"));
        }
        Ok(Some((file, stat)))
    }

    /// Writes a file, 0600, so that a reader sees the old contents or the new ones; `durable`: also after a power cut.
    pub(crate) fn write(&self, name: &str, value: &Secret<Vec<u8>>, durable: bool) -> io::Result<()> {
        let temporary = temporary_name();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(openat(&self.fd, temporary.as_str(), flags, Mode::RUSR | Mode::WUSR)?);
        self.remove_left_behind(&file);
        let written = (|| {
            // Into a file that only we can read: this is what it is for.
            file.write_all(value.expose())?;
            if durable {
                file.sync_all()?;
            }
            renameat(&self.fd, &temporary, &self.fd, name)?;
            if durable {
                fsync(&self.fd)?;
            }
            Ok(())
        })();
        if written.is_err() {
            let _already_failing = unlinkat(&self.fd, &temporary, AtFlags::empty());
        }
        written
    }

    /// Removes a file; one that is not there is no error.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The names in it, without those of temporary files; what is not text is not ours.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        Ok(self
            .all_names()?
            .into_iter()
            .filter(|name| !is_temporary(name))
            .collect())
    }

    fn all_names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            let entry = entry?;
            names.extend(
                entry
                    .file_name()
                    .to_str()
                    .ok()
                    .filter(|name| ![".", ".."].contains(name))
                    .map(str::to_owned),
            );
        }
        Ok(names)
    }

    /// Removes what processes that were killed while they wrote have left behind, long before `newest` was made; it may hold a key. Best
    /// effort.
    fn remove_left_behind(&self, newest: &File) {
        let Ok(now) = fstat(newest).map(|stat| stat.st_mtime) else {
            return;
        };
        let names = self.all_names().unwrap_or_default();
        for name in names.iter().filter(|name| is_temporary(name)) {
            let is_old = statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)
                .is_ok_and(|stat| stat.st_uid == self.uid && stat.st_mtime + LEFT_BEHIND < now);
            if is_old {
                let _ = unlinkat(&self.fd, name, AtFlags::empty());
            }
        }
    }
}

fn is_open_to_others(stat: &Stat) -> bool {
    Mode::from_raw_mode(stat.st_mode).intersects(Mode::RWXG | Mode::RWXO)
}

/// As the system call; a signal in between, as slow file systems let it happen, is no error.
fn openat(directory: impl AsFd, name: impl Arg + Copy, flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
    retry_on_intr(|| rustix::fs::openat(directory.as_fd(), name, flags, mode))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test's own files")]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    fn directory(path: &Path) -> PrivateDir {
        PrivateDir::create(path, rustix::process::geteuid().as_raw(), Loose::Tighten).unwrap()
    }

    #[test]
    fn what_was_left_behind_by_a_killed_writer_goes_after_an_hour() {
        let home = tempfile::tempdir().unwrap();
        let ours = directory(home.path());
        let left = [".new-0123456789abcdef", ".new-fedcba9876543210", "notes.new"].map(|name| home.path().join(name));
        for path in &left {
            File::create(path).unwrap();
        }
        let old = left[0].metadata().unwrap().modified().unwrap() - std::time::Duration::from_secs(2 * 3600);
        for path in [&left[0], &left[2]] {
            File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_modified(old)
                .unwrap();
        }
        ours.write("a", &Secret::new(b"x".to_vec()), false).unwrap();
        assert_eq!(left.map(|path| path.exists()), [false, true, true]);
        assert_eq!(ours.names().unwrap().len(), 2);
    }

    #[test]
    fn a_file_that_is_changed_in_place_is_a_file_of_ours() {
        let home = tempfile::tempdir().unwrap();
        let ours = directory(&home.path().join("run"));
        let theirs = home.path().join("theirs");
        File::create(&theirs).unwrap();
        symlink(&theirs, home.path().join("run/link")).unwrap();
        assert_eq!(
            ours.open_file("link").unwrap_err().kind(),
            io::ErrorKind::PermissionDenied
        );
        ours.open_file("callers").unwrap().write_all(b"x").unwrap();
        let made = home.path().join("run/callers").metadata().unwrap();
        assert_eq!((made.permissions().mode() & 0o777, made.len()), (0o600, 1));
        assert!(ours.open_file("callers").unwrap().metadata().unwrap().ino() == made.ino());
    }
}
