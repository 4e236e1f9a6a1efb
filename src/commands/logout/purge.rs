//! `logout --all --purge`: nothing of this program stays on this machine but the program itself and what a kubeconfig says.

use super::own_files;
use crate::account::{old_profile, sign_off};
use crate::cache::index;
use crate::cli::command_line::CommandLine;
use crate::cli::{ConfirmArgs, ContextArgs};
use crate::config::{Config, Profile};
use crate::credential::forget::{self, NotForgotten, forget, forget_sign_ins, in_all};
use crate::error::{Exit, Explain, Result};
use crate::host::Host;
use crate::ids::ProfileName;
use crate::kubeconfig::OurContext;
use crate::kubectl::completer;
use crate::output::{self, confirm};
use crate::plan::PlanError;
use crate::session::Session;
use crate::sign_in::kept;
use crate::store::StoreError;
use std::io;
use std::path::PathBuf;

/// What is still there.
#[derive(Debug, thiserror::Error)]
enum PurgeError {
    #[error("nothing has been removed, because {what} cannot be")]
    Impossible { what: String, source: StoreError },
    #[error("files and profiles stay, because not everything is forgotten")]
    Left(#[source] NotForgotten),
    #[error("files and profiles stay, because the secret of profile `{name}` cannot be removed")]
    SecretLeft { name: ProfileName, source: StoreError },
    #[error("cannot remove what is ours in `{}`", path.display())]
    Directory { path: PathBuf, source: io::Error },
}

impl Explain for PurgeError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        let cure = match self {
            Self::Impossible { source, .. } | Self::SecretLeft { source, .. } => forget::cure(source),
            Self::Left(source) => return source.hint(),
            Self::Directory { .. } => "remove it by hand",
        };
        Some(cure.to_owned())
    }
}

/// An error unless everything is meant: what is purged belongs to no context.
pub(super) fn check_scope(args: &ContextArgs) -> Result<()> {
    if args.all {
        return Ok(());
    }
    Err(PlanError::Invalid {
        origin: "--purge".to_owned(),
        problem: "it is about everything on this machine, not about some contexts".to_owned(),
        cure: "`kubectl cce-login logout --all --purge --remove-contexts` removes everything, the contexts in the kubeconfig too"
            .to_owned(),
    }
    .into())
}

/// Names the contexts that stay, and the command that takes them out.
pub(super) fn say_what_is_left(host: &Host, args: &ContextArgs, left: &[OurContext<'_>]) {
    if left.is_empty() {
        return;
    }
    let mut line = CommandLine::new("logout");
    line.switch("all");
    line.switch("remove-contexts");
    if let Some(file) = &args.kubeconfig {
        line.flag("kubeconfig", file);
    }
    let names: Vec<&str> = left.iter().map(|context| context.name).collect();
    host.say(&format!(
        "still in the kubeconfig: {} {}; `{}` takes {} out",
        if names.len() == 1 { "context" } else { "contexts" },
        output::names(&names),
        line.line(),
        if names.len() == 1 { "it" } else { "them" }
    ));
}

/// Before anything is forgotten: sees that it can be, says what goes, and lets a person agree.
pub(super) fn agree(session: &Session<'_>, args: &ConfirmArgs) -> Result<()> {
    confirm::check(session, args)?;
    check(session)?;
    let host = session.host;
    let profiles: Vec<String> = Config::load(&session.directories, session.host.env.inputs())?
        .profiles
        .into_keys()
        .collect();
    if profiles.is_empty() {
        host.say("certificates, tokens and state of this machine go; there are no profiles");
    } else {
        host.say(&format!(
            "certificates, tokens and state of this machine go, and with them the profiles and their secrets: {}",
            profiles.join(", ")
        ));
    }
    confirm::ask(session, args, "`purge`", "purge")
}

fn check(session: &Session<'_>) -> Result<()> {
    let impossible = |what: String| move |source| PurgeError::Impossible { what, source };
    forget::check(session).map_err(impossible("what is kept".to_owned()))?;
    for (name, profile) in profiles(session)? {
        let secret = format!("the secret of profile `{name}`");
        old_profile::check_secret(session, &name, &profile).map_err(impossible(secret))?;
    }
    Ok(())
}

fn profiles(session: &Session<'_>) -> Result<Vec<(ProfileName, Profile)>> {
    let all = Config::load(&session.directories, session.host.env.inputs())?
        .profiles
        .into_iter();
    Ok(all
        .filter_map(|(name, profile)| Some((ProfileName::parse(&name).ok()?, profile)))
        .collect())
}

/// Removes everything, first from the stores: what says where to look for it goes last.
pub(super) fn purge(session: &Session<'_>) -> Result<()> {
    let directories = &session.directories;
    let certificates = index::all(directories).into_iter();
    in_all(certificates, |(key, note)| forget(session, &key, Some(&note))).map_err(PurgeError::Left)?;
    let tokens = kept::notes(directories).into_iter();
    in_all(tokens, |(_, note)| forget_sign_ins(session, &note.pin)).map_err(PurgeError::Left)?;
    let profiles = profiles(session)?;
    let names: Vec<&str> = profiles.iter().map(|(name, _)| name.as_str()).collect();
    if let Some(reason) = sign_off::sign_off(session, &names) {
        return Err(PurgeError::Left(NotForgotten::SignOn(reason)).into());
    }
    for (name, profile) in profiles {
        old_profile::forget_secret(session, &name, &profile)
            .map_err(|source| PurgeError::SecretLeft { name, source })?;
    }
    remove_own_files(session)?;
    completer::remove(session.host);
    session
        .host
        .say("profiles, secrets, state and completion are removed; `kubectl cce-login` sets up anew");
    Ok(())
}

/// Removes our files from our directories, and says what else is there. Somebody may have named a directory that is not ours alone.
fn remove_own_files(session: &Session<'_>) -> Result<()> {
    let directories = &session.directories;
    let own = [
        &directories.config,
        &directories.cache,
        &directories.runtime,
        &directories.state,
    ];
    for path in own.into_iter().flatten() {
        let strangers = own_files::remove(path).map_err(|source| PurgeError::Directory {
            path: path.clone(),
            source,
        })?;
        if let Some(strangers) = own_files::listed(&strangers) {
            let path = path.display();
            session
                .host
                .say(&format!("`{path}` stays, with what is not ours in it: {strangers}"));
        }
    }
    Ok(())
}
