//! Which identities many machines may share a certificate of: those whose fingerprint means the same one everywhere in the world.

use crate::identity::found::AuthMethod;
use crate::identity::id_token::IdTokenSource;
use crate::identity::{Identity, IdentityError};
use crate::secret::Secret;
use crate::store::{LayeredStore, SecretPlace};

impl Identity {
    /// What tells this identity from any other in the world; `None` where nothing does: every ECS is `ecs`, a local name is local, a
    /// federated user is another one after each sign-in, a token may be anybody's.
    pub(crate) fn world_wide_fingerprint(&self) -> Option<String> {
        let own = self.fingerprint();
        match &self.found.means {
            AuthMethod::AccessKey {
                security_token: None, ..
            }
            | AuthMethod::Password { .. } => Some(own.to_owned()),
            AuthMethod::Sts { token, .. } => Some(format!("{own}|{}", issued_by(token)?)),
            // A service account is one only together with its cluster.
            AuthMethod::Pod { token_file, .. } => Some(format!(
                "{own}|{}",
                issued_by(&IdTokenSource::File(token_file.clone()))?
            )),
            _ => None,
        }
    }

    /// The secret that nobody can guess and that everybody has who is this identity: the secret access key of a permanent access key.
    pub(crate) fn sealing_secret(
        &self,
        secrets: &dyn Fn(SecretPlace) -> LayeredStore,
    ) -> Result<Option<Secret<Vec<u8>>>, IdentityError> {
        match &self.found.means {
            AuthMethod::AccessKey {
                secret,
                security_token: None,
                ..
            } => {
                let secret = secret.read(secrets)?;
                // A key is derived from it; the secret itself stays here.
                Ok(Some(Secret::new(secret.expose().clone().into_bytes())))
            }
            _ => Ok(None),
        }
    }
}

/// Who has issued a token, and that it says whom it is about; `None` if one of the two is not known offline.
fn issued_by(token: &IdTokenSource) -> Option<String> {
    match token {
        // Only its token would say whom a job is about: the environment is part of that.
        IdTokenSource::Actions { .. } => None,
        _ => token.claim("sub").and_then(|_| token.claim("iss")),
    }
}
