//! Temporary access keys: got by token, by signature or through an agency; good until they end.

use std::time::Duration;

use cce_sim::{AccessKey, AgencySpec, Sim};
use serde_json::{Value, json};

use crate::client::{Reply, Request, project_path};

const PATH: &str = "/v3.0/OS-CREDENTIAL/securitytokens";

/// What the answer brings.
pub(crate) fn key(reply: &Reply) -> AccessKey {
    assert_eq!(reply.status, 201, "{}", reply.body);
    let credential = &reply.json()["credential"];
    let text = |name: &str| credential[name].as_str().unwrap().to_owned();
    AccessKey {
        id: text("access"),
        secret: text("secret"),
        security_token: Some(text("securitytoken")),
    }
}

fn by_token(part: &Value) -> Request {
    let body = json!({"auth": {"identity": {"methods": ["token"], "token": part}}});
    Request::post(PATH, &body.to_string())
}

fn clusters(sim: &Sim, key: &AccessKey) -> u16 {
    let request = Request::get(&project_path(sim, "clusters")).signed(sim, key, 0);
    request.send_to_cce(sim).unwrap().status
}

#[test]
fn a_token_in_the_body_or_in_the_header_brings_a_key_until_it_ends() {
    let sim = Sim::start();
    let token = sim.token("bob", Some("cn-north-4"));
    let in_body = by_token(&json!({"id": token, "duration_seconds": 3600})).send_to_iam(&sim);
    let in_body = key(&in_body);
    let in_header = by_token(&json!({})).header("x-auth-token", &token).send_to_iam(&sim);
    let in_header = key(&in_header);
    assert_eq!((clusters(&sim, &in_body), clusters(&sim, &in_header)), (200, 200));
    let without = AccessKey {
        security_token: None,
        ..in_body.clone()
    };
    assert_eq!(clusters(&sim, &without), 401);
    sim.expire_temporary_access_keys();
    assert_eq!(clusters(&sim, &in_body), 401);
}

#[test]
fn a_key_lives_fifteen_minutes_unless_more_is_asked_for() {
    let sim = Sim::start();
    let token = sim.token("bob", None);
    let lives = |part: Value| -> i64 {
        let mut part = part;
        part["id"] = json!(token);
        let reply = by_token(&part).send_to_iam(&sim);
        let end = reply.json()["credential"]["expires_at"].as_str().unwrap().to_owned();
        let end = chrono::DateTime::parse_from_rfc3339(&end).unwrap();
        (end.timestamp() - sim.now().timestamp() + 30) / 60
    };
    assert_eq!(lives(json!({})), 15);
    assert_eq!(lives(json!({"duration_seconds": 86400})), 1440);
    for seconds in [899, 86401] {
        let reply = by_token(&json!({"id": token, "duration_seconds": seconds})).send_to_iam(&sim);
        assert_eq!(reply.refusal().0, 400);
    }
    sim.set_behaviour(|behaviour| behaviour.temporary_key_lifetime = Some(Duration::from_secs(120)));
    assert_eq!(lives(json!({"duration_seconds": 86400})), 2);
}

#[test]
fn nobody_gets_a_key_for_a_token_that_is_none() {
    let sim = Sim::start();
    let invalid = (401, "The X-Auth-Token is invalid!".to_owned());
    assert_eq!(by_token(&json!({})).send_to_iam(&sim).refusal(), invalid);
    assert_eq!(by_token(&json!({"id": "made up"})).send_to_iam(&sim).refusal(), invalid);
    let token = sim.token("bob", None);
    sim.revoke_tokens("bob");
    assert_eq!(by_token(&json!({"id": token})).send_to_iam(&sim).refusal(), invalid);
    let header_first = by_token(&json!({"id": sim.token("bob", None)})).header("x-auth-token", "made up");
    assert_eq!(header_first.send_to_iam(&sim).refusal(), invalid);
}

#[test]
fn a_signature_does_as_well_as_a_token() {
    let sim = Sim::start();
    let reply = by_token(&json!({"duration_seconds": 900})).signed_to_iam(&sim, &sim.access_key("bob"));
    let temporary = key(&reply);
    assert_eq!(clusters(&sim, &temporary), 200);
    let projects = Request::get("/v3/auth/projects").signed_to_iam(&sim, &temporary);
    assert_eq!(projects.json()["projects"][0]["name"], "cn-north-4");
    assert_eq!(sim.count("securitytokens"), 1);
    sim.set_enabled("bob", false);
    assert_eq!(clusters(&sim, &temporary), 401);
}

#[test]
fn an_agency_brings_a_key_of_its_account() {
    let sim = Sim::start();
    sim.add_agency(&AgencySpec::default());
    let wanted = json!({"domain_name": "other-account", "agency_name": "operators", "duration_seconds": 3600});
    let body = json!({"auth": {"identity": {"methods": ["assume_role"], "assume_role": wanted}}}).to_string();
    let reply = Request::post(PATH, &body).signed_to_iam(&sim, &sim.access_key("bob"));
    let temporary = key(&reply);
    assert_eq!(clusters(&sim, &temporary), 403, "not a project of that account");
    let projects = Request::get("/v3/projects").signed_to_iam(&sim, &temporary).json();
    assert_eq!(projects["projects"][0]["domain_id"], sim.account_id("other-account"));
    let carol = Request::post(PATH, &body).signed_to_iam(&sim, &sim.access_key("carol"));
    assert_eq!(carol.refusal().0, 403);
    let key = sim.temporary_access_key("bob");
    assert_eq!(Request::post(PATH, &body).signed_to_iam(&sim, &key).status, 201);
}

#[test]
fn the_simulator_knows_every_secret_it_gave_away() {
    let sim = Sim::start();
    sim.set_password("bob", "correct horse");
    let token = sim.token("bob", None);
    let temporary = key(&by_token(&json!({"id": token})).send_to_iam(&sim));
    let id_token = sim.id_token(&cce_sim::IdTokenSpec::default());
    let secrets = sim.secrets();
    let known = |text: &str| secrets.iter().any(|secret| secret == text);
    assert!(known("correct horse") && known(&token) && known(&id_token));
    assert!(known(&temporary.secret) && known(&temporary.security_token.unwrap()));
    assert!(known(&sim.access_key("alice").secret) && !known(&temporary.id));
}
