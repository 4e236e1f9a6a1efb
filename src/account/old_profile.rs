//! Taking a profile's secret back: out of its own store, and out of the other one, which may have an older copy.

use crate::config::Profile;
use crate::identity;
use crate::ids::ProfileName;
use crate::plan::ProfileKind;
use crate::session::Session;
use crate::store::{StoreError, StoreFailure};

/// The stores a secret can be in, as `secret_store` names them.
const STORES: [Option<&str>; 2] = [None, Some("file")];

/// Whether [`forget_secret`] would succeed now: the stores are asked, and nothing is changed.
pub(crate) fn check_secret(session: &Session<'_>, name: &ProfileName, profile: &Profile) -> Result<(), StoreError> {
    for kind in STORES {
        let lookup = session.secrets(kind).get(&identity::secret_account(name));
        judge(profile, kind, lookup.troubles)?;
    }
    Ok(())
}

/// Removes a profile's secret from every store that has it. One without a secret needs no store.
pub(crate) fn forget_secret(session: &Session<'_>, name: &ProfileName, profile: &Profile) -> Result<(), StoreError> {
    for kind in STORES {
        let deleted = identity::forget_secret(&session.secrets(kind), name);
        judge(profile, kind, deleted.troubles.into_iter().chain(deleted.unavailable))?;
    }
    Ok(())
}

/// Where its secret should be, every trouble counts; elsewhere only one that says that something is there.
fn judge(
    profile: &Profile,
    kind: Option<&str>,
    failures: impl IntoIterator<Item = StoreFailure>,
) -> Result<(), StoreError> {
    let is_at_home = has_secret(profile) && profile.secret_store.as_deref() == kind;
    let counts = |failure: &StoreFailure| {
        let is_out_of_reach = matches!(
            failure.error,
            StoreError::Unavailable { .. } | StoreError::TimedOut { .. } | StoreError::Skipped { .. }
        );
        is_at_home || !is_out_of_reach
    };
    match failures.into_iter().find(counts) {
        None => Ok(()),
        Some(failure) => Err(failure.error),
    }
}

/// Whether a profile of its kind has a secret that is kept.
pub(crate) fn has_secret(profile: &Profile) -> bool {
    ProfileKind::parse(&profile.kind).is_none_or(|kind| kind.secret().is_some())
}
