//! A cluster as CCE describes it. Every field but name and id may be missing, null or of another shape.

use crate::ids::{ClusterId, ClusterName, Endpoint};
use serde_json::Value;

/// What we call the category of clusters that have a path of their own.
const AUTOPILOT: &str = "Autopilot";
/// Their only flavor (api-cce `CreateAutopilotCluster`); their `category` is that of others.
const AUTOPILOT_FLAVOR: &str = "cce.autopilot.cluster";

/// A cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The UUID.
    pub id: ClusterId,
    /// The immutable name.
    pub name: String,
    /// The display name, which can be changed; absent on Open Telekom Cloud.
    pub(crate) alias: Option<String>,
    /// `v1.29`, …
    pub version: String,
    /// `v1.29.6-r0`, as far as it is known: `v1.29` of platform version `cce.6.0`.
    pub(crate) release: String,
    /// `rbac` or `authenticating_proxy`.
    pub(crate) authentication_mode: String,
    /// `Available`, `Hibernation`, …
    pub(crate) phase: String,
    /// Why the phase is what it is.
    pub(crate) reason: String,
    /// `CCE`, `Turbo`, `Autopilot`, …
    pub(crate) category: String,
    /// The flavor says whether it is an Autopilot cluster; else only the list does in which it stands.
    pub(crate) is_told_by_flavor: bool,
    /// Where the API server answers.
    pub(crate) endpoints: Vec<ClusterEndpoint>,
    /// Names that the API server's certificate was made for besides the usual ones.
    pub(crate) custom_sans: Vec<String>,
}

/// One address of an API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterEndpoint {
    /// From where it can be reached.
    pub(crate) access: Access,
    /// The https URL.
    pub(crate) url: Endpoint,
}

/// From where an endpoint can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// From within the VPC.
    Internal,
    /// From the internet, through an elastic IP.
    External,
}

impl Cluster {
    /// Reads an item of the list or the answer for one cluster; `None` without a valid name and id.
    pub fn from_json(json: &Value) -> Option<Self> {
        let text = |path: &[&str]| {
            let value = path.iter().try_fold(json, |value, name| value.get(name));
            value.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let name = ClusterName::parse(&text(&["metadata", "name"])).ok()?.to_string();
        let flavor = text(&["spec", "flavor"]);
        let is_autopilot = flavor == AUTOPILOT_FLAVOR;
        let custom_sans = json.pointer("/spec/customSan").and_then(Value::as_array);
        Some(Self {
            id: ClusterId::parse(&text(&["metadata", "uid"])).ok()?,
            name,
            alias: Some(text(&["metadata", "alias"])).filter(|alias| !alias.is_empty()),
            version: text(&["spec", "version"]),
            release: release(&text(&["spec", "version"]), &text(&["spec", "platformVersion"])),
            authentication_mode: text(&["spec", "authentication", "mode"]),
            phase: text(&["status", "phase"]),
            reason: [text(&["status", "reason"]), text(&["status", "message"])]
                .into_iter()
                .find(|t| !t.is_empty())
                .unwrap_or_default(),
            category: if is_autopilot {
                AUTOPILOT.to_owned()
            } else {
                text(&["spec", "category"])
            },
            is_told_by_flavor: !flavor.is_empty(),
            endpoints: json.pointer("/status/endpoints").map(endpoints).unwrap_or_default(),
            custom_sans: custom_sans
                .into_iter()
                .flatten()
                .filter_map(|san| san.as_str().map(str::to_owned))
                .collect(),
        })
    }

    /// The API server cannot answer in this phase; the text is what to do about it.
    pub fn unreachable_because(&self) -> Option<&'static str> {
        match self.phase.as_str() {
            "Hibernation" | "Hibernating" => {
                Some("wake it up in the CCE console (Hibernation > Wake up), then try again")
            }
            "Awaking" => Some("it is waking up: try again in a few minutes"),
            "Creating" => Some("it is being created: try again in a few minutes"),
            "Deleting" => Some("it is being deleted: choose another one with `--cluster`"),
            "Unavailable" | "Error" => Some("look at the cluster's state in the CCE console"),
            _ => None,
        }
    }

    /// The same, known as an Autopilot cluster by the list it came from.
    #[must_use]
    pub(crate) fn into_autopilot(self) -> Self {
        Self {
            category: AUTOPILOT.to_owned(),
            ..self
        }
    }

    /// Its path at CCE is another one.
    pub(crate) fn is_autopilot(&self) -> bool {
        self.category.eq_ignore_ascii_case(AUTOPILOT)
    }

    /// The URL leads to one of its endpoints for this kind of access.
    pub(crate) fn is_at(&self, access: Access, url: &Endpoint) -> bool {
        self.endpoints_for(access)
            .any(|own| own.host_and_port() == url.host_and_port())
    }

    /// The endpoints for this kind of access.
    pub fn endpoints_for(&self, access: Access) -> impl Iterator<Item = &Endpoint> {
        self.endpoints
            .iter()
            .filter(move |endpoint| endpoint.access == access)
            .map(|endpoint| &endpoint.url)
    }
}

/// `va.b` of platform version `cce.X.Y` is release `va.b.X-rY` (the SDK's `ClusterSpec.legacyVersion`).
fn release(version: &str, platform_version: &str) -> String {
    let numbers = platform_version
        .strip_prefix("cce.")
        .and_then(|rest| rest.split_once('.'));
    match numbers {
        Some((patch, release)) if version.matches('.').count() == 1 => format!("{version}.{patch}-r{release}"),
        _ => version.to_owned(),
    }
}

/// The three shapes of `status.endpoints`: a list of `{url, type}` (Huawei Cloud), an object by kind (Open Telekom Cloud),
/// a list of one-entry objects by kind (its documentation). `external_otc` is a gateway that kubectl cannot use.
fn endpoints(json: &Value) -> Vec<ClusterEndpoint> {
    let by_kind = |object: &serde_json::Map<String, Value>| -> Vec<(String, String)> {
        let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
        match (text("type"), text("url")) {
            (Some(kind), Some(url)) => vec![(kind, url)],
            _ => object
                .iter()
                .filter_map(|(kind, url)| Some((kind.clone(), url.as_str()?.to_owned())))
                .collect(),
        }
    };
    let pairs = match json {
        Value::Array(items) => items.iter().filter_map(Value::as_object).flat_map(by_kind).collect(),
        Value::Object(object) => by_kind(object),
        _ => Vec::new(),
    };
    let endpoint = |(kind, url): (String, String)| {
        let access = match kind.to_ascii_lowercase().as_str() {
            "internal" => Access::Internal,
            "external" => Access::External,
            _ => return None,
        };
        let url = Endpoint::parse(&url)
            .ok()
            .filter(|url| url.as_str().starts_with("https://"))?;
        Some(ClusterEndpoint { access, url })
    };
    pairs.into_iter().filter_map(endpoint).collect()
}
