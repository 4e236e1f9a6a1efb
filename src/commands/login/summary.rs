//! What a login did, in a few lines on stderr, ending with the command to try.

use crate::commands::login::setup::{ClusterSetup, LoginRun};
use crate::credential::ObtainedCertificate;
use crate::credential::describe;
use crate::host::Host;
use crate::kubeconfig::{Change, Login};
use crate::output;
use crate::plan::{CurrentContext, Destination};
use crate::sanitize::sanitize;

/// What came out.
pub(super) struct Outcome<'a> {
    pub(super) obtained: &'a ObtainedCertificate,
    /// Who we are to the cluster, if it was asked.
    pub(super) user: Option<&'a str>,
    pub(super) login: &'a Login,
    pub(super) change: &'a Change,
}

/// Writes the summary.
pub(super) fn show(ground: &LoginRun<'_>, setup: &ClusterSetup<'_>, outcome: &Outcome<'_>) {
    let host = ground.session.host;
    show_cluster(host, setup, outcome.user);
    let certificate = describe::certificate(host, outcome.obtained, setup.certificate.lifetime);
    host.say(&format!("certificate: {certificate}"));
    show_identity(ground);
    let context = &outcome.login.context_name;
    match files(outcome.change) {
        None => host.say(&format!("context `{context}` was up to date")),
        Some(files) => host.say(&format!("context `{context}` written to {files}")),
    }
    if setup.is_unverified() {
        warn_of_unverified(host);
    }
    host.say(&format!("try: {}", command_to_try(ground, context)));
}

/// What came out of many clusters.
pub(super) struct ManyOutcome<'a> {
    /// The one that has its certificate, and who we are to it if it was asked.
    pub(super) first: Option<(&'a ClusterSetup<'a>, &'a ObtainedCertificate, Option<&'a str>)>,
    /// Everything that was written.
    pub(super) logins: &'a [Login],
    /// How many of them wait for their first certificate.
    pub(super) without_ca: usize,
    pub(super) change: &'a Change,
}

/// Writes the summary of many clusters; of what is only shown on stdout, what it lacks.
pub(super) fn show_many(ground: &LoginRun<'_>, outcome: &ManyOutcome<'_>) {
    let host = ground.session.host;
    let is_written = ground.plan.destination == Destination::Write;
    if let Some((setup, obtained, user)) = outcome.first.filter(|_| is_written) {
        show_cluster(host, setup, user);
        let certificate = describe::certificate(host, obtained, setup.certificate.lifetime);
        host.say(&format!("certificate: {certificate}"));
    }
    if outcome.without_ca > 0 {
        let (verb, what) = match outcome.without_ca {
            1 => ("waits", "1 cluster".to_owned()),
            count => ("wait", format!("{count} clusters")),
        };
        host.say(&format!(
            "{what} {verb} for certificate and CA until kubectl is first used there, and that command has to be run twice: CCE grants about \
             ten certificates a minute. `kubectl cce-login refresh --all` takes them now, at that pace"
        ));
    }
    let Some(login) = outcome.logins.first().filter(|_| is_written) else {
        return;
    };
    show_identity(ground);
    let names: Vec<&str> = outcome.logins.iter().map(|login| login.context_name.as_str()).collect();
    let (count, names) = (names.len(), output::names(&names));
    match files(outcome.change) {
        None => host.say(&format!("{count} contexts were up to date: {names}")),
        Some(files) => host.say(&format!("{count} contexts written to {files}: {names}")),
    }
    if outcome
        .logins
        .iter()
        .any(|login| login.cluster.insecure_skip_tls_verify)
    {
        warn_of_unverified(host);
    }
    host.say(&format!("try: {}", command_to_try(ground, &login.context_name)));
}

fn show_cluster(host: &Host, setup: &ClusterSetup<'_>, user: Option<&str>) {
    let cluster = &setup.site.cluster;
    let version = if cluster.version.is_empty() {
        String::new()
    } else {
        format!(" ({})", sanitize(&cluster.version))
    };
    let known = match user {
        Some(user) => format!("the API server knows you as `{}`", sanitize(user)),
        None => "not asked who you are".to_owned(),
    };
    host.say(&format!("cluster `{}`{version}: {known}", cluster.name));
}

fn show_identity(ground: &LoginRun<'_>) {
    let described = ground.identity.describe();
    ground.session.host.say(&if ground.identity.is_from_environment() {
        format!(
            "identity: {described}; kubectl needs the same variables. `kubectl cce-login profile set` keeps them in the keyring instead"
        )
    } else {
        format!("identity: {described}")
    });
}

fn warn_of_unverified(host: &Host) {
    host.say("warning: the API server is not verified: anybody on the way can read and change what you do");
}

/// The files that change; `None` if there are none.
fn files(change: &Change) -> Option<String> {
    let files: Vec<String> = change
        .files()
        .iter()
        .map(|file| format!("`{}`", file.display()))
        .collect();
    (!files.is_empty()).then(|| files.join(", "))
}

/// A command that shows that this context works.
fn command_to_try(ground: &LoginRun<'_>, context: &str) -> String {
    let current = ground.kubeconfig.current_context();
    let is_current = match ground.plan.current_context {
        CurrentContext::Set => true,
        CurrentContext::Keep => current == Some(context),
        CurrentContext::IfNone => current.is_none_or(|current| current == context),
    };
    let file = ground
        .plan
        .kubeconfig
        .as_ref()
        .map(|file| format!(" --kubeconfig {}", file.display()));
    let context = (!is_current).then(|| format!(" --context {context}"));
    format!(
        "kubectl{}{} get namespaces",
        file.unwrap_or_default(),
        context.unwrap_or_default()
    )
}
