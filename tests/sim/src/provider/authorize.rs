//! The authorization endpoint: who comes here is signed in already, and is sent back at once.

use super::{CLIENT, CONFIDENTIAL, Code, Parameters, Quirk, secret};
use crate::world::{World, lock};

/// Where the browser is sent; an error that must not be sent back to an address nobody vouches for.
pub(super) fn redirect(world: &World, query: &str) -> Result<String, String> {
    let parameters = Parameters::parse(query);
    let required = |name: &str| {
        parameters
            .get(name)
            .map(str::to_owned)
            .ok_or(format!("{name} is missing"))
    };
    let (client_id, redirect_uri, state) = (required("client_id")?, required("redirect_uri")?, required("state")?);
    let behaviour = world.behaviour().provider;
    if ![CLIENT, CONFIDENTIAL].contains(&client_id.as_str()) {
        return Err("unknown client_id".to_owned());
    }
    if behaviour.quirk == Some(Quirk::RedirectNotRegistered) || !is_loopback(&redirect_uri) {
        return Err("redirect_uri is not registered".to_owned());
    }
    let issuer = match behaviour.quirk {
        Some(Quirk::WrongIssuer) => "&iss=https%3A%2F%2Fother.example".to_owned(),
        Some(Quirk::NoIssuer) => String::new(),
        _ => format!(
            "&iss={}",
            world.endpoints().provider.replace(':', "%3A").replace('/', "%2F")
        ),
    };
    let returned = if behaviour.quirk == Some(Quirk::WrongState) {
        "another-state"
    } else {
        &state
    };
    let back = |answer: &str| Ok(format!("{redirect_uri}?{answer}&state={returned}{issuer}"));
    if behaviour.quirk == Some(Quirk::Denied) {
        return back("error=access_denied&error_description=the+person+said+no");
    }
    let challenge = parameters.get("code_challenge").unwrap_or_default();
    let is_complete = parameters.get("response_type") == Some("code")
        && parameters.get("code_challenge_method") == Some("S256")
        && challenge.len() == 43
        && state.len() >= 32
        && parameters.get("nonce").is_some_and(|nonce| nonce.len() >= 32);
    let scopes: Vec<&str> = parameters.get("scope").unwrap_or_default().split(' ').collect();
    if !is_complete || !scopes.contains(&"openid") {
        return back("error=invalid_request");
    }
    let mut remembered = lock(&world.provider);
    let text = secret(&mut remembered);
    remembered.codes.push(Code {
        text: text.clone(),
        client_id,
        redirect_uri: redirect_uri.clone(),
        challenge: challenge.to_owned(),
        nonce: parameters.get("nonce").map(str::to_owned),
        is_offline: scopes.contains(&"offline_access"),
        subject: behaviour.subject,
    });
    back(&format!("code={text}"))
}

/// As Dex and Keycloak take them for public clients: any port of this machine.
fn is_loopback(uri: &str) -> bool {
    ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"]
        .iter()
        .any(|start| uri.starts_with(start))
}
