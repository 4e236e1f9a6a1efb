//! IAM tokens: how they are got, what they are good for, when they end.

use std::time::Duration;

use cce_sim::{Sim, UserSpec};
use serde_json::{Value, json};

use crate::client::{Reply, Request, cluster_path, project_path};

const SECRET: &str = "JBSWY3DPEHPK3PXP";

/// A cloud in which alice has a password.
fn sim() -> Sim {
    let sim = Sim::start();
    sim.set_password("alice", "correct horse");
    sim
}

pub(crate) fn ask(sim: &Sim, body: &Value) -> Reply {
    Request::post("/v3/auth/tokens?nocatalog=true", &body.to_string()).send_to_iam(sim)
}

fn by_password(user: &Value, scope: &Value) -> Value {
    json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}})
}

fn alice(password: &str) -> Value {
    json!({"name": "alice", "password": password, "domain": {"name": "example-account"}})
}

fn main_project() -> Value {
    json!({"project": {"name": "cn-north-4"}})
}

fn clusters(sim: &Sim, token: &str) -> Reply {
    let request = Request::get(&project_path(sim, "clusters")).header("x-auth-token", token);
    request.send_to_cce(sim).unwrap()
}

#[test]
fn a_password_brings_a_token_that_is_good_for_the_project() {
    let sim = sim();
    let reply = ask(&sim, &by_password(&alice("correct horse"), &main_project()));
    let token = reply.token();
    assert!((1000..16384).contains(&token.len()));
    let body = &reply.json()["token"];
    assert_eq!(body["user"]["id"], sim.user_id("alice"));
    assert_eq!(body["project"]["id"], sim.project_id("cn-north-4"));
    assert_eq!(body["project"]["domain"]["name"], "example-account");
    assert_eq!(body["methods"], json!(["password"]));
    assert!(body["catalog"].is_null());
    assert_eq!(clusters(&sim, &token).status, 200);
    let certificate = Request::post(&cluster_path(&sim, "prod", "clustercert"), r#"{"duration": 1}"#);
    let certificate = certificate.header("x-auth-token", &token).send_to_cce(&sim).unwrap();
    assert_eq!(certificate.status, 200, "{}", certificate.body);
    let operations: Vec<_> = sim.requests().into_iter().map(|request| request.operation).collect();
    assert_eq!(operations, ["tokens", "clusters", "clustercert"]);
}

#[test]
fn the_user_can_be_given_by_id_and_the_project_too() {
    let sim = sim();
    let user = json!({"id": sim.user_id("alice"), "password": "correct horse"});
    let scope = json!({"project": {"id": sim.project_id("cn-north-4_team")}});
    let reply = ask(&sim, &by_password(&user, &scope));
    assert_eq!(clusters(&sim, &reply.token()).status, 401, "a token of another project");
    assert_eq!(reply.json()["token"]["project"]["name"], "cn-north-4_team");
}

#[test]
fn a_wrong_password_an_unknown_user_and_a_disabled_one_look_the_same() {
    let sim = sim();
    let wrong = (401, "The username or password is wrong.".to_owned());
    let refusal = |user: &Value| ask(&sim, &by_password(user, &main_project())).refusal();
    assert_eq!(refusal(&alice("wrong")), wrong);
    assert_eq!(
        refusal(&json!({"name": "nobody", "password": "x", "domain": {"name": "example-account"}})),
        wrong
    );
    assert_eq!(
        refusal(&json!({"name": "alice", "password": "correct horse", "domain": {"name": "other-account"}})),
        wrong
    );
    assert_eq!(
        refusal(&json!({"name": "bob", "password": "", "domain": {"name": "example-account"}})),
        wrong,
        "bob has no password"
    );
    sim.set_enabled("alice", false);
    assert_eq!(refusal(&alice("correct horse")), wrong);
    assert_eq!(sim.requests()[0].status, 401);
}

#[test]
fn a_user_with_a_virtual_device_needs_its_passcode_and_the_id() {
    let sim = sim();
    sim.set_totp("alice", Some(SECRET));
    let with_passcode = |totp: &Value| {
        let mut body = by_password(&alice("correct horse"), &main_project());
        body["auth"]["identity"]["methods"] = json!(["password", "totp"]);
        body["auth"]["identity"]["totp"] = json!({"user": totp});
        ask(&sim, &body)
    };
    let refused = (401, "mfa totp code verify fail".to_owned());
    let missing = ask(&sim, &by_password(&alice("correct horse"), &main_project()));
    assert_eq!(missing.refusal(), refused);
    let id = sim.user_id("alice");
    let passcode = sim.passcode("alice");
    let good = with_passcode(&json!({"id": id, "passcode": passcode}));
    good.token();
    assert_eq!(good.json()["token"]["methods"], json!(["password", "totp"]));
    assert!(good.json()["token"]["mfa_authn_at"].is_string());
    let wrong = if passcode == "000000" { "000001" } else { "000000" };
    assert_eq!(with_passcode(&json!({"id": id, "passcode": wrong})).refusal(), refused);
    assert_eq!(
        with_passcode(&json!({"id": sim.user_id("bob"), "passcode": passcode})).refusal(),
        refused
    );
    let by_name = with_passcode(&json!({"name": "alice", "passcode": passcode}));
    assert_eq!(
        (by_name.status, by_name.json()["error_code"].as_str()),
        (400, Some("IAM.0011"))
    );
    sim.set_behaviour(|behaviour| behaviour.clock_offset = 300);
    assert_eq!(
        with_passcode(&json!({"id": id, "passcode": passcode})).refusal(),
        refused
    );
    sim.set_totp("alice", None);
    let needless = with_passcode(&json!({"id": id, "passcode": "000000"}));
    assert_eq!(needless.refusal(), refused);
}

#[test]
fn a_token_without_a_project_is_no_use_at_cce_until_it_is_rescoped() {
    let sim = sim();
    let reply = ask(&sim, &by_password(&alice("correct horse"), &Value::Null));
    let of_account = reply.token();
    assert_eq!(reply.json()["token"]["domain"]["name"], "example-account");
    let refused = clusters(&sim, &of_account);
    assert_eq!(
        (refused.status, refused.json()["errorCode"].as_str()),
        (401, Some("CCE.01401001"))
    );
    let rescope = |token: &str, scope: Value| {
        ask(
            &sim,
            &json!({"auth": {"identity": {"methods": ["token"], "token": {"id": token}}, "scope": scope}}),
        )
    };
    let rescoped = rescope(&of_account, main_project());
    assert_eq!(clusters(&sim, &rescoped.token()).status, 200);
    let (of_project, end) = (rescoped.json(), &reply.json()["token"]["expires_at"]);
    assert_eq!(
        of_project["token"]["expires_at"], *end,
        "a token does not live on in another"
    );
    assert_eq!(
        rescope("MIIunknown", main_project()).refusal(),
        (401, "The X-Auth-Token is invalid!".to_owned())
    );
    assert_eq!(
        rescope(&of_account, json!({"domain": {"name": "other-account"}})).status,
        401
    );
    let own = rescope(&rescoped.token(), json!({"domain": {"name": "example-account"}}));
    assert_eq!(clusters(&sim, &own.token()).status, 401, "of the account again");
    assert_eq!(rescope(&of_account, json!({"project": {"name": "eu-de"}})).status, 401);
    assert_eq!(rescope(&of_account, json!({"project": {}})).status, 400);
}

#[test]
fn a_project_that_is_closed_to_the_user_or_ambiguous_is_no_scope() {
    let sim = sim();
    sim.set_password("bob", "secret");
    let bob = json!({"name": "bob", "password": "secret", "domain": {"id": sim.account_id("example-account")}});
    let scope = |name: &str| json!({"project": {"name": name}});
    assert_eq!(ask(&sim, &by_password(&bob, &scope("cn-north-4_team"))).status, 401);
    ask(&sim, &by_password(&bob, &scope("cn-north-4"))).token();
    sim.add_project("twin");
    let twin = sim.add_project("twin");
    let alice = alice("correct horse");
    assert_eq!(ask(&sim, &by_password(&alice, &scope("twin"))).status, 400);
    ask(&sim, &by_password(&alice, &json!({"project": {"id": twin}}))).token();
    let elsewhere = json!({"project": {"id": sim.project_id_in("other-account", "cn-north-4")}});
    assert_eq!(ask(&sim, &by_password(&alice, &elsewhere)).status, 401);
}

#[test]
fn tokens_expire_and_are_revoked() {
    let sim = sim();
    sim.set_behaviour(|behaviour| behaviour.token_lifetime = Some(Duration::from_secs(600)));
    let token = sim.token("alice", Some("cn-north-4"));
    assert_eq!(clusters(&sim, &token).status, 200);
    let projects = |token: &str| {
        let request = Request::get("/v3/auth/projects").header("x-auth-token", token);
        request.send_to_iam(&sim)
    };
    assert_eq!(projects(&token).status, 200);
    sim.set_behaviour(|behaviour| behaviour.clock_offset = 601);
    assert_eq!(clusters(&sim, &token).gateway_refusal(), (401, "APIGW.0307".to_owned()));
    assert_eq!(
        projects(&token).refusal(),
        (401, "The X-Auth-Token is invalid!".to_owned())
    );
    assert_eq!(
        clusters(&sim, "made up").gateway_refusal(),
        (401, "APIGW.0301".to_owned())
    );
    let revoked = sim.token("alice", Some("cn-north-4"));
    assert!(sim.revoke_token(&revoked));
    assert_eq!(
        clusters(&sim, &revoked).gateway_refusal(),
        (401, "APIGW.0307".to_owned())
    );
    let before = sim.token("alice", Some("cn-north-4"));
    sim.set_password("alice", "changed");
    assert_eq!(clusters(&sim, &before).status, 401);
}

#[test]
fn a_token_goes_before_a_signature() {
    let sim = sim();
    let request = Request::get(&project_path(&sim, "clusters")).header("x-auth-token", "made up");
    assert_eq!(request.sent_by_alice(&sim).status, 401);
}

#[test]
fn a_token_can_be_looked_at_and_thrown_away() {
    let sim = sim();
    let token = sim.token("alice", Some("cn-north-4"));
    let request = |method: &str, subject: Option<&str>| {
        let mut request = Request::get("/v3/auth/tokens").header("x-auth-token", &token);
        method.clone_into(&mut request.method);
        if let Some(subject) = subject {
            request = request.header("x-subject-token", subject);
        }
        request.send_to_iam(&sim)
    };
    assert_eq!(
        request("GET", None).refusal(),
        (400, "X-Subject-Token is missing.".to_owned())
    );
    assert_eq!(request("GET", Some("made up")).status, 404);
    let shown = request("GET", Some(&token));
    assert_eq!(shown.json()["token"]["user"]["name"], "alice");
    assert!(shown.json()["token"]["catalog"].is_array());
    let theirs = Request::get("/v3/auth/tokens").header("x-auth-token", &sim.token("bob", None));
    assert_eq!(
        theirs.header("x-subject-token", &token).send_to_iam(&sim).refusal().0,
        403
    );
    assert_eq!(request("DELETE", Some(&token)).status, 204);
    assert_eq!(clusters(&sim, &token).status, 401);
    assert_eq!(sim.count("revoke_token"), 1);
}

#[test]
fn the_catalog_says_where_cce_is() {
    let sim = sim();
    let body = by_password(&alice("correct horse"), &main_project());
    let reply = Request::post("/v3/auth/tokens", &body.to_string()).send_to_iam(&sim);
    let json = reply.json();
    let catalog = json["token"]["catalog"].as_array().unwrap();
    let cce = catalog.iter().find(|entry| entry["type"] == "ccev2.0").unwrap();
    assert_eq!(cce["endpoints"][0]["url"], sim.cce_endpoint());
}

#[test]
fn an_answer_may_lack_the_token() {
    let sim = sim();
    sim.set_behaviour(|behaviour| behaviour.no_subject_token = true);
    let reply = ask(&sim, &by_password(&alice("correct horse"), &main_project()));
    assert_eq!((reply.status, reply.header("x-subject-token")), (201, None));
}

#[test]
fn an_access_key_in_the_body_is_taken_if_it_is_right() {
    let sim = sim();
    let key = sim.access_key("bob");
    let by_key = |secret: &str| {
        let shown = json!({"access": {"key": key.id}, "secret": {"key": secret}});
        ask(
            &sim,
            &json!({"auth": {"identity": {"methods": ["hw_ak_sk"], "hw_ak_sk": shown}, "scope": main_project()}}),
        )
    };
    assert_eq!(clusters(&sim, &by_key(&key.secret).token()).status, 200);
    assert_eq!(by_key("wrong").status, 401);
}

#[test]
fn what_is_not_documented_is_refused() {
    let sim = sim();
    let refused = |body: &str| {
        let reply = Request::post("/v3/auth/tokens", body).send_to_iam(&sim);
        (reply.status, reply.json()["error_code"].as_str().map(str::to_owned))
    };
    let invalid = (400, Some("IAM.0011".to_owned()));
    assert_eq!(refused("{"), invalid);
    assert_eq!(refused(r#"{"auth": {"identity": {"methods": ["saml2"]}}}"#), invalid);
    assert_eq!(refused(r#"{"auth": {"identity": {"methods": ["password"]}}}"#), invalid);
    let mut typo = by_password(&alice("correct horse"), &main_project());
    typo["auth"]["scopes"] = json!({});
    assert_eq!(refused(&typo.to_string()), invalid);
    let mut not_json = Request::post("/v3/auth/tokens", &typo.to_string());
    not_json.headers.clear();
    assert_eq!(not_json.send_to_iam(&sim).status, 400);
}

#[test]
fn whoever_asks_is_told_who_they_are() {
    let sim = sim();
    sim.create_user(&UserSpec::named("erin"));
    let get = |user: &str, path: &str| Request::get(path).signed_to_iam(&sim, &sim.access_key(user));
    let key = sim.access_key("erin").id;
    let shown = get("erin", &format!("/v3.0/OS-CREDENTIAL/credentials/{key}"));
    assert_eq!(shown.json()["credential"]["user_id"], sim.user_id("erin"));
    let path = format!("/v3/users/{}", sim.user_id("erin"));
    assert_eq!(get("erin", &path).json()["user"]["name"], "erin");
    assert_eq!(get("alice", &path).status, 200);
    assert_eq!(get("bob", &path).status, 403);
    assert_eq!(get("alice", "/v3/users/0123").status, 404);
    let domains = get("erin", "/v3/auth/domains");
    assert_eq!(domains.json()["domains"][0]["name"], "example-account");
    sim.remove_user("erin");
    let token = sim.token("alice", None);
    let gone = Request::get(&path).header("x-auth-token", &token).send_to_iam(&sim);
    assert_eq!(gone.status, 404);
}
