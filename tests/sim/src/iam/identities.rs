//! How an identity is proven to IAM: password (with a passcode), token, access key, an agency to assume.

use chrono::{DateTime, Utc};

use super::request::{AkSk, AssumeRole, IdentityPart, PasswordUser, TotpUser};
use crate::{
    accounts::Trust,
    answer::Answer,
    behaviour::AgencyKey,
    directory::{Agency, Directory, User},
    errors,
    gateway::Service,
    principal::{self, Identity},
    server::Received,
    tokens::Scope,
    world::{World, lock},
};

/// An identity, and what follows from the way it was proven.
pub(super) struct Proven {
    pub(super) identity: Identity,
    pub(super) methods: Vec<String>,
    /// Without a scope in the request.
    pub(super) default_scope: Scope,
    /// A token from a token ends when that one does, as in Keystone.
    pub(super) not_after: Option<DateTime<Utc>>,
}

/// What a wrong name, a wrong password and a disabled user have in common.
fn wrong_password() -> Answer {
    errors::iam_unauthorized("The username or password is wrong.")
}

/// OTC's words for a passcode that is wrong, late or missing (python-otcextensions#336).
fn wrong_passcode() -> Answer {
    errors::iam_unauthorized("mfa totp code verify fail")
}

pub(super) fn prove(world: &World, part: &IdentityPart, received: &Received) -> Result<Proven, Answer> {
    let mut methods: Vec<&str> = part.methods.iter().map(String::as_str).collect();
    methods.sort_unstable();
    match methods.as_slice() {
        ["password"] => by_password(world, &required(part.password.as_ref(), "password")?.user, None),
        ["password", "totp"] => {
            let totp = required(part.totp.as_ref(), "totp")?;
            let password = required(part.password.as_ref(), "password")?;
            by_password(world, &password.user, Some(&totp.user))
        }
        ["token"] => {
            let token = required(part.token.as_ref(), "token")?;
            let text = token.id.as_deref().or(received.header("x-auth-token"));
            by_token(
                world,
                text.ok_or_else(|| errors::iam_invalid_body("token.id is missing."))?,
            )
        }
        ["hw_ak_sk"] => by_access_key(world, required(part.hw_ak_sk.as_ref(), "hw_ak_sk")?),
        ["assume_role"] => assume(world, required(part.assume_role.as_ref(), "assume_role")?, received),
        _ => Err(errors::iam_invalid_body("identity.methods is not supported.")),
    }
}

fn required<'a, T>(part: Option<&'a T>, name: &str) -> Result<&'a T, Answer> {
    part.ok_or_else(|| errors::iam_invalid_body(&format!("identity.{name} is missing.")))
}

fn by_password(world: &World, claimed: &PasswordUser, totp: Option<&TotpUser>) -> Result<Proven, Answer> {
    let now = world.now();
    let directory = lock(&world.directory);
    let user = claimed_user(&directory, claimed)?.ok_or_else(wrong_password)?;
    if !user.is_enabled || user.password.as_deref() != Some(claimed.password.as_str()) {
        return Err(wrong_password());
    }
    match (&user.totp_secret, totp) {
        (None, None) => {}
        (Some(secret), Some(totp)) if totp.id == user.id && secret.accepts(&totp.passcode, now) => {}
        _ => return Err(wrong_passcode()),
    }
    let methods: &[&str] = if totp.is_some() {
        &["password", "totp"]
    } else {
        &["password"]
    };
    Ok(Proven {
        identity: Identity::User(user.id.clone()),
        methods: methods.iter().map(|method| (*method).to_owned()).collect(),
        default_scope: Scope::Domain(user.account_id.clone()),
        not_after: None,
    })
}

fn claimed_user<'a>(directory: &'a Directory, claimed: &PasswordUser) -> Result<Option<&'a User>, Answer> {
    let mut users = directory.users.iter();
    match (&claimed.id, &claimed.name, &claimed.domain) {
        (Some(id), None, _) => Ok(users.find(|user| user.id == *id)),
        (None, Some(name), Some(domain)) => {
            let mut accounts = directory.accounts.iter();
            let account = match (&domain.id, &domain.name) {
                (Some(id), _) => accounts.find(|account| account.id == *id),
                (None, Some(name)) => accounts.find(|account| account.name == *name),
                (None, None) => return Err(errors::iam_invalid_body("user.domain needs a name or an id.")),
            };
            Ok(account.and_then(|account| users.find(|user| user.name == *name && user.account_id == account.id)))
        }
        _ => Err(errors::iam_invalid_body("user needs an id, or a name and a domain.")),
    }
}

fn by_token(world: &World, text: &str) -> Result<Proven, Answer> {
    let principal = principal::by_token(world, Service::Iam, text)?;
    let tokens = lock(&world.tokens);
    let shown = tokens.find(text);
    Ok(Proven {
        identity: principal.identity,
        methods: shown.map(|token| token.methods.clone()).unwrap_or_default(),
        default_scope: principal.scope.unwrap_or(Scope::Unscoped),
        not_after: shown.map(|token| token.expires_at),
    })
}

/// Not in the documentation, but in the field: sends the secret key itself.
fn by_access_key(world: &World, shown: &AkSk) -> Result<Proven, Answer> {
    let directory = lock(&world.directory);
    let held = directory.access_keys.find(&shown.access.key);
    // A temporary access key has no place for its security token here.
    let held = held.filter(|held| held.key.security_token.is_none() && held.key.secret == shown.secret.key);
    let principal = held.and_then(|held| directory.principal(&held.identity));
    let principal = principal.ok_or_else(|| errors::iam_unauthorized("The access key or the secret key is wrong."))?;
    Ok(Proven {
        default_scope: Scope::Domain(principal.account_id),
        identity: principal.identity,
        methods: vec!["hw_ak_sk".to_owned()],
        not_after: None,
    })
}

/// For a user who shows a token or signs; an assumed agency cannot assume another one, for it has no role `Agent Operator`.
fn assume(world: &World, wanted: &AssumeRole, received: &Received) -> Result<Proven, Answer> {
    let principal = principal::establish(world, Service::Iam, received)?;
    let name = agency_name(world.behaviour().agency_key, wanted)?;
    let directory = lock(&world.directory);
    let mut accounts = directory.accounts.iter();
    let account = match (&wanted.domain_id, &wanted.domain_name) {
        (Some(id), _) => accounts.find(|account| account.id == *id),
        (None, Some(name)) => accounts.find(|account| account.name == *name),
        (None, None) => return Err(errors::iam_invalid_body("assume_role needs domain_name or domain_id.")),
    };
    let mut agencies = directory.agencies.iter();
    let agency =
        account.and_then(|account| agencies.find(|agency| agency.account_id == account.id && agency.name == name));
    let Some(agency) = agency else {
        // The number of the status is documented, its words are Keystone's for what it cannot find.
        return Err(errors::iam(
            404,
            "Not Found",
            &format!("Could not find agency: {name}."),
        ));
    };
    let (Identity::User(user_id) | Identity::Federated { user_id, .. }) = &principal.identity else {
        return Err(errors::iam_forbidden("iam:tokens:assume"));
    };
    if !principal.may_assume_agencies || agency.is_refused || !trusts_account(agency, &principal.account_id) {
        return Err(errors::iam_forbidden("iam:tokens:assume"));
    }
    let session = wanted.session_user.as_ref().and_then(|user| user.name.clone());
    Ok(Proven {
        identity: Identity::Agency {
            id: agency.id.clone(),
            assumed_by: Some(user_id.clone()),
            session: session.unwrap_or_else(|| principal.name.clone()),
        },
        methods: vec!["assume_role".to_owned()],
        default_scope: Scope::Domain(agency.account_id.clone()),
        not_after: None,
    })
}

fn trusts_account(agency: &Agency, account_id: &str) -> bool {
    matches!(&agency.trust, Trust::Account(trusted) if trusted == account_id)
}

fn agency_name(key: AgencyKey, wanted: &AssumeRole) -> Result<&str, Answer> {
    let (documented, older) = (wanted.agency_name.as_deref(), wanted.xrole_name.as_deref());
    let name = match key {
        AgencyKey::AgencyName if older.is_some() => None,
        AgencyKey::AgencyName => documented,
        AgencyKey::XroleName => older,
        AgencyKey::Either if documented.is_some() && older.is_some() && documented != older => None,
        AgencyKey::Either => documented.or(older),
    };
    name.ok_or_else(|| errors::iam_invalid_body("assume_role names no agency, or two."))
}
