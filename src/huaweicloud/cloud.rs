//! Which cloud a region belongs to, and where its services answer.

mod places;

use crate::ids::{Endpoint, Region};
use crate::sanitize::sanitize;
use crate::words::names::near;

/// A cloud with CCE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cloud {
    /// Huawei Cloud; the European site is recognised by its region.
    Huawei,
    /// Open Telekom Cloud, the Swiss one included.
    Otc,
    /// Any other installation (HCS, HCSO) by its domain.
    Domain(String),
}

/// The regions of Open Telekom Cloud.
const OTC_REGIONS: [&str; 3] = ["eu-de", "eu-nl", "eu-ch2"];
/// The regions of Huawei Cloud.
const HUAWEI_REGIONS: [&str; 33] = [
    "ae-ad-1",
    "af-north-1",
    "af-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "cn-east-2",
    "cn-east-3",
    "cn-east-4",
    "cn-east-5",
    "cn-north-1",
    "cn-north-11",
    "cn-north-12",
    "cn-north-2",
    "cn-north-4",
    "cn-north-9",
    "cn-south-1",
    "cn-south-2",
    "cn-south-4",
    "cn-southwest-2",
    "eu-west-0",
    "eu-west-101",
    "la-north-2",
    "la-south-2",
    "me-east-1",
    "my-kualalumpur-1",
    "na-mexico-1",
    "ru-moscow-1",
    "ru-northwest-2",
    "sa-brazil-1",
    "tr-west-1",
];

/// How alike two names must be for one to be proposed in place of the other (0 to 1), and how many are proposed.
const ALIKE: f64 = 0.85;
const MOST_LIKE: usize = 3;

/// The names under which the services that we call answer.
const SERVICES: [&str; 4] = ["cce", "iam", "iam-pub", "sts"];

/// Why a `--cloud` was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a cloud")]
pub(crate) struct InvalidCloud(String);

impl InvalidCloud {
    /// What a valid one looks like.
    pub(crate) fn hint(_: &Self) -> String {
        "use `huawei`, `otc` or a domain such as `cloud.example.com`".to_owned()
    }
}

impl Cloud {
    /// Those that have a name; any other goes by its domain.
    pub(crate) const NAMES: [&'static str; 2] = ["huawei", "otc"];

    /// Reads `huawei`, `otc` or a domain.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidCloud> {
        let [huawei, otc] = Self::NAMES;
        match text {
            _ if text == huawei => Ok(Self::Huawei),
            _ if text == otc => Ok(Self::Otc),
            _ => {
                let is_label = |label: &str| {
                    !label.is_empty()
                        && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                        && !label.starts_with('-')
                        && !label.ends_with('-')
                };
                if text.contains('.') && text.len() <= 253 && text.split('.').all(is_label) {
                    Ok(Self::Domain(text.to_ascii_lowercase()))
                } else {
                    Err(InvalidCloud(sanitize(text)))
                }
            }
        }
    }

    /// The cloud that a region's name gives away; Huawei Cloud where nothing else is known.
    pub fn of_region(region: &Region) -> Self {
        match region.as_str() {
            region if OTC_REGIONS.contains(&region) => Self::Otc,
            _ => Self::Huawei,
        }
    }

    /// The one cloud that has this region; `None` where it is not known.
    pub(crate) fn that_has(region: &Region) -> Option<Self> {
        let is_of = |regions: &[&str]| regions.contains(&region.as_str());
        match (is_of(&OTC_REGIONS), is_of(&HUAWEI_REGIONS)) {
            (true, false) => Some(Self::Otc),
            (false, true) => Some(Self::Huawei),
            _ => None,
        }
    }

    /// The regions that are known, each cloud's together.
    pub fn known_regions() -> impl Iterator<Item = Region> {
        let all = OTC_REGIONS.into_iter().chain(HUAWEI_REGIONS);
        all.filter_map(|region| Region::parse(region).ok())
    }

    /// Where a region is, for people; empty where that is not known.
    pub fn place_of(region: &Region) -> &'static str {
        places::of(region.as_str())
    }

    /// For people.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Huawei => "Huawei Cloud",
            Self::Otc => "Open Telekom Cloud",
            Self::Domain(domain) => domain,
        }
    }

    /// The text that parses back.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Huawei => "huawei",
            Self::Otc => "otc",
            Self::Domain(domain) => domain,
        }
    }

    /// CCE's endpoint in a region.
    pub fn cce(&self, region: &Region) -> Endpoint {
        self.service("cce", region)
    }

    /// IAM's endpoint in a region.
    pub fn iam(&self, region: &Region) -> Endpoint {
        match self {
            Self::Otc if region.as_str() == "eu-ch2" => self.service("iam-pub", region),
            // HCS answers at the API gateway's name (its Terraform provider).
            Self::Domain(domain) => Endpoint::of_host(format!("iam-apigateway-proxy.{domain}")),
            _ => self.service("iam", region),
        }
    }

    /// The IAMs that know the projects of all regions together, each with a region at which to sign in for it. The Swiss part of Open
    /// Telekom Cloud is a cloud of its own.
    pub(crate) fn iam_of_all_regions(&self) -> Vec<(Region, Endpoint)> {
        let (regions, of_all) = match self {
            Self::Huawei => (&["cn-north-4"][..], Some("iam.myhuaweicloud.com")),
            Self::Otc => (&["eu-de", "eu-nl"][..], None),
            // One for the whole installation, whatever its regions are called.
            Self::Domain(_) => (&["region"][..], None),
        };
        let with_iam = |region: Region| {
            let of_all = of_all.map(|host| Endpoint::of_host(host.to_owned()));
            let iam = of_all.unwrap_or_else(|| self.iam(&region));
            (region, iam)
        };
        let regions = regions.iter().filter_map(|region| Region::parse(region).ok());
        regions.map(with_iam).collect()
    }

    /// The endpoint of STS in a region; not every region has one.
    pub(crate) fn sts(&self, region: &Region) -> Endpoint {
        self.service("sts", region)
    }

    /// Where clients of the Identity Center of a region register and poll; only Huawei Cloud has one.
    pub(crate) fn identity_center(&self, region: &Region) -> Endpoint {
        self.service("oidc", region)
    }

    /// The API of the Identity Center's portal: one for all regions.
    pub(crate) fn identity_center_portal(&self) -> Endpoint {
        let domain = match self {
            Self::Domain(domain) => domain,
            Self::Huawei | Self::Otc => "myhuaweicloud.com",
        };
        Endpoint::of_host(format!("portal-identitycenter.{domain}"))
    }

    /// Whether `host` is one of this cloud's.
    pub(crate) fn has_host(&self, host: &str) -> bool {
        self.domains().into_iter().any(|domain| is_below(host, domain))
    }

    /// The domains below which its services answer. Accounts of one are none of another.
    pub(crate) fn domains(&self) -> Vec<&str> {
        match self {
            Self::Huawei => vec!["myhuaweicloud.com", "myhuaweicloud.eu"],
            Self::Otc => vec!["otc.t-systems.com", "sc.otc.t-systems.com"],
            Self::Domain(domain) => vec![domain],
        }
    }

    /// The one of [`Self::domains`] that a region lies in.
    pub(crate) fn domain_in(&self, region: &Region) -> &str {
        match self {
            // The European site; `eu-west-0` is not part of it.
            Self::Huawei if region.as_str().starts_with("eu-west-1") => "myhuaweicloud.eu",
            Self::Huawei => "myhuaweicloud.com",
            Self::Otc if region.as_str() == "eu-ch2" => "sc.otc.t-systems.com",
            Self::Otc => "otc.t-systems.com",
            Self::Domain(domain) => domain,
        }
    }

    /// Whether the domain is one of the clouds that are known without being named.
    pub(crate) fn is_built_in(domain: &str) -> bool {
        [Self::Huawei, Self::Otc]
            .iter()
            .any(|cloud| cloud.domains().contains(&domain))
    }

    /// The well-known domain, with its cloud, at which CCE, IAM or STS answers under this host name. Other names below the same domain
    /// may be customers' (buckets, gateways).
    pub(crate) fn of_service(host: &str) -> Option<(Self, &'static str)> {
        let host = host.to_ascii_lowercase();
        let domains = [
            (Self::Huawei, "myhuaweicloud.com"),
            (Self::Huawei, "myhuaweicloud.eu"),
            (Self::Otc, "sc.otc.t-systems.com"),
            (Self::Otc, "otc.t-systems.com"),
        ];
        domains.into_iter().find(|(_, domain)| {
            let name = host.strip_suffix(domain).and_then(|rest| rest.strip_suffix('.'));
            let (service, region) = name.map_or(("", None), |name| match name.split_once('.') {
                Some((service, region)) => (service, Some(region)),
                None => (name, None),
            });
            // IAM's own name is good for all regions.
            let is_of_region = region.is_none_or(|region| Region::parse(region).is_ok());
            SERVICES.contains(&service) && is_of_region && (region.is_some() || service == "iam")
        })
    }

    /// The region that a service's well-known host name is made of, if no cloud is known to have it.
    pub(crate) fn unknown_region_of(host: &str) -> Option<Region> {
        let (_, domain) = Self::of_service(host)?;
        let name = host.strip_suffix(domain)?.strip_suffix('.')?;
        let region = Region::parse(name.split_once('.')?.1).ok()?;
        Self::that_has(&region).is_none().then_some(region)
    }

    /// The known regions whose names are most like this one, the nearest first.
    pub(crate) fn regions_like(region: &Region) -> Vec<Region> {
        let known: Vec<Region> = Self::known_regions().collect();
        let near = near(region.as_str(), known.iter().map(Region::as_str), ALIKE);
        let near = near.into_iter().take(MOST_LIKE);
        near.filter_map(|name| Region::parse(name).ok()).collect()
    }

    fn service(&self, service: &str, region: &Region) -> Endpoint {
        Endpoint::of_host(format!("{service}.{region}.{}", self.domain_in(region)))
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}
