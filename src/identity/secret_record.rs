//! A profile's secret as it is kept: together with what it is for. `config.toml` may come from anywhere (a repository, another user, a
//! variable); what it says otherwise than the record does not get the secret.

use super::IdentityError;
use super::home::own_domains;
use super::reading::malformed_source;
use crate::config::{Profile, ProfileKind};
use crate::huaweicloud::cloud::Cloud;
use crate::ids::{Endpoint, ProfileName};
use crate::sanitize::sanitize;
use crate::secret::{Secret, to_secret_bytes};
use crate::store::{Deleted, LayeredStore, SecretPlace, Stored};
use crate::words::Word as _;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version that is written; others are not read.
const VERSION: u32 = 1;

/// A secret, at hand or in a store.
#[derive(Debug, Clone)]
pub(crate) enum SecretRef {
    /// At hand.
    Inline(Secret<String>),
    /// In a store.
    Stored {
        /// Whose secret.
        profile: ProfileName,
        /// Where it is.
        place: SecretPlace,
        /// What it is wanted for.
        purpose: SecretPurpose,
    },
}

impl SecretRef {
    pub(crate) fn read(&self, secrets: &dyn Fn(SecretPlace) -> LayeredStore) -> Result<Secret<String>, IdentityError> {
        match self {
            Self::Inline(secret) => Ok(secret.clone()),
            Self::Stored {
                profile,
                place,
                purpose,
            } => read_secret(&secrets(*place), profile, purpose),
        }
    }
}

/// What a secret is for: its kind, whose it is, and where it may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SecretPurpose {
    /// The profile's kind: a secret of one kind is never used as another.
    kind: String,
    /// Whose it is, by the keys of `config.toml`.
    who: BTreeMap<String, String>,
    /// The endpoints that are named, by the keys of `config.toml`.
    endpoints: BTreeMap<String, String>,
    /// The domains of the cloud, where one is named.
    cloud: Vec<String>,
    /// The file of roots in place of the system's.
    roots: Option<String>,
}

impl SecretPurpose {
    /// What the secret of `profile` is for, as the profile says.
    pub(crate) fn of(profile: &Profile) -> Self {
        let key = |name: &str, value: &Option<String>| Some((name.to_owned(), value.clone()?));
        // The agency's account goes by the same key; it is not who the secret belongs to.
        let account = profile
            .domain
            .clone()
            .filter(|_| profile.kind() == Some(ProfileKind::Password));
        let who = [
            key("access_key_id", &profile.access_key_id),
            key("username", &profile.username),
            key("user_id", &profile.user_id),
            key("domain", &account),
            key("idp", &profile.idp),
            key("client_id", &profile.client_id),
        ];
        Self {
            kind: profile.kind.clone(),
            who: who.into_iter().flatten().collect(),
            endpoints: BTreeMap::new(),
            cloud: Vec::new(),
            roots: None,
        }
        .at(profile)
    }

    /// The same secret, used where `settings` say.
    #[must_use]
    pub(crate) fn at(self, settings: &Profile) -> Self {
        let endpoint = |name: &str, url: &Option<String>| {
            let url = url.as_deref()?;
            let endpoint = Endpoint::parse(url).map_or_else(|_| url.to_owned(), |endpoint| endpoint.to_string());
            Some((name.to_owned(), endpoint))
        };
        let endpoints = [
            endpoint("iam_endpoint", &settings.iam_endpoint),
            endpoint("cce_endpoint", &settings.cce_endpoint),
            endpoint("issuer", &settings.issuer),
        ];
        Self {
            endpoints: endpoints.into_iter().flatten().collect(),
            cloud: own_domains(settings),
            roots: settings.issuer_ca_file.clone().or_else(|| settings.ca_file.clone()),
            ..self
        }
    }

    /// A secret key stays here and signs; any other secret is shown to where it is used.
    fn signs(&self) -> bool {
        self.kind == ProfileKind::AccessKey.as_str()
    }

    /// The first thing that is said otherwise than when the secret was kept: what, then and now.
    fn difference(&self, kept: &Self) -> Option<Difference> {
        if self.kind != kept.kind {
            return Some(Difference::new("kind", Some(&kept.kind), Some(&self.kind)));
        }
        let lists = [(&self.who, &kept.who), (&self.endpoints, &kept.endpoints)];
        for (now, then) in lists {
            let differs = |name: &&String| now.get(*name) != then.get(*name);
            if let Some(name) = now.keys().chain(then.keys()).find(differs) {
                return Some(Difference::new(name, then.get(name), now.get(name)));
            }
        }
        if self.roots != kept.roots {
            return Some(Difference::new("ca_file", kept.roots.as_ref(), self.roots.as_ref()));
        }
        // A narrower choice of the same cloud's places is none.
        let is_new = |domain: &&String| {
            let may_be_signed_for = self.signs() && Cloud::is_built_in(domain);
            !kept.cloud.contains(domain) && !may_be_signed_for
        };
        let other = self.cloud.iter().find(is_new)?;
        Some(Difference::new("cloud", kept.cloud.first(), Some(other)))
    }
}

/// Something that `config.toml` says otherwise than when the secret was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    key: String,
    then: Option<String>,
    now: Option<String>,
}

impl Difference {
    fn new(key: &str, then: Option<&String>, now: Option<&String>) -> Self {
        Self {
            key: key.to_owned(),
            then: then.cloned(),
            now: now.cloned(),
        }
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |value: &Option<String>| {
            let value = value.as_deref().map(sanitize);
            value.map_or_else(|| "none".to_owned(), |value| format!("`{value}`"))
        };
        let (key, then, now) = (&self.key, shown(&self.then), shown(&self.now));
        write!(f, "`{key}` was {then} when it was kept, and is {now} in `config.toml`")
    }
}

/// The stored form.
#[derive(Serialize, Deserialize)]
struct SecretRecord {
    version: u32,
    #[serde(flatten)]
    purpose: SecretPurpose,
    secret: String,
}

impl Drop for SecretRecord {
    fn drop(&mut self) {
        use zeroize::Zeroize as _;
        self.secret.zeroize();
    }
}

/// Keeps a profile's secret, for what the profile says it is for.
pub fn keep_secret(
    secrets: &LayeredStore,
    name: &ProfileName,
    profile: &Profile,
    secret: &Secret<String>,
    now: DateTime<Utc>,
) -> Stored {
    let record = SecretRecord {
        version: VERSION,
        purpose: SecretPurpose::of(profile),
        secret: secret.expose().clone(), // into the store that protects it
    };
    let bytes = to_secret_bytes(&record).unwrap_or_else(|_| Secret::new(Vec::new()));
    let label = format!("kubectl cce-login: secret of profile {name}");
    secrets.set(&secret_account(name), &label, &bytes, None, now)
}

/// Removes a profile's secret from every store that has it.
pub(crate) fn forget_secret(secrets: &LayeredStore, name: &ProfileName) -> Deleted {
    secrets.delete(&secret_account(name))
}

/// Reads a profile's secret from its store, for this purpose and no other.
pub(crate) fn read_secret(
    secrets: &LayeredStore,
    name: &ProfileName,
    purpose: &SecretPurpose,
) -> Result<Secret<String>, IdentityError> {
    let lookup = secrets.get(&secret_account(name));
    let bytes = match (lookup.found, lookup.troubles.into_iter().next()) {
        (Some((_, bytes)), _) => bytes,
        (None, Some(trouble)) => {
            return Err(IdentityError::Secret {
                name: name.clone(),
                source: trouble.error,
            });
        }
        (None, None) => {
            let cure = format!("keep it again with `kubectl cce-login profile set {name}`");
            return Err(malformed_source(
                format!("profile `{name}`"),
                "its secret is in no store",
                cure,
            ));
        }
    };
    // Parsed here; the secret in it goes back into a `Secret`.
    let record: Option<SecretRecord> = serde_json::from_slice(bytes.expose()).ok();
    let record = record.filter(|record| record.version == VERSION);
    let record = record.ok_or_else(|| IdentityError::SecretWithoutPurpose(name.clone()))?;
    match purpose.difference(&record.purpose) {
        None => Ok(Secret::new(record.secret.clone())),
        Some(difference) => Err(IdentityError::SecretForOther {
            name: name.clone(),
            difference,
        }),
    }
}

/// A store's account for a profile. Names are case-sensitive, accounts need not be: hence the hash.
pub fn secret_account(name: &ProfileName) -> String {
    let hash = crate::huaweicloud::signing::short_hash(name.as_str().as_bytes());
    format!("profile-{hash}")
}
