//! STS: an agency in exchange for an id token.

use cce_sim::{AccessKey, AgencySpec, IdTokenSpec, ProviderSpec, Sim};
use serde_json::{Value, json};

use crate::client::{Reply, Request, project_path};

fn sim() -> Sim {
    let sim = Sim::start();
    sim.add_identity_provider(&ProviderSpec::default());
    sim.add_agency(&AgencySpec::for_provider("ci", "my-idp"));
    sim
}

fn good(sim: &Sim) -> Value {
    json!({
        "provider_urn": sim.provider_urn("my-idp"), "agency_urn": sim.agency_urn("ci"),
        "agency_session_name": "kubectl-cce", "id_token": sim.id_token(&IdTokenSpec::default()),
        "duration_seconds": 3600,
    })
}

fn assume(sim: &Sim, body: &Value) -> Reply {
    let request = Request::post("/v5/agencies/assume-with-oidc", &body.to_string());
    request.send_to(&sim.sts_endpoint(), sim).unwrap()
}

#[test]
fn an_id_token_brings_the_agencys_key() {
    let sim = sim();
    let reply = assume(&sim, &good(&sim));
    assert_eq!(reply.status, 200, "{}", reply.body);
    let json = reply.json();
    let text = |name: &str| json["credentials"][name].as_str().unwrap().to_owned();
    let key = AccessKey {
        id: text("access_key_id"),
        secret: text("secret_access_key"),
        security_token: Some(text("security_token")),
    };
    assert!(text("expiration").ends_with('Z'));
    let clusters = Request::get(&project_path(&sim, "clusters")).signed(&sim, &key, 0);
    assert_eq!(clusters.send_to_cce(&sim).unwrap().status, 200);
    let host = sim.sts_endpoint().replace("https://", "");
    let identity = Request::get("/v5/caller-identity").signed_for(&host, &key, 0);
    let identity = identity.send_to(&sim.sts_endpoint(), &sim).unwrap().json();
    assert_eq!(identity["account_id"], sim.account_id("example-account"));
    let id = format!("{}:kubectl-cce", sim.agency_id("ci"));
    assert_eq!(identity["principal_id"], id);
    assert_eq!(identity["principal_urn"], json["assumed_agency"]["urn"]);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let sim = sim();
    sim.add_agency(&AgencySpec::for_provider("theirs", "another-idp"));
    let status = |field: &str, value: Value| {
        let mut body = good(&sim);
        body[field] = value;
        assume(&sim, &body).status
    };
    assert_eq!(status("agency_urn", json!(sim.agency_urn("theirs"))), 403);
    assert_eq!(status("agency_urn", json!("iam::0:agency:ci")), 404);
    assert_eq!(status("provider_urn", json!("iam::0:oidcprovider:my-idp")), 404);
    let lower = sim.provider_urn("my-idp").replace("oidcProvider", "oidcprovider");
    assert_eq!(status("provider_urn", json!(lower)), 200);
    assert_eq!(status("duration_seconds", json!(10)), 400);
    assert_eq!(status("agency_session_name", json!("no spaces")), 400);
    assert_eq!(status("sessionName", json!("typo")), 400);
    let audience = "another-client".to_owned();
    let wrong = sim.id_token(&IdTokenSpec {
        audience,
        ..IdTokenSpec::default()
    });
    assert_eq!(status("id_token", json!(wrong)), 401);
    sim.set_agency_refused("ci", true);
    let refused = assume(&sim, &good(&sim));
    assert_eq!(refused.gateway_refusal(), (403, "STS5.0403".to_owned()));
    assert_eq!(sim.count("assume_with_oidc"), 9);
}
