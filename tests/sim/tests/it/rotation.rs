//! Revocation and rotation, through the API.

use cce_sim::{ClusterSpec, JobOutcome, Sim};
use serde_json::Value;

use crate::client::{Client, Kubeconfig, Reply, Request, cluster_path, project_path};

const NAMESPACES: &str = "/api/v1/namespaces";

fn post_as(sim: &Sim, user: &str, cluster: &str, call: &str, body: &str) -> Reply {
    let request = Request::post(&cluster_path(sim, cluster, call), body);
    request.signed(sim, &sim.access_key(user), 0).send_to_cce(sim).unwrap()
}

fn start_rotation(sim: &Sim) -> String {
    let reply = post_as(sim, "alice", "prod", "rotatecredentials", r#"{"component": "all"}"#);
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["jobid"].as_str().unwrap().to_owned()
}

/// The job, or the status of the refusal.
fn poll(sim: &Sim, job: &str) -> Result<Value, u16> {
    let reply = Request::get(&project_path(sim, &format!("jobs/{job}"))).sent_by_alice(sim);
    if reply.status == 200 {
        Ok(reply.json())
    } else {
        Err(reply.status)
    }
}

#[test]
fn a_revocation_hits_what_one_user_has_and_nothing_else() {
    let sim = Sim::start();
    let status = |issued: &cce_sim::IssuedCertificate| {
        let info = sim.cluster("prod");
        let client = Client::new(&info.ca_pem, "kubernetes", Some((&issued.certificate, &issued.key)));
        let address = info.external_url.unwrap().replace("https://", "").parse().unwrap();
        client.send(address, &Request::get(NAMESPACES)).unwrap().status
    };
    let day = std::time::Duration::from_secs(86400);
    let issue = |user| sim.issue_certificate("prod", user, day);
    let (alice, alice_too, bob) = (issue("alice"), issue("alice"), issue("bob"));
    let of_alice = format!(r#"{{"userId": "{}"}}"#, sim.user_id("alice"));
    assert_eq!(post_as(&sim, "bob", "prod", "clustercertrevoke", &of_alice).status, 403);
    assert_eq!(status(&alice), 200);
    let done = post_as(&sim, "alice", "prod", "clustercertrevoke", &of_alice);
    assert_eq!((done.status, done.body.as_str()), (200, ""));
    assert_eq!([&alice, &alice_too, &bob].map(status), [401, 401, 200]);
    // An id is a user's or an agency's, not both.
    let of_no_agency = format!(r#"{{"agencyId": "{}"}}"#, sim.user_id("bob"));
    assert_eq!(
        post_as(&sim, "alice", "prod", "clustercertrevoke", &of_no_agency).status,
        200
    );
    assert_eq!(status(&bob), 200);
    assert_eq!(status(&issue("alice")), 200);
}

#[test]
fn a_revocation_names_exactly_one_identity_and_a_new_enough_cluster() {
    let sim = Sim::start();
    sim.add_cluster(ClusterSpec {
        version: "v1.25".to_owned(),
        release: Some("v1.25.4-r0".to_owned()),
        ..ClusterSpec::named("old")
    });
    for body in ["{}", r#"{"userId": "a", "agencyId": "b"}"#, r#"{"userid": "a"}"#] {
        assert_eq!(
            post_as(&sim, "alice", "prod", "clustercertrevoke", body).status,
            400,
            "{body}"
        );
    }
    let agency = r#"{"agencyId": "0c96fad22880f32a3f84c009862af6f7"}"#;
    assert_eq!(post_as(&sim, "alice", "prod", "clustercertrevoke", agency).status, 200);
    assert_eq!(post_as(&sim, "alice", "old", "clustercertrevoke", agency).status, 400);
    sim.set_behaviour(|behaviour| behaviour.no_revoke_and_rotate = true);
    let absent = post_as(&sim, "alice", "prod", "clustercertrevoke", agency);
    assert_eq!(
        (absent.status, absent.json()["error_code"].as_str()),
        (404, Some("APIGW.0101"))
    );
}

#[test]
fn a_rotation_replaces_the_ca_and_ends_old_certificates() {
    let sim = Sim::start();
    let before = Kubeconfig::fetch(&sim, "prod");
    let old_ca = sim.cluster("prod").ca_pem;
    let job = start_rotation(&sim);
    let phases = [0; 4].map(|_| {
        poll(&sim, &job).unwrap()["status"]["phase"]
            .as_str()
            .unwrap()
            .to_owned()
    });
    assert_eq!(phases, ["Initializing", "Running", "Success", "Success"]);
    assert_ne!(sim.cluster("prod").ca_pem, old_ca);
    assert_eq!(before.get(&sim, "prod", NAMESPACES).unwrap().status, 401);
    let after = Kubeconfig::fetch(&sim, "prod");
    assert_eq!(after.get(&sim, "prod", NAMESPACES).unwrap().status, 200);
    let address = sim
        .cluster("prod")
        .external_url
        .unwrap()
        .replace("https://", "")
        .parse()
        .unwrap();
    let trusting_the_old = Client::new(&old_ca, "kubernetes", None);
    assert!(trusting_the_old.send(address, &Request::get("/version")).is_err());
}

#[test]
fn a_job_can_fail_or_vanish() {
    let sim = Sim::start();
    let ca = sim.cluster("prod").ca_pem;
    sim.set_behaviour(|behaviour| {
        behaviour.job_initializing_polls = 0;
        behaviour.job_running_polls = 0;
        behaviour.job_outcome = JobOutcome::Failed("some node failed".to_owned());
    });
    let failed = poll(&sim, &start_rotation(&sim)).unwrap();
    assert_eq!(failed["status"]["reason"], "some node failed");
    let steps = failed["spec"]["subJobs"].as_array().unwrap();
    let phases: Vec<_> = steps
        .iter()
        .map(|step| step["status"]["phase"].as_str().unwrap())
        .collect();
    assert_eq!(phases, ["Success", "Failed"]);
    sim.set_behaviour(|behaviour| {
        behaviour.job_outcome = JobOutcome::Vanished;
        behaviour.job_running_polls = 1;
        behaviour.job_missing_polls = 1;
    });
    let job = start_rotation(&sim);
    let found = [0; 3].map(|_| poll(&sim, &job).is_ok());
    assert_eq!(found, [false, true, false]);
    assert_eq!(sim.cluster("prod").ca_pem, ca);
}

#[test]
fn a_rotation_is_checked() {
    let sim = Sim::start();
    for body in [
        "{}",
        r#"{"component": "everything"}"#,
        r#"{"component": "all", "certificateExpirationTime": 8785}"#,
        r#"{"component": "custom", "certContent": {"ca": "", "cert": "", "privateKey": ""}}"#,
    ] {
        assert_eq!(
            post_as(&sim, "alice", "prod", "rotatecredentials", body).status,
            400,
            "{body}"
        );
    }
    assert_eq!(
        post_as(&sim, "bob", "prod", "rotatecredentials", r#"{"component": "all"}"#).status,
        403
    );
}
