//! Which clusters there are, and which one is meant.

pub(crate) mod held;
pub(crate) mod issuer;
pub(crate) mod search;
pub(crate) mod select;
pub(crate) mod targets;
