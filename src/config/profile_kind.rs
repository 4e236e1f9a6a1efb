//! The kinds of a profile.

use crate::secret::SecretShape;
use crate::words::Word;

/// How a profile proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProfileKind {
    /// With an access key.
    AccessKey,
    /// As an IAM user, with a password.
    Password,
    /// With a session of the Identity Center.
    Sso,
    /// With an id token of the company's identity provider.
    Oidc,
    /// As an agency that another profile assumes.
    Agency,
    /// With an identity provider's id token.
    Federation,
    /// As an ECS.
    Metadata,
    /// With the access key that a program prints.
    Command,
}

impl Word for ProfileKind {
    const ALL: &'static [Self] = &[
        Self::AccessKey,
        Self::Password,
        Self::Sso,
        Self::Oidc,
        Self::Agency,
        Self::Federation,
        Self::Metadata,
        Self::Command,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::AccessKey => "access-key",
            Self::Password => "password",
            Self::Sso => "sso",
            Self::Oidc => "oidc",
            Self::Command => "command",
            Self::Agency => "agency",
            Self::Federation => "federation",
            Self::Metadata => "metadata",
        }
    }
}

impl ProfileKind {
    /// Signing in shows IAM a password or an id token.
    pub(crate) fn shows_secret_to_iam(self) -> bool {
        matches!(self, Self::Password | Self::Oidc | Self::Federation)
    }

    /// What its secret may consist of.
    pub(crate) fn secret_shape(self) -> SecretShape {
        match self {
            Self::Password => SecretShape::Password,
            _ => SecretShape::Key,
        }
    }

    /// What its secret is called; `None` where it has none of its own.
    pub(crate) fn secret(self) -> Option<&'static str> {
        match self {
            Self::AccessKey => Some("secret access key"),
            Self::Password => Some("password"),
            Self::Sso | Self::Oidc | Self::Agency | Self::Federation | Self::Metadata | Self::Command => None,
        }
    }
}
