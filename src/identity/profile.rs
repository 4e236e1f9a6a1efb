//! Our own profiles as an identity source: `config.toml` holds what is not secret, the keyring the rest.

use super::IdentityError;
use crate::config::Profile;
use crate::credentials::{AccessKey, Credentials};
use crate::ids::{AccessKeyId, ProfileName};
use crate::secret::Secret;
use crate::store::{Deleted, LayeredStore, Stored};
use chrono::{DateTime, Utc};

/// The only kind so far.
const ACCESS_KEY: &str = "access-key";

/// What tells the profile's identity from others; the same as for the same access key from elsewhere.
pub(super) fn fingerprint(name: &ProfileName, profile: &Profile) -> Result<String, IdentityError> {
    Ok(format!("ak:{}", access_key_id(name, profile)?))
}

/// Reads the secret from its store.
pub(super) fn load(
    name: &ProfileName,
    profile: &Profile,
    secrets: &LayeredStore,
) -> Result<Credentials, IdentityError> {
    let id = access_key_id(name, profile)?;
    let lookup = secrets.get(&account(name));
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
            return Err(broken(name, "its secret access key is in no store".to_owned(), cure));
        }
    };
    // From the store to the signer; it is never shown.
    let secret = String::from_utf8(bytes.expose().clone()).map_err(|_| {
        broken(
            name,
            "its stored secret is damaged".to_owned(),
            format!("keep it again with `kubectl cce-login profile set {name}`"),
        )
    })?;
    Ok(Credentials::AccessKey(AccessKey {
        id,
        secret: Secret::new(secret),
        security_token: None,
    }))
}

/// Keeps a profile's secret.
pub fn keep_secret(secrets: &LayeredStore, name: &ProfileName, secret: &Secret<String>, now: DateTime<Utc>) -> Stored {
    let bytes = Secret::new(secret.expose().clone().into_bytes()); // into the store that protects it
    secrets.set(
        &account(name),
        &format!("kubectl cce-login: secret access key of profile {name}"),
        &bytes,
        None,
        now,
    )
}

/// Removes a profile's secret from every store that has it.
pub fn forget_secret(secrets: &LayeredStore, name: &ProfileName) -> Deleted {
    secrets.delete(&account(name))
}

/// A store's account for a profile. Names are case-sensitive, accounts need not be: hence the hash.
fn account(name: &ProfileName) -> String {
    format!("profile-{}", crate::signing::short_hash(name.as_str().as_bytes()))
}

fn access_key_id(name: &ProfileName, profile: &Profile) -> Result<AccessKeyId, IdentityError> {
    if profile.kind != ACCESS_KEY {
        let kind = crate::sanitize::sanitize(&profile.kind);
        return Err(broken(
            name,
            format!("its kind `{kind}` is unknown"),
            format!("set `kind = \"{ACCESS_KEY}\"` in `config.toml`"),
        ));
    }
    let id = profile.access_key_id.as_deref().unwrap_or_default();
    AccessKeyId::parse(id).map_err(|invalid| {
        broken(
            name,
            invalid.to_string(),
            format!("set `access_key_id` in `config.toml`: {}", invalid.hint()),
        )
    })
}

fn broken(name: &ProfileName, problem: String, cure: String) -> IdentityError {
    IdentityError::Broken {
        source_name: format!("profile `{name}`"),
        problem,
        cure,
    }
}
