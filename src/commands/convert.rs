//! `convert`: users of kubeconfigs that hold a long-lived CCE certificate run us from now on.
//!
//! A user is matched to its cluster by the cluster's own authorities. Its key goes only after a certificate came through the entry that
//! replaces it, and the API server, where it can be reached, has taken that.

mod prepare;

use crate::cli::{CertificateArgs, ConvertArgs, GlobalArgs};
use crate::contexts;
use crate::discovery::held::HeldCertificate;
use crate::discovery::issuer::Asker;
use crate::discovery::search::Search;
use crate::error::Result;
use crate::exec_credential::ApiVersion;
use crate::host::programs::{self, COMMAND};
use crate::host::{Directories, Host, Progress};
use crate::identity::Identity;
use crate::kubeconfig::{Change, ClusterEntry, Conversion, Kubeconfig, KubeconfigError};
use crate::kubectl::Kubectl;
use crate::lifetime::about;
use crate::output;
use crate::output::some_failed::Failures;
use crate::plan::{self, CertificateSettings, SearchPlan};
use crate::sanitize::{sanitize, shell_word};
use crate::session::Session;
use prepare::{Converted, Preparation, UnverifiedEntry};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a conversion is there to remove.
const CERTIFICATE: [&str; 4] = [
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
];

/// Finds them, shows them, and replaces them where somebody agrees.
pub(super) fn run(args: &ConvertArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let directories = Directories::of(&host.env);
    let kubeconfigs = load(args, host)?;
    check_names(&args.context, &kubeconfigs)?;
    let held: Vec<Vec<HeldCertificate>> = kubeconfigs
        .iter()
        .map(|kubeconfig| in_use(HeldCertificate::all(kubeconfig, &args.context)))
        .collect();
    let count = held.iter().map(Vec::len).sum::<usize>();
    if count == 0 {
        host.say("no user of these kubeconfigs holds a certificate of its own");
        return Ok(());
    }
    let pin = plan::pin(&args.search.identity, &host.env)?;
    let identity = Identity::locate(&pin, &host.env, &directories)?;
    let plan = SearchPlan::new(&args.search, global, &host.env, Some(identity.profile()), host.terminal)?;
    let session = Session::new(host, directories, plan.run, global.verbose);
    let found = {
        let _progress = Progress::spinner(host, "looking for clusters");
        Search::new(&session, &identity, &plan)?.clusters()?
    };
    let none_typed = CertificateArgs::default();
    let preparation = Preparation {
        asker: Asker {
            session: &session,
            identity: &identity,
            cloud: &plan.cloud,
            certificate: &CertificateSettings::inheriting(&none_typed, &host.env, &none_typed)?,
        },
        clusters: &found.clusters,
        silent: found.failures.len(),
        api_version: Kubectl::find(host).map_or_else(ApiVersion::default, |found| found.exec_api_version()),
        command: command(host),
    };

    let mut failures = Failures::of("user");
    let mut ready: Vec<Vec<(&HeldCertificate, Converted)>> = Vec::new();
    for held in &held {
        let mut of_file = Vec::new();
        for held in held {
            match preparation.prepare(held) {
                Ok(converted) => of_file.push((held, converted)),
                Err(error) => failures.add(&sanitize(&held.user), error),
            }
        }
        ready.push(of_file);
    }
    output::print(host, &table(host, &ready))?;
    if ready.iter().any(|of_file| !of_file.is_empty()) && is_agreed(&session, args)? {
        for (kubeconfig, of_file) in kubeconfigs.iter().zip(&ready) {
            replace(&session, args, kubeconfig, of_file)?;
        }
        say_what_it_does_not_do(host, &ready);
    }
    failures.conclude(host, count, "users are as they were")
}

/// An error if one of the contexts that were named is in none of the kubeconfigs.
fn check_names(names: &[String], kubeconfigs: &[Kubeconfig]) -> Result<()> {
    for name in names {
        if kubeconfigs.iter().all(|kubeconfig| kubeconfig.context(name).is_none()) {
            let known = kubeconfigs.iter().flat_map(Kubeconfig::contexts);
            return Err(KubeconfigError::no_such_context(name, known.map(|context| context.name)).into());
        }
    }
    Ok(())
}

/// Those that a context uses: nobody else can use the others.
fn in_use(held: Vec<HeldCertificate>) -> Vec<HeldCertificate> {
    let is_in_use = |held: &HeldCertificate| !held.contexts.is_empty() && !held.owner.is_empty();
    held.into_iter().filter(is_in_use).collect()
}

/// The files that were named, each for itself; else those that kubectl reads, together.
fn load(args: &ConvertArgs, host: &Host) -> Result<Vec<Kubeconfig>> {
    let named: Vec<Option<PathBuf>> = match args.files.as_slice() {
        [] => vec![None],
        files => files.iter().map(|file| Some(plan::absolute(Path::new(file)))).collect(),
    };
    let load = |file| contexts::load_existing(host, file);
    named.into_iter().map(load).collect()
}

/// The command of the new entries: our name, or the full path where the name is not found.
fn command(host: &Host) -> String {
    let is_found = programs::find(host, COMMAND).next().is_some();
    let path = programs::stable_path(host).filter(|_| !is_found);
    path.map_or_else(|| COMMAND.to_owned(), |path| path.display().to_string())
}

fn table(host: &Host, ready: &[Vec<(&HeldCertificate, Converted)>]) -> String {
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
    let is_agreed = session.host.confirm("Replace these by entries that run this plugin?")?;
    if !is_agreed {
        session.host.say("nothing is changed");
    }
    Ok(is_agreed)
}

fn replace(
    session: &Session<'_>,
    args: &ConvertArgs,
    kubeconfig: &Kubeconfig,
    of_file: &[(&HeldCertificate, Converted)],
) -> Result<()> {
    let host = session.host;
    let users = of_file
        .iter()
        .map(|(held, converted)| (held.user.clone(), converted.exec.clone()));
    let (clusters, warnings) = to_be_verified(session, args, of_file)?;
    let change = kubeconfig.convert(&Conversion {
        users: users.collect(),
        clusters: clusters.clone(),
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
    say_what_is_lost(host, &change);
    for (held, _) in of_file.iter().filter(|(_, converted)| !converted.was_asked) {
        host.say(&format!(
            "the API server of `{}` was not asked: it cannot be reached from here, or is not verified",
            sanitize(&held.user)
        ));
    }
    for (name, cluster) in &clusters {
        host.say(&format!(
            "cluster entry `{}` has the cluster's CA now: `{}` is verified from now on",
            sanitize(name),
            sanitize(&cluster.server)
        ));
    }
    for warning in warnings {
        host.say(&warning);
    }
    Ok(())
}

type NamedClusterEntries = Vec<(String, ClusterEntry)>;

/// The cluster entries that verify their server from now on; and what is to be said of those that stay as they are.
fn to_be_verified(
    session: &Session<'_>,
    args: &ConvertArgs,
    of_file: &[(&HeldCertificate, Converted)],
) -> Result<(NamedClusterEntries, BTreeSet<String>)> {
    let mut clusters = NamedClusterEntries::new();
    let mut warnings = BTreeSet::new();
    for (_, converted) in of_file {
        for entry in &converted.unverified {
            if clusters.iter().any(|(name, _)| *name == entry.name) {
                continue;
            }
            match &entry.verified {
                Some(verified) if is_to_be_verified(session, args, entry)? => {
                    clusters.push((entry.name.clone(), verified.clone()));
                }
                _ => {
                    warnings.insert(warning(entry, converted));
                }
            }
        }
    }
    Ok((clusters, warnings))
}

/// The fields that went beside the certificate.
fn say_what_is_lost(host: &Host, change: &Change) {
    for loss in change.losses() {
        let others: Vec<&str> = loss
            .removed
            .iter()
            .copied()
            .filter(|field| !CERTIFICATE.contains(field))
            .collect();
        if !others.is_empty() {
            let user = sanitize(&loss.user);
            host.say(&format!(
                "user `{user}`: removed beside the certificate: {}",
                output::names(&others)
            ));
        }
    }
}

/// Whether the CA goes into an entry that does not verify its server: agreed to in advance, or asked.
fn is_to_be_verified(session: &Session<'_>, args: &ConvertArgs, entry: &UnverifiedEntry) -> Result<bool> {
    if args.confirm.yes {
        return Ok(true);
    }
    session.host.say(&format!(
        "`{}` of cluster entry `{}` is not verified (`insecure-skip-tls-verify`)",
        sanitize(&entry.server),
        sanitize(&entry.name)
    ));
    Ok(session
        .host
        .confirm("Put the cluster's CA into it, so that it is verified?")?)
}

/// What stays wrong with an entry.
fn warning(entry: &UnverifiedEntry, converted: &Converted) -> String {
    let server = sanitize(&entry.server);
    if entry.verified.is_none() {
        return format!(
            "warning: the API server `{server}` is not verified (`insecure-skip-tls-verify`), and it does not show a certificate of the \
             cluster's CA from here: somebody may be in between, or it is another server; `kubectl cce-login --cluster {}` finds the cluster's own",
            converted.cluster.id
        );
    }
    format!(
        "warning: the API server `{server}` is not verified (`insecure-skip-tls-verify`): anybody on the way can read and change what you do; \
         `kubectl cce-login --cluster {}` writes an entry that is verified",
        shell_word(&sanitize(&converted.cluster.name))
    )
}

fn say_what_it_does_not_do(host: &Host, ready: &[Vec<(&HeldCertificate, Converted)>]) {
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
