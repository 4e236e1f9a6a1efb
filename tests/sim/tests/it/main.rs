//! The simulated cloud as clients see it, over real sockets.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a broken test world should stop the test"
)]

mod api_server;
mod binary;
mod client;
mod cloud;
mod clustercert;
mod faults;
mod kubectl;
mod rotation;
