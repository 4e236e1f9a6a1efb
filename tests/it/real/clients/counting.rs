//! A config map that counts: whoever watches it and misses a number has missed an event.

use super::super::cce_cluster::RealCluster;
use std::time::{Duration, Instant};

/// The config map's name, in the namespace `default`.
pub(super) const COUNTER: &str = "counter";

/// Makes the config map, at number 0.
pub(super) fn create(cluster: &RealCluster) {
    cluster
        .server
        .kubectl(&format!("create configmap {COUNTER} --from-literal=number=0"));
}

/// Counts on for so long, by the administrator; returns the last number.
pub(super) fn count_for(cluster: &RealCluster, time: Duration, mut between: impl FnMut()) -> u32 {
    let started = Instant::now();
    let mut number = 0;
    while started.elapsed() < time {
        number += 1;
        let patch = format!("patch configmap {COUNTER} -p {{\"data\":{{\"number\":\"{number}\"}}}}");
        cluster.server.kubectl(&patch);
        between();
    }
    number
}

/// Every number from the first that was seen to the last that there was came once, and in order.
#[track_caller]
pub(super) fn assert_none_is_missing(seen: &[u32], last: u32) {
    assert!(seen.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seen:?}");
    assert_eq!(seen.last(), Some(&last));
    assert!(seen.first().is_some_and(|first| *first <= 1), "{seen:?}");
}
