//! The envelope of a shared value: only who has the identity's secret can read it, and only who has it can have written it.

use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};

/// The first byte of a sealed value; what is not sealed begins with `{`.
const SEALED: u8 = 1;
const SALT_LENGTH: usize = 32;
/// What the keys are for, so that the same secret never makes the same key elsewhere.
const PURPOSE: &[u8] = b"cce-login shared 1";

/// What values are sealed with.
pub struct SealingKey(Secret<Vec<u8>>);

impl SealingKey {
    /// From a secret that nobody can guess: a secret access key, or the bytes of a key file.
    pub fn of(secret: Secret<Vec<u8>>) -> Self {
        Self(secret)
    }

    /// Tells this key from others; says nothing about it.
    pub(crate) fn id(&self) -> String {
        // What leaves here is a digest under a purpose of its own.
        let tag = ring::hmac::sign(
            &ring::hmac::Key::new(ring::hmac::HMAC_SHA256, self.0.expose()),
            b"cce-login shared 1 id",
        );
        BASE64.encode(tag.as_ref())
    }

    /// Seals `plain` for the entry `name`; `None` if the system has no random bytes.
    pub(crate) fn seal(&self, name: &str, plain: &Secret<Vec<u8>>) -> Option<Secret<Vec<u8>>> {
        let mut salt = [0; SALT_LENGTH];
        SystemRandom::new().fill(&mut salt).ok()?;
        let mut sealed = zeroize::Zeroizing::new(plain.expose().clone()); // encrypted in place
        let key = self.key(&salt)?;
        key.seal_in_place_append_tag(nonce(), Aad::from(name), &mut *sealed)
            .ok()?;
        let mut value = vec![SEALED];
        value.extend(salt);
        value.extend(sealed.iter());
        Some(Secret::new(value))
    }

    /// What was sealed for the entry `name`; `None` for anything else.
    pub(crate) fn open(&self, name: &str, value: &Secret<Vec<u8>>) -> Option<Secret<Vec<u8>>> {
        let value = value.expose(); // decrypted into a `Secret`
        let (salt, sealed) = value.strip_prefix(&[SEALED])?.split_first_chunk::<SALT_LENGTH>()?;
        let mut sealed = zeroize::Zeroizing::new(sealed.to_vec());
        let plain = self
            .key(salt)?
            .open_in_place(nonce(), Aad::from(name), &mut sealed)
            .ok()?;
        Some(Secret::new(plain.to_vec()))
    }

    /// The key of one value: its salt is used once, so its nonce may be any.
    fn key(&self, salt: &[u8]) -> Option<LessSafeKey> {
        // From here on it is in ring's hands.
        let extracted = Salt::new(HKDF_SHA256, salt).extract(self.0.expose());
        let expanded = extracted.expand(&[PURPOSE], &AES_256_GCM).ok()?;
        Some(LessSafeKey::new(UnboundKey::from(expanded)))
    }
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> SealingKey {
        SealingKey::of(Secret::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn only_the_same_secret_opens_it_and_only_under_the_same_name() {
        let plain = Secret::new(b"{\"f\":1}".to_vec());
        let sealed = key("alice").seal("cert-1", &plain).unwrap();
        assert!(!sealed.expose().windows(5).any(|part| part == b"{\"f\":"));
        assert_eq!(key("alice").open("cert-1", &sealed), Some(plain.clone()));
        assert_eq!(key("bob").open("cert-1", &sealed), None);
        assert_eq!(key("alice").open("cert-2", &sealed), None);
        assert_ne!(key("alice").id(), key("bob").id());
        // Nothing is sealed twice in the same way.
        assert_ne!(key("alice").seal("cert-1", &plain).unwrap(), sealed);
    }

    #[test]
    fn no_changed_or_shortened_value_opens() {
        let sealed = key("alice").seal("cert-1", &Secret::new(vec![7; 100])).unwrap();
        for at in 0..sealed.expose().len() {
            let mut changed = sealed.expose().clone();
            changed[at] ^= 1;
            assert_eq!(key("alice").open("cert-1", &Secret::new(changed)), None, "{at}");
            let shortened = sealed.expose()[..at].to_vec();
            assert_eq!(key("alice").open("cert-1", &Secret::new(shortened)), None, "{at}");
        }
    }
}
