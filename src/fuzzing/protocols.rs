//! Exec info, the headers of an answer, id tokens.

use super::{NOW, clock, told};
use crate::env_vars::KUBERNETES_EXEC_INFO;
use crate::error::Explain as _;
use crate::exec_credential::{ClusterInfo, ExecInfo};
use crate::host::{Env, Skew};
use crate::http::Response;
use crate::huaweicloud::api::{Call, answer};
use crate::ids::Endpoint;
use crate::oidc::id_token::{self, Expected};
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta};
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

/// `KUBERNETES_EXEC_INFO`.
pub fn exec_info(data: &[u8]) {
    let value = OsStr::from_bytes(data).to_owned();
    let env = Env::given([(OsString::from(KUBERNETES_EXEC_INFO), value)]);
    let json: Option<Value> = serde_json::from_slice(data).ok().filter(Value::is_object);
    match ExecInfo::from_env(&env) {
        Ok(None) => assert!(data.iter().all(u8::is_ascii_whitespace)),
        Ok(Some(info)) => {
            if let Some(json) = &json {
                assert_eq!(json["apiVersion"], info.api_version.full_name());
                assert_eq!(
                    json.pointer("/spec/interactive") == Some(&Value::Bool(true)),
                    info.interactive
                );
            }
        }
        Err(error) => assert!(!told(&error).is_empty()),
    }
    let cluster = ClusterInfo::from_env(&env);
    if let Some(cluster) = &cluster {
        let json = json.expect("what a cluster is read from is an object");
        assert_eq!(
            json.pointer("/spec/cluster/server"),
            Some(&Value::String(cluster.server.clone()))
        );
        assert!(!cluster.server.is_empty());
    }
    if let Some(lonely) = ClusterInfo::without_ca(&env) {
        assert!(lonely.ca_pem.is_none() && !lonely.is_unverified);
        assert_eq!(Some(lonely), cluster);
    }
}

/// `Date`, `Retry-After` and the other headers of an answer: lines `name: value`, the first one the status.
pub fn headers(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.lines();
    let status = lines.next().and_then(|line| line.trim().parse().ok()).unwrap_or(429);
    let pair = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let response = Response {
        status,
        headers: lines.filter_map(pair).collect(),
        body: Secret::new(b"{}".to_vec()),
    };
    let clock = clock();
    let skew = response.date().map_or(Skew::default(), |date| {
        let skew = Skew::measured(date, &clock);
        assert!((skew.now(&clock) - (date - clock.now())).abs() < TimeDelta::seconds(31));
        skew
    });
    // Whatever is added to the cloud's time: tolerances, lifetimes up to five years.
    let theirs = clock.now() + skew.now(&clock);
    assert!(theirs + TimeDelta::days(2000) > theirs - TimeDelta::days(2000));
    let Ok(endpoint) = Endpoint::parse("https://iam.example.com") else {
        return;
    };
    let call = Call {
        service: "IAM",
        endpoint: &endpoint,
        method: "GET",
        path: "/v3/projects".to_owned(),
        query: Vec::new(),
        body: None,
        project: None,
        identity_provider: None,
        permission: "iam:projects:listProjects",
        is_repeatable: true,
    };
    match answer::read(&call, &response, &clock, skew) {
        Ok(answer) => {
            assert!((200..300).contains(&status));
            assert_eq!(answer.server_time, theirs);
        }
        Err(error) => {
            if let Some(pause) = error.retry_after() {
                assert!(pause >= TimeDelta::zero() && pause <= TimeDelta::hours(1), "{pause}");
            }
            let text = told(&error);
            assert!(text.chars().count() < 3000 && !text.contains('\u{1b}'), "{text:?}");
        }
    }
}

/// An id token: its header and its claims as JSON, a line each.
pub fn id_token(data: &[u8]) {
    let (header, claims) = match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (&br#"{"alg":"RS256"}"#[..], data),
    };
    let part = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
    let whole = format!("{}.{}.c2lnbmF0dXJl", part(header), part(claims));
    let nonce = Secret::new("nonce-of-this-attempt".to_owned());
    let now = DateTime::from_timestamp(NOW, 0).unwrap_or_default();
    for (token, nonce) in [
        (Secret::new(whole.clone()), Some(&nonce)),
        (Secret::new(whole), None),
        (Secret::new(String::from_utf8_lossy(data).into_owned()), None),
    ] {
        let expected = Expected {
            issuer: "https://idp.example.com",
            client_id: "cce-login",
            nonce,
            now,
        };
        match id_token::check(&token, &expected) {
            Err(error) => {
                let text = told(&error);
                // Compared, nothing more.
                let claims = token.expose().split('.').nth(1).unwrap_or_default();
                assert!(claims.len() < 30 || !text.contains(claims), "{text}");
            }
            Ok(said) => {
                // Read again, nothing more.
                let claims = token.expose().split('.').nth(1).expect("a token has claims");
                let claims = URL_SAFE_NO_PAD.decode(claims).expect("claims are base64");
                let claims: Value = serde_json::from_slice(&claims).expect("claims are JSON");
                assert_eq!(claims["iss"], expected.issuer);
                assert!(claims["exp"].as_f64().expect("an end") + 300.0 > now.timestamp() as f64);
                let is_audience = |value: &Value| value == expected.client_id;
                let is_for_us = is_audience(&claims["aud"])
                    || claims["aud"].as_array().is_some_and(|all| all.iter().any(is_audience));
                assert!(is_for_us && claims.get("azp").is_none_or(|azp| !azp.is_string() || is_audience(azp)));
                assert!(nonce.is_none_or(|nonce| claims["nonce"] == nonce.expose().as_str())); // compared
                assert!(!said.subject.trim().is_empty());
                assert!(
                    said.name
                        .is_none_or(|name| name.chars().count() <= 301 && !name.contains('\u{1b}'))
                );
            }
        }
    }
}
