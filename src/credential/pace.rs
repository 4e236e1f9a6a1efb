//! The cloud's pace: CCE grants an identity about ten certificates a minute. What was granted in the last minute, to whatever process,
//! tells how long it takes until there is room for one more.

use crate::cache::index;
use crate::session::Session;
use chrono::TimeDelta;
use std::time::Duration;

/// How many certificates a minute are taken by whoever keeps the pace; one more is left to kubectl.
const A_MINUTE: usize = 9;
/// What one certificate takes where many are taken.
const EACH: TimeDelta = TimeDelta::seconds(6);

/// How long to wait for room for one more certificate of the identity with this argument.
pub(crate) fn until_room(session: &Session<'_>, identity_argument: &str) -> Duration {
    let now = session.host.clock.now();
    let minute = TimeDelta::minutes(1);
    let mut ages: Vec<TimeDelta> = index::all(&session.directories)
        .into_iter()
        .filter(|(_, record)| record.pin == identity_argument)
        .map(|(_, record)| (now - record.fetched_at).abs())
        .filter(|age| *age < minute)
        .collect();
    ages.sort();
    let oldest_in_the_way = ages.get(A_MINUTE - 1);
    oldest_in_the_way.map_or(Duration::ZERO, |age| (minute - *age).to_std().unwrap_or_default())
}

/// How long so many certificates take, in words.
pub(crate) fn in_words(count: usize) -> String {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    match (EACH * count).num_minutes() {
        0 => "less than a minute".to_owned(),
        1 => "about a minute".to_owned(),
        minutes => format!("about {minutes} minutes"),
    }
}
