//! Certificates that live for seconds, and what can be said of their renewals wherever in the last third of a life they come.

use super::process::LIMIT;
use super::world::{Kubectl, World};
use cce_sim::Behaviour;
use std::time::{Duration, Instant};

/// How long a certificate lives.
const LIFE: Duration = Duration::from_secs(9);
/// The shortest time from one certificate's request to the next one's: two thirds of a life, less the second that whole seconds take away.
const EARLIEST_RENEWAL_MS: i64 = 5_000;

/// A world with this kubectl in which the cloud behaves so, logged in.
pub(crate) fn world_with(kubectl: Kubectl, behaviour: impl FnOnce(&mut Behaviour)) -> World {
    let mut world = World::without_kubectl();
    world.install_kubectl(kubectl);
    world.sim.set_behaviour(behaviour);
    world.login();
    world
}

/// The same, of short lives.
pub(crate) fn world_of_short_lives(kubectl: Kubectl) -> World {
    world_with(kubectl, |behaviour| behaviour.certificate_lifetime = Some(LIFE))
}

impl World {
    /// The certificates that the API server was shown, in order; one that comes back after another counts again.
    pub(crate) fn certificates(&self) -> Vec<String> {
        let requests = self.sim.api_requests("prod").into_iter();
        let mut serials: Vec<String> = requests.filter_map(|request| request.certificate_serial).collect();
        serials.dedup();
        serials
    }

    /// Does something again and again, until the certificate has been renewed so many times.
    pub(crate) fn until_renewed(&self, times: usize, mut act: impl FnMut()) {
        let started = Instant::now();
        while self.certificates().len() <= times {
            let seen = self.certificates().len();
            assert!(started.elapsed() < LIMIT, "{seen} certificates so far");
            act();
        }
    }

    /// Each certificate was fetched once, used by everybody until the next one, and not replaced before its last third; nobody was refused.
    #[track_caller]
    pub(crate) fn assert_renewed_once_per_life(&self) {
        assert_eq!(self.certificates().len(), self.certificate_requests());
        let requests = self.sim.requests().into_iter();
        let fetched = requests.filter(|request| request.operation == "clustercert");
        let moments: Vec<i64> = fetched.map(|request| request.at_ms).collect();
        assert!(
            moments.windows(2).all(|pair| pair[1] - pair[0] >= EARLIEST_RENEWAL_MS),
            "{moments:?}"
        );
        for request in self.sim.api_requests("prod") {
            assert!(request.status < 400, "{request:?}");
        }
    }

    /// How many requests the API server got whose path and query contain this.
    pub(crate) fn api_requests_for(&self, part: &str) -> usize {
        let requests = self.sim.api_requests("prod");
        requests.iter().filter(|request| request.path.contains(part)).count()
    }
}

/// No event is missing: the simulator's versions are moments, and something changes at each interval.
#[track_caller]
pub(crate) fn assert_no_event_is_missing(world: &World, versions: &[u64]) {
    let interval = world.sim.behaviour().stream_interval_ms;
    assert!(
        versions.windows(2).all(|pair| pair[1] - pair[0] == interval),
        "{versions:?}"
    );
}
