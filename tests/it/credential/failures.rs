//! A failure is remembered for a moment, so that many callers do not hammer the cloud; a good certificate is served all the while.

use crate::support::World;
use cce_login::error::Exit;
use cce_sim::Fault;

#[test]
fn many_callers_in_a_row_fail_fast_with_the_words_of_the_first() {
    let mut world = World::new();
    world.set_clock_off(0);
    let error = Fault::Status {
        code: 500,
        body: String::new(),
        headers: Vec::new(),
    };
    world.sim.set_fault("clustercert", error);
    let first = world.get_credential(&[]);
    first.fails(Exit::Temporary, "CCE answered 500");
    let requests = world.certificate_requests();
    assert_eq!(requests, 2, "one and its repetition");
    for seconds in [0, 1, 4] {
        world.set_clock_off(seconds);
        let next = world.get_credential(&[]);
        next.fails(Exit::Temporary, "");
        assert_eq!(next.stderr, first.stderr, "the same line, the same hint");
    }
    assert_eq!(world.certificate_requests(), requests);

    // Five seconds later the cloud is asked again.
    world.set_clock_off(7);
    world.get_credential(&[]).fails(Exit::Temporary, "CCE answered 500");
    assert_eq!(world.certificate_requests(), 2 * requests);
    // And once it answers, the failure is forgotten.
    world.sim.clear_faults();
    world.set_clock_off(14);
    world.get_credential(&[]).credential();
    world.get_credential(&[]).credential();
}

#[test]
fn a_cloud_that_is_down_is_remembered_too() {
    let mut world = World::new();
    world.set_clock_off(0);
    world.sim.set_behaviour(|b| b.cloud_down = true);
    let first = world.get_credential(&[]);
    first.fails(Exit::Temporary, "Connection refused");
    world.sim.set_behaviour(|b| b.cloud_down = false);
    assert_eq!(world.get_credential(&[]).stderr, first.stderr);
    assert_eq!(world.sim.count("*"), 0);
}

#[test]
fn a_person_who_forces_it_or_logs_in_is_not_held_back() {
    let world = World::new();
    world.sim.set_behaviour(|b| b.cloud_down = true);
    world.get_credential(&[]).fails(Exit::Temporary, "");
    world.sim.set_behaviour(|b| b.cloud_down = false);
    world.get_credential(&["--force-refresh"]).credential();
    world.login(&[]).is_done();
}

#[test]
fn a_failure_of_one_cluster_says_nothing_about_another() {
    let world = World::new();
    world.sim.add_cluster(cce_sim::ClusterSpec::named("staging"));
    world.sim.set_behaviour(|b| b.cloud_down = true);
    world.get_credential(&[]).fails(Exit::Temporary, "");
    world.sim.set_behaviour(|b| b.cloud_down = false);
    world.get_credential_of("staging", &[]).credential();
}

#[test]
fn a_refused_identity_is_not_remembered_against_somebody_who_corrected_it() {
    let mut world = World::new();
    world.set("HUAWEICLOUD_SDK_SK", "0123456789abcdef0123456789abcdef01234567");
    world.get_credential(&[]).fails(Exit::Identity, "");
    world.use_key_of("alice");
    world.get_credential(&[]).credential();
}

#[test]
fn a_good_certificate_is_served_while_the_cloud_is_down() {
    let mut world = World::new();
    world.let_pass(0);
    let good = world.get_credential(&[]).credential();
    world.sim.set_behaviour(|b| b.cloud_down = true);
    world.let_pass(1);
    world
        .get_credential(&["--force-refresh"])
        .fails(Exit::Temporary, "Connection refused");
    for _ in 0..3 {
        world.let_pass(2 * 3600 + 1200);
        assert_eq!(world.get_credential(&[]).credential().certificate, good.certificate);
    }
    assert_eq!(world.certificate_requests(), 1);
}

#[test]
fn with_a_timeout_of_minutes_throttling_is_sat_out() {
    let mut world = World::new();
    // Shorter ones are waited for in any case, once.
    let throttle = || Fault::Throttle {
        retry_after: Some("3".to_owned()),
    };
    // Without: at once, as ever.
    world.sim.add_fault("clustercert", throttle(), 1);
    world.get_credential(&[]).fails(Exit::Temporary, "APIGW.0308");
    world.move_to_another_machine();
    world.sim.add_fault("clustercert", throttle(), 1);
    let before = world.certificate_requests();
    world.get_credential(&["--timeout=5m"]).credential();
    assert_eq!(world.certificate_requests(), before + 2);
    // The variable does the same, and a pause that does not fit into the time is no reason to wait.
    world.move_to_another_machine();
    world.set("CCE_LOGIN_TIMEOUT", "5m");
    world.sim.add_fault("clustercert", throttle(), 1);
    world.get_credential(&[]).credential();
    world.move_to_another_machine();
    world.set("CCE_LOGIN_TIMEOUT", "10s");
    world.sim.add_fault(
        "clustercert",
        Fault::Throttle {
            retry_after: Some("60".to_owned()),
        },
        1,
    );
    let started = std::time::Instant::now();
    world.get_credential(&[]).fails(Exit::Temporary, "APIGW.0308");
    assert!(started.elapsed() < std::time::Duration::from_secs(8));
}
