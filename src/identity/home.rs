//! The cloud that a secret belongs to, as its own source says: a secret of one cloud is none of another.

use crate::config::Profile;
use crate::huaweicloud::cloud::Cloud;
use crate::ids::{Endpoint, Region};

/// A cloud, and its domains that a secret is good for: an account of one is none of another.
pub(super) struct Home {
    cloud: Cloud,
    domains: Vec<String>,
}

impl Home {
    pub(super) fn of(settings: &Profile) -> Option<Self> {
        let named = settings.cloud.as_deref().and_then(|text| Cloud::parse(text).ok());
        let region = settings.region.as_deref().and_then(|text| Region::parse(text).ok());
        let cloud = named.or_else(|| Cloud::that_has(region.as_ref()?))?;
        Some(match region {
            Some(region) => Self {
                domains: vec![cloud.domain_in(&region).to_owned()],
                cloud,
            },
            None => Self::of_cloud(cloud),
        })
    }

    pub(super) fn of_cloud(cloud: Cloud) -> Self {
        Self {
            domains: cloud.domains().into_iter().map(str::to_owned).collect(),
            cloud,
        }
    }

    /// The well-known cloud of a host.
    pub(super) fn of_host(host: &str) -> Option<Self> {
        let (cloud, domain) = Cloud::of_service(host)?;
        Some(Self {
            domains: vec![domain.to_owned()],
            cloud,
        })
    }

    pub(super) fn has_host(&self, host: &str) -> bool {
        self.cloud.has_host(host)
    }

    fn is_in(&self, region: &Region) -> bool {
        let domain = self.cloud.domain_in(region);
        self.domains.iter().any(|own| own == domain)
    }

    pub(super) fn iam(&self, region: &Region) -> Option<Endpoint> {
        self.is_in(region).then(|| self.cloud.iam(region))
    }

    pub(super) fn cce(&self, region: &Region) -> Option<Endpoint> {
        self.is_in(region).then(|| self.cloud.cce(region))
    }

    pub(super) fn sts(&self, region: &Region) -> Option<Endpoint> {
        self.is_in(region).then(|| self.cloud.sts(region))
    }
}

/// The domains that the settings name, by cloud or region.
pub(super) fn own_domains(settings: &Profile) -> Vec<String> {
    Home::of(settings).map(|home| home.domains).unwrap_or_default()
}
