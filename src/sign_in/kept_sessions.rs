//! What outlives a sign-in with a person: the session of a portal, this machine's registration there, a provider's refresh token. All of it in
//! the store of profile secrets alone: the keyring, or a file only where the profile asks for one.
//!
//! The account in the store is a hash of everything that says where the secret may go, so that settings which say otherwise do not find it.
//! Beside it lies a note without any secret: whose sign-in it is, and until when it lasts.

use super::kept;
use crate::cache::CacheKey;
use crate::host::{Directories, read_private, remove_private, write_private};
use crate::huaweicloud::identity_center::{PortalSession, RegisteredClient};
use crate::huaweicloud::signing::short_hash;
use crate::identity::sign_on::{PortalSettings, ProviderSettings};
use crate::identity::{Identity, PersonalProof};
use crate::oidc::Claims;
use crate::secret::{Secret, to_secret_bytes};
use crate::session::Session;
use crate::store::SecretPlace;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use zeroize::Zeroize as _;

const VERSION: u32 = 1;
const RECORD_VERSION: u32 = 2;
/// What is this near its end is not used any more.
const MARGIN: TimeDelta = TimeDelta::minutes(1);

/// Which sign-in: of a portal, or of a profile at a provider.
pub(crate) enum SignOn<'a> {
    /// All profiles of a start URL share one.
    Portal(&'a PortalSettings),
    /// Each profile has its own.
    Provider(&'a ProviderSettings),
}

/// What is kept, as it is stored.
#[derive(Serialize, Deserialize, Default)]
struct StoredSession {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_ends_at: Option<DateTime<Utc>>,
    /// The portal's session, or the provider's refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends_at: Option<DateTime<Utc>>,
}

impl Drop for StoredSession {
    fn drop(&mut self) {
        for secret in [&mut self.client_secret, &mut self.token] {
            secret.zeroize();
        }
    }
}

/// The note: no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignOnRecord {
    version: u32,
    /// `sub`: the same person has the same one at this provider, always.
    #[serde(default)]
    pub(crate) subject: Option<String>,
    /// What people call them.
    #[serde(default)]
    pub(crate) person: Option<String>,
    /// A refresh token is kept: nobody is asked as long as the provider takes it.
    #[serde(default)]
    pub(crate) is_renewable: bool,
    /// When the sign-in ends, as far as that is known.
    #[serde(default)]
    pub(crate) ends_at: Option<DateTime<Utc>>,
    /// It ended before its time: a renewal was refused for good.
    #[serde(default)]
    pub(crate) ended: Option<DateTime<Utc>>,
}

impl<'a> SignOn<'a> {
    /// The sign-in with a person that this identity needs, if it needs one.
    pub(crate) fn of(identity: &'a Identity) -> Option<Self> {
        match identity.personal_proof() {
            PersonalProof::Portal(at) => Some(Self::Portal(at)),
            PersonalProof::Provider(at, _) => Some(Self::Provider(at)),
            PersonalProof::Passcode | PersonalProof::None => None,
        }
    }
}

impl SignOn<'_> {
    /// A hash of what it is for and where its secrets may go.
    pub(crate) fn account(&self) -> String {
        let parts = match self {
            Self::Portal(at) => format!("portal|{}|{}|{}", at.start_url, at.sign_in_endpoint, at.portal_endpoint),
            Self::Provider(at) => {
                let roots = at
                    .ca_file
                    .as_ref()
                    .map(|path| path.display().to_string())
                    .unwrap_or_default();
                format!("provider|{}|{}|{}|{roots}", at.issuer, at.client_id, at.profile)
            }
        };
        format!("sign-on-{}", short_hash(parts.as_bytes()))
    }

    /// What one sign-in at a time is asked for under.
    pub(super) fn lease_key(&self) -> CacheKey {
        CacheKey::of_account(&self.account())
    }

    fn secret_place(&self) -> SecretPlace {
        match self {
            Self::Portal(at) => at.secret_place,
            Self::Provider(at) => at.secret_place,
        }
    }

    /// The note on it, if there is one.
    pub(crate) fn record(&self, directories: &Directories) -> Option<SignOnRecord> {
        let text = read_private(&self.file(directories)?).ok()??;
        let record: SignOnRecord = serde_json::from_slice(&text).ok()?;
        (record.version == RECORD_VERSION).then_some(record)
    }

    /// When the sign-in of the identity with this pin ends or has ended, as far as that is known. One that cannot be renewed ends with the
    /// tokens that it gave.
    pub(crate) fn end(&self, session: &Session<'_>, pin: &str) -> Option<DateTime<Utc>> {
        let record = self.record(&session.directories)?;
        let told = record.ended.or(record.ends_at);
        let of_tokens = || {
            let own = kept::notes(&session.directories).into_iter();
            own.filter(|(_, note)| note.pin == pin)
                .map(|(_, note)| note.expires_at)
                .max()
        };
        told.or_else(|| of_tokens().filter(|_| !record.is_renewable))
    }

    fn write_record(&self, directories: &Directories, record: &SignOnRecord) {
        if let (Some(path), Ok(text)) = (self.file(directories), serde_json::to_vec_pretty(record)) {
            let _ = write_private(&path, &text); // costs the note, nothing else
        }
    }

    fn file(&self, directories: &Directories) -> Option<PathBuf> {
        let state = directories.state.as_ref()?;
        Some(state.join("sign-ons").join(format!("{}.json", self.account())))
    }

    fn read(&self, session: &Session<'_>) -> StoredSession {
        let lookup = session.secrets(self.secret_place()).get(&self.account());
        for trouble in &lookup.troubles {
            session.log.info(|| format!("no kept sign-in: {}", trouble.error));
        }
        let found = lookup.found.and_then(|(_, bytes)| {
            // Parsed here; what is secret in it goes into `Secret`s.
            serde_json::from_slice::<StoredSession>(bytes.expose()).ok()
        });
        found.filter(|stored| stored.version == VERSION).unwrap_or_default()
    }

    /// Best effort: what cannot be kept is asked for again.
    fn write(&self, session: &Session<'_>, mut stored: StoredSession) -> bool {
        stored.version = VERSION;
        let Ok(bytes) = to_secret_bytes(&stored) else {
            return false;
        };
        let what = match self {
            Self::Portal(at) => at.start_url.clone(),
            Self::Provider(at) => format!("{} (profile {})", at.issuer, at.profile),
        };
        let now = session.host.clock.now();
        let store = session.secrets(self.secret_place());
        let kept = store.set(
            &self.account(),
            &format!("kubectl cce-login: sign-in at {what}"),
            &bytes,
            None,
            now,
        );
        for trouble in &kept.troubles {
            session
                .log
                .info(|| format!("the sign-in is not kept: {}", trouble.error));
        }
        !kept.held_by.is_empty()
    }

    /// Forgets session, refresh token and registration, and the note. Returns what a store says against it.
    pub(crate) fn forget(&self, session: &Session<'_>) -> Option<String> {
        if let Some(path) = self.file(&session.directories) {
            let _ = remove_private(&path); // costs the note, nothing else
        }
        let deleted = session.secrets(self.secret_place()).delete(&self.account());
        deleted
            .troubles
            .into_iter()
            .next()
            .map(|trouble| trouble.error.to_string())
    }
}

/// The portal's session that is kept, if it is good.
pub(crate) fn portal_session(session: &Session<'_>, at: &PortalSettings) -> Option<PortalSession> {
    let stored = SignOn::Portal(at).read(session);
    let ends_at = stored.ends_at.filter(|end| *end - MARGIN > session.host.clock.now())?;
    Some(PortalSession {
        token: Secret::new(stored.token.clone()?),
        ends_at,
    })
}

/// This machine's registration that is kept, if it is good.
pub(super) fn registration(session: &Session<'_>, at: &PortalSettings) -> Option<RegisteredClient> {
    let stored = SignOn::Portal(at).read(session);
    let ends_at = stored
        .client_ends_at
        .filter(|end| *end - MARGIN > session.host.clock.now())?;
    Some(RegisteredClient {
        id: stored.client_id.clone()?,
        secret: Secret::new(stored.client_secret.clone()?),
        ends_at,
    })
}

/// Keeps a session and the registration that it came with; false where no store takes them.
pub(super) fn keep_portal_session(
    session: &Session<'_>,
    at: &PortalSettings,
    client: &RegisteredClient,
    new: &PortalSession,
) -> bool {
    let sign_on = SignOn::Portal(at);
    sign_on.write_record(
        &session.directories,
        &SignOnRecord {
            version: RECORD_VERSION,
            subject: None,
            person: None,
            is_renewable: false,
            ends_at: Some(new.ends_at),
            ended: None,
        },
    );
    sign_on.write(
        session,
        StoredSession {
            version: VERSION,
            client_id: Some(client.id.clone()),
            // Both into the store that protects them.
            client_secret: Some(client.secret.expose().clone()),
            client_ends_at: Some(client.ends_at),
            token: Some(new.token.expose().clone()), // as above
            ends_at: Some(new.ends_at),
        },
    )
}

/// Forgets a session that has ended; the registration stays.
pub(crate) fn forget_portal_session(session: &Session<'_>, at: &PortalSettings) {
    let sign_on = SignOn::Portal(at);
    let mut stored = sign_on.read(session);
    stored.token.zeroize();
    stored.token = None;
    stored.ends_at = None;
    sign_on.write(session, stored);
    note_end(session, &sign_on);
}

/// Forgets a registration that is not known any more; a session cannot be there without.
pub(super) fn forget_registration(session: &Session<'_>, at: &PortalSettings) {
    SignOn::Portal(at).forget(session);
}

/// The refresh token that is kept.
pub(crate) fn refresh_token(session: &Session<'_>, at: &ProviderSettings) -> Option<Secret<String>> {
    SignOn::Provider(at).read(session).token.clone().map(Secret::new)
}

/// Keeps a refresh token in place of the one before; unchanged it is left alone. False where no store takes it.
pub(super) fn keep_refresh_token(
    session: &Session<'_>,
    at: &ProviderSettings,
    token: &Secret<String>,
    ends_at: Option<DateTime<Utc>>,
) -> bool {
    let sign_on = SignOn::Provider(at);
    // Compared, then into the store that protects it.
    let is_kept = sign_on.read(session).token.as_ref() == Some(token.expose()) || {
        let mut stored = StoredSession::default();
        stored.token = Some(token.expose().clone()); // as above
        sign_on.write(session, stored)
    };
    if let Some(before) = sign_on.record(&session.directories).filter(|_| is_kept) {
        let after = SignOnRecord {
            is_renewable: true,
            ends_at,
            ..before.clone()
        };
        if after != before {
            sign_on.write_record(&session.directories, &after);
        }
    }
    is_kept
}

/// Forgets a refresh token that will never be taken again.
pub(super) fn forget_refresh_token(session: &Session<'_>, at: &ProviderSettings) {
    drop_refresh_token(session, at);
    note_end(session, &SignOn::Provider(at));
}

/// Forgets a refresh token that is not that of the sign-in that holds now.
pub(super) fn drop_refresh_token(session: &Session<'_>, at: &ProviderSettings) {
    let sign_on = SignOn::Provider(at);
    let _ = session.secrets(sign_on.secret_place()).delete(&sign_on.account()); // what stays is refused again
}

/// Notes who has signed in.
pub(super) fn note_person(session: &Session<'_>, at: &ProviderSettings, claims: &Claims) {
    SignOn::Provider(at).write_record(
        &session.directories,
        &SignOnRecord {
            version: RECORD_VERSION,
            subject: Some(claims.subject.clone()),
            person: claims.name.clone(),
            is_renewable: false,
            ends_at: None,
            ended: None,
        },
    );
}

/// Notes that a sign-in has come to its end, for who is told about it later.
fn note_end(session: &Session<'_>, sign_on: &SignOn<'_>) {
    if let Some(record) = sign_on.record(&session.directories) {
        let ended = Some(session.host.clock.now());
        sign_on.write_record(&session.directories, &SignOnRecord { ended, ..record });
    }
}
