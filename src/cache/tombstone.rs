//! Tombstones: what was asked for before a logout is void, in whichever store it turns up later.
//!
//! A logout is told from another by a number and not by its time: clocks are set. The number is a state directory's own: stores are shared
//! by environments that do not share that directory (a service, a sandbox), and what one of them asked for is no business of the other's
//! logouts.

use crate::cache::CacheKey;
use crate::host::{Directories, random_u64, read_private, user_id, write_private};
use crate::private_dir::{Loose, PrivateDir};
use std::io;
use std::path::PathBuf;

/// In the state directory.
const DIRECTORY: &str = "tombstones";
/// The length of a number in a file.
const DIGITS: usize = 16;

/// Which state directory something was asked for from, and which of its logouts came last before that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Generation {
    /// The directory's own number; 0: there was none.
    directory: u32,
    /// The logout's own number; 0: there was none.
    logout: u32,
}

impl Generation {
    /// The stored form.
    pub(crate) fn to_u64(self) -> u64 {
        (u64::from(self.directory) << 32) + u64::from(self.logout)
    }

    fn to_text(self) -> String {
        format!("{:016x}\n", self.to_u64())
    }

    /// Reads the stored form.
    pub(crate) fn from_u64(stored: u64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        Self {
            directory: (stored >> 32) as u32,
            logout: stored as u32,
        }
    }
}

/// What lies on a key.
enum Tombstone {
    None,
    Of(Generation),
    /// Something is there, and it does not say what it voids.
    Unreadable,
}

/// What will be asked for from here on stands under this. Look first, then ask: a logout in between voids it.
///
/// A tombstone that cannot be read, and so voids everything, is replaced by one that voids what was before.
pub(crate) fn generation(directories: &Directories, key: &CacheKey) -> Generation {
    match look(directories, key) {
        Tombstone::Of(generation) => generation,
        Tombstone::None => Generation {
            directory: number_of(directories).unwrap_or_default(),
            logout: 0,
        },
        Tombstone::Unreadable => bury(directories, key).unwrap_or_default(),
    }
}

/// Whether a logout came after that, as far as this state directory knows. In doubt: yes.
pub(crate) fn is_void(directories: &Directories, key: &CacheKey, asked_under: Generation) -> bool {
    match look(directories, key) {
        Tombstone::None => false,
        Tombstone::Of(now) => now.directory == asked_under.directory && now.logout != asked_under.logout,
        Tombstone::Unreadable => true,
    }
}

/// Voids everything under `key` that was asked for from here until now.
pub(crate) fn bury(directories: &Directories, key: &CacheKey) -> io::Result<Generation> {
    let path = file(directories, key)?;
    let directory = match look(directories, key) {
        Tombstone::Of(before) => before.directory,
        Tombstone::None | Tombstone::Unreadable => number_of(directories)?,
    };
    let generation = Generation {
        directory,
        logout: random_number(),
    };
    write_private(&path, generation.to_text().as_bytes())?;
    Ok(generation)
}

/// Without a place for it there is none: a state directory that is missing, or that is not ours.
fn look(directories: &Directories, key: &CacheKey) -> Tombstone {
    let Some(state) = &directories.state else {
        return Tombstone::None;
    };
    let directory = match PrivateDir::open(&state.join(DIRECTORY), user_id(), Loose::Tighten) {
        Ok(Some(directory)) => directory,
        Ok(None) => return Tombstone::None,
        // No system call failed: it is somebody else's, or no directory, and nothing of ours was ever in it.
        Err(error) if error.raw_os_error().is_none() => return Tombstone::None,
        Err(_) => return Tombstone::Unreadable,
    };
    match directory.read(key.account()) {
        Ok(Some(text)) => parse(text.expose()).map_or(Tombstone::Unreadable, Tombstone::Of), // a number, no secret
        Ok(None) => Tombstone::None,
        Err(_) => Tombstone::Unreadable,
    }
}

/// The state directory's own number, made when it is first asked for.
fn number_of(directories: &Directories) -> io::Result<u32> {
    let state = directories.state.as_ref().ok_or_else(no_state_directory)?;
    let path = state.join("number");
    let known = || {
        io::Result::Ok(
            read_private(&path)?
                .and_then(|text| parse(&text))
                .map(|number| number.logout),
        )
    };
    // One that cannot be read now is not replaced: what was asked for under it would never be void again.
    if let Some(number) = known()? {
        return Ok(number);
    }
    let number = Generation {
        directory: 0,
        logout: random_number(),
    };
    write_private(&path, number.to_text().as_bytes())?;
    // Two processes may have made it at the same time: what lies there counts.
    Ok(known()?.unwrap_or(number.logout))
}

fn random_number() -> u32 {
    Generation::from_u64(random_u64()).logout.max(1)
}

/// The form of all files here: a number in hexadecimal digits, and a line's end.
fn parse(text: &[u8]) -> Option<Generation> {
    let digits = std::str::from_utf8(text).ok()?.strip_suffix('\n')?;
    let number = u64::from_str_radix(digits, 16).ok()?;
    (digits.len() == DIGITS).then(|| Generation::from_u64(number))
}

fn no_state_directory() -> io::Error {
    io::Error::other("there is no state directory")
}

fn file(directories: &Directories, key: &CacheKey) -> io::Result<PathBuf> {
    let state = directories.state.as_ref().ok_or_else(no_state_directory)?;
    Ok(state.join(DIRECTORY).join(key.account()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::fixtures::world;

    #[test]
    fn a_logout_voids_what_was_asked_for_before_it_and_nothing_else() {
        let (_home, here, key) = world();
        let before = generation(&here, &key);
        assert!(!is_void(&here, &key, before));
        bury(&here, &key).unwrap();
        assert!(is_void(&here, &key, before));
        let after = generation(&here, &key);
        assert!(!is_void(&here, &key, after));
        assert!(!is_void(&here, &CacheKey::of_account("cert-2"), before));
        bury(&here, &key).unwrap();
        assert!(is_void(&here, &key, before) && is_void(&here, &key, after));
    }

    #[test]
    fn what_another_state_directory_asked_for_is_its_own_business() {
        let (_home, here, key) = world();
        let (_other_home, there, _) = world();
        let theirs = generation(&there, &key);
        bury(&here, &key).unwrap();
        assert!(!is_void(&here, &key, theirs));
        assert!(
            !is_void(&here, &key, Generation::default()),
            "asked for without any directory"
        );
        bury(&there, &key).unwrap();
        assert!(is_void(&there, &key, theirs) && !is_void(&there, &key, generation(&here, &key)));
        let nowhere = Directories::default();
        assert!(!is_void(&nowhere, &key, theirs));
        assert_eq!(generation(&nowhere, &key), Generation::default());
    }

    #[test]
    fn a_tombstone_that_cannot_be_read_voids_until_the_next_one() {
        for content in [
            "",
            "4711",
            "yesterday",
            "0000000000000001 0000000000000002",
            "ffffffffffffffffff",
        ] {
            let (_home, here, key) = world();
            let before = generation(&here, &key);
            bury(&here, &key).unwrap();
            write_private(&file(&here, &key).unwrap(), content.as_bytes()).unwrap();
            assert!(is_void(&here, &key, before), "{content:?}");
            let after = generation(&here, &key);
            assert!(
                !is_void(&here, &key, after) && is_void(&here, &key, before),
                "{content:?}"
            );
        }
        let (_home, here, key) = world();
        std::fs::create_dir_all(file(&here, &key).unwrap()).unwrap();
        assert!(
            is_void(&here, &key, generation(&here, &key)),
            "a directory in its place stays"
        );
    }

    /// Found by refusing each system call of a `refresh`: one that failed to read the number made another.
    #[cfg(unix)]
    #[test]
    fn a_number_that_cannot_be_read_is_not_replaced() {
        let (home, here, key) = world();
        let asked_under = generation(&here, &key);
        let (number, away) = (home.path().join("state/number"), home.path().join("number"));
        std::fs::rename(&number, &away).unwrap();
        std::os::unix::fs::symlink(&away, &number).unwrap(); // no link is followed here
        assert!(bury(&here, &key).is_err());
        std::fs::rename(&away, &number).unwrap();
        bury(&here, &key).unwrap();
        assert!(is_void(&here, &key, asked_under));
    }

    #[test]
    fn a_tombstone_that_cannot_be_written_is_an_error() {
        let (home, here, key) = world();
        write_private(&home.path().join("state"), b"a file in the way").unwrap();
        assert!(bury(&here, &key).is_err());
        assert!(bury(&Directories::default(), &key).is_err());
    }

    #[test]
    fn where_a_tombstone_could_not_be_looked_for_everything_is_void_and_nothing_where_there_can_be_none() {
        let (home, mut here, key) = world();
        here.state = Some(home.path().join("x".repeat(300))); // no file system has such a name
        assert!(is_void(&here, &key, Generation::default()));
        let state = home.path().join("state");
        std::fs::create_dir(&state).unwrap();
        write_private(&state.join(DIRECTORY), b"a file in the way").unwrap();
        here.state = Some(state);
        assert!(!is_void(&here, &key, Generation::default()));
    }

    #[test]
    fn the_stored_form_is_read_again() {
        for number in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef] {
            assert_eq!(Generation::from_u64(number).to_u64(), number);
        }
    }
}
