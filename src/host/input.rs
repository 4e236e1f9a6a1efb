//! The one door through which files come in that people and other programs name: kubeconfigs, settings, tokens, certificates.
//!
//! Whatever lies under such a name, a read of it ends: it is bounded in size by what is expected there, and in time by the run's
//! deadline. Regular files are read, pipes too (`--kubeconfig <(…)`), and the null device, which is empty; other devices are not.

mod read;
mod stdin;

pub(super) use read::whole as read_whole;
pub(super) use stdin::Stdin;

use super::{Deadline, Env};
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a pipe is waited for where no run has said when it ends.
const PATIENCE: Duration = Duration::from_secs(25);

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
    pub(crate) fn largest(self) -> u64 {
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

/// What one run reads: until when, and what its pipes have given so far.
///
/// A pipe gives its bytes once; whoever asks for them again in the same run gets the same ones.
#[derive(Clone, Default)]
pub struct Inputs(Arc<State>);

#[derive(Default)]
struct State {
    ends: OnceLock<Deadline>,
    pipes: Mutex<BTreeMap<PathBuf, Secret<Vec<u8>>>>,
}

impl std::fmt::Debug for Inputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inputs").field("ends", &self.0.ends).finish()
    }
}

impl Inputs {
    /// For a look that is not worth the whole run's time.
    pub(crate) fn within(time: Duration) -> Self {
        let inputs = Self::default();
        inputs.end_at(Deadline::after(time));
        inputs
    }

    /// Says when the run ends: nothing is waited for any longer. The first to say so counts.
    pub(crate) fn end_at(&self, deadline: Deadline) {
        let _ = self.0.ends.set(deadline);
    }

    fn deadline(&self) -> Deadline {
        self.0.ends.get().copied().unwrap_or_else(|| Deadline::after(PATIENCE))
    }

    /// The whole of a file, if it is not larger than such an input may be and ends before the run does.
    ///
    /// The errors that are not the system's own are of the kinds `FileTooLarge`, `TimedOut`, `IsADirectory` and `InvalidInput` (a device
    /// or a socket), with a text that says so and does not name the path.
    pub(crate) fn read(&self, path: &Path, input: Input) -> io::Result<Vec<u8>> {
        let pipe = match read::open(path)? {
            read::Readable::Whole(file) => return read::to_end(file, input),
            read::Readable::Null => return Ok(Vec::new()),
            read::Readable::Pipe(pipe) => pipe,
        };
        let mut pipes = self.0.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = pipes.get(path) {
            // To another reader of the same file; it stays what it is.
            return Ok(known.expose().clone());
        }
        let bytes = read::pipe(pipe, input, self.deadline())?;
        // To this reader.
        let given = bytes.expose().clone();
        pipes.insert(path.to_owned(), bytes);
        Ok(given)
    }

    /// The same as text: UTF-8, or UTF-16 that says so by its byte order mark; the mark is not part of it. It may be secret.
    pub(crate) fn read_text(&self, path: &Path, input: Input) -> io::Result<Secret<String>> {
        text_of(self.read(path, input)?)
    }
}

impl Env {
    /// What this run reads: see [`Inputs`].
    pub(crate) fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// The whole of a file that a person or a variable names: see [`Inputs::read`].
    pub(crate) fn read_file(&self, path: &Path, input: Input) -> io::Result<Vec<u8>> {
        self.inputs.read(path, input)
    }

    /// The same as text: see [`Inputs::read_text`].
    pub(crate) fn read_text(&self, path: &Path, input: Input) -> io::Result<Secret<String>> {
        self.inputs.read_text(path, input)
    }
}

/// The text of an input: UTF-8, or UTF-16 that says so by its byte order mark; the mark is not part of it. It may be secret.
pub(crate) fn text_of(bytes: Vec<u8>) -> io::Result<Secret<String>> {
    let not_text = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let bytes = Zeroizing::new(bytes);
    let (rest, is_little_endian) = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => (rest, true),
        [0xfe, 0xff, rest @ ..] => (rest, false),
        bytes => {
            let rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            let text = std::str::from_utf8(rest).map_err(|_| not_text("it is not UTF-8 text"))?;
            return Ok(Secret::new(text.to_owned()));
        }
    };
    let (pairs, odd) = rest.as_chunks::<2>();
    let unit = if is_little_endian {
        u16::from_le_bytes
    } else {
        u16::from_be_bytes
    };
    let units: Zeroizing<Vec<u16>> = Zeroizing::new(pairs.iter().map(|pair| unit(*pair)).collect());
    // Of the largest length it can have, so that it does not grow and leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(units.len() * 3));
    for letter in char::decode_utf16(units.iter().copied()) {
        text.push(letter.map_err(|_| not_text("it is not UTF-16 text, though it begins as such"))?);
    }
    if odd.is_empty() {
        Ok(Secret::new(std::mem::take(&mut *text)))
    } else {
        Err(not_text("it is not UTF-16 text, though it begins as such"))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test's own files")]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf_8_or_says_by_its_mark_what_it_is() {
        let utf_16 = |order: fn(u16) -> [u8; 2]| "\u{feff}ü: 1".encode_utf16().flat_map(order).collect::<Vec<u8>>();
        for bytes in [
            "ü: 1".into(),
            "\u{feff}ü: 1".into(),
            utf_16(u16::to_le_bytes),
            utf_16(u16::to_be_bytes),
        ] {
            assert_eq!(text_of(bytes).unwrap().expose(), "ü: 1");
        }
        for bytes in [&b"\xff"[..], b"\xff\xfe\x00", b"\xff\xfe\x00\xd8", b"\xef\xbb\xbf\xff"] {
            assert_eq!(text_of(bytes.to_vec()).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_gives_the_same_to_all_who_read_it_in_one_run() {
        use std::io::Write as _;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let inputs = Inputs::default();
        inputs.end_at(Deadline::after(Duration::from_secs(20)));
        let writer = std::thread::spawn({
            let path = path.clone();
            move || {
                let mut pipe = std::fs::OpenOptions::new().write(true).open(path).unwrap();
                pipe.write_all(b"token").unwrap();
            }
        });
        assert_eq!(inputs.read_text(&path, Input::Token).unwrap().expose(), "token");
        writer.join().unwrap();
        assert_eq!(inputs.clone().read(&path, Input::Token).unwrap(), b"token");
        let next_run = Inputs::default();
        next_run.end_at(Deadline::after(Duration::from_millis(50)));
        assert_eq!(
            next_run.read(&path, Input::Token).unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
    }
}
