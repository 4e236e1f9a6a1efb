//! Signing in: tokens and temporary access keys for whoever proves an identity (api-iam: tokens, `securitytokens`, id tokens).
//!
//! Whoever proves it by signature or with a token does so through the credentials of the client's `Api`; a password and an id token
//! are in the body.

use crate::huaweicloud::api::{Answer, ApiError, Body, Call};
use crate::huaweicloud::iam::token_answer::{TemporaryAccessKey, Token};
use crate::huaweicloud::iam::{IamClient, IamError};
use crate::huaweicloud::signing::canonical_request::percent_encode;
use crate::ids::ProjectId;
use crate::secret::{Secret, SecretJson};
use serde_json::{Map, Value, json};

/// What a token is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// For IAM itself: to list projects, to get another token.
    Account,
    /// For the services of one project.
    Project(ProjectId),
}

/// A user as IAM finds one: by id, or by name and account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// The id; needed together with a passcode.
    pub(crate) id: Option<String>,
    /// The name, unique in the account.
    pub(crate) name: Option<String>,
    /// The account.
    pub(crate) account: Option<Account>,
}

/// An account (in IAM's words a domain) as people give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Account {
    /// By name.
    Name(String),
    /// By id: 32 hexadecimal digits.
    Id(String),
}

impl Account {
    /// 32 hexadecimal digits are an id, everything else is a name.
    pub(crate) fn parse(text: &str) -> Self {
        if text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit()) {
            Self::Id(text.to_owned())
        } else {
            Self::Name(text.to_owned())
        }
    }

    fn domain(&self) -> Value {
        match self {
            Self::Name(name) => json!({ "name": name }),
            Self::Id(id) => json!({ "id": id }),
        }
    }
}

/// An agency to assume, in the account that has delegated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agency {
    /// Its name.
    pub(crate) name: String,
    /// The account that delegates.
    pub(crate) account: Account,
    /// How long a temporary key shall live, in seconds (900 to 86,400).
    pub(crate) seconds: Option<u32>,
}

impl Agency {
    /// Reads `NAME` or `ACCOUNT/NAME`; `None` where the account is named in neither place.
    pub(crate) fn parse(text: &str, account: Option<&str>) -> Option<Self> {
        let (account, name) = match text.split_once('/') {
            Some((account, name)) => (account, name),
            None => (account?, text),
        };
        Some(Self {
            name: name.to_owned(),
            account: Account::parse(account),
            seconds: None,
        })
    }
}

/// How `assume_role` names the agency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AgencyNaming {
    /// `agency_name`.
    Huawei,
    /// `agency_name` and the older `xrole_name`: OTC's parameter table has the one, its samples and gophertelekomcloud the other.
    Otc,
}

/// How long temporary access keys are asked for where nobody says: as long as the SDKs ask, in seconds.
const KEY_SECONDS: u32 = 6 * 3600;

impl IamClient<'_> {
    /// A token by password, with the passcode of a virtual MFA device where there is one.
    pub(crate) fn token_by_password(
        &self,
        user: &User,
        password: &Secret<String>,
        passcode: Option<&Secret<String>>,
        scope: &Scope,
    ) -> Result<Token, IamError> {
        // Both doors lead into the body that proves who we are, to an endpoint that the identity trusts.
        let password = password.expose();
        let proof = match (&user.id, &user.name, &user.account) {
            (Some(id), ..) => json!({"id": id, "password": password}),
            (None, name, Some(account)) => json!({"name": name, "password": password, "domain": account.domain()}),
            (None, name, None) => json!({"name": name, "password": password}),
        };
        let proof = json!({ "user": proof });
        let identity = match passcode {
            None => json!({"methods": ["password"], "password": proof}),
            Some(passcode) => {
                // As the password: into the body.
                let totp = json!({"user": {"id": user.id, "passcode": passcode.expose()}});
                json!({"methods": ["password", "totp"], "password": proof, "totp": totp})
            }
        };
        // A passcode is good for one request, so none is repeated.
        self.token(identity, scope, passcode.is_none())
    }

    /// A token in another scope for one that is in hand.
    pub(crate) fn rescoped_token(&self, token: &Secret<String>, scope: &Scope) -> Result<Token, IamError> {
        // Back to the IAM that issued it.
        let identity = json!({"methods": ["token"], "token": {"id": token.expose()}});
        self.token(identity, scope, true)
    }

    /// A token of an agency, for the credentials of this client.
    pub(crate) fn token_of_agency(
        &self,
        agency: &Agency,
        naming: AgencyNaming,
        scope: &Scope,
    ) -> Result<Token, IamError> {
        let identity = json!({"methods": ["assume_role"], "assume_role": assume_role(agency, naming, None)});
        self.token(identity, scope, true)
    }

    fn token(&self, identity: Value, scope: &Scope, is_repeatable: bool) -> Result<Token, IamError> {
        let auth = with_scope(Map::from_iter([("identity".to_owned(), identity)]), scope);
        let auth = SecretJson::new(auth);
        let body = |_| Value::clone(&auth);
        let mut call = self.post("/v3/auth/tokens", is_repeatable);
        call.query = vec![("nocatalog".to_owned(), "true".to_owned())];
        call.body = Some(Body(&body));
        Ok(token_of(&self.api.call(&call)?)?)
    }

    /// A token of no scope for the user of an identity provider, whose id token this client's credentials are: by the older path, the one
    /// that is seen at work on Open Telekom Cloud.
    pub(crate) fn token_by_federation(&self, provider: &str) -> Result<Token, IamError> {
        let provider = percent_encode(provider);
        let path = format!("/v3/OS-FEDERATION/identity_providers/{provider}/protocols/oidc/auth");
        Ok(token_of(&self.api.call(&self.post(&path, true))?)?)
    }

    /// A token for the user of an identity provider, in exchange for an id token.
    pub(crate) fn token_by_id_token(
        &self,
        provider: &str,
        id_token: &Secret<String>,
        scope: &Scope,
    ) -> Result<Token, IamError> {
        // Into the body that proves who we are, to an endpoint that the identity trusts.
        let id_token = json!({"id": id_token.expose()});
        let auth = with_scope(Map::from_iter([("id_token".to_owned(), id_token)]), scope);
        let auth = SecretJson::new(auth);
        let body = |_| Value::clone(&auth);
        let mut call = self.post("/v3.0/OS-AUTH/id-token/tokens", true);
        call.identity_provider = Some(provider);
        call.body = Some(Body(&body));
        Ok(token_of(&self.api.call(&call)?)?)
    }

    /// A temporary access key for a token.
    pub(crate) fn access_key_by_token(&self, token: &Secret<String>) -> Result<TemporaryAccessKey, IamError> {
        // Back to the IAM that issued it.
        let token = json!({"id": token.expose(), "duration_seconds": KEY_SECONDS});
        self.access_key(&SecretJson::new(json!({"methods": ["token"], "token": token})))
    }

    /// A temporary access key of an agency, for the credentials of this client.
    pub(crate) fn access_key_of_agency(
        &self,
        agency: &Agency,
        naming: AgencyNaming,
    ) -> Result<TemporaryAccessKey, IamError> {
        let seconds = agency.seconds.unwrap_or(KEY_SECONDS);
        let assume_role = assume_role(agency, naming, Some(seconds));
        self.access_key(&SecretJson::new(
            json!({"methods": ["assume_role"], "assume_role": assume_role}),
        ))
    }

    fn access_key(&self, identity: &SecretJson) -> Result<TemporaryAccessKey, IamError> {
        let auth = json!({"auth": {"identity": **identity}});
        let auth = SecretJson::new(auth);
        let body = |_| Value::clone(&auth);
        let mut call = self.post("/v3.0/OS-CREDENTIAL/securitytokens", true);
        call.body = Some(Body(&body));
        let answer = self.api.call(&call)?;
        let key = TemporaryAccessKey::from_json(&answer.json);
        Ok(key.ok_or_else(|| incomplete("a whole temporary access key"))?)
    }

    fn post(&self, path: &str, is_repeatable: bool) -> Call<'_> {
        Call {
            service: "IAM",
            endpoint: self.endpoint,
            method: "POST",
            path: path.to_owned(),
            query: Vec::new(),
            body: None,
            project: None,
            identity_provider: None,
            permission: "iam:tokens:assume",
            is_repeatable,
        }
    }
}

fn assume_role(agency: &Agency, naming: AgencyNaming, seconds: Option<u32>) -> Value {
    let account = match &agency.account {
        Account::Name(name) => ("domain_name", json!(name)),
        Account::Id(id) => ("domain_id", json!(id)),
    };
    let older_name = (naming == AgencyNaming::Otc).then(|| ("xrole_name", json!(agency.name)));
    let seconds = seconds.map(|seconds| ("duration_seconds", json!(seconds)));
    [account, ("agency_name", json!(agency.name))]
        .into_iter()
        .chain(older_name)
        .chain(seconds)
        .collect()
}

fn with_scope(mut auth: Map<String, Value>, scope: &Scope) -> Value {
    if let Scope::Project(id) = scope {
        auth.insert("scope".to_owned(), json!({"project": {"id": id.as_str()}}));
    }
    json!({ "auth": auth })
}

fn token_of(answer: &Answer) -> Result<Token, ApiError> {
    // From the answer into the token's own `Secret`.
    let text = answer.subject_token.as_ref().map(|token| token.expose().as_str());
    Token::from_answer(text, &answer.json).ok_or_else(|| incomplete("a whole token (`X-Subject-Token`, end, user)"))
}

fn incomplete(what: &str) -> ApiError {
    ApiError::Incomplete {
        service: "IAM",
        what: what.to_owned(),
    }
}
