//! The other machines' half of the single flight: what one of them has fetched, all of them take.
//!
//! Asked only where the cloud would be asked next, under the key's local lock. A register that cannot be used is never a reason to fail: it
//! costs two seconds at most, once in five minutes on a machine that can remember that.

mod failed;
mod place;
mod run;

pub(crate) use place::Sharing;

use crate::cache::CacheKey;
use crate::credential::request::{CertificateRequest, FetchRequest};
use crate::credential::slot::{CertificateSlot, ObtainedCertificate};
use crate::error::{Error, Result};
use crate::host::Deadline;
use crate::register::RegisterError;
use crate::register::flight::Worth;
use crate::secret::Secret;
use crate::session::Session;
use chrono::{DateTime, Utc};
use place::Place;
use run::Run;
use std::time::Duration;

/// The longest that one operation of a register may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// The first pause while another machine is fetching, and the later ones; each with as much again by chance.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_millis(300));
/// The name of the value that shows whether we may write.
const PROBE: &str = "probe";

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

impl CertificateRequest<'_> {
    pub(crate) fn sharing(&self) -> Sharing<'_> {
        Sharing {
            identity: self.identity,
            endpoint: self.endpoint(),
            shared_cache: &self.certificate.shared_cache,
        }
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
