//! A client's certificate: from the cache while it is good, renewed in time, fetched when there is none.

pub(crate) mod ask_cce;
pub(crate) mod callers;
pub(crate) mod describe;
pub(crate) mod fetch;
pub(crate) mod forget;
pub(crate) mod rejected;
pub(crate) mod renew;

use crate::cache::entry::CacheEntry;
use crate::cache::freshness::{Freshness, Schedule};
use crate::cache::index::{self, CertificateRecord};
use crate::cache::{CacheKey, CertCache};
use crate::credential::callers::Callers;
use crate::credential::fetch::{CachePolicy, FetchRequest};
use crate::error::Result;
use crate::huaweicloud::iam::token_request::Scope;
use crate::identity::Identity;
use crate::plan::{CertificateSettings, CloudSettings, ClusterRef};
use crate::session::Session;
use crate::sign_in::SignIn;
use crate::store::StoreKind;
use chrono::{DateTime, Utc};
use std::ffi::OsString;

/// What is wanted.
pub(crate) struct CertificateRequest<'a> {
    pub(crate) target: &'a ClusterRef,
    pub(crate) identity: &'a Identity,
    pub(crate) cloud: &'a CloudSettings,
    pub(crate) certificate: CertificateSettings,
    /// Refuse another lifetime than asked for.
    pub(crate) is_lifetime_strict: bool,
    /// Whose call this is.
    pub(crate) asker: Requester,
}

impl CertificateRequest<'_> {
    /// What it is filed under.
    pub(crate) fn key(&self) -> CacheKey {
        CacheKey::new(
            &self.cloud.cce(&self.target.region),
            &self.target.project_id,
            &self.target.cluster_id,
            self.identity.fingerprint(),
            self.certificate.lifetime,
            self.target.is_autopilot,
        )
    }

    /// Who asks CCE for it, and for what it describes.
    pub(crate) fn sign_in(&self) -> SignIn<'_> {
        SignIn {
            identity: self.identity,
            cloud: self.cloud,
            region: &self.target.region,
            scope: Scope::Project(self.target.project_id.clone()),
            cache: self.certificate.cache,
            may_ask: true,
        }
    }
}

/// Whose call this is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Requester {
    /// kubectl's, among many: a failure of a moment ago answers for it, and another identity than before is refused.
    Client,
    /// A person's: tried afresh, and the identity it finds is the one that counts from now on.
    Person,
}

/// What there is.
pub(crate) struct ObtainedCertificate {
    pub(crate) entry: CacheEntry,
    /// Where it is kept; empty for nowhere.
    pub(crate) kept_in: Vec<StoreKind>,
    /// The servers and authorities that came with it.
    pub(crate) note: Option<CertificateRecord>,
    /// It is new.
    pub(crate) is_fetched: bool,
}

impl ObtainedCertificate {
    /// The servers and authorities that came with it: now, or when it was fetched.
    pub(crate) fn noted(&self, session: &Session<'_>, key: &CacheKey) -> Option<CertificateRecord> {
        self.note.clone().or_else(|| index::read(&session.directories, key))
    }

    /// From the cache.
    pub(crate) fn cached((kind, entry): (StoreKind, CacheEntry)) -> Self {
        Self {
            entry,
            kept_in: vec![kind],
            note: None,
            is_fetched: false,
        }
    }
}

/// A cached certificate that is good for more than its last moments.
pub(crate) fn cached(session: &Session<'_>, cache: &CertCache<'_>, key: &CacheKey) -> Option<ObtainedCertificate> {
    let found = cache.get(key)?;
    let clock = &session.host.clock;
    let freshness = Schedule::of(&found.1, clock).freshness(clock.now());
    matches!(freshness, Freshness::Fresh | Freshness::Renewable).then(|| ObtainedCertificate::cached(found))
}

/// The certificate for kubectl. With a fresh one in the cache this is the whole hot path. It is noted when the caller will ask again.
///
/// `typed` is our command line, for the process that renews behind us.
pub(crate) fn for_client(
    session: &Session<'_>,
    cache: &CertCache<'_>,
    wanted: &CertificateRequest<'_>,
    typed: &[OsString],
) -> Result<ObtainedCertificate> {
    let key = wanted.key();
    let parent = session.host.processes.parent();
    let caller = parent.map(|parent| callers::Caller::new(key.account(), parent));
    let callers = caller.and_then(|_| Callers::open(&session.directories));
    let known = callers.as_ref().zip(caller.as_ref());

    let told = known.and_then(|(callers, caller)| callers.told(caller));
    let obtained = choose(session, cache, &key, wanted, typed, told)?;
    if let Some((callers, caller)) = known {
        let clock = &session.host.clock;
        callers.note(caller, Schedule::of(&obtained.entry, clock).ask_again(clock.now()));
    }
    Ok(obtained)
}

/// Serves what the cache has, as long as it is good (contract §3). `told`: when this caller was to ask again.
fn choose(
    session: &Session<'_>,
    cache: &CertCache<'_>,
    key: &CacheKey,
    wanted: &CertificateRequest<'_>,
    typed: &[OsString],
    told: Option<DateTime<Utc>>,
) -> Result<ObtainedCertificate> {
    let errand = |need, held| FetchRequest {
        key,
        wanted,
        need,
        held,
        deadline: session.deadline,
    };
    let Some(found) = cache.get(key) else {
        return fetch::fetch(session, cache, &errand(CachePolicy::AnyValid, None));
    };
    let held = ObtainedCertificate::cached(found);
    let clock = &session.host.clock;
    let freshness = Schedule::of(&held.entry, clock).freshness(clock.now());
    if freshness == Freshness::Expired {
        return fetch::fetch(session, cache, &errand(CachePolicy::AnyValid, None));
    }
    if rejected::is_rejected(session, key, &held.entry, told) {
        return fetch::fetch(session, cache, &errand(CachePolicy::NotThis(&held.entry.cert), None));
    }
    let renewed = match freshness {
        Freshness::Renewable => {
            renew::renew_in_background(session, cache, &errand(CachePolicy::Fresh, Some(&held.entry)), typed)
        }
        Freshness::MustRenew => {
            renew::renew_blocking(session, cache, &errand(CachePolicy::AnyValid, Some(&held.entry)))
        }
        _ => None,
    };
    match renewed {
        Some(renewed) => Ok(renewed),
        // It may have come to its end while we tried.
        None if Schedule::of(&held.entry, clock).freshness(clock.now()) == Freshness::Expired => {
            fetch::fetch(session, cache, &errand(CachePolicy::AnyValid, None))
        }
        None => Ok(held),
    }
}
