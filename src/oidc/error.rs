//! Why a provider gave no id token, what that means for the run, and what to do about it.

use crate::error::{Exit, Explain};
use crate::http::HttpError;

/// Why there is no id token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OidcError {
    /// No answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The provider is there and has trouble.
    #[error("the identity provider answered {status}")]
    Busy {
        /// The HTTP status.
        status: u16,
    },
    /// What is found at the issuer's address cannot be used.
    #[error("cannot use the identity provider `{issuer}`: {problem}")]
    Unusable {
        /// As it was configured.
        issuer: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The provider says no, in its own words.
    #[error("the identity provider refused {what}: {error}{}", if description.is_empty() { String::new() } else { format!(" ({description})") })]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// `invalid_grant`, `invalid_client`, …
        error: String,
        /// In its words.
        description: String,
    },
    /// The person at the browser says no, or may not.
    #[error("the sign-in was refused in the browser{}", if .0.is_empty() { String::new() } else { format!(": {}", .0) })]
    Denied(String),
    /// An answer without what it is there for.
    #[error("the identity provider answered without {0}")]
    Incomplete(&'static str),
    /// The id token is not what we asked for.
    #[error("the id token {0}")]
    IdToken(String),
    /// The id token had ended when it came.
    #[error("the id token has ended already")]
    IdTokenExpired,
    /// The redirect came from somebody else.
    #[error("the answer in the browser is not from `{0}`")]
    OtherIssuer(String),
    /// The provider does not send browsers there.
    #[error(
        "the identity provider does not let your browser come back to `{0}`: that address is not registered for this client"
    )]
    NotRegistered(String),
    /// Nobody finished in the browser.
    #[error("nobody signed in within {0} minutes")]
    NobodyCame(u64),
    /// Nobody typed the code elsewhere.
    #[error("nobody approved the code within {0} minutes")]
    NobodyApproved(i64),
    /// The address to return to is taken.
    #[error("cannot listen on `{address}`, where the browser is to come back to")]
    CannotListen {
        /// `127.0.0.1:8765`.
        address: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The system gives no random numbers.
    #[error("this system gives no random numbers")]
    NoRandomness,
    /// There is no device flow.
    #[error("the identity provider `{0}` has no device flow")]
    NoDeviceFlow(String),
}

impl OidcError {
    /// What was shown will never be taken again: it is to be forgotten. Anything else may pass.
    pub(crate) fn is_definite_no(&self) -> bool {
        matches!(self, Self::Refused { error, .. } if error == "invalid_grant")
    }

    /// Refresh tokens for later are refused to this person or client (Keycloak's words), and nothing else is.
    pub(crate) fn is_about_offline_access(&self) -> bool {
        matches!(self, Self::Refused { description, .. } if description.to_ascii_lowercase().contains("offline"))
    }
}

impl Explain for OidcError {
    fn exit(&self) -> Exit {
        match self {
            Self::Http(error) => error.exit(),
            Self::Busy { .. } => Exit::Temporary,
            Self::Refused { error, .. } if is_passing(error) => Exit::Temporary,
            Self::CannotListen { .. } | Self::NoRandomness => Exit::Failed,
            _ => Exit::Identity,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Http(error) => return error.hint(),
            Self::Busy { .. } => "try again in a moment; nothing is forgotten".to_owned(),
            Self::Unusable { .. } => "check `issuer` of the profile: it is what the provider calls itself, to the letter".to_owned(),
            Self::Refused { error, description, .. } => refusal_hint(error, description),
            Self::Denied(_) => "sign in with another account, or ask the identity provider's administrator to let you use this client".to_owned(),
            Self::IdTokenExpired => "set this machine's clock right: it differs from the identity provider's".to_owned(),
            Self::IdToken(_) | Self::OtherIssuer(_) => {
                "nothing was sent on: try again, and if it stays so, tell the identity provider's administrator".to_owned()
            }
            Self::Incomplete(_) => "the client must be allowed the code flow and the scope `openid` at the identity provider".to_owned(),
            Self::NotRegistered(_) => REGISTER.to_owned(),
            Self::NobodyCame(_) => {
                "run it again, and finish in the browser. If it said that the redirect address is not registered, register `http://127.0.0.1` with any port for the client; `--sign-in device` signs in with the browser of another machine".to_owned()
            }
            Self::NobodyApproved(_) => "run it again, and approve the new code in time".to_owned(),
            Self::CannotListen { .. } => {
                "another program has the port: end it, or register another address and give it with `--redirect-url`".to_owned()
            }
            Self::NoRandomness => "try again".to_owned(),
            Self::NoDeviceFlow(_) => {
                "leave `--sign-in device` out: without a browser here, the address at which one elsewhere ends can be pasted".to_owned()
            }
        })
    }
}

/// How an address becomes one to return to.
const REGISTER: &str = "register `http://127.0.0.1` with any port as redirect address of the client (Entra: `http://localhost`, with `--redirect-url http://localhost`), or a fixed one and give it with `--redirect-url`";

/// Errors of RFC 6749 that are over by themselves.
fn is_passing(error: &str) -> bool {
    matches!(error, "temporarily_unavailable" | "server_error" | "slow_down")
}

fn refusal_hint(error: &str, description: &str) -> String {
    // Entra's number for a client that is registered for pages only.
    if description.contains("AADSTS9002327") {
        return "register the client at Entra as \"mobile and desktop\" application: it is registered as a single-page app".to_owned();
    }
    let is_about_redirect = description.to_ascii_lowercase().contains("redirect");
    match error {
        _ if is_passing(error) => "try again in a moment; nothing is forgotten".to_owned(),
        _ if is_about_redirect => REGISTER.to_owned(),
        "invalid_client" | "unauthorized_client" => {
            "check the client's id; a client with a secret needs it with `--secret-stdin`, one without must be registered as public".to_owned()
        }
        "invalid_grant" => "sign in again: `kubectl cce-login refresh`".to_owned(),
        "invalid_scope" => "give the scopes that the client may ask for with `--scope`".to_owned(),
        "access_denied" => "sign in with another account, or ask the identity provider's administrator to let you use this client".to_owned(),
        _ => "check how the client is registered at the identity provider: code flow, PKCE, a public client".to_owned(),
    }
}
