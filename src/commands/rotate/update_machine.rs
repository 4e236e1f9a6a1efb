//! After a rotation: what this machine has of the cluster is void, its kubeconfig entries follow, and a new certificate is tried.

use crate::cache::{CacheKey, index};
use crate::cli::GlobalArgs;
use crate::contexts;
use crate::contexts::refresh::{Refresh, refresh_contexts};
use crate::credential::forget::{NotForgotten, forget, in_all};
use crate::credential::shared;
use crate::discovery::targets::{self, Target};
use crate::error::{Exit, Explain, Result};
use crate::plan::{ContextsPlan, Selection};
use crate::session::Session;
use std::path::PathBuf;
use std::time::Duration;

/// How long the API server has to come back.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is left of the old certificates.
#[derive(Debug, thiserror::Error)]
#[error("the rotation is done, but an old certificate is not forgotten")]
struct NotUpdated(#[source] NotForgotten);

impl Explain for NotUpdated {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        Some("make the store available (unlock the keyring), then run `kubectl cce-login logout`".to_owned())
    }
}

/// Drops every certificate of the cluster, renews every context of ours that leads to it, and says what others must do.
pub(super) fn update_machine(
    session: &Session<'_>,
    global: &GlobalArgs,
    site: &Target,
    kubeconfig: Option<PathBuf>,
    is_for_all: bool,
) -> Result<()> {
    let notes = index::all(&session.directories).into_iter();
    let cluster_id = site.at.cluster_id.as_str();
    let pin = site.identity.identity_argument();
    let notes: Vec<_> = notes.filter(|(_, note)| note.cluster_id == cluster_id).collect();
    let own = notes.iter().filter(|(_, note)| note.pin == pin);
    let keys: Vec<CacheKey> = own.map(|(key, _)| key.clone()).collect();
    let forgotten = in_all(&notes, |(key, note)| forget(session, key, Some(note)));
    let mut voided = Ok(());
    let request = site.request();
    for key in keys.iter().chain([&request.key()]) {
        voided = voided.and(shared::void(session, &request.sharing(), key).map(drop));
    }
    let plan = ContextsPlan {
        selection: Selection::All,
        kubeconfig,
    };
    let kubeconfig = contexts::load(session.host, plan.kubeconfig.clone())?;
    let ours = targets::contexts_of(&kubeconfig, &site.at);
    let how = Refresh {
        trial: Some(session.deadline.at_most(PATIENCE)),
        ..Refresh::NEW
    };
    let renewed = refresh_contexts(session, global, &kubeconfig, &ours, how);
    if is_for_all {
        session
            .host
            .say("everybody else who uses this cluster must run: kubectl cce-login refresh");
    }
    renewed?.conclude(session.host, ours.len(), "contexts failed")?;
    forgotten.map_err(NotUpdated)?;
    voided
}
