//! The answer of `clustercert`: a kubeconfig, of which only CA data, https server URLs and the key pair are taken. Users' other
//! fields, exec entries, proxies and extensions are never looked at.

use crate::certificate::{ClientCert, ClientCertError};
use crate::host::Skew;
use crate::ids::Endpoint;
use crate::lifetime::CertLifetime;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, TimeDelta, Utc};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

/// A certificate may begin this much after the server's own time and still be good: clocks within a cloud differ a little.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(60);

/// A granted lifetime that differs by no more than this is the one that was asked for.
pub(crate) const LIFETIME_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// A fresh client certificate and where to use it.
#[derive(Debug, Clone)]
pub struct ClusterCert {
    /// The certificate and its key.
    pub cert: ClientCert,
    /// The cluster's certificate authorities as PEM, without the text that CCE puts before them.
    pub ca_pem: Option<String>,
    /// The https servers that the answer names, each once, in its order.
    pub servers: Vec<Endpoint>,
    /// Those of them that custom SAN contexts name.
    pub custom_san_servers: Vec<Endpoint>,
    /// The server's clock when it answered, else ours.
    pub(crate) server_time: DateTime<Utc>,
    /// How that clock stands to ours.
    pub(crate) skew: Skew,
}

/// Why an answer of `clustercert` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClusterCertError {
    /// Not the shape of a kubeconfig, or a part is missing.
    #[error("it holds no {0}")]
    Missing(&'static str),
    /// A `*-data` field that is not base64.
    #[error("its {0} is not base64")]
    NotBase64(&'static str),
    /// The CA data holds no certificate.
    #[error("its CA data is malformed")]
    MalformedCa,
    /// The certificate or its key is unusable.
    #[error(transparent)]
    Cert(#[from] ClientCertError),
    /// The certificate is over.
    #[error("its certificate expired at {0}")]
    Expired(DateTime<Utc>),
    /// The certificate begins later, even by the server's own clock.
    #[error("its certificate is not valid before {0}")]
    NotYetValid(DateTime<Utc>),
}

impl ClusterCertError {
    /// What to do next.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Expired(_) | Self::NotYetValid(_) => {
                "the cloud's clock or the cluster's may be wrong: try again, then open a ticket with the cloud"
            }
            _ => "check that the endpoint is CCE's own; if it is, open a ticket with the cloud",
        }
    }
}

impl ClusterCert {
    /// Reads the answer. `server_time` decides whether the certificate is valid now: our own clock may be wrong, by `skew`.
    pub fn from_json(json: &Value, server_time: DateTime<Utc>, skew: Skew) -> Result<Self, ClusterCertError> {
        let cert = client_cert(json)?;
        if cert.not_after <= server_time {
            return Err(ClusterCertError::Expired(cert.not_after));
        }
        if cert.not_before > server_time + CLOCK_TOLERANCE {
            return Err(ClusterCertError::NotYetValid(cert.not_before));
        }
        let clusters: Vec<(&str, &Value)> = named(json, "clusters", "cluster").collect();
        let custom_san_names: Vec<&str> = named(json, "contexts", "context")
            .filter(|(name, _)| name.starts_with("customSAN"))
            .filter_map(|(_, context)| context.get("cluster")?.as_str())
            .collect();
        let (mut servers, mut custom_san_servers) = (Vec::new(), Vec::new());
        let mut ca_pem = None;
        // Several clusters may bear one name (`externalCluster`), so nothing is looked up by name.
        for (name, cluster) in clusters {
            if let Some(data) = cluster
                .get("certificate-authority-data")
                .and_then(Value::as_str)
                .filter(|d| !d.is_empty())
            {
                let pem = decode(data, "CA data")?;
                ca_pem = Some(certificates_only(pem.expose())?); // certificates are public
            }
            let server = cluster
                .get("server")
                .and_then(Value::as_str)
                .and_then(|url| Endpoint::parse(url).ok());
            let Some(server) = server.filter(|url| url.as_str().starts_with("https://")) else {
                continue;
            };
            if custom_san_names.contains(&name) && !custom_san_servers.contains(&server) {
                custom_san_servers.push(server.clone());
            }
            if !servers.contains(&server) {
                servers.push(server);
            }
        }
        Ok(Self {
            cert,
            ca_pem,
            servers,
            custom_san_servers,
            server_time,
            skew,
        })
    }

    /// How long it lives from now on.
    pub(crate) fn granted(&self) -> TimeDelta {
        self.cert.not_after - self.server_time
    }

    /// The whole days of `duration` were granted although `asked` is another span: `expire_at` was not looked at.
    pub(crate) fn lives_whole_days(&self, lifetime: CertLifetime, asked: TimeDelta) -> bool {
        let is_about = |span: TimeDelta| (self.granted() - span).abs() <= LIFETIME_TOLERANCE;
        let days = TimeDelta::try_days(lifetime.whole_days()).unwrap_or_default();
        is_about(days) && !is_about(asked)
    }
}

/// The key pair of the user that the contexts name, else of the first one that has a pair.
fn client_cert(json: &Value) -> Result<ClientCert, ClusterCertError> {
    let context_user = named(json, "contexts", "context").find_map(|(_, context)| context.get("user")?.as_str());
    let pair = |user: &Value| {
        let text = |name| user.get(name).and_then(Value::as_str).map(str::to_owned);
        Some((text("client-certificate-data")?, Secret::new(text("client-key-data")?)))
    };
    let users: Vec<(&str, &Value)> = named(json, "users", "user").collect();
    let chosen = users
        .iter()
        .filter(|(name, _)| context_user.is_none_or(|wanted| wanted == *name))
        .find_map(|(_, user)| pair(user));
    let (certificate, key) = chosen.ok_or(ClusterCertError::Missing("client certificate"))?;
    let certificate = decode(&certificate, "client certificate")?;
    let key = decode(key.expose(), "client key")?; // decoded and parsed here, kept in `ClientCert`
    // Both are read there; the key goes back into a `Secret`.
    Ok(ClientCert::from_pem(certificate.expose(), key.expose())?)
}

/// The named entries of a kubeconfig's list: `clusters` of `cluster`, and so on.
fn named<'a>(json: &'a Value, list: &str, item: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let entries = json.get(list).and_then(Value::as_array).into_iter().flatten();
    entries.filter_map(move |entry| Some((entry.get("name").and_then(Value::as_str)?, entry.get(item)?)))
}

fn decode(data: &str, what: &'static str) -> Result<Secret<Vec<u8>>, ClusterCertError> {
    let compact: String = data.split_ascii_whitespace().collect();
    let bytes = BASE64.decode(zeroize::Zeroizing::new(compact).as_bytes());
    bytes.map(Secret::new).map_err(|_| ClusterCertError::NotBase64(what))
}

/// The PEM blocks alone: CCE's CA data may begin with OpenSSL's text form of the certificate.
fn certificates_only(pem: &[u8]) -> Result<String, ClusterCertError> {
    let blocks: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| ClusterCertError::MalformedCa)?;
    if blocks.is_empty() {
        return Err(ClusterCertError::MalformedCa);
    }
    Ok(blocks
        .iter()
        .map(|der| crate::certificate::pem("CERTIFICATE", der))
        .collect())
}
