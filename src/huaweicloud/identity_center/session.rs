//! How a session comes about: this machine registers, gets a code for a person, and polls until the person has approved it (RFC 8628 in the
//! Identity Center's own words).

use super::{IdentityCenterError, refusal};
use crate::huaweicloud::api::{Answer, Api, ApiError, Body, Call};
use crate::ids::Endpoint;
use crate::oidc::{DeviceAuthorization, PollAnswer, classify_poll, end_of, is_safe_address};
use crate::sanitize::sanitize;
use crate::secret::Secret;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

const CLIENT_NAME: &str = "kubectl cce-login";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// "Creating the access token failed", whatever the reason.
const NO_TOKEN: &str = "IIC.1402";
/// "Access denied".
const DENIED: &str = "IIC.1404";

/// This machine as the Identity Center knows it.
#[derive(Debug, Clone)]
pub(crate) struct RegisteredClient {
    /// Its id.
    pub(crate) id: String,
    /// Its secret.
    pub(crate) secret: Secret<String>,
    /// When it ends, after about 90 days.
    pub(crate) ends_at: DateTime<Utc>,
}

/// A person's session.
#[derive(Debug, Clone)]
pub(crate) struct PortalSession {
    /// A bearer secret for everything that is assigned to the person.
    pub(crate) token: Secret<String>,
    /// When it ends.
    pub(crate) ends_at: DateTime<Utc>,
}

/// The Identity Center of one region, for clients.
pub(crate) struct SessionClient<'a> {
    /// Sends, unauthenticated: what proves anything is in the body.
    pub(crate) api: &'a Api<'a>,
    /// `https://oidc.REGION.…`
    pub(crate) endpoint: &'a Endpoint,
}

impl SessionClient<'_> {
    /// Makes this machine known.
    pub(crate) fn register(&self) -> Result<RegisteredClient, IdentityCenterError> {
        let body = json!({
            "client_name": CLIENT_NAME, "client_type": "public", "token_endpoint_auth_method": "client_secret_post",
            "grant_types": [DEVICE_GRANT], "response_types": ["code"], "scopes": ["openid"],
        });
        let answer = self.post("/v1/clients", &body, true)?;
        let client = || {
            let info = answer.json.get("client_info")?;
            Some(RegisteredClient {
                id: info.get("client_id")?.as_str()?.to_owned(),
                secret: Secret::new(info.get("client_secret")?.as_str()?.to_owned()),
                ends_at: end_of(info.get("client_secret_expires_at")?, answer.server_time)?,
            })
        };
        Ok(client().ok_or_else(|| incomplete("a whole registration"))?)
    }

    /// A code for a person.
    pub(crate) fn authorize_device(
        &self,
        client: &RegisteredClient,
        start_url: &str,
    ) -> Result<DeviceAuthorization, IdentityCenterError> {
        // To the service that has issued it.
        let body = json!({"client_id": client.id, "client_secret": client.secret.expose(), "start_url": start_url});
        let answer = self
            .post("/v1/device/authorize", &body, true)
            .map_err(|error| match refusal(&error) {
                Some((_, DENIED, message)) => IdentityCenterError::Denied(message.to_owned()),
                Some((401, ..)) => IdentityCenterError::UnknownClient,
                Some((_, _, message)) if message.contains("invalid_client") => IdentityCenterError::UnknownClient,
                _ => error.into(),
            })?;
        let device = DeviceAuthorization::from_json(&answer.json, answer.server_time);
        let device = device.ok_or_else(|| incomplete("a whole code for this machine"))?;
        if is_safe_address(&device.verification_uri) {
            Ok(device)
        } else {
            let page = sanitize(&device.verification_uri);
            Err(IdentityCenterError::UnsafePage(page))
        }
    }

    /// Asks once whether the person has approved.
    pub(crate) fn poll(
        &self,
        client: &RegisteredClient,
        device: &DeviceAuthorization,
    ) -> Result<PollAnswer<PortalSession>, IdentityCenterError> {
        let body = json!({
            // All of it to the service that has issued it.
            "client_id": client.id, "client_secret": client.secret.expose(),
            "grant_type": DEVICE_GRANT, "device_code": device.device_code.expose(), // as above
        });
        let error = match self.post("/v1/tokens", &body, false) {
            Ok(answer) => {
                return Ok(PollAnswer::Done(
                    session(&answer).ok_or_else(|| incomplete("a session"))?,
                ));
            }
            Err(error) => error,
        };
        match (refusal(&error), &error) {
            (Some((429 | 500.., ..)), _) | (_, ApiError::NotJson { status: 500.., .. }) => Ok(PollAnswer::SlowDown),
            (Some((_, code, message)), _) => {
                if let Some(told) = classify_poll(&[code, message]) {
                    return Ok(told);
                }
                match (code, message) {
                    (_, message) if message.contains("invalid_client") => Err(IdentityCenterError::UnknownClient),
                    (NO_TOKEN, _) => Ok(PollAnswer::Pending),
                    (DENIED, message) => Err(IdentityCenterError::Denied(message.to_owned())),
                    _ => Err(error.into()),
                }
            }
            (None, ApiError::Http(failure)) if failure.is_temporary() => Ok(PollAnswer::SlowDown),
            _ => Err(error.into()),
        }
    }

    fn post(&self, path: &str, body: &Value, is_repeatable: bool) -> Result<Answer, ApiError> {
        let body = |_| body.clone();
        self.api.call(&Call {
            service: "IAM Identity Center",
            endpoint: self.endpoint,
            method: "POST",
            path: path.to_owned(),
            query: Vec::new(),
            body: Some(Body(&body)),
            project: None,
            identity_provider: None,
            permission: "",
            is_repeatable,
        })
    }
}

fn session(answer: &Answer) -> Option<PortalSession> {
    let info = answer.json.get("token_info")?;
    Some(PortalSession {
        token: Secret::new(info.get("access_token")?.as_str()?.to_owned()),
        ends_at: end_of(info.get("expires_in")?, answer.server_time)?,
    })
}

fn incomplete(what: &str) -> ApiError {
    ApiError::Incomplete {
        service: "IAM Identity Center",
        what: what.to_owned(),
    }
}
