//! What was asked of the cloud, and the rules for it: ten certificates a minute and user, no signature twice, nothing before the moment that
//! `Retry-After` names.

use super::scene::{Event, Person, Scene};
use super::trouble::RETRY_AFTER;
use cce_sim::Recorded;
use std::collections::BTreeMap;

/// How long a request may be on its way on a busy machine.
const ON_ITS_WAY_MS: i64 = 1_000;
/// The program tries once more 0.4 s after an answer that it cannot use; by the cloud's clock a little less, on a busy machine.
const TRIED_AGAIN_AFTER_MS: i64 = 300;
/// Who was throttled and killed in the same moment could not tell the others.
const KILLED_BEFORE_IT_WAS_NOTED_MS: i64 = 3_000;

/// The certificate requests of the run.
pub(super) struct Requests {
    all: Vec<Recorded>,
}

impl Requests {
    pub(super) fn of(scene: &Scene<'_>) -> Self {
        let mut all = scene.sim.requests();
        all.retain(|request| request.operation == "clustercert");
        all.sort_by_key(|request| request.at_ms);
        Self { all }
    }

    fn of_person(&self, person: &Person) -> Vec<&Recorded> {
        let is_theirs = |request: &&Recorded| request.access_key_id.as_ref() == Some(&person.access_key);
        self.all.iter().filter(is_theirs).collect()
    }

    pub(super) fn tell(&self, row: &mut impl FnMut(&str, String)) {
        row("certificate requests", self.all.len().to_string());
        let mut issued: BTreeMap<&str, Vec<&Recorded>> = BTreeMap::new();
        for request in &self.all {
            let key = request.access_key_id.as_deref().unwrap_or_default();
            issued.entry(key).or_default().push(request);
        }
        let most = issued
            .values()
            .map(|theirs| most_in_a_minute(theirs))
            .max()
            .unwrap_or(0);
        row("  most of one person in any minute", most.to_string());
        let mut answers: BTreeMap<u16, usize> = BTreeMap::new();
        for request in &self.all {
            *answers.entry(request.status).or_default() += 1;
        }
        for (status, count) in answers {
            let words = match status {
                0 => "  no answer: reset, or nobody there any more".to_owned(),
                status => format!("  answered {status}"),
            };
            row(&words, count.to_string());
        }
    }

    pub(super) fn check(&self, scene: &Scene<'_>) {
        assert!(
            self.all.len() as u64 >= scene.length.as_secs() / 10,
            "hardly anything was fetched"
        );
        let events = scene.events();
        for person in scene.people {
            let theirs = self.of_person(person);
            check_rate(person, &theirs, scene);
            check_no_signature_twice(&theirs, &events);
            check_retry_after(person, &theirs, &events);
        }
    }
}

/// So many on average; no minute has more than twice as many, with those that were refused and those that were killed.
fn check_rate(person: &Person, theirs: &[&Recorded], scene: &Scene<'_>) {
    let minutes = scene.length.as_secs().div_ceil(60) + 1;
    assert!(
        theirs.len() as u64 <= 10 * minutes,
        "{} requests of {}",
        theirs.len(),
        person.user
    );
    let most = most_in_a_minute(theirs);
    assert!(most <= 20, "{most} requests of {} in a minute", person.user);
}

fn most_in_a_minute(requests: &[&Recorded]) -> usize {
    let counts = requests.iter().enumerate().map(|(first, request)| {
        let later = requests[first..].iter();
        later.take_while(|other| other.at_ms - request.at_ms < 60_000).count()
    });
    counts.max().unwrap_or(0)
}

/// The same signed request twice is the same second twice: only where something happened in it. Who asked first was killed before others
/// could see the answer, or the clocks have made it worthless.
fn check_no_signature_twice(theirs: &[&Recorded], events: &[(i64, Event)]) {
    let mut seen = BTreeMap::new();
    // One that failed, also one whose answer broke off, is tried once more 0.4 s later: that may be the same second.
    for request in theirs.iter().filter(|request| request.status == 200) {
        let signature = request.header("authorization").unwrap();
        if let Some(before) = seen.insert(signature, request.at_ms) {
            // What is on its way arrives when who sent it is dead.
            let second = before - ON_ITS_WAY_MS..=request.at_ms;
            let has_happened = events.iter().any(|(at, _)| second.contains(at));
            let is_tried_again = request.at_ms - before >= TRIED_AGAIN_AFTER_MS;
            assert!(
                has_happened || is_tried_again,
                "the same request at {before} and again: {request:?}; {events:?}"
            );
        }
    }
}

/// After a 429 nobody asks for that identity until the time is over; but for who was killed before it could be written down.
fn check_retry_after(person: &Person, theirs: &[&Recorded], events: &[(i64, Event)]) {
    for pair in theirs.windows(2) {
        let [throttled, next] = pair else { continue };
        if throttled.status != 429 {
            continue;
        }
        let noted = throttled.at_ms + KILLED_BEFORE_IT_WAS_NOTED_MS;
        let gap = next.at_ms - throttled.at_ms;
        assert!(
            gap >= RETRY_AFTER * 1000 || is_killed(person, events, throttled.at_ms, noted),
            "{gap} ms after a 429: {next:?}"
        );
    }
}

/// Whether a process of this person's was killed between these moments.
fn is_killed(person: &Person, events: &[(i64, Event)], from: i64, to: i64) -> bool {
    events.iter().any(|(at, event)| {
        matches!(event, Event::Killed { user, .. } if *user == person.user) && (from..=to).contains(at)
    })
}
