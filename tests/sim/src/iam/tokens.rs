//! `/v3/auth/tokens`: a token for whoever proves an identity; tokens shown and revoked.

use serde_json::{Map, Value, json};

use super::{
    identities::{self, Proven},
    request::{self, Auth, Body, Named, ScopePart},
};
use crate::{
    answer::Answer,
    clock,
    directory::{Directory, Project},
    errors,
    gateway::Service,
    principal::{self, Identity, Principal},
    server::Received,
    tokens::{Lifetime, Scope, Token},
    world::{Endpoints, REGION, World, lock},
};

const LIFETIME: chrono::Duration = chrono::Duration::hours(24);

pub(super) fn create(world: &World, received: &Received) -> Result<Answer, Answer> {
    let body: Body<Auth> = request::parse(received)?;
    let proven = identities::prove(world, &body.auth.identity, received)?;
    issue(world, proven, body.auth.scope.as_ref(), received)
}

/// A token in the wanted scope, as a 201.
pub(super) fn issue(
    world: &World,
    proven: Proven,
    scope: Option<&ScopePart>,
    received: &Received,
) -> Result<Answer, Answer> {
    let behaviour = world.behaviour();
    let issued_at = world.now();
    let lifetime = behaviour.token_lifetime;
    let lifetime = lifetime.and_then(|lifetime| chrono::Duration::from_std(lifetime).ok());
    let end = issued_at + lifetime.unwrap_or(LIFETIME);
    let expires_at = proven.not_after.map_or(end, |not_after| not_after.min(end));
    let directory = lock(&world.directory);
    let principal = directory.principal(&proven.identity);
    let principal = principal.ok_or_else(|| errors::iam_unauthorized("The identity is gone."))?;
    let scope = match scope {
        Some(part) => wanted_scope(&directory, &principal, part)?,
        None => proven.default_scope,
    };
    let lifetime = Lifetime { issued_at, expires_at };
    let token = lock(&world.tokens).issue(proven.identity, scope, proven.methods, lifetime);
    let body = to_json(&directory, &principal, &token, catalog(world, received));
    let answer = Answer::json(201, &body);
    Ok(if behaviour.no_subject_token {
        answer
    } else {
        answer.with_header("X-Subject-Token", &token.text)
    })
}

/// Only its holder and administrators are shown a token.
pub(super) fn show(world: &World, received: &Received) -> Result<Answer, Answer> {
    let token = subject(world, received)?;
    let directory = lock(&world.directory);
    let principal = directory.principal(&token.identity);
    let principal = principal.filter(|_| token.is_good(world.now())).ok_or_else(not_found)?;
    let body = to_json(&directory, &principal, &token, catalog(world, received));
    Ok(Answer::json(200, &body).with_header("X-Subject-Token", &token.text))
}

/// Documented for OTC.
pub(super) fn revoke(world: &World, received: &Received) -> Result<Answer, Answer> {
    let token = subject(world, received)?;
    if !token.is_good(world.now()) {
        return Err(not_found());
    }
    lock(&world.tokens).revoke(&token.text);
    Ok(Answer::empty(204))
}

/// The token in `X-Subject-Token`.
fn subject(world: &World, received: &Received) -> Result<Token, Answer> {
    let principal = principal::establish(world, Service::Iam, received)?;
    let Some(text) = received.header("x-subject-token") else {
        return Err(errors::iam(400, "Bad Request", "X-Subject-Token is missing."));
    };
    let token = lock(&world.tokens).find(text).cloned().ok_or_else(not_found)?;
    if token.identity != principal.identity && !principal.is_administrator {
        return Err(errors::iam_forbidden("identity:validate_token"));
    }
    Ok(token)
}

fn not_found() -> Answer {
    errors::iam(404, "Not Found", "Could not find token.")
}

/// A project goes before a domain. Unknown and closed ones look the same, as in Keystone.
fn wanted_scope(directory: &Directory, principal: &Principal, part: &ScopePart) -> Result<Scope, Answer> {
    if let Some(wanted) = &part.project {
        let mut open = directory.projects.iter().filter(|project| {
            let is_called = wanted.name.as_ref().is_none_or(|name| project.name == *name)
                && wanted.id.as_ref().is_none_or(|id| project.id == *id);
            is_called && principal.projects.contains(&project.id) && is_in_domain(directory, project, wanted)
        });
        if wanted.id.is_none() && wanted.name.is_none() {
            return Err(errors::iam_invalid_body("scope.project needs a name or an id."));
        }
        return match (open.next(), open.next()) {
            (Some(project), None) => Ok(Scope::Project(project.id.clone())),
            // Keystone knows no two projects of one name in a domain; nobody should count on either of them.
            (Some(_), Some(_)) => Err(errors::iam(400, "Bad Request", "The project's name is ambiguous.")),
            (None, _) => {
                let message = format!("User {} has no access to the project.", principal.id);
                Err(errors::iam_unauthorized(&message))
            }
        };
    }
    let Some(wanted) = &part.domain else {
        return Err(errors::iam_invalid_body("scope needs a project or a domain."));
    };
    let own = directory.account(&principal.account_id).filter(|account| {
        wanted.id.as_ref().is_none_or(|id| account.id == *id)
            && wanted.name.as_ref().is_none_or(|name| account.name == *name)
    });
    let own = own.filter(|_| wanted.id.is_some() || wanted.name.is_some());
    let own = own.ok_or_else(|| errors::iam_unauthorized("The user has no access to the domain."))?;
    Ok(Scope::Domain(own.id.clone()))
}

fn is_in_domain(directory: &Directory, project: &Project, wanted: &Named) -> bool {
    let Some(domain) = &wanted.domain else { return true };
    let account = directory.account(&project.account_id);
    account.is_some_and(|account| {
        domain.id.as_ref().is_none_or(|id| account.id == *id)
            && domain.name.as_ref().is_none_or(|name| account.name == *name)
    })
}

/// What services there are, unless `nocatalog` is in the query.
fn catalog(world: &World, received: &Received) -> Option<Value> {
    let mut parameters = received.query.split('&');
    if parameters.any(|pair| pair == "nocatalog" || pair.starts_with("nocatalog=")) {
        return None;
    }
    let Endpoints { iam, cce, .. } = world.endpoints();
    // Clients of OTC append `api/v3/projects/{id}/` to the second.
    let services = [("identity", "iam", format!("{iam}/v3")), ("ccev2.0", "cce", cce)];
    let entry = |(kind, name, url): (&str, &str, String)| {
        let endpoint = json!({"id": crate::pki::random_id(), "interface": "public", "region": REGION, "region_id": REGION, "url": url});
        json!({"id": crate::pki::random_id(), "type": kind, "name": name, "endpoints": [endpoint]})
    };
    Some(services.into_iter().map(entry).collect())
}

fn to_json(directory: &Directory, principal: &Principal, token: &Token, catalog: Option<Value>) -> Value {
    let domain = |id: &str| {
        let name = directory.account(id).map(|account| account.name.clone());
        json!({"id": id, "name": name})
    };
    let mut body = Map::new();
    let mut add = |name: &str, value: Value| body.insert(name.to_owned(), value);
    add("expires_at", json!(clock::iam_time(token.expires_at)));
    add("issued_at", json!(clock::iam_time(token.issued_at)));
    add("methods", json!(token.methods));
    match &token.scope {
        Scope::Unscoped => None,
        Scope::Domain(id) => add("domain", domain(id)),
        Scope::Project(id) => {
            let name = directory.project(id).map(|project| project.name.clone());
            add(
                "project",
                json!({"id": id, "name": name, "domain": domain(&principal.account_id)}),
            )
        }
    };
    let role = if principal.is_administrator {
        "te_admin"
    } else {
        "readonly"
    };
    add("roles", json!([{"id": "0", "name": role}]));
    let mut user = json!({"id": principal.id, "name": principal.name, "domain": domain(&principal.account_id)});
    match &token.identity {
        Identity::User(_) => user["password_expires_at"] = json!(""),
        Identity::Agency { assumed_by, .. } => {
            let by = assumed_by.as_deref().and_then(|id| directory.user(id));
            if let Some(by) = by {
                let by =
                    json!({"id": by.id, "name": by.name, "password_expires_at": "", "domain": domain(&by.account_id)});
                add("assumed_by", json!({"user": by}));
            }
        }
        Identity::Federated { provider, .. } => {
            let groups = principal.groups.iter().map(|group| json!({"id": group, "name": group}));
            user["OS-FEDERATION"] = json!({
                "groups": groups.collect::<Vec<_>>(), "identity_provider": {"id": provider}, "protocol": {"id": "oidc"},
            });
        }
    }
    add("user", user);
    if token.methods.iter().any(|method| method == "totp") {
        add("mfa_authn_at", json!(clock::iam_time(token.issued_at)));
    }
    if let Some(catalog) = catalog {
        add("catalog", catalog);
    }
    json!({"token": body})
}
