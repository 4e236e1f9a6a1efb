//! What a profile's removal leaves without an identity: contexts that are pinned to it, profiles that assume their agency with it.

use crate::cli::ProfileRemoveArgs;
use crate::cli::command_line::CommandLine;
use crate::config::Config;
use crate::contexts;
use crate::error::Result;
use crate::identity;
use crate::ids::ProfileName;
use crate::output;
use crate::session::Session;

/// Names what depends on the profile; `others` are the other profiles. At a terminal a person agrees, or nothing is removed.
pub(super) fn is_agreed(
    session: &Session<'_>,
    args: &ProfileRemoveArgs,
    name: &ProfileName,
    others: &Config,
) -> Result<bool> {
    let host = session.host;
    // A kubeconfig that cannot be read does not keep a secret here.
    let kubeconfig = contexts::load(host, None).ok();
    let pin = identity::profile_pin(name);
    let ours = kubeconfig.iter().flat_map(crate::kubeconfig::Kubeconfig::ours);
    let pinned: Vec<&str> = ours
        .filter(|context| contexts::is_pinned_to(context, &pin))
        .map(|context| context.name)
        .collect();
    let is_on_it = |base: &Option<String>| base.as_deref() == Some(name.as_str());
    let on_it = others
        .profiles
        .iter()
        .filter(|(_, other)| is_on_it(&other.base_profile));
    let on_it: Vec<&str> = on_it.map(|(other, _)| other.as_str()).collect();
    if !pinned.is_empty() {
        let mut line = CommandLine::new("logout");
        for context in &pinned {
            line.flag("context", context);
        }
        line.switch("remove-contexts");
        host.say(&format!(
            "these contexts sign in with profile `{name}`: {}; `{}` takes them out",
            output::names(&pinned),
            line.line()
        ));
    }
    if !on_it.is_empty() {
        host.say(&format!(
            "these profiles assume their agency with it: {}",
            output::names(&on_it)
        ));
    }
    let is_free = pinned.is_empty() && on_it.is_empty();
    if is_free || args.confirm.yes || !session.is_interactive {
        return Ok(true);
    }
    let is_agreed = host.confirm_explicitly(&format!("Remove profile `{name}` all the same?"))?;
    if !is_agreed {
        host.say("nothing is removed");
    }
    Ok(is_agreed)
}
