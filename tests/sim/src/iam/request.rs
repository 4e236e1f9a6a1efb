//! The bodies of requests for tokens and temporary access keys. A field that is not documented is refused, so that a typo is noticed.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{answer::Answer, errors, server::Received};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body<T> {
    pub(super) auth: T,
}

/// For a token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Auth {
    pub(super) identity: IdentityPart,
    pub(super) scope: Option<ScopePart>,
}

/// For a token of an identity provider's user.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdTokenAuth {
    pub(super) id_token: IdPart,
    pub(super) scope: Option<ScopePart>,
}

/// For a temporary access key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyAuth {
    pub(super) identity: IdentityPart,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdPart {
    pub(super) id: String,
}

/// How somebody proves who they are: `methods`, and a field of the name of each.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityPart {
    pub(super) methods: Vec<String>,
    pub(super) password: Option<UserPart<PasswordUser>>,
    pub(super) totp: Option<UserPart<TotpUser>>,
    pub(super) token: Option<TokenPart>,
    pub(super) assume_role: Option<AssumeRole>,
    pub(super) hw_ak_sk: Option<AkSk>,
    /// Narrows temporary access keys for OBS only: nothing here looks at it.
    #[serde(rename = "policy")]
    _policy: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserPart<T> {
    pub(super) user: T,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordUser {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) password: String,
    pub(super) domain: Option<Named>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TotpUser {
    /// A name instead is in OTC's documentation, and refused in the field: gophertelekomcloud and otc-auth insist on the id.
    pub(super) id: String,
    pub(super) passcode: String,
}

/// By name or id; both must be of the same thing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    /// Of a project that is given by name.
    #[serde(rename = "domain")]
    pub(super) domain: Option<Box<Named>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenPart {
    pub(super) id: Option<String>,
    pub(super) duration_seconds: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AssumeRole {
    pub(super) agency_name: Option<String>,
    pub(super) xrole_name: Option<String>,
    pub(super) domain_name: Option<String>,
    pub(super) domain_id: Option<String>,
    pub(super) duration_seconds: Option<i64>,
    pub(super) session_user: Option<Named>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AkSk {
    pub(super) access: KeyPart,
    pub(super) secret: KeyPart,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyPart {
    pub(super) key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScopePart {
    pub(super) project: Option<Named>,
    pub(super) domain: Option<Named>,
}

/// The body, if it says it is JSON and is.
pub(super) fn parse<T: DeserializeOwned>(received: &Received) -> Result<T, Answer> {
    let content_type = received.header("content-type").unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(errors::iam_invalid_body("Content-Type must be application/json."));
    }
    serde_json::from_slice(&received.body).map_err(|error| errors::iam_invalid_body(&error.to_string()))
}
