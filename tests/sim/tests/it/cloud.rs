//! Who may ask what: the gateway, IAM and the lists of CCE.

use cce_sim::{AccessKey, ClusterSpec, EndpointsShape, SignatureStyle, Sim};

use crate::client::{Client, Request, cluster_path, project_path};

#[test]
fn a_signed_request_lists_the_clusters_of_its_project() {
    let sim = Sim::start();
    sim.add_cluster(ClusterSpec {
        project: "cn-north-4_team".to_owned(),
        ..ClusterSpec::named("team")
    });
    let reply = Request::get(&project_path(&sim, "clusters")).sent_by_alice(&sim);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let items = reply.json()["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["metadata"]["name"], "prod");
    assert!(reply.header("date").unwrap().ends_with("GMT"));
    assert!(reply.header("x-request-id").is_some());
    let requests = sim.requests();
    assert_eq!((requests[0].operation.as_str(), requests[0].status), ("clusters", 200));
    assert_eq!(requests[0].access_key_id, Some(sim.access_key("alice").id));
}

#[test]
fn a_request_somebody_touched_is_refused() {
    let sim = Sim::start();
    let mut request = Request::get(&project_path(&sim, "clusters")).signed(&sim, &sim.access_key("alice"), 0);
    request.path.push_str("?status=Available");
    let reply = request.send_to_cce(&sim).unwrap();
    assert_eq!(
        (reply.status, reply.json()["error_code"].as_str()),
        (401, Some("APIGW.0301"))
    );
}

#[test]
fn an_unknown_access_key_and_no_signature_are_refused() {
    let sim = Sim::start();
    let mut key = sim.access_key("alice");
    sim.remove_access_key(&key.id);
    let path = project_path(&sim, "clusters");
    let reply = Request::get(&path).signed(&sim, &key, 0).send_to_cce(&sim).unwrap();
    assert_eq!(
        (reply.status, reply.json()["error_code"].as_str()),
        (401, Some("APIGW.0301"))
    );
    key.secret = "wrong".to_owned();
    assert_eq!(Request::get(&path).send_to_cce(&sim).unwrap().status, 401);
}

#[test]
fn a_clock_that_is_off_is_refused_by_the_clouds_own_clock() {
    let sim = Sim::start();
    let alice = sim.access_key("alice");
    let status = |offset| {
        let request = Request::get(&project_path(&sim, "clusters")).signed(&sim, &alice, offset);
        let reply = request.send_to_cce(&sim).unwrap();
        (reply.status, reply.json()["error_code"].as_str().map(str::to_owned))
    };
    assert_eq!(status(-890), (200, None));
    assert_eq!(status(1000), (401, Some("APIGW.0303".to_owned())));
    sim.set_behaviour(|behaviour| behaviour.clock_offset = 3 * 3600);
    assert_eq!(status(0), (401, Some("APIGW.0303".to_owned())));
    assert_eq!(status(3 * 3600), (200, None));
}

#[test]
fn a_trailing_slash_or_another_method_is_no_api() {
    let sim = Sim::start();
    for path in ["clusters/", "clusters//", "nodes", "jobs/"] {
        let reply = Request::get(&project_path(&sim, path)).sent_by_alice(&sim);
        assert_eq!(
            (reply.status, reply.json()["error_code"].as_str()),
            (404, Some("APIGW.0101")),
            "{path}"
        );
    }
    let reply = Request::get(&cluster_path(&sim, "prod", "clustercert")).sent_by_alice(&sim);
    assert_eq!(reply.status, 404);
    assert_eq!(sim.count("unknown"), 5);
}

#[test]
fn a_temporary_access_key_needs_its_security_token() {
    let sim = Sim::start();
    let mut key = sim.temporary_access_key("bob");
    let path = project_path(&sim, "clusters");
    let status = |key: &AccessKey| {
        let request = Request::get(&path).signed(&sim, key, 0);
        request.send_to_cce(&sim).unwrap().status
    };
    assert_eq!(status(&key), 200);
    key.security_token = Some("another".to_owned());
    assert_eq!(status(&key), 401);
    key.security_token = None;
    assert_eq!(status(&key), 401);
}

#[test]
fn permissions_and_projects_are_checked() {
    let sim = Sim::start();
    let status = |user: &str, path: &str| {
        let signed = Request::get(path).signed(&sim, &sim.access_key(user), 0);
        signed.send_to_cce(&sim).unwrap().status
    };
    let team = format!("/api/v3/projects/{}/clusters", sim.project_id("cn-north-4_team"));
    assert_eq!(status("bob", &project_path(&sim, "clusters")), 200);
    assert_eq!(status("bob", &team), 403);
    assert_eq!(status("carol", &project_path(&sim, "clusters")), 403);
    let other =
        Request::get(&project_path(&sim, "clusters")).header("x-project-id", &sim.project_id("cn-north-4_team"));
    assert_eq!(other.sent_by_alice(&sim).status, 401);
}

#[test]
fn iam_lists_the_projects_of_a_user() {
    let sim = Sim::start();
    let host = sim.iam_endpoint().replace("https://", "");
    let names = |user: &str, path: &str| {
        let signed = Request::get(path).signed_for(&host, &sim.access_key(user), 0);
        let client = Client::new(&sim.ca_pem(), "localhost", None);
        let reply = client.send(host.parse().unwrap(), &signed).unwrap();
        assert_eq!(reply.status, 200, "{}", reply.body);
        let projects = reply.json()["projects"].as_array().unwrap().clone();
        projects
            .iter()
            .map(|project| project["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("alice", "/v3/projects?name=cn-north-4"), ["cn-north-4"]);
    assert_eq!(names("alice", "/v3/projects"), ["cn-north-4", "cn-north-4_team"]);
    assert_eq!(names("bob", "/v3/auth/projects"), ["cn-north-4"]);
    assert!(names("bob", "/v3/projects?name=cn-north-4_team").is_empty());
}

#[test]
fn an_account_that_is_claimed_must_be_the_identitys() {
    let sim = Sim::start();
    let get = |account: &str| {
        let request = Request::get("/v3/auth/domains").header("x-domain-id", &sim.account_id(account));
        request.signed_to_iam(&sim, &sim.access_key("bob"))
    };
    assert_eq!(get("example-account").status, 200);
    assert_eq!(get("other-account").gateway_refusal(), (401, "APIGW.0301".to_owned()));
}

#[test]
fn endpoints_come_in_three_shapes() {
    let sim = Sim::start_empty();
    let endpoints = |shape, eip| {
        let spec = ClusterSpec {
            endpoints: shape,
            eip,
            ..ClusterSpec::named("shape")
        };
        let uid = sim.add_cluster(spec);
        let reply = Request::get(&project_path(&sim, &format!("clusters/{uid}"))).sent_by_alice(&sim);
        let json = reply.json();
        assert_eq!(json["metadata"]["alias"].is_null(), shape != EndpointsShape::HuaweiList);
        json["status"]["endpoints"].clone()
    };
    let huawei = endpoints(EndpointsShape::HuaweiList, true);
    assert_eq!(huawei[0]["type"], "Internal");
    assert!(huawei[1]["url"].as_str().unwrap().starts_with("https://127.20."));
    assert_eq!(
        endpoints(EndpointsShape::HuaweiList, false).as_array().unwrap().len(),
        1
    );
    assert!(endpoints(EndpointsShape::OtcObject, true)["external_otc"].is_string());
    assert!(endpoints(EndpointsShape::OtcList, true)[1]["External"].is_string());
}

#[test]
fn the_older_signature_is_wanted_where_only_it_is_known() {
    let sim = Sim::start();
    sim.set_behaviour(|behaviour| behaviour.signature_style = SignatureStyle::LegacyOnly);
    let reply = Request::get(&project_path(&sim, "clusters")).sent_by_alice(&sim);
    assert_eq!(
        (reply.status, reply.json()["error_code"].as_str()),
        (401, Some("APIGW.0301"))
    );
}
