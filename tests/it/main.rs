//! The one integration binary: everything that is tested from outside.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a broken test world should stop the test"
)]

mod architecture;
mod commands;
#[cfg(target_os = "linux")]
mod crashes;
mod credential;
mod discovery;
#[cfg(target_os = "linux")]
mod docs;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
mod fleet;
mod help;
mod hints;
mod huaweicloud;
#[cfg(unix)]
mod inputs;
mod kubeconfig;
mod login;
mod plan;
mod protocol;
mod readme;
#[cfg(target_os = "linux")]
mod real;
mod register;
mod secrecy;
mod shown;
mod sign_in;
#[cfg(target_os = "linux")]
mod soak;
mod stores;
mod support;
mod system;
mod usage;
