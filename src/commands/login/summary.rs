//! What a login did, in a few lines on stderr, ending with the command to try.

use super::Setup;
use crate::commands::obtain::Obtained;
use crate::commands::report;
use crate::commands::session::Session;
use crate::kubeconfig::{Change, Kubeconfig, Login};
use crate::plan::CurrentContext;
use crate::sanitize::sanitize;

/// What came out.
pub(super) struct Outcome<'a> {
    pub(super) obtained: &'a Obtained,
    /// Who we are to the cluster, if it was asked.
    pub(super) user: Option<&'a str>,
    pub(super) login: &'a Login,
    pub(super) change: &'a Change,
    /// As it was before.
    pub(super) kubeconfig: &'a Kubeconfig,
}

/// Writes the summary.
pub(super) fn show(session: &Session<'_>, setup: &Setup<'_>, outcome: &Outcome<'_>) {
    let say = |line: String| session.host.say(&line);
    let (cluster, login) = (setup.cluster, outcome.login);
    let version = if cluster.version.is_empty() {
        String::new()
    } else {
        format!(" ({})", sanitize(&cluster.version))
    };
    match outcome.user {
        Some(user) => say(format!(
            "cluster `{}`{version}: the API server knows you as `{}`",
            cluster.name,
            sanitize(user)
        )),
        None => say(format!("cluster `{}`{version}: not asked who you are", cluster.name)),
    }
    let certificate = report::certificate(session.host, outcome.obtained, setup.certificate.lifetime);
    say(format!("certificate: {certificate}"));
    if setup.identity.is_from_environment() {
        say(format!(
            "identity: {}; kubectl needs the same variables. `kubectl cce-login profile set` keeps them in the keyring instead",
            setup.identity.describe()
        ));
    } else {
        say(format!("identity: {}", setup.identity.describe()));
    }
    let files: Vec<String> = outcome
        .change
        .files()
        .iter()
        .map(|file| format!("`{}`", file.display()))
        .collect();
    match files.as_slice() {
        [] => say(format!("context `{}` was up to date", login.context_name)),
        files => say(format!(
            "context `{}` written to {}",
            login.context_name,
            files.join(", ")
        )),
    }
    if setup.is_unverified() {
        say("warning: the API server is not verified: anybody on the way can read and change what you do".to_owned());
    }
    say(format!("try: {}", command_to_try(setup, outcome)));
}

fn command_to_try(setup: &Setup<'_>, outcome: &Outcome<'_>) -> String {
    let context = &outcome.login.context_name;
    let current = outcome.kubeconfig.current_context();
    let is_current = match setup.plan.current_context {
        CurrentContext::Set => true,
        CurrentContext::Keep => current == Some(context),
        CurrentContext::IfNone => current.is_none_or(|current| current == context),
    };
    let file = setup
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
