//! Clusters made ready for use. The first ones get their certificate now and are asked who we are; of the others it is known only where
//! their server will be, because CCE grants about ten certificates a minute, and a cluster's authorities come with its certificate.

use crate::commands::login::checked::CheckedCluster;
use crate::commands::login::failures::LoginFailures;
use crate::commands::login::server_entry::ServerEntry;
use crate::commands::login::setup::{ClusterSetup, LoginRun};
use crate::error::{Exit, Result};
use crate::host::{Progress, parallel};
use crate::plan::Destination;

/// How many clusters get their certificate now.
pub(super) const AT_ONCE: usize = 8;
/// How many clusters are tried until one gets its certificate: what fails for three will hardly be different for the next one.
const MOST_TRIES: usize = 3;

/// A cluster that is ready for its entries.
pub(super) struct PreparedCluster<'a> {
    pub(super) setup: ClusterSetup<'a>,
    pub(super) server: ServerEntry,
    /// Its certificate, and the server that was chosen; `None`: later.
    pub(super) checked: Option<CheckedCluster>,
}

impl PreparedCluster<'_> {
    /// Its server was asked, and answers.
    pub(super) fn answers(&self) -> bool {
        self.checked.as_ref().is_some_and(CheckedCluster::is_reachable)
    }
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
    let mut taken = first_certificates(run, &setups)?;
    let answered = taken.iter().zip(&setups).find_map(|(taken, setup)| match taken {
        Some(Ok(checked)) if checked.is_reachable() => checked.access(&setup.located.cluster),
        _ => None,
    });
    let is_any_taken = taken.iter().any(|taken| matches!(taken, Some(Ok(_))));
    let mut prepared = Vec::with_capacity(setups.len());
    taken.resize_with(setups.len(), || None);
    for (setup, taken) in setups.into_iter().zip(taken) {
        progress.step();
        let checked = match taken.transpose() {
            Ok(checked) => checked,
            // It follows with the others.
            Err(error) if error.is_throttled() && is_any_taken => None,
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
/// Where everything is printed, and somebody waits for it, those are all.
fn first_certificates(run: &LoginRun<'_>, setups: &[ClusterSetup<'_>]) -> Result<Vec<Option<Result<CheckedCluster>>>> {
    let takes_all = run.plan.is_waiting && run.plan.destination != Destination::Write;
    let mut taken = Vec::new();
    for setup in setups.iter().take(MOST_TRIES) {
        let checked = CheckedCluster::new(setup);
        match &checked {
            Ok(_) => {
                taken.push(Some(checked));
                break;
            }
            Err(error) if setups.len() == 1 || (error.exit() == Exit::Identity && taken.is_empty()) => {
                return checked.map(|_| Vec::new());
            }
            Err(error) => {
                let is_throttled = error.is_throttled();
                taken.push(Some(checked));
                if is_throttled && !takes_all {
                    return Ok(taken);
                }
            }
        }
    }
    if !matches!(taken.last(), Some(Some(Ok(_)))) {
        return Ok(taken);
    }
    let others = setups.get(taken.len()..).unwrap_or_default();
    let at_once = others.len().min(AT_ONCE.saturating_sub(taken.len()));
    let (at_once, later) = others.split_at_checked(at_once).unwrap_or_default();
    taken.extend(
        parallel::map(at_once, AT_ONCE, CheckedCluster::new)
            .into_iter()
            .map(Some),
    );
    for setup in later.iter().filter(|_| takes_all) {
        let checked = loop {
            match CheckedCluster::new(setup) {
                Err(error) if error.is_throttled() => run.session.wait_out_throttle(error)?,
                checked => break checked,
            }
        };
        taken.push(Some(checked));
    }
    Ok(taken)
}
