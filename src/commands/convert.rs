//! `convert`: users of kubeconfigs that hold a long-lived CCE certificate run us from now on.
//!
//! A user is matched to its cluster by the cluster's own authorities. Its key goes only after a certificate came through the entry that
//! replaces it, and the API server, where it can be reached, has taken that.

pub(crate) mod static_user;

use crate::api_server::{ApiServerError, known};
use crate::cache::entry::CacheEntry;
use crate::cli::{CertificateArgs, ConvertArgs, GlobalArgs};
use crate::contexts;
use crate::contexts::exec_arguments::{self, Arguments};
use crate::credential::Certificates;
use crate::credential::request::{CertificateRequest, Requester};
use crate::discovery::search::{LocatedCluster, Search};
use crate::error::{Exit, Explain, Result};
use crate::exec_credential::ApiVersion;
use crate::host::programs::{self, COMMAND};
use crate::host::{Directories, Host, Progress};
use crate::huaweicloud::cce::cluster::Cluster;
use crate::identity::Identity;
use crate::ids::Endpoint;
use crate::kubeconfig::{Conversion, ExecEntry, Kubeconfig, KubeconfigError};
use crate::kubectl::Kubectl;
use crate::lifetime::about;
use crate::output;
use crate::plan::{self, CertificateSettings, ClusterRef, SearchPlan};
use crate::sanitize::sanitize;
use crate::session::Session;
use static_user::StaticUser;
use std::path::{Path, PathBuf};

/// How many clusters are asked for their authorities where no address tells which one it is.
const MOST_ASKED: usize = 10;

/// Why nothing, or not everything, was converted.
#[derive(Debug, thiserror::Error)]
enum ConvertError {
    #[error("{failed} of {count} users were not converted")]
    SomeFailed { failed: usize, count: usize },
    #[error("its certificate was issued by none of the clusters that this identity can reach")]
    NoCluster,
    #[error("the contexts `{0}` mean different clusters")]
    SeveralClusters(String),
    #[error("its API server refuses the certificate that you get")]
    Refused,
}

impl Explain for ConvertError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::SomeFailed { .. } => "they are as they were; what is said above tells why",
                Self::NoCluster => {
                    "choose another identity with `--profile`, or another place with `--region` and `--project`"
                }
                Self::SeveralClusters(_) => "give each cluster a user entry of its own, then run it again",
                Self::Refused => {
                    "ask for access to the cluster (RBAC or CCE's permission management), then run it again"
                }
            }
            .to_owned(),
        )
    }
}

/// Finds them, shows them, and replaces them where somebody agrees.
pub(super) fn run(args: &ConvertArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let directories = Directories::of(&host.env);
    let kubeconfigs = load(args, host)?;
    for name in &args.context {
        if kubeconfigs.iter().all(|kubeconfig| kubeconfig.context(name).is_none()) {
            return Err(KubeconfigError::NoSuchContext { name: name.clone() }.into());
        }
    }
    let held: Vec<Vec<StaticUser>> = kubeconfigs
        .iter()
        .map(|kubeconfig| StaticUser::all(kubeconfig, &args.context))
        .collect();
    let count = held.iter().map(Vec::len).sum::<usize>();
    if count == 0 {
        host.say("no user of these kubeconfigs holds a certificate of its own");
        return Ok(());
    }
    let pin = plan::pin(&args.search.identity, &host.env)?;
    let identity = Identity::locate(&pin, &host.env, &directories)?;
    let plan = SearchPlan::new(&args.search, global, &host.env, identity.profile(), host.terminal)?;
    let session = Session::new(host, directories, plan.run, global.verbose);
    let clusters = {
        let _progress = Progress::spinner(host, "looking for clusters");
        Search::new(&session, &identity, &plan)?.clusters()?.clusters
    };
    let ground = ConvertRun {
        session: &session,
        identity: &identity,
        plan: &plan,
        certificate: CertificateSettings::inheriting(
            &CertificateArgs::default(),
            &host.env,
            &CertificateArgs::default(),
        )?,
        clusters: &clusters,
        api_version: Kubectl::find(host).map_or_else(ApiVersion::default, |found| found.exec_api_version()),
        command: command(host),
    };

    let mut failed = 0;
    let mut ready: Vec<Vec<(&StaticUser, Converted)>> = Vec::new();
    for held in &held {
        let mut of_file = Vec::new();
        for held in held {
            match ground.prepare(held) {
                Ok(converted) => of_file.push((held, converted)),
                Err(error) => {
                    failed += 1;
                    error.doing(format!("user `{}`", sanitize(&held.user))).report(host);
                }
            }
        }
        ready.push(of_file);
    }
    output::print(host, &table(host, &ready))?;
    if ready.iter().any(|of_file| !of_file.is_empty()) && is_agreed(&session, args)? {
        for (kubeconfig, of_file) in kubeconfigs.iter().zip(&ready) {
            replace(host, args, kubeconfig, of_file)?;
        }
        say_what_it_does_not_do(host, &ready);
    }
    match failed {
        0 => Ok(()),
        failed => Err(ConvertError::SomeFailed { failed, count }.into()),
    }
}

/// The files that were named, each for itself; else those that kubectl reads, together.
fn load(args: &ConvertArgs, host: &Host) -> Result<Vec<Kubeconfig>> {
    let named: Vec<Option<PathBuf>> = match args.files.as_slice() {
        [] => vec![None],
        files => files.iter().map(|file| Some(plan::absolute(Path::new(file)))).collect(),
    };
    named.into_iter().map(|file| contexts::load(host, file)).collect()
}

/// What a user entry becomes.
struct Converted {
    cluster: Cluster,
    /// Who we are to the cluster.
    you: String,
    exec: ExecEntry,
    was_asked: bool,
}

/// The cluster that issued a certificate, and what we get of it.
struct Issuer<'a> {
    cluster: &'a Cluster,
    target: ClusterRef,
    entry: CacheEntry,
    ca_pem: String,
}

struct ConvertRun<'a> {
    session: &'a Session<'a>,
    identity: &'a Identity,
    plan: &'a SearchPlan,
    certificate: CertificateSettings,
    clusters: &'a [LocatedCluster],
    api_version: ApiVersion,
    command: String,
}

impl ConvertRun<'_> {
    /// Gets a certificate through the entry that the user is to become.
    fn prepare(&self, held: &StaticUser) -> Result<Converted> {
        let issuer = self.issuer_of(held)?;
        let mut was_asked = false;
        for told in &held.clusters {
            let server = known::of_entry(told.clone(), || Some(issuer.ca_pem.clone()), &self.session.host.env);
            match server.map(|server| server.who_am_i(&issuer.entry.cert, self.session.deadline)) {
                Some(Ok(_)) => was_asked = true,
                Some(Err(ApiServerError::Refused)) => return Err(ConvertError::Refused.into()),
                Some(Err(_)) | None => {} // not from here: the old certificate would be no better off
            }
        }
        Ok(Converted {
            cluster: issuer.cluster.clone(),
            you: issuer.entry.cert.common_name.clone(),
            exec: ExecEntry {
                api_version: self.api_version.as_str().to_owned(),
                command: self.command.clone(),
                args: exec_arguments::arguments(&Arguments {
                    target: &issuer.target,
                    identity: self.identity,
                    cloud: &self.plan.cloud,
                    certificate: self.certificate.clone(),
                    principal: self.identity.principal(Some(&issuer.entry.cert.common_name)),
                    is_lifetime_strict: false,
                }),
                install_hint: exec_arguments::INSTALL_HINT.to_owned(),
            },
            was_asked,
        })
    }

    /// The cluster whose authorities issued the certificate: the one at the address first, then the others.
    fn issuer_of(&self, held: &StaticUser) -> Result<Issuer<'_>> {
        let is_at = |cluster: &Cluster| {
            let is_one = |server: Endpoint| cluster.endpoints.iter().any(|endpoint| endpoint.url == server);
            held.servers().any(is_one)
        };
        let (near, far): (Vec<_>, Vec<_>) = self.clusters.iter().partition(|located| is_at(&located.cluster));
        let mut found = Vec::new();
        let mut trouble = None;
        for candidate in near {
            match self.issuer(candidate, held) {
                Ok(issuer) => found.extend(issuer),
                Err(error) => trouble = Some(error),
            }
        }
        if found.is_empty() && trouble.is_none() {
            let mut far = far.into_iter().take(MOST_ASKED);
            found.extend(far.find_map(|candidate| self.issuer(candidate, held).ok().flatten()));
        }
        match (found.pop(), trouble) {
            (Some(one), _) if found.is_empty() => Ok(one),
            (Some(_), _) => Err(ConvertError::SeveralClusters(held.contexts.join("`, `")).into()),
            (None, Some(error)) => Err(error),
            (None, None) => Err(ConvertError::NoCluster.into()),
        }
    }

    /// This cluster, with a certificate of ours, if it issued the one that is held.
    fn issuer<'s>(&'s self, located: &'s LocatedCluster, held: &StaticUser) -> Result<Option<Issuer<'s>>> {
        let target = located.reference();
        let wanted = CertificateRequest {
            target: &target,
            identity: self.identity,
            cloud: &self.plan.cloud,
            certificate: &self.certificate,
            principal: None,
            is_lifetime_strict: false,
            requester: Requester::Person,
        };
        let certificates = Certificates::of(self.session, &wanted);
        let obtained = certificates.cached_or_new()?;
        let record = certificates.record_of(&obtained).ok();
        let ca_pem = record
            .and_then(|record| record.ca_pem)
            .filter(|ca| held.is_issued_by(ca));
        Ok(ca_pem.map(|ca_pem| Issuer {
            cluster: &located.cluster,
            target,
            entry: obtained.entry,
            ca_pem,
        }))
    }
}

/// The command of the new entries: our name, or the full path where the name is not found.
fn command(host: &Host) -> String {
    let is_found = programs::find(host, COMMAND).next().is_some();
    let path = programs::stable_path(host).filter(|_| !is_found);
    path.map_or_else(|| COMMAND.to_owned(), |path| path.display().to_string())
}

fn table(host: &Host, ready: &[Vec<(&StaticUser, Converted)>]) -> String {
    let head = ["USER", "FILE", "CONTEXTS", "CLUSTER", "OWNER", "EXPIRES", "YOU"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for (held, converted) in ready.iter().flatten() {
        let left = held.not_after - host.clock.now();
        let left = if left > chrono::TimeDelta::zero() {
            format!("in {}", about(left))
        } else {
            "expired".to_owned()
        };
        rows.push(vec![
            sanitize(&held.user),
            held.file.display().to_string(),
            sanitize(&held.contexts.join(", ")),
            sanitize(&converted.cluster.name),
            held.owner.clone(),
            format!("{} ({left})", held.not_after.format("%Y-%m-%d %H:%M UTC")),
            if converted.you == held.owner {
                "the same".to_owned()
            } else {
                sanitize(&converted.you)
            },
        ]);
    }
    if rows.len() == 1 {
        String::new()
    } else {
        output::table(&rows)
    }
}

fn is_agreed(session: &Session<'_>, args: &ConvertArgs) -> Result<bool> {
    if args.confirm.yes {
        return Ok(true);
    }
    if !session.is_interactive {
        session
            .host
            .say("nothing is changed: run it at a terminal, or add `--yes`");
        return Ok(false);
    }
    let is_agreed = session.host.confirm("replace these by entries that run this plugin?")?;
    if !is_agreed {
        session.host.say("nothing is changed");
    }
    Ok(is_agreed)
}

fn replace(
    host: &Host,
    args: &ConvertArgs,
    kubeconfig: &Kubeconfig,
    of_file: &[(&StaticUser, Converted)],
) -> Result<()> {
    let users = of_file
        .iter()
        .map(|(held, converted)| (held.user.clone(), converted.exec.clone()));
    let change = kubeconfig.convert(&Conversion {
        users: users.collect(),
        keeps_keys: args.keep_key_backup,
    })?;
    change.write()?;
    for file in change.files() {
        let keys = if args.keep_key_backup { "with" } else { "without" };
        host.say(&format!(
            "`{}` converted; as it was before, {keys} the keys: `{}`",
            file.display(),
            crate::kubeconfig::backup_file(file).display()
        ));
    }
    for (held, converted) in of_file {
        if !converted.was_asked {
            host.say(&format!(
                "the API server of `{}` was not asked: it cannot be reached from here, or is not verified",
                sanitize(&held.user)
            ));
        }
        for told in held.clusters.iter().filter(|told| told.is_unverified) {
            host.say(&format!(
                "warning: `{}` is not verified (`insecure-skip-tls-verify`); `kubectl cce-login --cluster {}` writes an entry that is",
                sanitize(&told.server),
                sanitize(&converted.cluster.name)
            ));
        }
    }
    Ok(())
}

fn say_what_it_does_not_do(host: &Host, ready: &[Vec<(&StaticUser, Converted)>]) {
    host.say("a key that is deleted is not revoked: copies of these files, and their backups elsewhere, are as good as before");
    let mut said = Vec::new();
    for (held, converted) in ready.iter().flatten() {
        let line = format!(
            "to cut it off, with every other certificate of its owner, on every machine: kubectl cce-login revoke --user-id {} --cluster {}",
            held.owner, converted.cluster.id
        );
        if !said.contains(&line) {
            host.say(&line);
            said.push(line);
        }
    }
}
