//! The one door through which files come in that people and other programs name: kubeconfigs, settings, tokens, certificates.
//!
//! Whatever lies under such a name, a read of it ends: it is bounded in size by what is expected there, and in time by the run's
//! deadline. Regular files are read, pipes too (`--kubeconfig <(…)`), and the null device, which is empty; other devices are not.

use super::{Deadline, Env};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

/// How long a pipe is waited for where no run has said when it ends.
const PATIENCE: Duration = Duration::from_secs(25);
/// So much is read at a time from a pipe.
const CHUNK: usize = 64 << 10;

/// What is expected of a file, and so how large it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// `config.toml`, `clouds.yaml`, credentials: written by hand, or by a tool for one person.
    Settings,
    /// A token, an id token, a password: one line.
    Token,
    /// Certificates, keys, bundles of roots.
    Certificates,
    /// A kubeconfig; one of thousands of clusters has some megabytes.
    Kubeconfig,
}

impl Input {
    /// The largest that is read, in bytes.
    pub fn largest(self) -> u64 {
        match self {
            Self::Token => 256 << 10,
            Self::Settings => 1 << 20,
            Self::Certificates => 4 << 20,
            Self::Kubeconfig => 16 << 20,
        }
    }

    fn too_large(self) -> io::Error {
        let largest = match self.largest() >> 20 {
            0 => format!("{} KB", self.largest() >> 10),
            megabytes => format!("{megabytes} MB"),
        };
        io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {largest}"))
    }
}

impl Env {
    /// Says when the run ends: no input is waited for any longer. The first to say so counts.
    pub fn ends_at(&self, deadline: Deadline) {
        let _ = self.ends.set(deadline);
    }

    /// The moment until which an input is waited for.
    pub fn deadline(&self) -> Deadline {
        self.ends.get().copied().unwrap_or_else(|| Deadline::after(PATIENCE))
    }

    /// The whole of a file that a person or a variable names; see [`read_bounded`].
    pub fn read_file(&self, path: &Path, input: Input) -> io::Result<Vec<u8>> {
        read_bounded(path, input, self.deadline())
    }

    /// The same as text: UTF-8, or UTF-16 that says so by its byte order mark; the mark is not part of it.
    pub fn read_text(&self, path: &Path, input: Input) -> io::Result<String> {
        text_of(self.read_file(path, input)?)
    }
}

/// The whole of a file, if it is not larger than such an input may be and ends before the deadline.
///
/// The errors that are not the system's own are of the kinds `FileTooLarge`, `TimedOut`, `IsADirectory` and `InvalidInput` (a device or
/// a socket), with a text that says so and does not name the path.
pub fn read_bounded(path: &Path, input: Input, deadline: Deadline) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    match kind(&file)? {
        FileKind::Regular => read_to_end(file, input),
        FileKind::Null => Ok(Vec::new()),
        FileKind::Pipe => read_pipe(file, input, deadline),
    }
}

/// The text of an input: UTF-8, or UTF-16 that says so by its byte order mark; the mark is not part of it.
pub fn text_of(bytes: Vec<u8>) -> io::Result<String> {
    let not_text = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let (rest, is_little_endian) = match bytes.as_slice() {
        [0xef, 0xbb, 0xbf, rest @ ..] => {
            return String::from_utf8(rest.to_vec()).map_err(|_| not_text("it is not UTF-8 text"));
        }
        [0xff, 0xfe, rest @ ..] => (rest, true),
        [0xfe, 0xff, rest @ ..] => (rest, false),
        _ => return String::from_utf8(bytes).map_err(|_| not_text("it is not UTF-8 text")),
    };
    let (pairs, odd) = rest.as_chunks::<2>();
    let unit = if is_little_endian {
        u16::from_le_bytes
    } else {
        u16::from_be_bytes
    };
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    match String::from_utf16(&units) {
        Ok(text) if odd.is_empty() => Ok(text),
        _ => Err(not_text("it is not UTF-16 text, though it begins as such")),
    }
}

/// What can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileKind {
    Regular,
    Null,
    Pipe,
}

fn refused(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

fn read_to_end(file: File, input: Input) -> io::Result<Vec<u8>> {
    let expected = file
        .metadata()
        .map_or(0, |metadata| metadata.len().min(input.largest()));
    // One byte more than the file is said to have: its end is seen without growing, so that no copy of a secret is left behind.
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default() + 1);
    file.take(input.largest() + 1).read_to_end(&mut bytes)?;
    within(bytes, input)
}

fn within(bytes: Vec<u8>, input: Input) -> io::Result<Vec<u8>> {
    if bytes.len() as u64 > input.largest() {
        Err(input.too_large())
    } else {
        Ok(bytes)
    }
}

/// Without waiting for a writer: the deadline is kept afterwards.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => Ok(File::from(fd)),
        Err(rustix::io::Errno::NXIO) => Err(refused("it is a socket or a device, not a file")),
        Err(error) => Err(error.into()),
    }
}

#[cfg(unix)]
fn kind(file: &File) -> io::Result<FileKind> {
    use rustix::fs::FileType;
    let stat = rustix::fs::fstat(file)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(FileKind::Regular),
        FileType::Fifo => Ok(FileKind::Pipe),
        FileType::Directory => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory")),
        FileType::CharacterDevice if is_null(stat.st_rdev) => Ok(FileKind::Null),
        _ => Err(refused("it is a device, not a file")),
    }
}

#[cfg(unix)]
fn is_null(device: rustix::fs::Dev) -> bool {
    rustix::fs::stat("/dev/null").is_ok_and(|null| null.st_rdev == device)
}

#[cfg(unix)]
fn read_pipe(mut file: File, input: Input, deadline: Deadline) -> io::Result<Vec<u8>> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut bytes = Vec::new();
    let mut chunk = zeroize::Zeroizing::new(vec![0; CHUNK]);
    loop {
        let remaining = deadline.remaining();
        let ready = if remaining.is_zero() {
            0
        } else {
            let wait = Timespec::try_from(remaining).ok();
            match poll(&mut [PollFd::new(&file, PollFlags::IN)], wait.as_ref()) {
                Err(rustix::io::Errno::INTR) => continue,
                ready => ready?,
            }
        };
        if ready == 0 {
            let what = "it is a pipe, and nobody has written and closed it in time";
            return Err(io::Error::new(io::ErrorKind::TimedOut, what));
        }
        match file.read(&mut chunk) {
            Ok(0) => return Ok(bytes),
            Ok(count) => bytes.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
        bytes = within(bytes, input)?;
    }
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(not(unix))]
fn kind(file: &File) -> io::Result<FileKind> {
    if file.metadata()?.is_file() {
        Ok(FileKind::Regular)
    } else {
        Err(refused("it is not a file"))
    }
}

#[cfg(not(unix))]
fn read_pipe(file: File, input: Input, _deadline: Deadline) -> io::Result<Vec<u8>> {
    read_to_end(file, input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_millis(50))
    }

    #[test]
    fn a_file_that_is_larger_than_such_an_input_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("token");
        File::create(&path).unwrap().set_len(Input::Token.largest()).unwrap();
        assert_eq!(
            read_bounded(&path, Input::Token, soon()).unwrap().len() as u64,
            Input::Token.largest()
        );
        File::create(&path)
            .unwrap()
            .set_len(Input::Token.largest() + 1)
            .unwrap();
        let error = read_bounded(&path, Input::Token, soon()).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (io::ErrorKind::FileTooLarge, "it is larger than 256 KB")
        );
        let error = read_bounded(home.path(), Input::Token, soon()).unwrap_err();
        assert!(matches!(
            error.kind(),
            io::ErrorKind::IsADirectory | io::ErrorKind::PermissionDenied
        ));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_no_file_and_the_null_device_is_an_empty_one() {
        for device in ["/dev/zero", "/dev/random"] {
            let error = read_bounded(Path::new(device), Input::Settings, soon()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{device}");
        }
        assert_eq!(
            read_bounded(Path::new("/dev/null"), Input::Settings, soon()).unwrap(),
            b""
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_read_until_it_is_closed_or_the_deadline_is_there() {
        use std::io::Write as _;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let error = read_bounded(&path, Input::Settings, soon()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);

        let text = vec![b'x'; 200_000]; // more than a pipe holds
        let writer = std::thread::spawn({
            let (path, text) = (path.clone(), text.clone());
            move || {
                let mut pipe = std::fs::OpenOptions::new().write(true).open(path).unwrap();
                pipe.write_all(&text).unwrap();
            }
        });
        let read = read_bounded(&path, Input::Settings, Deadline::after(Duration::from_secs(20))).unwrap();
        writer.join().unwrap();
        assert!(read == text);

        let endless = std::thread::spawn(move || {
            let mut pipe = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            while pipe.write_all(&[b'x'; 4096]).is_ok() {}
        });
        let path = home.path().join("pipe");
        let error = read_bounded(&path, Input::Token, Deadline::after(Duration::from_secs(20))).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        endless.join().unwrap();
    }

    #[test]
    fn text_is_utf_8_or_says_by_its_mark_what_it_is() {
        let utf_16 = |order: fn(u16) -> [u8; 2]| "\u{feff}ü: 1".encode_utf16().flat_map(order).collect::<Vec<u8>>();
        for bytes in [
            "ü: 1".into(),
            "\u{feff}ü: 1".into(),
            utf_16(u16::to_le_bytes),
            utf_16(u16::to_be_bytes),
        ] {
            assert_eq!(text_of(bytes).unwrap(), "ü: 1");
        }
        for bytes in [&b"\xff"[..], b"\xff\xfe\x00", b"\xff\xfe\x00\xd8", b"\xef\xbb\xbf\xff"] {
            assert_eq!(text_of(bytes.to_vec()).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }
}
