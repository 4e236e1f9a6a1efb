//! Whether kubectl can use what a login has written: by client-go's rules, and asked itself where there is one.

use crate::commands::login::prepare::PreparedCluster;
use crate::commands::login::setup::LoginRun;
use crate::contexts;
use crate::error::Result;
use crate::host::programs::{self, COMMAND};
use crate::kubeconfig::{Current, Login};
use crate::kubectl::asked::{self, KubectlQuestion};
use crate::kubectl::rules::{self, Unusable};

/// What kubectl makes of it.
pub(in crate::commands::login) enum Usability {
    /// As far as it could be found out.
    Usable,
    /// There is a kubectl, and it would not find us.
    PluginNotFound,
    Unusable(Unusable),
}

/// The login that is shown to work: the one that becomes current, else the first.
pub(in crate::commands::login) fn to_try(logins: &[Login]) -> Option<&Login> {
    let chosen = logins.iter().find(|login| login.current != Current::Keep);
    chosen.or(logins.first())
}

/// Asks about the context that is proposed to be tried.
pub(in crate::commands::login) fn check(
    run: &LoginRun<'_>,
    prepared: &[PreparedCluster<'_>],
    logins: &[Login],
) -> Result<Usability> {
    let host = run.session.host;
    let Some(login) = to_try(logins) else {
        return Ok(Usability::Usable);
    };
    let file = run.plan.kubeconfig.as_deref();
    let kubeconfig = contexts::load_or_new(host, run.plan.kubeconfig.clone())?;
    let question = KubectlQuestion {
        host,
        file,
        deadline: run.session.deadline,
    };
    if let Some(refused) = asked::refused_file(run.kubectl(), question, &kubeconfig) {
        return Ok(Usability::Unusable(refused));
    }
    let ours = kubeconfig.ours();
    let Some(context) = ours.iter().find(|context| context.name == login.context_name) else {
        return Ok(Usability::Usable);
    };
    if let Some(refused) = rules::refused_entry(&kubeconfig, context) {
        return Ok(Usability::Unusable(refused));
    }
    let Some(kubectl) = run.kubectl() else {
        return Ok(Usability::Usable);
    };
    if !context.command.contains(['/', '\\']) && programs::find(host, COMMAND).next().is_none() {
        return Ok(Usability::PluginNotFound);
    }
    let of_context = |prepared: &&PreparedCluster<'_>| prepared.setup.context_name == login.context_name;
    let answers = prepared.iter().find(of_context).is_some_and(|prepared| {
        // One that is kept nowhere would be fetched again for this.
        let kept = prepared
            .checked
            .as_ref()
            .is_some_and(|checked| !checked.obtained.kept_in.is_empty());
        kept && prepared.answers()
    });
    if !run.plan.is_checked || !answers {
        return Ok(Usability::Usable);
    }
    let refused = asked::no_answer(kubectl, question, context);
    Ok(refused.map_or(Usability::Usable, Usability::Unusable))
}
