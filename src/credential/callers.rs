//! Who asked when: what makes us aware of a 401. client-go runs us again after one and does not say why; a process that asks again
//! before the time it was told is suspicious.
//!
//! One file of a fixed size in the runtime directory, no secret in it. A caller has one place there, which its hash decides: one read
//! and one write a call. Two callers may share a place; then the earlier one is forgotten, which costs nothing but awareness.

pub(crate) mod hints;
pub(crate) mod never_renews;

use crate::host::{Directories, Process, moment, open_private};
use chrono::{DateTime, Utc};
use std::fs::File;
use std::io;

/// How many callers fit in.
const PLACES: u64 = 512;
/// Bytes of a place: account u64 | started u64 | pid u32 | check u32 | expiry i64, little-endian.
const PLACE: usize = 32;

/// The file, open.
pub(crate) struct Callers(File);

/// One caller of one certificate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    head: [u8; 20],
}

impl Caller {
    /// `account` is the certificate's account, `process` who asks for it.
    pub(crate) fn new(account: &str, process: Process) -> Self {
        let mut head = [0; 20];
        let parts = [
            &hash(account.as_bytes()).to_le_bytes()[..],
            &process.started.to_le_bytes(),
            &process.pid.to_le_bytes(),
        ];
        for (to, from) in head.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        Self { head }
    }

    /// All callers of a certificate together: when the API server is to be asked about it again.
    pub(crate) fn everybody(account: &str) -> Self {
        Self::new(account, Process { pid: 0, started: 0 })
    }

    fn offset(&self) -> u64 {
        hash(&self.head) % PLACES * PLACE as u64
    }

    /// What the place holds when this caller was told `expiry`.
    fn place(&self, expiry: DateTime<Utc>) -> [u8; PLACE] {
        let expiry = expiry.timestamp().to_le_bytes();
        let check = hash(&[&self.head[..], &expiry].concat()).to_le_bytes();
        let mut place = [0; PLACE];
        for (to, from) in place
            .iter_mut()
            .zip(self.head.iter().chain(check.iter().take(4)).chain(&expiry))
        {
            *to = *from;
        }
        place
    }
}

impl Callers {
    /// Opens the file, or makes it; `None` where there is no directory for it.
    pub(crate) fn open(directories: &Directories) -> Option<Self> {
        let file = directories.runtime.as_ref()?.join("callers");
        open_private(&file).ok().map(Self)
    }

    /// The expiry that this caller was told last, if it is remembered.
    pub(crate) fn expected_at(&self, caller: &Caller) -> Option<DateTime<Utc>> {
        let mut place = [0; PLACE];
        if read_at(&self.0, &mut place, caller.offset()).is_err() {
            let _ = self.0.set_len(PLACES * PLACE as u64); // a new file: it has its size from now on
            return None;
        }
        let expiry = moment(i64::from_le_bytes(*place.last_chunk()?))?;
        (place == caller.place(expiry)).then_some(expiry)
    }

    /// Remembers what this caller is told now. Best effort.
    pub(crate) fn note(&self, caller: &Caller, expiry: DateTime<Utc>) {
        let _ = write_at(&self.0, &caller.place(expiry), caller.offset());
    }
}

/// FNV-1a: spreads, no more is asked of it.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(not(unix))]
fn read_at(mut file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    use io::{Read as _, Seek as _, Write as _};
    file.seek(io::SeekFrom::Start(offset))?;
    file.read_exact(bytes)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.seek(io::SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_was_told_is_known_to_it_alone() {
        let (home, directories, _) = crate::cache::fixtures::world();
        let callers = Callers::open(&directories).unwrap();
        let process = Process { pid: 7, started: 1000 };
        let caller = Caller::new("cert-1", process);
        let expiry = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        assert_eq!(callers.expected_at(&caller), None);
        callers.note(&caller, expiry);
        let again = Callers::open(&directories).unwrap();
        assert_eq!(again.expected_at(&caller), Some(expiry));
        for stranger in [
            Caller::new("cert-2", process),
            Caller::new("cert-1", Process { pid: 8, ..process }),
            Caller::new(
                "cert-1",
                Process {
                    started: 1001,
                    ..process
                },
            ),
        ] {
            assert_eq!(again.expected_at(&stranger), None);
        }
        let file = home.path().join("run/callers");
        assert_eq!(file.metadata().unwrap().len(), PLACES * 32);

        // A damaged file tells nothing and is written over.
        crate::host::write_private(&file, &[0xff; 1000]).unwrap();
        let again = Callers::open(&directories).unwrap();
        assert_eq!(again.expected_at(&caller), None);
        again.note(&caller, expiry);
        assert_eq!(again.expected_at(&caller), Some(expiry));
    }
}
