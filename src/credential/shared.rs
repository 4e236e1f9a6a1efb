//! The other machines' half of the single flight: what one of them has fetched, all of them take.
//!
//! Asked only where the cloud would be asked next, under the key's local lock. A register that cannot be used is never a reason to fail: it
//! costs two seconds at most, once in five minutes on a machine that can remember that.

use crate::cache::entry::CacheEntry;
use crate::cache::freshness::{Freshness, Schedule};
use crate::cache::holders::Holders;
use crate::cache::index::CertificateRecord;
use crate::cache::{CacheKey, tombstone};
use crate::credential::request::{CachePolicy, CertificateRequest, FetchRequest, Requester};
use crate::credential::slot::{CertificateSlot, ObtainedCertificate};
use crate::credential::whose;
use crate::env_vars;
use crate::error::{Error, Exit, Explain, Result};
use crate::exec_credential::ClusterInfo;
use crate::host::{Deadline, Input, Skew, random_u64};
use crate::http::HttpError;
use crate::huaweicloud::cce::cluster_cert::LIFETIME_TOLERANCE;
use crate::huaweicloud::signing::short_hash;
use crate::identity::Identity;
use crate::ids::Endpoint;
use crate::register::flight::{Flight, Published, Step, Worth};
use crate::register::pace::Pace;
use crate::register::{
    Kubernetes, Register, RegisterError, SealingKey, SharedCache, SharedFailure, Vault, VaultAccess,
};
use crate::secret::Secret;
use crate::session::Session;
use crate::store::TimeOutMarker;
use chrono::{DateTime, TimeDelta, Utc};
use std::path::Path;
use std::time::Duration;

/// The longest that one operation of a register may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// The first pause while another machine is fetching, and the later ones; each with as much again by chance.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_millis(300));
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
/// Notes that a register could not be used.
const MARKER: &str = "shared-cache-failed";
/// The name of the value that shows whether we may write.
const PROBE: &str = "probe";
/// A key file must hold so many bytes.
const SHORTEST_KEY: usize = 32;

/// Asks the cloud.
type Issue<'i> = dyn Fn(Deadline) -> Result<ObtainedCertificate> + 'i;

/// Asks the cloud once for all machines. `issue` asks it, and is over by the deadline that it is given.
pub(crate) fn fetch(
    slot: &CertificateSlot<'_>,
    fetch: &FetchRequest<'_>,
    issue: &Issue<'_>,
) -> Result<ObtainedCertificate> {
    let session = slot.session;
    let place = match Place::open(session, &slot.request.sharing(), &slot.key) {
        Ok(Some(place)) if place.is_left_alone(session) => return issue(fetch.deadline),
        Ok(Some(place)) => place,
        Ok(None) => return issue(fetch.deadline),
        Err(error) => {
            session.log.info(|| format!("the shared cache is not used: {error}"));
            return issue(fetch.deadline);
        }
    };
    let place = &place;
    match (Run { slot, fetch, place }).together(issue) {
        Ok(result) => result,
        Err(error) => {
            place.skip_for_a_while(session, &error);
            issue(fetch.deadline)
        }
    }
}

/// Who shares, and through what.
pub(crate) struct Sharing<'a> {
    pub(crate) identity: &'a Identity,
    /// CCE's.
    pub(crate) endpoint: Endpoint,
    pub(crate) shared_cache: &'a SharedCache,
}

impl CertificateRequest<'_> {
    pub(crate) fn sharing(&self) -> Sharing<'_> {
        Sharing {
            identity: self.identity,
            endpoint: self.endpoint(),
            shared_cache: &self.certificate.shared_cache,
        }
    }
}

/// A register, and our place in it.
struct Place<'e> {
    register: Box<dyn Register + 'e>,
    name: String,
    pace: String,
    key: Option<SealingKey>,
    marker: TimeOutMarker,
}

impl<'e> Place<'e> {
    /// The place of what is filed under `key`; `None` where nothing is shared.
    fn open(session: &'e Session<'_>, sharing: &Sharing<'_>, key: &CacheKey) -> Result<Option<Self>> {
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
    fn is_left_alone(&self, session: &Session<'_>) -> bool {
        let since = self.marker.recent();
        if let Some(since) = since {
            let log = &session.log;
            log.info(|| format!("the shared cache is left alone: it could not be used at {since}"));
        }
        since.is_some()
    }

    fn skip_for_a_while(&self, session: &Session<'_>, error: &RegisterError) {
        session
            .log
            .info(|| format!("the shared cache is left alone for a while: {error}"));
        self.marker.note(Duration::ZERO);
    }

    fn flight(&self, session: &'e Session<'_>) -> Flight<'_> {
        Flight::new(
            self.register.as_ref(),
            &session.host.clock,
            self.name.clone(),
            self.key.as_ref(),
            random_u64(),
        )
    }

    fn pace(&self) -> Pace<'_> {
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
            let profile = sharing.identity.profile().and_then(|profile| profile.vault.as_ref());
            let access = VaultAccess::find(env, profile)?;
            Ok(Box::new(Vault::new(env, access, mount, path)?))
        }
        SharedCache::Kubernetes { namespace } => Ok(Box::new(Kubernetes::in_pod(env, namespace.as_deref())?)),
    }
}

/// What values are sealed with: a key file that is named, else the identity's secret access key, else nothing but the engine.
fn sealing_key(session: &Session<'_>, sharing: &Sharing<'_>) -> Result<Option<SealingKey>> {
    let named = session.host.env.var(env_vars::SHARED_KEY_FILE);
    let of_profile = || sharing.identity.profile()?.shared_key_file.clone();
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
    let secret = sharing.identity.sealing_secret(&|kind| session.secrets(kind))?;
    Ok(secret.map(SealingKey::of))
}

/// One run's part in it.
struct Run<'r> {
    slot: &'r CertificateSlot<'r>,
    fetch: &'r FetchRequest<'r>,
    place: &'r Place<'r>,
}

impl Run<'_> {
    /// `Err`: the register cannot be used, and the cloud has not been asked.
    fn together(&self, issue: &Issue<'_>) -> std::result::Result<Result<ObtainedCertificate>, RegisterError> {
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
        user_id: crate::sanitize::sanitize(&entry.cert.common_name),
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

/// Makes everybody's certificate under `key` void, also one that is being fetched in this moment. `false` where nothing is shared.
pub(crate) fn void(session: &Session<'_>, sharing: &Sharing<'_>, key: &CacheKey) -> Result<bool> {
    let doing = || {
        format!(
            "failed to make the certificate void in the shared cache `{}`",
            sharing.shared_cache
        )
    };
    let Some(place) = Place::open(session, sharing, key).map_err(|error| error.doing(doing()))? else {
        return Ok(false);
    };
    let deadline = session.deadline.at_most(3 * PATIENCE);
    let mut flight = place.flight(session);
    loop {
        match flight.void(deadline) {
            Ok(true) => return Ok(true),
            Ok(false) if deadline.remaining() > PAUSES.1 => std::thread::sleep(PAUSES.1),
            Ok(false) => {
                let place = place.register.describe();
                return Err(Error::from(RegisterError::Behind { place }).doing(doing()));
            }
            Err(error) => return Err(Error::from(error).doing(doing())),
        }
    }
}

/// What a register shows of itself.
pub(crate) struct Examined {
    /// Which, and where.
    pub(crate) place: String,
    pub(crate) is_sealed: bool,
    /// When the certificate in it came.
    pub(crate) fetched_at: Option<DateTime<Utc>>,
}

/// Reads our place, and writes, twice, into one that nobody uses. `None`: nothing is to be shared; inside, nothing can be.
pub(crate) fn examine(
    session: &Session<'_>,
    sharing: &Sharing<'_>,
    key: &CacheKey,
) -> Option<Result<Option<Examined>>> {
    if !sharing.shared_cache.is_some() {
        return None;
    }
    let look = || -> Result<Option<Examined>> {
        let Some(place) = Place::open(session, sharing, key)? else {
            return Ok(None);
        };
        let deadline = session.deadline.at_most(3 * PATIENCE);
        let mut flight = place.flight(session);
        flight.look(&|_, _| Worth::Nothing, deadline)?;
        for _ in 0..2 {
            let seen = place.register.read(PROBE, deadline)?;
            let value = Secret::new(b"{}".to_vec());
            place.register.swap(PROBE, &seen.version, &value, deadline)?;
        }
        Ok(Some(Examined {
            place: place.register.describe(),
            is_sealed: place.key.is_some(),
            fetched_at: flight.seen().entry.as_ref().map(|entry| entry.fetched_at),
        }))
    };
    Some(look())
}

/// What another machine met, or why we do not wait for it.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Failed {
    text: String,
    hint: Option<String>,
    exit: Exit,
    retry_after: Option<TimeDelta>,
    is_throttled: bool,
}

impl Failed {
    fn of(failure: &SharedFailure, now: DateTime<Utc>) -> Self {
        Self {
            text: crate::sanitize::sanitize(&failure.text),
            hint: failure.hint.as_deref().map(crate::sanitize::sanitize),
            exit: Exit::from_code(failure.exit),
            retry_after: Some((failure.until - now).max(TimeDelta::seconds(1))),
            is_throttled: failure.throttled,
        }
    }

    fn throttled(wait: TimeDelta) -> Self {
        let seconds = wait.num_seconds().max(1);
        Self {
            text: "the machines that share this identity have asked for ten certificates in the last minute".to_owned(),
            hint: Some(format!(
                "try again in {seconds} seconds, or allow more time with `--timeout 5m`"
            )),
            exit: Exit::Temporary,
            retry_after: Some(wait),
            is_throttled: true,
        }
    }

    fn busy() -> Self {
        Self {
            text: "another machine is fetching the certificate and does not come to an end".to_owned(),
            hint: Some("try again".to_owned()),
            exit: Exit::Temporary,
            retry_after: None,
            is_throttled: false,
        }
    }
}

impl Explain for Failed {
    fn exit(&self) -> Exit {
        self.exit
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }

    fn retry_after(&self) -> Option<TimeDelta> {
        self.retry_after
    }

    fn is_throttled(&self) -> bool {
        self.is_throttled
    }
}
