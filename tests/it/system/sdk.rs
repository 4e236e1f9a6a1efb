//! The official Python SDK beside us: what it signs is what we sign, and what it gets from the simulated cloud is what we get. What that cloud sends is
//! what the SDK's models know, field for field: that keeps the simulator honest.

use super::process::Running;
use super::sdk_requests::{Request, Requests};
use super::world::{World, words};
use cce_login::huaweicloud::signing::canonical_request::query_string;
use cce_login::huaweicloud::signing::{SignableRequest, SigningKey, modern};
use cce_login::secret::Secret;
use cce_sim::{AccessKey, ClusterSpec, UserSpec};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Command;

/// How many requests both sign.
const COUNT: usize = 500;
/// Repeats a run: the seed that a failure names.
const SEED: &str = "SDK_SEED";

/// Asks the SDK, all in one process.
pub(super) fn ask(doing: &str, items: &[Value]) -> Vec<Value> {
    let python = std::env::var_os("PYTHON_SDK").unwrap_or_else(|| panic!("PYTHON_SDK is not set: run tests/run"));
    let mut command = Command::new(python);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/system/sdk/sdk.py");
    command.args([script, doing]).env_clear();
    let output = Running::start(command, Some(&Value::from(items).to_string())).finish();
    let output = output.succeeded();
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn our_signatures_and_those_of_the_sdk_are_the_same() {
    let given = std::env::var(SEED).ok().map(|text| text.parse().unwrap());
    let seed = given.unwrap_or_else(cce_login::host::random_u64);
    let requests: Vec<_> = Requests::new(seed).take(COUNT).collect();
    let asked: Vec<Value> = requests.iter().map(Request::for_the_sdk).collect();
    let answers = ask("sign", &asked);
    assert_eq!(answers.len(), COUNT);
    for (request, answer) in requests.iter().zip(&answers) {
        let secret = Secret::new(request.secret.clone());
        let key = SigningKey {
            id: &request.access_key_id,
            secret: &secret,
        };
        let query = request.query();
        let headers = request.all_headers();
        let signable = SignableRequest {
            method: request.method,
            host: &request.host,
            path: &request.path,
            query: &query,
            headers: &headers,
            body: &request.body,
        };
        let signature = modern::sign(&signable, &key, request.time);
        let again = format!("{SEED}={seed} repeats this");
        assert_eq!(
            Value::from(signature.authorization),
            answer["authorization"],
            "{again}: {request:#?}\n{}",
            signature.canonical_request
        );
        let query = query_string(&query);
        let mark = if query.is_empty() { "" } else { "?" };
        assert_eq!(
            Value::from(format!("{}{mark}{query}", request.path)),
            answer["uri"],
            "{again}: {request:#?}"
        );
    }
}

/// A call of the SDK as the holder of `key`: `iam` calls as the account, `cce` calls in the region's project, both found by the SDK.
fn sdk_call(world: &World, key: &AccessKey, service: &str, call: &str, arguments: &Value) -> Value {
    let domain = (service == "iam").then_some("");
    json!({
        "who": {"ak": key.id, "sk": key.secret, "token": key.security_token, "domain": domain},
        "service": service, "call": call, "arguments": arguments, "region": world.sim.region(),
        "cce": world.sim.cce_endpoint(), "iam": world.sim.iam_endpoint(), "ca": world.home().join("cloud-ca.pem"),
    })
}

/// The answer, of which the SDK understood everything.
#[track_caller]
pub(super) fn understood(answer: &Value) -> &Value {
    let status = answer["status"].as_u64();
    assert!(matches!(status, Some(200..=204)), "{answer:#}");
    let mut understood = answer["understood"].clone();
    for header in ["Port-ID", "X-Subject-Token"] {
        understood.as_object_mut().unwrap().remove(header);
    }
    assert_eq!(understood, without_nulls(&answer["sent"]));
    &answer["understood"]
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        Value::Object(fields) => {
            let known = fields.iter().filter(|(_, value)| !value.is_null());
            known
                .map(|(name, value)| (name.clone(), without_nulls(value)))
                .collect()
        }
        _ => value.clone(),
    }
}

/// Our own report.
fn our_clusters(world: &World) -> Vec<Value> {
    let mut all = words("kubectl-cce_login", "clusters --region cn-north-4 -o json");
    all.extend(world.cloud_flags());
    let output = world.run(&all).succeeded();
    serde_json::from_str(&output.stdout).unwrap()
}

#[test]
fn the_sdk_gets_the_clusters_that_we_get() {
    let world = World::new();
    world.sim.add_cluster(ClusterSpec {
        eip: false,
        category: "Turbo".to_owned(),
        ..ClusterSpec::named("inside")
    });
    world.sim.set_phase("inside", "Hibernation");
    world.sim.add_cluster(ClusterSpec {
        autopilot: true,
        ..ClusterSpec::named("pilot")
    });
    let key = world.sim.access_key("alice");
    let calls =
        ["list_clusters", "list_autopilot_clusters"].map(|call| sdk_call(&world, &key, "cce", call, &json!({})));
    let answers = ask("call", &calls);
    let mut theirs = BTreeMap::new();
    for cluster in answers
        .iter()
        .flat_map(|answer| understood(answer)["items"].as_array().unwrap())
    {
        let endpoints = cluster["status"]["endpoints"].as_array().unwrap();
        let url = |kind: &str| {
            endpoints
                .iter()
                .find(|e| e["type"] == kind)
                .map_or(Value::Null, |e| e["url"].clone())
        };
        let id = cluster["metadata"]["uid"].as_str().unwrap().to_owned();
        let seen = json!([
            cluster["metadata"]["name"],
            cluster["spec"]["version"],
            cluster["status"]["phase"],
            url("Internal"),
            url("External"),
        ]);
        theirs.insert(id, seen);
    }
    let ours: BTreeMap<String, Value> = our_clusters(&world)
        .into_iter()
        .filter(|row| row["project"] == "cn-north-4")
        .map(|row| {
            let (id, endpoints) = (row["id"].as_str().unwrap().to_owned(), &row["endpoints"]);
            let seen = json!([
                row["name"],
                row["version"],
                row["phase"],
                endpoints["internal"],
                endpoints["external"]
            ]);
            (id, seen)
        })
        .collect();
    assert_eq!(ours.len(), 3);
    assert_eq!(theirs, ours);
}

#[test]
fn the_sdk_gets_a_certificate_like_ours() {
    let world = World::new();
    let ours = world.get_credential().certificate();
    let cluster = world.sim.cluster("prod").uid;
    let key = world.sim.access_key("alice");
    let ends = (world.sim.now() + chrono::TimeDelta::hours(8))
        .format("%Y-%m-%d %H:%M:%S +0000 UTC")
        .to_string();
    let calls = [json!({"duration": 1}), json!({"duration": 1, "expire_at": ends})].map(|body| {
        let arguments = json!({"cluster_id": cluster, "body": body});
        sdk_call(&world, &key, "cce", "create_kubernetes_cluster_cert", &arguments)
    });
    let answers = ask("call", &calls);
    let hours = |answer: &Value| {
        let answer = understood(answer);
        let context = answer["contexts"]
            .as_array()
            .unwrap()
            .iter()
            .find(|c| c["name"] == answer["current-context"]);
        let user = &context.unwrap()["context"]["user"];
        let users = answer["users"].as_array().unwrap();
        let user = &users.iter().find(|other| other["name"] == *user).unwrap()["user"];
        assert!(user["client-key-data"].is_string());
        let pem = user["client-certificate-data"].as_str().unwrap();
        let pem = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, pem).unwrap();
        let (subject, hours) = read(&pem);
        assert_eq!(subject, read(ours.as_bytes()).0);
        hours
    };
    assert_eq!(read(ours.as_bytes()).1, 8);
    assert_eq!(answers.iter().map(hours).collect::<Vec<_>>(), [24, 8]);
}

/// Whose certificate it is, and how many hours it lives.
fn read(pem: &[u8]) -> (String, i64) {
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem).unwrap();
    let certificate = pem.parse_x509().unwrap();
    let validity = certificate.validity();
    let seconds = validity.not_after.timestamp() - chrono::Utc::now().timestamp();
    (certificate.subject().to_string(), (seconds + 1800) / 3600)
}

#[test]
fn the_sdk_gets_the_projects_that_we_get() {
    let mut world = World::new();
    for user in ["alice", "bob"] {
        world.use_key_of(user);
        let key = world.sim.access_key(user);
        let calls = [
            "keystone_list_projects",
            "keystone_list_auth_projects",
            "keystone_list_auth_domains",
        ];
        let answers = ask(
            "call",
            &calls.map(|call| sdk_call(&world, &key, "iam", call, &json!({}))),
        );
        for answer in &answers {
            understood(answer);
        }
        let ids = |answer: &Value| {
            let projects = answer["understood"]["projects"].as_array().unwrap();
            let mut ids: Vec<String> = projects.iter().map(|p| p["id"].as_str().unwrap().to_owned()).collect();
            ids.sort();
            ids
        };
        for project in ids(&answers[0]) {
            world.sim.add_cluster(ClusterSpec {
                project: project.clone(),
                ..ClusterSpec::named(&format!("in-{project}"))
            });
        }
        let mut ours: Vec<String> = our_clusters(&world)
            .iter()
            .map(|row| row["projectId"].as_str().unwrap().to_owned())
            .collect();
        ours.sort();
        ours.dedup();
        assert_eq!(ids(&answers[0]), ours, "{user}");
        assert_eq!(ids(&answers[1]), ours, "{user}");
    }
}

#[test]
fn the_sdk_gets_the_errors_that_we_get() {
    let mut world = World::new();
    let arguments = json!({"cluster_id": "00000000-0000-0000-0000-000000000000", "body": {"duration": 1}});
    let no_such = |world: &World| {
        let mut all = world.get_credential_words();
        all.push("--cluster-id=00000000-0000-0000-0000-000000000000".to_owned());
        all.retain(|word| !word.contains(&world.sim.cluster("prod").uid));
        world.run(&all)
    };
    let call = "create_kubernetes_cluster_cert";
    let alice = world.sim.access_key("alice");
    let wrong = AccessKey {
        secret: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        ..alice.clone()
    };
    let carol = world.sim.access_key("carol");
    let calls = [&alice, &carol].map(|key| sdk_call(&world, key, "cce", call, &arguments));
    let refused = sdk_call(&world, &wrong, "iam", "keystone_list_auth_projects", &json!({}));
    // With a project given, the SDK need not look for it; otherwise IAM is the first to refuse.
    let mut refused_by_cce = sdk_call(&world, &wrong, "cce", call, &arguments);
    refused_by_cce["who"]["project"] = world.sim.project_id("cn-north-4").into();
    let [unknown, forbidden, refused, refused_by_cce] =
        ask("call", &[calls[0].clone(), calls[1].clone(), refused, refused_by_cce])
            .try_into()
            .unwrap();

    let ours = no_such(&world).failed(1);
    assert!(ours.stderr.contains("CCE answered 404"), "{}", ours.stderr);
    assert_eq!(
        (&unknown["status"], &unknown["code"]),
        (&json!(404), &json!("CCE_CM.0003")),
        "{unknown}"
    );
    world.use_key_of("carol");
    let ours = no_such(&world).failed(3);
    assert!(ours.stderr.contains("CCE answered 403"), "{}", ours.stderr);
    assert_eq!(
        (&forbidden["status"], &forbidden["code"]),
        (&json!(403), &json!("CCE_CM.0201")),
        "{forbidden}"
    );
    world.use_key_of("alice");
    world.set("HUAWEICLOUD_SDK_SK", &wrong.secret);
    let ours = no_such(&world).failed(3);
    assert!(
        ours.stderr.contains("CCE answered 401 Unauthorized (APIGW.0301"),
        "{}",
        ours.stderr
    );
    assert_eq!(
        (&refused_by_cce["status"], &refused_by_cce["code"]),
        (&json!(401), &json!("APIGW.0301")),
        "{refused_by_cce}"
    );
    assert!(refused["message"].as_str().unwrap().contains("APIGW.0301"), "{refused}");
}

#[test]
fn tokens_and_temporary_access_keys_are_what_the_sdk_knows_them_as() {
    let mut world = World::new();
    world.sim.create_user(&UserSpec {
        password: Some("correct horse".to_owned()),
        ..UserSpec::named("erin")
    });
    let erin = world.sim.access_key("erin");
    let password = |password: &str| {
        let user = json!({"name": "erin", "password": password, "domain": {"name": "example-account"}});
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        let body = json!({"auth": {"identity": identity, "scope": {"project": {"name": "cn-north-4"}}}});
        sdk_call(
            &world,
            &erin,
            "iam",
            "keystone_create_user_token_by_password",
            &json!({"body": body}),
        )
    };
    let answers = ask("call", &[password("correct horse"), password("wrong")]);
    assert_eq!(
        understood(&answers[0])["token"]["user"]["id"],
        world.sim.user_id("erin")
    );
    assert_eq!(answers[1]["status"], 401, "{}", answers[1]);
    let token = answers[0]["understood"]["X-Subject-Token"].as_str().unwrap();

    let identity = json!({"methods": ["token"], "token": {"id": token, "duration_seconds": 3600}});
    let arguments = json!({"body": {"auth": {"identity": identity}}});
    let answers = ask(
        "call",
        &[sdk_call(
            &world,
            &erin,
            "iam",
            "create_temporary_access_key_by_token",
            &arguments,
        )],
    );
    let credential = &understood(&answers[0])["credential"];
    let text = |name: &str| credential[name].as_str().unwrap().to_owned();
    let temporary = AccessKey {
        id: text("access"),
        secret: text("secret"),
        security_token: Some(text("securitytoken")),
    };
    let theirs = ask(
        "call",
        &[sdk_call(&world, &temporary, "cce", "list_clusters", &json!({}))],
    );
    assert_eq!(understood(&theirs[0])["items"][0]["metadata"]["name"], "prod");
    world.set("HUAWEICLOUD_SDK_AK", &temporary.id);
    world.set("HUAWEICLOUD_SDK_SK", &temporary.secret);
    world.set("HUAWEICLOUD_SDK_SECURITY_TOKEN", text("securitytoken"));
    assert_eq!(our_clusters(&world)[0]["name"], "prod");
}

/// The bodies of the requests of one kind, and their paths.
fn bodies(world: &World, operation: &str) -> Vec<(String, Value)> {
    let requests = world.sim.requests();
    let own = requests.iter().filter(|request| request.operation == operation);
    own.map(|request| (request.path.clone(), serde_json::from_str(&request.body).unwrap()))
        .collect()
}

/// What the SDK and we sent, in turns, is the same; every answer was good.
#[track_caller]
fn the_same_in_pairs(sent: &[(String, Value)]) {
    assert!(sent.len() > 1 && sent.len().is_multiple_of(2), "{sent:#?}");
    let (theirs, ours) = sent.split_at(sent.len() / 2);
    assert_eq!(theirs, ours);
}

#[test]
fn revocations_are_the_same_on_the_wire() {
    let world = World::new();
    let cluster = world.sim.cluster("prod").uid;
    let agency = world.sim.add_agency(&cce_sim::AgencySpec::default());
    let alice = world.sim.access_key("alice");
    let bob = world.sim.user_id("bob");
    let bodies_of_sdk = [json!({"user_id": bob}), json!({"agency_id": agency})];
    let calls = bodies_of_sdk.map(|body| {
        let arguments = json!({"cluster_id": cluster, "body": {"CertRevokeConfigRequestBody": body}});
        sdk_call(&world, &alice, "cce", "revoke_kubernetes_cluster_cert", &arguments)
    });
    for answer in ask("call", &calls) {
        understood(&answer);
    }
    for flag in [format!("--user-id {bob}"), format!("--agency-id {agency}")] {
        let line = format!("revoke --yes --cluster {cluster} --region cn-north-4 {flag}");
        let mut line = words("kubectl-cce_login", &line);
        line.extend(world.cloud_flags());
        world.run(&line).succeeded();
    }
    the_same_in_pairs(&bodies(&world, "clustercertrevoke"));
}

#[test]
fn rotations_and_their_jobs_are_the_same_on_the_wire() {
    let world = World::new();
    let cluster = world.sim.add_cluster(ClusterSpec {
        authentication_mode: "authenticating_proxy".to_owned(),
        ..ClusterSpec::named("proxied")
    });
    let own = world
        .sim
        .issue_certificate("prod", "bob", std::time::Duration::from_secs(86400));
    let ca = world.sim.cluster("prod").ca_pem;
    let base64 = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    let alice = world.sim.access_key("alice");
    let content = json!({"AuthenticatingProxy": {
        "ca": base64(&as_we_write_it(&ca)),
        "cert": base64(&as_we_write_it(&own.certificate)),
        "private_key": base64(&own.key),
    }});
    let calls = [
        json!({"component": "all"}),
        json!({"component": "service-account-controller", "certificate_expiration_time": 48}),
        json!({"component": "custom", "cert_content": content}),
    ]
    .map(|body| {
        let arguments = json!({"cluster_id": cluster, "body": {"RotateCredentialsRequestBody": body}});
        sdk_call(&world, &alice, "cce", "rotate_cluster_credentials", &arguments)
    });
    let answers = ask("call", &calls);
    let jobs: Vec<String> = answers
        .iter()
        .map(|answer| understood(answer)["jobid"].as_str().unwrap().to_owned())
        .collect();
    std::fs::write(world.home().join("ca.pem"), &ca).unwrap();
    std::fs::write(world.home().join("certificate.pem"), &own.certificate).unwrap();
    let custom = format!(
        "custom --custom-ca {} --custom-cert {} --custom-key -",
        world.home().join("ca.pem").display(),
        world.home().join("certificate.pem").display()
    );
    for component in ["all", "service-account-controller --old-cert-valid 48h", &custom] {
        let line = format!("rotate --yes --no-wait --cluster {cluster} --region cn-north-4 --component {component}");
        let mut line = words("kubectl-cce_login", &line);
        line.extend(world.cloud_flags());
        world.run_with_stdin(&line, &own.key).succeeded();
    }
    the_same_in_pairs(&bodies(&world, "rotatecredentials"));

    let calls = [(); 3].map(|()| sdk_call(&world, &alice, "cce", "show_job", &json!({"job_id": jobs[1]})));
    let phases: Vec<Value> = ask("call", &calls)
        .iter()
        .map(|answer| understood(answer)["status"]["phase"].clone())
        .collect();
    assert_eq!(phases, ["Initializing", "Running", "Success"]);
    let line = format!("rotate --job {} --cluster {cluster} --region cn-north-4", jobs[2]);
    let mut line = words("kubectl-cce_login", &line);
    line.extend(world.cloud_flags());
    let ours = world.run(&line).succeeded();
    assert!(
        ours.stderr.contains("Initializing") && ours.stderr.contains("Running"),
        "{}",
        ours.stderr
    );
}

/// One PEM block, 64 characters a line.
fn as_we_write_it(pem: &str) -> String {
    pem.replace("\r\n", "\n")
}
