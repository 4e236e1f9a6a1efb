//! What is wrong with the certificate that the cloud sends.

use super::cell::Cell;
use super::row::{Came, Fault, UNNOTICED, fault, unnoticed_but};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cce_sim::{Behaviour, Fault as Cloud, IssuedCertificate};
use serde_json::{Value, json};
use std::time::Duration;

const UNREADABLE: Came = Came::Fails(1, "the client certificate is malformed");
const UNREADABLE_KEY: Came = Came::Fails(1, "the client certificate's key is malformed");
const NO_PAIR: Came = Came::Fails(1, "do not belong together");
const NOTHING: Came = Came::Fails(1, "it holds no client certificate");

/// The cloud behaves so.
fn cloud(name: &'static str, change: fn(&mut Behaviour), comes: [Came; 4]) -> Fault {
    fault(name, move |cell| cell.world.sim.set_behaviour(change), comes)
}

/// The cloud sends this user entry, made of two good certificates, alice's and bob's.
fn user(name: &'static str, make: fn(&IssuedCertificate, &IssuedCertificate) -> Value, comes: [Came; 4]) -> Fault {
    let strikes = move |cell: &mut Cell| {
        let sim = &cell.world.sim;
        let [alice, bob] =
            ["alice", "bob"].map(|user| sim.issue_certificate("prod", user, Duration::from_secs(28_800)));
        let users = match make(&alice, &bob) {
            Value::Array(users) => users,
            user => vec![json!({"name": "user", "user": user})],
        };
        let answer = json!({
            "kind": "Config", "apiVersion": "v1", "users": users,
            "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:5443"}}],
            "contexts": [{"name": "external", "context": {"cluster": "c", "user": "user"}}],
            "current-context": "external",
        });
        sim.set_fault("clustercert", Cloud::Malformed(answer.to_string()));
    };
    fault(name, strikes, comes)
}

/// A user entry with this certificate and this key.
fn pair(certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Value {
    json!({"client-certificate-data": STANDARD.encode(certificate), "client-key-data": STANDARD.encode(key)})
}

fn pem(label: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        STANDARD.encode(der)
    )
}

pub(super) fn faults() -> Vec<Fault> {
    vec![
        cloud(
            "it has expired",
            |b| b.expired_certificate = true,
            unnoticed_but(Came::Fails(1, "its certificate expired at")),
        ),
        cloud(
            "it is not valid yet",
            |b| b.not_before_offset = 3600,
            unnoticed_but(Came::Fails(1, "is not valid before")),
        ),
        cloud(
            "it lives for ten seconds",
            |b| b.certificate_lifetime = Some(Duration::from_secs(10)),
            UNNOTICED,
        ),
        cloud(
            "its key is another one's",
            |b| b.wrong_key = true,
            unnoticed_but(NO_PAIR),
        ),
        cloud("it comes with foreign settings", |b| b.smuggle = true, UNNOTICED),
        cloud(
            "it is no DER",
            |b| b.malformed_certificate = true,
            unnoticed_but(UNREADABLE),
        ),
        user(
            "it is somebody else's",
            |_, bob| pair(&bob.certificate, &bob.key),
            unnoticed_but(Came::Fails(3, "its entry is for")),
        ),
        user(
            "somebody else's comes first",
            |alice, bob| pair([bob.certificate.as_str(), &alice.certificate].concat(), &bob.key),
            unnoticed_but(Came::Fails(3, "its entry is for")),
        ),
        user(
            "several, the right one first",
            |alice, bob| pair([alice.certificate.as_str(), &bob.certificate].concat(), &alice.key),
            UNNOTICED,
        ),
        user(
            "it is no PEM",
            |alice, _| pair("just a text", &alice.key),
            unnoticed_but(UNREADABLE),
        ),
        user(
            "it is cut short",
            |alice, _| pair(&alice.certificate[..alice.certificate.len() / 2], &alice.key),
            unnoticed_but(UNREADABLE),
        ),
        user(
            "it is a megabyte of zeros",
            |alice, _| pair(pem("CERTIFICATE", &[0; 1 << 20]), &alice.key),
            unnoticed_but(UNREADABLE),
        ),
        user(
            "it is empty",
            |alice, _| pair("", &alice.key),
            unnoticed_but(UNREADABLE),
        ),
        user(
            "it is missing",
            |alice, _| json!({"client-key-data": STANDARD.encode(&alice.key)}),
            unnoticed_but(NOTHING),
        ),
        user(
            "it is a number",
            |alice, _| json!({"client-certificate-data": 7, "client-key-data": STANDARD.encode(&alice.key)}),
            unnoticed_but(NOTHING),
        ),
        user(
            "it is no base64",
            |alice, _| json!({"client-certificate-data": "§§§", "client-key-data": STANDARD.encode(&alice.key)}),
            unnoticed_but(Came::Fails(1, "its client certificate is not base64")),
        ),
        user(
            "its key is missing",
            |alice, _| json!({"client-certificate-data": STANDARD.encode(&alice.certificate)}),
            unnoticed_but(NOTHING),
        ),
        user(
            "its key is empty",
            |alice, _| pair(&alice.certificate, ""),
            unnoticed_but(UNREADABLE_KEY),
        ),
        user(
            "its key is no DER",
            |alice, _| pair(&alice.certificate, pem("PRIVATE KEY", b"garbage")),
            unnoticed_but(UNREADABLE_KEY),
        ),
        user(
            "its key is encrypted",
            |alice, _| pair(&alice.certificate, pem("ENCRYPTED PRIVATE KEY", b"garbage")),
            unnoticed_but(UNREADABLE_KEY),
        ),
        user(
            "its key is no base64",
            |alice, _| json!({"client-certificate-data": STANDARD.encode(&alice.certificate), "client-key-data": "§§§"}),
            unnoticed_but(Came::Fails(1, "its client key is not base64")),
        ),
        user(
            "key and certificate have changed places",
            |alice, _| pair(&alice.key, &alice.certificate),
            unnoticed_but(UNREADABLE_KEY),
        ),
        user("nobody", |_, _| json!([]), unnoticed_but(NOTHING)),
        user(
            "a user without a name",
            |alice, _| json!([{"user": pair(&alice.certificate, &alice.key)}]),
            unnoticed_but(NOTHING),
        ),
        user(
            "several users",
            |alice, bob| {
                json!([
                    {"name": "other", "user": pair(&bob.certificate, &bob.key)},
                    {"name": "user", "user": pair(&alice.certificate, &alice.key)},
                ])
            },
            UNNOTICED,
        ),
        user(
            "a token in place of it",
            |_, _| json!({"token": "abcdefgh"}),
            unnoticed_but(NOTHING),
        ),
    ]
}
