//! A register, and our place in it: under which names, sealed with what, and whether it is left alone for a while.

use crate::cache::CacheKey;
use crate::env_vars;
use crate::error::Result;
use crate::host::{Input, random_u64};
use crate::huaweicloud::signing::short_hash;
use crate::identity::Identity;
use crate::ids::Endpoint;
use crate::register::flight::Flight;
use crate::register::pace::Pace;
use crate::register::{Kubernetes, Register, RegisterError, SealingKey, SharedCache, Vault, VaultAccess};
use crate::secret::Secret;
use crate::session::Session;
use crate::store::TimeOutMarker;
use std::path::Path;
use std::time::Duration;

/// Notes that a register could not be used.
const MARKER: &str = "shared-cache-failed";
/// A key file must hold so many bytes.
const SHORTEST_KEY: usize = 32;

/// Who shares, and through what.
pub(crate) struct Sharing<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) endpoint: Endpoint,
    pub(crate) shared_cache: &'a SharedCache,
}

/// A register, and our place in it.
pub(super) struct Place<'e> {
    pub(super) register: Box<dyn Register + 'e>,
    name: String,
    pace: String,
    pub(super) key: Option<SealingKey>,
    marker: TimeOutMarker,
}

impl<'e> Place<'e> {
    /// The place of what is filed under `key`; `None` where nothing is shared.
    pub(super) fn open(session: &'e Session<'_>, sharing: &Sharing<'_>, key: &CacheKey) -> Result<Option<Self>> {
        if !sharing.shared_cache.is_some() {
            return Ok(None);
        }
        let Some(fingerprint) = sharing.identity.world_wide_fingerprint() else {
            session.log.info(|| {
                let described = sharing.identity.describe();
                format!("{described} is not the same everywhere: its certificates are not shared")
            });
            return Ok(None);
        };
        let sealing_key = sealing_key(session, sharing)?;
        let key_id = sealing_key.as_ref().map(SealingKey::id).unwrap_or_default();
        let name = |what: &str| {
            let parts = ["shared 1", what, &fingerprint, &key_id].join("\0");
            short_hash(parts.as_bytes())
        };
        let marker = session.directories.runtime.as_ref().map(|dir| dir.join(MARKER));
        Ok(Some(Self {
            register: register(session, sharing)?,
            name: format!("cert-{}", name(key.account())),
            pace: format!("pace-{}", name(sharing.endpoint.as_str())),
            key: sealing_key,
            marker: TimeOutMarker::new(marker, session.host.clock.now()),
        }))
    }

    /// It did not answer a moment ago.
    pub(super) fn is_left_alone(&self, session: &Session<'_>) -> bool {
        let since = self.marker.recent();
        if let Some(since) = since {
            let log = &session.log;
            log.info(|| format!("the shared cache is left alone: it could not be used at {since}"));
        }
        since.is_some()
    }

    pub(super) fn skip_for_a_while(&self, session: &Session<'_>, error: &RegisterError) {
        session
            .log
            .info(|| format!("the shared cache is left alone for a while: {error}"));
        self.marker.note(Duration::ZERO);
    }

    pub(super) fn flight(&self, session: &'e Session<'_>) -> Flight<'_> {
        Flight::new(
            self.register.as_ref(),
            &session.host.clock,
            self.name.clone(),
            self.key.as_ref(),
            random_u64(),
        )
    }

    pub(super) fn pace(&self) -> Pace<'_> {
        Pace {
            register: self.register.as_ref(),
            name: self.pace.clone(),
            key: self.key.as_ref(),
        }
    }
}

/// The register that the settings name.
fn register<'e>(
    session: &'e Session<'_>,
    sharing: &Sharing<'_>,
) -> std::result::Result<Box<dyn Register + 'e>, RegisterError> {
    let env = &session.host.env;
    match sharing.shared_cache {
        SharedCache::None => Err(RegisterError::NotConfigured {
            what: "a shared cache",
            cure: "give `--shared-cache`",
        }),
        SharedCache::Vault { mount, path } => {
            let profile = sharing.identity.profile().vault.as_ref();
            let access = VaultAccess::find(env, profile)?;
            Ok(Box::new(Vault::new(env, access, mount, path)?))
        }
        SharedCache::Kubernetes { namespace } => Ok(Box::new(Kubernetes::in_pod(env, namespace.as_deref())?)),
    }
}

/// What values are sealed with: a key file that is named, else the identity's secret access key, else nothing but the engine.
fn sealing_key(session: &Session<'_>, sharing: &Sharing<'_>) -> Result<Option<SealingKey>> {
    let named = session.host.env.var(env_vars::SHARED_KEY_FILE);
    let of_profile = || sharing.identity.profile().shared_key_file.clone();
    if let Some(path) = named.or_else(of_profile) {
        let bytes = session.host.env.read_file(Path::new(&path), Input::Token);
        let bytes = bytes.map_err(|error| error.to_string());
        let bytes = bytes.and_then(|bytes| {
            if bytes.len() < SHORTEST_KEY {
                return Err(format!("it holds less than {SHORTEST_KEY} bytes"));
            }
            Ok(Secret::new(bytes))
        });
        let bytes = bytes.map_err(|reason| RegisterError::File {
            path: path.into(),
            reason,
        })?;
        return Ok(Some(SealingKey::of(bytes)));
    }
    let secret = sharing.identity.sealing_secret(&|place| session.secrets(place))?;
    Ok(secret.map(SealingKey::of))
}
