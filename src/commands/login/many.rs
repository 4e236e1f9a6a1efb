//! Many clusters at once: one certificate, one write of the kubeconfig, and one failure does not stop the rest.
//!
//! CCE grants about ten certificates a minute, so only the first cluster gets its certificate now. With the certificate come the cluster's
//! authorities, which nothing else tells: until then the entry of another cluster has none, and kubectl trusts nobody there.

use crate::cache::index;
use crate::commands::login::clusters::LocatedCluster;
use crate::commands::login::entry::{self, ServerEntry};
use crate::commands::login::prepare::PreparedCluster;
use crate::commands::login::setup::{ClusterSetup, LoginRun};
use crate::commands::login::summary;
use crate::error::{Error, Exit, Explain, Result};
use crate::host::Progress;
use crate::huaweicloud::cce::cluster::{Access, Cluster};
use crate::ids::Endpoint;
use crate::kubeconfig::{Current, Kind, KubeconfigError, Login};
use crate::output;
use crate::plan::{Destination, ServerChoice};
use std::collections::HashMap;

/// How many clusters are tried for the one certificate: what fails for three will hardly be different for the next one.
const MOST_TRIES: usize = 3;

/// Why a login of many clusters makes no sense, or is not complete.
#[derive(Debug, thiserror::Error)]
enum ManyError {
    #[error("`--server` is one cluster's, and here are {0}")]
    OneServer(usize),
    #[error("`--context-name`: `{0}` would be the name of more than one context")]
    SameName(String),
    #[error("cluster `{0}` has no endpoint")]
    NoEndpoint(String),
    #[error("{failed} of {count} could not be set up")]
    SomeFailed { failed: usize, count: usize, exit: Exit },
}

impl Explain for ManyError {
    fn exit(&self) -> Exit {
        match self {
            Self::OneServer(_) | Self::SameName(_) => Exit::Usage,
            Self::NoEndpoint(_) => Exit::Failed,
            Self::SomeFailed { exit, .. } => *exit,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::OneServer(_) => Some("leave it out, or name one cluster with `--cluster`".to_owned()),
            Self::SameName(_) => Some(
                "tell them apart with `{cluster}`, `{project}` or `{region}`: `--context-name '{cluster}.{project}'`"
                    .to_owned(),
            ),
            Self::NoEndpoint(_) => Some("bind an elastic IP to the cluster, or choose another `--access`".to_owned()),
            Self::SomeFailed { .. } => None,
        }
    }
}

/// Sets the clusters up.
pub(super) fn set_up(
    ground: &LoginRun<'_>,
    sites: &[LocatedCluster],
    mut failures: Vec<(String, Error)>,
) -> Result<()> {
    let count = sites.len() + failures.len();
    if matches!(ground.plan.server, ServerChoice::Url(_)) {
        return Err(ManyError::OneServer(count).into());
    }
    let named = named(ground, sites)?;
    let progress = Progress::bar(ground.session.host, named.len() as u64, "setting clusters up");
    let (mut first, given_up) = first_ready(ground, &named, &mut failures)?;
    let mut logins = Vec::with_capacity(named.len());
    let answered = first.as_ref().and_then(|first| first.access(&named));
    for (at, (setup, name)) in named.iter().enumerate() {
        progress.step();
        let server = match &first {
            _ if given_up.contains(&at) => continue,
            Some(first) if at == first.at => ServerEntry::of(&first.ready),
            _ => match server_to_be(ground, setup, answered) {
                Ok(server) => server,
                Err(error) => {
                    failures.push((setup.site.cluster.name.clone(), error));
                    continue;
                }
            },
        };
        let mut login = entry::login(ground, setup, name.clone(), server);
        if login.current == Current::Set && !logins.is_empty() {
            login.current = Current::Keep; // the first one becomes the current one
        }
        logins.push(login);
    }
    let logins = allowed(ground, logins, &mut failures);

    let change = ground.kubeconfig.upsert(&logins)?;
    drop(progress);
    let host = ground.session.host;
    match ground.plan.destination {
        Destination::Print => output::print(host, &crate::kubeconfig::render(&logins))?,
        Destination::DryRun => output::print(host, &change.diff())?,
        Destination::Write => change.write()?,
    }
    let mut known = None;
    if let Some(CheckedCluster { at, ready }) = &mut first
        && let Some((setup, _)) = named.get(*at)
    {
        let user = match ground.plan.destination {
            Destination::Write => ready.who_am_i(ground.session, setup),
            _ => Ok(None),
        };
        match user {
            Ok(user) => known = Some((setup, &*ready, user)),
            Err(error) => failures.push((setup.site.cluster.name.clone(), error)),
        }
    }
    let without_ca = logins.iter().filter(|login| has_no_authorities(login)).count();
    summary::show_many(
        ground,
        &summary::ManyOutcome {
            first: known
                .as_ref()
                .map(|(setup, ready, user)| (*setup, &ready.obtained, user.as_deref())),
            logins: &logins,
            without_ca,
            change: &change,
        },
    );
    if let Some(CheckedCluster { at, ready }) = first
        && let Some((setup, _)) = named.get(at)
        && let Err(error) = ready.conclude(setup)
    {
        failures.push((setup.site.cluster.name.clone(), error));
    }
    conclude(ground, count, failures)
}

/// Nobody is trusted there yet.
fn has_no_authorities(login: &Login) -> bool {
    login.cluster.certificate_authority_data.is_none() && !login.cluster.insecure_skip_tls_verify
}

/// Each cluster with its context's name, which no other one of this run has.
fn named<'s>(ground: &'s LoginRun<'_>, sites: &'s [LocatedCluster]) -> Result<Vec<(ClusterSetup<'s>, String)>> {
    let mut taken: HashMap<String, usize> = HashMap::new();
    let mut named = Vec::with_capacity(sites.len());
    for (at, site) in sites.iter().enumerate() {
        let setup = ground.setup(site)?;
        let id = site.cluster.id.as_str();
        let name = entry::context_name(&setup, |name| {
            !taken.contains_key(name) && ground.kubeconfig.context_is_free_for(name, id)
        });
        if taken.insert(name.clone(), at).is_some() && ground.plan.context_name.is_some() {
            return Err(ManyError::SameName(name).into());
        }
        named.push((setup, name));
    }
    Ok(named)
}

/// The one that gets its certificate now.
struct CheckedCluster {
    at: usize,
    ready: PreparedCluster,
}

impl CheckedCluster {
    /// From where its server was reached.
    fn access(&self, named: &[(ClusterSetup<'_>, String)]) -> Option<Access> {
        let cluster = &named.get(self.at)?.0.site.cluster;
        let is_at = |access: &Access| is_at(cluster, *access, self.ready.chosen.url());
        [Access::Internal, Access::External].into_iter().find(is_at)
    }
}

/// Makes the first cluster ready that can be, and returns also which were tried in vain. Whoever is refused altogether learns that at once;
/// whoever is throttled gets the entries, and the certificate later.
fn first_ready(
    ground: &LoginRun<'_>,
    named: &[(ClusterSetup<'_>, String)],
    failures: &mut Vec<(String, Error)>,
) -> Result<(Option<CheckedCluster>, Vec<usize>)> {
    let mut given_up = Vec::new();
    for (at, (setup, _)) in named.iter().enumerate().take(MOST_TRIES) {
        let error = match PreparedCluster::new(ground.session, setup) {
            Ok(ready) => return Ok((Some(CheckedCluster { at, ready }), given_up)),
            Err(error) if error.exit() == Exit::Identity && at == 0 => return Err(error),
            Err(error) => error,
        };
        let is_throttled = error.is_throttled();
        failures.push((setup.site.cluster.name.clone(), error));
        if is_throttled {
            break;
        }
        given_up.push(at);
    }
    Ok((None, given_up))
}

/// The server of a cluster whose certificate comes later: as its entry has it, as an earlier certificate told, else an endpoint of the
/// kind that answered for the first cluster. The first certificate brings the authorities, and the choice is made anew then.
fn server_to_be(ground: &LoginRun<'_>, setup: &ClusterSetup<'_>, answered: Option<Access>) -> Result<ServerEntry> {
    let cluster = &setup.site.cluster;
    let access = match ground.plan.server {
        ServerChoice::Internal => Some(Access::Internal),
        ServerChoice::External => Some(Access::External),
        _ => None,
    };
    let is_wanted = |url: &Endpoint| access.is_none_or(|access| is_at(cluster, access, url));
    if let Some(previous) = setup.previous
        && let Some(url) = previous.server.as_ref().filter(|url| is_wanted(url))
    {
        return Ok(ServerEntry {
            url: url.to_string(),
            ca_pem: previous.ca_pem.clone(),
            tls_server_name: previous.tls_server_name.clone(),
        });
    }
    let target = setup.target();
    if let Some(note) = index::read(&ground.session.directories, &setup.wanted(&target).key())
        && let Some(url) = note.chosen_server.as_deref().and_then(|url| Endpoint::parse(url).ok())
        && is_wanted(&url)
    {
        return Ok(ServerEntry {
            url: url.to_string(),
            ca_pem: note.ca_pem.map(String::into_bytes),
            tls_server_name: note.tls_server_name,
        });
    }
    let of = |access| cluster.endpoints_for(access).next();
    let url = match (access, answered) {
        (Some(access), _) => of(access),
        (None, Some(Access::Internal)) => of(Access::Internal).or_else(|| of(Access::External)),
        (None, _) => of(Access::External).or_else(|| of(Access::Internal)),
    };
    match url {
        Some(url) => Ok(ServerEntry {
            url: url.to_string(),
            ca_pem: None,
            tls_server_name: None,
        }),
        None => Err(ManyError::NoEndpoint(crate::sanitize::sanitize(&cluster.name)).into()),
    }
}

/// Whether the URL is the cluster's for this kind of access.
fn is_at(cluster: &Cluster, access: Access, url: &Endpoint) -> bool {
    cluster
        .endpoints_for(access)
        .any(|own| own.host_and_port() == url.host_and_port())
}

/// The logins without those whose entries are somebody else's, or another cluster's of this run.
fn allowed(ground: &LoginRun<'_>, logins: Vec<Login>, failures: &mut Vec<(String, Error)>) -> Vec<Login> {
    let mut refused: HashMap<usize, KubeconfigError> = ground.kubeconfig.refusals(&logins).into_iter().collect();
    let mut users: HashMap<String, usize> = HashMap::new();
    let mut allowed = Vec::with_capacity(logins.len());
    for (at, login) in logins.into_iter().enumerate() {
        let error = refused.remove(&at).or_else(|| {
            let is_double = users.insert(login.user_name.clone(), at).is_some();
            is_double.then(|| KubeconfigError::Contradiction {
                kind: Kind::User,
                name: login.user_name.clone(),
            })
        });
        match error {
            None => allowed.push(login),
            Some(error) => failures.push((login.context_name, error.into())),
        }
    }
    allowed
}

/// Tells each failure, and then how many there were.
fn conclude(ground: &LoginRun<'_>, count: usize, failures: Vec<(String, Error)>) -> Result<()> {
    let Some((_, first)) = failures.first() else {
        return Ok(());
    };
    let (failed, exit) = (failures.len(), first.exit());
    for (name, error) in failures {
        let is_named = error.to_string().contains(&format!("`{name}`"));
        let error = if is_named {
            error
        } else {
            error.doing(format!("cluster `{name}`"))
        };
        error.report(ground.session.host);
    }
    Err(ManyError::SomeFailed { failed, count, exit }.into())
}
