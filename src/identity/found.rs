//! What a source has found, offline: the means to prove who we are, and what the source says of region and endpoints.

use crate::config::Profile;
use crate::huaweicloud::credentials::{AccessKey, Credentials};
use crate::huaweicloud::iam::sts::AssumeWithOidc;
use crate::huaweicloud::iam::token_request::{Agency, User};
use crate::huaweicloud::identity_center::PortalSession;
use crate::identity::IdentityError;
use crate::identity::fingerprint::Fingerprint;
use crate::identity::id_token::IdTokenSource;
use crate::identity::reading::TokenFile;
use crate::identity::secret_record::SecretRef;
use crate::identity::sign_on::{KeyCommand, PortalSettings};
use crate::ids::{AccessKeyId, Endpoint};
use crate::sanitize::sanitize;
use crate::secret::Secret;
use crate::store::{LayeredStore, SecretPlace};

/// What a source has found.
#[derive(Debug, Clone)]
pub(crate) struct FoundIdentity {
    /// Which of the source's, where it has several: a cloud, a profile, a file.
    pub(crate) name: Option<String>,
    /// How we prove who we are.
    pub(crate) means: AuthMethod,
    /// Who we become then.
    pub(crate) agency: Option<Agency>,
    /// Region, project, endpoints and roots, as far as the source names them.
    pub(crate) settings: Profile,
    /// What tells this identity from any other, `agency` left out.
    pub(crate) fingerprint: Fingerprint,
    /// For messages: what and from where.
    pub(crate) described: String,
    /// What to check when the cloud refuses it.
    pub(crate) cure: String,
}

/// How we prove who we are.
#[derive(Debug, Clone)]
pub(crate) enum AuthMethod {
    /// With an access key.
    AccessKey {
        id: AccessKeyId,
        secret: SecretRef,
        /// Of a temporary one.
        security_token: Option<Secret<String>>,
    },
    /// With a token of IAM, whatever it is scoped to.
    Token(Secret<String>),
    /// With a password.
    Password {
        user: User,
        /// The password.
        password: SecretRef,
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
    /// With a session of the Identity Center's portal.
    Portal {
        /// Where, and what it is to become.
        at: Box<PortalSettings>,
        /// The session that the source itself has; ours otherwise.
        given: Option<PortalSession>,
    },
    /// With the access key that a program prints.
    Command(KeyCommand),
    /// As a pod, at the node's pod identity service.
    Pod {
        /// The service's URL.
        url: String,
        /// The file of the pod's token.
        token_file: TokenFile,
    },
    /// As an ECS, at its metadata service.
    Metadata {
        /// The service's base URL.
        url: String,
    },
}

/// The passcode of a virtual MFA device.
#[derive(Debug, Clone)]
pub(crate) enum Passcode {
    /// There is no such device.
    None,
    /// The source gives it; good for some seconds.
    Given(Secret<String>),
    /// A person types it.
    Asked,
}

/// What an identity is to the cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Principal {
    /// A user of IAM.
    User,
    /// An agency that somebody assumes.
    Agency,
    /// A company's user, known to the cloud for one sign-in.
    FederatedUser,
}

impl Principal {
    /// As people read it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Agency => "agency",
            Self::FederatedUser => "federated user",
        }
    }

    /// A user, of whatever kind.
    pub(crate) fn is_user(self) -> bool {
        matches!(self, Self::User | Self::FederatedUser)
    }
}

impl AuthMethod {
    /// What it proves that we are, as long as no agency is assumed.
    pub(crate) fn principal(&self) -> Principal {
        match self {
            Self::Sts { .. } | Self::Portal { .. } | Self::Pod { .. } | Self::Metadata { .. } => Principal::Agency,
            Self::IdToken { .. } => Principal::FederatedUser,
            Self::AccessKey { .. } | Self::Command(_) | Self::Token(_) | Self::Password { .. } => Principal::User,
        }
    }

    /// The secret that proves who we are, if it is one that stays the same until somebody changes it.
    pub(crate) fn lasting_secret(
        &self,
        secrets: &dyn Fn(SecretPlace) -> LayeredStore,
    ) -> Result<Option<Secret<String>>, IdentityError> {
        match self {
            Self::AccessKey { secret, .. } => secret.read(secrets).map(Some),
            Self::Password { password, .. } => password.read(secrets).map(Some),
            Self::Token(token) => Ok(Some(token.clone())),
            Self::IdToken { .. }
            | Self::Sts { .. }
            | Self::Pod { .. }
            | Self::Metadata { .. }
            | Self::Portal { .. }
            | Self::Command(_) => Ok(None),
        }
    }

    /// The same, where `settings` say.
    #[must_use]
    pub(crate) fn used_at(mut self, settings: &Profile) -> Self {
        if let Self::AccessKey { secret, .. } | Self::Password { password: secret, .. } = &mut self
            && let SecretRef::Stored { purpose, .. } = secret
        {
            *purpose = purpose.clone().at(settings);
        }
        self
    }

    /// The access key, if that is what it is.
    pub(crate) fn access_key(
        &self,
        secrets: &dyn Fn(SecretPlace) -> LayeredStore,
    ) -> Result<Option<Credentials>, IdentityError> {
        let Self::AccessKey {
            id,
            secret,
            security_token,
        } = self
        else {
            return Ok(None);
        };
        Ok(Some(Credentials::AccessKey(AccessKey {
            id: id.clone(),
            secret: secret.read(secrets)?,
            security_token: security_token.clone(),
        })))
    }
}

/// What is found with an identity provider that IAM knows by name.
pub(crate) fn provider_found(provider: String, token: IdTokenSource, settings: Profile, origin: &str) -> FoundIdentity {
    let shown = sanitize(&provider);
    FoundIdentity {
        name: None,
        fingerprint: token.fingerprint("idp", &[provider.as_str()]),
        described: format!("an id token of `{shown}` from {origin}"),
        cure: format!("the id token must be of `{shown}`, for an audience that IAM takes, and not expired"),
        means: AuthMethod::IdToken { provider, token },
        agency: None,
        settings,
    }
}
