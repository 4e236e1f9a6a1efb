//! One certificate: cached, renewed, or new; rejected, or not to be had.

mod clocks;
mod failures;
mod fingerprints;
mod freshness;
#[cfg(unix)]
mod handed_over;
mod lifecycle;
mod never_renews;
mod rejected;
mod renewal;
mod single_flight;
