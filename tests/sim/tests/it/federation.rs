//! Users of an identity provider: id tokens exchanged for tokens, with IAM's own call and with Keystone's.

use std::time::Duration;

use cce_sim::{IdTokenSpec, ProviderSpec, Sim};
use serde_json::{Value, json};

use crate::{
    client::{Reply, Request, project_path},
    temporary_keys, tokens,
};

fn sim() -> Sim {
    let sim = Sim::start();
    sim.add_identity_provider(&ProviderSpec::default());
    sim
}

fn exchange(sim: &Sim, provider: Option<&str>, id_token: &str, scope: &Value) -> Reply {
    let body = json!({"auth": {"id_token": {"id": id_token}, "scope": scope}});
    let mut request = Request::post("/v3.0/OS-AUTH/id-token/tokens", &body.to_string());
    if let Some(provider) = provider {
        request = request.header("x-idp-id", provider);
    }
    request.send_to_iam(sim)
}

fn main_project() -> Value {
    json!({"project": {"name": "cn-north-4"}})
}

#[test]
fn an_id_token_brings_a_token_and_that_an_access_key() {
    let sim = sim();
    let id_token = sim.id_token(&IdTokenSpec::default());
    let reply = exchange(&sim, Some("my-idp"), &id_token, &main_project());
    let token = reply.token();
    let json = reply.json();
    let user = &json["token"]["user"];
    assert_eq!(user["name"], "jane@example.com");
    assert_eq!(user["OS-FEDERATION"]["identity_provider"]["id"], "my-idp");
    let clusters = Request::get(&project_path(&sim, "clusters")).header("x-auth-token", &token);
    assert_eq!(clusters.send_to_cce(&sim).unwrap().status, 200);
    let body = json!({"auth": {"identity": {"methods": ["token"], "token": {"id": token, "duration_seconds": 21600}}}});
    let reply = Request::post("/v3.0/OS-CREDENTIAL/securitytokens", &body.to_string()).send_to_iam(&sim);
    let key = temporary_keys::key(&reply);
    let projects = Request::get("/v3/auth/projects").signed_to_iam(&sim, &key);
    assert_eq!(projects.json()["projects"][0]["name"], "cn-north-4");
    let listing = Request::get("/v3/projects").signed_to_iam(&sim, &key);
    assert_eq!(listing.refusal().0, 403, "federated users list nothing but their own");
    let again = exchange(&sim, Some("my-idp"), &id_token, &main_project()).json();
    assert_ne!(again["token"]["user"]["id"], user["id"], "another id after every login");
}

#[test]
fn an_id_token_that_is_not_for_this_provider_is_refused() {
    let sim = sim();
    let refusal = |spec: IdTokenSpec| {
        let reply = exchange(&sim, Some("my-idp"), &sim.id_token(&spec), &main_project());
        let (status, message) = reply.refusal();
        assert_eq!(status, 401);
        message
    };
    let good = IdTokenSpec::default;
    let audience = "another-client".to_owned();
    let message = refusal(IdTokenSpec { audience, ..good() });
    assert_eq!(
        message,
        "The id token is invalid: the audience is not the identity provider's client."
    );
    let issuer = "https://evil.example".to_owned();
    assert!(refusal(IdTokenSpec { issuer, ..good() }).contains("issuer"));
    let lifetime = Duration::from_secs(60);
    let expired = IdTokenSpec {
        lifetime,
        offset: -61,
        ..good()
    };
    assert!(refusal(expired).contains("expired"));
    let forged = IdTokenSpec {
        is_forged: true,
        ..good()
    };
    assert!(refusal(forged).contains("signature"));
    let garbage = exchange(&sim, Some("my-idp"), "garbage", &main_project());
    assert!(garbage.refusal().1.contains("no JWT"));
}

#[test]
fn the_provider_must_be_named_and_known() {
    let sim = sim();
    let id_token = sim.id_token(&IdTokenSpec::default());
    assert_eq!(
        exchange(&sim, None, &id_token, &main_project()).refusal(),
        (400, "X-Idp-Id is missing.".to_owned())
    );
    assert_eq!(
        exchange(&sim, Some("unknown"), &id_token, &main_project()).refusal().0,
        404
    );
    assert_eq!(sim.count("id_token_tokens"), 2);
}

#[test]
fn keystones_call_brings_an_unscoped_token_that_is_scoped_afterwards() {
    let sim = sim();
    let path = "/v3/OS-FEDERATION/identity_providers/my-idp/protocols/oidc/auth";
    let id_token = sim.id_token(&IdTokenSpec::default());
    let bearer = format!("Bearer {id_token}");
    let unscoped = Request::post(path, "")
        .header("authorization", &bearer)
        .send_to_iam(&sim);
    let token = unscoped.token();
    assert!(unscoped.json()["token"]["project"].is_null());
    let clusters = |token: &str| {
        let request = Request::get(&project_path(&sim, "clusters")).header("x-auth-token", token);
        request.send_to_cce(&sim).unwrap().status
    };
    assert_eq!(clusters(&token), 401);
    let projects = Request::get("/v3/auth/projects").header("x-auth-token", &token);
    assert_eq!(projects.send_to_iam(&sim).json()["projects"][0]["name"], "cn-north-4");
    let body = json!({"auth": {"identity": {"methods": ["token"], "token": {"id": token}}, "scope": main_project()}});
    let scoped = tokens::ask(&sim, &body);
    assert_eq!(clusters(&scoped.token()), 200);
    assert_eq!(
        scoped.json()["token"]["user"]["id"],
        unscoped.json()["token"]["user"]["id"]
    );
    assert_eq!(Request::post(path, "").send_to_iam(&sim).refusal().0, 401);
    assert_eq!(sim.count("federation_auth"), 2);
}

#[test]
fn a_job_of_github_actions_gets_an_id_token_for_the_audience_it_names() {
    let sim = Sim::start();
    sim.add_identity_provider(&ProviderSpec::github_actions("github", "cce login"));
    let url = sim.actions_request_url();
    let (endpoint, path) = url.split_once("/idtoken").unwrap();
    let get = |query: &str, token: &str| {
        let request =
            Request::get(&format!("/idtoken{path}{query}")).header("authorization", &format!("bearer {token}"));
        request.send_to(endpoint, &sim).unwrap()
    };
    let token = sim.actions_request_token();
    let id_token = |query: &str| get(query, &token).json()["value"].as_str().unwrap().to_owned();
    exchange(
        &sim,
        Some("github"),
        &id_token("&audience=cce%20login"),
        &main_project(),
    )
    .token();
    let other = exchange(&sim, Some("github"), &id_token("&audience=other"), &main_project());
    assert!(other.refusal().1.contains("audience"));
    let none = exchange(&sim, Some("github"), &id_token(""), &main_project());
    assert!(none.refusal().1.contains("audience"));
    assert_eq!(get("&audience=x", "wrong").status, 401);
    assert_eq!(sim.count("actions_id_token"), 4);
}
