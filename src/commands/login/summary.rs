//! What a login did, in a few lines on stderr, ending with the command to try.

use crate::commands::login::checked::CheckedCluster;
use crate::commands::login::prepare::PreparedCluster;
use crate::commands::login::setup::{ClusterSetup, LoginRun};
use crate::credential::describe;
use crate::host::Host;
use crate::kubeconfig::{Change, Login};
use crate::output;
use crate::plan::{CurrentContext, Destination};
use crate::sanitize::sanitize;

/// Writes the summary; of what is only shown on stdout, what it lacks.
pub(super) fn show(run: &LoginRun<'_>, prepared: &[PreparedCluster<'_>], logins: &[Login], change: &Change) {
    let host = run.session.host;
    let is_written = run.plan.destination == Destination::Write;
    let checked = prepared
        .iter()
        .find_map(|prepared| Some((&prepared.setup, prepared.checked.as_ref()?)));
    if let Some((setup, checked)) = checked.filter(|_| is_written) {
        show_cluster(host, setup, checked);
        let certificate = describe::certificate(host, &checked.obtained, setup.certificate.lifetime);
        host.say(&format!("certificate: {certificate}"));
    }
    show_waiting(host, logins);
    let Some(first) = logins.first().filter(|_| is_written) else {
        return;
    };
    show_identity(run);
    show_contexts(host, logins, change);
    if logins.iter().any(|login| login.cluster.insecure_skip_tls_verify) {
        host.say("warning: the API server is not verified: anybody on the way can read and change what you do");
    }
    host.say(&format!("try: {}", command_to_try(run, &first.context_name)));
}

/// How many clusters have nobody to trust yet.
fn show_waiting(host: &Host, logins: &[Login]) {
    let waiting = logins.iter().filter(|login| {
        let entry = &login.cluster;
        entry.certificate_authority_data.is_none() && !entry.insecure_skip_tls_verify
    });
    let (verb, what) = match waiting.count() {
        0 => return,
        1 => ("waits", "1 cluster".to_owned()),
        count => ("wait", format!("{count} clusters")),
    };
    host.say(&format!(
        "{what} {verb} for certificate and CA until kubectl is first used there, and that command has to be run twice: CCE grants about \
         ten certificates a minute. `kubectl cce-login refresh --all` takes them now, at that pace"
    ));
}

fn show_cluster(host: &Host, setup: &ClusterSetup<'_>, checked: &CheckedCluster) {
    let cluster = &setup.located.cluster;
    let version = if cluster.version.is_empty() {
        String::new()
    } else {
        format!(" ({})", sanitize(&cluster.version))
    };
    let known = match &checked.user {
        Some(user) => format!("the API server knows you as `{}`", sanitize(user)),
        None => "not asked who you are".to_owned(),
    };
    host.say(&format!("cluster `{}`{version}: {known}", cluster.name));
}

fn show_identity(run: &LoginRun<'_>) {
    let described = run.identity.describe();
    run.session.host.say(&if run.identity.is_from_environment() {
        format!(
            "identity: {described}; kubectl needs the same variables. `kubectl cce-login profile set` keeps them in the keyring instead"
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

/// A command that shows that this context works.
fn command_to_try(run: &LoginRun<'_>, context: &str) -> String {
    let current = run.kubeconfig.current_context();
    let is_current = match run.plan.current_context {
        CurrentContext::Set => true,
        CurrentContext::Keep => current == Some(context),
        CurrentContext::IfNone => current.is_none_or(|current| current == context),
    };
    let file = run.plan.kubeconfig.as_ref();
    let file = file.map(|file| format!(" --kubeconfig {}", file.display()));
    let context = (!is_current).then(|| format!(" --context {context}"));
    format!(
        "kubectl{}{} get namespaces",
        file.unwrap_or_default(),
        context.unwrap_or_default()
    )
}
