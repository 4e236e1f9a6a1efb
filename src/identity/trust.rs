//! Where a bearer secret (password, passcode, token, id token) may go: to the hosts of its own cloud, or to an address that came from the
//! same place as the secret; under roots that came from there too, or are the system's. Never where an argument or a `CCE_LOGIN_*`
//! variable alone says so, and never where nothing says which cloud it is of.

pub(crate) mod provenance;
pub(crate) mod vouched;

use super::found::AuthMethod;
use super::home::Home;
use super::{Identity, IdentityError, IdentityOrigin, SourceName};
use crate::huaweicloud::cloud::Cloud;
use crate::ids::{Endpoint, Region};
use std::path::Path;

/// Where something would be sent, and whom we would trust there.
#[derive(Debug, Clone, Copy)]
pub struct Addressee<'a> {
    /// The service.
    pub endpoint: &'a Endpoint,
    /// Where the target is.
    pub region: &'a Region,
    /// The roots in place of the system's.
    pub ca_file: Option<&'a Path>,
}

impl Identity {
    /// What proving who we are shows to IAM or STS, if it is something that its bearer can use. A signature shows nothing; pod identity and
    /// metadata have addresses of their own.
    fn bearer_secret(&self) -> Option<&'static str> {
        match &self.found.means {
            AuthMethod::Password { .. } => Some("the password"),
            AuthMethod::Token(_) => Some("the token"),
            AuthMethod::IdToken { .. } | AuthMethod::Sts { .. } => Some("the id token"),
            // A portal is asked at its own profile's addresses only, and the key that it gives signs.
            AuthMethod::AccessKey { .. }
            | AuthMethod::Portal { .. }
            | AuthMethod::Command(_)
            | AuthMethod::Pod { .. }
            | AuthMethod::Metadata { .. } => None,
        }
    }

    /// Refuses to show a bearer secret to an IAM that nobody vouches for.
    pub fn check_iam(&self, to: &Addressee<'_>) -> Result<(), IdentityError> {
        let Some(what) = self.bearer_secret() else {
            return Ok(());
        };
        self.check_roots(what, to.ca_file)?;
        if matches!(self.found.means, AuthMethod::Sts { .. }) {
            return Ok(()); // IAM is asked with the signature that STS gives: see [`Self::own_sts`]
        }
        let own = match self.own_iam() {
            Some(own) => Some(own),
            None => match self.own_home() {
                Some(home) => home.iam(to.region),
                // Nobody named an address: it is only where this region's cloud would be.
                None if Home::of_host(to.endpoint.host()).is_some() => return Err(self.no_cloud(what)),
                None => None,
            },
        };
        if own.is_some_and(|own| own.is_same_as(to.endpoint)) {
            return Ok(());
        }
        Err(IdentityError::Untrusted {
            what: what.to_owned(),
            endpoint: to.endpoint.clone(),
            cure: format!("if it is the right one, {}", self.how_to_name_iam(to.endpoint)),
        })
    }

    /// The STS that gets an id token: as its source names it, else its own cloud's.
    pub(crate) fn own_sts(&self, named: Option<&Endpoint>, region: &Region) -> Result<Endpoint, IdentityError> {
        if let Some(endpoint) = named {
            return Ok(endpoint.clone());
        }
        let own = self.own_home().and_then(|home| home.sts(region));
        own.ok_or_else(|| self.no_cloud("the id token"))
    }

    /// Whether a token may be shown to this CCE.
    pub fn trusts_cce(&self, to: &Addressee<'_>) -> bool {
        if !self.trusts_roots(to.ca_file) {
            return false;
        }
        let own = self.found.settings.cce_endpoint.as_deref();
        if let Some(own) = own.and_then(|url| Endpoint::parse(url).ok()) {
            return own.is_same_as(to.endpoint);
        }
        let home = match self.own_iam() {
            None => self.own_home(),
            // Whose IAM is of another installation, its CCE is too.
            Some(iam) => Home::of_host(iam.host()).or_else(|| self.own_home().filter(|home| home.has_host(iam.host()))),
        };
        let own = home.and_then(|home| home.cce(to.region));
        own.is_some_and(|cce| cce.is_same_as(to.endpoint))
    }

    fn check_roots(&self, what: &str, ca_file: Option<&Path>) -> Result<(), IdentityError> {
        if self.trusts_roots(ca_file) {
            return Ok(());
        }
        Err(IdentityError::ForeignRoots {
            what: what.to_owned(),
            file: ca_file.map(Path::to_owned).unwrap_or_default(),
            cure: self.how_to_name_roots(),
        })
    }

    /// Roots are the system's (`SSL_CERT_FILE` replaces those), or come from where the secret comes from.
    fn trusts_roots(&self, ca_file: Option<&Path>) -> bool {
        let absolute = |path: &Path| std::path::absolute(path).ok();
        let own = self.found.settings.ca_file.as_deref().map(Path::new);
        ca_file.is_none_or(|file| own.is_some_and(|own| absolute(own) == absolute(file)))
    }

    fn own_iam(&self) -> Option<Endpoint> {
        Endpoint::parse(self.found.settings.iam_endpoint.as_deref()?).ok()
    }

    /// The cloud that the secret belongs to, as its source says it.
    fn own_home(&self) -> Option<Home> {
        let of_sdk = match (&self.source, &self.found.means) {
            // The variables and the file of Huawei Cloud's SDKs, which know no other cloud.
            (
                IdentityOrigin::Named(SourceName::Oidc | SourceName::SdkFile),
                AuthMethod::IdToken { .. } | AuthMethod::Sts { .. },
            ) => Some(Home::of_cloud(Cloud::Huawei)),
            _ => None,
        };
        Home::of(&self.found.settings).or(of_sdk)
    }

    fn no_cloud(&self, what: &str) -> IdentityError {
        IdentityError::NoCloud {
            what: what.to_owned(),
            cure: match &self.source {
                IdentityOrigin::Profile(name) => format!(
                    "name it: `kubectl cce-login profile set {name} --region REGION`, or `--cloud` or `--iam-endpoint` in its place"
                ),
                IdentityOrigin::Named(SourceName::Env) => {
                    "set `OS_AUTH_URL` to its IAM, such as `https://iam.eu-de.otc.t-systems.com/v3`, or `OS_REGION_NAME`".to_owned()
                }
                IdentityOrigin::Named(SourceName::Clouds) => {
                    "write its `auth_url` into `clouds.yaml`, such as `https://iam.eu-de.otc.t-systems.com/v3`, or `region_name`".to_owned()
                }
                IdentityOrigin::Named(_) => "set `HUAWEICLOUD_SDK_IAM_ENDPOINT` to its IAM".to_owned(),
            },
        }
    }

    fn how_to_name_iam(&self, endpoint: &Endpoint) -> String {
        match &self.source {
            IdentityOrigin::Profile(name) => {
                format!("keep it with the profile: `kubectl cce-login profile set {name} --iam-endpoint {endpoint}`")
            }
            IdentityOrigin::Named(SourceName::Env) => "set `OS_AUTH_URL` to it".to_owned(),
            IdentityOrigin::Named(SourceName::Clouds) => "write it as `auth_url` into `clouds.yaml`".to_owned(),
            IdentityOrigin::Named(SourceName::SdkFile) => "write it as `iam_endpoint` into that file".to_owned(),
            IdentityOrigin::Named(_) => "set `HUAWEICLOUD_SDK_IAM_ENDPOINT` to it".to_owned(),
        }
    }

    fn how_to_name_roots(&self) -> String {
        match &self.source {
            IdentityOrigin::Profile(name) => format!(
                "if these are the right ones, keep them with the profile: `kubectl cce-login profile set {name} --ca-file FILE`"
            ),
            IdentityOrigin::Named(SourceName::Env) => {
                "if these are the right ones, set `OS_CACERT` to the file".to_owned()
            }
            IdentityOrigin::Named(SourceName::Clouds) => {
                "if these are the right ones, write the file as `cacert` into `clouds.yaml`".to_owned()
            }
            IdentityOrigin::Named(_) => {
                "if these are the right ones, let the system trust them, or set `SSL_CERT_FILE` to the file".to_owned()
            }
        }
    }
}
