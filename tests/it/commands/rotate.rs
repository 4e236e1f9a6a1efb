//! `rotate`: what is asked for, how the job is followed, and what works afterwards.

use crate::support::{Outcome, World};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cce_login::error::Exit;
use cce_sim::{ClusterSpec, Fault, JobOutcome, Sim};
use serde_json::Value;

/// A world with a login to `prod`.
fn logged_in() -> World {
    let world = World::new();
    world.login(&[]).is_done();
    world
}

fn rotations(world: &World) -> Vec<Value> {
    let requests = world.sim.requests();
    let own = requests
        .iter()
        .filter(|request| request.operation == "rotatecredentials");
    own.map(|request| serde_json::from_str(&request.body).unwrap())
        .collect()
}

/// Writes the text without the ids of jobs.
fn told(world: &World, name: &str, mut outcome: Outcome) {
    for text in [&mut outcome.stderr, &mut outcome.stdout] {
        *text = without_ids(text);
    }
    outcome.args = outcome.args.iter().map(|arg| without_ids(arg)).collect();
    world.snapshot(name, &outcome);
}

/// Every UUID but those of clusters is a job's.
fn without_ids(text: &str) -> String {
    let is_of_uuid = |c: char| c.is_ascii_hexdigit() || c == '-';
    let mut out = String::new();
    for part in text.split_inclusive(|c: char| !is_of_uuid(c)) {
        let (word, end) = part.split_at(part.trim_end_matches(|c: char| !is_of_uuid(c)).len());
        let is_uuid = word.len() == 36 && word.matches('-').count() == 4;
        out.push_str(if is_uuid { "[JOB]" } else { word });
        out.push_str(end);
    }
    out
}

#[test]
fn after_a_rotation_everything_works_without_a_hand_on_the_kubeconfig() {
    let world = logged_in();
    let (before, first) = (
        world.kubeconfig(),
        world.get_credential(&["--identity=env"]).credential(),
    );
    let ca = world.sim.cluster("prod").ca_pem;
    let out = world.run(["rotate", "--component", "all", "--yes"]);
    out.is_done();
    told(&world, "rotate/all", out);
    assert_eq!(rotations(&world), [serde_json::json!({"component": "all"})]);
    assert_ne!(world.sim.cluster("prod").ca_pem, ca);
    let after = world.kubeconfig();
    let new_ca = after.cluster("prod.cn-north-4")["certificate-authority-data"]
        .as_str()
        .unwrap();
    assert_eq!(
        BASE64.decode(new_ca).unwrap(),
        world.sim.cluster("prod").ca_pem.as_bytes()
    );
    assert_eq!(after.exec("env@prod.cn-north-4"), before.exec("env@prod.cn-north-4"));
    let new = world.get_credential(&["--identity=env"]).credential();
    assert_ne!(new.certificate, first.certificate);
    assert_eq!(world.certificate_requests(), 2, "the new one came from the cache");
    world.login(&[]).is_done();
    assert_eq!(world.certificate_requests(), 2);
}

#[test]
fn every_cached_certificate_of_the_cluster_is_dropped_and_no_other_clusters() {
    let world = logged_in();
    world.sim.add_cluster(ClusterSpec::named("staging"));
    let other = world.get_credential_of("staging", &["--identity=env"]).credential();
    let of_a_day = ["--identity=env", "--duration=1d"];
    let first = world.get_credential(&of_a_day).credential();
    world.run(["rotate", "--component", "all", "--yes"]).is_done();
    assert_ne!(
        world.get_credential(&of_a_day).credential().certificate,
        first.certificate
    );
    let still = world.get_credential_of("staging", &["--identity=env"]).credential();
    assert_eq!(still.certificate, other.certificate);
}

#[test]
fn the_clusters_name_must_be_typed_and_what_breaks_is_said_before() {
    let mut world = logged_in();
    world
        .run(["rotate", "--component", "all"])
        .fails(Exit::Usage, "needs a confirmation");
    world.terminal(true, true, true);
    world
        .run(["rotate", "--component", "all", "--no-input"])
        .fails(Exit::Usage, "--yes");
    world.type_in("prud\n");
    let out = world.run(["rotate", "--component", "all"]);
    out.fails(Exit::Failed, "`prud` was typed");
    told(&world, "rotate/other-name", out);
    assert!(rotations(&world).is_empty());
    world.type_in("prod\n");
    let out = world.run(["rotate", "--component", "service-account-controller"]);
    out.is_done();
    assert!(out.stderr.contains("the rotation is done"), "{out}");
}

#[test]
fn service_account_tokens_of_the_old_key_stay_good_for_as_long_as_wanted() {
    let world = logged_in();
    for (valid, hours) in [(None, 24), (Some("0h"), 0), (Some("2d"), 48), (Some("8784h"), 8784)] {
        let flags: Vec<&str> = valid.iter().flat_map(|valid| ["--old-cert-valid", valid]).collect();
        let args = [
            "rotate",
            "--component",
            "service-account-controller",
            "--yes",
            "--no-wait",
        ];
        world.run(args.iter().chain(&flags)).is_done();
        let expected =
            serde_json::json!({"component": "service-account-controller", "certificateExpirationTime": hours});
        assert_eq!(rotations(&world).pop().unwrap(), expected);
    }
    let out = world.run(["rotate", "--component", "service-account-controller", "--yes"]);
    out.is_done();
    told(&world, "rotate/service-account-controller", out);
}

#[test]
fn a_job_that_nobody_waits_for_is_taken_up_again() {
    let world = logged_in();
    let out = world.run(["rotate", "--component", "all", "--yes", "--no-wait"]);
    out.is_done();
    let job = out.stdout.trim().to_owned();
    told(&world, "rotate/no-wait", out);
    let ca = world.sim.cluster("prod").ca_pem;
    let out = world.run(["rotate", "--job", &job]);
    out.is_done();
    told(&world, "rotate/resumed", out);
    assert_ne!(world.sim.cluster("prod").ca_pem, ca);
    world.get_credential(&["--identity=env"]).credential();
    let out = world.run(["rotate", "--job", "00000000-0000-0000-0000-000000000000"]);
    out.fails(Exit::Failed, "CCE knows no job");
    told(&world, "rotate/unknown-job", out);
    world.sim.add_cluster(ClusterSpec::named("staging"));
    let out = world.run(["rotate", "--job", &job, "--cluster", "staging"]);
    out.fails(Exit::Usage, "another cluster's");
    told(&world, "rotate/job-of-another-cluster", out);
}

#[test]
fn a_job_is_followed_through_throttling_trouble_and_a_first_not_found() {
    let world = logged_in();
    world.sim.set_behaviour(|behaviour| {
        behaviour.job_missing_polls = 1;
        behaviour.job_initializing_polls = 1;
        behaviour.job_running_polls = 1;
    });
    let throttle = Fault::Throttle {
        retry_after: Some("0.2".to_owned()),
    };
    let down = Fault::Status {
        code: 503,
        body: "<html>".to_owned(),
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
    };
    // Each poll tries once more by itself.
    for trouble in [throttle, down, Fault::ResetBeforeAnswer] {
        world.sim.add_fault("job", trouble, 2);
    }
    world.run(["rotate", "--component", "all", "--yes"]).is_done();
    assert_eq!(world.sim.count("job"), 10);
}

#[test]
fn a_job_that_fails_or_vanishes_or_takes_too_long_is_told_as_that() {
    let world = logged_in();
    let ca = world.sim.cluster("prod").ca_pem;
    let cases = [
        (
            JobOutcome::Failed("some node failed".to_owned()),
            1,
            "failed",
            Exit::Failed,
            "20s",
        ),
        (JobOutcome::Vanished, 1, "vanished", Exit::Failed, "20s"),
        (JobOutcome::Success, 1000, "too-long", Exit::Temporary, "2s"),
    ];
    for (outcome, polls, name, exit, timeout) in cases {
        world.sim.set_behaviour(|behaviour| {
            behaviour.job_outcome = outcome;
            behaviour.job_initializing_polls = polls;
        });
        let out = world.run(["rotate", "--component", "all", "--yes", "--timeout", timeout]);
        assert_eq!(out.exit, exit, "{out}");
        told(&world, &format!("rotate/{name}"), out);
    }
    assert_eq!(world.sim.cluster("prod").ca_pem, ca);
    assert_eq!(world.certificate_requests(), 1, "nothing was forgotten");
}

#[test]
fn a_lost_answer_is_not_asked_for_again() {
    let world = logged_in();
    world.sim.add_fault("rotatecredentials", Fault::ResetAfterActing, 1);
    let out = world.run(["rotate", "--component", "all", "--yes"]);
    out.fails(Exit::Temporary, "nobody knows whether the rotation has begun");
    told(&world, "rotate/lost", out);
    assert_eq!(rotations(&world).len(), 1);
}

#[test]
fn who_may_not_and_where_it_cannot_be_is_told() {
    let mut world = logged_in();
    world
        .sim
        .set_behaviour(|behaviour| behaviour.no_revoke_and_rotate = true);
    let out = world.run(["rotate", "--component", "all", "--yes"]);
    out.fails(Exit::Failed, "does not offer");
    told(&world, "rotate/not-offered", out);
    world
        .sim
        .set_behaviour(|behaviour| behaviour.no_revoke_and_rotate = false);
    world.use_key_of("bob");
    let out = world.run(["rotate", "--component", "all", "--yes"]);
    out.fails(Exit::Identity, "cce:cluster:rotateCredentials");
    told(&world, "rotate/not-allowed", out);
    world.use_key_of("alice");
    world.sim.set_phase("prod", "Hibernation");
    world
        .run(["rotate", "--component", "all", "--yes"])
        .fails(Exit::Failed, "Hibernation");
}

#[test]
fn every_context_of_the_cluster_follows_and_a_cluster_can_be_named_without_one() {
    let mut world = logged_in();
    world.keep_profile("work", "bob");
    world.login(&["--profile", "work"]).is_done();
    world.use_key_of("alice");
    let args = [
        "rotate",
        "--component",
        "all",
        "--yes",
        "--cluster",
        "prod",
        "--identity",
        "env",
    ];
    let out = world.run(args);
    out.is_done();
    told(&world, "rotate/two-contexts", out);
    for pin in ["--identity=env", "--profile=work"] {
        world.get_credential(&[pin]).credential();
    }
    assert_eq!(world.certificate_requests(), 4);
    let elsewhere = World::new();
    let out = elsewhere.run(args);
    out.is_done();
    told(&elsewhere, "rotate/no-context", out);
}

#[test]
fn flags_that_make_no_sense_are_refused_before_any_request() {
    let world = logged_in();
    world.sim.clear_requests();
    let cases: [(&str, &[&str]); 9] = [
        ("flags-no-component", &[]),
        ("flags-component", &["--component", "everything"]),
        (
            "flags-old-cert-valid-of-all",
            &["--component", "all", "--old-cert-valid", "24h"],
        ),
        (
            "flags-too-many-hours",
            &["--component", "service-account-controller", "--old-cert-valid", "8785h"],
        ),
        (
            "flags-half-an-hour",
            &["--component", "service-account-controller", "--old-cert-valid", "30m"],
        ),
        ("flags-custom-of-all", &["--component", "all", "--custom-ca", "f"]),
        (
            "flags-custom-without-key",
            &["--component", "custom", "--custom-ca", "f", "--custom-cert", "f"],
        ),
        ("flags-job-and-component", &["--job", "a", "--component", "all"]),
        (
            "flags-two-clusters",
            &["--component", "all", "--context", "a", "--context", "b"],
        ),
    ];
    for (name, flags) in cases {
        let out = world.run(["rotate", "--yes"].iter().chain(flags));
        assert_eq!(out.exit, Exit::Usage, "{out}");
        world.snapshot(&format!("rotate/{name}"), &out);
    }
    assert_eq!(world.sim.count("*"), 0);
}

/// A CA with a client certificate and its key, as files of every form.
struct Own {
    ca: String,
    certificate: String,
    key: String,
}

impl Own {
    fn new() -> Self {
        // The simulated cluster of another world makes them: CA, client certificate and key belong together.
        let sim = Sim::start();
        let issued = sim.issue_certificate("prod", "alice", std::time::Duration::from_secs(86400));
        Self {
            ca: sim.cluster("prod").ca_pem,
            certificate: issued.certificate,
            key: issued.key,
        }
    }
}

fn der(pem: &str) -> Vec<u8> {
    let (_, parsed) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
    parsed.contents
}

/// A world with a cluster that has certificates of its user's own.
fn with_own_certificates() -> World {
    let world = World::with(Sim::start_empty());
    world.sim.add_cluster(ClusterSpec {
        authentication_mode: "authenticating_proxy".to_owned(),
        ..ClusterSpec::default()
    });
    world.login(&[]).is_done();
    world
}

#[test]
fn certificates_of_ones_own_are_sent_as_they_are_and_their_key_is_seen_nowhere() {
    let mut world = with_own_certificates();
    let own = Own::new();
    world.allow_secrets_below("own");
    let file = |name: &str, content: &[u8]| world.write(&format!("own/{name}"), content);
    let pem = ["ca", "certificate", "key"].map(|name| format!("{name}.pem"));
    let pem = [&own.ca, &own.certificate, &own.key]
        .map(Clone::clone)
        .map(String::into_bytes)
        .into_iter()
        .zip(pem);
    let pem: Vec<String> = pem.map(|(content, name)| file(&name, &content)).collect();
    let in_der = [
        file("ca.der", &der(&own.ca)),
        file("certificate.der", &der(&own.certificate)),
        file("key.der", &der(&own.key)),
    ];
    world.pipe_in(&own.key);
    let sent = [
        [pem[0].as_str(), &pem[1], &pem[2]],
        [&in_der[0], &in_der[1], &in_der[2]],
        [&pem[0], &in_der[1], "-"],
    ]
    .map(|[ca, certificate, key]| {
        let files = ["--custom-ca", ca, "--custom-cert", certificate, "--custom-key", key];
        let out = world.run(["rotate", "--component", "custom", "--yes"].iter().chain(&files));
        out.is_done();
        assert!(!out.stderr.contains("teammates"));
        told(
            &world,
            "rotate/custom",
            Outcome {
                args: vec!["rotate".to_owned()],
                ..out
            },
        );
        rotations(&world).pop().unwrap()
    });
    for body in &sent {
        let text = |name: &str| BASE64.decode(body["certContent"][name].as_str().unwrap()).unwrap();
        let same = |name: &str, pem: &str| assert_eq!(der(std::str::from_utf8(&text(name)).unwrap()), der(pem));
        assert_eq!(body["component"], "custom");
        same("ca", &own.ca);
        same("cert", &own.certificate);
        same("privateKey", &own.key);
    }
}

#[test]
fn certificates_that_do_not_fit_are_refused_before_anything_is_sent() {
    let world = with_own_certificates();
    let (own, other) = (Own::new(), Own::new());
    world.allow_secrets_below("own");
    let file = |name: &str, content: &str| world.write(&format!("own/{name}"), content);
    let good = [
        file("ca", &own.ca),
        file("certificate", &own.certificate),
        file("key", &own.key),
    ];
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIBHTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQI\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let legacy = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMIIBHTBXBgkqhkiG9w0B\n-----END RSA PRIVATE KEY-----\n";
    let cases = [
        ("custom-other-ca", 0, file("other-ca", &other.ca)),
        ("custom-other-key", 2, file("other-key", OTHER_KEY)),
        ("custom-encrypted-key", 2, file("encrypted-key", encrypted)),
        ("custom-legacy-encrypted-key", 2, file("legacy-key", legacy)),
        ("custom-no-key", 2, file("no-key", &own.certificate)),
        (
            "custom-no-certificate",
            1,
            file("no-certificate", "certificate: none\n"),
        ),
        ("custom-empty-ca", 0, file("empty", "")),
        ("custom-too-large", 0, file("large", &own.ca.repeat(3000))),
        ("custom-far-too-large", 2, file("larger", &"#\n".repeat(3 << 20))),
        ("custom-missing-file", 1, world.path("own/nothing")),
    ];
    world.sim.clear_requests();
    for (name, at, path) in cases {
        let mut files = good.clone();
        files[at] = path;
        let [ca, certificate, key] = &files;
        let flags = ["--custom-ca", ca, "--custom-cert", certificate, "--custom-key", key];
        let out = world.run(["rotate", "--component", "custom", "--yes"].iter().chain(&flags));
        assert_eq!(out.exit, Exit::Usage, "{out}");
        world.snapshot(&format!("rotate/{name}"), &out);
    }
    // In DER an encrypted key begins with an algorithm.
    let der = world.write("own/encrypted.der", [0x30, 0x06, 0x30, 0x01, 0x05, 0x04, 0x01, 0x00]);
    let flags = ["--custom-ca", &good[0], "--custom-cert", &good[1], "--custom-key", &der];
    world
        .run(["rotate", "--component", "custom", "--yes"].iter().chain(&flags))
        .fails(Exit::Usage, "is encrypted");
    assert_eq!(world.sim.count("*"), 0);
}

/// An EC key of nobody.
const OTHER_KEY: &str = include_str!("../../sim/keys/ec.sec1.pem");

#[test]
fn only_a_cluster_in_the_right_mode_has_certificates_of_ones_own() {
    let world = logged_in();
    let own = Own::new();
    world.allow_secrets_below("own");
    let [ca, certificate, key] = [("ca", &own.ca), ("certificate", &own.certificate), ("key", &own.key)]
        .map(|(name, text)| world.write(&format!("own/{name}"), text));
    let flags = ["--custom-ca", &ca, "--custom-cert", &certificate, "--custom-key", &key];
    let out = world.run(["rotate", "--component", "custom", "--yes"].iter().chain(&flags));
    out.fails(Exit::Usage, "authenticating_proxy");
    world.snapshot("rotate/custom-wrong-mode", &out);
    assert!(rotations(&world).is_empty());
}
