//! What an endpoint can do and how its clock stands to ours.

use crate::host::{Clock, Directories, Skew};
use crate::huaweicloud::observed::{read, write};
use crate::ids::Endpoint;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// How long something is believed: clouds learn new things too.
const BELIEVED_FOR: TimeDelta = TimeDelta::days(1);
/// The directory of the files.
const KIND: &str = "endpoints";

/// Which header form an endpoint's gateway accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SignatureForm {
    /// `Access=…`, as the official SDKs send it.
    #[default]
    Modern,
    /// `Credential=…` with a scope, as gophertelekomcloud sends it.
    Legacy,
}

impl SignatureForm {
    /// The other one.
    #[must_use]
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Modern => Self::Legacy,
            Self::Legacy => Self::Modern,
        }
    }
}

/// What is known of an endpoint; the default is what the documentation promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct EndpointTraits {
    /// The form to sign in.
    pub(crate) signature: SignatureForm,
    /// It took the legacy form only, once.
    pub(crate) has_needed_legacy: bool,
    /// `expire_at` is refused or ignored: certificates live whole days.
    pub(crate) grants_days_only: bool,
    /// The same of the paths of Autopilot clusters.
    pub(crate) grants_days_only_to_autopilot: bool,
    /// Its clock and ours.
    pub(crate) skew: Skew,
}

impl EndpointTraits {
    /// Certificates live whole days, for this kind of cluster.
    pub(crate) fn days_only(&mut self, is_autopilot: bool) -> &mut bool {
        if is_autopilot {
            &mut self.grants_days_only_to_autopilot
        } else {
            &mut self.grants_days_only
        }
    }
}

/// The written form: since when each thing is known.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Written {
    version: u32,
    endpoint: String,
    legacy_signature_since: Option<DateTime<Utc>>,
    days_only_since: Option<DateTime<Utc>>,
    days_only_for_autopilot_since: Option<DateTime<Utc>>,
    skew_seconds: i64,
    booted_at: Option<DateTime<Utc>>,
}

/// The version that is written; others are not read.
const VERSION: u32 = 1;

impl Written {
    fn traits(&self, now: DateTime<Utc>) -> EndpointTraits {
        let is_believed = |since: Option<DateTime<Utc>>| {
            since.is_some_and(|since| (now - since) < BELIEVED_FOR && (since - now) < BELIEVED_FOR)
        };
        EndpointTraits {
            signature: if is_believed(self.legacy_signature_since) {
                SignatureForm::Legacy
            } else {
                SignatureForm::Modern
            },
            has_needed_legacy: self.legacy_signature_since.is_some(),
            grants_days_only: is_believed(self.days_only_since),
            grants_days_only_to_autopilot: is_believed(self.days_only_for_autopilot_since),
            skew: Skew::noted(self.skew_seconds, self.booted_at),
        }
    }

    /// Takes `traits` over; what was known already keeps its age, so that it is found out anew after a day.
    fn update(&mut self, traits: &EndpointTraits, now: DateTime<Utc>) {
        let had = self.traits(now);
        let since = |is: bool, was: bool, since: Option<DateTime<Utc>>| {
            is.then_some(now).map(|now| since.filter(|_| was).unwrap_or(now))
        };
        let is_legacy = |traits: &EndpointTraits| traits.signature == SignatureForm::Legacy;
        self.legacy_signature_since = since(is_legacy(traits), is_legacy(&had), self.legacy_signature_since);
        self.days_only_since = since(traits.grants_days_only, had.grants_days_only, self.days_only_since);
        self.days_only_for_autopilot_since = since(
            traits.grants_days_only_to_autopilot,
            had.grants_days_only_to_autopilot,
            self.days_only_for_autopilot_since,
        );
        self.skew_seconds = traits.skew.seconds();
        self.booted_at =
            DateTime::from_timestamp(traits.skew.booted_at_seconds(), 0).filter(|_| self.skew_seconds != 0);
    }
}

/// The endpoints of a run: each is read once, and written when something new is learnt.
pub(crate) struct Endpoints<'a> {
    directories: &'a Directories,
    clock: &'a Clock,
    known: RefCell<BTreeMap<String, EndpointTraits>>,
}

impl<'a> Endpoints<'a> {
    /// Knows what earlier runs wrote down in `directories`.
    pub(crate) fn new(directories: &'a Directories, clock: &'a Clock) -> Self {
        Self {
            directories,
            clock,
            known: RefCell::default(),
        }
    }

    /// What is known of `endpoint`.
    pub(crate) fn traits(&self, endpoint: &Endpoint) -> EndpointTraits {
        let name = endpoint.as_str();
        let mut known = self.known.borrow_mut();
        *known
            .entry(name.to_owned())
            .or_insert_with(|| self.written(name).traits(self.clock.now()))
    }

    /// Learns something about `endpoint`.
    pub(crate) fn learn(&self, endpoint: &Endpoint, change: impl FnOnce(&mut EndpointTraits)) {
        let had = self.traits(endpoint);
        let mut traits = had;
        change(&mut traits);
        let is_news = EndpointTraits {
            skew: had.skew,
            ..traits
        } != had
            || !traits.skew.is_like(&had.skew, self.clock);
        self.known.borrow_mut().insert(endpoint.as_str().to_owned(), traits);
        if is_news {
            let mut written = self.written(endpoint.as_str());
            written.update(&traits, self.clock.now());
            write(self.directories, KIND, endpoint.as_str(), &written);
        }
    }

    fn written(&self, name: &str) -> Written {
        let written: Option<Written> = read(self.directories, KIND, name);
        written.filter(|w| w.version == VERSION).unwrap_or_else(|| Written {
            version: VERSION,
            endpoint: name.to_owned(),
            ..Written::default()
        })
    }
}
