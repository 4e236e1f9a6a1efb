//! Many machines and one register, in every order of steps, with deaths and tombstones in between.

use cce_login::cache::entry::CacheEntry;
use cce_login::certificate::ClientCert;
use cce_login::host::{Clock, Deadline, Skew};
use cce_login::register::flight::{Flight, Published, Step, TURN, Worth};
use cce_login::register::{Reading, Register, RegisterError, SealingKey, SharedFailure, Swap, Version};
use cce_login::secret::Secret;
use cce_sim::Sim;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// An engine's clock and values, in memory.
struct Memory {
    now: Arc<AtomicI64>,
    values: RefCell<(u64, Option<Secret<Vec<u8>>>)>,
}

impl Register for Memory {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    fn read(&self, _: &str, _: Deadline) -> Result<Reading, RegisterError> {
        let (version, value) = self.values.borrow().clone();
        Ok(Reading {
            version: Version((version > 0).then(|| version.to_string())),
            value,
            now: DateTime::from_timestamp(self.now.load(Ordering::SeqCst), 0),
        })
    }

    fn swap(&self, _: &str, version: &Version, value: &Secret<Vec<u8>>, _: Deadline) -> Result<Swap, RegisterError> {
        let mut values = self.values.borrow_mut();
        if *version != Version((values.0 > 0).then(|| values.0.to_string())) {
            return Ok(Swap::Lost);
        }
        *values = (values.0 + 1, Some(value.clone()));
        Ok(Swap::Done(Version(Some(values.0.to_string()))))
    }

    fn delete(&self, name: &str, version: &Version, deadline: Deadline) -> Result<Swap, RegisterError> {
        self.swap(name, version, &Secret::new(Vec::new()), deadline)
    }
}

/// What happens next.
#[derive(Debug, Clone)]
enum Event {
    /// This machine takes its next step.
    Step(usize),
    /// This machine dies, and another one takes its place.
    Dies(usize),
    /// The cloud fails this machine, if it is asking it.
    Fails(usize),
    /// So many seconds pass.
    Passes(i64),
    /// Somebody revokes.
    Void,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        20 => (0..MACHINES).prop_map(Event::Step),
        1 => (0..MACHINES).prop_map(Event::Dies),
        1 => (0..MACHINES).prop_map(Event::Fails),
        2 => (1..6_i64).prop_map(Event::Passes),
        1 => Just(Event::Void),
    ];
    prop::collection::vec(event, 1..120)
}

const MACHINES: usize = 4;
/// An entry that is as old as this is to be renewed.
const AGEING: TimeDelta = TimeDelta::seconds(30);

/// Where a machine stands.
enum State {
    Looks,
    Claims,
    /// Since then, of this generation.
    Fetches(DateTime<Utc>, usize),
    Publishes(Box<CacheEntry>, usize),
    Has,
    Failed,
}

struct Machine<'m> {
    flight: Flight<'m>,
    state: State,
}

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

fn certificate() -> ClientCert {
    let sim = Sim::start();
    let issued = sim.issue_certificate("prod", "alice", Duration::from_secs(3600));
    ClientCert::from_pem(issued.certificate.as_bytes(), issued.key.as_bytes()).unwrap()
}

fn key() -> SealingKey {
    SealingKey::of(Secret::new(vec![7; 40]))
}

fn new_machine<'m>(memory: &'m Memory, clock: &'m Clock, key: &'m SealingKey, number: u64) -> Machine<'m> {
    Machine {
        flight: Flight::new(memory, clock, "cert-1".to_owned(), Some(key), number),
        state: State::Looks,
    }
}

/// Plays the events, and checks at each step what must always hold. The number of certificates that were asked for.
#[expect(clippy::too_many_lines, reason = "one table of what can happen next")]
fn play(events: &[Event], certificate: &ClientCert) -> usize {
    let (now, key) = (Arc::new(AtomicI64::new(1_800_000_000)), key());
    let memory = Memory {
        now: now.clone(),
        values: RefCell::default(),
    };
    // Each machine's own clock is wrong by an hour or so; only the engine's counts.
    let clocks: Vec<(Clock, Arc<AtomicI64>)> = (0..MACHINES)
        .map(|_| {
            let own = Arc::new(AtomicI64::new(0));
            let booted_at = Arc::default();
            let now = own.clone();
            (Clock::Fixed { now, booted_at }, own)
        })
        .collect();
    let offset = |number: usize| 3600 * i64::try_from(number).unwrap() - 5400;
    let set_clocks = || {
        for (number, (_, own)) in clocks.iter().enumerate() {
            own.store(now.load(Ordering::SeqCst) + offset(number), Ordering::SeqCst);
        }
    };
    set_clocks();
    let engine_now = || DateTime::from_timestamp(now.load(Ordering::SeqCst), 0).unwrap();
    let mut born = 100;
    let mut machines: Vec<Machine<'_>> = clocks
        .iter()
        .map(|(clock, _)| {
            born += 1;
            new_machine(&memory, clock, &key, born)
        })
        .collect();
    // Of which generation each certificate is, by the second in which it came.
    let mut issued: Vec<(DateTime<Utc>, usize)> = Vec::new();
    let mut generation = 0;
    let mut asked = 0;
    for event in events {
        match *event {
            Event::Passes(seconds) => {
                now.fetch_add(seconds, Ordering::SeqCst);
                set_clocks();
            }
            Event::Void => {
                let (clock, _) = &clocks[0];
                let mut flight = Flight::new(&memory, clock, "cert-1".to_owned(), Some(&key), 1);
                assert!(flight.void(deadline()).unwrap());
                generation += 1;
            }
            Event::Dies(number) => {
                born += 1;
                machines[number] = new_machine(&memory, &clocks[number].0, &key, born);
            }
            Event::Fails(number) => {
                if matches!(machines[number].state, State::Fetches(..)) {
                    let failure = SharedFailure {
                        until: machines[number].flight.now() + TimeDelta::seconds(5),
                        text: "no".to_owned(),
                        hint: None,
                        exit: 4,
                        throttled: true,
                    };
                    machines[number].flight.fail(failure, deadline()).unwrap();
                    machines[number].state = State::Failed;
                }
            }
            Event::Step(number) => {
                // Nobody else's turn runs, unless it was taken away.
                let others = machines.iter().enumerate().filter(|(other, _)| *other != number);
                let running = others
                    .filter(|(_, machine)| {
                        matches!(machine.state, State::Fetches(since, of) if engine_now() < since + TURN && of == generation)
                    })
                    .count();
                let machine = &mut machines[number];
                let ageing = |entry: &CacheEntry, now: DateTime<Utc>| {
                    assert_eq!(now, engine_now(), "whatever our own clock says");
                    if now - entry.fetched_at < AGEING {
                        Worth::Good
                    } else {
                        Worth::Ageing
                    }
                };
                machine.state = match std::mem::replace(&mut machine.state, State::Failed) {
                    State::Looks => match machine.flight.look(&ageing, deadline()).unwrap() {
                        Step::Adopt(entry) => {
                            let of = issued.iter().find(|(at, _)| *at == entry.fetched_at);
                            assert_eq!(
                                of.map(|(_, of)| *of),
                                Some(generation),
                                "what is void, or was never issued, is not served"
                            );
                            State::Has
                        }
                        Step::Fail(_) => State::Failed,
                        Step::Wait => State::Looks,
                        Step::Claim(_) => State::Claims,
                    },
                    State::Claims => {
                        if machine.flight.claim(deadline()).unwrap() {
                            assert_eq!(running, 0, "two have the turn");
                            State::Fetches(engine_now(), generation)
                        } else {
                            State::Looks
                        }
                    }
                    State::Fetches(_, of) => {
                        asked += 1;
                        // No two in the same second, so that they can be told apart.
                        let at = issued.last().map_or(engine_now(), |(last, _)| {
                            engine_now().max(*last + TimeDelta::seconds(1))
                        });
                        issued.push((at, of));
                        State::Publishes(Box::new(entry(certificate, at)), of)
                    }
                    State::Publishes(entry, of) => match machine.flight.publish(&entry, deadline()).unwrap() {
                        Published::Done | Published::Late => {
                            assert_eq!(of, generation, "a tombstone was lost");
                            State::Has
                        }
                        Published::Void => {
                            assert_ne!(of, generation);
                            State::Looks
                        }
                    },
                    done @ (State::Has | State::Failed) => done,
                };
            }
        }
    }
    asked
}

fn entry(cert: &ClientCert, at: DateTime<Utc>) -> CacheEntry {
    CacheEntry {
        cert: cert.clone(),
        requested_at: at,
        fetched_at: at,
        generation: cce_login::cache::tombstone::Generation::default(),
        skew: Skew::default(),
    }
}

#[test]
fn whatever_the_order_nobody_gets_what_is_void_and_one_has_the_turn() {
    let certificate = certificate();
    let config = ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(events in events())| {
        play(&events, &certificate);
    });
}

#[test]
fn where_nobody_dies_one_asks_the_cloud() {
    let certificate = certificate();
    let steps = prop::collection::vec((0..MACHINES).prop_map(Event::Step), 4 * MACHINES..100);
    let config = ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(events in steps)| {
        prop_assert!(play(&events, &certificate) <= 1);
    });
}
