//! What a signed-in person may become: accounts, their permission sets, and a temporary access key of one.

use chrono::Duration;
use serde_json::{Value, json};

use super::{KEY_SECONDS, refused};
use crate::{
    answer::Answer,
    principal::Identity,
    server::Received,
    signature::decode,
    world::{World, lock},
};

/// The person behind every session.
const PERSON: &str = "jane";

pub(super) fn accounts(world: &World, received: &Received) -> Result<Answer, Answer> {
    check(world, received)?;
    let directory = lock(&world.directory);
    let center = lock(&world.center);
    let mut ids: Vec<&str> = Vec::new();
    for assigned in &center.assigned {
        let agency = directory.agencies.iter().find(|agency| agency.id == assigned.agency_id);
        if let Some(agency) = agency.filter(|agency| !ids.contains(&agency.account_id.as_str())) {
            ids.push(&agency.account_id);
        }
    }
    let name = |id: &str| directory.account(id).map(|account| account.name.clone());
    let rows = ids
        .iter()
        .map(|id| json!({"account_id": id, "account_name": name(id), "email_address": "jane@example.com"}));
    let (rows, page) = paged(world, rows.collect(), received)?;
    Ok(Answer::json(200, &json!({"account_list": rows, "page_info": page})))
}

pub(super) fn agencies(world: &World, received: &Received) -> Result<Answer, Answer> {
    check(world, received)?;
    let account = parameter(received, "account_id");
    let account = account.ok_or_else(|| refused(400, "IIC.400", "account_id is missing"))?;
    let directory = lock(&world.directory);
    let center = lock(&world.center);
    let rows = center.assigned.iter().filter_map(|assigned| {
        let mut agencies = directory.agencies.iter();
        let agency = agencies.find(|agency| agency.id == assigned.agency_id && agency.account_id == account)?;
        Some(json!({
            "account_id": account, "agency_name": agency.name, "permission_set_name": assigned.permission_set,
            "agency_urn": format!("iam::{account}:agency:{}", agency.name), "description": "",
        }))
    });
    let (rows, page) = paged(world, rows.collect(), received)?;
    Ok(Answer::json(200, &json!({"agency_list": rows, "page_info": page})))
}

pub(super) fn credentials(world: &World, received: &Received) -> Result<Answer, Answer> {
    check(world, received)?;
    let (account, urn) = (
        parameter(received, "target_account_id"),
        parameter(received, "agency_urn"),
    );
    let (Some(account), Some(urn)) = (account, urn) else {
        return Err(refused(400, "IIC.400", "target_account_id and agency_urn are required"));
    };
    let end = world.temporary_key_end(KEY_SECONDS);
    let mut directory = lock(&world.directory);
    let center = lock(&world.center);
    let found = center.assigned.iter().find_map(|assigned| {
        let agency = directory
            .agencies
            .iter()
            .find(|agency| agency.id == assigned.agency_id)?;
        let is_meant = agency.account_id == account && urn == format!("iam::{account}:agency:{}", agency.name);
        (is_meant && !agency.is_refused).then(|| agency.id.clone())
    });
    let id = found.ok_or_else(|| refused(403, "IIC.1001", "the agency is not assigned to this user"))?;
    let identity = Identity::Agency {
        id,
        assumed_by: None,
        session: PERSON.to_owned(),
    };
    let key = directory.access_keys.add_temporary(identity, end);
    Ok(Answer::json(
        200,
        &json!({"agency_credentials": {
            "access_key_id": key.id, "secret_access_key": key.secret, "session_token": key.security_token,
            "expiration": end.timestamp(),
        }}),
    ))
}

pub(super) fn logout(world: &World, received: &Received) -> Result<Answer, Answer> {
    check(world, received)?;
    let token = received.header("access-token").unwrap_or_default();
    lock(&world.center).sessions.retain(|session| session.token != token);
    Ok(Answer::empty(204))
}

/// Somebody with a session that has not ended.
fn check(world: &World, received: &Received) -> Result<(), Answer> {
    let token = received.header("access-token").unwrap_or_default();
    let is_good = |end| end > world.now() - Duration::zero();
    let center = lock(&world.center);
    let is_known = center
        .sessions
        .iter()
        .any(|session| session.token == token && is_good(session.expires_at));
    is_known
        .then_some(())
        .ok_or_else(|| refused(401, "IIC.1000", "the access token is invalid or has expired"))
}

/// One page, and where the next one begins.
fn paged(world: &World, rows: Vec<Value>, received: &Received) -> Result<(Vec<Value>, Value), Answer> {
    let largest = world.behaviour().identity_center.page;
    let limit = parameter(received, "limit").map_or(Ok(200), |limit| limit.parse::<usize>());
    let limit = limit.ok().filter(|limit| (1..=2000).contains(limit));
    let limit = limit.ok_or_else(|| refused(400, "IIC.400", "limit must be in [1, 2000]"))?;
    let first = parameter(received, "marker").map_or(0, |marker| marker.parse().unwrap_or(usize::MAX));
    let next = first.saturating_add(limit.min(largest));
    let marker = (next < rows.len()).then(|| next.to_string());
    let page: Vec<Value> = rows.into_iter().skip(first).take(limit.min(largest)).collect();
    let info = json!({"next_marker": marker, "current_count": page.len()});
    Ok((page, info))
}

fn parameter(received: &Received, name: &str) -> Option<String> {
    let mut parameters = received.query.split('&').filter_map(|pair| pair.split_once('='));
    let found = parameters.find(|(other, _)| *other == name);
    found.map(|(_, value)| String::from_utf8_lossy(&decode(value)).into_owned())
}
