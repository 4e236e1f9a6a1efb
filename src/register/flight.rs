//! The other machines' half of the single flight: one of them fetches, all of them get what it fetched.
//!
//! Each step is one operation of the register. Who wins a swap has a turn that ends by itself; a machine that dies costs the others one
//! turn. Without any lock it is right all the same: two that fetch cost a request more, and both certificates are good.

use crate::cache::entry::CacheEntry;
use crate::host::{Clock, Deadline};
use crate::register::seal::SealingKey;
use crate::register::value::{SharedFailure, SharedValue, Turn};
use crate::register::{Register, RegisterError, Swap, Version};
use chrono::{DateTime, TimeDelta, Utc};

/// How long a turn lasts: a request takes a second or two. A longer one counts as one of this length.
pub const TURN: TimeDelta = TimeDelta::seconds(10);
/// A failure answers for the others no longer than this, whoever wrote it.
const LONGEST_FAILURE: TimeDelta = TimeDelta::minutes(2);

/// What a certificate in the register is worth to who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// It will do for a long time.
    Good,
    /// It will do, but it is time for another one.
    Ageing,
    /// It is no use.
    Nothing,
}

/// Says what a certificate is worth at a time.
pub(crate) type Judge<'j> = dyn Fn(&CacheEntry, DateTime<Utc>) -> Worth + 'j;

/// What to do after a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Take this certificate.
    Adopt(Box<CacheEntry>),
    /// Fail as another one has a moment ago.
    Fail(SharedFailure),
    /// Look again in a moment: somebody is fetching.
    Wait,
    /// Ask for the turn; the certificate is what can be served if nothing comes of it.
    Claim(Option<Box<CacheEntry>>),
}

/// How publishing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It lies there.
    Done,
    /// Somebody else's lies there.
    Late,
    /// What was fetched has been made void meanwhile: it must not be used.
    Void,
}

/// One certificate's place in a register, as one run sees it.
pub struct Flight<'r> {
    register: &'r dyn Register,
    clock: &'r Clock,
    name: String,
    key: Option<&'r SealingKey>,
    /// Nobody else has it.
    me: u64,
    seen: Seen,
}

#[derive(Default)]
struct Seen {
    version: Version,
    value: SharedValue,
    /// The engine's time at the last look, less ours.
    ahead: TimeDelta,
}

impl<'r> Flight<'r> {
    /// The place `name`; values are sealed where there is a key. `me` is a random number.
    pub fn new(
        register: &'r dyn Register,
        clock: &'r Clock,
        name: String,
        key: Option<&'r SealingKey>,
        me: u64,
    ) -> Self {
        Self {
            register,
            clock,
            name,
            key,
            me,
            seen: Seen::default(),
        }
    }

    /// Looks what there is. `worth` judges a certificate at the engine's time.
    pub fn look(&mut self, worth: &Judge<'_>, deadline: Deadline) -> Result<Step, RegisterError> {
        let reading = self.register.read(&self.name, deadline)?;
        let value = reading
            .value
            .and_then(|bytes| SharedValue::from_bytes(&self.name, self.key, &bytes));
        self.seen = Seen {
            version: reading.version,
            value: value.unwrap_or_default(),
            ahead: reading.now.map_or(TimeDelta::zero(), |now| now - self.clock.now()),
        };
        Ok(step(&self.seen.value, worth, self.now()))
    }

    /// What was seen at the last look.
    pub(crate) fn seen(&self) -> &SharedValue {
        &self.seen.value
    }

    /// The engine's time.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now() + self.seen.ahead
    }

    /// Asks for the turn; `true` if it is ours.
    pub fn claim(&mut self, deadline: Deadline) -> Result<bool, RegisterError> {
        let claim = Turn {
            until: self.now() + TURN,
            by: self.me,
        };
        let value = SharedValue {
            claim: Some(claim),
            failure: None,
            ..self.seen.value.clone()
        };
        self.swap(value, deadline)
    }

    /// Puts what was fetched into the place of our turn.
    pub fn publish(&mut self, entry: &CacheEntry, deadline: Deadline) -> Result<Published, RegisterError> {
        let value = SharedValue {
            claim: None,
            failure: None,
            void: self.seen.value.void,
            entry: Some(entry.clone()),
        };
        if self.swap(value, deadline)? {
            return Ok(Published::Done);
        }
        let void = self.seen.value.void;
        self.look(&|_, _| Worth::Nothing, deadline)?;
        Ok(if self.seen.value.void == void {
            Published::Late
        } else {
            Published::Void
        })
    }

    /// Ends our turn with a failure, which answers for the others.
    pub fn fail(&mut self, failure: SharedFailure, deadline: Deadline) -> Result<(), RegisterError> {
        let value = SharedValue {
            claim: None,
            failure: Some(failure),
            ..self.seen.value.clone()
        };
        self.swap(value, deadline).map(drop)
    }

    /// Ends our turn without anything to tell.
    pub(crate) fn give_up(&mut self, deadline: Deadline) -> Result<(), RegisterError> {
        let value = SharedValue {
            claim: None,
            ..self.seen.value.clone()
        };
        self.swap(value, deadline).map(drop)
    }

    /// Makes everything void that was fetched until now, also what somebody is fetching in this moment. `false`: somebody was faster, or
    /// what was read is not what is there.
    pub fn void(&mut self, deadline: Deadline) -> Result<bool, RegisterError> {
        self.look(&|_, _| Worth::Nothing, deadline)?;
        // Later than the last one, also within its second.
        let last = self.seen.value.void.map(|last| last + TimeDelta::milliseconds(1));
        let value = SharedValue {
            void: Some(last.map_or(self.now(), |last| last.max(self.now()))),
            ..SharedValue::default()
        };
        self.swap(value, deadline)
    }

    fn swap(&mut self, value: SharedValue, deadline: Deadline) -> Result<bool, RegisterError> {
        let Some(bytes) = value.to_bytes(&self.name, self.key) else {
            return Ok(false);
        };
        match self.register.swap(&self.name, &self.seen.version, &bytes, deadline)? {
            Swap::Done(version) => {
                self.seen.version = version;
                self.seen.value = value;
                Ok(true)
            }
            Swap::Lost => Ok(false),
        }
    }
}

/// What `value` asks for at the time `now`.
fn step(value: &SharedValue, worth: &Judge<'_>, now: DateTime<Utc>) -> Step {
    let found = value.entry.as_ref().map(|entry| (entry, worth(entry, now)));
    let held = match found {
        Some((entry, Worth::Good)) => return Step::Adopt(Box::new(entry.clone())),
        Some((entry, Worth::Ageing)) => Some(Box::new(entry.clone())),
        Some((_, Worth::Nothing)) | None => None,
    };
    let failure = value
        .failure
        .as_ref()
        .filter(|failure| now < failure.until && failure.until - now <= LONGEST_FAILURE);
    let is_taken = value
        .claim
        .as_ref()
        .is_some_and(|claim| now < claim.until && claim.until - now <= TURN + TimeDelta::seconds(1));
    match (held, failure, is_taken) {
        (Some(held), Some(_), _) | (Some(held), _, true) => Step::Adopt(held),
        (None, Some(failure), _) => Step::Fail(failure.clone()),
        (None, None, true) => Step::Wait,
        (held, None, false) => Step::Claim(held),
    }
}
