//! Who asks the cloud for something: established by signature or by token, and what that one may do.

use chrono::{DateTime, Utc};

use crate::{
    access_keys::Held,
    answer::Answer,
    directory::{Agency, Directory, Provider, User},
    errors,
    gateway::Service,
    server::Received,
    signature::{self, Refusal, Signed},
    tokens::Scope,
    world::{World, lock},
};

/// Behind every access key and token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The user's id.
    User(String),
    /// An agency, assumed.
    Agency {
        id: String,
        /// The user's id; nobody where the cloud itself or an identity provider vouches.
        assumed_by: Option<String>,
        session: String,
    },
    /// A user of an identity provider.
    Federated {
        provider: String,
        subject: String,
        /// Another one after every login, as documented for OTC.
        user_id: String,
    },
}

impl Identity {
    pub(crate) fn is_user(&self, user_id: &str) -> bool {
        matches!(self, Self::User(id) if id == user_id)
    }
}

/// An identity with what it may do at this moment.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub(crate) identity: Identity,
    /// The common name of certificates.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) account_id: String,
    /// The organizations of certificates.
    pub(crate) groups: Vec<String>,
    pub(crate) is_administrator: bool,
    pub(crate) may_use_cce: bool,
    pub(crate) may_assume_agencies: bool,
    /// Ids of the projects open to it.
    pub(crate) projects: Vec<String>,
    /// Of the token that was shown; a signature has none and is good everywhere.
    pub(crate) scope: Option<Scope>,
}

impl Principal {
    pub(crate) fn of_user(user: &User) -> Self {
        Self {
            identity: Identity::User(user.id.clone()),
            id: user.id.clone(),
            name: user.name.clone(),
            account_id: user.account_id.clone(),
            groups: user.groups.clone(),
            is_administrator: user.is_administrator,
            may_use_cce: user.may_use_cce,
            may_assume_agencies: user.may_assume_agencies,
            projects: user.projects.clone(),
            scope: None,
        }
    }

    pub(crate) fn of_agency(agency: &Agency, account: &str, identity: Identity) -> Self {
        Self {
            identity,
            id: agency.id.clone(),
            name: format!("{account}/{}", agency.name),
            account_id: agency.account_id.clone(),
            groups: agency.groups.clone(),
            is_administrator: false,
            may_use_cce: agency.may_use_cce,
            may_assume_agencies: false,
            projects: agency.projects.clone(),
            scope: None,
        }
    }

    pub(crate) fn of_federated(provider: &Provider, subject: &str, user_id: &str, identity: Identity) -> Self {
        Self {
            identity,
            id: user_id.to_owned(),
            name: subject.to_owned(),
            account_id: provider.account_id.clone(),
            groups: provider.groups.clone(),
            is_administrator: false,
            may_use_cce: true,
            may_assume_agencies: true,
            projects: provider.projects.clone(),
            scope: None,
        }
    }
}

/// Whether the request says who asks; what it says may be wrong.
pub(crate) fn is_claimed(received: &Received) -> bool {
    received.headers.contains_key("x-auth-token") || received.headers.contains_key("authorization")
}

/// Who is asking: by `X-Auth-Token`, which goes before a signature, or by signature.
pub(crate) fn establish(world: &World, service: Service, received: &Received) -> Result<Principal, Answer> {
    let principal = if received.headers.contains_key("x-auth-token") {
        let text = received.header("x-auth-token").unwrap_or_default();
        by_token(world, service, text)?
    } else {
        by_signature(world, received)?
    };
    let claimed_account = received.header("x-domain-id");
    if claimed_account.is_some_and(|id| id != principal.account_id) {
        return Err(errors::unauthenticated(
            "X-Domain-Id is not the account of the identity",
        ));
    }
    Ok(principal)
}

/// The holder of a token.
pub(crate) fn by_token(world: &World, service: Service, text: &str) -> Result<Principal, Answer> {
    // IAM's own words are those in terraform-provider-opentelekomcloud#2089; elsewhere the gateway judges (APIGW.0301, APIGW.0307).
    let is_iam = service == Service::Iam;
    let unknown = || {
        if is_iam {
            errors::iam_unauthorized("The X-Auth-Token is invalid!")
        } else {
            errors::unauthenticated("decrypt token fail")
        }
    };
    let token = lock(&world.tokens).find(text).cloned().ok_or_else(unknown)?;
    let principal = lock(&world.directory).principal(&token.identity);
    match principal {
        Some(principal) if token.is_good(world.now()) => Ok(Principal {
            scope: Some(token.scope),
            ..principal
        }),
        _ if is_iam => Err(errors::iam_unauthorized("The X-Auth-Token is invalid!")),
        _ => Err(errors::token_must_be_updated()),
    }
}

fn by_signature(world: &World, received: &Received) -> Result<Principal, Answer> {
    let signed = Signed {
        method: received.method.as_str(),
        path: &received.path,
        query: &received.query,
        headers: &received.headers,
        body: &received.body,
    };
    let now = world.now();
    let secret = |id: &str| {
        let directory = lock(&world.directory);
        directory.access_keys.find(id).map(|held| held.key.secret.clone())
    };
    let verified = signature::verify(&signed, world.behaviour().signature_style, now, secret);
    let id = verified.map_err(|refusal| match refusal {
        Refusal::Absent => errors::unauthenticated("Get secretKey failed, ak:, err: ak not exist"),
        Refusal::Malformed(detail) => errors::unauthenticated(&format!("verify aksk signature fail, {detail}")),
        Refusal::UnknownKey => errors::unauthenticated("Get secretKey failed, err: ak not exist"),
        Refusal::Mismatch => errors::unauthenticated("verify aksk signature fail"),
        Refusal::ClockSkew => errors::clock_skew(),
    })?;
    let directory = lock(&world.directory);
    held_by(&directory, id, received.header("x-security-token"), now)
}

fn held_by(directory: &Directory, id: &str, sent: Option<&str>, now: DateTime<Utc>) -> Result<Principal, Answer> {
    let held: Option<&Held> = directory.access_keys.find(id);
    let held = held.ok_or_else(|| errors::unauthenticated("ak not exist"))?;
    if held.key.security_token.as_deref() != sent {
        return Err(errors::unauthenticated("check security token fail"));
    }
    if held.is_expired(now) {
        return Err(errors::unauthenticated("security token is expired"));
    }
    let principal = directory.principal(&held.identity);
    principal.ok_or_else(|| errors::unauthenticated("ak not exist"))
}
