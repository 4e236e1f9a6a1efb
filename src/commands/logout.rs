//! `logout`: forgets certificates on this machine, and says who can sign in again all the same.

mod own_files;
mod purge;

use crate::account::sign_off;
use crate::cache::index::{self, CertificateRecord};
use crate::cli::{GlobalArgs, IdentityArgs, LogoutArgs};
use crate::contexts::{self, ResolvedContext, is_about};
use crate::credential::forget::{NotForgotten, forget, forget_sign_ins, in_all};
use crate::credential::request::Requester;
use crate::credential::shared;
use crate::discovery::targets;
use crate::error::Result;
use crate::host::{Directories, Host};
use crate::identity::Identity;
use crate::kubeconfig::OurContext;
use crate::output::confirm;
use crate::output::some_failed::Failures;
use crate::plan::{self, ContextsPlan, RunSettings, Verification};
use crate::revocation::{self, Revocation, owner};
use crate::session::Session;

/// Forgets the certificates of the chosen contexts.
pub(super) fn run(args: &LogoutArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    if args.purge {
        purge::check_scope(&args.contexts)?;
    }
    let plan = ContextsPlan::new(&args.contexts);
    let kubeconfig = contexts::load(host, plan.kubeconfig.clone())?;
    let chosen = if args.purge {
        kubeconfig.ours() // what is to be purged may be without any context
    } else {
        contexts::select(&kubeconfig, &plan.selection)?
    };
    let run = RunSettings::new(global, &host.env, host.terminal)?;
    let mut session = Session::new(host, Directories::of(&host.env), run, global.verbose);

    if args.purge {
        purge::agree(&session, &args.confirm)?;
    }
    let mut failures = Failures::of("context");
    if args.revoke {
        failures = revoke(&mut session, global, args, &chosen)?;
    }
    for context in &chosen {
        forget_context(&session, global, args, context, &mut failures);
    }
    if args.remove_contexts {
        let names: Vec<&str> = chosen.iter().map(|context| context.name).collect();
        let change = kubeconfig.remove(&names)?;
        change.write()?;
        for file in change.files() {
            host.say(&format!("contexts removed from `{}`", file.display()));
        }
    }
    let pins = pins(&chosen);
    let tokens = forget_unused_sign_ins(&session, &chosen, &pins);
    let tokens = tokens.and(end_sign_ons(&session, &pins));
    if !args.purge {
        say_who_can_sign_in(&session, &pins);
    }
    failures.conclude(host, chosen.len(), "contexts failed")?;
    tokens?;
    if args.purge {
        purge::purge(&session)?;
        let left = if args.remove_contexts { &[] } else { chosen.as_slice() };
        purge::say_what_is_left(host, &args.contexts, left);
    }
    Ok(())
}

/// Forgets what this machine has for one context, and says so; where it is asked for, what others share is void, too.
fn forget_context(
    session: &Session<'_>,
    global: &GlobalArgs,
    args: &LogoutArgs,
    context: &OurContext<'_>,
    failures: &mut Failures,
) {
    let host = session.host;
    let name = context.name;
    if args.shared {
        match void_shared(session, global, context) {
            Ok(true) => host.say(&format!(
                "context `{name}`: the certificate that other machines share is void"
            )),
            Ok(false) => host.say(&format!("context `{name}`: no certificate is shared")),
            Err(error) => failures.add(name, error),
        }
    }
    match forget_certificates(session, global, context) {
        Ok(0) if args.revoke => {} // forgotten already
        Ok(0) => host.say(&format!("context `{name}`: there was no certificate")),
        Ok(_) => host.say(&format!("context `{name}`: the certificate is forgotten")),
        Err(_) if failures.has(name) => {}
        Err(left) => failures.add(name, left.into()),
    }
}

/// Revokes before anything is forgotten, so that the API server can be asked whether it worked. Returns the contexts where it did not.
fn revoke(
    session: &mut Session<'_>,
    global: &GlobalArgs,
    args: &LogoutArgs,
    chosen: &[OurContext<'_>],
) -> Result<Failures> {
    confirm::check(session, &args.confirm)?;
    let found = targets::of_contexts(session, global, chosen);
    let mut failures = found.failures;
    let mut revocations = Vec::new();
    for site in &found.all {
        let own = owner::own(session, site).and_then(|holder| Revocation::new(site, holder, true));
        match own {
            Ok(revocation) => revocations.push(revocation),
            Err(error) => failures.add(&site.label(), error),
        }
    }
    revocation::confirm(session, &args.confirm, &revocations)?;
    session.allow_for(revocations.len());
    for revocation in &revocations {
        if let Err(error) = revocation::carry_out(session, revocation, Verification::IfPossible) {
            failures.add(&revocation.label(), error);
        }
    }
    Ok(failures)
}

/// Every machine that shares this context's certificate needs another one.
fn void_shared(session: &Session<'_>, global: &GlobalArgs, context: &OurContext<'_>) -> Result<bool> {
    let meant = ResolvedContext::by(session, global, context)?;
    let request = meant.request(Requester::Person);
    shared::void(session, &request.sharing(), &request.key())
}

/// Everything that was fetched for this cluster with this pin, whatever its lifetime, and what is being fetched for the first time.
/// Returns how many certificates there were.
fn forget_certificates(
    session: &Session<'_>,
    global: &GlobalArgs,
    context: &OurContext<'_>,
) -> std::result::Result<usize, NotForgotten> {
    let notes = index::all(&session.directories);
    let own: Vec<_> = notes.into_iter().filter(|(_, note)| is_about(note, context)).collect();
    // An identity that cannot be found any more fetches nothing either.
    let on_its_way = ResolvedContext::by(session, global, context).map(|meant| meant.wanted().key());
    let on_its_way = on_its_way.ok().filter(|key| own.iter().all(|(noted, _)| noted != key));
    let known = own.iter().map(|(key, note)| (key, Some(note)));
    let all = known.chain(on_its_way.iter().map(|key| (key, None)));
    in_all(all, |(key, note)| forget(session, key, note))?;
    Ok(own.len())
}

/// The pins of the identities behind these contexts, each once.
fn pins<'a>(chosen: &[OurContext<'a>]) -> Vec<&'a str> {
    let mut pins: Vec<&str> = chosen
        .iter()
        .flat_map(|context| &context.args)
        .copied()
        .filter(|arg| arg.starts_with("--profile=") || arg.starts_with("--identity="))
        .collect();
    pins.sort_unstable();
    pins.dedup();
    pins
}

/// A token goes with the last certificate that it was good for.
fn forget_unused_sign_ins(
    session: &Session<'_>,
    chosen: &[OurContext<'_>],
    pins: &[&str],
) -> std::result::Result<(), NotForgotten> {
    let notes = index::all(&session.directories);
    let is_used = |note: &CertificateRecord| chosen.iter().all(|context| !is_about(note, context));
    let unused = pins
        .iter()
        .filter(|pin| !notes.iter().any(|(_, note)| note.pin == **pin && is_used(note)));
    in_all(unused, |pin| forget_sign_ins(session, pin))
}

/// People's sign-ins end, here and where they have signed in, once no other profile needs them.
fn end_sign_ons(session: &Session<'_>, pins: &[&str]) -> std::result::Result<(), NotForgotten> {
    let names: Vec<&str> = pins.iter().filter_map(|pin| pin.strip_prefix("--profile=")).collect();
    sign_off::sign_off(session, &names).map_or(Ok(()), |reason| Err(NotForgotten::SignOn(reason)))
}

/// The identity is still there: its profile may be gone, its variables unset.
fn is_configured(session: &Session<'_>, pin: &str) -> bool {
    let (profile, identity) = match pin.split_once('=') {
        Some(("--profile", name)) => (Some(name.to_owned()), None),
        Some((_, source)) => (None, Some(source.to_owned())),
        None => return true,
    };
    let env = &session.host.env;
    let pin = plan::pin(&IdentityArgs { profile, identity }, env).ok();
    pin.is_some_and(|pin| Identity::locate(&pin, env, &session.directories).is_ok())
}

/// Forgetting a certificate forgets no identity: the next kubectl call fetches a new one.
fn say_who_can_sign_in(session: &Session<'_>, pins: &[&str]) {
    for pin in pins.iter().filter(|pin| is_configured(session, pin)) {
        session.host.say(&match pin.split_once('=') {
            Some(("--profile", name)) if sign_off::needs_browser(session, name) => {
                format!("profile `{name}` asks for a sign-in in the browser again")
            }
            Some(("--profile", name)) => format!(
                "profile `{name}` can still sign in without asking; `kubectl cce-login profile remove {name}` takes that away"
            ),
            Some((_, source)) => format!("the identity source `{source}` can still sign in without asking"),
            None => continue,
        });
    }
}
