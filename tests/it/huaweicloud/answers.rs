//! Answers that cannot be used: cut, of another kind, or with a certificate that is no good.

use crate::support::World;
use cce_login::error::Exit;
use cce_sim::{Behaviour, Fault};

#[test]
fn an_answer_that_is_not_what_it_should_be_is_refused() {
    let cases = [
        ("json-is-cut", Fault::Truncate { at: 200 }, Exit::Temporary),
        (
            "json-is-incomplete",
            Fault::Malformed("{\"kind\": \"Config\", \"clus".to_owned()),
            Exit::Failed,
        ),
        ("html-in-place-of-json", Fault::Html, Exit::Failed),
        ("text-in-place-of-json", Fault::Malformed("OK".to_owned()), Exit::Failed),
        (
            "json-of-another-shape",
            Fault::Malformed("[1, 2, 3]".to_owned()),
            Exit::Failed,
        ),
        (
            "json-without-users",
            Fault::Malformed("{\"kind\": \"Config\", \"users\": null}".to_owned()),
            Exit::Failed,
        ),
        ("an-empty-answer", Fault::Malformed(String::new()), Exit::Failed),
    ];
    for (name, fault, exit) in cases {
        let world = World::new();
        world.sim.set_fault("clustercert", fault);
        let outcome = world.get_credential(&[]);
        outcome.fails(exit, "failed to get a client certificate for cluster `");
        world.snapshot(&format!("get-credential/{name}"), &outcome);
        assert!(world.keyring().is_empty());
    }
}

#[test]
fn a_certificate_that_is_no_good_is_neither_printed_nor_kept() {
    type Change = fn(&mut Behaviour);
    let cases: [(&str, Change, &str); 4] = [
        (
            "certificate-is-expired",
            |b| b.expired_certificate = true,
            "its certificate expired at",
        ),
        (
            "certificate-is-not-yet-valid",
            |b| b.not_before_offset = 3600,
            "its certificate is not valid before",
        ),
        (
            "certificate-is-malformed",
            |b| b.malformed_certificate = true,
            "the client certificate is malformed",
        ),
        (
            "certificate-and-key-do-not-match",
            |b| b.wrong_key = true,
            "do not belong together",
        ),
    ];
    for (name, change, what) in cases {
        let world = World::new();
        world.sim.set_behaviour(change);
        let outcome = world.get_credential(&[]);
        outcome.fails(Exit::Failed, what);
        world.snapshot(&format!("get-credential/{name}"), &outcome);
        assert!(world.keyring().is_empty());
    }
}

#[test]
fn a_certificate_that_begins_a_moment_from_now_is_taken() {
    let world = World::new();
    world.sim.set_behaviour(|b| b.not_before_offset = 20);
    let credential = world.get_credential(&[]).credential();
    assert!(credential.not_before > world.now());
}

#[test]
fn lists_that_cannot_be_read_are_refused() {
    let cases = [
        ("projects", "project-list-is-html", Fault::Html),
        (
            "projects",
            "project-list-of-another-shape",
            Fault::Malformed("{\"projects\": {}}".to_owned()),
        ),
        ("clusters", "cluster-list-is-html", Fault::Html),
        (
            "clusters",
            "cluster-list-of-another-shape",
            Fault::Malformed("{\"items\": 5}".to_owned()),
        ),
    ];
    for (operation, name, fault) in cases {
        let world = World::new();
        world.sim.set_fault(operation, fault);
        let outcome = world.login(&[]);
        outcome.fails(Exit::Failed, "failed to ");
        world.snapshot(&format!("login/{name}"), &outcome);
    }
}

#[test]
fn what_a_server_says_reaches_the_terminal_shortened_and_without_control_signs() {
    let world = World::new();
    let message = format!("\u{1b}[31mred\u{202e}{}", "long ".repeat(1000));
    let body = serde_json::json!({"error_code": "X\r\nhint: run this", "error_msg": message}).to_string();
    world.sim.set_fault(
        "clustercert",
        Fault::Status {
            code: 400,
            body,
            headers: Vec::new(),
        },
    );
    let outcome = world.get_credential(&["--duration=max"]);
    outcome.fails(Exit::Failed, "400");
    assert!(
        !outcome.stderr.contains(['\u{1b}', '\u{202e}', '\r']),
        "{:?}",
        outcome.stderr
    );
    assert!(outcome.stderr.len() < 2000, "{}", outcome.stderr.len());
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
}

/// Found by fuzzing: no clock would ever find it valid, so that it would be fetched anew at every call.
#[test]
fn a_certificate_that_ends_before_it_begins_is_malformed() {
    use base64::Engine as _;
    use cce_login::certificate::{ClientCert, ClientCertError};
    let issued = cce_sim::Sim::start().issue_certificate("prod", "alice", std::time::Duration::from_secs(3600));
    let (_, pem) = x509_parser::pem::parse_x509_pem(issued.certificate.as_bytes()).unwrap();
    let mut der = pem.contents;
    // The two times stand one after the other, each a UTCTime of thirteen letters.
    let begin = der.windows(2).position(|head| head == [0x17, 13]).unwrap() + 2;
    for at in begin..begin + 13 {
        der.swap(at, at + 15);
    }
    let text = base64::engine::general_purpose::STANDARD.encode(&der);
    let reversed = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    let read = |certificate: &str| ClientCert::from_pem(certificate.as_bytes(), issued.key.as_bytes()).map(drop);
    assert_eq!(read(&issued.certificate), Ok(()));
    assert_eq!(read(&reversed), Err(ClientCertError::MalformedCertificate));
}
