//! What a source has found, offline: the means to prove who we are, and what the source says of region and endpoints.

use super::IdentityError;
use super::id_token::IdTokenSource;
use crate::config::Profile;
use crate::iam::sign_in::{Agency, User};
use crate::iam::sts::AssumeWithOidc;
use crate::ids::{AccessKeyId, Endpoint, ProfileName};
use crate::secret::Secret;
use std::path::{Path, PathBuf};

/// What a source has found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// How we prove who we are.
    pub(super) means: Means,
    /// Who we become then.
    pub(super) agency: Option<Agency>,
    /// Region, project, endpoints and roots, as far as the source names them.
    pub(super) settings: Profile,
    /// What tells this identity from any other, `agency` left out.
    pub(super) fingerprint: String,
    /// For messages: what and from where.
    pub(super) described: String,
    /// What to check when the cloud refuses it.
    pub(super) cure: String,
}

/// How we prove who we are.
#[derive(Debug, Clone)]
pub(super) enum Means {
    /// With an access key.
    AccessKey {
        /// AK.
        id: AccessKeyId,
        /// SK.
        secret: Held,
        /// Of a temporary one.
        security_token: Option<Secret<String>>,
    },
    /// With a token of IAM, whatever it is scoped to.
    Token(Secret<String>),
    /// With a password.
    Password {
        /// Whose.
        user: User,
        /// The password.
        password: Held,
        /// The virtual MFA device's.
        passcode: Passcode,
    },
    /// With an identity provider's id token, at IAM.
    IdToken {
        /// The provider's name there.
        provider: String,
        /// Where the id token comes from.
        token: IdTokenSource,
    },
    /// With an identity provider's id token, at STS.
    Sts {
        /// What to ask for.
        wanted: AssumeWithOidc,
        /// STS, if the source names it.
        endpoint: Option<Endpoint>,
        /// Where the id token comes from.
        token: IdTokenSource,
    },
    /// As a pod, at the node's pod identity service.
    Pod {
        /// The service's URL.
        url: String,
        /// The file of the pod's token.
        token_file: PathBuf,
    },
    /// As an ECS, at its metadata service.
    Metadata {
        /// The service's base URL.
        url: String,
    },
}

/// A secret, at hand or in a store.
#[derive(Debug, Clone)]
pub(super) enum Held {
    /// At hand.
    Here(Secret<String>),
    /// In the store of this profile's secret: `file`, else the keyring.
    InStore {
        /// Whose secret.
        profile: ProfileName,
        /// `secret_store` of the profile.
        store: Option<String>,
    },
}

/// The passcode of a virtual MFA device.
#[derive(Debug, Clone)]
pub(super) enum Passcode {
    /// There is no such device.
    None,
    /// The source gives it; good for some seconds.
    Given(Secret<String>),
    /// A person types it.
    Asked,
}

/// `source` is configured, but not so that it can be used.
pub(super) fn broken(source: impl Into<String>, problem: impl Into<String>, cure: impl Into<String>) -> IdentityError {
    IdentityError::Broken {
        source_name: source.into(),
        problem: problem.into(),
        cure: cure.into(),
    }
}

/// The text of a source's file; `None` where there is none.
pub(super) fn read_file(source: &str, path: &Path) -> Result<Option<String>, IdentityError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let problem = format!("cannot read `{}`: {error}", path.display());
            Err(broken(source, problem, "check who owns the file and its directory"))
        }
    }
}

/// IAM's base URL out of an `auth_url`, which ends in the version as a rule.
pub(super) fn auth_url(source: &str, name: &str, url: &str) -> Result<Endpoint, IdentityError> {
    let base = url.trim_end_matches('/');
    let base = base.strip_suffix("/v3").unwrap_or(base);
    Endpoint::parse(base).map_err(|invalid| broken(source, format!("`{name}`: {invalid}"), invalid.hint()))
}

/// An access key id as a source gives it under `name`.
pub(super) fn access_key_id(source: &str, name: &str, text: &str) -> Result<AccessKeyId, IdentityError> {
    AccessKeyId::parse(text).map_err(|invalid| broken(source, format!("`{name}`: {invalid}"), invalid.hint()))
}
