//! What signs or authenticates a request.

use crate::ids::AccessKeyId;
use crate::secret::Secret;

/// An access key (AK/SK); with a security token it is a temporary one.
#[derive(Debug, Clone)]
pub struct AccessKey {
    /// AK, not secret.
    pub id: AccessKeyId,
    /// SK; signs requests and never leaves the process.
    pub(crate) secret: Secret<String>,
    /// Belongs to a temporary access key; sent with each request.
    pub security_token: Option<Secret<String>>,
}

/// How requests are authenticated.
#[derive(Debug, Clone)]
pub(crate) enum Credentials {
    /// Signed requests.
    AccessKey(AccessKey),
    /// A token of IAM, sent along as `X-Auth-Token`: a bearer secret.
    Token(Secret<String>),
    /// An identity provider's id token, sent along as `Authorization: Bearer`: a bearer secret.
    IdToken(Secret<String>),
    /// A session of the Identity Center's portal, sent along as `access-token`: a bearer secret.
    PortalToken(Secret<String>),
    /// Nothing but what the body says (a password, an id token): signing in.
    InBody,
}
