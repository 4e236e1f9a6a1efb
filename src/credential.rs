//! One certificate, the story: from the cache while it is good, renewed in time, fetched when there is none.
//!
//! [`Certificates`] is the only way to one. It owns the key, the stores, the lock and the record of what was requested, so that no caller
//! pairs a cache with another request's key.

pub(crate) mod ask_cce;
pub(crate) mod callers;
pub(crate) mod describe;
pub(crate) mod fetch;
pub(crate) mod forget;
pub(crate) mod pace;
pub(crate) mod rejected;
pub(crate) mod renew;
pub(crate) mod request;
pub(crate) mod shared;
pub(crate) mod slot;
pub(crate) mod whose;

use crate::api_server::choose::NoServer;
use crate::cache::entry::CacheEntry;
use crate::cache::freshness::Freshness;
use crate::cache::index::{self, CertificateRecord};
use crate::error::{Error, Result};
use crate::ids::Endpoint;
use crate::session::Session;
use callers::{Caller, Callers, never_renews};
use chrono::{DateTime, Utc};
use request::{CachePolicy, CertificateRequest, FetchRequest, Requester};
use slot::{CertificateSlot, ObtainedCertificate};
use std::ffi::OsString;

/// A certificate for a client.
pub(crate) struct ServedCertificate {
    pub(crate) certificate: ObtainedCertificate,
    /// When the client is to ask again.
    pub(crate) ask_again: DateTime<Utc>,
}

/// The certificates of one request.
pub(crate) struct Certificates<'a>(CertificateSlot<'a>);

impl<'a> Certificates<'a> {
    pub(crate) fn of(session: &'a Session<'a>, request: &'a CertificateRequest<'a>) -> Self {
        Self(CertificateSlot::of(session, request))
    }

    /// The certificate for kubectl. With a fresh one in the cache this is the whole hot path. It is noted when the caller will ask again.
    ///
    /// `command_line` is ours, for the process that renews behind us. A person who runs us so gets a new one.
    pub(crate) fn for_client(&self, command_line: &[OsString]) -> Result<ServedCertificate> {
        if self.0.request.requester == Requester::Person {
            return Ok(self.served(self.new_now()?));
        }
        let session = self.0.session;
        let parent = session.host.processes.parent();
        let caller = parent.map(|parent| Caller::new(self.0.key.account(), parent));
        let callers = caller.and_then(|_| Callers::open(&session.directories));
        let known = callers.as_ref().zip(caller.as_ref());

        let expected = known.and_then(|(callers, caller)| callers.expected_at(caller));
        let served = self.served(self.serve(command_line, expected)?);
        let Some((callers, caller)) = known else {
            return Ok(served);
        };
        callers.note(caller, served.ask_again);
        let replaced = self.check_now_and_then(callers, &served.certificate, command_line);
        Ok(replaced.map_or(served, |replaced| self.served(replaced)))
    }

    fn served(&self, certificate: ObtainedCertificate) -> ServedCertificate {
        let now = self.0.session.host.clock.now();
        ServedCertificate {
            ask_again: self.0.schedule(&certificate.entry).ask_again(now),
            certificate,
        }
    }

    /// While a certificate is used, the API server is asked every two minutes, behind a caller, whether it still takes it.
    fn check_now_and_then(
        &self,
        callers: &Callers,
        obtained: &ObtainedCertificate,
        command_line: &[OsString],
    ) -> Option<ObtainedCertificate> {
        let now = self.0.session.host.clock.now();
        let everybody = Caller::everybody(self.0.key.account());
        let next = callers.expected_at(&everybody);
        // A time further ahead was written by a clock that has been set back since.
        let is_known = next.is_some_and(|next| next - now <= renew::BETWEEN_CHECKS);
        if !obtained.is_fetched && is_known && next.is_some_and(|next| now < next) {
            return None;
        }
        callers.note(&everybody, now + renew::BETWEEN_CHECKS);
        let is_due = !obtained.is_fetched && is_known && self.0.freshness(&obtained.entry) == Freshness::Fresh;
        let check = || renew::check_in_background(&self.0, &obtained.entry, command_line);
        is_due.then(check).flatten()
    }

    /// Serves what the cache has, as long as it is good. `expected`: when this caller was to ask again.
    fn serve(&self, command_line: &[OsString], expected: Option<DateTime<Utc>>) -> Result<ObtainedCertificate> {
        let Some(current) = self.0.cached() else {
            return self.fetch(CachePolicy::AnyValid);
        };
        let entry = &current.entry;
        whose::check_certificate(self.0.session, self.0.request, &entry.cert.common_name)?;
        let freshness = self.0.freshness(entry);
        if freshness == Freshness::Expired {
            return self.fetch(CachePolicy::AnyValid);
        }
        if rejected::is_rejected(&self.0, entry, expected) {
            return self.fetch(CachePolicy::NotThis(&entry.cert));
        }
        let renewed = match freshness {
            Freshness::Fresh | Freshness::Renewable if self.is_for_who_never_renews(entry) => {
                renew::renew_blocking(&self.0, entry, CachePolicy::HalfLeft)
            }
            Freshness::Renewable => renew::renew_in_background(&self.0, entry, command_line),
            Freshness::MustRenew => renew::renew_blocking(&self.0, entry, CachePolicy::AnyValid),
            _ => None,
        };
        match renewed {
            Some(renewed) => Ok(renewed),
            // It may have come to its end while we tried.
            None if self.0.freshness(entry) == Freshness::Expired => self.fetch(CachePolicy::AnyValid),
            None => Ok(current),
        }
    }

    /// Whether half of the certificate's life is over, and the process that asks would keep it to the end. Who asks is looked up only then:
    /// it costs a system call.
    fn is_for_who_never_renews(&self, entry: &CacheEntry) -> bool {
        let host = self.0.session.host;
        !self.0.schedule(entry).has_half_left(host.clock.now())
            && host
                .processes
                .parent_program()
                .is_some_and(|program| never_renews::is_known(&program))
    }

    /// A cached certificate that is good for more than its last moments.
    pub(crate) fn cached(&self) -> Option<ObtainedCertificate> {
        self.0.cached_for(CachePolicy::AnyValid)
    }

    /// A cached certificate, else a new one.
    pub(crate) fn cached_or_new(&self) -> Result<ObtainedCertificate> {
        self.fetch(CachePolicy::AnyValid)
    }

    /// A certificate that was asked for in this run.
    pub(crate) fn new_now(&self) -> Result<ObtainedCertificate> {
        self.fetch(CachePolicy::Newer)
    }

    /// What the process that renews behind a caller does. It tells nobody but the log.
    pub(crate) fn tend(&self) {
        renew::tend(&self.0);
    }

    /// What was noted of the certificate when it came, by this run or an earlier one.
    pub(crate) fn record(&self) -> Option<CertificateRecord> {
        self.0.record()
    }

    /// The servers and authorities that CCE named with this certificate; an error if nothing is known of them.
    pub(crate) fn record_of(&self, obtained: &ObtainedCertificate) -> Result<CertificateRecord> {
        let record = self.0.record_of(obtained);
        record.ok_or_else(|| Error::from(NoServer::nothing_known()))
    }

    /// Notes which server was chosen, for clients that do not tell us: they too may have a certificate that is refused. With it goes when a
    /// cluster entry got its authorities.
    pub(crate) fn remember_server(
        &self,
        record: &mut CertificateRecord,
        url: &Endpoint,
        tls_server_name: Option<&str>,
    ) {
        record.choose_server(url, tls_server_name);
        let completed_at = record.completed_at;
        index::record(&self.0.session.directories, &self.0.key, |noted| {
            noted.choose_server(url, tls_server_name);
            noted.completed_at = completed_at;
        });
    }

    /// Warns a person that the certificate ends soon and is not renewed.
    pub(crate) fn warn_in_last_minutes(&self, obtained: &ObtainedCertificate) {
        describe::warn_in_last_minutes(&self.0, obtained);
    }

    fn fetch(&self, policy: CachePolicy<'_>) -> Result<ObtainedCertificate> {
        let request = FetchRequest {
            policy,
            current: None,
            deadline: self.0.session.deadline,
        };
        fetch::fetch(&self.0, &request)
    }
}
