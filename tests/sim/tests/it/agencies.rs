//! Agencies: who may assume them, and whose certificates come of it.

use cce_sim::{AgencyKey, AgencySpec, Sim, Trust};
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject as _};
use x509_parser::parse_x509_certificate;

use crate::client::{Reply, Request, decode};

fn sim() -> Sim {
    let sim = Sim::start();
    sim.add_agency(&AgencySpec::default());
    sim
}

fn body(wanted: &Value) -> String {
    let scope = json!({"project": {"name": "cn-north-4"}});
    json!({"auth": {"identity": {"methods": ["assume_role"], "assume_role": wanted}, "scope": scope}}).to_string()
}

fn operators() -> Value {
    json!({"domain_name": "other-account", "agency_name": "operators"})
}

fn assume(sim: &Sim, user: &str, wanted: &Value) -> Reply {
    Request::post("/v3/auth/tokens", &body(wanted)).signed_to_iam(sim, &sim.access_key(user))
}

#[test]
fn a_certificate_through_an_agency_is_the_agencys() {
    let sim = sim();
    let project = sim.project_id_in("other-account", "cn-north-4");
    let uid = sim.add_cluster(cce_sim::ClusterSpec {
        project: project.clone(),
        ..cce_sim::ClusterSpec::named("theirs")
    });
    let reply = assume(&sim, "bob", &operators());
    let token = reply.token();
    let body = &reply.json()["token"];
    assert_eq!(body["user"]["id"], sim.agency_id("operators"));
    assert_eq!(body["user"]["name"], "other-account/operators");
    assert_eq!(body["assumed_by"]["user"]["id"], sim.user_id("bob"));
    assert_eq!(body["project"]["id"], project);
    let path = format!("/api/v3/projects/{project}/clusters/{uid}/clustercert");
    let request = Request::post(&path, r#"{"duration": 1}"#).header("x-auth-token", &token);
    let kubeconfig = request.send_to_cce(&sim).unwrap().json();
    let certificate = decode(&kubeconfig["users"][0]["user"]["client-certificate-data"]);
    let der = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let (_, certificate) = parse_x509_certificate(&der).unwrap();
    let common_name = certificate.subject().iter_common_name().next().unwrap();
    assert_eq!(common_name.as_str().unwrap(), sim.agency_id("operators"));
    let revoke = |body: &Value| {
        let path = format!("/api/v3/projects/{project}/clusters/{uid}/clustercertrevoke");
        let request = Request::post(&path, &body.to_string()).header("x-auth-token", &token);
        request.send_to_cce(&sim).unwrap().status
    };
    assert_eq!(revoke(&json!({"userId": sim.agency_id("operators")})), 403);
    assert_eq!(revoke(&json!({"agencyId": sim.agency_id("operators")})), 200);
}

#[test]
fn a_token_does_as_well_as_a_signature() {
    let sim = sim();
    let token = sim.token("bob", None);
    let request = Request::post("/v3/auth/tokens", &body(&operators())).header("x-auth-token", &token);
    let of_agency = request.send_to_iam(&sim).token();
    let again = Request::post("/v3/auth/tokens", &body(&operators())).header("x-auth-token", &of_agency);
    assert_eq!(again.send_to_iam(&sim).status, 403, "an agency assumes no other");
    let nobody = Request::post("/v3/auth/tokens", &body(&operators())).send_to_iam(&sim);
    assert_eq!(nobody.gateway_refusal(), (401, "APIGW.0301".to_owned()));
    let invalid = Request::post("/v3/auth/tokens", &body(&operators())).header("x-auth-token", "made up");
    assert_eq!(
        invalid.send_to_iam(&sim).refusal(),
        (401, "The X-Auth-Token is invalid!".to_owned())
    );
}

#[test]
fn who_may_not_assume_it_is_told_so() {
    let sim = sim();
    sim.add_agency(&AgencySpec {
        trust: Trust::Account("other-account".to_owned()),
        ..AgencySpec::named("not-for-us")
    });
    let named = |name: &str| json!({"domain_name": "other-account", "agency_name": name});
    let forbidden = "You are not authorized to perform the requested action: iam:tokens:assume";
    let forbidden = (403, forbidden.to_owned());
    assert_eq!(assume(&sim, "carol", &operators()).refusal(), forbidden, "no operator");
    assert_eq!(assume(&sim, "bob", &named("not-for-us")).refusal(), forbidden);
    assert_eq!(
        assume(&sim, "bob", &named("unknown")).refusal(),
        (404, "Could not find agency: unknown.".to_owned())
    );
    let elsewhere = json!({"domain_name": "example-account", "agency_name": "operators"});
    assert_eq!(assume(&sim, "bob", &elsewhere).status, 404);
    assert_eq!(assume(&sim, "bob", &json!({"agency_name": "operators"})).status, 400);
    sim.set_agency_refused("operators", true);
    assert_eq!(assume(&sim, "bob", &operators()).refusal(), forbidden);
    sim.set_agency_refused("operators", false);
    assume(&sim, "bob", &operators()).token();
}

#[test]
fn the_agencys_name_has_two_names() {
    let sim = sim();
    let id = sim.account_id("other-account");
    let older = json!({"domain_id": id, "xrole_name": "operators"});
    let both = json!({"domain_id": id, "xrole_name": "operators", "agency_name": "operators"});
    let torn = json!({"domain_id": id, "xrole_name": "operators", "agency_name": "others"});
    let statuses = |key| {
        sim.set_behaviour(|behaviour| behaviour.agency_key = key);
        [&operators(), &older, &both, &torn].map(|wanted| assume(&sim, "bob", wanted).status)
    };
    assert_eq!(statuses(AgencyKey::Either), [201, 201, 201, 400]);
    assert_eq!(statuses(AgencyKey::AgencyName), [201, 400, 400, 400]);
    assert_eq!(statuses(AgencyKey::XroleName), [400, 201, 201, 201]);
}

#[test]
fn an_agency_sees_the_projects_of_its_account() {
    let sim = sim();
    let token = assume(&sim, "bob", &operators()).token();
    let get = |path: &str| {
        Request::get(path)
            .header("x-auth-token", &token)
            .send_to_iam(&sim)
            .json()
    };
    let project = sim.project_id_in("other-account", "cn-north-4");
    assert_eq!(get("/v3/projects?name=cn-north-4")["projects"][0]["id"], project);
    assert_eq!(get("/v3/auth/domains")["domains"][0]["name"], "other-account");
    assert_ne!(project, sim.project_id("cn-north-4"));
}
