//! What tells one secret from another in a file that holds no secret: two bytes of a salted hash. Enough to notice that a secret was
//! changed, too little to find it by trying.

use crate::host::random_u64;
use crate::huaweicloud::signing::short_hash;
use serde::{Deserialize, Serialize};

/// The hexadecimal digits that are kept.
const DIGITS: usize = 4;

/// A mark of one secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SecretMark {
    salt: String,
    digits: String,
}

impl SecretMark {
    /// Marks `secret`, each time in another way.
    pub(crate) fn of(secret: &[u8]) -> Self {
        let salt = format!("{:016x}", random_u64());
        let digits = digits(&salt, secret);
        Self { salt, digits }
    }

    /// Whether it is `secret`'s; one other secret in 65,536 looks so too.
    pub(crate) fn is_of(&self, secret: &[u8]) -> bool {
        digits(&self.salt, secret) == self.digits
    }
}

fn digits(salt: &str, secret: &[u8]) -> String {
    let mut hash = short_hash(&[salt.as_bytes(), secret].concat());
    hash.truncate(DIGITS);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_knows_its_secret_and_does_not_hold_it() {
        let mark = SecretMark::of(b"correct horse");
        assert!(mark.is_of(b"correct horse"));
        assert!(!mark.is_of(b"correct house") || !SecretMark::of(b"correct horse").is_of(b"correct house"));
        assert_eq!(mark.digits.len(), DIGITS);
        assert_ne!(mark, SecretMark::of(b"correct horse"));
    }
}
