//! The place of one requested certificate: its key, its stores and its record belong together, and nobody else pairs them.

use crate::cache::entry::CacheEntry;
use crate::cache::failure::{self, Failure};
use crate::cache::freshness::{Freshness, Schedule};
use crate::cache::index::{self, CertificateRecord};
use crate::cache::{CacheKey, CertCache};
use crate::credential::request::{CachePolicy, CertificateRequest, FetchRequest, Requester};
use crate::error::{Error, UNUSABLE_FOR};
use crate::huaweicloud::observed::Throttle;
use crate::session::Session;
use crate::sign_in::refused;
use crate::store::{LayeredStore, StoreKind};

/// Where one requested certificate is kept, found and noted.
pub(crate) struct CertificateSlot<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) request: &'a CertificateRequest<'a>,
    pub(crate) key: CacheKey,
    store: LayeredStore,
}

/// A certificate, and how we came by it.
pub(crate) struct ObtainedCertificate {
    pub(crate) entry: CacheEntry,
    /// Where it is kept; empty for nowhere.
    pub(crate) kept_in: Vec<StoreKind>,
    /// It is new.
    pub(crate) is_fetched: bool,
    /// What CCE named with it, if it came just now.
    fresh_record: Option<CertificateRecord>,
}

impl ObtainedCertificate {
    /// From CCE, just now.
    pub(crate) fn fetched(entry: CacheEntry, kept_in: Vec<StoreKind>, record: CertificateRecord) -> Self {
        Self {
            entry,
            kept_in,
            is_fetched: true,
            fresh_record: Some(record),
        }
    }

    /// From another machine, kept and noted here.
    pub(crate) fn adopted(entry: CacheEntry, kept_in: Vec<StoreKind>) -> Self {
        Self {
            entry,
            kept_in,
            is_fetched: false,
            fresh_record: None,
        }
    }

    fn cached((kind, entry): (StoreKind, CacheEntry)) -> Self {
        Self {
            entry,
            kept_in: vec![kind],
            is_fetched: false,
            fresh_record: None,
        }
    }
}

impl<'a> CertificateSlot<'a> {
    pub(crate) fn of(session: &'a Session<'a>, request: &'a CertificateRequest<'a>) -> Self {
        Self {
            session,
            request,
            key: request.key(),
            store: session.store(request.certificate.cache),
        }
    }

    pub(crate) fn cache(&self) -> CertCache<'_> {
        self.session.cache(&self.store)
    }

    /// The certificate in the first store that has one; it may be expired.
    pub(crate) fn cached(&self) -> Option<ObtainedCertificate> {
        self.cache().get(&self.key).map(ObtainedCertificate::cached)
    }

    /// The cached certificate that does in place of a new one.
    pub(crate) fn cached_for(&self, policy: CachePolicy<'_>) -> Option<ObtainedCertificate> {
        self.cached().filter(|found| self.satisfies(policy, &found.entry))
    }

    /// What was noted of the certificate when it came: servers, authorities, who it is for.
    pub(crate) fn record(&self) -> Option<CertificateRecord> {
        index::read(&self.session.directories, &self.key)
    }

    /// The servers and authorities that came with it: now, or when it was fetched.
    pub(crate) fn record_of(&self, obtained: &ObtainedCertificate) -> Option<CertificateRecord> {
        obtained.fresh_record.clone().or_else(|| self.record())
    }

    pub(crate) fn schedule(&self, entry: &CacheEntry) -> Schedule {
        Schedule::of(entry, &self.session.host.clock)
    }

    pub(crate) fn freshness(&self, entry: &CacheEntry) -> Freshness {
        self.schedule(entry).freshness(self.session.host.clock.now())
    }

    /// The failure of a moment ago that answers for this fetch too. A person's is tried afresh.
    pub(crate) fn recent_failure(&self, fetch: &FetchRequest<'_>) -> Option<Error> {
        if self.request.requester == Requester::Person {
            return None;
        }
        let (directories, now) = (&self.session.directories, self.session.host.clock.now());
        let answers = |failure: &Failure| match fetch.current {
            Some(_) => failure.forbids_renewal(now),
            None => failure.answers_for(self.session.started, now, |mark| {
                refused::has_secret(self.session, self.request.identity, mark)
            }),
        };
        let throttle = || {
            Throttle::read(
                directories,
                &self.request.endpoint(),
                self.request.identity.fingerprint(),
                now,
            )
        };
        failure::read(directories, &self.key)
            .filter(answers)
            .map(Failure::into_error)
            .or_else(|| throttle().map(|throttle| throttle.into_error(now)))
    }

    /// Notes that a fetch failed, for those who come next.
    pub(crate) fn record_failure(&self, fetch: &FetchRequest<'_>, error: &Error) {
        let (directories, host) = (&self.session.directories, self.session.host);
        let (now, jitter) = (host.clock.now(), host.processes.jitter());
        if let Some(throttle) = Throttle::of(error, now, jitter) {
            throttle.write(
                directories,
                &self.request.endpoint(),
                self.request.identity.fingerprint(),
            );
        }
        let before = failure::read(directories, &self.key);
        let current = fetch.current.map(|entry| self.schedule(entry));
        let mark = (error.holds_for() >= UNUSABLE_FOR).then(|| refused::mark(self.session, self.request.identity));
        let failure = Failure::new(error, now, before.as_ref(), current.as_ref(), jitter).of_secret(mark.flatten());
        failure::write(directories, &self.key, &failure);
    }

    /// A fetch succeeded.
    pub(crate) fn clear_failure(&self) {
        failure::clear(&self.session.directories, &self.key);
    }

    fn satisfies(&self, policy: CachePolicy<'_>, entry: &CacheEntry) -> bool {
        let freshness = self.freshness(entry);
        match policy {
            CachePolicy::AnyValid => matches!(freshness, Freshness::Fresh | Freshness::Renewable),
            CachePolicy::Fresh => freshness == Freshness::Fresh,
            CachePolicy::HalfLeft => self.schedule(entry).has_half_left(self.session.host.clock.now()),
            CachePolicy::NotThis(refused) => freshness != Freshness::Expired && entry.cert != *refused,
            // What was asked for later than now was asked for by a clock that has been set back since.
            CachePolicy::Newer => (self.session.started..=self.session.host.clock.now()).contains(&entry.requested_at),
        }
    }
}
