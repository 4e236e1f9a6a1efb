//! Passcodes of virtual MFA devices: TOTP as in RFC 6238, HMAC-SHA1, six digits, steps of 30 seconds.

use chrono::{DateTime, Utc};
use ring::hmac;

const STEP_SECONDS: i64 = 30;
const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What the device and IAM share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Secret(Vec<u8>);

impl Secret {
    /// From base32 text, as behind a QR code; padding and spaces are skipped.
    pub(crate) fn new(base32: &str) -> Self {
        let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0_u32);
        for character in base32.chars().filter(|character| !matches!(character, '=' | ' ')) {
            let digit = ALPHABET.find(character.to_ascii_uppercase());
            let digit = digit.and_then(|digit| u32::try_from(digit).ok());
            bits = bits << 5 | digit.expect("a TOTP secret is base32");
            count += 5;
            if count >= 8 {
                count -= 8;
                bytes.push(u8::try_from(bits >> count & 0xff).unwrap_or_default());
            }
        }
        Self(bytes)
    }

    /// The passcode of this moment.
    pub(crate) fn passcode(&self, now: DateTime<Utc>) -> String {
        self.passcode_of_step(now.timestamp().div_euclid(STEP_SECONDS))
    }

    /// The passcode before counts too, as in Keystone: a person needs a moment to type.
    pub(crate) fn accepts(&self, passcode: &str, now: DateTime<Utc>) -> bool {
        let before = now - chrono::Duration::seconds(STEP_SECONDS);
        [now, before].iter().any(|moment| self.passcode(*moment) == passcode)
    }

    fn passcode_of_step(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().copied().unwrap_or_default() & 0xf);
        let bytes = tag.iter().skip(offset).take(4);
        let number = bytes.fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of RFC 6238, appendix B (SHA-1), shortened to six digits.
    #[test]
    fn the_vectors_of_the_rfc_are_reproduced() {
        let secret = Secret::new("GEZDGNBVGY3TQOJQ GEZDGNBVGY3TQOJQ");
        assert_eq!(secret, Secret(b"12345678901234567890".to_vec()));
        for (seconds, passcode) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            let moment = DateTime::from_timestamp(seconds, 0).unwrap();
            assert_eq!(secret.passcode(moment), passcode);
            assert!(secret.accepts(passcode, moment + chrono::Duration::seconds(30)));
            assert!(!secret.accepts(passcode, moment + chrono::Duration::seconds(60)));
        }
    }
}
