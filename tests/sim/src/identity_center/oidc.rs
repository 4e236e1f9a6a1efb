//! A client registers, gets a code for a person, and polls until the person has approved it.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    Approval, CLIENT_DAYS, Center, Client, DEVICE_SECONDS, Device, PollWords, START_URL, Session, refused, user_code,
};
use crate::{
    answer::Answer,
    behaviour::Behaviour,
    pki,
    server::Received,
    world::{World, lock},
};

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterClient {
    client_name: String,
    client_type: String,
    token_endpoint_auth_method: String,
    grant_types: Vec<String>,
    response_types: Vec<String>,
    scopes: Option<Vec<String>>,
}

pub(super) fn register_client(world: &World, received: &Received) -> Result<Answer, Answer> {
    let wanted: RegisterClient = parse(received)?;
    let is_valid = (1..=1024).contains(&wanted.client_name.len())
        && wanted.client_type == "public"
        && wanted.token_endpoint_auth_method == "client_secret_post"
        && wanted
            .grant_types
            .iter()
            .all(|grant| grant == DEVICE_GRANT || grant == "authorization_code")
        && wanted.response_types == ["code"];
    if !is_valid {
        return Err(refused(400, "IIC.400", "the request is invalid"));
    }
    let now = world.now();
    let client = Client {
        id: pki::random_id(),
        secret: pki::random_id().repeat(2),
        expires_at: now + Duration::days(CLIENT_DAYS),
    };
    let body = json!({"client_info": {
        "client_id": client.id, "client_secret": client.secret,
        "client_id_issued_at": now.timestamp(), "client_secret_expires_at": client.expires_at.timestamp(),
        "authorization_endpoint": null, "token_endpoint": null,
        "scopes": wanted.scopes.unwrap_or_else(|| vec!["openid".to_owned()]),
    }});
    lock(&world.center).clients.push(client);
    Ok(Answer::json(200, &body))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StartDeviceAuthorization {
    client_id: String,
    client_secret: String,
    start_url: String,
}

pub(super) fn start_device_authorization(world: &World, received: &Received) -> Result<Answer, Answer> {
    let wanted: StartDeviceAuthorization = parse(received)?;
    let behaviour = world.behaviour();
    let now = world.now();
    let mut center = lock(&world.center);
    check_client(&center, &wanted.client_id, &wanted.client_secret, now)?;
    if wanted.start_url != START_URL {
        return Err(refused(400, "IIC.1404", "Access denied: the start URL is unknown"));
    }
    let device = Device {
        client_id: wanted.client_id,
        code: pki::random_id(),
        user_code: user_code(),
        expires_at: now + Duration::seconds(DEVICE_SECONDS),
        polls: 0,
        verdict: None,
    };
    let at = &behaviour.identity_center;
    let body = json!({
        "device_code": device.code, "user_code": device.user_code,
        "verification_uri": at.verification_uri,
        "verification_uri_complete": format!("{}?user_code={}", at.verification_uri, device.user_code),
        "interval": at.interval, "expires_in": end(&behaviour, device.expires_at, now),
    });
    center.devices.push(device);
    Ok(Answer::json(200, &without_nulls(body)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateToken {
    client_id: String,
    client_secret: String,
    grant_type: String,
    device_code: Option<String>,
    #[serde(rename = "scopes")]
    _scopes: Option<Value>,
}

pub(super) fn create_token(world: &World, received: &Received) -> Result<Answer, Answer> {
    let wanted: CreateToken = parse(received)?;
    let behaviour = world.behaviour();
    let at = &behaviour.identity_center;
    let now = world.now();
    let mut center = lock(&world.center);
    check_client(&center, &wanted.client_id, &wanted.client_secret, now)?;
    let found = center
        .devices
        .iter_mut()
        .find(|device| Some(&device.code) == wanted.device_code.as_ref() && device.client_id == wanted.client_id);
    let (DEVICE_GRANT, Some(device)) = (wanted.grant_type.as_str(), found) else {
        return Err(refused(400, "IIC.1404", "Access denied: the device code is unknown"));
    };
    device.polls += 1;
    if device.polls <= at.slow_downs {
        return Err(polled(at.words, "slow_down"));
    }
    let verdict = match at.approval {
        Approval::AfterPolls(polls) if device.polls > polls + at.slow_downs => Some(true),
        Approval::Denied => Some(false),
        _ => device.verdict,
    };
    if device.expires_at <= now || at.approval == Approval::Expired {
        return Err(polled(at.words, "expired_token"));
    }
    match verdict {
        None => return Err(polled(at.words, "authorization_pending")),
        Some(false) => return Err(polled(at.words, "access_denied")),
        Some(true) => {}
    }
    let code = device.code.clone();
    center.devices.retain(|device| device.code != code);
    let session = Session {
        token: pki::random_id().repeat(8),
        expires_at: now + Duration::seconds(at.session_seconds),
    };
    let body = json!({"token_info": {
        "access_token": session.token, "token_type": "Bearer", "expires_in": end(&behaviour, session.expires_at, now),
        "id_token": null, "refresh_token": null,
    }});
    center.sessions.push(session);
    Ok(Answer::json(200, &body))
}

/// A poll that brings no token.
fn polled(words: PollWords, error: &str) -> Answer {
    let exception = match error {
        "authorization_pending" => "AuthorizationPendingException",
        "slow_down" => "SlowDownException",
        "expired_token" => "ExpiredTokenException",
        _ => "AccessDeniedException",
    };
    match words {
        PollWords::Rfc8628 => Answer::json(400, &json!({"error": error, "error_description": "see RFC 8628"})),
        PollWords::Exception => refused(400, "IIC.1402", &format!("creating access token failed: {exception}")),
        PollWords::CodeOnly if error == "access_denied" => refused(400, "IIC.1404", "Access denied: by the user"),
        PollWords::CodeOnly => refused(400, "IIC.1402", "creating access token failed"),
    }
}

fn check_client(center: &Center, id: &str, secret: &str, now: DateTime<Utc>) -> Result<(), Answer> {
    let mut clients = center.clients.iter();
    let is_known = clients.any(|client| client.id == id && client.secret == secret && client.expires_at > now);
    is_known
        .then_some(())
        .ok_or_else(|| refused(401, "IIC.1402", "invalid_client: the client is unknown"))
}

fn end(behaviour: &Behaviour, end: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    if behaviour.identity_center.spans {
        (end - now).num_seconds()
    } else {
        end.timestamp()
    }
}

fn without_nulls(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    body
}

fn parse<T: DeserializeOwned>(received: &Received) -> Result<T, Answer> {
    let content_type = received.header("content-type").unwrap_or_default();
    if !content_type.starts_with("application/json") {
        return Err(refused(400, "IIC.400", "Content-Type must be application/json"));
    }
    serde_json::from_slice(&received.body).map_err(|error| refused(400, "IIC.400", &error.to_string()))
}
