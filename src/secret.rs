//! A value that must not be shown: no `Display`, a redacted `Debug`, wiped when dropped.
//!
//! Every [`Secret::expose`] is a door; each caller says in a comment why it opens it. `grep expose` is the audit list.

mod json;
mod shape;

pub(crate) use json::SecretJson;
pub(crate) use json::{to_secret_bytes, to_secret_line};
pub(crate) use shape::{InvalidSecret, SecretShape};

use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// A secret (access key's secret half, private key, token, stored entry).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a value; from here on it is shown only through [`Secret::expose`].
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Hands the value out: the caller must not print, log or store it in the clear.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("REDACTED")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Appends; if that takes another place, the old one is wiped.
pub(crate) fn append(bytes: &mut Zeroizing<Vec<u8>>, chunk: &[u8]) {
    let length = bytes.len() + chunk.len();
    if length > bytes.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(length.max(2 * bytes.capacity())));
        larger.extend_from_slice(bytes);
        *bytes = larger;
    }
    bytes.extend_from_slice(chunk);
}
