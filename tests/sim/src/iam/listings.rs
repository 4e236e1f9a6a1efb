//! Projects and domains.

use serde_json::{Value, json};

use crate::{
    answer::Answer,
    directory::{Directory, Project},
    errors,
    principal::{Identity, Principal},
    server::Received,
    signature::decode,
};

/// `GET /v3/projects`. Federated users have no permission for it; what they may use is in `GET /v3/auth/projects`.
pub(super) fn filtered_projects(
    directory: &Directory,
    principal: &Principal,
    received: &Received,
) -> Result<Answer, Answer> {
    if matches!(principal.identity, Identity::Federated { .. }) {
        return Err(errors::iam_forbidden("identity:list_projects"));
    }
    let name = wanted_name(received)?;
    Ok(projects(directory, principal, name.as_deref(), received))
}

/// `GET /v3/auth/domains`: the one account.
pub(super) fn domains(directory: &Directory, principal: &Principal, received: &Received) -> Answer {
    let own = directory
        .accounts
        .iter()
        .filter(|account| account.id == principal.account_id);
    let own = own.map(|account| {
        json!({
            "id": account.id, "name": account.name, "enabled": true, "description": "",
            "links": {"self": format!("https://{}/v3/domains/{}", host(received), account.id)},
        })
    });
    Answer::json(
        200,
        &json!({"links": links(received), "domains": own.collect::<Vec<_>>()}),
    )
}

/// The name that a list is narrowed to.
pub(super) fn wanted_name(received: &Received) -> Result<Option<String>, Answer> {
    filter(&received.query)
        .map_err(|parameter| errors::iam(400, "Bad Request", &format!("Invalid query parameter {parameter}.")))
}

/// The wanted name, or the parameter that is not known.
fn filter(query: &str) -> Result<Option<String>, String> {
    let mut name = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("name", value)) => name = Some(String::from_utf8_lossy(&decode(value)).into_owned()),
            Some(("domain_id" | "enabled" | "page" | "per_page" | "parent_id" | "is_domain", _)) => {}
            _ => return Err(pair.to_owned()),
        }
    }
    Ok(name)
}

/// What is open to this principal.
pub(super) fn projects(
    directory: &Directory,
    principal: &Principal,
    name: Option<&str>,
    received: &Received,
) -> Answer {
    let visible = directory
        .projects
        .iter()
        .filter(|project| principal.projects.contains(&project.id));
    let wanted = visible.filter(|project| name.is_none_or(|name| name == project.name));
    let projects: Vec<_> = wanted.map(|project| project_json(project, received)).collect();
    Answer::json(200, &json!({"links": links(received), "projects": projects}))
}

fn project_json(project: &Project, received: &Received) -> Value {
    json!({
        "is_domain": false, "description": "", "enabled": true,
        "links": {"self": format!("https://{}/v3/projects/{}", host(received), project.id)},
        "id": project.id, "name": project.name,
        "parent_id": project.account_id, "domain_id": project.account_id,
    })
}

fn links(received: &Received) -> Value {
    let query = if received.query.is_empty() { "" } else { "?" };
    let address = format!("https://{}{}{query}{}", host(received), received.path, received.query);
    json!({"self": address, "previous": null, "next": null})
}

pub(super) fn host(received: &Received) -> &str {
    received.header("host").unwrap_or_default()
}
