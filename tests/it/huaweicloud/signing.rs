//! Every signing vector, stage by stage: when a signature is wrong, the first stage that differs says where.

use cce_login::huaweicloud::signing::canonical_request::{payload_hash, query_string};
use cce_login::huaweicloud::signing::{SignableRequest, SigningKey, legacy, modern};
use cce_login::secret::Secret;
use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value;

fn vectors() -> Vec<Value> {
    let path = crate::support::in_repository("tests/vectors/sdk_hmac_sha256.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

/// What a vector's input means.
struct Input {
    key: (String, Secret<String>),
    method: String,
    host: String,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: String,
    time: DateTime<Utc>,
}

impl Input {
    fn of(vector: &Value) -> Self {
        let input = &vector["input"];
        let text = |name: &str| input[name].as_str().unwrap().to_owned();
        let mut headers: Vec<(String, String)> = input["headers_before_sign"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect();
        // The signer dates the request itself.
        let dated = headers.iter().position(|(name, _)| name == "X-Sdk-Date");
        let date = dated.map_or_else(|| text("date"), |at| headers.remove(at).1);
        for (field, name) in [
            ("project_id", "X-Project-Id"),
            ("domain_id", "X-Domain-Id"),
            ("security_token", "X-Security-Token"),
        ] {
            headers.extend(input[field].as_str().map(|value| (name.to_owned(), value.to_owned())));
        }
        let pair = |pair: &Value| {
            (
                pair[0].as_str().unwrap().to_owned(),
                pair[1].as_str().unwrap().to_owned(),
            )
        };
        Self {
            key: (text("ak"), Secret::new(text("sk"))),
            method: text("method"),
            host: text("host"),
            path: text("path"),
            query: input["query"].as_array().unwrap().iter().map(pair).collect(),
            headers,
            body: text("body"),
            time: NaiveDateTime::parse_from_str(&date, "%Y%m%dT%H%M%SZ")
                .unwrap()
                .and_utc(),
        }
    }

    fn request(&self) -> SignableRequest<'_> {
        SignableRequest {
            method: &self.method,
            host: &self.host,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: self.body.as_bytes(),
        }
    }

    fn signing_key(&self) -> SigningKey<'_> {
        SigningKey {
            id: &self.key.0,
            secret: &self.key.1,
        }
    }
}

#[test]
fn every_modern_vector_is_reproduced_stage_by_stage() {
    let mut count = 0;
    for vector in vectors() {
        let name = vector["name"].as_str().unwrap();
        if name.starts_with("legacy_") {
            continue;
        }
        count += 1;
        let input = Input::of(&vector);
        let expected = |stage: &str| vector["expected"][stage].as_str().unwrap();
        let signature = modern::sign(&input.request(), &input.signing_key(), input.time);
        assert_eq!(signature.canonical_request, expected("canonical_request"), "{name}");
        let hash = payload_hash(signature.canonical_request.as_bytes());
        assert_eq!(hash, expected("canonical_request_sha256"), "{name}");
        assert_eq!(signature.string_to_sign, expected("string_to_sign"), "{name}");
        assert_eq!(signature.authorization, expected("authorization"), "{name}");
        if expected("payload_sha256") != "UNSIGNED-PAYLOAD" {
            assert_eq!(
                payload_hash(input.body.as_bytes()),
                expected("payload_sha256"),
                "{name}"
            );
        }

        let mut sent: Vec<_> = input.headers.iter().cloned().chain(signature.headers).collect();
        sent.push(("Host".to_owned(), input.host.clone()));
        for (_, value) in &mut sent {
            *value = value.trim().to_owned(); // as HTTP does
        }
        sent.sort();
        let mut after: Vec<(String, String)> = vector["expected"]["headers_after_sign"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect();
        after.sort();
        assert_eq!(sent, after, "{name}");

        let query = query_string(&input.query);
        let question_mark = if query.is_empty() { "" } else { "?" };
        assert_eq!(
            format!("{question_mark}{query}"),
            query_of(expected("request_uri")),
            "{name}"
        );
    }
    assert_eq!(count, 14);
}

/// From the question mark on.
fn query_of(uri: &str) -> &str {
    uri.find('?').map_or("", |at| &uri[at..])
}

#[test]
fn every_legacy_vector_is_reproduced_stage_by_stage() {
    let mut count = 0;
    for vector in vectors() {
        let name = vector["name"].as_str().unwrap();
        if !name.starts_with("legacy_") {
            continue;
        }
        count += 1;
        let input = Input::of(&vector);
        let expected = |stage: &str| vector["expected"][stage].as_str().unwrap();
        let scope = |part: &str| vector["input"][part].as_str().unwrap();
        let signature = legacy::sign(
            &input.request(),
            &input.signing_key(),
            input.time,
            scope("region"),
            scope("service"),
        );
        assert_eq!(signature.canonical_request, expected("canonical_request"), "{name}");
        assert_eq!(signature.string_to_sign, expected("string_to_sign"), "{name}");
        assert_eq!(signature.authorization, expected("authorization"), "{name}");
    }
    assert_eq!(count, 2);
}

#[test]
fn a_signature_and_its_key_do_not_show_the_secret() {
    let vector = &vectors()[0];
    let input = Input::of(vector);
    let secret = vector["input"]["sk"].as_str().unwrap();
    let shown = format!(
        "{:?} {:?} {:?}",
        input.signing_key(),
        input.request(),
        modern::sign(&input.request(), &input.signing_key(), input.time)
    );
    assert!(shown.contains("REDACTED") && !shown.contains(secret), "{shown}");
}
