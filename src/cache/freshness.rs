//! When a certificate is served, when a new one is due, and when the client shall ask again. Pure arithmetic.

use crate::cache::entry::CacheEntry;
use crate::host::Clock;
use chrono::{DateTime, TimeDelta, Utc};

/// The shortest step by which a client is told to ask again.
const SHORTEST_STEP: TimeDelta = TimeDelta::seconds(1);
/// The longest such step inside the renewal window.
const LONGEST_STEP: TimeDelta = TimeDelta::seconds(60);

/// How a certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// More is left than the renewal window: served, nothing else.
    Fresh,
    /// Inside the window: served, and it is time to renew.
    Renewable,
    /// In its last moments: a new one is fetched first, and this one served where that is impossible.
    MustRenew,
    /// Expired: useless.
    Expired,
}

/// The moments of a certificate's life, by the server's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// From here on it may be renewed.
    pub(crate) renew_from: DateTime<Utc>,
    /// From here on it is in its last moments.
    pub(crate) due_from: DateTime<Utc>,
    /// Until here at least half of its life is left.
    half_until: DateTime<Utc>,
    not_after: DateTime<Utc>,
    /// The server's clock minus ours.
    skew: TimeDelta,
}

impl Schedule {
    /// Life = `NotAfter` − fetching; window = min(life/3, max(life/4, 5 min)); last moment = min(60 s, life/10).
    ///
    /// `clock` tells whether the skew of the entry still holds.
    pub fn of(entry: &CacheEntry, clock: &Clock) -> Self {
        let not_after = entry.cert.not_after;
        let life = (not_after - entry.fetched_at).max(TimeDelta::zero());
        let window = (life / 3).min((life / 4).max(TimeDelta::minutes(5)));
        let last_moment = (life / 10).min(TimeDelta::seconds(60));
        Self {
            renew_from: not_after - window,
            due_from: not_after - last_moment,
            half_until: not_after - life / 2,
            not_after,
            skew: entry.skew.now(clock),
        }
    }

    /// How the certificate stands at `now`, by our clock.
    pub fn freshness(&self, now: DateTime<Utc>) -> Freshness {
        let server_now = now + self.skew;
        if server_now >= self.not_after {
            Freshness::Expired
        } else if server_now >= self.due_from {
            Freshness::MustRenew
        } else if server_now >= self.renew_from {
            Freshness::Renewable
        } else {
            Freshness::Fresh
        }
    }

    /// Whether at least half of the certificate's life is left at `now`, by our clock.
    pub(crate) fn has_half_left(&self, now: DateTime<Utc>) -> bool {
        now + self.skew <= self.half_until
    }

    /// The length of the renewal window.
    pub(crate) fn window(&self) -> TimeDelta {
        self.not_after - self.renew_from
    }

    /// How much of the certificate's life is left at `now`, by our clock; negative when it is over.
    pub(crate) fn left(&self, now: DateTime<Utc>) -> TimeDelta {
        self.not_after - (now + self.skew)
    }

    /// When the client shall ask again, by our clock, in whole seconds: the start of the window; inside it a short step
    /// ahead. Never past, never after `NotAfter`.
    pub fn ask_again(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let local = |server_time: DateTime<Utc>| whole_seconds(server_time - self.skew);
        let end = local(self.not_after);
        let soonest = whole_seconds(now) + SHORTEST_STEP;
        let wanted = match self.freshness(now) {
            Freshness::Fresh => local(self.renew_from),
            Freshness::Renewable | Freshness::MustRenew | Freshness::Expired => {
                let left = (end - now).max(TimeDelta::zero());
                whole_seconds(now + (left / 8).clamp(SHORTEST_STEP, LONGEST_STEP))
            }
        };
        wanted.max(soonest).min(end.max(soonest))
    }
}

fn whole_seconds(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(time.timestamp(), 0).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::fixtures::{at, entry};
    use crate::host::Skew;

    /// Eight hours from second 0 of the server's clock, which is `offset` seconds ahead of ours.
    fn schedule(offset: i64) -> Schedule {
        let mut entry = CacheEntry {
            fetched_at: at(0),
            skew: Skew::noted(offset, None),
            ..entry()
        };
        entry.cert.not_after = at(8 * 3600);
        Schedule::of(&entry, &Clock::System)
    }

    #[test]
    fn what_is_left_is_told_by_the_servers_clock() {
        for offset in [-600, 0, 600] {
            let schedule = schedule(offset);
            let left = |seconds| schedule.left(at(seconds - offset)).num_seconds();
            assert_eq!(
                (left(0), left(8 * 3600 - 1), left(8 * 3600 + 5)),
                (8 * 3600, 1, -5),
                "{offset}"
            );
            assert_eq!(schedule.window(), TimeDelta::hours(2));
            let has_half_left = |seconds| schedule.has_half_left(at(seconds - offset));
            assert!(has_half_left(4 * 3600) && !has_half_left(4 * 3600 + 1), "{offset}");
        }
    }

    #[test]
    fn inside_the_window_a_client_comes_back_after_an_eighth_of_what_is_left_and_after_a_minute_at_most() {
        for offset in [-600, 0, 600] {
            let schedule = schedule(offset);
            let step = |left: i64| {
                let now = at(8 * 3600 - left - offset);
                (schedule.ask_again(now) - now).num_seconds()
            };
            let steps = [7200, 481, 480, 479, 80, 8, 7, 1, 0, -5].map(step);
            assert_eq!(steps, [60, 60, 60, 59, 10, 1, 1, 1, 1, 1], "{offset}");
            assert_eq!(step(7201), 1, "{offset}: the start of the window");
        }
    }
}
