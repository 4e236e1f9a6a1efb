//! Taking a profile's secret back: out of its own store, and out of the other one, which may have an older copy.

use crate::config::Profile;
use crate::identity;
use crate::ids::ProfileName;
use crate::session::Session;
use crate::store::{SecretPlace, StoreError, StoreFailure};
use crate::words::Word as _;

/// Whether [`forget_secret`] would succeed now: the stores are asked, and nothing is changed.
pub(crate) fn check_secret(session: &Session<'_>, name: &ProfileName, profile: &Profile) -> Result<(), StoreError> {
    for &place in SecretPlace::ALL {
        let lookup = session.secrets(place).get(&identity::secret_account(name));
        judge(profile, place, lookup.troubles)?;
    }
    Ok(())
}

/// Removes a profile's secret from every store that has it. One without a secret needs no store.
pub(crate) fn forget_secret(session: &Session<'_>, name: &ProfileName, profile: &Profile) -> Result<(), StoreError> {
    for &place in SecretPlace::ALL {
        let deleted = identity::forget_secret(&session.secrets(place), name);
        judge(profile, place, deleted.troubles.into_iter().chain(deleted.unavailable))?;
    }
    Ok(())
}

/// Where its secret should be, every trouble counts; elsewhere only one that says that something is there.
fn judge(
    profile: &Profile,
    place: SecretPlace,
    failures: impl IntoIterator<Item = StoreFailure>,
) -> Result<(), StoreError> {
    let is_at_home = has_secret(profile) && profile.secret_place() == place;
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
    profile.kind().is_none_or(|kind| kind.secret().is_some())
}
