//! Clocks that are wrong, and clocks that are set.

use crate::support::World;
use cce_login::error::Exit;
use cce_sim::Fault;
use chrono::{DateTime, TimeDelta, Utc};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const HOUR: i64 = 3600;

/// The cloud has gone on by `passed` seconds since the beginning, and our clock is `ahead` of the cloud's.
fn at(world: &mut World, passed: i64, ahead: i64) {
    world.sim.set_behaviour(|b| b.clock_offset = passed);
    world.set_clock_off(passed + ahead);
}

#[test]
fn a_laptop_that_is_three_hours_wrong_works() {
    for ahead in [3 * HOUR, -3 * HOUR] {
        let mut world = World::new();
        at(&mut world, 0, ahead);
        let first = world.get_credential(&[]).credential();
        assert_eq!(
            world.certificate_requests(),
            2,
            "the first signature was refused because of the time"
        );
        let life = first.not_after - (world.now() - TimeDelta::seconds(ahead));
        assert!((life - TimeDelta::hours(8)).abs() < TimeDelta::seconds(60), "{life}");
        // In terms of our clock, which kubectl looks at.
        let window_begins = world.now() + TimeDelta::hours(6);
        assert!(
            (first.expires_at() - window_begins).abs() < TimeDelta::seconds(60),
            "{}",
            first.expires
        );

        for passed in [HOUR, 5 * HOUR] {
            at(&mut world, passed, ahead);
            assert_eq!(world.get_credential(&[]).credential().certificate, first.certificate);
            world.run_left_behind(); // at most a question to the API server
            assert_eq!(world.certificate_requests(), 2);
        }
        at(&mut world, 6 * HOUR + 60, ahead);
        let same = world.get_credential(&[]).credential();
        assert_eq!(same.certificate, first.certificate);
        assert!(same.expires_at() > world.now() && same.expires_at() <= world.now() + TimeDelta::seconds(61));
        assert_eq!(world.left_behind(), 1);
        // What the clocks are apart is known by now.
        world.run_left_behind();
        assert_eq!(world.certificate_requests(), 3);
        assert_ne!(world.get_credential(&[]).credential().certificate, first.certificate);
        assert_eq!(world.certificate_requests(), 3);
    }
}

#[test]
fn a_new_one_is_fetched_on_request_also_when_the_clock_has_been_set_back() {
    let mut world = World::new();
    world.set_clock_off(2 * HOUR);
    let first = world.get_credential(&[]).credential();
    world.move_clock(-2 * HOUR);
    let second = world.get_credential(&["--force-refresh"]).credential();
    assert_ne!(second.certificate, first.certificate);
}

#[test]
fn what_the_clocks_were_apart_is_dropped_when_ours_is_set() {
    let mut world = World::new();
    at(&mut world, 0, -3 * HOUR);
    let first = world.get_credential(&[]).credential();
    // Somebody sets it right. Without that being noticed the certificate would seem three hours older.
    world.move_clock(3 * HOUR);
    let again = world.get_credential(&[]).credential();
    assert_eq!(again.certificate, first.certificate);
    // Both are whole seconds of clocks that go on.
    let later = again.expires_at() - first.expires_at();
    assert!((later - TimeDelta::hours(3)).abs() <= TimeDelta::seconds(1), "{later}");
    let before = world.certificate_requests();
    world.run_left_behind(); // at most a question to the API server
    assert_eq!(world.certificate_requests(), before);
    world.get_credential(&["--force-refresh"]).credential();
    assert_eq!(
        world.certificate_requests(),
        before + 1,
        "signed by our own clock again"
    );
}

#[test]
fn less_than_half_a_minute_is_no_difference() {
    let mut world = World::new();
    at(&mut world, 0, 20);
    let first = world.get_credential(&[]).credential();
    assert_eq!(world.certificate_requests(), 1);
    assert_eq!(first.expires_at(), first.not_after - TimeDelta::hours(2));
}

#[test]
fn a_certificate_that_begins_ahead_of_our_clock_is_used() {
    let mut world = World::new();
    at(&mut world, 0, -29);
    world.sim.set_behaviour(|b| b.not_before_offset = 30);
    let first = world.get_credential(&[]).credential();
    assert!(first.not_before > world.now() + TimeDelta::seconds(50));
    for _ in 0..3 {
        assert_eq!(world.get_credential(&[]).credential().certificate, first.certificate);
    }
    assert_eq!((world.certificate_requests(), world.left_behind()), (1, 0));
}

#[test]
fn a_clock_that_goes_back_refetches_nothing_and_holds_nothing_up() {
    let mut world = World::new();
    world.let_pass(0);
    world.get_credential(&[]).credential();
    world.sim.set_behaviour(|b| b.cloud_down = true);
    world.let_pass(6 * HOUR + 1);
    world.get_credential(&[]).credential();
    world.run_left_behind();
    // A year back: turns and pauses of a later time hold no more.
    world.move_clock(-365 * 24 * HOUR);
    world.sim.set_behaviour(|b| {
        b.cloud_down = false;
        b.clock_offset -= 365 * 24 * HOUR;
    });
    world.get_credential(&[]).credential();
    assert_eq!(world.certificate_requests(), 1, "more of it is left than before");
    world.get_credential(&["--force-refresh"]).credential();
}

#[test]
fn a_cloud_that_tells_another_time_with_each_refusal_is_asked_twice() {
    let world = World::new();
    for hours in 1..=6 {
        let date = DateTime::<Utc>::from(std::time::SystemTime::now()) + TimeDelta::hours(hours * hours);
        let refusal = Fault::Status {
            code: 401,
            body: r#"{"error_code":"APIGW.0303","error_msg":"no"}"#.to_owned(),
            headers: vec![("Date".to_owned(), date.format("%a, %d %b %Y %H:%M:%S GMT").to_string())],
        };
        world.sim.add_fault("clustercert", refusal, 1);
    }
    world.get_credential(&[]).fails(Exit::Identity, "CCE answered 401");
    assert_eq!(world.certificate_requests(), 2);
}

#[test]
fn a_time_that_nobody_vouches_for_is_not_believed() {
    let mut world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    // It ends with the process: how many requests come is what is to be seen.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            let body = r#"{"error_code":"APIGW.0301","error_msg":"no"}"#;
            let answer = format!(
                "HTTP/1.1 401 Unauthorized\r\nDate: Thu, 01 Jan 2032 00:00:00 GMT\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    world.set("CCE_LOGIN_CCE_ENDPOINT", &endpoint);
    world.get_credential(&[]).fails(Exit::Identity, "CCE answered 401");
    // Neither with the time that was told, nor in the other form of the signature.
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(!world.has(".local/state/cce-login/endpoints"), "nothing was learnt");
}
