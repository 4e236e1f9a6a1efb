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

#[test]
fn a_refusal_answers_for_every_retry_of_kubectl_and_is_lifted_within_a_minute() {
    let mut world = World::new();
    world.at(0);
    let refusal = Fault::Status {
        code: 403,
        body: r#"{"errorCode":"CCE.01403001","errorMessage":"Forbidden"}"#.to_owned(),
        headers: Vec::new(),
    };
    world.sim.set_fault("clustercert", refusal);
    let first = world.get_credential(&[]);
    first.fails(Exit::Identity, "CCE answered 403");
    let requests = world.certificate_requests();
    for second in [0, 1, 5, 30, 59] {
        world.at(second);
        assert_eq!(world.get_credential(&[]).stderr, first.stderr);
    }
    assert_eq!(world.certificate_requests(), requests);
    world.sim.clear_faults();
    world.at(61);
    world.get_credential(&[]).credential();
}

#[test]
fn a_deleted_access_key_costs_two_requests_a_minute_and_another_one_is_tried_at_once() {
    let mut world = World::new();
    world.at(0);
    let key = world.sim.access_key("alice");
    world.sim.remove_access_key(&key.id);
    for second in 0..50 {
        world.at(second);
        world.get_credential(&[]).fails(Exit::Identity, "CCE answered 401");
    }
    assert!(world.certificate_requests() <= 2, "{}", world.certificate_requests());
    let other = world.sim.access_key("bob");
    world.set("HUAWEICLOUD_SDK_AK", &other.id);
    world.set("HUAWEICLOUD_SDK_SK", &other.secret);
    world.get_credential(&[]).credential();
}

/// A world of a user who signs in with a password, as OpenStack's variables give it.
fn world_with_password(password: &str) -> World {
    let mut world = World::new();
    world.at(0);
    world.use_no_key();
    // The password goes only under roots that come from where it comes from.
    let roots = world.path("cloud-ca.pem");
    world.unset("CCE_LOGIN_CA_FILE");
    world.set("OS_CACERT", &roots);
    let auth_url = format!("{}/v3", world.sim.iam_endpoint());
    for (name, value) in [
        ("OS_AUTH_URL", auth_url.as_str()),
        ("OS_USERNAME", "alice"),
        ("OS_USER_DOMAIN_NAME", "example-account"),
        ("OS_PASSWORD", password),
    ] {
        world.set(name, value);
    }
    world
}

fn sign_ins(world: &World) -> usize {
    world.sim.count("tokens")
}

#[test]
fn a_wrong_password_is_one_failed_sign_in_a_minute_whatever_is_asked_for() {
    let mut world = world_with_password("not the password of anybody");
    world.sim.add_cluster(cce_sim::ClusterSpec::named("staging"));
    for second in 0..60 {
        world.at(second);
        world.get_credential(&[]).fails(Exit::Identity, "");
        world.get_credential_of("staging", &[]).fails(Exit::Identity, "");
    }
    assert_eq!(sign_ins(&world), 1);
    world.at(61);
    world.get_credential(&[]).fails(Exit::Identity, "");
    assert_eq!(sign_ins(&world), 2);
    // A person is not held back.
    world.get_credential(&["--force-refresh"]).fails(Exit::Identity, "");
    assert_eq!(sign_ins(&world), 3);
    // Nor is another password.
    world.set("OS_PASSWORD", "another one that is wrong too");
    world.get_credential(&[]).fails(Exit::Identity, "");
    assert_eq!(sign_ins(&world), 4);
}

#[test]
fn fifty_callers_with_a_wrong_password_sign_in_once() {
    let world = world_with_password("not the password of anybody");
    for outcome in world.get_credentials_at_once(50, &[]) {
        outcome.fails(Exit::Identity, "");
    }
    assert_eq!(sign_ins(&world), 1);
}

#[test]
fn an_answer_that_cannot_be_used_is_asked_for_three_times_a_minute() {
    let mut world = World::new();
    world.sim.set_fault("clustercert", Fault::Malformed("{}".to_owned()));
    for second in 0..60 {
        world.at(second);
        world.get_credential(&[]).fails(Exit::Failed, "");
    }
    assert_eq!(world.certificate_requests(), 3);
}
