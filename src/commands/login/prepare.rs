//! Clusters made ready for use. The first ones get their certificate now and are asked who we are; of the others it is known only where
//! their server will be, because CCE grants about ten certificates a minute, and a cluster's authorities come with its certificate.

use crate::commands::login::checked::CheckedCluster;
use crate::commands::login::failures::LoginFailures;
use crate::commands::login::server_entry::ServerEntry;
use crate::commands::login::setup::{ClusterSetup, LoginRun};
use crate::error::{Exit, Result};
use crate::host::{Progress, parallel};

/// How many clusters get their certificate now.
const AT_ONCE: usize = 1;
/// How many of them at a time.
const BOUND: usize = 8;
/// How many clusters are tried until one gets its certificate: what fails for three will hardly be different for the next one.
const MOST_TRIES: usize = 3;

/// A cluster that is ready for its entries.
pub(super) struct PreparedCluster<'a> {
    pub(super) setup: ClusterSetup<'a>,
    pub(super) server: ServerEntry,
    /// Its certificate, and the server that was chosen; `None`: later.
    pub(super) checked: Option<CheckedCluster>,
}

/// Prepares the clusters of the run; those that fail are missing. Whoever is refused altogether learns that at once and once; whoever is
/// throttled gets the entries, and the certificates later.
pub(super) fn all<'a>(
    run: &LoginRun<'_>,
    setups: Vec<ClusterSetup<'a>>,
    failures: &mut LoginFailures,
) -> Result<Vec<PreparedCluster<'a>>> {
    let host = run.session.host;
    let progress = match setups.len() {
        1 => Progress::spinner(host, "taking a certificate, and looking which server answers"),
        count => Progress::bar(host, count as u64, "setting clusters up"),
    };
    let mut taken = first_certificates(&setups)?;
    let answered = taken.iter().zip(&setups).find_map(|(taken, setup)| match taken {
        Some(Ok(checked)) => checked.access(&setup.located.cluster),
        _ => None,
    });
    let mut prepared = Vec::with_capacity(setups.len());
    taken.resize_with(setups.len(), || None);
    for (setup, taken) in setups.into_iter().zip(taken) {
        progress.step();
        let checked = match taken.transpose() {
            Ok(checked) => checked,
            Err(error) if error.is_throttled() => {
                failures.checks.add(setup.name(), error);
                None
            }
            Err(error) => {
                failures.clusters.add(setup.name(), error);
                continue;
            }
        };
        let server = match &checked {
            Some(checked) => Ok(checked.server_entry()),
            None => ServerEntry::to_be(&setup, answered),
        };
        match server {
            Ok(server) => prepared.push(PreparedCluster { setup, server, checked }),
            Err(error) => failures.clusters.add_named(error),
        }
    }
    Ok(prepared)
}

/// What came of the first clusters, in their order: one after the other until one has its certificate, then the next ones side by side.
fn first_certificates(setups: &[ClusterSetup<'_>]) -> Result<Vec<Option<Result<CheckedCluster>>>> {
    let mut taken = Vec::new();
    for setup in setups.iter().take(MOST_TRIES) {
        let checked = CheckedCluster::new(setup);
        match &checked {
            Ok(_) => {
                taken.push(Some(checked));
                let others = setups.get(taken.len()..).unwrap_or_default();
                let others = others.get(..AT_ONCE.saturating_sub(taken.len())).unwrap_or(others);
                let others = parallel::map(others, BOUND, CheckedCluster::new);
                taken.extend(others.into_iter().map(Some));
                break;
            }
            Err(error) if setups.len() == 1 || (error.exit() == Exit::Identity && taken.is_empty()) => {
                return checked.map(|_| Vec::new());
            }
            Err(error) => {
                let is_throttled = error.is_throttled();
                taken.push(Some(checked));
                if is_throttled {
                    break;
                }
            }
        }
    }
    Ok(taken)
}
