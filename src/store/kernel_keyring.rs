//! The Linux kernel keyring: raw `user` keys named `cce-login:<account>` in the user keyring (`@u`). A tenth of a millisecond, gone at reboot.
//!
//! Quirks it is built around (keyrings(7), keyctl(2), and tried): a session that does not hold `@u` may add keys but not read or change them, so
//! `@u` is linked into the process keyring first; an update clears a key's timeout; an update beyond the quota fails and leaves the old value.
//! Not used in containers (`container.rs`).

use crate::secret::Secret;
use crate::store::container::container_sign;
use crate::store::{SecretStore, StoreEnvironment, StoreError, StoreKind, check_account};
use chrono::{DateTime, Utc};
use linux_keyutils::{
    Key, KeyError, KeyPermissions, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, KeyType, Permission,
};
use std::fs;
use zeroize::Zeroizing;

const KIND: StoreKind = StoreKind::KernelKeyring;
/// What the descriptions of our keys begin with: by this prefix, and only by it, a key is ours to remove.
const PREFIX: &str = "cce-login:";
/// `@u` by its special id, for reading the list of its keys.
const USER_KEYRING: i32 = -4;
/// The most bytes a `user` key holds (`user_preparse`, Linux `security/keys/user_defined.c`).
const KEY_MAX: usize = 32_767;
/// A certificate and its key fit; a longer value takes a second read.
const FIRST_READ: usize = 4096;

/// The user's keyring in the kernel; keeps only values that expire.
pub struct KernelKeyring {
    container: Option<&'static str>,
}

impl KernelKeyring {
    /// Describes the keyring; nothing but the signs of a container is looked at.
    pub fn new(world: &StoreEnvironment) -> Self {
        Self {
            container: container_sign(world),
        }
    }

    /// Opens the process keyring with `@u` linked into it, so that we possess what is in `@u`.
    ///
    /// Each time, because a thread has its own credentials, and a link made by another thread does not count for it.
    fn possess(&self) -> Result<KeyRing, StoreError> {
        self.check_container()?;
        let process = KeyRing::from_special_id(KeyRingIdentifier::Process, true)
            .map_err(|error| failed(error, "open the process keyring"))?;
        process
            .link_keyring_id(KeyRingIdentifier::User)
            .map_err(|error| failed(error, "link the user keyring"))?;
        Ok(process)
    }
}

impl KernelKeyring {
    fn check_container(&self) -> Result<(), StoreError> {
        let unavailable = |sign| StoreError::unavailable(KIND, format!("it is not used in containers, and {sign}"));
        self.container.map_or(Ok(()), |sign| Err(unavailable(sign)))
    }
}

impl SecretStore for KernelKeyring {
    fn kind(&self) -> StoreKind {
        KIND
    }

    /// Looks straight into `@u` first: making the process keyring costs as much as everything else here together, and most sessions hold `@u`.
    fn get(&self, account: &str) -> Result<Option<Secret<Vec<u8>>>, StoreError> {
        check_account(account)?;
        self.check_container()?;
        let description = description(account);
        let look = |keyring: KeyRing| or_gone(keyring.search(&description).and_then(read).map(Some), None);
        let found = match look(user_keyring()?) {
            Err(KeyError::AccessDenied) => look(self.possess()?),
            found => found,
        };
        found.map_err(|error| failed(error, "read a key"))
    }

    /// Adds or updates the key and lets the kernel forget it at `expires_at`.
    ///
    /// Whatever fails, no older value stays behind. A key beyond the quota (20,000 bytes a user, but for root) takes the place of our other
    /// keys, the one that expires first going first.
    fn set(
        &self,
        account: &str,
        _label: &str,
        value: &Secret<Vec<u8>>,
        expires_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        check_account(account)?;
        let process = self.possess()?;
        let user = user_keyring()?;
        let description = description(account);
        let stored = seconds_until(expires_at, now).and_then(|seconds| store(user, &description, value, seconds));
        if stored.is_err()
            && let Ok(old) = process.search(&description)
        {
            discard(user, old);
        }
        stored
    }

    fn delete(&self, account: &str) -> Result<(), StoreError> {
        check_account(account)?;
        let process = self.possess()?;
        let user = user_keyring()?;
        match or_gone(process.search(&description(account)).map(Some), None) {
            Ok(Some(key)) if discard(user, key) => Ok(()),
            Ok(Some(_)) => Err(StoreError::failed(
                KIND,
                "delete a key",
                "the key can be neither revoked nor invalidated",
            )),
            Ok(None) => Ok(()),
            Err(error) => Err(failed(error, "find a key")),
        }
    }

    fn list(&self) -> Result<Vec<String>, StoreError> {
        self.possess()?;
        let ours = our_keys().map_err(|error| failed(error, "list the user keyring"))?;
        Ok(ours
            .into_iter()
            .filter_map(|(_, description)| description.strip_prefix(PREFIX).map(str::to_owned))
            .collect())
    }
}

fn description(account: &str) -> String {
    [PREFIX, account].concat()
}

fn user_keyring() -> Result<KeyRing, StoreError> {
    KeyRing::from_special_id(KeyRingIdentifier::User, false).map_err(|error| failed(error, "open the user keyring"))
}

/// The timeout that forgets a value no later than at its end.
fn seconds_until(expires_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let end = expires_at.ok_or(StoreError::NeverExpires { kind: KIND })?;
    // A timeout of 0 would mean "never".
    usize::try_from((end - now).num_seconds())
        .ok()
        .filter(|&seconds| seconds > 0)
        .ok_or(StoreError::Expired)
}

/// Reads a key's payload, whole or not at all: it may be replaced by a longer one between two reads.
fn read(key: Key) -> Result<Secret<Vec<u8>>, KeyError> {
    let mut size = FIRST_READ;
    loop {
        let mut buffer = Zeroizing::new(vec![0; size]);
        // The kernel answers with the payload's length, also where the buffer is shorter and nothing was copied.
        let len = key.read(&mut *buffer)?;
        if let Some(payload) = buffer.get(..len) {
            return Ok(Secret::new(payload.to_vec()));
        }
        size = len;
    }
}

fn store(user: KeyRing, description: &str, value: &Secret<Vec<u8>>, seconds: usize) -> Result<(), StoreError> {
    // Into the keyring: this is what it is for.
    let payload = value.expose();
    if payload.len() > KEY_MAX {
        return Err(StoreError::TooLarge {
            kind: KIND,
            limit: KEY_MAX,
            size: payload.len(),
        });
    }
    let mut to_give_up = None;
    loop {
        match user.add_key(description, payload) {
            Ok(key) => return restrict(key, seconds).map_err(|error| failed(error, "limit a key to its lifetime")),
            Err(KeyError::QuotaExceeded) => {}
            Err(error) => return Err(failed(error, "add a key")),
        }
        let to_give_up = to_give_up.get_or_insert_with(|| candidates(description));
        let Some(key) = to_give_up.pop() else {
            return Err(StoreError::Full { kind: KIND });
        };
        discard(user, key);
    }
}

/// The possessor may do everything, the user may see that the key exists; gone after `seconds`.
fn restrict(key: Key, seconds: usize) -> Result<(), KeyError> {
    key.set_perms(permissions())?;
    key.set_timeout(seconds)
}

fn permissions() -> KeyPermissions {
    KeyPermissionsBuilder::builder()
        .posessor(Permission::ALL)
        .user(Permission::VIEW)
        .build()
}

/// Makes a key's value unreadable at once and takes it out of `@u`; says whether the value is gone.
///
/// Revoking gives the payload's bytes back to the quota at once; invalidating leaves that to a garbage collection some time later.
fn discard(user: KeyRing, key: Key) -> bool {
    let revoked = key.revoke().or_else(|_| key.invalidate());
    let _garbage_collected_otherwise = user.unlink_key(key);
    or_gone(revoked, ()).is_ok()
}

/// Our keys that may make room for another, in the order of expiry, the soonest last.
///
/// Not the key that is to be written: of an update only the difference counts against the quota.
fn candidates(description: &str) -> Vec<Key> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the kernel's own file: a line for each of our keys"
    )]
    let timeouts = fs::read_to_string("/proc/keys").unwrap_or_default();
    let ours = our_keys().unwrap_or_default().into_iter();
    let others = ours.filter(|(_, other)| other != description).map(|(serial, _)| serial);
    soonest_last(others, &timeouts)
        .into_iter()
        .map(|serial| Key::from_id(serial.into()))
        .collect()
}

/// The keys of ours in `@u`: serial number and description.
fn our_keys() -> Result<Vec<(i32, String)>, KeyError> {
    let mut size = 4096;
    let serials = loop {
        let mut buffer = vec![0; size];
        // linux-keyutils' own `get_links` trusts the answered length beyond its buffer; this does not.
        let len = Key::from_id(USER_KEYRING.into()).read(&mut buffer)?;
        match buffer.get(..len) {
            Some(bytes) => {
                break bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|bytes| i32::from_ne_bytes(*bytes))
                    .collect::<Vec<_>>();
            }
            None => size = len,
        }
    };
    let ours = serials.into_iter().filter_map(|serial| {
        let metadata = Key::from_id(serial.into()).metadata().ok()?;
        let is_ours = metadata.get_type() == KeyType::User && metadata.get_description().starts_with(PREFIX);
        is_ours.then(|| (serial, metadata.get_description().to_owned()))
    });
    Ok(ours.collect())
}

/// Sorts serial numbers by the timeouts that `/proc/keys` shows (`proc_keys(5)`), the soonest last; unknown ones count as expired.
fn soonest_last(serials: impl Iterator<Item = i32>, proc_keys: &str) -> Vec<i32> {
    let timeout_of = |serial: i32| {
        let line = proc_keys
            .lines()
            .find(|line| line.split(' ').next().and_then(|hex| i32::from_str_radix(hex, 16).ok()) == Some(serial))?;
        parse_timeout(line.split_ascii_whitespace().nth(3)?)
    };
    let mut by_timeout: Vec<_> = serials
        .map(|serial| (timeout_of(serial).unwrap_or(0), serial))
        .collect();
    by_timeout.sort_by(|a, b| b.cmp(a));
    by_timeout.into_iter().map(|(_, serial)| serial).collect()
}

/// Reads the timeout column of `/proc/keys` as seconds: `perm`, `expd`, or a number with a unit.
fn parse_timeout(text: &str) -> Option<u64> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' if text == "perm" => return Some(u64::MAX),
        'm' => 60,
        'h' => 3600,
        'd' if text == "expd" => return Some(0),
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let number: u64 = text.get(..text.len() - 1)?.parse().ok()?;
    number.checked_mul(unit)
}

fn or_gone<T>(result: Result<T, KeyError>, gone: T) -> Result<T, KeyError> {
    match result {
        Err(KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked) => Ok(gone),
        other => other,
    }
}

/// A kernel without keyrings (ENOSYS) and a sandbox that forbids them (EPERM, what seccomp filters answer) are no failure.
fn failed(error: KeyError, action: &'static str) -> StoreError {
    /// The same number on every architecture that Rust's standard library supports, but for MIPS, SPARC, Alpha and PA-RISC.
    const ENOSYS: i32 = 38;
    match error {
        KeyError::Unknown(ENOSYS) | KeyError::OperationNotSupported => {
            StoreError::unavailable(KIND, "this kernel does not have it")
        }
        KeyError::PermissionDenied => StoreError::unavailable(KIND, "this process may not use it"),
        error => StoreError::failed(KIND, action, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_ends_with_the_value_and_is_never_zero() {
        let now = DateTime::UNIX_EPOCH;
        let after = |milliseconds| Some(now + chrono::TimeDelta::milliseconds(milliseconds));
        assert_eq!(seconds_until(after(8 * 3_600_000), now).unwrap(), 28_800);
        assert_eq!(seconds_until(after(1_999), now).unwrap(), 1);
        for past in [999, 0, -1, -5_000] {
            assert!(
                matches!(seconds_until(after(past), now), Err(StoreError::Expired)),
                "{past}"
            );
        }
        assert!(matches!(seconds_until(None, now), Err(StoreError::NeverExpires { .. })));
    }

    #[test]
    fn the_key_that_expires_first_makes_room_first() {
        let proc_keys = "\
00000001 I--Q---     1 perm 3f010000     0     0 user      cce-login:never: 4
00000002 I--Q---     1  10m 3f010000     0     0 user      cce-login:minutes: 4
00000003 I--Q---     1  59s 3f010000     0     0 user      cce-login:seconds: 4
00000004 I--Q---     1   7h 3f010000     0     0 user      cce-login:hours: 4
0000000a I--Q---     1 expd 3f010000     0     0 user      cce-login:gone: 4
0000000b I--Q---     1   2w 3f010000     0     0 user      cce-login:weeks: 4
0000000c I--Q---     1   3d 3f010000     0     0 user      cce-login:days: 4
";
        let mut order = soonest_last([1, 2, 3, 4, 10, 11, 12, 99].into_iter(), proc_keys);
        order.reverse();
        assert_eq!(order, [10, 99, 3, 2, 4, 12, 11, 1]);
        assert_eq!(soonest_last([1, 2].into_iter(), "").len(), 2);
    }

    #[test]
    fn a_kernel_or_sandbox_without_keyrings_is_unavailable_not_broken() {
        for error in [
            KeyError::Unknown(38),
            KeyError::PermissionDenied,
            KeyError::OperationNotSupported,
        ] {
            assert!(
                matches!(failed(error, "read a key"), StoreError::Unavailable { .. }),
                "{error:?}"
            );
        }
        assert!(matches!(
            failed(KeyError::AccessDenied, "read a key"),
            StoreError::Failed { .. }
        ));
    }

    #[test]
    fn permissions_are_the_possessors_and_a_look_for_the_user() {
        assert_eq!(permissions().bits(), 0x3f01_0000);
    }
}
