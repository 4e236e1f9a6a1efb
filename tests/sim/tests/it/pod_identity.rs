//! The endpoint that pods get their agency's keys from.

use cce_sim::{AccessKey, AgencySpec, IdTokenSpec, Sim};

use crate::client::{Reply, Request, project_path};

fn ask(sim: &Sim, token: &str, body: &str) -> Reply {
    let uri = sim.pod_credentials_uri();
    let endpoint = uri.strip_suffix("/v1/credentials").unwrap();
    let request = Request::post("/v1/credentials", body).header("authorization", token);
    request.send_to(endpoint, sim).unwrap()
}

#[test]
fn a_pods_token_brings_a_key_of_its_agency() {
    let sim = Sim::start();
    sim.add_agency(&AgencySpec::for_service("pods", "cce"));
    assert_eq!(ask(&sim, &sim.pod_authorization_token(), "{}").status, 404);
    sim.set_pod_agency(Some("pods"));
    let reply = ask(&sim, &sim.pod_authorization_token(), "{}");
    assert_eq!(reply.status, 200, "{}", reply.body);
    let json = reply.json();
    let text = |name: &str| json["credentials"][name].as_str().unwrap().to_owned();
    let key = AccessKey {
        id: text("accessKeyId"),
        secret: text("secretAccessKey"),
        security_token: Some(text("securityToken")),
    };
    assert_eq!(json["assumedAgency"]["id"], sim.agency_id("pods"));
    assert_eq!(json["subject"]["serviceAccount"], "kubectl");
    let clusters = Request::get(&project_path(&sim, "clusters")).signed(&sim, &key, 0);
    assert_eq!(clusters.send_to_cce(&sim).unwrap().status, 200);
    assert_eq!(sim.count("pod_credentials"), 2);
}

#[test]
fn another_token_or_body_is_refused() {
    let sim = Sim::start();
    sim.add_agency(&AgencySpec::for_service("pods", "cce"));
    sim.set_pod_agency(Some("pods"));
    let good = sim.pod_authorization_token();
    assert_eq!(ask(&sim, "made up", "{}").status, 401);
    assert_eq!(ask(&sim, &format!("Bearer {good}"), "{}").status, 401);
    assert_eq!(ask(&sim, &sim.id_token(&IdTokenSpec::default()), "{}").status, 401);
    assert_eq!(ask(&sim, &good, "").status, 400);
    sim.set_behaviour(|behaviour| behaviour.clock_offset = 3601);
    assert_eq!(ask(&sim, &good, "{}").status, 401);
}
