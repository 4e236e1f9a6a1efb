//! One run's part in a flight of all machines: takes what another has fetched, waits for it, or fetches it for the others.

use super::failed::Failed;
use super::place::Place;
use super::{Issue, PATIENCE, PAUSES};
use crate::cache::entry::CacheEntry;
use crate::cache::freshness::{Freshness, Schedule};
use crate::cache::holders::Holders;
use crate::cache::index::CertificateRecord;
use crate::cache::{CacheKey, tombstone};
use crate::credential::request::{CachePolicy, CertificateRequest, FetchRequest, Requester};
use crate::credential::slot::{CertificateSlot, ObtainedCertificate};
use crate::credential::whose;
use crate::error::{Error, Result};
use crate::exec_credential::ClusterInfo;
use crate::host::{Deadline, Skew};
use crate::http::HttpError;
use crate::huaweicloud::cce::cluster_cert::LIFETIME_TOLERANCE;
use crate::register::flight::{Flight, Published, Step, Worth};
use crate::register::{RegisterError, SharedFailure};
use crate::sanitize::sanitize;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// Who has lost its turn so often reads what is no longer so.
const MOST_LOST: u32 = 3;
/// The longest that somebody who can be served waits for the next certificate.
const RENEWAL: Duration = Duration::from_secs(3);
/// How long a throttled identity leaves the cloud alone where the cloud does not say.
const THROTTLED: TimeDelta = TimeDelta::seconds(20);
/// Who has more time than this can wait for a place among the cloud's ten a minute.
const MUCH_TIME: Duration = Duration::from_secs(60);
/// How long to wait where a register has too much to do.
const CROWDED: TimeDelta = TimeDelta::seconds(3);

/// One run's part in it.
pub(super) struct Run<'r> {
    pub(super) slot: &'r CertificateSlot<'r>,
    pub(super) fetch: &'r FetchRequest<'r>,
    pub(super) place: &'r Place<'r>,
}

impl Run<'_> {
    /// `Err`: the register cannot be used, and the cloud has not been asked.
    pub(super) fn together(
        &self,
        issue: &Issue<'_>,
    ) -> std::result::Result<Result<ObtainedCertificate>, RegisterError> {
        let mut flight = self.place.flight(self.slot.session);
        let (mut has_waited, mut lost) = (false, 0);
        loop {
            let step = flight.look(&|entry, now| self.worth(entry, now), self.soon())?;
            let current = match step {
                _ if self.needs_the_cloud() => None,
                Step::Adopt(entry) if self.has(&entry) => return Ok(Err(Failed::busy().into())),
                Step::Adopt(entry) => return Ok(Ok(self.adopt(*entry, flight.now()))),
                Step::Fail(failure) => return Ok(Err(Failed::of(&failure, flight.now()).into())),
                Step::Wait => {
                    if !self.pause(has_waited) {
                        return Ok(Err(Failed::busy().into()));
                    }
                    has_waited = true;
                    continue;
                }
                Step::Claim(current) => current,
            };
            if !flight.claim(self.soon())? {
                lost += 1;
                // Somebody was faster, or what we read was old: a standby may be behind.
                match self.pause(has_waited) {
                    true if lost < MOST_LOST => has_waited = true,
                    true => {
                        let place = self.place.register.describe();
                        return Err(RegisterError::Behind { place });
                    }
                    false => return Ok(Err(Failed::busy().into())),
                }
                continue;
            }
            let current = current.map(|entry| *entry);
            match self.issue(&mut flight, current, issue) {
                Some(result) => return Ok(result),
                // Everything was made void meanwhile: once more, from the beginning.
                None if self.fetch.deadline.remaining().is_zero() => return Ok(Err(Failed::busy().into())),
                None => {}
            }
        }
    }

    /// A person wants a certificate that is new; and servers and authorities, where nothing is known of them yet, come from the cloud only.
    fn needs_the_cloud(&self) -> bool {
        let is_unknown = || self.slot.record().is_none_or(|record| record.ca_pem.is_none());
        let env = &self.slot.session.host.env;
        self.slot.request.requester == Requester::Person || ClusterInfo::without_ca(env).is_some() && is_unknown()
    }

    /// It is our turn: asks the cloud at its pace, and tells the others what came of it. From here on a register that fails is no
    /// reason to ask the cloud again. `None`: what came was made void meanwhile.
    fn issue(
        &self,
        flight: &mut Flight<'_>,
        current: Option<CacheEntry>,
        issue: &Issue<'_>,
    ) -> Option<Result<ObtainedCertificate>> {
        let log = &self.slot.session.log;
        let place = match self.place.pace().take(flight.now(), self.soon()) {
            // A moment ago it answered, so it has too much to do. Who has time waits rather than take somebody else's place.
            Err(RegisterError::Http(HttpError::Timeout { .. })) if self.fetch.deadline.remaining() > MUCH_TIME => {
                Ok(Some(CROWDED))
            }
            taken => taken,
        };
        let is_asked = !matches!(place, Ok(Some(_)));
        let issued = match place {
            Ok(Some(wait)) => Err(Failed::throttled(wait).into()),
            taken => {
                if let Err(error) = taken {
                    log.info(|| format!("the shared pace is not kept: {error}"));
                }
                let deadline = self.fetch.deadline;
                issue(current.as_ref().map_or(deadline, |_| deadline.at_most(RENEWAL)))
            }
        };
        match issued {
            Ok(obtained) => match flight.publish(&obtained.entry, self.soon()) {
                Ok(Published::Void) => {
                    log.info(|| "revoked while it was fetched: the certificate is not used".to_owned());
                    self.slot.cache().store.delete(self.slot.key.account());
                    None
                }
                Ok(_) => Some(Ok(obtained)),
                Err(error) => {
                    log.info(|| format!("the new certificate is not shared: {error}"));
                    Some(Ok(obtained))
                }
            },
            Err(error) => {
                if let Err(error) = self.tell(flight, &error, is_asked) {
                    log.info(|| format!("the failure is not shared: {error}"));
                }
                Some(match current {
                    Some(entry) => {
                        log.info(|| format!("not renewed, the shared certificate is served: {error}"));
                        Ok(self.adopt(entry, flight.now()))
                    }
                    None => Err(error),
                })
            }
        }
    }

    /// Ends our turn. Only that the cloud throttles this identity is the others' failure too; whatever else failed may be this machine's.
    fn tell(&self, flight: &mut Flight<'_>, error: &Error, is_asked: bool) -> std::result::Result<(), RegisterError> {
        if !error.is_throttled() {
            return flight.give_up(self.soon());
        }
        let pause = error.retry_after().unwrap_or(THROTTLED);
        let now = flight.now();
        if is_asked {
            self.place.pace().pause(now, now + pause, self.soon())?;
        }
        let failure = SharedFailure {
            until: now + pause,
            text: error.cause(),
            hint: error.hint(),
            exit: error.exit().code(),
            throttled: true,
        };
        flight.fail(failure, self.soon())
    }

    /// What the others' certificate is worth at the time `now` of the engine.
    fn worth(&self, entry: &CacheEntry, now: DateTime<Utc>) -> Worth {
        if !self.is_ours(entry) {
            return Worth::Nothing;
        }
        // It carries no skew: the schedule is by the cloud's clock, and so is the engine's time.
        let schedule = Schedule::of(entry, &self.slot.session.host.clock);
        match (self.fetch.policy, schedule.freshness(now)) {
            (_, Freshness::Expired) | (CachePolicy::Newer, _) => Worth::Nothing,
            (CachePolicy::NotThis(refused), _) if entry.cert == *refused => Worth::Nothing,
            (CachePolicy::HalfLeft, _) if !schedule.has_half_left(now) => Worth::Ageing,
            (_, Freshness::Fresh) => Worth::Good,
            _ if !self.has(entry) && is_early(&schedule, &self.slot.key, now) => Worth::Good,
            _ => Worth::Ageing,
        }
    }

    /// It is the one that we hold.
    fn has(&self, entry: &CacheEntry) -> bool {
        self.fetch.current.is_some_and(|current| current.cert == entry.cert)
    }

    /// It is of the kind that was asked for, and of who it has always been.
    fn is_ours(&self, entry: &CacheEntry) -> bool {
        let request = self.slot.request;
        let life = entry.cert.not_after - entry.fetched_at;
        let is_asked_for = match request.certificate.lifetime.span() {
            None => true,
            Some(asked) if request.is_lifetime_strict => (life - asked).abs() <= LIFETIME_TOLERANCE,
            // Some clouds grant whole days.
            Some(asked) => life <= TimeDelta::days(asked.num_days() + 1) + LIFETIME_TOLERANCE,
        };
        let known = self.slot.record();
        let is_same_user =
            request.identity.is_federated() || known.is_none_or(|known| known.user_id == entry.cert.common_name);
        let is_meant = whose::check_certificate(self.slot.session, request, &entry.cert.common_name).is_ok();
        is_asked_for && is_same_user && is_meant
    }

    /// Keeps another machine's certificate here like our own.
    fn adopt(&self, entry: CacheEntry, now: DateTime<Utc>) -> ObtainedCertificate {
        let (slot, session) = (self.slot, self.slot.session);
        let not_after = entry.cert.not_after;
        session.log.info(|| {
            format!(
                "{}: found a certificate until {not_after}",
                self.place.register.describe()
            )
        });
        let entry = CacheEntry {
            requested_at: session.host.clock.now(),
            generation: tombstone::generation(&session.directories, &slot.key),
            skew: Skew::measured(now, &session.host.clock),
            ..entry
        };
        let record = record(slot.request, &entry, slot.record());
        let kept_in = slot.cache().put(&slot.key, &entry, record);
        ObtainedCertificate::adopted(entry, kept_in)
    }

    /// Waits for a moment; `false` if there is no time for it, or no need: who holds a certificate serves it.
    fn pause(&self, has_waited: bool) -> bool {
        if self.fetch.current.is_some() {
            return false;
        }
        let pause = if has_waited { PAUSES.1 } else { PAUSES.0 };
        let pause = pause.mul_f64(1.0 + self.slot.session.host.processes.jitter());
        if self.fetch.deadline.remaining() <= pause {
            return false;
        }
        std::thread::sleep(pause);
        true
    }

    fn soon(&self) -> Deadline {
        self.fetch.deadline.at_most(PATIENCE)
    }
}

/// In the first part of its window a certificate of many clusters that were set up in one minute is renewed at different times.
fn is_early(schedule: &Schedule, key: &CacheKey, now: DateTime<Utc>) -> bool {
    let last = key.account().bytes().last().unwrap_or_default();
    now < schedule.renew_from + schedule.window() / 64 * i32::from(last % 16)
}

/// What is known of a certificate that came without servers and authorities: what was known before stays.
fn record(wanted: &CertificateRequest<'_>, entry: &CacheEntry, before: Option<CertificateRecord>) -> CertificateRecord {
    let new = CertificateRecord {
        version: CertificateRecord::VERSION,
        region: wanted.target.region.to_string(),
        project_id: wanted.target.project_id.to_string(),
        cluster_id: wanted.target.cluster_id.to_string(),
        pin: wanted.identity.identity_argument(),
        user_id: sanitize(&entry.cert.common_name),
        asked: wanted.certificate.lifetime.to_string(),
        fetched_at: entry.fetched_at,
        not_after: entry.cert.not_after,
        stores: Holders::default(),
        file_directory: None,
        servers: Vec::new(),
        custom_san_servers: Vec::new(),
        ca_pem: None,
        chosen_server: None,
        tls_server_name: None,
        completed_at: None,
    };
    match before {
        None => new,
        Some(before) => CertificateRecord {
            servers: before.servers,
            custom_san_servers: before.custom_san_servers,
            ca_pem: before.ca_pem,
            chosen_server: before.chosen_server,
            tls_server_name: before.tls_server_name,
            completed_at: before.completed_at,
            ..new
        },
    }
}
