//! The one integration binary: everything that is tested from outside.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a broken test world should stop the test"
)]

mod support;

#[path = "../system/mod.rs"]
mod system;
