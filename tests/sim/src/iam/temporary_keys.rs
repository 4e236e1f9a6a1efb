//! `POST /v3.0/OS-CREDENTIAL/securitytokens`: a temporary access key with its security token.

use serde_json::json;

use super::{
    identities,
    request::{self, Body, KeyAuth},
};
use crate::{
    answer::Answer,
    clock, errors,
    gateway::Service,
    principal,
    server::Received,
    world::{World, lock},
};

const SECONDS: std::ops::RangeInclusive<i64> = 900..=86400;
const DEFAULT_SECONDS: i64 = 900;

pub(super) fn create(world: &World, received: &Received) -> Result<Answer, Answer> {
    let body: Body<KeyAuth> = request::parse(received)?;
    let part = &body.auth.identity;
    let methods: Vec<&str> = part.methods.iter().map(String::as_str).collect();
    let (identity, seconds) = match methods.as_slice() {
        ["token"] => {
            let token = part.token.as_ref();
            // As documented: `X-Auth-Token` goes before the token in the body. A signature counts as much as that header.
            let principal = if principal::is_claimed(received) {
                principal::establish(world, Service::Iam, received)?
            } else {
                let text = token.and_then(|token| token.id.as_deref());
                let text = text.ok_or_else(|| errors::iam_unauthorized("The X-Auth-Token is invalid!"))?;
                principal::by_token(world, Service::Iam, text)?
            };
            // Any scope will do, none too: the SDK's exchange for federated users comes with an unscoped token.
            (principal.identity, token.and_then(|token| token.duration_seconds))
        }
        ["assume_role"] => {
            let seconds = part.assume_role.as_ref().and_then(|wanted| wanted.duration_seconds);
            (identities::prove(world, part, received)?.identity, seconds)
        }
        _ => return Err(errors::iam_invalid_body("identity.methods is not supported.")),
    };
    let seconds = seconds.unwrap_or(DEFAULT_SECONDS);
    if !SECONDS.contains(&seconds) {
        let message = "duration_seconds must be in [900, 86400].";
        return Err(errors::iam(400, "Bad Request", message));
    }
    let expires_at = world.temporary_key_end(seconds);
    let key = lock(&world.directory).access_keys.add_temporary(identity, expires_at);
    Ok(Answer::json(
        201,
        &json!({"credential": {
            "access": key.id, "secret": key.secret, "securitytoken": key.security_token,
            "expires_at": clock::iam_time(expires_at),
        }}),
    ))
}
