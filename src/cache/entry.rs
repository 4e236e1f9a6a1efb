//! The stored form of a certificate: one version byte, fields, DER, a checksum. Compact, so that a certificate with an RSA-2048
//! key fits into the 2,560 bytes of Windows' Credential Manager.
//!
//! ```text
//! version 2 | requested_at i64 | fetched_at i64 | generation u64 | skew i32 | boot i64 | key kind u8 | key u16+DER | count u8 |
//! certificates u16+DER | 8 bytes of SHA-256
//! ```
//! Numbers are little-endian, times in seconds since 1970. An unknown version, a wrong length or a wrong checksum is a miss.

use super::tombstone::Generation;
use crate::certificate::{ClientCert, KeyKind};
use crate::host::{Clock, Skew, moment};
use crate::secret::Secret;
use chrono::{DateTime, Utc};

const VERSION: u8 = 2;
const CHECKSUM_LENGTH: usize = 8;

/// A certificate with what is known about its fetching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheEntry {
    /// The certificate and its key.
    pub cert: ClientCert,
    /// When we asked for it, by our clock.
    pub requested_at: DateTime<Utc>,
    /// When it came, by the server's clock.
    pub fetched_at: DateTime<Utc>,
    /// The tombstone that was there when we asked: under a later one the entry is void.
    pub generation: Generation,
    /// How the server's clock stood to ours.
    pub skew: Skew,
}

impl CacheEntry {
    /// The stored form.
    pub(crate) fn to_bytes(&self) -> Secret<Vec<u8>> {
        let mut out = vec![VERSION];
        out.extend(self.requested_at.timestamp().to_le_bytes());
        out.extend(self.fetched_at.timestamp().to_le_bytes());
        out.extend(self.generation.to_u64().to_le_bytes());
        out.extend(i32::try_from(self.skew.seconds()).unwrap_or(0).to_le_bytes());
        out.extend(self.skew.booted_at_seconds().to_le_bytes());
        out.push(match self.cert.key_kind {
            KeyKind::Pkcs8 => 0,
            KeyKind::Pkcs1 => 1,
            KeyKind::Sec1 => 2,
        });
        push_block(&mut out, self.cert.key.expose()); // into the store that protects it
        out.push(u8::try_from(self.cert.chain.len()).unwrap_or(u8::MAX));
        for der in &self.cert.chain {
            push_block(&mut out, der);
        }
        let checksum = checksum(&out);
        out.extend(checksum);
        Secret::new(out)
    }

    /// Reads the stored form; `None` for anything that is not exactly that.
    pub fn from_bytes(bytes: &Secret<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.expose(); // parsed here; the key goes back into a `Secret`
        let (fields, sum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM_LENGTH)?)?;
        if checksum(fields) != sum {
            return None;
        }
        let mut reader = ByteReader(fields);
        if reader.take::<1>()? != [VERSION] {
            return None;
        }
        let requested_at = moment(i64::from_le_bytes(reader.take()?))?;
        let fetched_at = moment(i64::from_le_bytes(reader.take()?))?;
        let generation = Generation::from_u64(u64::from_le_bytes(reader.take()?));
        let skew = i64::from(i32::from_le_bytes(reader.take()?));
        let booted_at = Some(i64::from_le_bytes(reader.take()?)).filter(|boot| *boot != 0);
        let booted_at = booted_at.and_then(moment);
        let key_kind = match reader.take()? {
            [0] => KeyKind::Pkcs8,
            [1] => KeyKind::Pkcs1,
            [2] => KeyKind::Sec1,
            [_] => return None,
        };
        let key = Secret::new(reader.block()?.to_vec());
        let [count] = reader.take()?;
        let chain = (0..count)
            .map(|_| reader.block().map(<[u8]>::to_vec))
            .collect::<Option<Vec<_>>>()?;
        if !reader.0.is_empty() {
            return None;
        }
        Some(Self {
            cert: ClientCert::from_der(chain, key_kind, key).ok()?,
            requested_at,
            fetched_at,
            generation,
            skew: Skew::noted(skew, booted_at),
        })
    }

    /// When the certificate ends, in terms of our clock.
    pub fn ends_at(&self, clock: &Clock) -> DateTime<Utc> {
        self.cert.not_after - self.skew.now(clock)
    }
}

/// A length of two bytes, then the bytes. Longer ones do not occur (a certificate has 1 to 3 KB) and make the entry unreadable.
fn push_block(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u16::try_from(bytes.len()).unwrap_or(0).to_le_bytes());
    out.extend(bytes);
}

fn checksum(bytes: &[u8]) -> Vec<u8> {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().copied().take(CHECKSUM_LENGTH).collect()
}

struct ByteReader<'a>(&'a [u8]);

impl<'a> ByteReader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn block(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(u16::from_le_bytes(self.take()?));
        let (block, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::fixtures::entry;
    use chrono::TimeDelta;

    fn sealed(mut fields: Vec<u8>) -> Secret<Vec<u8>> {
        fields.extend(checksum(&fields));
        Secret::new(fields)
    }

    #[test]
    fn what_is_stored_is_read_again_and_nothing_else_is() {
        let entry = entry();
        let stored = entry.to_bytes().expose().clone();
        assert!(stored.len() < 2560, "{}", stored.len());
        let read = |bytes: &[u8]| CacheEntry::from_bytes(&Secret::new(bytes.to_vec()));
        assert_eq!(read(&stored), Some(entry));
        for end in 0..stored.len() {
            assert_eq!(read(&stored[..end]), None, "{end} bytes");
        }
        for at in 0..stored.len() {
            let mut damaged = stored.clone();
            damaged[at] ^= 1;
            assert_eq!(read(&damaged), None, "byte {at}");
        }
        // With the right checksum too.
        let fields = &stored[..stored.len() - CHECKSUM_LENGTH];
        assert!(CacheEntry::from_bytes(&sealed(fields.to_vec())).is_some());
        let mut longer = fields.to_vec();
        longer.push(0);
        assert_eq!(CacheEntry::from_bytes(&sealed(longer)), None);
        let mut newer = fields.to_vec();
        newer[0] = VERSION + 1;
        assert_eq!(CacheEntry::from_bytes(&sealed(newer)), None);
        let key_kind = 1 + 8 + 8 + 8 + 4 + 8;
        let mut other_kind = fields.to_vec();
        other_kind[key_kind] = 3;
        assert_eq!(CacheEntry::from_bytes(&sealed(other_kind)), None);
        for end in 0..fields.len() {
            assert_eq!(
                CacheEntry::from_bytes(&sealed(fields[..end].to_vec())),
                None,
                "{end} fields"
            );
        }
    }

    #[test]
    fn keys_of_every_form_keep_their_form() {
        for kind in [KeyKind::Pkcs8, KeyKind::Pkcs1, KeyKind::Sec1] {
            let mut fields = entry().to_bytes().expose().clone();
            fields.truncate(fields.len() - CHECKSUM_LENGTH);
            fields[1 + 8 + 8 + 8 + 4 + 8] = kind as u8;
            let read = CacheEntry::from_bytes(&sealed(fields));
            assert_eq!(read.map(|entry| entry.cert.key_kind), Some(kind));
        }
    }

    #[test]
    fn its_end_is_told_by_our_clock() {
        let entry = CacheEntry {
            skew: Skew::noted(600, None),
            ..entry()
        };
        let ends_at = entry.ends_at(&Clock::System);
        assert_eq!(ends_at, entry.cert.not_after - TimeDelta::seconds(600));
    }
}
