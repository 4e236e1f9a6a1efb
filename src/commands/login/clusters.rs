//! The clusters to set up: those that were named or are chosen, or all that the search finds.

use crate::commands::login::failures::LoginFailures;
use crate::commands::login::questions;
use crate::discovery::search::{LocatedCluster, Location, Search, matching};
use crate::discovery::select::{self, Among, SelectError};
use crate::error::Result;
use crate::host::Progress;
use crate::huaweicloud::cce::phase;
use crate::identity::Identity;
use crate::output::natural_order::natural_order;
use crate::plan::{self, ClusterChoice, LoginPlan};
use crate::session::Session;
use std::collections::HashSet;

/// What there is to set up, in the order in which it was named; of a search by region, project and name.
pub(super) struct FoundClusters {
    pub(super) clusters: Vec<LocatedCluster>,
    pub(super) failures: LoginFailures,
}

/// Finds the clusters that the plan means.
pub(super) fn find(session: &Session<'_>, plan: &LoginPlan, identity: &Identity) -> Result<FoundClusters> {
    let mut found = FoundClusters {
        clusters: Vec::new(),
        failures: LoginFailures::none(),
    };
    match &plan.clusters {
        ClusterChoice::All => found.add_all(session, plan, identity)?,
        ClusterChoice::Named(names) => found.add_named(session, plan, identity, names)?,
    }
    Ok(found)
}

impl FoundClusters {
    /// How many clusters this is about.
    pub(super) fn count(&self) -> usize {
        self.clusters.len() + self.failures.clusters.len()
    }

    fn add_all(&mut self, session: &Session<'_>, plan: &LoginPlan, identity: &Identity) -> Result<()> {
        let found = {
            let _progress = Progress::spinner(session.host, "looking for clusters");
            Search::new(session, identity, &plan.search)?.clusters()?
        };
        for failure in found.failures {
            if !found.is_any_listed {
                return Err(failure.error);
            }
            self.failures.places.add_named(failure.into_error());
        }
        for located in found.clusters {
            self.add(located);
        }
        self.clusters.sort_by(|a, b| {
            let by_place = a.location.region.cmp(&b.location.region);
            by_place
                .then_with(|| natural_order(&a.location.project.name, &b.location.project.name))
                .then_with(|| natural_order(&a.cluster.name, &b.cluster.name))
        });
        if self.count() == 0 && self.failures.places.is_empty() {
            return Err(SelectError::NoneAnywhere.into());
        }
        Ok(())
    }

    fn add_named(
        &mut self,
        session: &Session<'_>,
        plan: &LoginPlan,
        identity: &Identity,
        names: &[String],
    ) -> Result<()> {
        let regions = &plan.search.regions;
        match (regions.is_empty() || plan.is_place_named, names) {
            (true, []) => return Err(plan::missing_region().into()),
            (true, names) => return self.add_from_anywhere(session, plan, identity, names),
            (false, _) => {}
        }
        let answers = {
            let _progress = Progress::spinner(session.host, "looking for clusters");
            Search::new(session, identity, &plan.search)?.clusters_of_projects(names)
        };
        let mut listings = Vec::new();
        for answer in answers {
            match answer {
                Ok(listing) => listings.push(listing),
                Err(error) if regions.len() == 1 => return Err(error),
                Err(error) => self.failures.places.add_named(error),
            }
        }
        let has_clusters = listings.iter().any(|(_, clusters)| !clusters.is_empty());
        match (names, listings.first()) {
            ([], _) if session.is_interactive && has_clusters => {
                let listed = listings.into_iter().flat_map(|(_, clusters)| clusters).collect();
                for chosen in questions::clusters(session, without_doubles(listed))? {
                    self.add(chosen);
                }
                return Ok(());
            }
            ([], Some((location, clusters))) => return Err(select::not_given(clusters, &location.project).into()),
            _ => {}
        }
        for name in names {
            // In every region that has one of this name; nowhere: what the first region says of it.
            let has_it = |(_, clusters): &&(Location, Vec<LocatedCluster>)| !matching(clusters, name).is_empty();
            let mut having: Vec<_> = listings.iter().filter(has_it).collect();
            if having.is_empty() {
                having.extend(listings.first());
            }
            for (location, clusters) in having {
                match select::one(clusters, name, Among::Project(&location.project)) {
                    Ok(one) => self.add(one.clone()),
                    Err(error) => self.failures.clusters.add_named(error.into()),
                }
            }
        }
        self.clusters = without_doubles(std::mem::take(&mut self.clusters));
        Ok(())
    }

    /// Nothing says where: wherever the identity can list clusters. What could not be asked matters only where something is missing.
    fn add_from_anywhere(
        &mut self,
        session: &Session<'_>,
        plan: &LoginPlan,
        identity: &Identity,
        names: &[String],
    ) -> Result<()> {
        let mut found = {
            let _progress = Progress::spinner(session.host, "looking for clusters");
            Search::new(session, identity, &plan.search)?.clusters()?
        };
        if !found.is_any_listed
            && let Some(failure) = found.failures.pop()
        {
            return Err(failure.error);
        }
        let mut is_any_missing = false;
        for name in names {
            match select::one(&found.clusters, name, Among::Everything) {
                Ok(one) => self.add(one.clone()),
                Err(SelectError::Ambiguous { .. }) if session.is_interactive => {
                    let several = matching(&found.clusters, name).into_iter().cloned().collect();
                    for chosen in questions::clusters(session, several)? {
                        self.add(chosen);
                    }
                }
                Err(error) => {
                    is_any_missing |= matches!(error, SelectError::Unknown { .. });
                    self.failures.clusters.add_named(error.into());
                }
            }
        }
        for failure in found.failures.into_iter().filter(|_| is_any_missing) {
            self.failures.places.add_named(failure.into_error());
        }
        self.clusters = without_doubles(std::mem::take(&mut self.clusters));
        Ok(())
    }

    /// Adds the cluster, if its API server can be expected to answer.
    fn add(&mut self, located: LocatedCluster) {
        match phase::check(&located.cluster) {
            Ok(()) => self.clusters.push(located),
            Err(error) => self.failures.clusters.add_named(error),
        }
    }
}

/// The same cluster may have been named twice, by name and by id.
fn without_doubles(mut clusters: Vec<LocatedCluster>) -> Vec<LocatedCluster> {
    let mut seen = HashSet::new();
    clusters.retain(|located| seen.insert((located.location.project.id.clone(), located.cluster.id.clone())));
    clusters
}
