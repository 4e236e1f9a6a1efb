//! What IAM, STS and the metadata service issue for a while: tokens and temporary access keys.

use crate::huaweicloud::credentials::AccessKey;
use crate::huaweicloud::iam::Project;
use crate::ids::{AccessKeyId, ProjectId};
use crate::secret::Secret;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// A token (`POST /v3/auth/tokens`): the `X-Subject-Token` header and what the body says of it.
#[derive(Debug, Clone)]
pub struct Token {
    /// A bearer secret for everything its user may do.
    pub secret: Secret<String>,
    /// When it ends, as a rule after 24 hours.
    pub expires_at: DateTime<Utc>,
    /// The project it is for; `None` where it is not scoped to one.
    pub project: Option<Project>,
    /// Whose it is.
    pub(crate) user_id: String,
    /// The user's name.
    pub user_name: String,
    /// The account's name.
    pub account: String,
    /// The account's id.
    pub(crate) account_id: String,
    /// The user groups to which an identity provider's user belongs, as far as IAM tells them.
    pub(crate) groups: Option<Vec<String>>,
}

impl Token {
    /// Reads the answer; `None` where the token, its end or its user is missing.
    pub fn from_answer(subject_token: Option<&str>, json: &Value) -> Option<Self> {
        let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let project = || {
            let id = ProjectId::parse(&text("/token/project/id")?).ok()?;
            Some(Project {
                id,
                name: text("/token/project/name")?,
            })
        };
        let groups = json
            .pointer("/token/user/OS-FEDERATION/groups")
            .and_then(Value::as_array);
        let name = |group: &Value| {
            let name = group.get("name").or_else(|| group.get("id"))?;
            Some(name.as_str()?.to_owned())
        };
        Some(Self {
            groups: groups.map(|groups| groups.iter().filter_map(name).collect()),
            secret: Secret::new(subject_token.filter(|token| !token.is_empty())?.to_owned()),
            expires_at: time(&text("/token/expires_at")?)?,
            project: project(),
            user_id: text("/token/user/id")?,
            user_name: text("/token/user/name").unwrap_or_default(),
            account: text("/token/user/domain/name").unwrap_or_default(),
            account_id: text("/token/user/domain/id").unwrap_or_default(),
        })
    }
}

/// A temporary access key and its end.
#[derive(Debug, Clone)]
pub struct TemporaryAccessKey {
    /// With its security token.
    pub key: AccessKey,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

impl TemporaryAccessKey {
    /// Reads the answer of IAM's `securitytokens` and of the metadata service (`credential`), or of STS (`credentials`); `None`
    /// where a part is missing.
    pub fn from_json(json: &Value) -> Option<Self> {
        let (object, names) = match (json.get("credential"), json.get("credentials")) {
            (Some(object), _) => (object, ["access", "secret", "securitytoken", "expires_at"]),
            (None, Some(object)) => (
                object,
                ["access_key_id", "secret_access_key", "security_token", "expiration"],
            ),
            (None, None) => return None,
        };
        Self::from_object(object, names)
    }

    /// Reads the answer of a pod identity service; `None` where a part is missing.
    pub(crate) fn from_pod_json(json: &Value) -> Option<Self> {
        let object = json.get("credentials").unwrap_or(json);
        Self::from_object(
            object,
            ["accessKeyId", "secretAccessKey", "securityToken", "expiration"],
        )
    }

    fn from_object(object: &Value, names: [&str; 4]) -> Option<Self> {
        let [id, secret, token, end] =
            names.map(|name| object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()));
        let key = AccessKey {
            id: AccessKeyId::parse(id?).ok()?,
            secret: Secret::new(secret?.to_owned()),
            security_token: Some(Secret::new(token?.to_owned())),
        };
        Some(Self {
            key,
            expires_at: time(end?)?,
        })
    }
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.with_timezone(&Utc))
}
