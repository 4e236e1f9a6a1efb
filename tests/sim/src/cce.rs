//! CCE: which call is meant, and what holds for all of them; each call has its own file.

mod clustercert;
mod clusters;
mod revoke;
mod rotate;

use std::sync::Arc;

use hyper::Method;

use crate::{
    answer::Answer,
    cluster::Cluster,
    errors, jobs,
    principal::Principal,
    server::Received,
    tokens::Scope,
    world::{World, lock},
};

/// An API of CCE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Clusters,
    Cluster(String),
    Clustercert(String),
    Clustercertrevoke(String),
    Rotatecredentials(String),
    Job(String),
}

impl Operation {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Clusters => "clusters",
            Self::Cluster(_) => "cluster",
            Self::Clustercert(_) => "clustercert",
            Self::Clustercertrevoke(_) => "clustercertrevoke",
            Self::Rotatecredentials(_) => "rotatecredentials",
            Self::Job(_) => "job",
        }
    }
}

/// An operation in a project.
pub(crate) struct Call {
    pub(crate) operation: Operation,
    project_id: String,
    /// Under `/autopilot/v3`: sees autopilot clusters only, as `/api/v3` sees the others only.
    autopilot: bool,
}

impl Call {
    pub(crate) fn new(method: &Method, segments: &[&str]) -> Option<Self> {
        let (autopilot, project_id, rest) = match segments {
            ["api", "v3", "projects", project_id, rest @ ..] => (false, project_id, rest),
            ["autopilot", "v3", "projects", project_id, rest @ ..] => (true, project_id, rest),
            _ => return None,
        };
        let operation = match (method, rest) {
            (&Method::GET, ["clusters"]) => Operation::Clusters,
            (&Method::GET, ["clusters", id]) if !id.is_empty() => Operation::Cluster((*id).to_owned()),
            (&Method::POST, ["clusters", id, "clustercert"]) => Operation::Clustercert((*id).to_owned()),
            (&Method::POST, ["clusters", id, "clustercertrevoke"]) => Operation::Clustercertrevoke((*id).to_owned()),
            (&Method::POST, ["clusters", id, "rotatecredentials"]) => Operation::Rotatecredentials((*id).to_owned()),
            (&Method::GET, ["jobs", id]) if !id.is_empty() => Operation::Job((*id).to_owned()),
            _ => return None,
        };
        Some(Self {
            operation,
            project_id: (*project_id).to_owned(),
            autopilot,
        })
    }
}

pub(crate) fn answer(world: &World, principal: &Principal, call: &Call, received: &Received) -> Answer {
    let attempt = || -> Result<Answer, Answer> {
        let behaviour = world.behaviour();
        let unknown_here = matches!(
            call.operation,
            Operation::Clustercertrevoke(_) | Operation::Rotatecredentials(_)
        );
        if unknown_here && behaviour.no_revoke_and_rotate {
            return Err(errors::no_such_api());
        }
        check_project(principal, call, received)?;
        if received.method == Method::POST {
            check_content_type(received)?;
        }
        Ok(match &call.operation {
            Operation::Clusters => clusters::list(world, &call.project_id, call.autopilot, &received.query),
            Operation::Cluster(id) => clusters::get(&*find(world, call, id)?),
            Operation::Clustercert(id) => {
                clustercert::create(world, &behaviour, principal, &*find(world, call, id)?, &received.body)?
            }
            Operation::Clustercertrevoke(id) => revoke::revoke(principal, &*find(world, call, id)?, &received.body)?,
            Operation::Rotatecredentials(id) => {
                rotate::rotate(world, principal, &find(world, call, id)?, &received.body)?
            }
            Operation::Job(id) => jobs::poll(world, &call.project_id, id)?,
        })
    };
    attempt().unwrap_or_else(|error| error)
}

fn check_project(principal: &Principal, call: &Call, received: &Received) -> Result<(), Answer> {
    if received.header("x-project-id").is_some_and(|id| id != call.project_id) {
        return Err(errors::unauthenticated("X-Project-Id is not the project of the path"));
    }
    // The reference asks for a token of the project; what another one meets is undocumented, 401 is what CCE calls failed authorization.
    if let Some(scope) = &principal.scope
        && *scope != Scope::Project(call.project_id.clone())
    {
        return Err(errors::cce(
            401,
            "CCE.01401001",
            "The token's scope is not this project.",
        ));
    }
    if !principal.may_use_cce || !principal.projects.contains(&call.project_id) {
        let action = match call.operation {
            Operation::Clusters => "cce:cluster:list",
            Operation::Cluster(_) => "cce:cluster:get",
            Operation::Clustercert(_) => "cce:cluster:generateClientCredential",
            Operation::Clustercertrevoke(_) => "cce:cluster:revokeClientCredential",
            Operation::Rotatecredentials(_) => "cce:cluster:rotateCredentials",
            Operation::Job(_) => "cce:job:get",
        };
        return Err(errors::cce_forbidden(action));
    }
    Ok(())
}

fn check_content_type(received: &Received) -> Result<(), Answer> {
    let content_type = received.header("content-type").unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(errors::cce(
        400,
        "CCE.01400006",
        "Content-Type must be application/json.",
    ))
}

/// By uid only: names are not ids.
fn find(world: &World, call: &Call, uid: &str) -> Result<Arc<Cluster>, Answer> {
    let clusters = lock(&world.clusters);
    let mut here = clusters
        .iter()
        .filter(|cluster| cluster.project_id == call.project_id && cluster.spec.autopilot == call.autopilot);
    here.find(|cluster| cluster.uid == uid)
        .cloned()
        .ok_or_else(|| errors::cce_not_found(&format!("Cluster {uid} not found")))
}

/// The body as a JSON object with no other keys than these.
fn body_object(body: &[u8], known: &[&str]) -> Result<serde_json::Map<String, serde_json::Value>, Answer> {
    let object: serde_json::Map<_, _> =
        serde_json::from_slice(body).map_err(|error| errors::cce_invalid(&format!("Request body invalid: {error}")))?;
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(errors::cce_invalid(&format!("json: unknown field \"{key}\""))),
        None => Ok(object),
    }
}
