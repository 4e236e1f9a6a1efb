//! Signing in: from the means that a source has to what requests are authenticated with.
//!
//! Two steps. [`Identity::sign_in`] proves who we are; `exchange` makes of that what is wanted: the agency's, for one project, as
//! a token or as a temporary access key. Between the two a token may be kept, so that a passcode is typed once.

use crate::error::{Error, Result};
use crate::http::Http;
use crate::huaweicloud::api::{Api, ApiError};
use crate::huaweicloud::credentials::Credentials;
use crate::huaweicloud::iam::sts::StsClient;
use crate::huaweicloud::iam::token_answer::{TemporaryAccessKey, Token};
use crate::huaweicloud::iam::token_request::{AgencyNaming, Scope};
use crate::huaweicloud::iam::{IamClient, IamError};
use crate::identity::found::{AuthMethod, Passcode};
use crate::identity::id_token::IdTokenSource;
use crate::identity::local::{self, Local};
use crate::identity::secret_record::SecretRef;
use crate::identity::sign_on::ProviderSettings;
use crate::identity::{Addressee, Identity, IdentityError};
use crate::ids::{Endpoint, Region};
use crate::sanitize::sanitize;
use crate::secret::Secret;
use crate::session::Session;
use crate::sign_in::kept::{IssuedCredentials, TokenOwner};
use crate::sign_in::person::PersonsProof;
use crate::sign_in::{key_command, portal, provider};
use std::path::Path;

/// Open Telekom Cloud refuses id tokens of about this many characters, seen where people are in many groups.
const LONGEST_USUAL_ID_TOKEN: usize = 2300;

/// In which form it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CredentialForm {
    /// A token, or an access key where there is one.
    Any,
    /// An access key: for an endpoint that must not see a token.
    AccessKey,
}

/// What signing in needs of the run.
pub(crate) struct SignInContext<'a> {
    pub(crate) session: &'a Session<'a>,
    /// For the cloud.
    pub(crate) http: &'a Http,
    pub(crate) iam: &'a Endpoint,
    /// Where the target is.
    pub(crate) region: &'a Region,
    /// The roots in place of the system's.
    pub(crate) ca_file: Option<&'a Path>,
    /// How this cloud names agencies.
    pub(crate) naming: AgencyNaming,
    /// What a person has just given.
    pub(crate) proof: Option<&'a PersonsProof>,
}

impl SignInContext<'_> {
    fn api<'s>(&'s self, credentials: &'s Credentials) -> Api<'s> {
        self.session.api(self.http, credentials, self.session.deadline)
    }

    /// The passcode of a virtual MFA device, where there is one: the source's, or the one that a person has just typed.
    fn passcode(&self, passcode: &Passcode) -> Result<Option<Secret<String>>> {
        match (passcode, self.proof) {
            (Passcode::None, _) => Ok(None),
            (Passcode::Given(passcode), _) | (Passcode::Asked, Some(PersonsProof::Passcode(passcode))) => {
                Ok(Some(passcode.clone()))
            }
            (Passcode::Asked, _) => Err(IdentityError::SignInNeeded.into()),
        }
    }

    /// The id token of a person's sign-in at their company's provider: of the one just now, else by what is kept of an earlier one.
    fn id_token_of_person(&self, at: &ProviderSettings, client_secret: Option<&SecretRef>) -> Result<Secret<String>> {
        if let Some(PersonsProof::IdToken(token)) = self.proof {
            return Ok(token.clone());
        }
        let secrets = |place| self.session.secrets(place);
        let client_secret = client_secret.map(|held| held.read(&secrets)).transpose()?;
        provider::refreshed(self.session, at, client_secret.as_ref())
    }

    fn local(&self) -> Local<'_> {
        Local {
            env: &self.session.host.env,
            deadline: self.session.deadline,
        }
    }
}

impl Identity {
    /// Proves who we are and makes of that what is wanted. An agency is assumed with what is good for IAM; its token is for `scope`.
    pub(crate) fn sign_in(
        &self,
        context: &SignInContext<'_>,
        scope: &Scope,
        form: CredentialForm,
    ) -> Result<IssuedCredentials> {
        let scope_of_base = if self.has_agency() { &Scope::Account } else { scope };
        let base = self.authenticate(context, scope_of_base)?;
        self.exchange(context, base, scope_of_base, scope, form)
    }

    /// Proves who we are, the agency left out. A token is for `scope` where that can be said.
    fn authenticate(&self, context: &SignInContext<'_>, scope: &Scope) -> Result<IssuedCredentials> {
        self.check_iam(&Addressee {
            endpoint: context.iam,
            region: context.region,
            ca_file: context.ca_file,
        })?;
        let in_body = Credentials::InBody;
        let api = context.api(&in_body);
        let iam = IamClient {
            api: &api,
            endpoint: context.iam,
        };
        let secrets = |place| context.session.secrets(place);
        match &self.found.means {
            AuthMethod::AccessKey { .. } => {
                let key = self.found.means.access_key(&secrets)?;
                Ok(IssuedCredentials {
                    credentials: key.unwrap_or(Credentials::InBody),
                    expires_at: None,
                    owner: None,
                })
            }
            AuthMethod::Token(token) => self.given_token(context, token, scope),
            AuthMethod::Password {
                user,
                password,
                passcode,
            } => {
                let password = password.read(&secrets)?;
                let passcode = context.passcode(passcode)?;
                let token = iam.token_by_password(user, &password, passcode.as_ref(), scope);
                self.explained(token.map(Into::into))
            }
            AuthMethod::IdToken {
                provider,
                token: IdTokenSource::Person { at, client_secret },
            } => {
                let id_token = context.id_token_of_person(at, client_secret.as_ref())?;
                let token = exchange_id_token(context, &iam, provider, &id_token, scope);
                self.explained_id_token(token, &id_token)
            }
            AuthMethod::IdToken { provider, token } => {
                let id_token = token.fetch(&context.local())?;
                self.explained(iam.token_by_id_token(provider, &id_token, scope).map(Into::into))
            }
            AuthMethod::Sts {
                wanted,
                endpoint,
                token,
            } => {
                let endpoint = self.own_sts(endpoint.as_ref(), context.region)?;
                let id_token = token.fetch(&context.local())?;
                let sts = StsClient {
                    api: &api,
                    endpoint: &endpoint,
                };
                self.explained(sts.assume_with_oidc(wanted, &id_token).map(Into::into))
            }
            AuthMethod::Portal { at, given } => {
                let fresh = match context.proof {
                    Some(PersonsProof::Portal(fresh)) => Some(fresh),
                    _ => given.as_ref(),
                };
                let key = portal::key_of(context.session, self, at, fresh, given.is_some());
                Ok(key?.into())
            }
            AuthMethod::Command(command) => {
                let (credentials, expires_at) = key_command::access_key(context.session, command)?;
                Ok(IssuedCredentials {
                    credentials,
                    expires_at,
                    owner: None,
                })
            }
            AuthMethod::Pod { url, token_file } => Ok(local::pod_key(&context.local(), url, token_file)?.into()),
            AuthMethod::Metadata { url } => Ok(local::metadata_key(&context.local(), url)?.into()),
        }
    }

    /// A token that was given to us is made one for the scope. Where IAM does not do that, it may be for that scope already.
    fn given_token(
        &self,
        context: &SignInContext<'_>,
        token: &Secret<String>,
        scope: &Scope,
    ) -> Result<IssuedCredentials> {
        let as_it_is = IssuedCredentials {
            credentials: Credentials::Token(token.clone()),
            expires_at: None,
            owner: None,
        };
        match rescoped(context, token, scope) {
            Err(IamError::Api(ApiError::Refused(refusal))) if matches!(refusal.status, 400 | 403 | 404) => {
                context
                    .session
                    .log
                    .info(|| format!("{refusal}; the token is used as it is"));
                Ok(as_it_is)
            }
            rescoped => self.explained(rescoped),
        }
    }

    /// Makes of `base`, whose tokens are for `scope_of_base`, what is wanted.
    pub(crate) fn exchange(
        &self,
        context: &SignInContext<'_>,
        base: IssuedCredentials,
        scope_of_base: &Scope,
        scope: &Scope,
        form: CredentialForm,
    ) -> Result<IssuedCredentials> {
        let api = context.api(&base.credentials);
        let iam = IamClient {
            api: &api,
            endpoint: context.iam,
        };
        let issued = match (&base.credentials, &self.found.agency) {
            // A signature gets a key at once: nothing that only its bearer needs is on its way.
            (Credentials::AccessKey(_), Some(agency)) => {
                self.explained_agency(iam.access_key_of_agency(agency, context.naming).map(Into::into))?
            }
            (_, Some(agency)) => {
                self.explained_agency(iam.token_of_agency(agency, context.naming, scope).map(Into::into))?
            }
            (Credentials::Token(token), None) if scope != scope_of_base => {
                self.explained(rescoped(context, token, scope))?
            }
            (_, None) => base,
        };
        match (&issued.credentials, form) {
            (Credentials::Token(token), CredentialForm::AccessKey) => {
                let in_body = Credentials::InBody;
                let api = context.api(&in_body);
                let iam = IamClient {
                    api: &api,
                    endpoint: context.iam,
                };
                let key: IssuedCredentials = self.explained(iam.access_key_by_token(token).map(Into::into))?;
                Ok(IssuedCredentials {
                    owner: issued.owner.clone(),
                    ..key
                })
            }
            _ => Ok(issued),
        }
    }

    fn explained_id_token(
        &self,
        result: std::result::Result<IssuedCredentials, IamError>,
        id_token: &Secret<String>,
    ) -> Result<IssuedCredentials> {
        let is_large_refusal = matches!(&result, Err(error) if refusal(error) == Some(400));
        // Only its length is looked at.
        let length = id_token.expose().len();
        match self.explained(result) {
            Err(error) if is_large_refusal && length > LONGEST_USUAL_ID_TOKEN => Err(error.with_hint(format!(
                "the id token has {length} characters, which is more than Open Telekom Cloud takes: let the identity provider put fewer groups into it"
            ))),
            result => result,
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

/// A token for an id token: by the newer path, which can scope it, else by the older one.
fn exchange_id_token(
    context: &SignInContext<'_>,
    iam: &IamClient<'_>,
    provider: &str,
    id_token: &Secret<String>,
    scope: &Scope,
) -> std::result::Result<IssuedCredentials, IamError> {
    let refused = match iam.token_by_id_token(provider, id_token, scope) {
        Err(error) if refusal(&error) == Some(404) => error,
        token => return token.map(Into::into),
    };
    context.session.log.info(|| format!("{refused}: trying the older path"));
    let credentials = Credentials::IdToken(id_token.clone());
    let api = context.api(&credentials);
    let older = IamClient {
        api: &api,
        endpoint: context.iam,
    };
    match older.token_by_federation(provider) {
        Err(error) if refusal(&error) == Some(404) => Err(refused), // it was not the path
        Err(error) => Err(error),
        Ok(token) if *scope == Scope::Account => Ok(token.into()),
        Ok(token) => rescoped(context, &token.secret, scope),
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
    context: &SignInContext<'_>,
    token: &Secret<String>,
    scope: &Scope,
) -> std::result::Result<IssuedCredentials, IamError> {
    let in_body = Credentials::InBody;
    let api = context.api(&in_body);
    let iam = IamClient {
        api: &api,
        endpoint: context.iam,
    };
    Ok(iam.rescoped_token(token, scope)?.into())
}

impl From<Token> for IssuedCredentials {
    fn from(token: Token) -> Self {
        Self {
            credentials: Credentials::Token(token.secret.clone()),
            expires_at: Some(token.expires_at),
            owner: Some(TokenOwner {
                user_id: sanitize(&token.user_id),
                user: sanitize(&token.user_name),
                account_id: sanitize(&token.account_id),
                account: sanitize(&token.account),
                groups: token
                    .groups
                    .map(|groups| groups.iter().map(|group| sanitize(group)).collect()),
            }),
        }
    }
}

impl From<TemporaryAccessKey> for IssuedCredentials {
    fn from(key: TemporaryAccessKey) -> Self {
        Self {
            credentials: Credentials::AccessKey(key.key),
            expires_at: Some(key.expires_at),
            owner: None,
        }
    }
}
