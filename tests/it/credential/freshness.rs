//! The arithmetic of when a certificate is renewed and when a client asks again, on lives of every length and clocks that are off.

use cce_login::cache::entry::CacheEntry;
use cce_login::cache::freshness::{Freshness, Schedule};
use cce_login::certificate::ClientCert;
use cce_login::host::{Clock, Skew};
use cce_sim::Sim;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::sync::LazyLock;
use std::time::Duration;

/// Some certificate; the tests set its end.
static CERT: LazyLock<ClientCert> = LazyLock::new(|| {
    let issued = Sim::start().issue_certificate("prod", "alice", Duration::from_secs(3600));
    ClientCert::from_pem(issued.certificate.as_bytes(), issued.key.as_bytes()).unwrap()
});

const FETCHED: i64 = 1_800_000_000;

/// Fetched at [`FETCHED`] by the server's clock, which is `offset` ahead of ours.
fn entry(life: i64, offset: i64) -> CacheEntry {
    let fetched_at = at(FETCHED * 1000);
    let mut cert = CERT.clone();
    cert.not_after = fetched_at + TimeDelta::seconds(life);
    CacheEntry {
        cert,
        requested_at: fetched_at - TimeDelta::seconds(offset),
        fetched_at,
        generation: cce_login::cache::tombstone::Generation::default(),
        skew: Skew::noted(offset, None),
    }
}

fn schedule(life: i64, offset: i64) -> Schedule {
    Schedule::of(&entry(life, offset), &Clock::System)
}

fn at(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(milliseconds).unwrap()
}

/// How the certificate stands when `left` seconds of it are left, our clock being right.
fn with_left(life: i64, left: i64) -> Freshness {
    schedule(life, 0).freshness(at((FETCHED + life - left) * 1000))
}

#[test]
fn the_window_is_the_last_third_and_the_last_moment_a_tenth_at_most() {
    use Freshness::{Expired, Fresh, MustRenew, Renewable};
    const HOUR: i64 = 3600;
    // Life, window, last moment, all in seconds: 15 min, 1 h, 8 h, 1 day, and one of 100 s as only tests issue.
    let table = [
        (900, 300, 60),
        (HOUR, 900, 60),
        (8 * HOUR, 2 * HOUR, 60),
        (24 * HOUR, 6 * HOUR, 60),
        (100, 33, 10),
    ];
    for (life, window, last_moment) in table {
        assert_eq!(with_left(life, life), Fresh, "{life}");
        assert_eq!(with_left(life, window + 1), Fresh, "{life}");
        assert_eq!(with_left(life, window), Renewable, "{life}");
        assert_eq!(with_left(life, last_moment + 1), Renewable, "{life}");
        assert_eq!(with_left(life, last_moment), MustRenew, "{life}");
        assert_eq!(with_left(life, 1), MustRenew, "{life}");
        assert_eq!(with_left(life, 0), Expired, "{life}");
        assert_eq!(with_left(life, -1000), Expired, "{life}");
    }
}

#[test]
fn a_fresh_certificate_is_asked_for_again_at_the_start_of_its_window() {
    let schedule = schedule(8 * 3600, 0);
    let ask_again = schedule.ask_again(at(FETCHED * 1000 + 123));
    assert_eq!(ask_again, at((FETCHED + 6 * 3600) * 1000));
}

#[test]
fn a_clock_that_is_off_moves_the_moment_to_our_own_time() {
    // The cloud is an hour ahead of us: its 15:00 is our 14:00.
    let schedule = schedule(8 * 3600, 3600);
    let our_now = at((FETCHED - 3600) * 1000);
    assert_eq!(schedule.freshness(our_now), Freshness::Fresh);
    assert_eq!(schedule.ask_again(our_now), at((FETCHED - 3600 + 6 * 3600) * 1000));
}

#[test]
fn how_a_certificate_stands_is_told_by_the_servers_clock() {
    use Freshness::{Expired, Fresh, MustRenew, Renewable};
    for offset in [-600, 0, 600] {
        let schedule = schedule(3600, offset);
        let ours = |after_fetching: i64| at((FETCHED + after_fetching - offset) * 1000);
        for (after_fetching, stands) in [
            (0, Fresh),
            (2699, Fresh),
            (2700, Renewable),
            (3539, Renewable),
            (3540, MustRenew),
            (3599, MustRenew),
            (3600, Expired),
        ] {
            assert_eq!(
                schedule.freshness(ours(after_fetching)),
                stands,
                "{offset} {after_fetching}"
            );
        }
    }
}

proptest! {
    #[test]
    fn the_moment_to_ask_again_is_ahead_of_us_within_the_certificates_life_and_in_whole_seconds(
        life in 1_i64..5 * 366 * 86_400,
        offset in -100_000_i64..100_000,
        part in 0_u32..=1_100_000,
    ) {
        // A small difference counts as none.
        let offset = if offset.abs() < 30 { 0 } else { offset };
        let entry = entry(life, offset);
        let schedule = Schedule::of(&entry, &Clock::System);
        // From the fetching until some time after the end.
        let elapsed = i128::from(life) * 1000 * i128::from(part) / 1_000_000;
        let now = at((FETCHED - offset) * 1000 + i64::try_from(elapsed).unwrap());
        let ask_again = schedule.ask_again(now);

        prop_assert_eq!(ask_again.timestamp_subsec_nanos(), 0);
        prop_assert!(ask_again > now, "{} is not after {}", ask_again, now);
        let end = entry.ends_at(&Clock::System);
        if !matches!(schedule.freshness(now), Freshness::MustRenew | Freshness::Expired) {
            prop_assert!(ask_again <= end, "{} is after the end {}", ask_again, end);
        }
        if schedule.freshness(now) == Freshness::Renewable {
            prop_assert!(ask_again - now <= TimeDelta::seconds(61));
        }
    }

    #[test]
    fn a_certificate_ages_in_one_direction_only(life in 1_i64..2_000_000, first in 0_i64..2_100_000, later in 0_i64..2_100_000) {
        let rank = |freshness| match freshness {
            Freshness::Fresh => 0,
            Freshness::Renewable => 1,
            Freshness::MustRenew => 2,
            Freshness::Expired => 3,
        };
        let schedule = schedule(life, 0);
        let stands = |seconds| rank(schedule.freshness(at((FETCHED + seconds) * 1000)));
        prop_assert!(stands(first.min(later)) <= stands(first.max(later)));
    }
}
