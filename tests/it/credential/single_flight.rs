//! Many callers at once: one of them asks the cloud, and all get the same answer.

use crate::support::World;
use cce_login::error::Exit;
use cce_sim::Fault;
use std::time::Duration;

const CALLERS: usize = 30;

#[test]
fn thirty_callers_on_an_empty_cache_make_one_request_and_get_one_certificate() {
    let world = World::new();
    let outcomes = world.get_credentials_at_once(CALLERS, &[]);
    let first = outcomes[0].credential();
    for outcome in &outcomes {
        let credential = outcome.credential();
        assert_eq!(
            (credential.certificate, credential.key),
            (first.certificate.clone(), first.key.clone())
        );
    }
    assert_eq!(world.certificate_requests(), 1);

    let again = world.get_credentials_at_once(CALLERS, &[]);
    assert!(
        again
            .iter()
            .all(|outcome| outcome.credential().certificate == first.certificate)
    );
    assert_eq!(world.certificate_requests(), 1);
}

#[test]
fn thirty_callers_of_a_cloud_in_trouble_get_one_answer_between_them() {
    let world = World::new();
    let error = Fault::Status {
        code: 500,
        body: String::new(),
        headers: Vec::new(),
    };
    world.sim.set_fault("clustercert", error);
    let outcomes = world.get_credentials_at_once(CALLERS, &["--timeout=20s"]);
    for outcome in &outcomes {
        outcome.fails(Exit::Temporary, "CCE answered 500");
        assert_eq!(outcome.stderr, outcomes[0].stderr);
    }
    assert_eq!(world.certificate_requests(), 2, "one and its repetition");
}

#[test]
fn callers_who_wait_for_a_slow_answer_get_it_too() {
    let world = World::new();
    world
        .sim
        .set_fault("clustercert", Fault::Latency(Duration::from_millis(700)));
    let outcomes = world.get_credentials_at_once(5, &[]);
    let first = outcomes[0].credential();
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.credential().certificate == first.certificate)
    );
    assert_eq!(world.certificate_requests(), 1);
}
