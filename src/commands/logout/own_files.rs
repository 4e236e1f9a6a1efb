//! Which files in our directories are ours, told by their names alone: what a variable called our directory may be somebody else's, too.

use crate::sanitize::sanitize;
use std::fs;
use std::io;
use std::path::Path;

/// The directories that we make in ours.
const DIRECTORIES: [&str; 13] = [
    "endpoints",
    "entries",
    "failures",
    "locks",
    "login-endpoints",
    "projects",
    "run",
    "secrets",
    "sign-ins",
    "sign-ons",
    "throttles",
    "tombstones",
    "users",
];
/// The files that have a name of their own.
const FILES: [&str; 6] = [
    "behind.fetch",
    "callers",
    "config.toml",
    "keyring-timed-out",
    "number",
    "shared-cache-failed",
];
/// The others are named after a hash of what they are about, with one of these in front of it,
const PREFIXES: [&str; 7] = [
    "cert-",
    "entry-cert-",
    "entry-sign-in-",
    "entry-sign-on-",
    "profile-",
    "sign-in-",
    "sign-on-",
];
/// and one of these behind it.
const SUFFIXES: [&str; 7] = [
    ".acceptance",
    ".fetch",
    ".json",
    ".question",
    ".record",
    ".renewal",
    ".sign-in",
];
const PREFIX_OF_SECRETS: &str = "entry-profile-";
/// Hexadecimal digits of a hash.
const HASH: usize = 32;
/// How the names of files begin that were being written when a process was killed.
const TEMPORARY: &str = ".new-";
/// So many names are listed.
const LISTED: usize = 3;

/// Removes our files from `directory` and from the directories that we make in it, and each of them that is empty then. Returns the names of
/// what is not ours. Links are not followed.
pub(super) fn remove(directory: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        entries => entries?,
    };
    let mut strangers = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type()?;
        if kind.is_dir() && DIRECTORIES.contains(&name.as_str()) {
            let inner = remove(&entry.path())?.into_iter();
            strangers.extend(inner.map(|inner| format!("{name}/{inner}")));
        } else if kind.is_file() && is_ours(&name) {
            fs::remove_file(entry.path())?;
        } else {
            strangers.push(name);
        }
    }
    match fs::remove_dir(directory) {
        // What its name leads to is empty; the name, a link, is not ours.
        Err(error) if strangers.is_empty() && error.kind() == io::ErrorKind::NotADirectory => {}
        Err(error) if strangers.is_empty() => return Err(error),
        _ => {}
    }
    strangers.sort();
    Ok(strangers)
}

/// Some of the names, for a person; `None` if there are none.
pub(super) fn listed(names: &[String]) -> Option<String> {
    let some: Vec<String> = names.iter().take(LISTED).map(|name| sanitize(name)).collect();
    let more = names.len().saturating_sub(LISTED);
    match (some.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(some.join(", ")),
        (false, more) => Some(format!("{} and {more} more", some.join(", "))),
    }
}

fn is_ours(name: &str) -> bool {
    let is_temporary = name.strip_prefix(TEMPORARY).is_some_and(|rest| is_hex(rest, 16));
    is_temporary || has_our_name(name)
}

fn is_hex(text: &str, digits: usize) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == digits && text.bytes().all(is_digit)
}

fn has_our_name(name: &str) -> bool {
    if FILES.contains(&name) {
        return true;
    }
    let stem = SUFFIXES
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name);
    let mut prefixes = PREFIXES.iter().chain([&PREFIX_OF_SECRETS]);
    let hash = prefixes.find_map(|prefix| stem.strip_prefix(prefix)).unwrap_or(stem);
    is_hex(hash, HASH)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test's own files")]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef";

    fn write(path: &Path) {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).open(path).unwrap();
    }

    #[test]
    fn our_names_are_told_from_others() {
        for ours in [
            "config.toml",
            "behind.fetch",
            &format!("cert-{HEX}.acceptance"),
            &format!("cert-{HEX}.json"),
            &format!("cert-{HEX}"),
            &format!("entry-cert-{HEX}"),
            &format!("entry-profile-{HEX}"),
            &format!("sign-in-{HEX}.fetch"),
            &format!("{HEX}.json"),
            ".new-0123456789abcdef",
        ] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in [
            "config.toml.orig",
            "Config.toml",
            "notes.json",
            "cert-1.json",
            "cert.pem",
            &format!("entry-{HEX}.txt"),
            &format!("{HEX}0.json"),
            &HEX.to_uppercase(),
            ".new-book",
            ".bashrc",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }

    #[test]
    fn only_ours_goes_and_the_directory_if_it_is_empty_then() {
        let home = tempfile::tempdir().unwrap();
        let own = home.path().join("own");
        for directory in ["entries", "entries/deeper", "photos"] {
            fs::create_dir_all(own.join(directory)).unwrap();
        }
        for file in ["config.toml", "entries/list.txt", "photos/config.toml", "thesis.tex"] {
            write(&own.join(file));
        }
        write(&own.join(format!("entries/cert-{HEX}.json")));
        assert_eq!(
            remove(&own).unwrap(),
            ["entries/deeper", "entries/list.txt", "photos", "thesis.tex"]
        );
        assert!(!own.join("config.toml").exists() && own.join("photos/config.toml").exists());
        assert!(!own.join(format!("entries/cert-{HEX}.json")).exists());

        let alone = home.path().join("alone");
        fs::create_dir_all(alone.join("locks")).unwrap();
        write(&alone.join("callers"));
        assert_eq!(remove(&alone).unwrap(), [""; 0]);
        assert!(!alone.exists());
        assert_eq!(remove(&alone).unwrap(), [""; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn what_a_link_leads_to_stays() {
        let home = tempfile::tempdir().unwrap();
        let (own, other) = (home.path().join("own"), home.path().join("other"));
        fs::create_dir_all(&own).unwrap();
        fs::create_dir_all(&other).unwrap();
        write(&other.join("callers"));
        std::os::unix::fs::symlink(&other, own.join("locks")).unwrap();
        std::os::unix::fs::symlink(other.join("callers"), own.join("callers")).unwrap();
        assert_eq!(remove(&own).unwrap(), ["callers", "locks"]);
        assert!(other.join("callers").exists());
    }
}
