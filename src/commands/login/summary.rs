//! What a login did, in a few lines on stderr, ending with the command to try.

pub(super) mod usable;

use crate::account::user_name;
use crate::cli::command_line::CommandLine;
use crate::commands::login::checked::CheckedCluster;
use crate::commands::login::prepare::PreparedCluster;
use crate::commands::login::rest::Rest;
use crate::commands::login::setup::{ClusterSetup, LoginRun};
use crate::credential::{describe, pace};
use crate::host::Host;
use crate::host::programs::COMMAND;
use crate::kubeconfig::{Change, Login, Loss};
use crate::output;
use crate::plan::{CurrentContext, Destination, ServerChoice};
use crate::sanitize::{sanitize, shell_word};
use usable::{Usability, to_try};

/// Writes the summary; of what is only shown on stdout, what it lacks.
pub(super) fn show(
    run: &LoginRun<'_>,
    prepared: &[PreparedCluster<'_>],
    logins: &[Login],
    change: &Change,
    rest: Rest,
    usable: &Usability,
) {
    let host = run.session.host;
    if run.plan.destination != Destination::Write {
        return show_rest(run, rest);
    }
    show_clusters(host, prepared);
    show_rest(run, rest);
    show_identity(run);
    show_contexts(host, logins, change);
    show_losses(host, change);
    show_moved(run, prepared);
    if logins.iter().any(|login| login.cluster.insecure_skip_tls_verify) {
        host.say("warning: the API server is not verified: anybody on the way can read and change what you do");
    }
    match (usable, to_try(logins)) {
        (Usability::Usable, Some(login)) => show_command_to_try(run, &login.context_name),
        (Usability::PluginNotFound, _) => host.say(&format!(
            "warning: kubectl does not find `{COMMAND}`, which it has to run: put its directory on your PATH, or use `--absolute-path`"
        )),
        _ => {}
    }
}

/// The first cluster that answers, and how many more have their certificate.
fn show_clusters(host: &Host, prepared: &[PreparedCluster<'_>]) {
    let mut checked: Vec<(&ClusterSetup<'_>, &CheckedCluster)> = prepared
        .iter()
        .filter_map(|prepared| Some((&prepared.setup, prepared.checked.as_ref()?)))
        .collect();
    checked.sort_by_key(|(_, checked)| !checked.is_reachable()); // stable: the first that answers
    let Some(((setup, first), others)) = checked.split_first() else {
        return;
    };
    show_cluster(setup, first);
    let certificate = describe::certificate(host, &first.obtained, setup.certificate.lifetime);
    host.say(&format!("certificate: {certificate}"));
    let names: Vec<&str> = others.iter().map(|(setup, _)| setup.name()).collect();
    match names.as_slice() {
        [] => {}
        [name] => host.say(&format!("cluster `{}` has its certificate too", sanitize(name))),
        names => host.say(&format!(
            "{} more clusters have their certificates too: {}",
            names.len(),
            output::names(names)
        )),
    }
    show_unreachable(host, others);
}

/// Clusters that do not answer although another one does.
fn show_unreachable(host: &Host, checked: &[(&ClusterSetup<'_>, &CheckedCluster)]) {
    let unreachable = checked.iter().filter(|(_, checked)| !checked.is_reachable());
    let names: Vec<&str> = unreachable.map(|(setup, _)| setup.name()).collect();
    if !names.is_empty() {
        host.say(&format!(
            "no answer from here, perhaps another network: {}",
            output::names(&names)
        ));
    }
}

/// What becomes of the clusters without a certificate.
fn show_rest(run: &LoginRun<'_>, rest: Rest) {
    let host = run.session.host;
    let clusters = |count| match count {
        1 => "1 cluster has".to_owned(),
        count => format!("{count} clusters have"),
    };
    match rest {
        Rest::Nothing => {}
        Rest::Behind(count) => {
            let (certificates, follow) = if count == 1 {
                ("certificate", "follows")
            } else {
                ("certificates", "follow")
            };
            host.say(&format!(
                "{count} more {certificates} {follow} in the background ({}): `kubectl cce-login status` shows how far that is",
                pace::in_words(count)
            ));
        }
        Rest::Later(count) => {
            let mut line = CommandLine::new("refresh");
            line.switch("missing");
            if let Some(file) = &run.plan.kubeconfig {
                line.flag("kubeconfig", &file.to_string_lossy());
            }
            host.say(&format!(
                "{} no certificate and CA yet: `{}` takes them ({})",
                clusters(count),
                line.line(),
                pace::in_words(count)
            ));
        }
        Rest::NotWritten(count) => host.say(&format!(
            "{} no certificate and CA yet: with `--wait` they are taken first ({})",
            clusters(count),
            pace::in_words(count)
        )),
    }
}

fn show_cluster(setup: &ClusterSetup<'_>, checked: &CheckedCluster) {
    let (session, cluster) = (setup.run.session, &setup.located.cluster);
    let version = if cluster.version.is_empty() {
        String::new()
    } else {
        format!(" ({})", sanitize(&cluster.version))
    };
    let known = match &checked.user {
        Some(user) => format!("the API server knows you as {}", user_name::shown(session, user)),
        None if checked.is_reachable() => "not asked who you are".to_owned(),
        None => "does not answer from here, so the entry is made for the day it does".to_owned(),
    };
    session
        .host
        .say(&format!("cluster `{}`{version}: {known}", cluster.name));
}

fn show_identity(run: &LoginRun<'_>) {
    let described = run.identity.describe();
    run.session.host.say(&if run.identity.is_from_environment() {
        format!(
            "identity: {described}; kubectl needs the same variables. `kubectl cce-login profile set default` keeps them in the keyring instead"
        )
    } else {
        format!("identity: {described}")
    });
}

fn show_contexts(host: &Host, logins: &[Login], change: &Change) {
    let names: Vec<&str> = logins.iter().map(|login| login.context_name.as_str()).collect();
    let files: Vec<String> = change
        .files()
        .iter()
        .map(|file| format!("`{}`", file.display()))
        .collect();
    let files = files.join(", ");
    host.say(&match (names.as_slice(), files.is_empty()) {
        ([name], true) => format!("context `{name}` was up to date"),
        ([name], false) => format!("context `{name}` written to {files}"),
        (names, true) => format!("{} contexts were up to date: {}", names.len(), output::names(names)),
        (names, false) => format!("{} contexts written to {files}: {}", names.len(), output::names(names)),
    });
}

/// What our entries had, and have no more.
fn show_losses(host: &Host, change: &Change) {
    for Loss {
        user,
        removed,
        arguments,
    } in change.losses()
    {
        let user = sanitize(user);
        for argument in arguments {
            host.say(&format!("user `{user}`: {}", sanitize(argument)));
        }
        if !removed.is_empty() {
            host.say(&format!(
                "user `{user}`: kubectl would have used {} in place of this plugin; removed, and kept in the backup",
                output::names(removed)
            ));
        }
    }
}

/// Contexts that led to another endpoint of their cluster until now, because somebody has said so.
fn show_moved(run: &LoginRun<'_>, prepared: &[PreparedCluster<'_>]) {
    if run.plan.server == ServerChoice::Auto {
        return;
    }
    let is_moved = |prepared: &&PreparedCluster<'_>| {
        let before = prepared.setup.existing.and_then(|existing| existing.server.as_ref());
        !prepared.setup.is_second && before.is_some_and(|before| before.as_str() != prepared.server.url)
    };
    let moved: Vec<&str> = prepared
        .iter()
        .filter(is_moved)
        .map(|prepared| prepared.setup.context_name.as_str())
        .collect();
    if !moved.is_empty() {
        run.session.host.say(&format!(
            "another endpoint than before: {}; with `--context-name` a second one gets a context of its own",
            output::names(&moved)
        ));
    }
}

/// A command that shows that this context works; which one is current, if it is another.
fn show_command_to_try(run: &LoginRun<'_>, context: &str) {
    let host = run.session.host;
    let current = run.kubeconfig.current_context();
    let is_current = match run.plan.current_context {
        CurrentContext::Set => true,
        CurrentContext::Keep => current == Some(context),
        CurrentContext::IfNone => current.is_none_or(|current| current == context),
    };
    let file = run.plan.kubeconfig.as_ref();
    let file = file.map_or_else(String::new, |file| {
        format!(" --kubeconfig {}", shell_word(&file.to_string_lossy()))
    });
    if is_current {
        return host.say(&format!("try: kubectl{file} get namespaces"));
    }
    let context = shell_word(context);
    if let Some(current) = current {
        host.say(&format!(
            "the current context stays `{}`; switch with: kubectl{file} config use-context {context}",
            sanitize(current)
        ));
    }
    host.say(&format!("try: kubectl{file} --context {context} get namespaces"));
}
