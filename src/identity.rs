//! Who we are to the cloud: the ordered, or pinned, sources of an identity.
//!
//! [`Identity::locate`] works offline and yields the fingerprint that keys the cache; [`Identity::static_credentials`] and [`Identity::sign_in`]
//! yield what requests are authenticated with, and are needed only for a fetch. A source that is not configured lets the next one
//! answer; one that is broken stops the search, because a typo must not turn into another identity.

mod error;
pub(crate) mod fingerprint;
pub(crate) mod found;
mod home;
pub(crate) mod id_token;
pub(crate) mod local;
pub(crate) mod reading;
pub(crate) mod secret_record;
mod shared;
pub(crate) mod sign_on;
pub(crate) mod sources;
mod trust;

use crate::config::{Config, Profile};
use crate::host::{Directories, Env};
use crate::huaweicloud::credentials::Credentials;
use crate::ids::{AccessKeyId, ProfileName};
use crate::sanitize::sanitize;
use crate::secret::Secret;
use crate::store::{LayeredStore, SecretPlace};
use crate::words::Word as _;
use fingerprint::Fingerprint;
use found::{AuthMethod, FoundIdentity, Passcode, Principal};
use id_token::IdTokenSource;
use secret_record::SecretRef;
use sign_on::{PortalSettings, ProviderSettings};

pub(crate) use error::IdentityError;
pub(crate) use id_token::ActionsService;
pub(crate) use secret_record::forget_secret;
pub use secret_record::{keep_secret, secret_account};
pub use sources::Pin;
pub(crate) use sources::SourceName;
pub use trust::Addressee;
pub(crate) use trust::vouched::{Witnesses, is_built_in};

/// An identity that was found; nobody has been asked for anything yet.
#[derive(Debug, Clone)]
pub struct Identity {
    source: IdentityOrigin,
    pub(crate) found: FoundIdentity,
    fingerprint: Fingerprint,
}

#[derive(Debug, Clone)]
enum IdentityOrigin {
    Profile(ProfileName),
    Named(SourceName),
}

/// The argument that pins `get-credential` to a profile.
pub(crate) fn profile_pin(name: &ProfileName) -> String {
    format!("--profile={name}")
}

impl Identity {
    /// Finds the identity offline: the pinned source, or the first that is configured, in the order environment, profile `default`, the
    /// SDKs' file, KooCLI, `clouds.yaml`, an identity provider, a pod.
    pub fn locate(pin: &Pin, env: &Env, directories: &Directories) -> Result<Self, IdentityError> {
        let identity = sources::locate(pin, env, directories).map_err(|error| {
            use IdentityError::{HomeOfSomebodyElse, NoProfile, NoneConfigured, NoneWithoutHome, ProfileWithoutHome};
            match (error, &directories.home_of_somebody_else) {
                (NoneConfigured { .. } | NoProfile { .. }, Some(home)) => HomeOfSomebodyElse(home.clone()),
                (NoProfile { name, .. }, None) if directories.config.is_none() => ProfileWithoutHome(name),
                (NoneConfigured { .. }, None) if directories.config.is_none() => NoneWithoutHome,
                (error, _) => error,
            }
        })?;
        trust::provenance::check(&identity, env)?;
        Ok(identity)
    }

    /// Every identity that is configured and can be used, in the order in which [`Pin::Any`] looks, then the other profiles by name.
    pub(crate) fn all(env: &Env, directories: &Directories) -> Vec<Self> {
        sources::all(env, directories)
    }

    /// The access key of the environment, if it does not end by itself and stands for its own user.
    pub(crate) fn lasting_key_of_variables(
        env: &Env,
        directories: &Directories,
    ) -> Option<(AccessKeyId, Secret<String>)> {
        let found = Self::locate(&Pin::Source(SourceName::Env, None), env, directories)
            .ok()?
            .found;
        match found.means {
            AuthMethod::AccessKey {
                id,
                secret: SecretRef::Inline(secret),
                security_token: None,
            } if found.agency.is_none() => Some((id, secret)),
            _ => None,
        }
    }

    fn of_profile(name: ProfileName, config: &Config, env: &Env) -> Result<Self, IdentityError> {
        let found = sources::profile::find(&name, config, env)?;
        Ok(Self::new(IdentityOrigin::Profile(name), found))
    }

    /// The identity that a profile would be that is not in `config.toml` yet, its secret at hand.
    pub(crate) fn of_new_profile(
        name: &ProfileName,
        config: &Config,
        env: &Env,
        secret: Option<Secret<String>>,
    ) -> Result<Self, IdentityError> {
        let mut identity = Self::of_profile(name.clone(), config, env)?;
        if let (
            AuthMethod::AccessKey { secret: held, .. }
            | AuthMethod::Password { password: held, .. }
            | AuthMethod::IdToken {
                token:
                    IdTokenSource::Person {
                        client_secret: Some(held),
                        ..
                    },
                ..
            },
            Some(secret),
        ) = (&mut identity.found.means, secret)
        {
            *held = SecretRef::Inline(secret);
        }
        if let Some(cure) = match identity.found.means {
            AuthMethod::AccessKey { .. } => {
                Some("access key id and secret access key must belong together and be active: check both")
            }
            AuthMethod::Password {
                passcode: Passcode::None,
                ..
            } => Some(
                "check user, account and password; with a virtual MFA device give `--user-id` and `--totp`; a HUAWEI ID cannot sign in so, an IAM user can",
            ),
            AuthMethod::Password { .. } => Some("check user id, password and passcode"),
            _ => None,
        } {
            cure.clone_into(&mut identity.found.cure);
        }
        Ok(identity)
    }

    fn new(source: IdentityOrigin, found: FoundIdentity) -> Self {
        let own = found.fingerprint.clone();
        Self {
            fingerprint: match &found.agency {
                Some(agency) => own.assuming(agency),
                None => own,
            },
            source,
            found,
        }
    }

    /// What tells this identity from any other, without a secret and without the network.
    pub fn fingerprint(&self) -> &str {
        self.fingerprint.as_str()
    }

    /// The identity that assumes the agency.
    #[must_use]
    pub(crate) fn without_agency(&self) -> Self {
        let found = FoundIdentity {
            agency: None,
            ..self.found.clone()
        };
        Self::new(self.source.clone(), found)
    }

    /// The profile's name or the source's: the first part of a kubeconfig user's name.
    pub(crate) fn name(&self) -> &str {
        match &self.source {
            IdentityOrigin::Named(source) => source.as_str(),
            IdentityOrigin::Profile(name) => name.as_str(),
        }
    }

    /// The source's name.
    pub(crate) fn source(&self) -> &'static str {
        match &self.source {
            IdentityOrigin::Named(source) => source.as_str(),
            IdentityOrigin::Profile(_) => SourceName::Profile.as_str(),
        }
    }

    /// The profile's name, if it is one.
    pub(crate) fn profile_name(&self) -> Option<&str> {
        match &self.source {
            IdentityOrigin::Named(_) => None,
            IdentityOrigin::Profile(name) => Some(name.as_str()),
        }
    }

    /// What it is to the cloud.
    pub(crate) fn principal_kind(&self) -> Principal {
        if self.has_agency() {
            return Principal::Agency;
        }
        self.found.means.principal()
    }

    /// The argument that pins `get-credential` to this identity.
    pub(crate) fn identity_argument(&self) -> String {
        match &self.source {
            IdentityOrigin::Named(source) => {
                // A name that a shell would take for something else is left out: the principal protects all the same.
                let name = self.found.name.as_deref().filter(|name| is_plain(name));
                let name = name.map(|name| format!(":{name}")).unwrap_or_default();
                format!("--identity={}{name}", source.as_str())
            }
            IdentityOrigin::Profile(name) => profile_pin(name),
        }
    }

    /// For messages: what it is and where it comes from.
    pub(crate) fn describe(&self) -> String {
        match &self.found.agency {
            Some(agency) if !self.found.described.starts_with("agency") => {
                format!(
                    "agency `{}`, assumed by {}",
                    sanitize(&agency.name),
                    self.found.described
                )
            }
            _ => self.found.described.clone(),
        }
    }

    /// What the profile, or the source, says of region, project and endpoints.
    pub(crate) fn profile(&self) -> &Profile {
        &self.found.settings
    }

    /// It works only where the same environment variables are set.
    pub(crate) fn is_from_environment(&self) -> bool {
        use SourceName::{Env, Oidc, Pod};
        matches!(self.source, IdentityOrigin::Named(Env | Oidc | Pod))
    }

    /// Its id at the cloud is another one after every login, so nothing can be told from a change.
    pub(crate) fn is_federated(&self) -> bool {
        self.principal_kind() == Principal::FederatedUser
    }

    /// Provider and subject of somebody whose id at the cloud is another one after every login; of a person who signs in with a browser as
    /// `signed_in` tells. `None` where nobody has signed in yet.
    pub(crate) fn federated_principal(
        &self,
        signed_in: &dyn Fn(&ProviderSettings) -> Option<String>,
    ) -> Option<String> {
        match &self.found.means {
            AuthMethod::IdToken { provider, token } if self.is_federated() => token.principal(provider, signed_in),
            _ => None,
        }
    }

    /// A passcode is good for one sign-in, so everything is made from one token that is kept.
    pub(crate) fn has_passcode(&self) -> bool {
        matches!(
            self.found.means,
            AuthMethod::Password {
                passcode: Passcode::Asked | Passcode::Given(_),
                ..
            }
        )
    }

    /// What a person gives when nothing that is kept will do.
    pub(crate) fn personal_proof(&self) -> PersonalProof<'_> {
        match &self.found.means {
            AuthMethod::Password {
                passcode: Passcode::Asked,
                ..
            } => PersonalProof::Passcode,
            AuthMethod::Portal { at, given: None } => PersonalProof::Portal(at),
            AuthMethod::IdToken {
                token: IdTokenSource::Person { at, client_secret },
                ..
            } => PersonalProof::Provider(at, client_secret.as_ref()),
            _ => PersonalProof::None,
        }
    }

    /// A person may have to do something when it signs in.
    pub(crate) fn asks_person(&self) -> bool {
        self.has_passcode() || !matches!(self.personal_proof(), PersonalProof::None)
    }

    /// Everything is made from one token that is kept, because a person may have to give the proof for it.
    pub(crate) fn keeps_base_token(&self) -> bool {
        self.has_passcode() || matches!(self.personal_proof(), PersonalProof::Provider(..))
    }

    /// It signs whatever it asks for, with an access key that is good for every project.
    pub(crate) fn signs(&self) -> bool {
        match self.found.means {
            AuthMethod::AccessKey { .. }
            | AuthMethod::Sts { .. }
            | AuthMethod::Portal { .. }
            | AuthMethod::Command(_)
            | AuthMethod::Pod { .. }
            | AuthMethod::Metadata { .. } => true,
            AuthMethod::Token(_) | AuthMethod::Password { .. } | AuthMethod::IdToken { .. } => false,
        }
    }

    /// An agency is assumed in the end.
    pub(crate) fn has_agency(&self) -> bool {
        self.found.agency.is_some()
    }

    /// What to check when the cloud refuses this identity.
    pub(crate) fn cure_when_refused(&self) -> String {
        self.found.cure.clone()
    }

    /// What requests are signed with, if nobody has to be asked for it: an access key that is nobody else afterwards. `secrets` opens
    /// the store of profile secrets.
    pub(crate) fn static_credentials(
        &self,
        secrets: &dyn Fn(SecretPlace) -> LayeredStore,
    ) -> Result<Option<Credentials>, IdentityError> {
        if self.found.agency.is_some() {
            return Ok(None);
        }
        self.found.means.access_key(secrets)
    }
}

/// Whether `said` in an entry pins to the identity whose argument is `pin`: earlier versions did not name clouds, profiles and files.
pub(crate) fn is_pin(said: &str, pin: &str) -> bool {
    said == pin || pin.strip_prefix(said).is_some_and(|name| name.starts_with(':'))
}

/// Letters, digits and a few signs that mean nothing to any shell.
fn is_plain(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '+' | '/' | '\\' | ':');
    !name.is_empty() && name.chars().all(is_plain)
}

/// What a person gives when somebody signs in.
pub(crate) enum PersonalProof<'a> {
    /// Nothing: no person is needed.
    None,
    /// The passcode of a virtual MFA device.
    Passcode,
    /// Their approval at the Identity Center.
    Portal(&'a PortalSettings),
    /// Their sign-in at their company's provider; the secret is the client's.
    Provider(&'a ProviderSettings, Option<&'a SecretRef>),
}
