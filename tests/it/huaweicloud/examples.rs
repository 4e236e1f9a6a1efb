//! Every example of an answer in `tests/vectors/examples` is read, or refused, as its name says.

use crate::support::{World, in_repository};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cce_login::error::Exit;
use cce_login::huaweicloud::cce::cluster::{Access, Cluster};
use cce_login::huaweicloud::cce::cluster_cert::ClusterCert;
use cce_login::huaweicloud::cce::job::{Job, JobPhase};
use cce_login::huaweicloud::iam::token_answer::{TemporaryAccessKey, Token};
use cce_sim::Fault;
use serde_json::Value;
use std::time::Duration;

fn text(name: &str) -> String {
    std::fs::read_to_string(in_repository("tests/vectors/examples").join(format!("{name}.json"))).unwrap()
}

fn json(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap()
}

#[test]
fn clusters_are_read_in_every_shape() {
    let table = [
        (
            "cluster_get_response_huawei",
            "https://192.168.0.61:5443",
            "https://198.51.100.7:5443",
        ),
        (
            "cluster_get_response_hibernated",
            "https://192.168.0.61:5443",
            "https://198.51.100.7:5443",
        ),
        (
            "cluster_get_response_otc_list_endpoints",
            "https://192.168.0.61:5443",
            "https://10.185.69.54:5443",
        ),
        (
            "cluster_get_response_otc_object_endpoints",
            "https://192.168.0.68:5443",
            "https://10.34.56.78:5443",
        ),
    ];
    for (name, internal, external) in table {
        let cluster = Cluster::from_json(&json(name)).unwrap();
        assert_eq!(cluster.name, "mycluster", "{name}");
        assert_eq!(cluster.id.as_str(), "4d1ecb2c-229a-11e8-9c75-0255ac100ceb", "{name}");
        assert_eq!(cluster.version, "v1.29", "{name}");
        let urls = |access| {
            cluster
                .endpoints_for(access)
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(urls(Access::Internal), [internal], "{name}");
        assert_eq!(urls(Access::External), [external], "{name}");
        assert_eq!(
            cluster.unreachable_because().is_some(),
            name.ends_with("hibernated"),
            "{name}"
        );
    }
}

#[test]
fn a_list_of_clusters_is_read_and_an_empty_one_too() {
    let world = World::new();
    let list = |name: &str| {
        world.sim.set_fault("clusters", Fault::Malformed(text(name)));
        world.run(["login"])
    };
    list("cluster_list_response_huawei").fails(Exit::Usage, "hint: give it with `--cluster`: `mycluster`");
    list("cluster_list_response_empty").fails(Exit::Usage, "hint: project `cn-north-4` has no clusters");
}

/// The example with a real certificate, key and CA in the place of its `<…>`.
fn with_certificate(name: &str, world: &World) -> Value {
    let issued = world.sim.issue_certificate("prod", "alice", Duration::from_secs(3600));
    let ca = format!(
        "Certificate:\n    Data:\n        Version: 3 (0x2)\n{}",
        world.sim.cluster("prod").ca_pem
    );
    let mut text = text(name);
    while let Some(start) = text.find("\"<") {
        let end = start + text[start..].find(">\"").unwrap() + 2;
        let value = match &text[start..end] {
            part if part.contains("PEM cert") => &issued.certificate,
            part if part.contains("PEM key") => &issued.key,
            _ => &ca,
        };
        text.replace_range(start..end, &format!("\"{}\"", STANDARD.encode(value)));
    }
    serde_json::from_str(&text).unwrap()
}

#[test]
fn certificates_come_with_the_servers_that_the_answer_names() {
    let world = World::new();
    let internal = "https://192.168.1.7:5443";
    let external = "https://198.51.100.7:5443";
    let custom = "https://k8s.example.com:5443";
    let table: [(&str, &[&str], &[&str]); 3] = [
        ("clustercert_response_internal", &[internal], &[]),
        ("clustercert_response_external", &[internal, external], &[]),
        (
            "clustercert_response_customsan",
            &[internal, external, custom],
            &[custom],
        ),
    ];
    for (name, servers, custom_san_servers) in table {
        let fresh = ClusterCert::from_json(
            &with_certificate(name, &world),
            world.now(),
            cce_login::host::Skew::default(),
        )
        .unwrap();
        let texts = |urls: &[cce_login::ids::Endpoint]| urls.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts(&fresh.servers), servers, "{name}");
        assert_eq!(texts(&fresh.custom_san_servers), custom_san_servers, "{name}");
        assert_eq!(fresh.cert.common_name, world.sim.user_id("alice"), "{name}");
        assert!(
            fresh.ca_pem.unwrap().starts_with("-----BEGIN CERTIFICATE-----\n"),
            "{name}"
        );
    }
}

#[test]
fn an_answer_with_placeholders_in_it_is_refused() {
    let world = World::new();
    for name in [
        "clustercert_response_internal",
        "clustercert_response_external",
        "clustercert_response_customsan",
    ] {
        world.sim.set_fault("clustercert", Fault::Malformed(text(name)));
        let outcome = world.get_credential(&["--force-refresh"]);
        outcome.fails(Exit::Failed, "its client certificate is not base64");
    }
}

#[test]
fn the_example_requests_look_like_ours() {
    let world = World::new();
    world.get_credential(&[]).credential();
    let ours: Value = serde_json::from_str(&world.sim.requests()[0].body).unwrap();
    assert_eq!(ours["duration"], json("clustercert_request_duration")["duration"]);
    let shape = |body: &Value| {
        let text = body["expire_at"].as_str().unwrap();
        text.replace(|c: char| c.is_ascii_digit(), "0")
    };
    assert_eq!(shape(&ours), shape(&json("clustercert_request_expire_at")));
}

#[test]
fn errors_are_told_with_their_code_and_most_telling_message() {
    let table = [
        (
            "error_apigw_0101_no_api",
            404,
            Exit::Failed,
            "(APIGW.0101",
            "has not been published in the environment",
        ),
        (
            "error_apigw_0301_signature",
            401,
            Exit::Identity,
            "(APIGW.0301",
            "verify aksk signature fail",
        ),
        (
            "error_apigw_0301_token",
            401,
            Exit::Identity,
            "(APIGW.0301",
            "decrypt token fail",
        ),
        (
            "error_apigw_0303_clock",
            401,
            Exit::Identity,
            "(APIGW.0303",
            "x-sdk-date expired",
        ),
        (
            "error_apigw_0308_throttle",
            429,
            Exit::Temporary,
            "(APIGW.0308",
            "throttling threshold",
        ),
        ("error_cce_403", 403, Exit::Identity, "(CCE.01403001", "RECONSTRUCTED"),
        ("error_cce_404", 404, Exit::Failed, "(CCE.01404001", "RECONSTRUCTED"),
        ("error_cce_429", 429, Exit::Temporary, "(CCE.01429002", "RECONSTRUCTED"),
        (
            "error_cce_documented",
            401,
            Exit::Identity,
            "(CCE.01401001",
            "Authorization failed.",
        ),
        (
            "error_cce_real_400",
            400,
            Exit::Failed,
            "(CCE.01400001",
            "cluster CA file show provide with client cert",
        ),
        (
            "error_cce_real_old",
            400,
            Exit::Failed,
            "(E.CFE.4000201",
            "Need authorize CCE to operate user resources",
        ),
    ];
    for (name, code, exit, error_code, message) in table {
        let world = World::new();
        let fault = Fault::Status {
            code,
            body: text(name),
            headers: Vec::new(),
        };
        world.sim.set_fault("clustercert", fault);
        let outcome = world.get_credential(&[]);
        outcome.fails(exit, message);
        assert!(outcome.stderr.contains(error_code), "{name}: {outcome}");
    }
}

#[test]
fn errors_of_iam_are_told_in_both_of_its_styles() {
    let table = [
        (
            "iam_error_401",
            401,
            Exit::Identity,
            "IAM answered 401 Unauthorized",
            "The username or password is wrong.",
        ),
        (
            "iam_error_new_style",
            400,
            Exit::Failed,
            "IAM.0011",
            "Request body is invalid.",
        ),
    ];
    for (name, code, exit, start, message) in table {
        let world = World::new();
        let fault = Fault::Status {
            code,
            body: text(name),
            headers: Vec::new(),
        };
        world.sim.set_fault("projects", fault);
        let outcome = world.login(&[]);
        outcome.fails(exit, message);
        assert!(outcome.stderr.contains(start), "{name}: {outcome}");
    }
}

#[test]
fn a_list_of_projects_is_read() {
    let world = World::new();
    world
        .sim
        .set_fault("projects", Fault::Malformed(text("iam_projects_response")));
    let outcome = world.login(&[]);
    assert_ne!(outcome.exit, Exit::Done, "the simulated cloud knows no such project");
    let asked = world.sim.requests().pop().unwrap();
    assert!(
        asked.path.contains("/projects/0605767b5780d5762fbcc0118072a564/"),
        "{}",
        asked.path
    );
}

#[test]
fn no_example_is_left_out() {
    let here = std::fs::read_to_string(in_repository("tests/it/huaweicloud/examples.rs")).unwrap();
    for file in std::fs::read_dir(in_repository("tests/vectors/examples")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let stem = path.file_stem().unwrap().to_str().unwrap();
            assert!(here.contains(&format!("\"{stem}\"")), "no test reads {stem}.json");
        }
    }
}

#[test]
fn jobs_are_read_in_every_phase() {
    for (name, phase, reason) in [
        ("job_response_initializing", JobPhase::Initializing, ""),
        ("job_response_running", JobPhase::Running, ""),
        ("job_response_success", JobPhase::Success, ""),
        ("job_response_failed", JobPhase::Failed, "some node failed"),
    ] {
        let job = Job::from_json(&json(name)).unwrap();
        assert_eq!((job.phase, job.reason.as_str()), (phase, reason), "{name}");
        assert_eq!(job.id, "2ec9b78d-9368-46f3-8f29-d1a95622a568");
        assert!(job.failed_parts.is_empty());
    }
    let started = Job::id_of_started(&json("rotatecredentials_response"));
    assert_eq!(started.as_deref(), Some("2ec9b78d-9368-46f3-8f29-d1a95622a568"));
    assert_eq!(Job::from_json(&json("rotatecredentials_response")), None);
}

#[test]
fn a_failed_part_of_a_job_is_named_with_its_reason() {
    let mut failed = json("job_response_failed");
    let part = |phase: &str| serde_json::json!({"spec": {"type": "RotateNode"}, "status": {"phase": phase, "reason": "no answer"}});
    failed["spec"]["subJobs"] = serde_json::json!([part("Success"), part("Failed"), null]);
    assert_eq!(Job::from_json(&failed).unwrap().failed_parts, ["RotateNode: no answer"]);
}

#[test]
fn a_token_is_read_with_its_user_and_project() {
    let answer = json("iam_token_response_201");
    let header = answer["_headers"]["X-Subject-Token"].as_str();
    let token = Token::from_answer(header, &answer).unwrap();
    assert_eq!(token.secret.expose(), "MIIPAgYJKoZIhvcNAQcCo...");
    assert_eq!(token.expires_at.to_rfc3339(), "2026-01-16T09:30:00.123+00:00");
    assert_eq!(token.project.unwrap().name, "cn-north-4");
    assert_eq!(
        (token.user_name.as_str(), token.account.as_str()),
        ("IAMUser", "IAMDomain")
    );
    assert!(Token::from_answer(None, &answer).is_none());
    assert!(Token::from_answer(header, &json("iam_error_401")).is_none());
}

#[test]
fn temporary_access_keys_are_read_in_every_shape() {
    for (name, end) in [
        ("iam_securitytokens_response_201", "2026-01-15T09:45:00+00:00"),
        ("ecs_metadata_securitykey_response", "2026-01-15T15:30:00+00:00"),
        ("sts_assume_response", "2026-01-15T10:30:00+00:00"),
    ] {
        let temporary = TemporaryAccessKey::from_json(&json(name)).unwrap();
        assert_eq!(temporary.key.id.as_str(), "EXAMPLEACCESS0000000", "{name}");
        assert!(temporary.key.security_token.is_some(), "{name}");
        assert_eq!(temporary.expires_at.to_rfc3339(), end, "{name}");
    }
    assert!(TemporaryAccessKey::from_json(&json("iam_error_401")).is_none());
}
