//! Users, agencies and access keys, as far as somebody asks who they are.

use serde_json::json;

use super::listings::{self, host};
use crate::{
    answer::Answer,
    directory::Directory,
    errors,
    principal::{Identity, Principal},
    server::Received,
};

/// `GET /v3/users/{id}`: oneself, and for administrators everybody of the account.
pub(super) fn show(
    directory: &Directory,
    principal: &Principal,
    id: &str,
    received: &Received,
) -> Result<Answer, Answer> {
    if id != principal.id && !principal.is_administrator {
        return Err(errors::iam_forbidden("identity:get_user"));
    }
    let mut users = directory.users.iter();
    let user = users.find(|user| user.id == id && user.account_id == principal.account_id);
    // Federated users and agencies are no users: `Could not find user` is what OTC documents for the former.
    let user = user.ok_or_else(|| errors::iam(404, "Not Found", &format!("Could not find user: {id}.")))?;
    Ok(Answer::json(
        200,
        &json!({"user": {
            "id": user.id, "name": user.name, "domain_id": user.account_id, "enabled": user.is_enabled,
            "password_expires_at": null, "pwd_status": false, "description": "",
            "links": {"self": format!("https://{}/v3/users/{}", host(received), user.id)},
        }}),
    ))
}

/// `GET /v3/users`: the account's users, for administrators.
pub(super) fn list(directory: &Directory, principal: &Principal, received: &Received) -> Result<Answer, Answer> {
    if !principal.is_administrator {
        return Err(errors::iam_forbidden("iam:users:listUsers"));
    }
    let name = listings::wanted_name(received)?;
    let own = directory
        .users
        .iter()
        .filter(|user| user.account_id == principal.account_id);
    let wanted = own.filter(|user| name.as_ref().is_none_or(|name| *name == user.name));
    let users = wanted.map(|user| {
        json!({
            "id": user.id, "name": user.name, "domain_id": user.account_id, "enabled": user.is_enabled,
            "password_expires_at": null, "pwd_status": false, "description": "",
        })
    });
    Ok(Answer::json(200, &json!({"users": users.collect::<Vec<_>>()})))
}

/// `GET /v3.0/OS-AGENCY/agencies`: the account's agencies, for administrators; the account must be named.
pub(super) fn list_agencies(
    directory: &Directory,
    principal: &Principal,
    received: &Received,
) -> Result<Answer, Answer> {
    if !principal.is_administrator {
        return Err(errors::iam_forbidden("iam:agencies:listAgencies"));
    }
    if !received.query.contains(&format!("domain_id={}", principal.account_id)) {
        return Err(errors::iam(
            400,
            "Bad Request",
            "domain_id is missing or another account's.",
        ));
    }
    let name = listings::wanted_name(received)?;
    let own = directory
        .agencies
        .iter()
        .filter(|agency| agency.account_id == principal.account_id);
    let wanted = own.filter(|agency| name.as_ref().is_none_or(|name| *name == agency.name));
    let agencies = wanted.map(
        |agency| json!({"id": agency.id, "name": agency.name, "domain_id": agency.account_id, "duration": "FOREVER"}),
    );
    Ok(Answer::json(200, &json!({"agencies": agencies.collect::<Vec<_>>()})))
}

/// `GET /v3.0/OS-CREDENTIAL/credentials/{access key}`: whose permanent access key it is, for that user and administrators.
pub(super) fn show_access_key(directory: &Directory, principal: &Principal, id: &str) -> Result<Answer, Answer> {
    let held = directory.access_keys.find(id).filter(|held| held.expires_at.is_none());
    let Some(Identity::User(user_id)) = held.map(|held| &held.identity) else {
        let message = format!("Could not find credential: {id}.");
        return Err(errors::iam(404, "Not Found", &message));
    };
    if *user_id != principal.id && !principal.is_administrator {
        return Err(errors::iam_forbidden("iam:credentials:getCredential"));
    }
    Ok(Answer::json(
        200,
        &json!({"credential": {
            "access": id, "user_id": user_id, "status": "active", "description": "",
            "create_time": "2026-01-15T09:30:00.000000Z",
        }}),
    ))
}

/// `GET /v3.0/OS-AGENCY/agencies/{id}`: an agency of the account, for administrators.
pub(super) fn show_agency(directory: &Directory, principal: &Principal, id: &str) -> Result<Answer, Answer> {
    if !principal.is_administrator {
        return Err(errors::iam_forbidden("iam:agencies:getAgency"));
    }
    let mut agencies = directory.agencies.iter();
    let agency = agencies.find(|agency| agency.id == id && agency.account_id == principal.account_id);
    let agency = agency.ok_or_else(|| errors::iam(404, "Not Found", &format!("Could not find agency: {id}.")))?;
    Ok(Answer::json(
        200,
        &json!({"agency": {
            "id": agency.id, "name": agency.name, "domain_id": agency.account_id, "duration": "FOREVER",
            "expire_time": null, "create_time": "2026-01-15T09:30:00.000000", "description": "",
            "trust_domain_id": agency.account_id, "trust_domain_name": "",
        }}),
    ))
}
