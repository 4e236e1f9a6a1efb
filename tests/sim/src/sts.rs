//! STS of the newer IAM: an agency in exchange for an id token, without any other proof; and who a signature belongs to.

use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    accounts::Trust,
    answer::Answer,
    clock,
    directory::Directory,
    gateway::Service,
    id_token, pki,
    principal::{self, Identity},
    server::Received,
    world::{World, lock},
};

/// An API of STS.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    AssumeWithOidc,
    CallerIdentity,
}

impl Operation {
    pub(crate) fn new(method: &Method, segments: &[&str]) -> Option<Self> {
        match (method, segments) {
            (&Method::POST, ["v5", "agencies", "assume-with-oidc"]) => Some(Self::AssumeWithOidc),
            (&Method::GET, ["v5", "caller-identity"]) => Some(Self::CallerIdentity),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AssumeWithOidc => "assume_with_oidc",
            Self::CallerIdentity => "caller_identity",
        }
    }
}

pub(crate) fn answer(world: &World, operation: Operation, received: &Received) -> Answer {
    let attempt = match operation {
        Operation::AssumeWithOidc => assume_with_oidc(world, received),
        Operation::CallerIdentity => caller_identity(world, received),
    };
    attempt.unwrap_or_else(|error| error)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AssumeWithOidc {
    provider_urn: String,
    agency_urn: String,
    agency_session_name: String,
    id_token: String,
    duration_seconds: Option<i64>,
    /// These narrow the session's permissions: nothing here looks at them.
    #[serde(rename = "policy")]
    _policy: Option<String>,
    #[serde(rename = "policy_ids")]
    _policy_ids: Option<Value>,
}

const DEFAULT_SECONDS: i64 = 3600;
const SECONDS: std::ops::RangeInclusive<i64> = 900..=43200;

fn assume_with_oidc(world: &World, received: &Received) -> Result<Answer, Answer> {
    let wanted: AssumeWithOidc = serde_json::from_slice(&received.body).map_err(|error| invalid(&error.to_string()))?;
    let seconds = wanted.duration_seconds.unwrap_or(DEFAULT_SECONDS);
    if !SECONDS.contains(&seconds) {
        return Err(invalid("duration_seconds must be in [900, 43200]"));
    }
    if !is_session_name(&wanted.agency_session_name) {
        return Err(invalid(
            "agency_session_name must be 2 to 64 letters, digits or any of _=,.@-",
        ));
    }
    let expires_at = world.temporary_key_end(seconds);
    let mut directory = lock(&world.directory);
    let provider = named_by(
        &wanted.provider_urn,
        "oidcProvider",
        &directory,
        |directory, account_id, name| {
            directory
                .provider(name)
                .filter(|provider| provider.account_id == account_id)
        },
    );
    let provider = provider.ok_or_else(|| refused(404, "STS5.0404", "the identity provider does not exist"))?;
    let agency = named_by(
        &wanted.agency_urn,
        "agency",
        &directory,
        |directory, account_id, name| {
            let mut agencies = directory.agencies.iter();
            agencies.find(|agency| agency.account_id == account_id && agency.name == name)
        },
    );
    let agency = agency.ok_or_else(|| refused(404, "STS5.0404", "the agency does not exist"))?;
    let claims = id_token::verify(&wanted.id_token, provider.signing_key.as_deref(), world.now());
    let claims = claims.and_then(|claims| claims.check(provider));
    claims.map_err(|why| refused(401, "STS5.0401", &format!("the id token is invalid: {why}")))?;
    let is_trusted = matches!(&agency.trust, Trust::Provider(name) if *name == provider.name);
    if !is_trusted || agency.is_refused {
        return Err(refused(403, "STS5.0403", "the agency's trust policy does not allow it"));
    }
    let identity = Identity::Agency {
        id: agency.id.clone(),
        assumed_by: None,
        session: wanted.agency_session_name.clone(),
    };
    let assumed = json!({
        "urn": assumed_urn(&agency.account_id, &agency.name, &wanted.agency_session_name),
        "id": format!("{}:{}", agency.id, wanted.agency_session_name),
    });
    let key = directory.access_keys.add_temporary(identity, expires_at);
    Ok(Answer::json(
        200,
        &json!({
            "assumed_agency": assumed,
            "credentials": {
                "access_key_id": key.id, "secret_access_key": key.secret, "security_token": key.security_token,
                "expiration": clock::sts_time(expires_at),
            },
        }),
    ))
}

/// What `iam::{account}:{kind}:{name}` names. The reference writes `oidcprovider`, the SDK's tests `oidcProvider`: case does not count.
fn named_by<'a, T>(
    urn: &str,
    kind: &str,
    directory: &'a Directory,
    find: impl Fn(&'a Directory, &str, &str) -> Option<&'a T>,
) -> Option<&'a T> {
    let (account_id, rest) = urn.strip_prefix("iam::")?.split_once(':')?;
    let (sent_kind, name) = rest.split_once(':')?;
    let is_kind = sent_kind.eq_ignore_ascii_case(kind);
    is_kind.then(|| find(directory, account_id, name)).flatten()
}

fn is_session_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_=,.@-".contains(&byte);
    (2..=64).contains(&name.len()) && name.bytes().all(is_allowed)
}

fn caller_identity(world: &World, received: &Received) -> Result<Answer, Answer> {
    let principal = principal::establish(world, Service::Sts, received)?;
    let account = &principal.account_id;
    let (id, urn) = match &principal.identity {
        Identity::User(id) => (id.clone(), format!("iam::{account}:user:{}", principal.name)),
        Identity::Agency { id, session, .. } => {
            let agency = principal.name.rsplit('/').next().unwrap_or_default();
            (format!("{id}:{session}"), assumed_urn(account, agency, session))
        }
        Identity::Federated { subject, user_id, .. } => {
            (user_id.clone(), format!("sts::{account}:external-user:{subject}"))
        }
    };
    let body = json!({"account_id": account, "principal_id": id, "principal_urn": urn});
    Ok(Answer::json(200, &body))
}

fn assumed_urn(account_id: &str, agency: &str, session: &str) -> String {
    format!("sts::{account_id}:assumed-agency:{agency}/{session}")
}

fn invalid(detail: &str) -> Answer {
    refused(400, "STS5.0400", detail)
}

/// The shape of the newer IAM's errors; code and words are made up, for they are documented nowhere.
fn refused(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({"error_code": code, "error_msg": message, "request_id": pki::random_id()});
    Answer::json(status, &body)
}
