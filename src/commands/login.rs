//! `login`: who you are, which cluster, one certificate, kubeconfig entries, a check. Ends with the command to try.

mod choose_cluster;
mod entry;
mod summary;

use super::choose_server::{self, Chosen, Search};
use super::explain::explain;
use super::fetch::{self, Errand, Need};
use super::obtain::{self, Asker, Obtained, Wanted};
use super::session::Session;
use super::sign_in::{self, SignIn};
use super::{project, report};
use crate::api_server::ApiServerError;
use crate::cache::index::{self, IndexEntry};
use crate::cce::CceClient;
use crate::cce::cluster::Cluster;
use crate::cli::{GlobalArgs, LoginArgs};
use crate::env_vars;
use crate::error::{Error, Result};
use crate::host::{Directories, Host};
use crate::iam::Project;
use crate::iam::sign_in::Scope;
use crate::identity::Identity;
use crate::kubeconfig::{Kubeconfig, Locations};
use crate::plan::{self, CertificateSettings, Destination, LoginPlan, Target};

/// Sets one cluster up.
pub(super) fn run(args: &LoginArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let directories = Directories::of(&host.env);
    let identity = Identity::locate(&plan::pin(&args.identity, &host.env)?, &host.env, &directories)?;
    let plan = LoginPlan::new(args, global, &host.env, identity.profile(), host.terminal)?;
    let session = Session::new(host, directories, plan.run, global.verbose);
    let kubeconfig = load_kubeconfig(&plan, host)?;

    let (project, cluster) = find_cluster(&session, &plan, &identity)?;
    let previous = entry::Previous::find(&kubeconfig, &cluster, &identity);
    let certificate = match &previous {
        Some(previous) => CertificateSettings::inheriting(&args.certificate, &host.env, &previous.args.certificate)?,
        None => plan.certificate,
    };
    let setup = Setup {
        plan: &plan,
        identity: &identity,
        project: &project,
        cluster: &cluster,
        certificate,
        previous,
    };
    let (mut obtained, mut note) = certificate_of(&session, &setup, Freshness::AsNeeded)?;
    let chosen = match choose_server::choose(&session, &setup.search(&note)) {
        // The authorities that came with the cached certificate may have been rotated since.
        Err(error) if !obtained.is_fetched => {
            session.log.info(|| format!("{error}: asking CCE anew"));
            (obtained, note) = certificate_of(&session, &setup, Freshness::New)?;
            choose_server::choose(&session, &setup.search(&note))?
        }
        chosen => chosen?,
    };
    remember_server(&session, &setup, &chosen, &mut note);
    let login = entry::login(&session, &setup, &kubeconfig, &chosen, &note);

    let change = kubeconfig.upsert(std::slice::from_ref(&login))?;
    match plan.destination {
        Destination::Print => report::print(host, &crate::kubeconfig::render(&[login]))?,
        Destination::DryRun => report::print(host, &change.diff())?,
        Destination::Write => {
            change.write()?;
            let (obtained, user) = check(&session, &setup, obtained, &chosen)?;
            summary::show(
                &session,
                &setup,
                &summary::Outcome {
                    obtained: &obtained,
                    user: user.as_deref(),
                    login: &login,
                    change: &change,
                    kubeconfig: &kubeconfig,
                },
            );
        }
    }
    match chosen {
        Chosen::Unreachable { error, .. } if plan.is_checked => {
            Err(Error::from(error).doing("certificate and kubeconfig are ready, only the check failed"))
        }
        _ => Ok(()),
    }
}

/// What is being set up.
struct Setup<'a> {
    plan: &'a LoginPlan,
    identity: &'a Identity,
    project: &'a Project,
    cluster: &'a Cluster,
    certificate: CertificateSettings,
    previous: Option<entry::Previous>,
}

impl Setup<'_> {
    fn target(&self) -> Target {
        Target {
            region: self.plan.region.clone(),
            project_id: self.project.id.clone(),
            cluster_id: self.cluster.id.clone(),
            is_autopilot: self.cluster.is_autopilot(),
        }
    }

    /// The user asked, now or when the entry was made, not to verify the API server.
    fn is_unverified(&self) -> bool {
        self.plan.is_server_unverified || self.previous.as_ref().is_some_and(|p| p.is_unverified)
    }

    fn search<'s>(&'s self, note: &'s IndexEntry) -> Search<'s> {
        Search {
            choice: &self.plan.server,
            cluster: self.cluster,
            note,
            proxy_url: self.plan.proxy_url.as_deref(),
            kept: self.previous.as_ref().and_then(|p| p.server.as_ref()),
            is_unverified: self.is_unverified(),
        }
    }

    fn wanted<'s>(&'s self, target: &'s Target) -> Wanted<'s> {
        Wanted {
            target,
            identity: self.identity,
            cloud: &self.plan.cloud,
            certificate: self.certificate,
            is_lifetime_strict: self.previous.as_ref().is_some_and(|p| p.args.strict_duration),
            asker: Asker::Person,
        }
    }
}

fn load_kubeconfig(plan: &LoginPlan, host: &Host) -> Result<Kubeconfig> {
    let list = host.env.var_os(env_vars::KUBECONFIG);
    let home = host.env.home();
    if plan.destination == Destination::Print {
        return Ok(Kubeconfig::empty()); // complete by itself: no file is read or written
    }
    let locations = Locations::new(plan.kubeconfig.clone(), list.as_deref(), home.as_deref())?;
    Ok(Kubeconfig::load(&locations)?)
}

fn find_cluster(session: &Session<'_>, plan: &LoginPlan, identity: &Identity) -> Result<(Project, Cluster)> {
    let http = session.cloud_http(&plan.cloud)?;
    let sign_in = |scope| SignIn {
        identity,
        cloud: &plan.cloud,
        region: &plan.region,
        scope,
        cache: plan.certificate.cache,
        may_ask: true,
    };
    let project = sign_in::with(session, &sign_in(Scope::Account), |credentials| {
        let api = session.api(&http, credentials, session.deadline);
        project::find(&api, &plan.cloud.iam(&plan.region), identity, &plan.project)
    })
    .map_err(|e| e.doing("failed to find the project"))?;
    let endpoint = plan.cloud.cce(&plan.region);
    let wanted = plan.cluster.as_deref();
    let scope = Scope::Project(project.id.clone());
    let clusters = sign_in::with(session, &sign_in(scope), |credentials| {
        let cce = CceClient {
            api: &session.api(&http, credentials, session.deadline),
            endpoint: &endpoint,
            project: &project.id,
            is_autopilot: false,
        };
        let explained = |e| explain(e, identity);
        let mut clusters = cce.clusters().map_err(explained)?;
        if wanted.is_none_or(|wanted| choose_cluster::called(&clusters, wanted).is_empty()) {
            clusters.extend(cce.autopilot_clusters().map_err(explained)?);
        }
        Ok(clusters)
    })
    .map_err(|e| e.doing(format!("failed to list the clusters of project `{}`", project.name)))?;
    let cluster = choose_cluster::choose(&clusters, wanted, &project)?;
    Ok((project, cluster))
}

/// Whether a cached certificate will do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Freshness {
    AsNeeded,
    New,
}

/// The certificate, and the servers and authorities that CCE named with it.
fn certificate_of(session: &Session<'_>, setup: &Setup<'_>, freshness: Freshness) -> Result<(Obtained, IndexEntry)> {
    let target = setup.target();
    let wanted = setup.wanted(&target);
    let key = wanted.key();
    let store = session.store(setup.certificate.cache);
    let cache = session.cache(&store);
    let known = index::read(&session.directories, &key).filter(|note| knows_all_servers(note, setup.cluster));
    if let Some(note) = known.filter(|_| freshness == Freshness::AsNeeded)
        && let Some(obtained) = obtain::cached(session, &cache, &key)
    {
        return Ok((obtained, note));
    }
    let doing = || {
        format!(
            "failed to get a client certificate for cluster `{}`",
            setup.cluster.name
        )
    };
    let errand = Errand {
        key: &key,
        wanted: &wanted,
        need: Need::New,
        held: None,
        deadline: session.deadline,
    };
    let mut obtained = fetch::fetch(session, &cache, &errand).map_err(|e| e.doing(doing()))?;
    if cfg!(any(target_os = "macos", target_os = "windows")) {
        // So that the keyring's "always allow" question comes now and not in the middle of a kubectl call.
        let _ = cache.get(&key);
    }
    let note = obtained.note.take().or_else(|| index::read(&session.directories, &key));
    let note = note.ok_or_else(|| Error::from(choose_server::NoServer::nothing_known()))?;
    Ok((obtained, note))
}

/// Notes which server was chosen, for clients that do not tell us (contract §3: the question whether a certificate is refused).
fn remember_server(session: &Session<'_>, setup: &Setup<'_>, chosen: &Chosen, note: &mut IndexEntry) {
    note.chosen_server = Some(chosen.url().to_string());
    note.tls_server_name = chosen.tls_server_name().map(str::to_owned);
    if setup.plan.destination != Destination::DryRun {
        index::write(&session.directories, &setup.wanted(&setup.target()).key(), note);
    }
}

/// The cluster's present endpoints were all named with the certificate; otherwise an elastic IP was bound since.
fn knows_all_servers(note: &IndexEntry, cluster: &Cluster) -> bool {
    cluster
        .endpoints
        .iter()
        .all(|endpoint| note.servers.iter().any(|server| server == endpoint.url.as_str()))
}

/// Asks the API server who we are. A cached certificate that it refuses is replaced once.
fn check(
    session: &Session<'_>,
    setup: &Setup<'_>,
    obtained: Obtained,
    chosen: &Chosen,
) -> Result<(Obtained, Option<String>)> {
    let Chosen::Reachable(server) = chosen else {
        return Ok((obtained, None));
    };
    if !setup.plan.is_checked {
        return Ok((obtained, None));
    }
    match server.who_am_i(&obtained.entry.cert, session.deadline) {
        Ok(user) => Ok((obtained, Some(user))),
        Err(ApiServerError::Refused) if !obtained.is_fetched => {
            session
                .log
                .info(|| "the API server refuses the cached certificate: fetching a new one".to_owned());
            let (obtained, _) = certificate_of(session, setup, Freshness::New)?;
            let user = server.who_am_i(&obtained.entry.cert, session.deadline)?;
            Ok((obtained, Some(user)))
        }
        Err(error) => Err(Error::from(error).doing("the kubeconfig is written, only the check failed")),
    }
}
