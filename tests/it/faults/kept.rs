//! What is wrong with the entry that is kept, in the file cache.

use super::cell::{Cell, KEY, REQUESTED_AT, add};
use super::row::{Came, Fault, LOST, State, UNNOTICED, fault};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::time::Duration;

/// Somebody else: no user of this machine.
pub(super) const STRANGER: u32 = 47_117;
const HOUR: i64 = 3600;

/// Something happens to the entry, where there is one.
fn entry(name: &'static str, strikes: fn(&Cell), comes: [Came; 4]) -> Fault {
    let strikes = move |cell: &mut Cell| {
        if cell.state != State::Empty {
            strikes(cell);
        }
    };
    fault(name, strikes, comes)
}

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("--")).collect();
    STANDARD.decode(body).unwrap()
}

fn block(entry: &mut Vec<u8>, bytes: &[u8]) {
    entry.extend(u16::try_from(bytes.len()).unwrap().to_le_bytes());
    entry.extend(bytes);
}

/// Puts this certificate and this key in the place of those in an entry.
fn put(entry: &mut Vec<u8>, certificate: &str, key: &str) {
    entry.truncate(KEY);
    let kinds = ["BEGIN PRIVATE KEY", "BEGIN RSA PRIVATE KEY", "BEGIN EC PRIVATE KEY"];
    entry.push(u8::try_from(kinds.iter().position(|kind| key.contains(kind)).unwrap()).unwrap());
    block(entry, &der(key));
    entry.push(1);
    block(entry, &der(certificate));
}

/// A certificate of this user, for so many seconds.
fn issued(cell: &Cell, user: &str, seconds: u64) -> (String, String) {
    let issued = cell
        .world
        .sim
        .issue_certificate("prod", user, Duration::from_secs(seconds));
    (issued.certificate, issued.key)
}

pub(super) fn of_somebody_else(cell: &Cell) {
    let (certificate, key) = issued(cell, "bob", 28_800);
    cell.change_entry(|entry| put(entry, &certificate, &key));
}

pub(super) fn faults() -> Vec<Fault> {
    const FOREIGN: Came = Came::Fails(3, "its entry is for");
    let refused = [FOREIGN, FOREIGN, FOREIGN, Came::New];
    vec![
        entry("garbage", |cell| fs::write(cell.entry(), [0x5a; 2000]).unwrap(), LOST),
        entry("empty", |cell| fs::write(cell.entry(), "").unwrap(), LOST),
        entry(
            "cut short",
            |cell| cell.replace_entry(|bytes| bytes[..bytes.len() / 2].to_vec()),
            LOST,
        ),
        entry(
            "one bit is another",
            |cell| {
                cell.replace_entry(|mut bytes| {
                    bytes[200] ^= 1;
                    bytes
                });
            },
            LOST,
        ),
        entry(
            "70 MB",
            |cell| {
                fs::File::options()
                    .write(true)
                    .open(cell.entry())
                    .unwrap()
                    .set_len(70 << 20)
                    .unwrap();
            },
            LOST,
        ),
        entry(
            "of another version",
            |cell| cell.change_entry(|entry| entry[0] = 99),
            LOST,
        ),
        entry("somebody else's certificate", of_somebody_else, refused),
        entry(
            "a certificate that is over",
            |cell| {
                let (certificate, key) = issued(cell, "alice", 1);
                cell.change_entry(|entry| put(entry, &certificate, &key));
                std::thread::sleep(Duration::from_secs(2));
            },
            LOST,
        ),
        entry(
            "asked for in the future",
            |cell| cell.change_entry(|entry| add(entry, REQUESTED_AT, 48 * HOUR)),
            UNNOTICED,
        ),
        entry(
            "from before a logout",
            |cell| {
                let entry = cell.entry();
                let bytes = fs::read(&entry).unwrap();
                cell.log_out();
                assert!(!entry.exists());
                fs::write(entry, bytes).unwrap();
            },
            LOST,
        ),
        entry(
            "others may write the file",
            |cell| fs::set_permissions(cell.entry(), fs::Permissions::from_mode(0o666)).unwrap(),
            UNNOTICED,
        ),
        entry(
            "the file is somebody else's",
            |cell| chown(cell.entry(), Some(STRANGER), None).unwrap(),
            LOST,
        ),
        entry(
            "a link to a good one",
            |cell| {
                let elsewhere = cell.world.home().join(".cache/cce-login/elsewhere");
                fs::rename(cell.entry(), &elsewhere).unwrap();
                symlink(elsewhere, cell.entry()).unwrap();
            },
            LOST,
        ),
        entry(
            "a link to nowhere",
            |cell| {
                fs::remove_file(cell.entry()).unwrap();
                symlink("nowhere", cell.entry()).unwrap();
            },
            LOST,
        ),
        entry(
            "a pipe",
            |cell| {
                fs::remove_file(cell.entry()).unwrap();
                cell.world.shell(&format!("mkfifo '{}'", cell.entry().display()));
            },
            LOST,
        ),
        entry(
            "a directory",
            |cell| {
                fs::remove_file(cell.entry()).unwrap();
                fs::create_dir(cell.entry()).unwrap();
            },
            LOST,
        ),
        entry(
            "others may write the directory",
            |cell| {
                let directory = cell.world.home().join(".cache/cce-login");
                fs::set_permissions(directory, fs::Permissions::from_mode(0o777)).unwrap();
            },
            LOST,
        ),
        entry(
            "the directory is somebody else's",
            |cell| {
                chown(cell.world.home().join(".cache/cce-login"), Some(STRANGER), None).unwrap();
            },
            LOST,
        ),
        entry(
            "the directory is a link",
            |cell| {
                let directory = cell.world.home().join(".cache/cce-login");
                fs::rename(&directory, cell.world.home().join(".cache/moved")).unwrap();
                symlink("moved", directory).unwrap();
                cell.world.allow_secrets_below(".cache/moved");
            },
            LOST,
        ),
        entry(
            "the directory is a file",
            |cell| {
                let directory = cell.world.home().join(".cache/cce-login");
                fs::remove_dir_all(&directory).unwrap();
                fs::write(directory, "").unwrap();
            },
            LOST,
        ),
    ]
}
