//! What an endpoint taught us is known to the next run: one request, not two.

use crate::support::World;
use cce_login::error::Exit;
use cce_sim::{ExpireAt, Fault, SignatureStyle};
use serde_json::Value;

const DAY: i64 = 24 * 3600;

/// Fetches a new certificate, and says with how many requests.
fn requests_of_a_fetch(world: &mut World) -> usize {
    // More than a login takes on a busy machine: what was fetched after the run began would be good enough for it.
    world.let_pass(60);
    let before = world.certificate_requests();
    world.get_credential(&["--force-refresh"]).credential();
    world.certificate_requests() - before
}

/// Whether the last request named an `expire_at`.
fn asked_for_an_end(world: &World) -> bool {
    let body = world.sim.requests().pop().unwrap().body;
    serde_json::from_str::<Value>(&body).unwrap().get("expire_at").is_some()
}

#[test]
fn an_endpoint_that_refuses_expire_at_is_not_asked_for_it_again_for_a_day() {
    let mut world = World::new();
    world
        .sim
        .set_behaviour(|b| b.expire_at_supported = ExpireAt::Refused400);
    assert_eq!(requests_of_a_fetch(&mut world), 2);
    assert_eq!(requests_of_a_fetch(&mut world), 1);
    world.at(DAY - 60);
    assert_eq!(requests_of_a_fetch(&mut world), 1);
    world.at(DAY + 60);
    assert_eq!(requests_of_a_fetch(&mut world), 2);
    assert_eq!(requests_of_a_fetch(&mut world), 1);
    // The cloud has learnt it meanwhile.
    world.sim.set_behaviour(|b| b.expire_at_supported = ExpireAt::Supported);
    world.at(2 * DAY + 120);
    assert_eq!(requests_of_a_fetch(&mut world), 1);
    assert!(asked_for_an_end(&world));
}

#[test]
fn one_that_grants_whole_days_all_the_same_neither() {
    let mut world = World::new();
    world.sim.set_behaviour(|b| b.expire_at_supported = ExpireAt::Ignored);
    assert_eq!(requests_of_a_fetch(&mut world), 1);
    assert!(asked_for_an_end(&world));
    assert_eq!(requests_of_a_fetch(&mut world), 1);
    assert!(!asked_for_an_end(&world));
}

#[test]
fn a_refusal_for_another_reason_teaches_nothing() {
    let mut world = World::new();
    let refusal = Fault::Status {
        code: 400,
        body: r#"{"errorCode":"CCE.01400001","errorMessage":"Invalid request."}"#.to_owned(),
        headers: Vec::new(),
    };
    world.sim.add_fault("clustercert", refusal, 2);
    world.get_credential(&[]).fails(Exit::Failed, "400");
    assert_eq!(requests_of_a_fetch(&mut world), 1);
    assert!(asked_for_an_end(&world));
}

#[test]
fn a_lifetime_that_only_looks_like_another_teaches_nothing() {
    let mut world = World::new();
    // A whole day was asked for, and granted.
    world.get_credential(&["--duration=1d"]).credential();
    assert_eq!(requests_of_a_fetch(&mut world), 1);
    assert!(asked_for_an_end(&world));
}

#[test]
fn the_form_of_the_signature_is_found_out_once() {
    let mut world = World::new();
    world
        .sim
        .set_behaviour(|b| b.signature_style = SignatureStyle::LegacyOnly);
    // A person's login finds out; kubectl's own calls do not try what leaves headers unsigned.
    world.login(&[]).is_done();
    assert_eq!(requests_of_a_fetch(&mut world), 1);
    // The gateway was replaced: the modern form is found again.
    world.sim.set_behaviour(|b| b.signature_style = SignatureStyle::Modern);
    assert_eq!(requests_of_a_fetch(&mut world), 2);
    assert_eq!(requests_of_a_fetch(&mut world), 1);
}

#[test]
fn a_temporary_key_signs_in_the_older_form_too() {
    let mut world = World::new();
    world
        .sim
        .set_behaviour(|b| b.signature_style = SignatureStyle::LegacyOnly);
    let key = world.sim.temporary_access_key("alice");
    world.set("HUAWEICLOUD_SDK_AK", &key.id);
    world.set("HUAWEICLOUD_SDK_SK", &key.secret);
    world.set("HUAWEICLOUD_SDK_SECURITY_TOKEN", key.security_token.unwrap());
    world.login(&[]).is_done();
    assert_eq!(requests_of_a_fetch(&mut world), 1);
}

#[test]
fn a_wrong_secret_is_no_question_of_form() {
    let mut world = World::new();
    world.set("HUAWEICLOUD_SDK_SK", "0123456789abcdef0123456789abcdef01234567");
    world.get_credential(&[]).fails(Exit::Identity, "CCE answered 401");
    world.use_key_of("alice");
    assert_eq!(
        requests_of_a_fetch(&mut world),
        1,
        "the modern form is tried first still"
    );
}

#[test]
fn a_damaged_note_on_an_endpoint_costs_nothing_but_a_request() {
    let mut world = World::new();
    world
        .sim
        .set_behaviour(|b| b.expire_at_supported = ExpireAt::Refused400);
    requests_of_a_fetch(&mut world);
    let notes = std::fs::read_dir(world.home().join(".local/state/cce-login/endpoints")).unwrap();
    for note in notes {
        std::fs::write(note.unwrap().path(), "{\"version\":1,\"skewSeconds\":\"x\"").unwrap();
    }
    assert_eq!(requests_of_a_fetch(&mut world), 2);
    assert_eq!(requests_of_a_fetch(&mut world), 1);
}
