//! The clusters that a command acts on at the cloud, each with the identity that acts: by contexts, or by what an identity can list.

use crate::api_server::{ApiServer, known};
use crate::cli::{ChoiceArgs, GlobalArgs, SearchArgs};
use crate::contexts::{self, ResolvedContext};
use crate::credential::ask_cce::{self, ask_cce};
use crate::credential::request::{CertificateRequest, Requester};
use crate::discovery::search::{LocatedCluster, Search, SearchResult};
use crate::discovery::select::{self, Among, SelectError};
use crate::error::{Error, Result};
use crate::host::Progress;
use crate::huaweicloud::cce::cluster::Cluster;
use crate::huaweicloud::cce::{CceClient, CceError};
use crate::identity::Identity;
use crate::ids::Region;
use crate::kubeconfig::{Kubeconfig, OurContext};
use crate::output::some_failed::Failures;
use crate::plan::{self, CertificateSettings, CloudSettings, ClusterRef, ClusterSelection, SearchPlan, Selection};
use crate::sanitize::sanitize;
use crate::session::Session;
use crate::sign_in::SignIn;
use crate::sign_in::explain::explain;

/// What to do where no context says which cluster.
const CHOOSE: &str = "choose a context of ours with `--context NAME`, or name the cluster itself with `--cluster`";

/// One cluster, and who acts.
pub(crate) struct Target {
    /// What CCE says of it.
    pub(crate) cluster: Cluster,
    /// Where it is.
    pub(crate) at: ClusterRef,
    /// Who acts.
    pub(crate) identity: Identity,
    /// Where the cloud answers.
    pub(crate) cloud: CloudSettings,
    /// The API server as the context has it.
    pub(crate) server: Option<ApiServer>,
    /// How its certificates are asked for: as the context says, else as this environment and profile do.
    certificate: CertificateSettings,
    label: String,
    is_of_context: bool,
}

/// What there is to act on, and what there is not.
pub(crate) struct Targets {
    /// In the order in which they were named.
    pub(crate) all: Vec<Target>,
    /// What could not be looked at.
    pub(crate) failures: Failures,
}

/// Finds what `choice` means.
pub(crate) fn find(
    session: &Session<'_>,
    global: &GlobalArgs,
    args: &ChoiceArgs,
    choice: &ClusterSelection,
) -> Result<Targets> {
    match choice {
        ClusterSelection::Contexts(plan) => {
            let kubeconfig = contexts::load(session.host, plan.kubeconfig.clone())?;
            let chosen = contexts::select(&kubeconfig, &plan.selection).map_err(|error| match plan.selection {
                // `--all` means something else here than where this error comes from.
                Selection::Current if kubeconfig.nowhere().is_none() => error.with_hint(CHOOSE),
                _ => error,
            })?;
            Ok(of_contexts(session, global, &chosen))
        }
        ClusterSelection::Listed { names } => listed(session, global, args, names),
    }
}

/// The clusters of contexts; one that several contexts share, as the same identity, counts once.
pub(crate) fn of_contexts(session: &Session<'_>, global: &GlobalArgs, chosen: &[OurContext<'_>]) -> Targets {
    let mut found = Targets {
        all: Vec::new(),
        failures: Failures::of("context"),
    };
    for context in chosen {
        match Target::of_context(session, global, context) {
            Ok(target) if found.all.iter().any(|other| other.is_same_cluster(&target)) => {}
            Ok(target) => found.all.push(target),
            Err(error) => found.failures.add(context.name, error),
        }
    }
    found
}

/// Our contexts of this cluster.
pub(crate) fn contexts_of<'k>(kubeconfig: &'k Kubeconfig, target: &ClusterRef) -> Vec<OurContext<'k>> {
    let mut ours = kubeconfig.ours();
    ours.retain(|context| crate::kubeconfig::cluster_id(&context.args) == Some(target.cluster_id.as_str()));
    ours
}

/// What an identity can list, and what a [`Target`] among it needs.
pub(crate) struct Listing {
    pub(crate) identity: Identity,
    pub(crate) plan: SearchPlan,
    pub(crate) found: SearchResult,
    certificate: CertificateSettings,
}

impl Listing {
    /// Looks everywhere. `home` is where the identity is at home, if nothing else says it.
    pub(crate) fn of(
        session: &Session<'_>,
        global: &GlobalArgs,
        search: &SearchArgs,
        home: Option<Region>,
    ) -> Result<Self> {
        let host = session.host;
        let pin = plan::pin(&search.identity, &host.env)?;
        let identity = Identity::locate(&pin, &host.env, &session.directories)?;
        let mut plan = SearchPlan::new(search, global, &host.env, Some(identity.profile()), host.terminal)?;
        plan.home = plan.home.or(home);
        let _progress = Progress::spinner(host, "looking for clusters");
        Ok(Self {
            found: Search::new(session, &identity, &plan)?.clusters()?,
            certificate: CertificateSettings::without_flags(&host.env, Some(identity.profile()))?,
            identity,
            plan,
        })
    }

    /// One of its clusters.
    pub(crate) fn target(&self, located: LocatedCluster) -> Target {
        Target {
            at: located.reference(),
            label: sanitize(&located.cluster.name),
            cluster: located.cluster,
            identity: self.identity.clone(),
            cloud: self.plan.cloud.clone(),
            server: None,
            certificate: self.certificate.clone(),
            is_of_context: false,
        }
    }
}

fn listed(session: &Session<'_>, global: &GlobalArgs, args: &ChoiceArgs, names: &[String]) -> Result<Targets> {
    let mut listing = Listing::of(session, global, &args.search, None)?;
    let chosen = chosen(&mut listing.found, names)?;
    let mut failures = Failures::of("cluster");
    for failure in std::mem::take(&mut listing.found.failures) {
        failures.add_named(failure.into_error());
    }
    Ok(Targets {
        all: chosen.into_iter().map(|located| listing.target(located)).collect(),
        failures,
    })
}

/// Those with these names or ids, or all of them. What could not be asked matters only where something is missing.
fn chosen(found: &mut SearchResult, names: &[String]) -> Result<Vec<LocatedCluster>> {
    let all = std::mem::take(&mut found.clusters);
    if names.is_empty() {
        return match (all.is_empty(), found.failures.is_empty()) {
            (true, false) => Err(found.failures.swap_remove(0).error),
            (true, true) => Err(SelectError::NoneListed.into()),
            (false, _) => Ok(all),
        };
    }
    let mut chosen: Vec<LocatedCluster> = Vec::new();
    for name in names {
        match select::one(&all, name, Among::Everything) {
            Ok(one) if chosen.iter().all(|other| other.cluster.id != one.cluster.id) => chosen.push(one.clone()),
            Ok(_) => {}
            Err(SelectError::Unknown { .. }) if !found.failures.is_empty() => {
                return Err(found.failures.swap_remove(0).error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    found.failures.clear();
    Ok(chosen)
}

/// Why a command that takes one cluster has none.
pub(crate) fn nothing_found(found: Targets) -> Error {
    found
        .failures
        .into_first()
        .unwrap_or_else(|| SelectError::NoneListed.into())
}

impl Target {
    fn of_context(session: &Session<'_>, global: &GlobalArgs, context: &OurContext<'_>) -> Result<Self> {
        let meant = ResolvedContext::by(session, global, context)?;
        let cluster = ask_cce::cluster(session, &meant.wanted())?;
        Ok(Self {
            cluster,
            server: contexts::cluster_info(context).and_then(|info| known::of_entry(info, || None, &session.host.env)),
            certificate: meant.plan.certificate,
            cloud: meant.plan.cloud,
            at: meant.target,
            identity: meant.identity,
            label: context.name.to_owned(),
            is_of_context: true,
        })
    }

    fn is_same_cluster(&self, other: &Self) -> bool {
        self.at == other.at && self.identity.fingerprint() == other.identity.fingerprint()
    }

    /// The flag that means this cluster, and nothing else.
    pub(crate) fn flag(&self) -> (&'static str, &str) {
        if self.is_of_context {
            ("context", &self.label)
        } else {
            ("cluster", self.at.cluster_id.as_str())
        }
    }

    /// The name it was chosen by.
    pub(crate) fn label(&self) -> String {
        self.label.clone()
    }

    /// Who asks the cloud, for this.
    pub(crate) fn sign_in(&self) -> SignIn<'_> {
        SignIn::new(&self.identity, &self.cloud, &self.at.region, self.certificate.cache)
    }

    /// A certificate of who acts, on this cluster.
    pub(crate) fn request(&self) -> CertificateRequest<'_> {
        CertificateRequest {
            target: &self.at,
            identity: &self.identity,
            cloud: &self.cloud,
            certificate: &self.certificate,
            principal: None,
            is_lifetime_strict: false,
            requester: Requester::Person,
        }
    }

    /// Asks CCE about this cluster.
    pub(crate) fn with_cce<T>(&self, session: &Session<'_>, act: impl Fn(&CceClient<'_>) -> Result<T>) -> Result<T> {
        ask_cce(session, &self.sign_in().for_project(&self.at.project_id), &self.at, act)
    }

    /// An error of CCE, explained by whoever asked.
    pub(crate) fn explain(&self, error: CceError) -> Error {
        explain(error, &self.identity)
    }
}
