//! Splitting values that are larger than one item of a store may be.
//!
//! Windows' Credential Manager holds 2,560 bytes an item (`CRED_MAX_CREDENTIAL_BLOB_SIZE`). A larger value goes into the items `<account>#1`,
//! `<account>#2`, … and a header under `<account>`, which is written last and holds their number, the value's length and its SHA-256. Whatever
//! does not add up (a part missing, parts of two writes mixed) is a miss. `#` is no character of an account name, so parts hide no account.

use crate::secret::Secret;
use crate::store::{SecretStore, StoreError, StoreKind, check_account};
use chrono::{DateTime, Utc};
use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

/// What a header begins with; a value that happens to begin so is split, too, so that it is never taken for a header.
const MAGIC: &[u8] = b"cce-login split 1\n";
/// Magic, number of parts (u16, big endian), length of the value (u32), SHA-256 of the value.
const HEADER_LEN: usize = MAGIC.len() + 2 + 4 + SHA256_OUTPUT_LEN;
/// The most parts a value may have: 160 kB on Windows; a certificate chain with its key has a tenth of that.
const PARTS_MAX: usize = 64;

/// Lets a store take values of any sensible size by splitting those above its `limit`.
pub(crate) struct Split<S> {
    store: S,
    limit: usize,
}

impl<S: SecretStore> Split<S> {
    /// Wraps `store`, whose items hold at most `limit` bytes (at least the 56 bytes of a header).
    pub(crate) fn new(store: S, limit: usize) -> Self {
        Self {
            store,
            limit: limit.max(HEADER_LEN),
        }
    }

    fn remove_parts(&self, account: &str, from: usize, known: usize) -> Result<(), StoreError> {
        for number in from..=PARTS_MAX {
            let part = part_name(account, number);
            // Beyond the parts a header told of, look: a write that was cut short may have left some.
            if number > known && self.store.get(&part)?.is_none() {
                break;
            }
            self.store.delete(&part)?;
        }
        Ok(())
    }

    fn parts_of(&self, account: &str) -> usize {
        let header = self.store.get(account).ok().flatten();
        // Only the number of parts leaves here.
        header
            .and_then(|item| Header::parse(item.expose()))
            .map_or(0, |header| header.parts)
    }
}

impl<S: SecretStore> SecretStore for Split<S> {
    fn kind(&self) -> StoreKind {
        self.store.kind()
    }

    fn get(&self, account: &str) -> Result<Option<Secret<Vec<u8>>>, StoreError> {
        check_account(account)?;
        let Some(item) = self.store.get(account)? else {
            return Ok(None);
        };
        // A header holds no secret but the value's hash, which stays here.
        let Some(header) = Header::parse(item.expose()) else {
            return Ok(Some(item));
        };
        let mut value = Vec::with_capacity(header.len);
        for number in 1..=header.parts {
            let Some(part) = self.store.get(&part_name(account, number))? else {
                return Ok(None);
            };
            // Joined into the value, which is wrapped again below.
            value.extend_from_slice(part.expose());
        }
        let value = Secret::new(value);
        Ok(header.is_of(&value).then_some(value))
    }

    fn set(
        &self,
        account: &str,
        label: &str,
        value: &Secret<Vec<u8>>,
        expires_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        check_account(account)?;
        // The value is cut here and handed on to the store wrapped.
        let bytes = value.expose();
        let parts = if bytes.len() > self.limit || bytes.starts_with(MAGIC) {
            bytes.len().div_ceil(self.limit)
        } else {
            0
        };
        if parts > PARTS_MAX {
            return Err(StoreError::TooLarge {
                kind: self.kind(),
                limit: PARTS_MAX * self.limit,
                size: bytes.len(),
            });
        }
        let parts_before = self.parts_of(account);
        for (number, chunk) in (1..=parts).zip(bytes.chunks(self.limit)) {
            self.store.set(
                &part_name(account, number),
                label,
                &Secret::new(chunk.to_vec()),
                expires_at,
                now,
            )?;
        }
        if parts == 0 {
            self.store.set(account, label, value, expires_at, now)?;
        } else {
            let header = Header::of(value, parts).to_bytes();
            self.store.set(account, label, &Secret::new(header), expires_at, now)?;
        }
        // The value is stored; parts of a longer one before it are only litter.
        let _litter = self.remove_parts(account, parts + 1, parts_before);
        Ok(())
    }

    fn delete(&self, account: &str) -> Result<(), StoreError> {
        check_account(account)?;
        let parts = self.parts_of(account);
        self.store.delete(account)?;
        self.remove_parts(account, 1, parts)
    }

    fn list(&self) -> Result<Vec<String>, StoreError> {
        let mut accounts = self.store.list()?;
        accounts.retain(|name| check_account(name).is_ok());
        Ok(accounts)
    }
}

/// The item that holds part `number` (from 1) of an account's value.
fn part_name(account: &str, number: usize) -> String {
    format!("{account}#{number}")
}

/// Accepts an account name, or the name of one of its parts: what a store under a [`Split`] is asked for.
pub(super) fn check_item(name: &str) -> Result<(), StoreError> {
    match name.split_once('#') {
        Some((account, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => check_account(account),
        _ => check_account(name),
    }
}

struct Header {
    parts: usize,
    len: usize,
    sha256: Vec<u8>,
}

impl Header {
    fn of(value: &Secret<Vec<u8>>, parts: usize) -> Self {
        // Only the length and the hash leave here, for an item of the same store.
        let bytes = value.expose();
        Self {
            parts,
            len: bytes.len(),
            sha256: digest(&SHA256, bytes).as_ref().to_vec(),
        }
    }

    fn is_of(&self, value: &Secret<Vec<u8>>) -> bool {
        let real = Self::of(value, self.parts);
        real.len == self.len && real.sha256 == self.sha256
    }

    fn parse(item: &[u8]) -> Option<Self> {
        let rest = item.strip_prefix(MAGIC)?;
        let (parts, rest) = rest.split_first_chunk::<2>()?;
        let (len, sha256) = rest.split_first_chunk::<4>()?;
        let header = Self {
            parts: u16::from_be_bytes(*parts).into(),
            len: u32::from_be_bytes(*len).try_into().ok()?,
            sha256: sha256.to_vec(),
        };
        (header.sha256.len() == SHA256_OUTPUT_LEN && (1..=PARTS_MAX).contains(&header.parts)).then_some(header)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let parts = u16::try_from(self.parts).unwrap_or(u16::MAX);
        let len = u32::try_from(self.len).unwrap_or(u32::MAX);
        [MAGIC, &parts.to_be_bytes(), &len.to_be_bytes(), &self.sha256].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MemoryStore, Switches};
    use proptest::prelude::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
    const LIMIT: usize = 100;

    fn store() -> (MemoryStore, Split<MemoryStore>) {
        let memory = MemoryStore::new(StoreKind::Memory);
        memory.switch(Switches {
            size_limit: Some(LIMIT),
            ..Switches::default()
        });
        (memory.clone(), Split::new(memory, LIMIT))
    }

    fn value(seed: u8, len: usize) -> Secret<Vec<u8>> {
        Secret::new(
            (0..len)
                .map(|i| seed.wrapping_add(u8::try_from(i % 251).unwrap()))
                .collect(),
        )
    }

    fn set(split: &Split<MemoryStore>, value: &Secret<Vec<u8>>) {
        split.set("a", "label", value, None, NOW).unwrap();
    }

    #[test]
    fn a_value_within_the_limit_is_one_plain_item() {
        let (memory, split) = store();
        set(&split, &value(1, LIMIT));
        assert_eq!(memory.names(), ["a"]);
        assert_eq!(memory.get("a").unwrap(), Some(value(1, LIMIT)));
        assert_eq!(split.get("a").unwrap(), Some(value(1, LIMIT)));
    }

    #[test]
    fn a_larger_value_is_split_listed_once_and_deleted_whole() {
        let (memory, split) = store();
        set(&split, &value(1, 250));
        assert_eq!(memory.names(), ["a", "a#1", "a#2", "a#3"]);
        assert_eq!(split.get("a").unwrap(), Some(value(1, 250)));
        assert_eq!(split.list().unwrap(), ["a"]);
        split.delete("a").unwrap();
        assert!(memory.is_empty());
        split.delete("a").unwrap();
    }

    #[test]
    fn a_smaller_value_leaves_no_parts_of_the_larger_one_before_it() {
        let (memory, split) = store();
        set(&split, &value(1, 450));
        set(&split, &value(2, 150));
        assert_eq!(memory.names(), ["a", "a#1", "a#2"]);
        set(&split, &value(3, 50));
        assert_eq!(memory.names(), ["a"]);
        assert_eq!(split.get("a").unwrap(), Some(value(3, 50)));
    }

    #[test]
    fn a_missing_part_is_a_miss() {
        let (memory, split) = store();
        set(&split, &value(1, 250));
        memory.plant("a#2", None);
        assert_eq!(split.get("a").unwrap(), None);
        split.delete("a").unwrap();
        assert!(memory.is_empty(), "{:?}", memory.names());
    }

    #[test]
    fn parts_of_two_writes_are_a_miss_wherever_the_write_stopped() {
        for written in 1..=3 {
            let (memory, split) = store();
            set(&split, &value(1, 250));
            let (other, other_split) = store();
            set(&other_split, &value(9, 250));
            for number in 1..=written {
                let name = part_name("a", number);
                let part = other.get(&name).unwrap().unwrap();
                memory.plant(&name, Some(part.expose()));
            }
            assert_eq!(split.get("a").unwrap(), None, "stopped after part {written}");
        }
    }

    #[test]
    fn parts_without_a_header_are_a_miss_and_go_with_the_next_delete() {
        let (memory, split) = store();
        set(&split, &value(1, 250));
        memory.plant("a", None);
        assert_eq!(split.get("a").unwrap(), None);
        split.delete("a").unwrap();
        assert!(memory.is_empty());
    }

    #[test]
    fn the_header_is_written_last_and_deleted_first() {
        let (memory, split) = store();
        let broken = Switches {
            broken_item: Some("a#2"),
            ..Switches::default()
        };
        memory.switch(broken);
        split.set("a", "label", &value(1, 250), None, NOW).unwrap_err();
        assert_eq!(memory.names(), ["a#1"]);
        memory.switch(Switches::default());
        set(&split, &value(1, 250));
        memory.switch(broken);
        split.delete("a").unwrap_err();
        assert_eq!(memory.names(), ["a#2", "a#3"]);
        assert_eq!(split.get("a").unwrap(), None);
    }

    #[test]
    fn a_value_that_looks_like_a_header_comes_back_as_it_was() {
        let (memory, split) = store();
        let looks = Secret::new(Header::of(&value(1, 5), 1).to_bytes());
        set(&split, &looks);
        assert_eq!(memory.names(), ["a", "a#1"]);
        assert_eq!(split.get("a").unwrap(), Some(looks));
    }

    #[test]
    fn accounts_and_parts_never_meet() {
        let (_, split) = store();
        assert!(matches!(split.get("a#1"), Err(StoreError::BadAccount { .. })));
        assert!(check_item("a#1").is_ok() && check_item("a").is_ok());
        assert!(check_item("a#1#2").is_err() && check_item("a#x").is_err() && check_item("#1").is_err());
    }

    #[test]
    fn more_than_the_most_parts_is_refused() {
        let (memory, split) = store();
        let error = split
            .set("a", "label", &value(1, PARTS_MAX * LIMIT + 1), None, NOW)
            .unwrap_err();
        assert!(matches!(error, StoreError::TooLarge { .. }));
        assert!(memory.is_empty());
    }

    proptest! {
        #[test]
        fn whatever_was_written_comes_back(first in proptest::collection::vec(any::<u8>(), 0..700), second in proptest::collection::vec(any::<u8>(), 0..700)) {
            let (memory, split) = store();
            for bytes in [first, second] {
                let value = Secret::new(bytes);
                split.set("a", "label", &value, None, NOW).unwrap();
                prop_assert_eq!(split.get("a").unwrap(), Some(value));
            }
            split.delete("a").unwrap();
            prop_assert!(memory.is_empty());
        }
    }
}
