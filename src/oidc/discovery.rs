//! What a provider says of itself (`/.well-known/openid-configuration`).

use super::OidcError;
use crate::host::{Clock, Deadline};
use crate::http::{Http, Request};
use crate::sanitize::sanitize;
use chrono::TimeDelta;
use serde_json::Value;

/// A provider, as its own document describes it.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    /// `iss` of everything it issues.
    pub(crate) issuer: String,
    /// Where the browser goes.
    pub(super) authorization_endpoint: String,
    /// Where codes are redeemed.
    pub(super) token_endpoint: String,
    /// Where devices get their codes, if anywhere.
    pub(super) device_endpoint: Option<String>,
    /// Where a refresh token is given back, if anywhere.
    pub(super) revocation_endpoint: Option<String>,
    /// The redirect will name the issuer (RFC 9207).
    pub(super) names_issuer: bool,
    /// `S256` is among its challenge methods; `None` where it does not tell.
    pub(crate) has_pkce: Option<bool>,
    /// Refresh tokens are to be had for a scope; `None` where it does not tell.
    pub(crate) has_offline_access: Option<bool>,
    /// `code` is among its response types and grants, or it does not tell.
    pub(crate) has_code_flow: bool,
    /// Refresh tokens are among its grants; `None` where it does not tell.
    pub(crate) has_renewal: Option<bool>,
    /// How far its clock is ahead of ours, where it told.
    pub(crate) skew: Option<TimeDelta>,
}

impl Provider {
    /// Asks the issuer.
    pub(crate) fn discover(http: &Http, issuer: &str, clock: &Clock, deadline: Deadline) -> Result<Self, OidcError> {
        let unusable = |problem: &str| OidcError::Unusable {
            issuer: sanitize(issuer),
            problem: problem.to_owned(),
        };
        if !is_safe_address(issuer) {
            return Err(unusable("its address is not `https://`"));
        }
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let answer = http.send(get(url), deadline)?;
        match answer.status {
            200 => {}
            500.. | 408 | 429 => return Err(OidcError::Busy { status: answer.status }),
            status => {
                return Err(unusable(&format!(
                    "it answered {status} where its configuration should be"
                )));
            }
        }
        // Public: what everybody may read.
        let document: Value =
            serde_json::from_slice(answer.body.expose()).map_err(|_| unusable("its configuration is not JSON"))?;
        let provider = Self::read(issuer, &document).map_err(|problem| unusable(&problem))?;
        Ok(Self {
            skew: answer.date().map(|theirs| theirs - clock.now()),
            ..provider
        })
    }

    fn read(issuer: &str, document: &Value) -> Result<Self, String> {
        if document.get("issuer").and_then(Value::as_str) != Some(issuer) {
            let other = document.get("issuer").and_then(Value::as_str).unwrap_or_default();
            let other = sanitize(other);
            return Err(format!(
                "it calls itself `{other}`, which must be the same to the letter"
            ));
        }
        let optional = |name: &str| match document.get(name).and_then(Value::as_str) {
            None => Ok(None),
            Some(url) if is_endpoint_of(issuer, url) => Ok(Some(url.to_owned())),
            Some(_) => Err(format!("its `{name}` is not `https://`")),
        };
        let required = |name: &str| optional(name)?.ok_or_else(|| format!("it has no `{name}`"));
        let listed = |name: &str, value: &str| {
            let values = document.get(name)?.as_array()?;
            Some(values.iter().any(|other| other == value))
        };
        Ok(Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: required("authorization_endpoint")?,
            token_endpoint: required("token_endpoint")?,
            device_endpoint: optional("device_authorization_endpoint")?,
            revocation_endpoint: optional("revocation_endpoint")?,
            names_issuer: document.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true)),
            has_pkce: listed("code_challenge_methods_supported", "S256"),
            has_offline_access: listed("scopes_supported", "offline_access"),
            has_code_flow: listed("response_types_supported", "code") != Some(false)
                && listed("grant_types_supported", "authorization_code") != Some(false),
            has_renewal: listed("grant_types_supported", "refresh_token"),
            skew: None,
        })
    }

    /// People without a browser here can sign in.
    pub(crate) fn has_device_flow(&self) -> bool {
        self.device_endpoint.is_some()
    }

    /// A refresh token can be given back.
    pub(crate) fn can_revoke(&self) -> bool {
        self.revocation_endpoint.is_some()
    }
}

fn get(url: String) -> Request {
    Request {
        method: "GET",
        url,
        headers: vec![("Accept".to_owned(), "application/json".to_owned())],
        body: None,
    }
}

/// Encrypted, or on this machine like the issuer itself.
fn is_endpoint_of(issuer: &str, url: &str) -> bool {
    is_safe_address(url) && (url.starts_with("https://") || issuer.starts_with("http://"))
}

/// `https://` with a host and nothing odd in it; `http://` for this machine only.
pub(crate) fn is_safe_address(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let is_here = host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    let is_plain = !host.is_empty() && !authority.contains('@') && url.chars().all(|c| c.is_ascii_graphic());
    is_plain && (scheme == "https" || scheme == "http" && is_here)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_provider_is_what_it_says_and_encrypted() {
        let good = json!({
            "issuer": "https://idp.example", "authorization_endpoint": "https://idp.example/a", "token_endpoint": "https://login.example/t",
        });
        assert!(Provider::read("https://idp.example", &good).is_ok());
        // Not even a slash may differ.
        assert!(Provider::read("https://idp.example/", &good).is_err());
        for (name, value) in [
            ("token_endpoint", "http://idp.example/t"),
            ("token_endpoint", "http://127.0.0.1/t"),
            ("authorization_endpoint", "https://user@idp.example/a"),
            ("device_authorization_endpoint", "file:///etc/passwd"),
            ("issuer", "https://other.example"),
        ] {
            let mut bad = good.clone();
            bad[name] = json!(value);
            assert!(Provider::read("https://idp.example", &bad).is_err(), "{name}: {value}");
        }
    }

    #[test]
    fn addresses_that_lead_elsewhere_are_not_safe() {
        for good in [
            "https://idp.example/realms/x",
            "http://127.0.0.1:5556/dex",
            "http://[::1]:80",
            "http://localhost:1/",
        ] {
            assert!(is_safe_address(good), "{good}");
        }
        for bad in [
            "http://idp.example",
            "https://",
            "https://a@b",
            "javascript:alert(1)",
            "https://a b",
            "http://127.0.0.1.evil.example",
            "HTTPS:/x",
        ] {
            assert!(!is_safe_address(bad), "{bad}");
        }
    }
}
