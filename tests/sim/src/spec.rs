//! Clusters as a test describes them, and what it gets to know about them.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// The shape of `status.endpoints`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointsShape {
    /// `[{"url": …, "type": "Internal"}, …]`
    #[default]
    HuaweiList,
    /// `{"internal": …, "external": …, "external_otc": …}`
    OtcObject,
    /// `[{"Internal": …}, {"External": …}, {"external_otc": …}]`
    OtcList,
}

/// The private key in `clustercert` answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyFormat {
    /// `BEGIN RSA PRIVATE KEY`, 2048 bits.
    #[default]
    Pkcs1,
    /// `BEGIN PRIVATE KEY`, RSA with 2048 bits.
    Pkcs8,
    /// `BEGIN EC PRIVATE KEY`, P-256.
    Sec1,
    /// `BEGIN PRIVATE KEY`, P-256.
    Pkcs8Ec,
}

/// A cluster to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub struct ClusterSpec {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.alias`; the name when absent (OTC shapes show none at all).
    pub alias: Option<String>,
    /// The project's name or id.
    pub project: String,
    /// `spec.version`, such as `v1.29`; `spec.platformVersion` and the API server's version follow from it.
    pub version: String,
    /// The release behind the version, such as `v1.29.6-r0`; made up when absent.
    pub release: Option<String>,
    /// `status.phase`.
    pub phase: String,
    /// `spec.category`: `CCE` or `Turbo`; always the latter with `autopilot`.
    pub category: String,
    /// An external address is bound.
    pub eip: bool,
    /// Names or addresses the server certificate has besides its own; each gets a `customSAN-N` context.
    pub custom_sans: Vec<String>,
    /// `spec.authentication.mode`: `rbac` or `authenticating_proxy`.
    pub authentication_mode: String,
    /// The shape of `status.endpoints`.
    pub endpoints: EndpointsShape,
    /// The private key's form.
    pub key_format: KeyFormat,
    /// CA data begins with an OpenSSL text dump.
    pub ca_text_dump: bool,
    /// Lives under `/autopilot/v3` instead of `/api/v3`.
    pub autopilot: bool,
    /// With `autopilot`: the ordinary list names it too, without a word about what it is.
    pub in_both_lists: bool,
    /// The API server listens on the internal address too.
    pub internal_reachable: bool,
    /// The API server is none of ours: nothing is listened on for this cluster, and this is where it is.
    pub elsewhere: Option<Elsewhere>,
}

/// Where an API server is that the test brings along.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elsewhere {
    /// Its own address.
    pub internal: SocketAddr,
    /// The address that leads to it from outside.
    pub external: SocketAddr,
}

impl Default for ClusterSpec {
    fn default() -> Self {
        Self {
            name: "prod".to_owned(),
            alias: None,
            project: "cn-north-4".to_owned(),
            version: "v1.29".to_owned(),
            release: None,
            phase: "Available".to_owned(),
            category: "CCE".to_owned(),
            eip: true,
            custom_sans: Vec::new(),
            authentication_mode: "rbac".to_owned(),
            endpoints: EndpointsShape::default(),
            key_format: KeyFormat::default(),
            ca_text_dump: false,
            autopilot: false,
            in_both_lists: false,
            internal_reachable: false,
            elsewhere: None,
        }
    }
}

impl ClusterSpec {
    /// The release: as given, else made up.
    pub(crate) fn release(&self) -> String {
        self.release.clone().unwrap_or_else(|| format!("{}.6-r0", self.version))
    }

    /// `cce.X.Y` of release `va.b.X-rY`.
    pub(crate) fn platform_version(&self) -> String {
        let release = self.release();
        let (version, number) = release.split_once("-r").unwrap_or((&release, "0"));
        let patch = version.rsplit('.').next().unwrap_or("0");
        format!("cce.{patch}.{number}")
    }

    /// The default cluster under another name.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }
}

/// A cluster as it is now.
#[derive(Clone, Debug, Serialize)]
pub struct ClusterInfo {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.name`.
    pub name: String,
    /// The id of its project.
    pub project_id: String,
    /// Its internal endpoint; nothing listens there unless the spec says so.
    pub internal_url: String,
    /// Its external endpoint, if it has one.
    pub external_url: Option<String>,
    /// The CA of its certificates, PEM.
    pub ca_pem: String,
    /// The CA of the client certificates that it takes, PEM: the same one, until [`crate::Sim::renew_client_authority`].
    pub client_ca_pem: String,
    /// The port of the external endpoint.
    pub api_server_port: u16,
}
