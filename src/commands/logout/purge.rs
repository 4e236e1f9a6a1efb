//! `logout --all --purge`: nothing of this program stays on this machine but the program itself and what a kubeconfig says.

use crate::account::sign_off;
use crate::cache::index;
use crate::cli::ConfirmArgs;
use crate::config::Config;
use crate::credential::forget::{forget, forget_sign_ins};
use crate::error::{Exit, Explain, Result};
use crate::identity;
use crate::ids::ProfileName;
use crate::kubectl::completer;
use crate::output::confirm;
use crate::session::Session;
use crate::sign_in::kept;
use std::io;
use std::path::{Path, PathBuf};

/// What is still there.
#[derive(Debug, thiserror::Error)]
enum PurgeError {
    #[error("{what} could not be deleted everywhere, so nothing else was removed: {reason}")]
    Left { what: String, reason: String },
    #[error("cannot remove `{}`", path.display())]
    Directory { path: PathBuf, source: io::Error },
}

impl Explain for PurgeError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Left { .. } => "make the store available (unlock the keyring) and run the command again",
                Self::Directory { .. } => "remove it by hand",
            }
            .to_owned(),
        )
    }
}

/// Before anything is forgotten: says what goes, and lets a person agree.
pub(super) fn agree(session: &Session<'_>, args: &ConfirmArgs) -> Result<()> {
    confirm::check(session, args)?;
    let host = session.host;
    let profiles: Vec<String> = Config::load(&session.directories)?.profiles.into_keys().collect();
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

/// Removes everything, first from the stores: what says where to look for it goes last.
pub(super) fn purge(session: &Session<'_>) -> Result<()> {
    let directories = &session.directories;
    let left = |what: &str, reasons: Vec<String>| match reasons.into_iter().next() {
        None => Ok(()),
        Some(reason) => Err(PurgeError::Left {
            what: what.to_owned(),
            reason,
        }),
    };
    for (key, note) in index::all(directories) {
        left("a certificate", forget(session, &key, Some(&note)))?;
    }
    for (_, note) in kept::notes(directories) {
        left("a token", forget_sign_ins(session, &note.pin))?;
    }
    let profiles = Config::load(directories)?.profiles;
    let names: Vec<&str> = profiles.keys().map(String::as_str).collect();
    left("a sign-in", sign_off::sign_off(session, &names).into_iter().collect())?;
    for (name, profile) in profiles {
        let Ok(name) = ProfileName::parse(&name) else { continue };
        let deleted = identity::forget_secret(&session.secrets(profile.secret_store.as_deref()), &name);
        let troubles = deleted.troubles.iter().chain(&deleted.unavailable);
        let reasons = troubles.map(|trouble| trouble.error.to_string()).collect();
        left(&format!("the secret of profile `{name}`"), reasons)?;
    }
    let own = [
        &directories.config,
        &directories.cache,
        &directories.runtime,
        &directories.state,
    ];
    for directory in own.into_iter().flatten() {
        remove(directory)?;
    }
    completer::remove(session.host);
    session
        .host
        .say("profiles, secrets, state and completion are removed; `kubectl cce-login` sets up anew");
    Ok(())
}

fn remove(directory: &Path) -> std::result::Result<(), PurgeError> {
    match std::fs::remove_dir_all(directory) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(PurgeError::Directory {
            path: directory.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}
