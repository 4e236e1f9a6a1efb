//! Id tokens of an identity provider: where they come from, and whom they are about.

use crate::config::Profile;
use crate::env_vars;
use crate::error::{Error, Result};
use crate::host::{Deadline, Env};
use crate::identity::IdentityError;
use crate::identity::fingerprint::Fingerprint;
use crate::identity::local::{self, Local};
use crate::identity::reading::{TokenFile, malformed_source, secret_variable};
use crate::identity::secret_record::SecretRef;
use crate::identity::sign_on::ProviderSettings;
use crate::ids::PrincipalId;
use crate::oidc::claim_text;
use crate::secret::{Secret, SecretShape};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

const SOURCE: &str = "oidc";

/// Where an id token comes from.
#[derive(Debug, Clone)]
pub(crate) enum IdTokenSource {
    /// It is at hand.
    Text(Secret<String>),
    /// A file, which somebody keeps fresh.
    File(TokenFile),
    /// The job's own service of GitHub Actions.
    Actions {
        /// Its URL, a query included.
        url: String,
        /// The bearer token for it.
        token: Secret<String>,
        /// The repository of the job, for people.
        repository: String,
    },
    /// A person signs in at their company's provider, or has and a refresh token is kept.
    Person {
        at: Box<ProviderSettings>,
        /// The client's, if it has one.
        client_secret: Option<SecretRef>,
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
    pub(crate) fn of(env: &Env) -> Option<Self> {
        Some(Self {
            url: env.var(env_vars::ACTIONS_ID_TOKEN_REQUEST_URL)?,
            token: Secret::new(env.var(env_vars::ACTIONS_ID_TOKEN_REQUEST_TOKEN)?),
        })
    }

    /// A token that is good for this audience only, which is made of the signs of a URL.
    pub(crate) fn id_token(&self, env: &Env, audience: &str, deadline: Deadline) -> Result<Secret<String>> {
        let url = format!("{}&audience={audience}", self.url);
        local::actions_id_token(&Local { env, deadline }, &url, &self.token)
    }
}

impl IdTokenSource {
    /// The service of GitHub Actions, where a job has one.
    pub(crate) fn of_actions(env: &Env) -> std::result::Result<Option<Self>, IdentityError> {
        let name = env_vars::ACTIONS_ID_TOKEN_REQUEST_TOKEN;
        let Some(url) = env.var(env_vars::ACTIONS_ID_TOKEN_REQUEST_URL) else {
            return Ok(None);
        };
        let token = secret_variable(SOURCE, env, name, SecretShape::Key)?;
        Ok(token.map(|token| Self::Actions {
            url,
            token,
            repository: env.var(env_vars::GITHUB_REPOSITORY).unwrap_or_default(),
        }))
    }

    /// Whom the token is about, as far as that is known offline.
    fn subject(&self) -> Subject {
        match self {
            Self::Text(token) => subject_of(token),
            Self::File(file) => file.read().map_or_else(
                |_| Subject::Unknown(Fingerprint::of("file", [file.path().display().to_string().as_str()])),
                |token| subject_of(&token),
            ),
            Self::Actions { token, repository, .. } => Subject::Job {
                repository: repository.clone(),
                token: Fingerprint::of_secret("job", token),
            },
            Self::Person { at, .. } => Subject::Unknown(Fingerprint::of("profile", [at.profile.as_str()])),
        }
    }

    /// The provider and whom its token is about, as one word: of a job its repository, of a person what `signed_in` tells of the last sign-in
    /// (`None` before the first one). A token that names nobody says no more than its provider.
    pub(crate) fn principal(
        &self,
        provider: &str,
        signed_in: &dyn Fn(&ProviderSettings) -> Option<String>,
    ) -> Option<String> {
        let subject = match (self, self.subject()) {
            (Self::Person { at, .. }, _) => signed_in(at)?,
            (_, Subject::Known { subject, .. }) => subject,
            (_, Subject::Job { repository, .. }) => format!("repo:{repository}"),
            (_, Subject::Unknown(_)) => String::new(),
        };
        let whole = format!("{}/{}", plain(provider), plain(&subject));
        if PrincipalId::parse(&whole).is_ok() {
            return Some(whole);
        }
        // Longer than an argument should be. `~` and two letters that are no digits: no subject in plain letters looks like it.
        let hash = crate::huaweicloud::signing::short_hash(subject.as_bytes());
        Some(format!("{}/~sha256:{hash}", plain(provider)))
    }

    /// What tells it from the id tokens of others: issuer and subject, unverified. Where they cannot be read it is another one each time.
    pub(crate) fn fingerprint(&self, kind: &str, parts: &[&str]) -> Fingerprint {
        match self.subject() {
            Subject::Known { issuer, subject } => {
                Fingerprint::of(kind, [parts, &["subject", issuer.as_str(), subject.as_str()]].concat())
            }
            // Jobs of one name in two workflows or environments have different subjects, which only the token tells: each has its own request token.
            Subject::Job { token, .. } => Fingerprint::of(kind, [parts, &["job", token.as_str()]].concat()),
            Subject::Unknown(token) => Fingerprint::of(kind, [parts, &["unknown", token.as_str()]].concat()),
        }
    }

    /// What the token at hand says, unverified.
    pub(crate) fn claim(&self, name: &str) -> Option<String> {
        let token = match self {
            Self::Text(token) => token.clone(),
            Self::File(file) => file.read().ok()?,
            Self::Actions { .. } | Self::Person { .. } => return None,
        };
        claim_of(&token, name)
    }

    /// The token.
    pub(crate) fn fetch(&self, local: &Local<'_>) -> Result<Secret<String>> {
        match self {
            Self::Text(token) => Ok(token.clone()),
            Self::File(file) => {
                let path = file.path().display();
                let problem = |problem: String| {
                    let cure = "check who writes the file: it must hold one id token";
                    Error::from(malformed_source(SOURCE, problem, cure))
                };
                let text = file
                    .read()
                    .map_err(|error| problem(format!("cannot read `{path}`: {error}")))?;
                // Only its shape is looked at.
                let token = SecretShape::Key.check(text.expose());
                token.map_err(|invalid| problem(format!("`{path}` does not hold an id token: {invalid}")))
            }
            Self::Actions { url, token, .. } => local::actions_id_token(local, url, token),
            Self::Person { .. } => Err(IdentityError::SignInNeeded.into()), // `sign_in` has it from the person
        }
    }
}

/// A text in the letters and signs that mean nothing to any shell; any other byte as `~` and two digits.
fn plain(text: &str) -> String {
    let shown = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-_.:@/".contains(&byte) => char::from(byte).to_string(),
        byte => format!("~{byte:02x}"),
    };
    text.bytes().map(shown).collect()
}

/// Whom an id token is about.
enum Subject {
    /// As it says itself.
    Known {
        /// `iss`.
        issuer: String,
        /// `sub`.
        subject: String,
    },
    /// A job, whose subject is known once it has its id token.
    Job {
        /// Its repository.
        repository: String,
        /// What its id token is asked for with.
        token: Fingerprint,
    },
    /// It does not say, or cannot be read.
    Unknown(Fingerprint),
}

fn subject_of(token: &Secret<String>) -> Subject {
    match claim_of(token, "sub") {
        Some(subject) => Subject::Known {
            issuer: claim_of(token, "iss").unwrap_or_default(),
            subject,
        },
        None => Subject::Unknown(Fingerprint::of_secret("token", token)),
    }
}

/// What a token says, unverified; a blank claim is none.
fn claim_of(token: &Secret<String>, name: &str) -> Option<String> {
    // Only this claim leaves here: a name.
    let claims = token.expose().trim().split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    claim_text(claims.get(name)?)
}

/// The token that goes with a provider by name: `HUAWEICLOUD_SDK_ID_TOKEN_FILE`, else the service of GitHub Actions.
pub(crate) fn of_environment(env: &Env) -> std::result::Result<Option<IdTokenSource>, IdentityError> {
    match env.var_os(env_vars::SDK_ID_TOKEN_FILE) {
        Some(path) => Ok(Some(IdTokenSource::File(TokenFile::of(path, env)))),
        None => IdTokenSource::of_actions(env),
    }
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
