//! The endpoint that gives a job of GitHub Actions its id token.

use std::time::Duration;

use hyper::Method;
use serde_json::json;

use crate::{
    accounts::{ACTIONS_ISSUER, IdTokenSpec},
    answer::Answer,
    server::Received,
    signature::decode,
    world::World,
};

/// The job's `sub`.
pub(crate) const SUBJECT: &str = "repo:octo-org/octo-repo:ref:refs/heads/main";
pub(crate) const PATH: &str = "/idtoken/0/simulated";
/// The audience of a request that names none: the owner's address.
const DEFAULT_AUDIENCE: &str = "https://github.com/octo-org";

pub(crate) fn is_meant(method: &Method, path: &str) -> bool {
    method == Method::GET && path == PATH
}

pub(crate) fn answer(world: &World, received: &Received) -> Answer {
    let bearer = received.header("authorization").and_then(|value| value.split_once(' '));
    let is_known = bearer
        .is_some_and(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && token == world.actions_request_token);
    if !is_known {
        return Answer::json(401, &json!({"message": "Unauthorized"}));
    }
    let mut parameters = received.query.split('&').filter_map(|pair| pair.split_once('='));
    let audience = parameters.find(|(name, _)| *name == "audience");
    let audience = audience.map(|(_, value)| String::from_utf8_lossy(&decode(value)).into_owned());
    let spec = IdTokenSpec {
        issuer: ACTIONS_ISSUER.to_owned(),
        subject: SUBJECT.to_owned(),
        audience: audience.unwrap_or_else(|| DEFAULT_AUDIENCE.to_owned()),
        lifetime: Duration::from_secs(300),
        ..IdTokenSpec::default()
    };
    let token = world.id_token(&spec);
    Answer::json(200, &json!({"count": token.len(), "value": token}))
}
