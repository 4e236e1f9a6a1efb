//! Signing in: from the means that a source has to what requests are authenticated with.
//!
//! Two steps. [`Identity::base`] proves who we are; [`Identity::refine`] makes of that what is wanted: the agency's, for one project, as
//! a token or as a temporary access key. Between the two a token may be kept, so that a passcode is typed once.

use crate::error::{Error, Result};
use crate::host::{Clock, Deadline, Directories, Env};
use crate::http::Http;
use crate::huaweicloud::api::{Api, ApiError};
use crate::huaweicloud::credentials::Credentials;
use crate::huaweicloud::iam::sts::StsClient;
use crate::huaweicloud::iam::token_answer::{TemporaryAccessKey, Token};
use crate::huaweicloud::iam::token_request::{AgencyNaming, Scope};
use crate::huaweicloud::iam::{IamClient, IamError};
use crate::huaweicloud::observed::Endpoints;
use crate::identity::found::{AuthMethod, Passcode};
use crate::identity::local::{self, Local};
use crate::identity::{Identity, IdentityError};
use crate::ids::{Endpoint, Region};
use crate::log::Log;
use crate::secret::Secret;
use crate::store::LayeredStore;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// In which form it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialForm {
    /// A token, or an access key where there is one.
    Any,
    /// An access key: for an endpoint that must not see a token.
    AccessKey,
}

/// What requests are authenticated with, and until when.
#[derive(Debug, Clone)]
pub struct IssuedCredentials {
    /// A token, or a temporary access key.
    pub credentials: Credentials,
    /// The end, by IAM's clock; `None` where it is not known.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whose it is, as far as IAM said.
    pub who: Option<TokenOwner>,
}

/// Whose a token is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenOwner {
    /// The user's or agency's id.
    pub user_id: String,
    /// The user's name.
    pub user: String,
    /// The account's id.
    pub account_id: String,
    /// The account's name.
    pub account: String,
}

/// What signing in needs of the world.
pub struct SignInContext<'a> {
    /// For the cloud.
    pub http: &'a Http,
    /// For the proxies of what is not the cloud.
    pub env: &'a Env,
    /// Where what is learnt of endpoints is kept.
    pub directories: &'a Directories,
    /// The clock.
    pub clock: &'a Clock,
    /// The log.
    pub log: &'a Log<'a>,
    /// By when all must be over.
    pub deadline: Deadline,
    /// IAM.
    pub iam: &'a Endpoint,
    /// Where the target is.
    pub region: &'a Region,
    /// How this cloud names agencies.
    pub naming: AgencyNaming,
    /// Opens the store of a profile's secret.
    pub secrets: &'a dyn Fn(Option<&str>) -> LayeredStore,
    /// Asks a person for the passcode of whoever is named.
    pub ask_passcode: &'a dyn Fn(&str) -> std::result::Result<Secret<String>, IdentityError>,
}

impl SignInContext<'_> {
    fn api<'s>(&'s self, credentials: &'s Credentials) -> Api<'s> {
        let endpoints = Endpoints::new(self.directories, self.clock);
        Api::new(self.http, credentials, endpoints, self.clock, self.log, self.deadline)
    }

    fn local(&self) -> Local<'_> {
        Local {
            env: self.env,
            deadline: self.deadline,
        }
    }
}

impl Identity {
    /// Proves who we are, the agency left out. A token is for `scope` where that can be said.
    pub fn base(&self, desk: &SignInContext<'_>, scope: &Scope) -> Result<IssuedCredentials> {
        self.check_iam(desk.iam, desk.region)?;
        let in_body = Credentials::InBody;
        let api = desk.api(&in_body);
        let iam = IamClient {
            api: &api,
            endpoint: desk.iam,
        };
        match &self.found.means {
            AuthMethod::AccessKey { .. } => {
                let key = self.found.means.access_key(desk.secrets)?;
                Ok(IssuedCredentials {
                    credentials: key.unwrap_or(Credentials::InBody),
                    expires_at: None,
                    who: None,
                })
            }
            AuthMethod::Token(token) => self.given_token(desk, token, scope),
            AuthMethod::Password {
                user,
                password,
                passcode,
            } => {
                let password = password.read(desk.secrets)?;
                let passcode = match passcode {
                    Passcode::None => None,
                    Passcode::Given(passcode) => Some(passcode.clone()),
                    Passcode::Asked => Some((desk.ask_passcode)(&self.describe())?),
                };
                let token = iam.token_by_password(user, &password, passcode.as_ref(), scope);
                self.explained(token.map(Into::into))
            }
            AuthMethod::IdToken { provider, token } => {
                let id_token = token.fetch(&desk.local())?;
                self.explained(iam.token_by_id_token(provider, &id_token, scope).map(Into::into))
            }
            AuthMethod::Sts {
                wanted,
                endpoint,
                token,
            } => {
                let id_token = token.fetch(&desk.local())?;
                let endpoint = endpoint
                    .clone()
                    .unwrap_or_else(|| self.own_cloud(desk.region).sts(desk.region));
                let sts = StsClient {
                    api: &api,
                    endpoint: &endpoint,
                };
                self.explained(sts.assume_with_oidc(wanted, &id_token).map(Into::into))
            }
            AuthMethod::Pod { url, token_file } => Ok(local::pod_key(&desk.local(), url, token_file)?.into()),
            AuthMethod::Metadata { url } => Ok(local::metadata_key(&desk.local(), url)?.into()),
        }
    }

    /// A token that was given to us is made one for the scope. Where IAM does not do that, it may be for that scope already.
    fn given_token(
        &self,
        desk: &SignInContext<'_>,
        token: &Secret<String>,
        scope: &Scope,
    ) -> Result<IssuedCredentials> {
        let as_it_is = IssuedCredentials {
            credentials: Credentials::Token(token.clone()),
            expires_at: None,
            who: None,
        };
        match rescoped(desk, token, scope) {
            Err(IamError::Api(ApiError::Refused(refusal))) if matches!(refusal.status, 400 | 403 | 404) => {
                desk.log.info(|| format!("{refusal}; the token is used as it is"));
                Ok(as_it_is)
            }
            rescoped => self.explained(rescoped),
        }
    }

    /// Makes of `base`, whose tokens are for `scope_of_base`, what is wanted.
    pub fn refine(
        &self,
        desk: &SignInContext<'_>,
        base: IssuedCredentials,
        scope_of_base: &Scope,
        scope: &Scope,
        form: CredentialForm,
    ) -> Result<IssuedCredentials> {
        let api = desk.api(&base.credentials);
        let iam = IamClient {
            api: &api,
            endpoint: desk.iam,
        };
        let issued = match (&base.credentials, &self.found.agency) {
            // A signature gets a key at once: nothing that only its bearer needs is on its way.
            (Credentials::AccessKey(_), Some(agency)) => {
                self.explained_agency(iam.access_key_of_agency(agency, desk.naming).map(Into::into))?
            }
            (_, Some(agency)) => {
                self.explained_agency(iam.token_of_agency(agency, desk.naming, scope).map(Into::into))?
            }
            (Credentials::Token(token), None) if scope != scope_of_base => {
                self.explained(rescoped(desk, token, scope))?
            }
            (_, None) => base,
        };
        match (&issued.credentials, form) {
            (Credentials::Token(token), CredentialForm::AccessKey) => {
                let in_body = Credentials::InBody;
                let api = desk.api(&in_body);
                let iam = IamClient {
                    api: &api,
                    endpoint: desk.iam,
                };
                let key: IssuedCredentials = self.explained(iam.access_key_by_token(token).map(Into::into))?;
                Ok(IssuedCredentials {
                    who: issued.who.clone(),
                    ..key
                })
            }
            _ => Ok(issued),
        }
    }

    fn explained(&self, result: std::result::Result<IssuedCredentials, IamError>) -> Result<IssuedCredentials> {
        let doing = || format!("failed to sign in with {}", self.describe());
        result.map_err(|error| match refusal(&error) {
            Some(401) => Error::from(error).doing(doing()).with_hint(self.cure_when_refused()),
            Some(404) => unknown(&error, self.cure_when_refused()).doing(doing()),
            _ => Error::from(error).doing(doing()),
        })
    }

    fn explained_agency(&self, result: std::result::Result<IssuedCredentials, IamError>) -> Result<IssuedCredentials> {
        const MUST_DELEGATE: &str = "the agency must delegate to your account, and you need the permission `Agent Operator` (`iam:agencies:assume`)";
        let doing = || format!("failed to assume {}", self.describe());
        result.map_err(|error| match refusal(&error) {
            Some(401) => Error::from(error).doing(doing()).with_hint(self.cure_when_refused()),
            Some(403) => Error::from(error).doing(doing()).with_hint(MUST_DELEGATE),
            Some(404) => unknown(
                &error,
                "check the agency's name and the account that delegates it".to_owned(),
            )
            .doing(doing()),
            _ => Error::from(error).doing(doing()),
        })
    }
}

/// The status of an answer that says no to who is asking, and not to a clock.
fn refusal(error: &IamError) -> Option<u16> {
    match error {
        IamError::Api(ApiError::Refused(refusal)) if refusal.clock_offset.is_none() => Some(refusal.status),
        _ => None,
    }
}

fn unknown(error: &IamError, cure: String) -> Error {
    let reason = error.to_string();
    IdentityError::Unknown { reason, cure }.into()
}

fn rescoped(
    desk: &SignInContext<'_>,
    token: &Secret<String>,
    scope: &Scope,
) -> std::result::Result<IssuedCredentials, IamError> {
    let in_body = Credentials::InBody;
    let api = desk.api(&in_body);
    let iam = IamClient {
        api: &api,
        endpoint: desk.iam,
    };
    Ok(iam.rescoped_token(token, scope)?.into())
}

impl From<Token> for IssuedCredentials {
    fn from(token: Token) -> Self {
        Self {
            credentials: Credentials::Token(token.secret.clone()),
            expires_at: Some(token.expires_at),
            who: Some(TokenOwner {
                user_id: crate::sanitize::sanitize(&token.user_id),
                user: crate::sanitize::sanitize(&token.user_name),
                account_id: crate::sanitize::sanitize(&token.account_id),
                account: crate::sanitize::sanitize(&token.account),
            }),
        }
    }
}

impl From<TemporaryAccessKey> for IssuedCredentials {
    fn from(key: TemporaryAccessKey) -> Self {
        Self {
            credentials: Credentials::AccessKey(key.key),
            expires_at: Some(key.expires_at),
            who: None,
        }
    }
}
