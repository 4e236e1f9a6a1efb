//! One read of one file: never of a device, never more than such an input may have, never beyond the deadline.

use super::{Deadline, Input};
use crate::secret::{Secret, append};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use zeroize::Zeroizing;

/// So much is read at a time from a pipe.
const CHUNK: usize = 64 << 10;

/// What can be read.
pub(super) enum Readable {
    /// A file on a disk, or what is like one.
    Whole(File),
    /// The null device: it is empty.
    Null,
    /// It has what somebody writes into it, once.
    Pipe(File),
}

fn refused(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

/// The rest of a file that has an end.
pub(super) fn to_end(file: File, input: Input) -> io::Result<Vec<u8>> {
    let expected = file
        .metadata()
        .map_or(0, |metadata| metadata.len().min(input.largest()));
    // One byte more than the file is said to have: its end is seen without growing, so that no copy of a secret is left behind.
    let room = usize::try_from(expected).unwrap_or_default() + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(input.largest() + 1).read_to_end(&mut bytes)?;
    within(&bytes, input)?;
    Ok(std::mem::take(&mut *bytes))
}

fn within(bytes: &[u8], input: Input) -> io::Result<()> {
    if bytes.len() as u64 > input.largest() {
        Err(input.too_large())
    } else {
        Ok(())
    }
}

/// Opens what lies under a name, without waiting for a writer: the deadline is kept afterwards.
#[cfg(unix)]
pub(super) fn open(path: &Path) -> io::Result<Readable> {
    use rustix::fs::{FileType, Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match rustix::io::retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty())) {
        Ok(fd) => File::from(fd),
        Err(rustix::io::Errno::NXIO) => return Err(refused("it is a socket or a device, not a file")),
        Err(error) => return Err(error.into()),
    };
    let stat = rustix::fs::fstat(&file)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(Readable::Whole(file)),
        FileType::Fifo => Ok(Readable::Pipe(file)),
        FileType::Directory => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory")),
        FileType::CharacterDevice if is_null(stat.st_rdev) => Ok(Readable::Null),
        _ => Err(refused("it is a device, not a file")),
    }
}

#[cfg(unix)]
fn is_null(device: rustix::fs::Dev) -> bool {
    rustix::fs::stat("/dev/null").is_ok_and(|null| null.st_rdev == device)
}

/// Everything that is written into a pipe until it is closed.
#[cfg(unix)]
pub(super) fn pipe(file: File, input: Input, deadline: Deadline) -> io::Result<Secret<Vec<u8>>> {
    whole(&mut Waiting { file, deadline }, input)
}

/// A pipe whose next bytes are waited for.
#[cfg(unix)]
struct Waiting {
    file: File,
    deadline: Deadline,
}

#[cfg(unix)]
impl io::Read for Waiting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        wait_for(&self.file, self.deadline)?;
        self.file.read(buffer)
    }
}

/// Everything up to the end of a stream, if it is not larger than such an input may be. Leaves no copies behind.
pub(in crate::host) fn whole(stream: &mut impl io::Read, input: Input) -> io::Result<Secret<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    let mut chunk = Zeroizing::new(vec![0; CHUNK]);
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => return Ok(Secret::new(std::mem::take(&mut *bytes))),
            Ok(count) => append(&mut bytes, chunk.get(..count).unwrap_or_default()),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
        within(&bytes, input)?;
    }
}

/// Waits until there is something to read, or the end; an error of the kind `TimedOut` where neither comes in time.
#[cfg(unix)]
pub(super) fn wait_for(file: &impl std::os::fd::AsFd, deadline: Deadline) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    loop {
        let remaining = deadline.remaining();
        let ready = if remaining.is_zero() {
            Ok(0)
        } else {
            let wait = Timespec::try_from(remaining).ok();
            poll(&mut [PollFd::new(file, PollFlags::IN)], wait.as_ref())
        };
        match ready {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(0) => {
                let what = "it is a pipe, and nobody has written and closed it in time";
                return Err(io::Error::new(io::ErrorKind::TimedOut, what));
            }
            Ok(_) => return Ok(()),
        }
    }
}

#[cfg(not(unix))]
pub(super) fn open(path: &Path) -> io::Result<Readable> {
    #[expect(clippy::disallowed_methods, reason = "the one place that opens what people name")]
    let file = File::open(path)?;
    if file.metadata()?.is_file() {
        Ok(Readable::Whole(file))
    } else {
        Err(refused("it is not a file"))
    }
}

#[cfg(not(unix))]
pub(super) fn pipe(mut file: File, input: Input, _deadline: Deadline) -> io::Result<Secret<Vec<u8>>> {
    whole(&mut file, input)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test's own files")]
mod tests {
    use super::super::Inputs;
    use super::*;
    use std::time::Duration;

    fn read(path: &Path, input: Input, within: Duration) -> io::Result<Vec<u8>> {
        let inputs = Inputs::default();
        inputs.end_at(Deadline::after(within));
        inputs.read(path, input)
    }

    const SOON: Duration = Duration::from_millis(50);
    const LATER: Duration = Duration::from_secs(20);

    #[test]
    fn a_file_that_is_larger_than_such_an_input_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("token");
        File::create(&path).unwrap().set_len(Input::Token.largest()).unwrap();
        assert_eq!(
            read(&path, Input::Token, SOON).unwrap().len() as u64,
            Input::Token.largest()
        );
        File::create(&path)
            .unwrap()
            .set_len(Input::Token.largest() + 1)
            .unwrap();
        let error = read(&path, Input::Token, SOON).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (io::ErrorKind::FileTooLarge, "it is larger than 256 KB")
        );
        let error = read(home.path(), Input::Token, SOON).unwrap_err();
        assert!(matches!(
            error.kind(),
            io::ErrorKind::IsADirectory | io::ErrorKind::PermissionDenied
        ));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_no_file_and_the_null_device_is_an_empty_one() {
        for device in ["/dev/zero", "/dev/random"] {
            let error = read(Path::new(device), Input::Settings, SOON).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{device}");
        }
        assert_eq!(read(Path::new("/dev/null"), Input::Settings, SOON).unwrap(), b"");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_read_until_it_is_closed_or_the_deadline_is_there() {
        use std::io::Write as _;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let error = read(&path, Input::Settings, SOON).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);

        let text = vec![b'x'; 200_000]; // more than a pipe holds
        let writer = std::thread::spawn({
            let (path, text) = (path.clone(), text.clone());
            move || {
                let mut pipe = std::fs::OpenOptions::new().write(true).open(path).unwrap();
                pipe.write_all(&text).unwrap();
            }
        });
        let got = read(&path, Input::Settings, LATER).unwrap();
        writer.join().unwrap();
        assert!(got == text);

        let endless = std::thread::spawn(move || {
            let mut pipe = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            while pipe.write_all(&[b'x'; 4096]).is_ok() {}
        });
        let path = home.path().join("pipe");
        let error = read(&path, Input::Token, LATER).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        endless.join().unwrap();
    }
}
