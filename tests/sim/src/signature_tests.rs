//! The check against the vectors of the official SDK, and against requests somebody touched on the way.

use chrono::Duration;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::Value;

use super::*;

const VECTORS: &str = include_str!("../../vectors/sdk_hmac_sha256.json");

/// A vector, as the request that would arrive.
struct Arrived {
    name: String,
    method: String,
    path: String,
    query: String,
    headers: HeaderMap,
    body: String,
    secret: String,
    vector: Value,
}

impl Arrived {
    fn signed(&self) -> Signed<'_> {
        Signed {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: self.body.as_bytes(),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        let date = header_value(&self.headers, "x-sdk-date").unwrap();
        NaiveDateTime::parse_from_str(&date, "%Y%m%dT%H%M%SZ")
            .unwrap()
            .and_utc()
    }

    fn verify(&self, now: DateTime<Utc>) -> Result<&str, Refusal> {
        let own = self.vector["input"]["ak"].as_str().unwrap();
        let secret = |id: &str| (id == own).then(|| self.secret.clone());
        verify(&self.signed(), SignatureStyle::Either, now, secret)
    }
}

fn arrived() -> Vec<Arrived> {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    vectors["vectors"].as_array().unwrap().iter().map(arrive).collect()
}

fn arrive(vector: &Value) -> Arrived {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (input, expected) = (&vector["input"], &vector["expected"]);
    let mut headers = HeaderMap::new();
    let sent = expected["headers_after_sign"]
        .as_object()
        .or(input["headers_before_sign"].as_object());
    for (name, value) in sent.unwrap() {
        headers.insert(
            HeaderName::try_from(name).unwrap(),
            HeaderValue::try_from(text(value)).unwrap(),
        );
    }
    if let Some(date) = input["date"].as_str() {
        headers.insert("x-sdk-date", date.parse().unwrap());
        headers.insert("host", text(&input["host"]).parse().unwrap());
        headers.insert("authorization", text(&expected["authorization"]).parse().unwrap());
    }
    let uri = expected["request_uri"].as_str().map_or_else(
        || format!("{}?{}", text(&input["path"]), legacy_query(&input["query"])),
        str::to_owned,
    );
    let (path, query) = uri.split_once('?').unwrap_or((&uri, ""));
    Arrived {
        name: text(&vector["name"]),
        method: text(&input["method"]),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: text(&input["body"]),
        secret: text(&input["sk"]),
        vector: vector.clone(),
    }
}

fn legacy_query(pairs: &Value) -> String {
    let pairs = pairs.as_array().unwrap().iter();
    let pairs = pairs.map(|pair| format!("{}={}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap()));
    pairs.collect::<Vec<_>>().join("&")
}

#[test]
fn every_vector_is_reproduced_stage_by_stage() {
    let all = arrived();
    assert!(all.len() >= 16);
    for vector in &all {
        let expected = &vector.vector["expected"];
        let authorization = vector.headers["authorization"].to_str().unwrap();
        let parsed = parse(authorization).unwrap();
        let names: Vec<_> = parsed.signed_headers.split(';').collect();
        let canonical = canonical_request(&vector.signed(), &names, parsed.scope.is_some()).unwrap();
        assert_eq!(
            canonical,
            expected["canonical_request"].as_str().unwrap(),
            "{}",
            vector.name
        );
        let date = header_value(&vector.headers, "x-sdk-date").unwrap();
        let to_sign = string_to_sign(&canonical, &date, parsed.scope);
        assert_eq!(to_sign, expected["string_to_sign"].as_str().unwrap(), "{}", vector.name);
        let id = vector.vector["input"]["ak"].as_str().unwrap();
        assert_eq!(vector.verify(vector.now()), Ok(id), "{}", vector.name);
    }
}

#[test]
fn a_touched_request_is_refused() {
    for mut vector in arrived() {
        let now = vector.now();
        vector.path.push('x');
        assert_eq!(vector.verify(now), Err(Refusal::Mismatch), "{}: path", vector.name);
        vector.path.pop();
        vector.query.push_str("&a=b");
        assert_eq!(vector.verify(now), Err(Refusal::Mismatch), "{}: query", vector.name);
        vector.query = vector.query.trim_end_matches("&a=b").to_owned();
        assert!(vector.verify(now).is_ok(), "{}: restored", vector.name);
        if !vector.headers.contains_key("x-sdk-content-sha256") {
            vector.body.push(' ');
            assert_eq!(vector.verify(now), Err(Refusal::Mismatch), "{}: body", vector.name);
            vector.body.pop();
        }
        vector.method = "PUT".to_owned();
        assert_eq!(vector.verify(now), Err(Refusal::Mismatch), "{}: method", vector.name);
    }
}

#[test]
fn the_clock_may_be_fifteen_minutes_off() {
    let vector = arrived().remove(0);
    let sent = vector.now();
    assert!(vector.verify(sent + Duration::minutes(15)).is_ok());
    assert!(vector.verify(sent - Duration::minutes(15)).is_ok());
    let beyond = Duration::seconds(901);
    assert_eq!(vector.verify(sent + beyond), Err(Refusal::ClockSkew));
    assert_eq!(vector.verify(sent - beyond), Err(Refusal::ClockSkew));
}

#[test]
fn host_and_date_must_be_signed() {
    let mut vector = arrived().remove(0);
    let now = vector.now();
    let authorization = vector.headers["authorization"]
        .to_str()
        .unwrap()
        .replace(";x-sdk-date", "");
    vector.headers.insert("authorization", authorization.parse().unwrap());
    assert!(matches!(vector.verify(now), Err(Refusal::Malformed(_))));
}

#[test]
fn each_style_is_refused_where_only_the_other_is_known() {
    for vector in arrived() {
        let is_legacy = vector.name.starts_with("legacy");
        let verified = |style| {
            let secret = |_: &str| Some(vector.secret.clone());
            verify(&vector.signed(), style, vector.now(), secret).is_ok()
        };
        assert_eq!(verified(SignatureStyle::Modern), !is_legacy, "{}", vector.name);
        assert_eq!(verified(SignatureStyle::LegacyOnly), is_legacy, "{}", vector.name);
    }
}

#[test]
fn an_unknown_key_is_refused() {
    let vector = arrived().remove(0);
    let verified = verify(&vector.signed(), SignatureStyle::Modern, vector.now(), |_| None);
    assert_eq!(verified, Err(Refusal::UnknownKey));
}

#[test]
fn a_payload_hash_that_is_declared_must_be_signed() {
    let mut vector = arrived().remove(0);
    let now = vector.now();
    vector
        .headers
        .insert("x-sdk-content-sha256", HeaderValue::from_static("UNSIGNED-PAYLOAD"));
    assert!(matches!(vector.verify(now), Err(Refusal::Malformed(_))));
}

#[test]
fn the_older_form_is_good_for_its_day_only() {
    for mut vector in arrived().into_iter().filter(|vector| vector.name.starts_with("legacy")) {
        let now = vector.now();
        let authorization = vector.headers["authorization"]
            .to_str()
            .unwrap()
            .replace("/20260115/", "/20260114/");
        vector.headers.insert("authorization", authorization.parse().unwrap());
        assert!(
            matches!(vector.verify(now), Err(Refusal::Malformed(_))),
            "{}",
            vector.name
        );
    }
}
