//! The official Python SDK of IAM Identity Center against the simulated one: it sends what that takes, and understands all that comes back.

use super::sdk::{ask, understood};
use super::world::World;
use cce_sim::Approval;
use serde_json::{Value, json};

/// One unsigned call.
fn call(world: &World, name: &str, arguments: &Value) -> Value {
    let is_portal = [
        "list_accounts",
        "list_account_agencies",
        "get_agency_credentials",
        "logout",
    ]
    .contains(&name);
    let item = json!({
        "service": if is_portal { "identitycenterportalapi" } else { "identitycenteroidc" },
        "call": name, "arguments": arguments, "region": world.sim.region(),
        "identitycenteroidc": world.sim.identity_center_oidc_endpoint(),
        "identitycenterportalapi": world.sim.identity_center_portal_endpoint(),
        "ca": world.path("cloud-ca.pem"),
    });
    ask("call", &[item]).remove(0)
}

#[test]
fn the_sdk_signs_a_person_in_and_gets_an_agencys_key() {
    let world = World::without_kubectl();
    for (account, set) in [
        ("example-account", "Operators"),
        ("example-account", "Readers"),
        ("other-account", "Operators"),
    ] {
        world.sim.assign_permission_set(account, set);
    }
    world.sim.set_behaviour(|b| {
        b.identity_center.approval = Approval::AfterPolls(1);
        b.identity_center.page = 1;
    });
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let registered = call(
        &world,
        "register_client",
        &json!({"body": {"RegisterClientReqBody": {
            "client_name": "sdk", "client_type": "public", "token_endpoint_auth_method": "client_secret_post",
            "grant_types": [grant], "response_types": ["code"],
        }}}),
    );
    let client = &understood(&registered)["client_info"];
    let (id, secret) = (&client["client_id"], &client["client_secret"]);
    let started = call(
        &world,
        "start_device_authorization",
        &json!({"body": {"StartDeviceAuthorizationReqBody": {
            "client_id": id, "client_secret": secret, "start_url": world.sim.start_url(),
        }}}),
    );
    let device = understood(&started);
    let poll = json!({"body": {"CreateTokenReqBody": {
        "client_id": id, "client_secret": secret, "grant_type": grant, "device_code": device["device_code"],
    }}});
    assert_eq!(call(&world, "create_token", &poll)["status"], 400);
    let token = call(&world, "create_token", &poll);
    let token = &understood(&token)["token_info"];
    // An epoch second, as the documentation's example has it.
    assert!(token["expires_in"].as_i64() > Some(1_000_000_000), "{token}");
    let shown = token["access_token"].clone();
    let accounts = call(&world, "list_accounts", &json!({"access_token": shown, "limit": 1}));
    let accounts = understood(&accounts);
    let account = &accounts["account_list"][0]["account_id"];
    let next = &accounts["page_info"]["next_marker"];
    let others = call(
        &world,
        "list_accounts",
        &json!({"access_token": shown, "limit": 1, "marker": next}),
    );
    assert_eq!(understood(&others)["account_list"][0]["account_name"], "other-account");
    let agencies = call(
        &world,
        "list_account_agencies",
        &json!({"access_token": shown, "account_id": account}),
    );
    let agency = &understood(&agencies)["agency_list"][0];
    assert_eq!(agency["permission_set_name"], "Operators");
    let wanted = json!({"access_token": shown, "target_account_id": account, "agency_urn": agency["agency_urn"]});
    let key = call(&world, "get_agency_credentials", &wanted);
    assert!(understood(&key)["agency_credentials"]["session_token"].is_string());
    assert_eq!(call(&world, "logout", &json!({"access_token": shown}))["status"], 204);
    assert_eq!(call(&world, "get_agency_credentials", &wanted)["status"], 401);
}
