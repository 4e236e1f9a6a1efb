//! The name beside the id: a certificate's CN is a user's id, and people know names.

use crate::huaweicloud::iam::{IamClient, IdAndName};
use crate::huaweicloud::observed;
use crate::identity::found::Principal;
use crate::ids::UserId;
use crate::sanitize::sanitize;
use crate::session::Session;
use crate::sign_in::SignIn;
use std::time::Duration;

/// The longest that a login waits for a name.
const PATIENCE: Duration = Duration::from_secs(3);
/// So much of an id tells it from others of one's own.
const SHOWN: usize = 5;

/// The user with this id as people know them, in a sentence: ``alice (143cb…)``, without a name the whole id.
pub(crate) fn shown(session: &Session<'_>, id: &str) -> String {
    match observed::user_name(&session.directories, id) {
        Some(_) => in_short(session, id),
        None => format!("`{}`", sanitize(id)),
    }
}

/// The same where there is little room: without a name `143cb…`.
pub(crate) fn in_short(session: &Session<'_>, id: &str) -> String {
    let name = observed::user_name(&session.directories, id);
    match (name, id.char_indices().nth(SHOWN)) {
        (Some(name), Some((end, _))) => {
            format!("{} ({}…)", sanitize(&name), sanitize(id.get(..end).unwrap_or_default()))
        }
        (Some(name), None) => format!("{} ({})", sanitize(&name), sanitize(id)),
        (None, Some((end, _))) => format!("{}…", sanitize(id.get(..end).unwrap_or_default())),
        (None, None) => sanitize(id),
    }
}

/// Finds out what the user that we are, with this id, is called; once and for all. Best effort: ids are good enough to go on.
pub(crate) fn learn(session: &Session<'_>, wanted: &SignIn<'_>, id: &str) {
    let Ok(user_id) = UserId::parse(id) else { return };
    if wanted.identity.principal_kind() != Principal::User || observed::user_name(&session.directories, id).is_some() {
        return;
    }
    let Ok(http) = session.cloud_http(wanted.cloud) else {
        return;
    };
    let endpoint = wanted.cloud.iam(wanted.region);
    let named = wanted
        .clone()
        .silent()
        .with_credentials_and_owner(session, |credentials, who| {
            if let Some(who) = who.filter(|who| who.user_id == id) {
                return Ok(Some(IdAndName {
                    id: who.user_id.clone(),
                    name: who.user.clone(),
                }));
            }
            let api = session.api(&http, credentials, session.deadline.at_most(PATIENCE));
            let iam = IamClient {
                api: &api,
                endpoint: &endpoint,
            };
            Ok(iam.user(&user_id))
        });
    if let Ok(Some(named)) = named
        && named.id == id
    {
        observed::remember_user(&session.directories, &named.id, &named.name);
    }
}
