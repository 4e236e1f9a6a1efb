//! One certificate: cached, renewed, or new; rejected, or not to be had.

mod clocks;
mod failures;
mod fingerprints;
mod freshness;
mod lifecycle;
mod rejected;
mod renewal;
mod single_flight;
