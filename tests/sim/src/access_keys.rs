//! Access keys: permanent ones of users, temporary ones of everybody.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{pki, principal::Identity};

/// A permanent or, with a security token, a temporary access key.
#[derive(Clone, Debug, Serialize)]
pub struct AccessKey {
    /// AK.
    pub id: String,
    /// SK.
    pub secret: String,
    /// Present in temporary access keys: must be sent along.
    pub security_token: Option<String>,
}

/// Whose key it is, and how long.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) key: AccessKey,
    pub(crate) identity: Identity,
    /// Permanent keys have none.
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

impl Held {
    pub(crate) fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// Every access key.
#[derive(Debug, Default)]
pub(crate) struct AccessKeys(Vec<Held>);

impl AccessKeys {
    pub(crate) fn add_permanent(&mut self, user_id: &str) -> AccessKey {
        self.add("AK", None, Identity::User(user_id.to_owned()), None)
    }

    pub(crate) fn add_temporary(&mut self, identity: Identity, expires_at: DateTime<Utc>) -> AccessKey {
        // As long as real ones: it must fit, or be split, wherever a client keeps it.
        let security_token = pki::random_id().repeat(20);
        self.add("ST", Some(security_token), identity, Some(expires_at))
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Held> {
        self.0.iter().find(|held| held.key.id == id)
    }

    /// The first permanent access key of a user.
    pub(crate) fn of_user(&self, user_id: &str) -> Option<AccessKey> {
        let mut held = self.0.iter();
        let own = held.find(|held| held.expires_at.is_none() && held.identity.is_user(user_id));
        own.map(|held| held.key.clone())
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.0.retain(|held| held.key.id != id);
    }

    /// Every temporary access key ends now.
    pub(crate) fn expire_temporary(&mut self, now: DateTime<Utc>) {
        let temporary = self.0.iter_mut().filter(|held| held.expires_at.is_some());
        temporary.for_each(|held| held.expires_at = Some(now));
    }

    /// Secret keys and security tokens.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = String> {
        let keys = self.0.iter().map(|held| &held.key);
        keys.flat_map(|key| std::iter::once(key.secret.clone()).chain(key.security_token.clone()))
    }

    fn add(
        &mut self,
        prefix: &str,
        security_token: Option<String>,
        identity: Identity,
        expires_at: Option<DateTime<Utc>>,
    ) -> AccessKey {
        // Twenty and forty characters, as real ones have.
        let digits = pki::random_id().to_uppercase();
        let key = AccessKey {
            id: format!("{prefix}{}", digits.get(..18).unwrap_or_default()),
            secret: pki::hex(&pki::random_bytes::<20>()),
            security_token,
        };
        self.0.push(Held {
            key: key.clone(),
            identity,
            expires_at,
        });
        key
    }
}
