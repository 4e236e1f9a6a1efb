//! IAM: which call is meant, and who may make it; each kind of call has its own file.

mod federation;
mod identities;
mod listings;
mod request;
mod temporary_keys;
mod tokens;
mod users;

use hyper::Method;

use crate::{
    answer::Answer,
    gateway::Service,
    principal,
    server::Received,
    world::{World, lock},
};

/// An API of IAM.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Tokens,
    ShowToken,
    RevokeToken,
    IdTokenTokens,
    FederationAuth(String),
    Securitytokens,
    Projects,
    AuthProjects,
    AuthDomains,
    User(String),
    Users,
    Agencies,
    Credential(String),
    Agency(String),
}

impl Operation {
    pub(crate) fn new(method: &Method, segments: &[&str]) -> Option<Self> {
        if let Some(provider) = federation::provider(method, segments) {
            return Some(Self::FederationAuth(provider.to_owned()));
        }
        match (method, segments) {
            (&Method::POST, ["v3", "auth", "tokens"]) => Some(Self::Tokens),
            (&Method::GET, ["v3", "auth", "tokens"]) => Some(Self::ShowToken),
            (&Method::DELETE, ["v3", "auth", "tokens"]) => Some(Self::RevokeToken),
            (&Method::POST, ["v3.0", "OS-AUTH", "id-token", "tokens"]) => Some(Self::IdTokenTokens),
            (&Method::POST, ["v3.0", "OS-CREDENTIAL", "securitytokens"]) => Some(Self::Securitytokens),
            (&Method::GET, ["v3.0", "OS-CREDENTIAL", "credentials", id]) => Some(Self::Credential((*id).to_owned())),
            (&Method::GET, ["v3.0", "OS-AGENCY", "agencies", id]) => Some(Self::Agency((*id).to_owned())),
            (&Method::GET, ["v3", "projects"]) => Some(Self::Projects),
            (&Method::GET, ["v3", "auth", "projects"]) => Some(Self::AuthProjects),
            (&Method::GET, ["v3", "auth", "domains"]) => Some(Self::AuthDomains),
            (&Method::GET, ["v3", "users"]) => Some(Self::Users),
            (&Method::GET, ["v3.0", "OS-AGENCY", "agencies"]) => Some(Self::Agencies),
            (&Method::GET, ["v3", "users", id]) => Some(Self::User((*id).to_owned())),
            _ => None,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::ShowToken => "show_token",
            Self::RevokeToken => "revoke_token",
            Self::IdTokenTokens => "id_token_tokens",
            Self::FederationAuth(_) => "federation_auth",
            Self::Securitytokens => "securitytokens",
            Self::Projects => "projects",
            Self::AuthProjects => "auth_projects",
            Self::AuthDomains => "auth_domains",
            Self::User(_) => "user",
            Self::Users => "users",
            Self::Agencies => "agencies",
            Self::Credential(_) => "credential",
            Self::Agency(_) => "agency",
        }
    }
}

pub(crate) fn answer(world: &World, operation: Operation, received: &Received) -> Answer {
    let attempt = match operation {
        Operation::Tokens => tokens::create(world, received),
        Operation::ShowToken => tokens::show(world, received),
        Operation::RevokeToken => tokens::revoke(world, received),
        Operation::IdTokenTokens => federation::exchange(world, received),
        Operation::FederationAuth(provider) => federation::authenticate(world, &provider, received),
        Operation::Securitytokens => temporary_keys::create(world, received),
        other => look_up(world, &other, received),
    };
    attempt.unwrap_or_else(|error| error)
}

/// What changes nothing and is for everybody the cloud knows.
fn look_up(world: &World, operation: &Operation, received: &Received) -> Result<Answer, Answer> {
    let principal = principal::establish(world, Service::Iam, received)?;
    let directory = lock(&world.directory);
    match operation {
        Operation::Projects => listings::filtered_projects(&directory, &principal, received),
        Operation::AuthDomains => Ok(listings::domains(&directory, &principal, received)),
        Operation::User(id) => users::show(&directory, &principal, id, received),
        Operation::Users => users::list(&directory, &principal, received),
        Operation::Agencies => users::list_agencies(&directory, &principal, received),
        Operation::Agency(id) => users::show_agency(&directory, &principal, id),
        Operation::Credential(id) => users::show_access_key(&directory, &principal, id),
        _ => Ok(listings::projects(&directory, &principal, None, received)),
    }
}
