//! What of a login did not come about, told at its end.

use crate::error::Result;
use crate::host::Host;
use crate::output::some_failed::Failures;

/// What did not come about.
pub(super) struct LoginFailures {
    /// Clusters that are not set up.
    pub(super) clusters: Failures,
    /// Clusters that are set up, but have no certificate yet or could not be checked.
    pub(super) checks: Failures,
    /// Regions and projects that could not be searched.
    pub(super) places: Failures,
}

impl LoginFailures {
    pub(super) fn none() -> Self {
        Self {
            clusters: Failures::of("cluster"),
            checks: Failures::of("cluster"),
            places: Failures::of("region"),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clusters.is_empty() && self.checks.is_empty() && self.places.is_empty()
    }

    /// How the run ends that was about `count` clusters: one failure about one cluster is told as it is, of others each is told, and then
    /// how many there were of which kind.
    pub(super) fn conclude(self, host: &Host, count: usize) -> Result<()> {
        let (clusters, checks, places) = (self.clusters.len(), self.checks.len(), self.places.len());
        let mut all = self.clusters;
        all.extend(self.checks);
        all.extend(self.places);
        let verdicts = [
            (clusters, format!("{clusters} of {count} could not be set up")),
            (checks, format!("{checks} of {count} could not be checked")),
            (
                places,
                format!(
                    "{places} {} could not be searched",
                    if places == 1 { "place" } else { "places" }
                ),
            ),
        ];
        let verdict: Vec<String> = verdicts
            .into_iter()
            .filter(|(failed, _)| *failed > 0)
            .map(|(_, text)| text)
            .collect();
        all.conclude_as(host, count, verdict.join(", "))
    }
}
