//! A directory that is ours alone, and files in it: every step relative to the opened directory, no symbolic link followed.

use crate::secret::Secret;
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, fchmod, fstat, fsync, mkdirat, openat, renameat, unlinkat,
};
use rustix::io::Errno;
use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// Files in it are named `entry-<account>`; whatever else lies there is not ours to touch.
const PREFIX: &str = "entry-";
/// A longer file was not written by us.
const SIZE_MAX: u64 = 1 << 20;

/// What to do with a directory of ours that others may enter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Loose {
    /// Refuse it.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only the memory directory refuses, and it is Linux's")
    )]
    Refuse,
    /// Make it 0700 before anything is written; read from it as it is.
    Tighten,
}

/// An opened directory of ours.
#[derive(Debug)]
pub(super) struct PrivateDir {
    fd: OwnedFd,
    uid: u32,
}

impl PrivateDir {
    /// Opens the directory at `path` for reading; `None`: there is none.
    pub(super) fn open(path: &Path, uid: u32, loose: Loose) -> io::Result<Option<Self>> {
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
    pub(super) fn create(path: &Path, uid: u32, loose: Loose) -> io::Result<Self> {
        loop {
            if let Some(directory) = Self::open(path, uid, loose)? {
                if loose == Loose::Tighten {
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
        if loose == Loose::Refuse && Mode::from_raw_mode(stat.st_mode).intersects(Mode::RWXG | Mode::RWXO) {
            return Err(refused("others may enter it"));
        }
        Ok(Self { fd, uid })
    }

    /// The directory itself, for further checks.
    #[cfg(target_os = "linux")]
    pub(super) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Reads an account's file; `None`: there is none.
    pub(super) fn read(&self, account: &str) -> io::Result<Option<Secret<Vec<u8>>>> {
        // O_NONBLOCK: a FIFO planted here must not stop us.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(&self.fd, file_name(account), flags, Mode::empty()) {
            Ok(fd) => File::from(fd),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::MLINK) => return Err(refused("the entry is a symbolic link")),
            Err(error) => return Err(error.into()),
        };
        let stat = fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_uid != self.uid {
            return Err(refused("the entry is not a file of ours"));
        }
        let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
        if size > SIZE_MAX {
            return Err(refused("the entry is too large to be ours"));
        }
        let mut value = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        file.take(SIZE_MAX).read_to_end(&mut value)?;
        Ok(Some(Secret::new(value)))
    }

    /// Writes an account's file, 0600, so that a reader sees the old value or the new one; `durable`: also after a power cut.
    pub(super) fn write(&self, account: &str, value: &Secret<Vec<u8>>, durable: bool) -> io::Result<()> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let temporary = format!(".{}.{}.tmp", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = || openat(&self.fd, &temporary, flags, Mode::RUSR | Mode::WUSR);
        let fd = match open() {
            // Left by a process of the same id that was killed in here.
            Err(Errno::EXIST) => unlinkat(&self.fd, &temporary, AtFlags::empty()).and_then(|()| open())?,
            other => other?,
        };
        let mut file = File::from(fd);
        let written = (|| {
            // Into a file that only we can read: this is what the store is for.
            file.write_all(value.expose())?;
            if durable {
                file.sync_all()?;
            }
            renameat(&self.fd, &temporary, &self.fd, file_name(account))?;
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

    /// Removes an account's file; one that is not there is no error.
    pub(super) fn remove(&self, account: &str) -> io::Result<()> {
        match unlinkat(&self.fd, file_name(account), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The accounts that have a file here.
    pub(super) fn accounts(&self) -> io::Result<Vec<String>> {
        let mut accounts = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            accounts.extend(account_of(entry?.file_name()));
        }
        Ok(accounts)
    }
}

fn refused(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, reason)
}

fn file_name(account: &str) -> String {
    [PREFIX, account].concat()
}

fn account_of(name: &CStr) -> Option<String> {
    name.to_str().ok()?.strip_prefix(PREFIX).map(str::to_owned)
}
