//! What lies in a register under one certificate's name: whose turn it is, what failed, what is void, and the certificate.
//!
//! Never in it: tokens, temporary access keys, servers, authorities (whom kubectl believes comes from CCE or the kubeconfig only), and
//! what belongs to one machine (its clock, its state).

use crate::cache::entry::CacheEntry;
use crate::cache::tombstone::Generation;
use crate::host::{Skew, is_moment};
use crate::register::seal::SealingKey;
use crate::secret::{Secret, to_secret_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

/// The format's number.
const FORMAT: u8 = 1;
/// A value is some kilobytes; a larger one is nothing of ours.
const LARGEST: usize = 64 << 10;

/// One value. Times are the engine's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SharedValue {
    /// Somebody is fetching.
    pub(crate) claim: Option<Turn>,
    /// The last attempt failed.
    pub(crate) failure: Option<SharedFailure>,
    /// The last time at which everything was made void: another one than before means that what was fetched meanwhile is void too.
    pub(crate) void: Option<DateTime<Utc>>,
    /// The certificate.
    pub(crate) entry: Option<CacheEntry>,
}

/// Who is fetching, and how long nobody else does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Turn {
    /// The end of the turn.
    pub(crate) until: DateTime<Utc>,
    /// A number that nobody else has.
    pub(crate) by: u64,
}

/// A failure that answers for everybody until its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedFailure {
    /// Until when.
    pub until: DateTime<Utc>,
    /// What failed, in one line.
    pub text: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// How the run ends.
    pub exit: u8,
    /// The cloud throttles this identity.
    pub throttled: bool,
}

/// The stored form.
#[derive(Serialize, Deserialize)]
struct StoredValue {
    f: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claim: Option<Turn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<SharedFailure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    void: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
}

impl Drop for StoredValue {
    fn drop(&mut self) {
        self.entry.zeroize();
    }
}

impl SharedValue {
    /// The bytes for the register; `None` if they cannot be sealed.
    pub(crate) fn to_bytes(&self, name: &str, key: Option<&SealingKey>) -> Option<Secret<Vec<u8>>> {
        let entry = self.entry.as_ref().map(|entry| {
            let bytes = without_machine(entry.clone()).to_bytes();
            BASE64.encode(bytes.expose()) // into the envelope, or the engine that protects it
        });
        let stored = StoredValue {
            f: FORMAT,
            claim: self.claim.clone(),
            failure: self.failure.clone(),
            void: self.void,
            entry,
        };
        let plain = to_secret_bytes(&stored).ok()?;
        match key {
            Some(key) => key.seal(name, &plain),
            None => Some(plain),
        }
    }

    /// Reads a register's bytes; `None` for anything that is not exactly ours. Who has a key believes what was sealed with it and nothing
    /// else; a certificate that its key does not belong to makes the whole value worthless.
    pub(crate) fn from_bytes(name: &str, key: Option<&SealingKey>, bytes: &Secret<Vec<u8>>) -> Option<Self> {
        // Only its length is looked at.
        if bytes.expose().len() > LARGEST {
            return None;
        }
        let plain = match key {
            Some(key) => key.open(name, bytes)?,
            None => bytes.clone(),
        };
        // The key in it goes into a `Secret`.
        let mut stored: StoredValue = serde_json::from_slice(plain.expose()).ok()?;
        if stored.f != FORMAT {
            return None;
        }
        let entry = match &stored.entry {
            None => None,
            Some(text) => {
                let entry = CacheEntry::from_bytes(&Secret::new(BASE64.decode(text).ok()?))?;
                entry.cert.check_key().ok()?;
                Some(entry)
            }
        };
        let times = [
            stored.claim.as_ref().map(|claim| claim.until),
            stored.failure.as_ref().map(|failure| failure.until),
            stored.void,
        ];
        if !times.into_iter().flatten().all(is_moment) {
            return None;
        }
        Some(Self {
            claim: stored.claim.take(),
            failure: stored.failure.take(),
            void: stored.void,
            entry,
        })
    }
}

/// Without what belongs to one machine.
fn without_machine(entry: CacheEntry) -> CacheEntry {
    CacheEntry {
        requested_at: entry.fetched_at,
        generation: Generation::default(),
        skew: Skew::default(),
        ..entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_a_time_that_nobody_can_reckon_with_is_none_of_ours() {
        let read = |text: &str| SharedValue::from_bytes("cert-1", None, &Secret::new(text.as_bytes().to_vec()));
        assert!(
            read(r#"{"f":1,"void":"2026-11-26T18:00:00Z","claim":{"until":"2026-11-26T18:00:20Z","by":1}}"#).is_some()
        );
        for text in [
            r#"{"f":1,"void":"+262142-12-31T23:59:59.999999999Z"}"#,
            r#"{"f":1,"claim":{"until":"+262142-12-31T23:59:59Z","by":1}}"#,
            r#"{"f":1,"failure":{"until":"-262143-01-01T00:00:00Z","text":"","exit":1,"throttled":false}}"#,
            r#"{"f":2}"#,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
