//! IAM: projects and domains. Tokens, agencies and temporary access keys join here, as further operations.

use hyper::Method;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    directory::{Directory, Project, User},
    errors,
    server::Received,
    signature::decode,
    world::{World, lock},
};

/// An API of IAM.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    Projects,
    AuthProjects,
    AuthDomains,
}

impl Operation {
    pub(crate) fn new(method: &Method, segments: &[&str]) -> Option<Self> {
        match (method, segments) {
            (&Method::GET, ["v3", "projects"]) => Some(Self::Projects),
            (&Method::GET, ["v3", "auth", "projects"]) => Some(Self::AuthProjects),
            (&Method::GET, ["v3", "auth", "domains"]) => Some(Self::AuthDomains),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Projects => "projects",
            Self::AuthProjects => "auth_projects",
            Self::AuthDomains => "auth_domains",
        }
    }
}

pub(crate) fn answer(world: &World, user: &User, operation: Operation, received: &Received) -> Answer {
    let directory = lock(&world.directory);
    match operation {
        Operation::Projects => match filter(&received.query) {
            Ok(name) => projects(&directory, user, name.as_deref(), received),
            Err(parameter) => errors::iam(400, "Bad Request", &format!("Invalid query parameter {parameter}.")),
        },
        Operation::AuthProjects => projects(&directory, user, None, received),
        Operation::AuthDomains => Answer::json(
            200,
            &json!({
                "links": links(received),
                "domains": [{
                    "id": directory.domain_id, "name": directory.domain_name, "enabled": true, "description": "",
                    "links": {"self": format!("https://{}/v3/domains/{}", host(received), directory.domain_id)},
                }],
            }),
        ),
    }
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

fn projects(directory: &Directory, user: &User, name: Option<&str>, received: &Received) -> Answer {
    let visible = directory
        .projects
        .iter()
        .filter(|project| user.projects.contains(&project.id));
    let wanted = visible.filter(|project| name.is_none_or(|name| name == project.name));
    let projects: Vec<_> = wanted
        .map(|project| project_json(directory, project, received))
        .collect();
    Answer::json(200, &json!({"links": links(received), "projects": projects}))
}

fn project_json(directory: &Directory, project: &Project, received: &Received) -> Value {
    json!({
        "is_domain": false, "description": "", "enabled": true,
        "links": {"self": format!("https://{}/v3/projects/{}", host(received), project.id)},
        "id": project.id, "name": project.name,
        "parent_id": directory.domain_id, "domain_id": directory.domain_id,
    })
}

fn links(received: &Received) -> Value {
    let query = if received.query.is_empty() { "" } else { "?" };
    let address = format!("https://{}{}{query}{}", host(received), received.path, received.query);
    json!({"self": address, "previous": null, "next": null})
}

fn host(received: &Received) -> &str {
    received.header("host").unwrap_or_default()
}
