//! Who there is in the cloud, as a test describes it: users, agencies, identity providers, and the id tokens of the latter.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A user to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub struct UserSpec {
    /// Unique in its account.
    pub name: String,
    /// The account's name or id.
    pub account: String,
    /// Without one no token is to be had by password.
    pub password: Option<String>,
    /// Base32; with one every password needs a passcode too.
    pub totp_secret: Option<String>,
    /// Names (of the account's own) or ids of the projects open to the user.
    pub projects: Vec<String>,
    /// May revoke others and see other users.
    pub is_administrator: bool,
    /// May use CCE at all.
    pub may_use_cce: bool,
    /// Has the role `Agent Operator`.
    pub may_assume_agencies: bool,
    /// A disabled user gets in nowhere.
    pub is_enabled: bool,
}

impl Default for UserSpec {
    fn default() -> Self {
        Self {
            name: "dave".to_owned(),
            account: "example-account".to_owned(),
            password: None,
            totp_secret: None,
            projects: vec!["cn-north-4".to_owned()],
            is_administrator: false,
            may_use_cce: true,
            may_assume_agencies: true,
            is_enabled: true,
        }
    }
}

impl UserSpec {
    /// The default user under another name.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }
}

/// Who may assume an agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Users of this account (name or id) with the role `Agent Operator`.
    Account(String),
    /// Who shows an id token of this identity provider, to STS.
    Provider(String),
    /// A service of the cloud: `ecs` (the metadata service hands out its keys) or `cce` (pods get them).
    Service(String),
}

/// An agency to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgencySpec {
    /// Unique in its account.
    pub name: String,
    /// The delegating account's name or id: where the projects are.
    pub account: String,
    /// Who may assume it.
    pub trust: Trust,
    /// Names (of the delegating account's own) or ids of the projects open to it.
    pub projects: Vec<String>,
    /// The organizations of its certificates; at most two.
    pub groups: Vec<String>,
    /// May use CCE at all.
    pub may_use_cce: bool,
    /// Nobody may assume it, for now.
    pub is_refused: bool,
}

impl Default for AgencySpec {
    fn default() -> Self {
        Self {
            name: "operators".to_owned(),
            account: "other-account".to_owned(),
            trust: Trust::Account("example-account".to_owned()),
            projects: vec!["cn-north-4".to_owned()],
            groups: Vec::new(),
            may_use_cce: true,
            is_refused: false,
        }
    }
}

impl AgencySpec {
    /// The default agency under another name.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// An agency of the first account for one of its identity providers.
    pub fn for_provider(name: &str, provider: &str) -> Self {
        Self {
            account: "example-account".to_owned(),
            trust: Trust::Provider(provider.to_owned()),
            ..Self::named(name)
        }
    }

    /// An agency of the first account for a service of the cloud.
    pub fn for_service(name: &str, service: &str) -> Self {
        Self {
            account: "example-account".to_owned(),
            trust: Trust::Service(service.to_owned()),
            ..Self::named(name)
        }
    }
}

/// An identity provider (`OpenID` Connect) that IAM knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderSpec {
    /// `X-Idp-Id`, and the last part of the provider's URN.
    pub name: String,
    /// The account's name or id.
    pub account: String,
    /// `iss` of its id tokens.
    pub issuer: String,
    /// IAM takes id tokens for one of these.
    pub audiences: Vec<String>,
    /// The user groups that its users are mapped to: the organizations of their certificates; at most two.
    pub groups: Vec<String>,
    /// The keys (JWKS) that an administrator has pasted, as IAM keeps them; without them those of the simulated issuers.
    pub signing_key: Option<String>,
    /// Names (of the account's own) or ids of the projects open to its users.
    pub projects: Vec<String>,
}

/// `iss` of the id tokens of GitHub Actions.
pub(crate) const ACTIONS_ISSUER: &str = "https://token.actions.githubusercontent.com";

impl Default for ProviderSpec {
    fn default() -> Self {
        Self {
            name: "my-idp".to_owned(),
            account: "example-account".to_owned(),
            issuer: "https://idp.example".to_owned(),
            audiences: vec!["cce-login".to_owned()],
            groups: vec!["federated".to_owned()],
            signing_key: None,
            projects: vec!["cn-north-4".to_owned()],
        }
    }
}

impl ProviderSpec {
    /// GitHub Actions, trusted for this audience.
    pub fn github_actions(name: &str, audience: &str) -> Self {
        Self {
            name: name.to_owned(),
            issuer: ACTIONS_ISSUER.to_owned(),
            audiences: vec![audience.to_owned()],
            ..Self::default()
        }
    }
}

/// An id token to be: a JWT, signed with RS256.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdTokenSpec {
    /// `iss`
    pub issuer: String,
    /// `sub`
    pub subject: String,
    /// `aud`
    pub audience: String,
    /// From `iat` (the cloud's now) to `exp`; whole seconds.
    #[serde(with = "crate::behaviour::whole_seconds")]
    pub lifetime: Duration,
    /// Added to `iat` and `exp`: `-7200` makes a token that has expired.
    pub offset: i64,
    /// Signed with a key that is not the issuer's.
    pub is_forged: bool,
}

impl Default for IdTokenSpec {
    fn default() -> Self {
        Self {
            issuer: "https://idp.example".to_owned(),
            subject: "jane@example.com".to_owned(),
            audience: "cce-login".to_owned(),
            lifetime: Duration::from_secs(3600),
            offset: 0,
            is_forged: false,
        }
    }
}
