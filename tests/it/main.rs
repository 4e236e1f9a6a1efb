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
mod at_once;
mod bad_answers;
mod bad_cloud;
mod bad_flags;
mod bad_identity;
mod bearer;
mod clocks;
mod clouds;
mod clustercert;
mod clusters;
mod completion;
mod convert;
mod doctor;
mod examples;
mod failures;
mod fingerprints;
mod freshness;
mod help;
mod identity_cases;
mod kubeconfig;
mod leaks;
mod learnt;
mod lifecycle;
mod login_again;
mod login_asks;
mod login_entries;
mod login_many;
mod login_output;
mod login_server;
mod logout;
mod profile;
mod protocol;
mod proxies;
mod refresh;
mod refusal;
mod renewal;
mod revoke;
mod rotate;
mod signing;
#[cfg(target_os = "linux")]
mod status;
mod stores;
mod support;

#[path = "../system/mod.rs"]
mod system;
