//! The device authorization endpoint (RFC 8628).

use serde_json::json;

use super::{DeviceCode, Parameters, Quirk, client, error, secret};
use crate::{
    answer::Answer,
    identity_center::user_code,
    server::Received,
    world::{World, lock},
};

pub(super) fn start(world: &World, received: &Received) -> Answer {
    let quirk = world.behaviour().provider.quirk;
    let Some(parameters) = Parameters::of_form(received).filter(|_| quirk != Some(Quirk::NoDeviceFlow)) else {
        return error(400, "invalid_request", "a form is expected");
    };
    let client_id = match client(&parameters) {
        Ok(client_id) => client_id,
        Err(answer) => return answer,
    };
    // As Keycloak asks for it where a client must use PKCE.
    if parameters.get("code_challenge_method") != Some("S256") {
        return error(400, "invalid_request", "Missing parameter: code_challenge_method");
    }
    let issuer = world.endpoints().provider;
    let page = if quirk == Some(Quirk::PlainVerificationUri) {
        "http://192.0.2.1/device".to_owned()
    } else {
        format!("{issuer}/device")
    };
    let mut state = lock(&world.provider);
    let device = DeviceCode {
        code: secret(&mut state),
        user_code: user_code(),
        client_id,
        challenge: parameters.get("code_challenge").map(str::to_owned),
        polls: 0,
        is_offline: parameters.get("scope").unwrap_or_default().contains("offline_access"),
        verdict: None,
    };
    let body = json!({
        "device_code": device.code, "user_code": device.user_code, "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={}", device.user_code),
        "expires_in": 300, "interval": 1,
    });
    state.devices.push(device);
    Answer::json(200, &body)
}
