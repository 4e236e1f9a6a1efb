//! What an id token says, and whether it is meant for us. Its signature is not checked: it came straight from the provider over TLS (`OpenID`
//! Connect Core 3.1.3.7, rule 6), and the cloud's IAM checks it against the keys that an administrator has given it.

use super::OidcError;
use super::pkce::is_same;
use crate::host::moment;
use crate::sanitize::sanitize;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

/// How far the provider's clock may be behind ours.
const LEEWAY: TimeDelta = TimeDelta::minutes(5);
/// So many signs of what people call somebody are kept.
const LONGEST_NAME: usize = 80;

/// Whom an id token is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claims {
    /// `sub`: the same person has the same one at this provider, always.
    pub(crate) subject: String,
    /// What people call them: `email`, `preferred_username` or `name`.
    pub(crate) name: Option<String>,
}

/// What an id token must be like.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    /// Of the attempt; a refreshed token and a device's need none.
    pub(crate) nonce: Option<&'a Secret<String>>,
    pub(crate) now: DateTime<Utc>,
}

/// Reads and checks one.
pub(crate) fn check(token: &Secret<String>, expected: &Expected<'_>) -> Result<Claims, OidcError> {
    let wrong = |problem: &str| OidcError::IdToken(problem.to_owned());
    // Parsed here; only names leave.
    let mut parts = token.expose().split('.');
    let (Some(header), Some(claims), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong("is no JWT"));
    };
    let json = |part: &str| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok() };
    let header = json(header).ok_or_else(|| wrong("has no readable header"))?;
    let algorithm = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    if algorithm.is_empty() || algorithm.eq_ignore_ascii_case("none") || signature.is_empty() {
        return Err(wrong("is not signed"));
    }
    let claims = json(claims).ok_or_else(|| wrong("has no readable claims"))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(wrong("is another issuer's"));
    }
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    };
    let is_for_us = audiences.contains(&expected.client_id)
        && text("azp").is_none_or(|azp| azp == expected.client_id)
        && (audiences.len() == 1 || text("azp").is_some());
    if !is_for_us {
        return Err(wrong("is for another client"));
    }
    let end = claims.get("exp").and_then(Value::as_f64);
    #[expect(clippy::cast_possible_truncation, reason = "too large a number becomes the largest")]
    let end = end.and_then(|end| moment(end as i64));
    if end.is_none_or(|end| end + LEEWAY <= expected.now) {
        return Err(OidcError::IdTokenExpired);
    }
    if let Some(nonce) = expected.nonce
        // Compared, nothing more.
        && !text("nonce").is_some_and(|sent| is_same(sent, nonce.expose()))
    {
        return Err(wrong("is not the answer to this sign-in (`nonce`)"));
    }
    let subject = claims.get("sub").and_then(claim_text);
    let subject = subject.ok_or_else(|| wrong("names nobody (`sub`)"))?;
    let names = ["email", "preferred_username", "name"];
    Ok(Claims {
        subject,
        name: names.iter().find_map(|name| text(name)).map(shortened),
    })
}

/// A name as a line has room for it.
fn shortened(name: &str) -> String {
    let mut signs = name.chars();
    let mut short: String = signs.by_ref().take(LONGEST_NAME).collect();
    if signs.next().is_some() {
        short.push('…');
    }
    sanitize(&short)
}

/// A claim's text, if it says anything. Some providers have numbers where names belong.
pub(crate) fn claim_text(claim: &Value) -> Option<String> {
    match claim {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn verdict(header: &Value, claims: &Value) -> Option<String> {
        let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let token = Secret::new(format!("{}.{}.c2ln", part(header), part(claims)));
        let nonce = Secret::new("n-0".to_owned());
        let expected = Expected {
            issuer: "https://idp.example",
            client_id: "us",
            nonce: Some(&nonce),
            now: DateTime::from_timestamp(1_000_000, 0)?,
        };
        check(&token, &expected).err().map(|error| error.to_string())
    }

    #[test]
    fn only_a_token_for_this_very_sign_in_is_taken() {
        let header = json!({"alg": "RS256"});
        let good = json!({"iss": "https://idp.example", "aud": "us", "sub": "1", "exp": 1_000_100, "nonce": "n-0"});
        assert_eq!(verdict(&header, &good), None);
        for (name, value) in [
            ("iss", json!("https://idp.example/")),
            ("aud", json!("them")),
            ("aud", json!(["us", "them"])),
            ("azp", json!("them")),
            ("exp", json!(999_000)),
            ("exp", json!(null)),
            // The last moment that can be told, and beyond.
            ("exp", json!(8_210_266_876_799_i64)),
            ("exp", json!(1e300)),
            ("nonce", json!("n-1")),
            ("nonce", json!(null)),
            ("sub", json!("")),
            ("sub", json!(" ")),
            ("sub", json!({"id": 1})),
        ] {
            let mut bad = good.clone();
            bad[name] = value.clone();
            assert!(verdict(&header, &bad).is_some(), "{name}: {value}");
        }
        for alg in ["none", "None", ""] {
            assert!(verdict(&json!({"alg": alg}), &good).is_some(), "{alg}");
        }
        let mut numbered = good.clone();
        numbered["sub"] = json!(4711);
        assert_eq!(verdict(&header, &numbered), None);
        let mut both = good;
        both["aud"] = json!(["us", "them"]);
        both["azp"] = json!("us");
        assert_eq!(verdict(&header, &both), None);
    }
}
