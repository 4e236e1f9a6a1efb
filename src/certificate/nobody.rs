//! The authority of a cluster whose own is not known yet: nobody has its key, it may sign for no server, and it ended in 1970.
//!
//! A cluster entry without any authority would make kubectl trust every authority of the system there.

/// Its certificate, in PEM.
pub const NOBODY: &str = include_str!("nobody.pem");

/// Whether these authorities are that one, and so none.
pub(crate) fn is_nobody(pem: &[u8]) -> bool {
    pem.trim_ascii() == NOBODY.trim().as_bytes()
}
