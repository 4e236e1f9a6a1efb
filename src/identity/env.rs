//! The environment as an identity source: the official SDKs' variables.

use super::IdentityError;
use crate::credentials::AccessKey;
use crate::env_vars::{SDK_AK, SDK_SECURITY_TOKEN, SDK_SK};
use crate::host::Env;
use crate::ids::AccessKeyId;
use crate::secret::Secret;

/// An access key from the environment.
#[derive(Debug, Clone)]
pub(super) struct EnvAccessKey(AccessKey);

impl EnvAccessKey {
    /// Reads the variables; `None` when neither id nor secret is set, an error when only one of them is.
    pub(super) fn read(env: &Env) -> Result<Option<Self>, IdentityError> {
        let broken = |problem: String, cure: String| IdentityError::Broken {
            source_name: "environment".to_owned(),
            problem,
            cure,
        };
        let only_one = |set: &str, unset: &str| {
            broken(
                format!("`{set}` is set, `{unset}` is not"),
                format!("set `{unset}` too, or unset `{set}` to use another identity"),
            )
        };
        match (env.var(SDK_AK), env.var(SDK_SK)) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(only_one(SDK_AK, SDK_SK)),
            (None, Some(_)) => Err(only_one(SDK_SK, SDK_AK)),
            (Some(id), Some(secret)) => {
                let id = AccessKeyId::parse(&id)
                    .map_err(|invalid| broken(format!("`{SDK_AK}`: {invalid}"), invalid.hint()))?;
                let security_token = env.var(SDK_SECURITY_TOKEN).map(Secret::new);
                Ok(Some(Self(AccessKey {
                    id,
                    secret: Secret::new(secret),
                    security_token,
                })))
            }
        }
    }

    /// The access key's id names the user; a temporary key's is the only thing that is known of it offline.
    pub(super) fn fingerprint(&self) -> String {
        format!("ak:{}", self.0.id)
    }

    pub(super) fn id(&self) -> &AccessKeyId {
        &self.0.id
    }

    pub(super) fn access_key(&self) -> AccessKey {
        self.0.clone()
    }
}
