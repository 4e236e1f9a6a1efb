//! What IAM has issued for a while, tokens and temporary access keys: kept where certificates are, until shortly before it ends.
//!
//! The stored form is JSON with a version; anything else is a miss. A small note in the state directory, without any secret, says which
//! there are, so that they can be forgotten with their profile.

use crate::cache::holders::Holders;
use crate::cache::tombstone::{self, Generation};
use crate::cache::{CacheKey, CertCache};
use crate::host::{Directories, private_names, read_private, remove_private, write_private};
use crate::huaweicloud::credentials::{AccessKey, Credentials};
use crate::ids::AccessKeyId;
use crate::secret::{Secret, to_secret_bytes};
use crate::store::Deleted;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What is this near its end is not used any more: a run may take some minutes.
const MARGIN: TimeDelta = TimeDelta::minutes(3);
const VERSION: u32 = 1;

/// What requests are authenticated with, and until when.
#[derive(Debug, Clone)]
pub(crate) struct IssuedCredentials {
    /// A token, or a temporary access key.
    pub(crate) credentials: Credentials,
    /// The end, by IAM's clock; `None` where it is not known.
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// Whose it is, as far as IAM said.
    pub(crate) owner: Option<TokenOwner>,
}

/// Whose a token is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TokenOwner {
    /// The user's or agency's id.
    pub(crate) user_id: String,
    /// The user's name.
    pub(crate) user: String,
    /// The account's id.
    pub(crate) account_id: String,
    /// The account's name.
    pub(crate) account: String,
    /// The user groups of an identity provider's user, as far as IAM told them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) groups: Option<Vec<String>>,
}

/// The stored form.
#[derive(Serialize, Deserialize)]
struct StoredSignIn {
    version: u32,
    /// By our clock.
    expires_at: DateTime<Utc>,
    /// The tombstone that was there when we signed in.
    generation: u64,
    token: Option<String>,
    access_key_id: Option<String>,
    secret: Option<String>,
    security_token: Option<String>,
    who: Option<TokenOwner>,
}

impl Drop for StoredSignIn {
    fn drop(&mut self) {
        use zeroize::Zeroize as _;
        for secret in [&mut self.token, &mut self.secret, &mut self.security_token] {
            secret.zeroize();
        }
    }
}

/// The note about one of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignInRecord {
    version: u32,
    /// `--profile=…` or `--identity=…`.
    pub(crate) pin: String,
    /// When it ends.
    pub(crate) expires_at: DateTime<Utc>,
    /// The stores that may hold it.
    pub(crate) stores: Holders,
}

impl CertCache<'_> {
    /// What is kept under `key`, if it is good for some more minutes.
    pub(crate) fn issued(&self, key: &CacheKey) -> Option<IssuedCredentials> {
        let (kind, bytes) = self.store.get(key.account()).found?;
        // Parsed here; what is secret in it goes back into `Secret`s.
        let stored: Option<StoredSignIn> = serde_json::from_slice(bytes.expose()).ok();
        let stored = stored.filter(|stored| stored.version == VERSION);
        let is_void =
            |stored: &StoredSignIn| tombstone::is_void(self.directories, key, Generation::from_u64(stored.generation));
        let stored = stored.filter(|stored| !is_void(stored))?;
        if stored.expires_at - MARGIN <= self.clock.now() {
            return None;
        }
        let secret = |text: &Option<String>| text.clone().map(Secret::new);
        let credentials = match (secret(&stored.token), &stored.access_key_id, secret(&stored.secret)) {
            (Some(token), ..) => Credentials::Token(token),
            (None, Some(id), Some(sk)) => Credentials::AccessKey(AccessKey {
                id: AccessKeyId::parse(id).ok()?,
                secret: sk,
                security_token: secret(&stored.security_token),
            }),
            _ => return None,
        };
        self.log
            .debug(|| format!("{kind}: signed in until {}", stored.expires_at));
        Some(IssuedCredentials {
            credentials,
            expires_at: Some(stored.expires_at),
            owner: stored.who.clone(),
        })
    }

    /// Keeps what was issued under the tombstone `generation`, until `expires_at` by our clock. Best effort.
    pub(crate) fn keep_issued(
        &self,
        key: &CacheKey,
        issued: &IssuedCredentials,
        expires_at: DateTime<Utc>,
        generation: Generation,
        pin: &str,
    ) {
        let now = self.clock.now();
        if expires_at - MARGIN <= now || tombstone::is_void(self.directories, key, generation) {
            return;
        }
        let mut stored = StoredSignIn {
            version: VERSION,
            expires_at,
            generation: generation.to_u64(),
            token: None,
            access_key_id: None,
            secret: None,
            security_token: None,
            who: issued.owner.clone(),
        };
        // All of these go into the store that protects them.
        match &issued.credentials {
            Credentials::Token(token) => stored.token = Some(token.expose().clone()),
            Credentials::AccessKey(key) => {
                stored.access_key_id = Some(key.id.to_string());
                stored.secret = Some(key.secret.expose().clone()); // as above
                stored.security_token = key.security_token.as_ref().map(|token| token.expose().clone()); // as above
            }
            Credentials::IdToken(_) | Credentials::PortalToken(_) | Credentials::InBody => return,
        }
        let Ok(bytes) = to_secret_bytes(&stored) else { return };
        let label = format!(
            "kubectl cce-login: sign-in of {pin}, until {}",
            expires_at.format("%Y-%m-%d %H:%M UTC")
        );
        let kept = self.store.set(key.account(), &label, &bytes, Some(expires_at), now);
        for trouble in &kept.troubles {
            self.log.info(|| format!("not kept: {}", trouble.error));
        }
        replace(self.directories, key, |before| {
            let holders = before.map(|note| note.stores).unwrap_or_default();
            Some(SignInRecord {
                version: VERSION,
                pin: pin.to_owned(),
                expires_at,
                stores: holders.after_write(&kept),
            })
        });
        if tombstone::is_void(self.directories, key, generation) {
            // Somebody logged out in this very moment, and may have looked before it was there.
            self.forget_issued(key);
        }
        self.sweep_issued(now);
    }

    /// Removes what ended long ago: most keyrings do not by themselves.
    fn sweep_issued(&self, now: DateTime<Utc>) {
        // A day of grace: a laptop whose clock is wrong must not clear what is still good.
        let over = notes(self.directories)
            .into_iter()
            .filter(|(_, note)| note.expires_at + TimeDelta::days(1) < now);
        for (key, _) in over {
            self.forget_issued(&key);
        }
    }

    /// Drops what is kept under `key`.
    pub(crate) fn forget_issued(&self, key: &CacheKey) {
        record_deletion(self.directories, key, &self.store.delete(key.account()));
    }
}

/// All readable notes.
pub(crate) fn notes(directories: &Directories) -> Vec<(CacheKey, SignInRecord)> {
    let directory = directories.state.as_ref().map(|state| state.join("sign-ins"));
    let names = directory.and_then(|directory| private_names(&directory).ok());
    let note = |name: String| {
        let key = CacheKey::of_account(name.strip_suffix(".json")?);
        let note = read(&file(directories, &key)?)?;
        Some((key, note))
    };
    names.into_iter().flatten().filter_map(note).collect()
}

/// Notes that what was kept under `key` was deleted; the note goes with the last store that may have it.
pub(crate) fn record_deletion(directories: &Directories, key: &CacheKey, deleted: &Deleted) {
    replace(directories, key, |before| {
        let before = before?;
        let stores = before.stores.after_deletion(deleted);
        (!stores.is_empty()).then_some(SignInRecord { stores, ..before })
    });
}

/// The one place that writes a note: from what is noted now to what is to be noted; `None` is no note.
fn replace(
    directories: &Directories,
    key: &CacheKey,
    change: impl FnOnce(Option<SignInRecord>) -> Option<SignInRecord>,
) {
    let Some(path) = file(directories, key) else { return };
    let _costs_the_note = match change(read(&path)) {
        Some(after) => serde_json::to_vec_pretty(&after)
            .map_err(std::io::Error::from)
            .and_then(|text| write_private(&path, &text)),
        None => remove_private(&path),
    };
}

fn read(path: &Path) -> Option<SignInRecord> {
    let note: SignInRecord = serde_json::from_slice(&read_private(path).ok()??).ok()?;
    (note.version == VERSION).then_some(note)
}

fn file(directories: &Directories, key: &CacheKey) -> Option<PathBuf> {
    let name = format!("{}.json", key.account());
    Some(directories.state.as_ref()?.join("sign-ins").join(name))
}
