//! The metadata service of an ECS: its agency's temporary access key. Version 2 asks for a token first, version 1 does not.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use hyper::Method;
use serde_json::json;

use crate::{
    answer::Answer,
    behaviour::MetadataMode,
    clock, pki,
    principal::Identity,
    server::Received,
    world::{REGION, World, lock},
};

/// Of the temporary access keys it hands out; a real one renews them long before.
const KEY_SECONDS: i64 = 24 * 3600;
const TOKEN_SECONDS: std::ops::RangeInclusive<i64> = 1..=21600;

/// The ECS that everything here is about.
#[derive(Debug, Default)]
pub(crate) struct Ecs {
    /// Its agency's id.
    pub(crate) agency_id: Option<String>,
    tokens: HashMap<String, DateTime<Utc>>,
}

/// A request to the metadata service.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    Token,
    Securitykey,
    MetaData,
}

impl Operation {
    pub(crate) fn new(method: &Method, segments: &[&str]) -> Option<Self> {
        match (method, segments) {
            (&Method::PUT, ["meta-data", "latest", "api", "token"]) => Some(Self::Token),
            (&Method::GET, ["openstack", "latest", "securitykey"]) => Some(Self::Securitykey),
            (&Method::GET, ["openstack", "latest", "meta_data.json"]) => Some(Self::MetaData),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Token => "metadata_token",
            Self::Securitykey => "securitykey",
            Self::MetaData => "meta_data",
        }
    }
}

pub(crate) fn answer(world: &World, operation: Operation, received: &Received) -> Answer {
    let mode = world.behaviour().metadata;
    let attempt = || -> Result<Answer, Answer> {
        if mode == MetadataMode::NotFound {
            return Err(refused(404, "Not Found", ""));
        }
        // Against requests that somebody lets a proxy make; documented for version 2.
        if received.headers.contains_key("x-forwarded-for") && mode != MetadataMode::WithoutTokens {
            return Err(refused(403, "Forbidden", "X-Forwarded-For is not allowed"));
        }
        match operation {
            Operation::Token => give_token(world, mode, received),
            Operation::Securitykey => {
                check_token(world, mode, received)?;
                give_key(world)
            }
            Operation::MetaData => {
                check_token(world, mode, received)?;
                Ok(describe(world))
            }
        }
    };
    attempt().unwrap_or_else(|error| error)
}

fn give_token(world: &World, mode: MetadataMode, received: &Received) -> Result<Answer, Answer> {
    if mode == MetadataMode::WithoutTokens {
        return Err(refused(404, "Not Found", ""));
    }
    let seconds = received.header("x-metadata-token-ttl-seconds");
    let seconds = seconds.and_then(|value| value.parse::<i64>().ok());
    let Some(seconds) = seconds.filter(|seconds| TOKEN_SECONDS.contains(seconds)) else {
        let message = "X-Metadata-Token-Ttl-Seconds must be in [1, 21600]";
        return Err(refused(400, "Bad Request", message));
    };
    let token = pki::random_id().repeat(2);
    let end = world.now() + Duration::seconds(seconds);
    lock(&world.ecs).tokens.insert(token.clone(), end);
    lock(&world.bearer_texts).push(token.clone());
    Ok(Answer::new(200, "text/plain; charset=utf-8", token))
}

fn check_token(world: &World, mode: MetadataMode, received: &Received) -> Result<(), Answer> {
    let sent = received.header("x-metadata-token");
    let is_known = sent.map(|token| {
        let ecs = lock(&world.ecs);
        ecs.tokens.get(token).is_some_and(|end| *end > world.now())
    });
    match (mode, is_known) {
        (MetadataMode::WithoutTokens, _) | (MetadataMode::TokenOptional, None) | (_, Some(true)) => Ok(()),
        (_, None) => Err(refused(401, "Unauthorized", "a token is required")),
        (_, Some(false)) => Err(refused(401, "Unauthorized", "the token is invalid")),
    }
}

fn give_key(world: &World) -> Result<Answer, Answer> {
    let Some(agency_id) = lock(&world.ecs).agency_id.clone() else {
        // The SDK tells this 401 from one about tokens by these words.
        let message = "Please configure Cloud Service Agency first";
        return Err(refused(401, "Unauthorized", message));
    };
    let identity = Identity::Agency {
        id: agency_id,
        assumed_by: None,
        session: "ecs".to_owned(),
    };
    let expires_at = world.temporary_key_end(KEY_SECONDS);
    let key = lock(&world.directory).access_keys.add_temporary(identity, expires_at);
    Ok(Answer::json(
        200,
        &json!({"credential": {
            "access": key.id, "secret": key.secret, "securitytoken": key.security_token,
            "expires_at": clock::iam_time(expires_at),
        }}),
    ))
}

/// The few fields that say where the ECS is.
fn describe(world: &World) -> Answer {
    let directory = lock(&world.directory);
    let agency = lock(&world.ecs)
        .agency_id
        .as_deref()
        .and_then(|id| directory.agency(id).cloned());
    let project_id = agency.and_then(|agency| agency.projects.first().cloned());
    let project_id = project_id.or_else(|| directory.project(REGION).map(|project| project.id.clone()));
    Answer::json(
        200,
        &json!({
            "name": "bastion", "region_id": REGION, "availability_zone": format!("{REGION}a"), "project_id": project_id,
        }),
    )
}

/// As `OpenStack`'s metadata service says no: plain text.
fn refused(status: u16, title: &str, detail: &str) -> Answer {
    Answer::new(
        status,
        "text/plain; charset=utf-8",
        format!("{status} {title}\n\n{detail}\n"),
    )
}
