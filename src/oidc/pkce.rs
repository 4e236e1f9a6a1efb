//! What ties one sign-in together: PKCE's verifier and challenge (RFC 7636), `state` and `nonce`.

use super::OidcError;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::SecureRandom as _;

/// One attempt to sign in; each value is good for this attempt alone.
pub(crate) struct Attempt {
    /// Proves at the token endpoint that the code is ours.
    pub(super) verifier: Secret<String>,
    /// Comes back with the redirect.
    pub(super) state: Secret<String>,
    /// Comes back in the id token.
    pub(super) nonce: Secret<String>,
}

impl Attempt {
    /// A new one, of numbers that nobody can guess.
    pub(crate) fn new() -> Result<Self, OidcError> {
        Ok(Self {
            verifier: random()?,
            state: random()?,
            nonce: random()?,
        })
    }

    /// The verifier's digest, which goes ahead of it.
    pub(super) fn challenge(&self) -> String {
        // A digest of 256 random bits tells nothing of them.
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.expose().as_bytes()))
    }
}

/// 256 random bits, as 43 letters, digits, `-` and `_`.
fn random() -> Result<Secret<String>, OidcError> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    let filled = ring::rand::SystemRandom::new().fill(&mut *bytes);
    filled.map_err(|_| OidcError::NoRandomness)?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(*bytes)))
}

/// Whether two secrets are the same, in a time that does not depend on where they differ.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let difference = one.bytes().zip(other.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        let mut attempt = Attempt::new().expect("there is randomness");
        attempt.verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned());
        assert_eq!(attempt.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(is_same("abc", "abc") && !is_same("abc", "abd") && !is_same("abc", "ab") && !is_same("", "a"));
    }
}
