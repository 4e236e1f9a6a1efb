//! The token endpoint, and the end of a refresh token.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};

use super::{Grant, Parameters, ProviderState, Quirk, client, error, tokens};
use crate::{
    answer::Answer,
    identity_center::Approval,
    server::Received,
    world::{World, lock},
};

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

pub(super) fn answer(world: &World, received: &Received) -> Answer {
    let quirk = world.behaviour().provider.quirk;
    if quirk == Some(Quirk::SinglePageApp) {
        let why = "AADSTS9002327: Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.";
        return error(400, "invalid_request", why);
    }
    let Some(parameters) = Parameters::of_form(received) else {
        return error(400, "invalid_request", "a form is expected");
    };
    let client_id = match client(&parameters) {
        Ok(client_id) => client_id,
        Err(answer) => return answer,
    };
    let mut state = lock(&world.provider);
    let attempt = match parameters.get("grant_type") {
        Some("authorization_code") => by_code(world, &mut state, &parameters, &client_id),
        Some("refresh_token") => by_refresh_token(world, &mut state, &parameters, &client_id),
        Some(DEVICE_GRANT) => by_device_code(world, &mut state, &parameters, &client_id),
        _ => Err(error(400, "unsupported_grant_type", "")),
    };
    attempt.unwrap_or_else(|error| error)
}

fn by_code(
    world: &World,
    state: &mut ProviderState,
    parameters: &Parameters,
    client_id: &str,
) -> Result<Answer, Answer> {
    let refused = |why: &str| error(400, "invalid_grant", why);
    let sent = parameters.get("code").ok_or_else(|| refused("the code is missing"))?;
    let at = state.codes.iter().position(|code| code.text == sent);
    // A code is good once, whatever comes of it.
    let code = at
        .map(|at| state.codes.remove(at))
        .ok_or_else(|| refused("the code is unknown or was used"))?;
    if code.client_id != client_id || parameters.get("redirect_uri") != Some(&code.redirect_uri) {
        return Err(refused("the code is for another client or address"));
    }
    if !is_verified(parameters, &code.challenge) {
        return Err(refused("code_verifier does not match"));
    }
    if code.is_offline && world.behaviour().provider.quirk == Some(Quirk::OfflineNotAllowed) {
        let why = "Offline tokens not allowed for the user or client";
        return Err(error(400, "not_allowed", why));
    }
    let grant = Grant {
        token: String::new(),
        client_id: client_id.to_owned(),
        subject: code.subject,
    };
    let body = tokens(world, state, &grant, code.nonce.as_deref(), code.is_offline);
    Ok(Answer::json(200, &body))
}

/// What is sent now is what the digest was of.
fn is_verified(parameters: &Parameters, challenge: &str) -> bool {
    let verifier = parameters.get("code_verifier").unwrap_or_default();
    (43..=128).contains(&verifier.len()) && URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())) == challenge
}

fn by_refresh_token(
    world: &World,
    state: &mut ProviderState,
    parameters: &Parameters,
    client_id: &str,
) -> Result<Answer, Answer> {
    let sent = parameters.get("refresh_token").unwrap_or_default();
    let mut grants = state.refresh_tokens.iter();
    let at = grants.position(|grant| grant.token == sent && grant.client_id == client_id);
    let at = at.ok_or_else(|| {
        error(
            400,
            "invalid_grant",
            "the refresh token is unknown, was used or has been revoked",
        )
    })?;
    // Each is good once: the answer brings the next one.
    let mut grant = state.refresh_tokens.remove(at);
    if world.behaviour().provider.quirk == Some(Quirk::OtherSubjectAtRefresh) {
        "mallory@example.com".clone_into(&mut grant.subject);
    }
    let body = tokens(world, state, &grant, None, true);
    Ok(Answer::json(200, &body))
}

fn by_device_code(
    world: &World,
    state: &mut ProviderState,
    parameters: &Parameters,
    client_id: &str,
) -> Result<Answer, Answer> {
    let approval = world.behaviour().provider.approval;
    let sent = parameters.get("device_code").unwrap_or_default();
    let mut devices = state.devices.iter();
    let at = devices.position(|device| device.code == sent && device.client_id == client_id);
    let at = at.ok_or_else(|| error(400, "invalid_grant", "the device code is unknown"))?;
    let device = &mut state.devices[at];
    if device
        .challenge
        .as_deref()
        .is_some_and(|challenge| !is_verified(parameters, challenge))
    {
        return Err(error(400, "invalid_grant", "code_verifier does not match"));
    }
    device.polls += 1;
    let verdict = match approval {
        Approval::AfterPolls(polls) if device.polls > polls => Some(true),
        Approval::Denied => Some(false),
        Approval::Expired => return Err(error(400, "expired_token", "")),
        _ => device.verdict,
    };
    match verdict {
        None => return Err(error(400, "authorization_pending", "")),
        Some(false) => return Err(error(400, "access_denied", "the person said no")),
        Some(true) => {}
    }
    let device = state.devices.remove(at);
    let grant = Grant {
        token: String::new(),
        client_id: client_id.to_owned(),
        subject: world.behaviour().provider.subject,
    };
    let body = tokens(world, state, &grant, None, device.is_offline);
    Ok(Answer::json(200, &body))
}

pub(super) fn revoke(world: &World, received: &Received) -> Answer {
    let Some(parameters) = Parameters::of_form(received) else {
        return error(400, "invalid_request", "a form is expected");
    };
    if let Err(answer) = client(&parameters) {
        return answer;
    }
    let sent = parameters.get("token").unwrap_or_default();
    lock(&world.provider).refresh_tokens.retain(|grant| grant.token != sent);
    Answer::empty(200)
}
