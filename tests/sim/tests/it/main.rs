//! The simulated cloud as clients see it, over real sockets.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a broken test world should stop the test"
)]

mod agencies;
mod api_server;
mod binary;
mod client;
mod cloud;
mod clustercert;
mod faults;
mod federation;
mod kubectl;
mod metadata;
mod pod_identity;
mod rotation;
mod sts;
mod temporary_keys;
mod tokens;
