//! Renewing ahead of time: nobody waits, nobody is told, and nothing that goes wrong costs a certificate that is still good.

use crate::support::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cce_login::error::Exit;
use cce_sim::{ClusterSpec, Fault};
use serde_json::json;
use std::time::{Duration, Instant};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// A world whose clock stands still, with a certificate that has come into its renewal window: two hours before its end.
fn in_the_window() -> (World, String) {
    let mut world = World::new();
    world.at(0);
    let first = world.get_credential(&[]).credential().certificate;
    world.at(6 * HOUR + 1);
    (world, first)
}

fn certificate(world: &World) -> String {
    world.get_credential(&[]).credential().certificate
}

fn refuse(world: &World, code: u16) {
    let fault = Fault::Status {
        code,
        body: String::new(),
        headers: Vec::new(),
    };
    world.sim.set_fault("clustercert", fault);
}

#[test]
fn inside_the_window_everybody_is_served_at_once_and_one_process_renews() {
    let (world, first) = in_the_window();
    for _ in 0..10 {
        assert_eq!(certificate(&world), first);
    }
    assert_eq!((world.left_behind(), world.certificate_requests()), (1, 1));

    let renewals = world.run_left_behind();
    for renewal in &renewals {
        renewal.is_done();
        assert_eq!((renewal.stdout.as_str(), renewal.stderr.as_str()), ("", ""));
    }
    assert_eq!(world.certificate_requests(), 2);

    let second = world.get_credential(&[]).credential();
    assert_ne!(second.certificate, first);
    let window = chrono::TimeDelta::hours(2);
    assert_eq!(
        second.expires_at(),
        second.not_after - window,
        "asked again when its own window begins"
    );
    assert_eq!((world.left_behind(), world.certificate_requests()), (0, 2));
}

#[test]
fn many_callers_at_once_leave_one_process_behind() {
    let (world, first) = in_the_window();
    let outcomes = world.get_credentials_at_once(30, &[]);
    assert!(outcomes.iter().all(|outcome| outcome.credential().certificate == first));
    assert_eq!(world.left_behind(), 1);
}

#[test]
fn a_process_that_finds_the_work_done_asks_nobody() {
    let (world, _) = in_the_window();
    certificate(&world);
    world.get_credential(&["--force-refresh"]).credential();
    world.run_left_behind();
    assert_eq!(world.certificate_requests(), 2, "the forced one and no other");
}

#[test]
fn a_process_that_was_killed_is_followed_by_another_after_a_while() {
    let (mut world, first) = in_the_window();
    certificate(&world);
    world.kill_left_behind();
    world.at(6 * HOUR + 21);
    assert_eq!(certificate(&world), first);
    assert_eq!(world.left_behind(), 0, "it may be at work still");
    world.at(6 * HOUR + 32);
    assert_eq!(certificate(&world), first);
    assert_eq!(world.left_behind(), 1);
    world.run_left_behind();
    assert_ne!(certificate(&world), first);
}

#[test]
fn a_cloud_in_trouble_is_asked_less_and_less_often_while_the_certificate_is_served() {
    let (mut world, first) = in_the_window();
    refuse(&world, 503);
    let (mut now, mut pauses, mut failed_at) = (6 * HOUR + 1, Vec::new(), 0);
    while pauses.len() < 7 {
        world.at(now);
        assert_eq!(certificate(&world), first);
        if world.left_behind() == 1 {
            pauses.push(now - failed_at);
            failed_at = now;
            world.run_left_behind();
        }
        now += 1;
    }
    assert_eq!(pauses[1..], [30, 60, 120, 240, 300, 300]);

    // Back again: the call after the pause renews.
    world.sim.clear_faults();
    world.at(now + 301);
    assert_eq!(certificate(&world), first);
    world.run_left_behind();
    assert_ne!(certificate(&world), first);
    // And the next trouble begins with a short pause again.
    world.at(now + 301 + 6 * HOUR + 1);
    refuse(&world, 503);
    certificate(&world);
    world.run_left_behind();
    world.at(now + 301 + 6 * HOUR + 1 + 31);
    certificate(&world);
    assert_eq!(world.left_behind(), 1);
}

#[test]
fn the_pause_that_the_cloud_asks_for_is_kept_also_as_a_float() {
    let (mut world, first) = in_the_window();
    let throttle = Fault::Throttle {
        retry_after: Some("90.5".to_owned()),
    };
    world.sim.set_fault("clustercert", throttle);
    certificate(&world);
    world.run_left_behind();
    let requests = world.certificate_requests();
    for seconds in [31, 60, 90] {
        world.at(6 * HOUR + 1 + seconds);
        assert_eq!(certificate(&world), first);
        assert_eq!(world.left_behind(), 0, "after {seconds} s");
    }
    world.at(6 * HOUR + 1 + 92);
    certificate(&world);
    assert_eq!((world.left_behind(), world.certificate_requests()), (1, requests));
}

#[test]
fn the_pause_of_a_cloud_in_trouble_that_names_one_is_kept_too() {
    let (mut world, first) = in_the_window();
    world.sim.set_fault(
        "clustercert",
        Fault::Status {
            code: 503,
            body: String::new(),
            headers: vec![("Retry-After".to_owned(), "200".to_owned())],
        },
    );
    certificate(&world);
    world.run_left_behind();
    for (seconds, renewals) in [(60, 0), (199, 0), (251, 1)] {
        world.at(6 * HOUR + 1 + seconds);
        assert_eq!(certificate(&world), first);
        assert_eq!(world.left_behind(), renewals, "after {seconds} s");
    }
}

#[test]
fn an_absurd_pause_ends_after_an_hour() {
    let (mut world, _) = in_the_window();
    let throttle = Fault::Throttle {
        retry_after: Some("1e300".to_owned()),
    };
    world.sim.set_fault("clustercert", throttle);
    certificate(&world);
    world.run_left_behind();
    world.at(7 * HOUR + 5);
    certificate(&world);
    assert_eq!(world.left_behind(), 1);
}

#[test]
fn throttling_holds_for_everything_that_this_identity_asks_of_the_endpoint() {
    let mut world = World::new();
    world.at(0);
    world.sim.add_cluster(ClusterSpec::named("staging"));
    let throttle = Fault::Throttle {
        retry_after: Some("40".to_owned()),
    };
    world.sim.add_fault("clustercert", throttle, 1);
    let refused = world.get_credential(&[]);
    refused.fails(Exit::Temporary, "CCE answered 429");
    let other = world.get_credential_of("staging", &[]);
    other.fails(Exit::Temporary, "CCE answered 429");
    assert!(other.stderr.contains("try again in 40 seconds"), "{other}");
    assert_eq!(world.certificate_requests(), 1);
    // Nobody else is throttled, and this identity not for ever.
    world.use_key_of("bob");
    world.get_credential_of("staging", &[]).credential();
    world.use_key_of("alice");
    world.at(41);
    world.get_credential_of("staging", &[]).credential();
    world.get_credential(&[]).credential();
}

#[test]
fn where_no_process_can_be_left_behind_the_renewal_is_in_line() {
    let (mut world, first) = in_the_window();
    world.parent(1, 0);
    let second = certificate(&world);
    assert_ne!(second, first);
    assert_eq!((world.left_behind(), world.certificate_requests()), (0, 2));
    assert_eq!(certificate(&world), second);
}

#[test]
fn a_renewal_in_line_keeps_nobody_waiting_for_long() {
    let (mut world, first) = in_the_window();
    world.parent(1, 0);
    world.sim.set_fault("clustercert", Fault::Hang);
    let started = Instant::now();
    assert_eq!(certificate(&world), first);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    let requests = world.certificate_requests();
    // Who comes next does not wait at all.
    assert_eq!(certificate(&world), first);
    assert_eq!(world.certificate_requests(), requests);
}

#[test]
fn in_its_last_moments_a_certificate_is_served_if_there_is_no_other() {
    let (mut world, first) = in_the_window();
    refuse(&world, 503);
    world.at(8 * HOUR - 30);
    let last = world.get_credential(&[]).credential();
    assert_eq!(last.certificate, first);
    assert!(last.expires_at() <= last.not_after);
    let requests = world.certificate_requests();
    assert!(requests > 1, "it was tried in line");
    assert_eq!(certificate(&world), first);
    assert_eq!(world.certificate_requests(), requests, "and not by each call");

    // Over: now the trouble is told.
    world.at(8 * HOUR + 1);
    world.get_credential(&[]).fails(Exit::Temporary, "CCE answered 503");
    world.sim.clear_faults();
    world.at(8 * HOUR + 8);
    assert_ne!(certificate(&world), first);
}

#[test]
fn a_failed_renewal_does_not_make_those_fail_who_come_after_the_end() {
    let (mut world, first) = in_the_window();
    world.at(8 * HOUR - 1);
    refuse(&world, 503);
    assert_eq!(certificate(&world), first);
    world.sim.clear_faults();
    world.at(8 * HOUR + 1);
    assert_ne!(certificate(&world), first, "renewed by the next call");
}

#[test]
fn a_person_at_a_terminal_is_warned_in_the_last_minutes_and_nobody_else() {
    let (mut world, first) = in_the_window();
    refuse(&world, 503);
    world.at(8 * HOUR - 2 * MINUTE);
    certificate(&world);
    world.run_left_behind();
    let info = |interactive| {
        format!(
            r#"{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{{"interactive":{interactive}}}}}"#
        )
    };
    world.set("KUBERNETES_EXEC_INFO", info(false));
    world.terminal(true, false, true);
    assert_eq!(certificate(&world), first);
    world.set("KUBERNETES_EXEC_INFO", info(true));
    let mut warned = world.get_credential(&[]);
    assert_eq!(warned.shown_credential().certificate, first);
    warned.stdout.clear(); // the key
    world.snapshot("get-credential/last-minutes", &warned);
    world.terminal(true, false, false);
    assert_eq!(certificate(&world), first);
}

#[test]
fn a_certificate_that_is_renewed_while_somebody_logs_out_does_not_come_back() {
    let (mut world, _) = in_the_window();
    world.keep_profile("work", "alice");
    let get = |world: &World| world.get_credential(&["--profile=work"]);
    get(&world).credential();
    world.at(13 * HOUR);
    get(&world).credential();
    assert_eq!(world.left_behind(), 1);
    world.run(["profile", "remove", "work"]).is_done();
    world.run_left_behind();
    assert_eq!(world.certificate_requests(), 2, "there is nothing to renew any more");
    get(&world).fails(Exit::Identity, "work");
}

#[test]
fn a_renewal_that_brings_somebody_else_s_certificate_leaves_the_one_that_is_there() {
    let (world, first) = in_the_window();
    let bob = world.sim.issue_certificate("prod", "bob", Duration::from_secs(28_800));
    let [certificate, key] = [bob.certificate, bob.key].map(|pem| STANDARD.encode(pem));
    let user = json!({"client-certificate-data": certificate, "client-key-data": key});
    let answer = json!({"users": [{"name": "user", "user": user}]});
    world.sim.set_fault("clustercert", Fault::Malformed(answer.to_string()));
    let pinned = format!("--principal={}", world.sim.user_id("alice"));
    let pinned = [pinned.as_str()];
    assert_eq!(world.get_credential(&pinned).credential().certificate, first);
    assert_eq!(world.run_left_behind().len(), 1);
    assert_eq!(world.certificate_requests(), 2);
    assert_eq!(world.get_credential(&pinned).credential().certificate, first);
}
