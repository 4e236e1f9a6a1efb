//! Id tokens of an identity provider: where they come from, and whom they are about.

use crate::config::Profile;
use crate::env_vars;
use crate::error::{Error, Result};
use crate::host::{Deadline, Env};
use crate::identity::IdentityError;
use crate::identity::found::{AuthMethod, FoundIdentity};
use crate::identity::local::{self, Local};
use crate::identity::reading::malformed_source;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::path::PathBuf;

const SOURCE: &str = "oidc";

/// Where an id token comes from.
#[derive(Debug, Clone)]
pub(crate) enum IdTokenSource {
    /// It is at hand.
    Text(Secret<String>),
    /// A file, which somebody keeps fresh.
    File(PathBuf),
    /// The job's own service of GitHub Actions.
    Actions {
        /// Its URL, a query included.
        url: String,
        /// The bearer token for it.
        token: Secret<String>,
        /// What tells this job from others offline.
        job: String,
    },
}

/// The id token service of a job of GitHub Actions.
#[derive(Debug, Clone)]
pub struct ActionsService {
    url: String,
    token: Secret<String>,
}

impl ActionsService {
    /// The job's, where it has one.
    pub fn of(env: &Env) -> Option<Self> {
        Some(Self {
            url: env.var(env_vars::ACTIONS_ID_TOKEN_REQUEST_URL)?,
            token: Secret::new(env.var(env_vars::ACTIONS_ID_TOKEN_REQUEST_TOKEN)?),
        })
    }

    /// A token that is good for this audience only, which is made of the signs of a URL.
    pub fn id_token(&self, env: &Env, audience: &str, deadline: Deadline) -> Result<Secret<String>> {
        let url = format!("{}&audience={audience}", self.url);
        local::actions_id_token(&Local { env, deadline }, &url, &self.token)
    }
}

impl IdTokenSource {
    /// The service of GitHub Actions, where a job has one.
    pub(crate) fn of_actions(env: &Env) -> Option<Self> {
        let job = env_vars::ACTIONS_SUBJECT.map(|name| env.var(name).unwrap_or_default());
        Some(Self::Actions {
            url: env.var(env_vars::ACTIONS_ID_TOKEN_REQUEST_URL)?,
            token: Secret::new(env.var(env_vars::ACTIONS_ID_TOKEN_REQUEST_TOKEN)?),
            job: job.join("|"),
        })
    }

    /// Whom the token is about, as far as that is known offline: its `sub`, unverified.
    pub(crate) fn subject(&self) -> String {
        match self {
            Self::Text(_) => self.claim("sub").unwrap_or_default(),
            Self::File(path) => match std::fs::read_to_string(path) {
                Ok(_) => self.claim("sub").unwrap_or_default(),
                Err(_) => path.display().to_string(),
            },
            Self::Actions { job, .. } => job.clone(),
        }
    }

    /// What the token at hand says, unverified.
    pub(crate) fn claim(&self, name: &str) -> Option<String> {
        let token = match self {
            Self::Text(token) => token.clone(),
            Self::File(path) => Secret::new(std::fs::read_to_string(path).ok()?),
            Self::Actions { .. } => return None,
        };
        // Only this claim leaves here: a name.
        let claims = token.expose().trim().split('.').nth(1)?;
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        let claim = claims.get(name)?.as_str()?;
        (!claim.is_empty()).then(|| claim.to_owned())
    }

    /// The token.
    pub(crate) fn fetch(&self, local: &Local<'_>) -> Result<Secret<String>> {
        match self {
            Self::Text(token) => Ok(token.clone()),
            Self::File(path) => {
                let problem = |problem: String| {
                    let cure = "check who writes the file: it must hold one id token";
                    Error::from(malformed_source(SOURCE, problem, cure))
                };
                let text = std::fs::read_to_string(path);
                let text = text.map_err(|error| problem(format!("cannot read `{}`: {error}", path.display())))?;
                let token = Secret::new(text.trim().to_owned());
                // Only its shape is looked at.
                if !is_token_like(token.expose()) {
                    return Err(problem(format!("`{}` does not hold an id token", path.display())));
                }
                Ok(token)
            }
            Self::Actions { url, token, .. } => local::actions_id_token(local, url, token),
        }
    }
}

/// One word that can stand in a header or a body.
fn is_token_like(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic())
}

/// What is found with an identity provider that IAM knows by name.
pub(crate) fn provider_found(provider: String, token: IdTokenSource, settings: Profile, origin: &str) -> FoundIdentity {
    let shown = crate::sanitize::sanitize(&provider);
    FoundIdentity {
        fingerprint: format!("idp:{provider}|{}", token.subject()),
        described: format!("an id token of `{shown}` from {origin}"),
        cure: format!("the id token must be of `{shown}`, for an audience that IAM takes, and not expired"),
        means: AuthMethod::IdToken { provider, token },
        agency: None,
        settings,
    }
}

/// The token that goes with a provider by name: `HUAWEICLOUD_SDK_ID_TOKEN_FILE`, else the service of GitHub Actions.
pub(crate) fn of_environment(env: &Env) -> Option<IdTokenSource> {
    let file = env.var_os(env_vars::SDK_ID_TOKEN_FILE).map(PathBuf::from);
    file.map(IdTokenSource::File).or_else(|| IdTokenSource::of_actions(env))
}

/// `settings` of what the environment says of the SDKs' endpoints.
pub(crate) fn settings_of_environment(env: &Env) -> std::result::Result<Profile, IdentityError> {
    let name = env_vars::SDK_IAM_ENDPOINT;
    let endpoint = env
        .var(name)
        .map(|url| crate::identity::reading::auth_url(SOURCE, name, &url))
        .transpose()?;
    Ok(Profile {
        iam_endpoint: endpoint.map(|endpoint| endpoint.to_string()),
        origin: Some("the environment".to_owned()),
        ..Profile::default()
    })
}
