//! What a profile says of people who sign in with a browser: at the Identity Center, or at their company's identity provider. No secret.

use crate::ids::Endpoint;
use crate::oidc::RedirectUrl;
use crate::store::SecretPlace;
use crate::words::Word;
use std::path::PathBuf;

/// A portal of the Identity Center, and what its session is to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PortalSettings {
    /// The portal's address as people have it.
    pub(crate) start_url: String,
    /// Where clients register and poll: of the region where the Identity Center is.
    pub(crate) sign_in_endpoint: Endpoint,
    /// Where keys are given.
    pub(crate) portal_endpoint: Endpoint,
    /// The account, and the agency that the permission set is there; `None` while a person has still to choose.
    pub(crate) role: Option<PortalRole>,
    /// The roots of both, where they are not the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// The proxy towards both, in place of the environment's.
    pub(crate) proxy: Option<String>,
    /// Opens the browser, in place of the system's opener.
    pub(crate) browser: Option<String>,
    /// Where what is kept of it is.
    pub(crate) secret_place: SecretPlace,
}

/// What a session is to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PortalRole {
    /// The account's id.
    pub(crate) account_id: String,
    /// `iam::ACCOUNT:agency:NAME`.
    pub(crate) agency_urn: String,
}

/// A client at a company's identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProviderSettings {
    /// `iss`, to the letter.
    pub(crate) issuer: String,
    /// The client whose id tokens IAM takes.
    pub(crate) client_id: String,
    /// The client has a secret, which is the profile's.
    pub(crate) has_client_secret: bool,
    /// What is asked for beside `openid`.
    pub(crate) scopes: Vec<String>,
    /// The address that is registered, where not any port will do.
    pub(crate) redirect_url: Option<RedirectUrl>,
    /// With which browser.
    pub(crate) method: BrowserChoice,
    /// What else goes into the address that the browser opens.
    pub(crate) extra: Vec<(String, String)>,
    /// The roots of the provider, where they are not the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// Opens the browser, in place of the system's opener.
    pub(crate) browser: Option<String>,
    /// Where what is kept of it is.
    pub(crate) secret_place: SecretPlace,
    /// Tells two people apart who share a machine and a provider.
    pub(crate) profile: String,
}

/// With which browser a person signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BrowserChoice {
    /// The one of this machine, if there is one; else that of another.
    Auto,
    /// The one of this machine.
    Here,
    /// That of another machine: a code is typed there.
    Elsewhere,
}

impl Word for BrowserChoice {
    const ALL: &'static [Self] = &[Self::Here, Self::Elsewhere, Self::Auto];

    fn as_str(self) -> &'static str {
        match self {
            Self::Here => "browser",
            Self::Elsewhere => "device",
            Self::Auto => "auto",
        }
    }
}

/// A program that prints an access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyCommand {
    /// The program and its arguments.
    pub(crate) words: Vec<String>,
}
