//! Where a bearer secret (password, passcode, token, id token) may go: to the hosts of its own cloud, or to an address that came from the
//! same place as the secret. Never to one that came from an argument or a `CCE_LOGIN_*` variable alone (contract §5).

use crate::huaweicloud::cloud::Cloud;
use crate::identity::found::AuthMethod;
use crate::identity::{Identity, IdentityError, IdentityOrigin};
use crate::ids::{Endpoint, Region};

impl Identity {
    /// Proving who we are shows a bearer secret to IAM.
    fn shows_secret(&self) -> bool {
        match &self.found.means {
            AuthMethod::Token(_) | AuthMethod::Password { .. } | AuthMethod::IdToken { .. } => true,
            // STS, pod identity and metadata have addresses of their own; a signature shows nothing.
            AuthMethod::AccessKey { .. }
            | AuthMethod::Sts { .. }
            | AuthMethod::Pod { .. }
            | AuthMethod::Metadata { .. } => false,
        }
    }

    /// Refuses to show a bearer secret to an IAM that nobody vouches for.
    pub fn check_iam(&self, endpoint: &Endpoint, region: &Region) -> Result<(), IdentityError> {
        if !self.shows_secret() || self.trusts_iam(endpoint, region) {
            return Ok(());
        }
        let what = match &self.found.means {
            AuthMethod::Password { .. } => "the password",
            AuthMethod::IdToken { .. } => "the id token",
            _ => "the token",
        };
        let cure = match &self.source {
            IdentityOrigin::Profile(name) => {
                format!(
                    "if it is the right one, keep it with the profile: `kubectl cce-login profile set {name} --iam-endpoint {endpoint} …`"
                )
            }
            IdentityOrigin::Named(crate::identity::SourceName::Env) => {
                "if it is the right one, set `OS_AUTH_URL` to it".to_owned()
            }
            IdentityOrigin::Named(crate::identity::SourceName::Clouds) => {
                "if it is the right one, write it as `auth_url` into `clouds.yaml`".to_owned()
            }
            IdentityOrigin::Named(crate::identity::SourceName::SdkFile) => {
                "if it is the right one, write it as `iam_endpoint` into that file".to_owned()
            }
            IdentityOrigin::Named(_) => "if it is the right one, set `HUAWEICLOUD_SDK_IAM_ENDPOINT` to it".to_owned(),
        };
        Err(IdentityError::Untrusted {
            what: what.to_owned(),
            endpoint: endpoint.clone(),
            cure,
        })
    }

    fn trusts_iam(&self, endpoint: &Endpoint, region: &Region) -> bool {
        match self.own_iam() {
            Some(own) => own.is_same_as(endpoint),
            None => self.own_cloud(region).iam(region).is_same_as(endpoint),
        }
    }

    /// Whether a token may be shown to this CCE.
    pub fn trusts_cce(&self, endpoint: &Endpoint, region: &Region) -> bool {
        let own = self.found.settings.cce_endpoint.as_deref();
        if let Some(own) = own.and_then(|url| Endpoint::parse(url).ok()) {
            return own.is_same_as(endpoint);
        }
        let cloud = self.own_cloud(region);
        // Whose IAM is of another installation, its CCE is too.
        let is_at_home = self.own_iam().is_none_or(|iam| cloud.has_host(iam.host()));
        is_at_home && cloud.cce(region).is_same_as(endpoint)
    }

    fn own_iam(&self) -> Option<Endpoint> {
        Endpoint::parse(self.found.settings.iam_endpoint.as_deref()?).ok()
    }

    /// The cloud that the secret belongs to: as its source says, else by the region.
    pub(crate) fn own_cloud(&self, region: &Region) -> Cloud {
        let settings = &self.found.settings;
        let named = settings.cloud.as_deref().and_then(|text| Cloud::parse(text).ok());
        named.unwrap_or_else(|| {
            let own = settings.region.as_deref().and_then(|text| Region::parse(text).ok());
            Cloud::of_region(own.as_ref().unwrap_or(region))
        })
    }
}
