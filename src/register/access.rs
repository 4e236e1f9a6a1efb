//! The way into Vault: where it is, whom to trust there, and how we sign in. Never by a question.
//!
//! Address and roots come from where the secret comes from: the profile, or the environment. What a profile names as its secret never goes
//! to an address of the environment.

use crate::config::VaultProfile;
use crate::env_vars as names;
use crate::host::{Deadline, Env, Input};
use crate::http::Response;
use crate::identity::ActionsService;
use crate::ids::Endpoint;
use crate::register::RegisterError;
use crate::register::answers::{errors_of, json_of};
use crate::secret::{Secret, SecretJson};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What the engine is called in messages.
pub(super) const ENGINE: &str = "Vault";

/// Where Vault is, and how we sign in there.
#[derive(Debug, Clone)]
pub struct VaultAccess {
    /// Its address.
    pub address: Endpoint,
    /// PEM roots in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// The namespace, where there are some.
    pub namespace: Option<String>,
    /// How we sign in.
    pub login: VaultLogin,
}

/// How we sign in at Vault.
#[derive(Debug, Clone)]
pub enum VaultLogin {
    /// With a token.
    Token(Secret<String>),
    /// With a token that an agent keeps fresh in a file.
    TokenFile(PathBuf),
    /// With a signed statement of who we are, of a CI system or of Kubernetes.
    Jwt {
        /// The auth method's mount.
        auth: String,
        /// The role there.
        role: String,
        /// The statement.
        token: IdToken,
    },
    /// With a role's id and secret, each in a file.
    AppRole {
        /// The auth method's mount.
        auth: String,
        /// The file of the role's id.
        role_id_file: PathBuf,
        /// The file of its secret.
        secret_id_file: PathBuf,
    },
}

/// Where the statement comes from.
#[derive(Debug, Clone)]
pub enum IdToken {
    /// It is at hand.
    Text(Secret<String>),
    /// A file, which somebody keeps fresh.
    File(PathBuf),
    /// The service of GitHub Actions, asked for this audience only.
    Actions {
        /// The service.
        service: ActionsService,
        /// Vault's audience.
        audience: String,
    },
}

/// Sends a sign-in to Vault.
pub(super) type Post<'p> = dyn Fn(&str, &SecretJson) -> Result<Response, RegisterError> + 'p;

impl VaultAccess {
    /// What the profile says, else the environment.
    pub fn find(env: &Env, profile: Option<&VaultProfile>) -> Result<Self, RegisterError> {
        match profile.filter(|profile| profile.address.is_some()) {
            Some(profile) => Self::of_profile(profile, env),
            None => Self::of_environment(env),
        }
    }

    fn of_profile(profile: &VaultProfile, env: &Env) -> Result<Self, RegisterError> {
        let own = RegisterSettings {
            token: None,
            token_file: profile.token_file.clone(),
            auth: profile.auth.clone(),
            role: profile.role.clone(),
            id_token: None,
            id_token_file: profile.id_token_file.clone(),
            audience: profile.audience.clone(),
            role_id_file: profile.role_id_file.clone(),
            secret_id_file: profile.secret_id_file.clone(),
        };
        // The address is the user's own, so a token of the environment may go there too.
        let login = own.login(env)?.or(RegisterSettings::of_environment(env).login(env)?);
        Ok(Self {
            address: address(profile.address.as_deref().unwrap_or_default())?,
            ca_file: profile.ca_file.clone().map(PathBuf::from),
            namespace: profile.namespace.clone(),
            login: login.ok_or(NO_LOGIN)?,
        })
    }

    fn of_environment(env: &Env) -> Result<Self, RegisterError> {
        let given = first(env, names::VAULT_ADDR).ok_or(RegisterError::NotConfigured {
            what: "VAULT_ADDR",
            cure: "set `VAULT_ADDR` to Vault's address, or `address` in the profile's `vault`",
        })?;
        Ok(Self {
            address: address(&given)?,
            ca_file: first(env, names::VAULT_CACERT).map(PathBuf::from),
            namespace: first(env, names::VAULT_NAMESPACE),
            login: RegisterSettings::of_environment(env).login(env)?.ok_or(NO_LOGIN)?,
        })
    }
}

const NO_LOGIN: RegisterError = RegisterError::NotConfigured {
    what: "a token for Vault, or a role to sign in with,",
    cure: "set `VAULT_TOKEN`, `CCE_LOGIN_VAULT_TOKEN_FILE`, or `CCE_LOGIN_VAULT_ROLE` with an id token; docs/ci.md shows each",
};

fn address(text: &str) -> Result<Endpoint, RegisterError> {
    Endpoint::parse(text).map_err(|_| RegisterError::NotConfigured {
        what: "a usable address of Vault",
        cure: "it looks like `https://vault.example.com:8200`; http is accepted for loopback addresses only",
    })
}

/// The first of these that is set.
fn first(env: &Env, list: &[&str]) -> Option<String> {
    list.iter().find_map(|name| env.var(name))
}

/// What is said of signing in.
struct RegisterSettings {
    token: Option<Secret<String>>,
    token_file: Option<String>,
    auth: Option<String>,
    role: Option<String>,
    id_token: Option<Secret<String>>,
    id_token_file: Option<String>,
    audience: Option<String>,
    role_id_file: Option<String>,
    secret_id_file: Option<String>,
}

impl RegisterSettings {
    fn of_environment(env: &Env) -> Self {
        Self {
            token: first(env, names::VAULT_TOKEN).map(Secret::new),
            token_file: env.var(names::VAULT_TOKEN_FILE),
            auth: env.var(names::VAULT_AUTH),
            role: env.var(names::VAULT_ROLE),
            id_token: env.var(names::VAULT_ID_TOKEN).map(Secret::new),
            id_token_file: env.var(names::VAULT_ID_TOKEN_FILE),
            audience: env.var(names::VAULT_AUDIENCE),
            role_id_file: env.var(names::VAULT_ROLE_ID_FILE),
            secret_id_file: env.var(names::VAULT_SECRET_ID_FILE),
        }
    }

    fn login(self, env: &Env) -> Result<Option<VaultLogin>, RegisterError> {
        if let Some(token) = self.token {
            return Ok(Some(VaultLogin::Token(token)));
        }
        if let Some(file) = self.token_file {
            return Ok(Some(VaultLogin::TokenFile(file.into())));
        }
        let auth = |usual: &str| mount(self.auth.as_deref().unwrap_or(usual));
        if let Some(role) = self.role {
            let text = self.id_token.map(IdToken::Text);
            let file = || self.id_token_file.map(|path| IdToken::File(path.into()));
            let audience = self.audience;
            let actions = || {
                Some(IdToken::Actions {
                    service: ActionsService::of(env)?,
                    audience: audience.filter(|text| is_audience(text))?,
                })
            };
            let token = text.or_else(file).or_else(actions).ok_or(RegisterError::NotConfigured {
                what: "an id token for Vault's role",
                cure: "set `CCE_LOGIN_VAULT_ID_TOKEN_FILE` or `VAULT_ID_TOKEN`; in a job of GitHub Actions `CCE_LOGIN_VAULT_AUDIENCE`",
            })?;
            return Ok(Some(VaultLogin::Jwt {
                auth: auth("jwt")?,
                role,
                token,
            }));
        }
        match (self.role_id_file, self.secret_id_file) {
            (Some(role_id), Some(secret_id)) => Ok(Some(VaultLogin::AppRole {
                auth: auth("approle")?,
                role_id_file: role_id.into(),
                secret_id_file: secret_id.into(),
            })),
            (None, None) => Ok(None),
            _ => Err(RegisterError::NotConfigured {
                what: "one of the files of Vault's AppRole",
                cure: "set `CCE_LOGIN_VAULT_ROLE_ID_FILE` and `CCE_LOGIN_VAULT_SECRET_ID_FILE`",
            }),
        }
    }
}

/// Of the signs that a URL's query takes as they are.
fn is_audience(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/@".contains(c);
    !text.is_empty() && text.chars().all(is_plain)
}

/// The mount of an auth method.
fn mount(text: &str) -> Result<String, RegisterError> {
    if text.split('/').all(crate::register::is_segment) {
        Ok(text.to_owned())
    } else {
        Err(RegisterError::NotConfigured {
            what: "a usable mount of Vault's auth method",
            cure: "it looks like `jwt`, `kubernetes` or `ci/github`",
        })
    }
}

impl VaultLogin {
    /// The token for what follows.
    pub(super) fn token(
        &self,
        env: &Env,
        deadline: Deadline,
        post: &Post<'_>,
    ) -> Result<Secret<String>, RegisterError> {
        match self {
            Self::Token(token) => Ok(token.clone()),
            Self::TokenFile(path) => read_word(path, env),
            Self::Jwt { auth, role, token } => {
                let jwt = token.fetch(env, deadline)?;
                // To Vault, whose audience it is for.
                let body = SecretJson::new(json!({"role": role, "jwt": jwt.expose()}));
                signed_in(&post(&format!("auth/{auth}/login"), &body)?)
            }
            Self::AppRole {
                auth,
                role_id_file,
                secret_id_file,
            } => {
                let (role_id, secret_id) = (read_word(role_id_file, env)?, read_word(secret_id_file, env)?);
                // To the Vault that is named in the same place as the files.
                let body = SecretJson::new(json!({"role_id": role_id.expose(), "secret_id": secret_id.expose()}));
                signed_in(&post(&format!("auth/{auth}/login"), &body)?)
            }
        }
    }
}

impl IdToken {
    fn fetch(&self, env: &Env, deadline: Deadline) -> Result<Secret<String>, RegisterError> {
        match self {
            Self::Text(token) => Ok(token.clone()),
            Self::File(path) => read_word(path, env),
            Self::Actions { service, audience } => {
                service
                    .id_token(env, audience, deadline)
                    .map_err(|error| RegisterError::Denied {
                        engine: "GitHub Actions",
                        doing: "sign in",
                        message: error.to_string(),
                    })
            }
        }
    }
}

fn signed_in(answer: &Response) -> Result<Secret<String>, RegisterError> {
    let json = json_of(answer);
    let token = json.pointer("/auth/client_token").and_then(Value::as_str);
    match (answer.status, token) {
        (200, Some(token)) => Ok(Secret::new(token.to_owned())),
        (400..=404, _) => Err(RegisterError::Denied {
            engine: ENGINE,
            doing: "sign in",
            message: errors_of(answer),
        }),
        (429 | 472 | 473 | 500.., _) => Err(RegisterError::Busy {
            engine: ENGINE,
            status: answer.status,
            message: errors_of(answer),
        }),
        _ => Err(RegisterError::Malformed { engine: ENGINE }),
    }
}

/// A file that holds one secret word.
fn read_word(path: &Path, env: &Env) -> Result<Secret<String>, RegisterError> {
    let unusable = |reason: String| RegisterError::File {
        path: path.to_owned(),
        reason,
    };
    let text = env.read_text(path, Input::Token);
    let text = text.map_err(|error| unusable(error.to_string()))?;
    // Only its shape is looked at.
    let word = text.expose().trim();
    if word.is_empty() || !word.chars().all(|c| c.is_ascii_graphic()) {
        return Err(unusable("it does not hold one word".to_owned()));
    }
    Ok(Secret::new(word.to_owned()))
}
