//! A cluster: its addresses, its CA, the certificates it issued and no longer accepts.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, Utc};
use rcgen::ExtendedKeyUsagePurpose;
use tokio_rustls::rustls::{ServerConfig, pki_types::CertificateDer, server::danger::ClientCertVerifier};

use crate::{
    behaviour::ApiServerCertificate,
    keys::PooledKey,
    listener::Listener,
    pki::{Authority, ClientCertificate, ServerIdentity, Subject, Validity},
    records::{ApiRecorded, Records},
    spec::{ClusterInfo, ClusterSpec},
    tls,
    world::lock,
};

/// A cluster.
pub(crate) struct Cluster {
    pub(crate) uid: String,
    pub(crate) spec: ClusterSpec,
    pub(crate) project_id: String,
    pub(crate) created: DateTime<Utc>,
    pub(crate) internal: SocketAddr,
    pub(crate) external: Option<SocketAddr>,
    pub(crate) records: Mutex<Records<ApiRecorded>>,
    pub(crate) phase: Mutex<String>,
    /// The API server's ports.
    pub(crate) listener: Listener,
    credentials: Mutex<Credentials>,
}

/// Where a cluster is.
pub(crate) struct Addresses {
    pub(crate) internal: SocketAddr,
    pub(crate) external: Option<SocketAddr>,
}

/// A client certificate that was issued, and to whom.
struct Issued {
    serial: String,
    common_name: String,
    is_agency: bool,
}

struct Credentials {
    authority: Arc<Authority>,
    client_authority: Arc<Authority>,
    verifier: Arc<dyn ClientCertVerifier>,
    issued: Vec<Issued>,
    revoked: HashSet<String>,
    tls: HashMap<ApiServerCertificate, Arc<ServerConfig>>,
}

impl Credentials {
    fn new(now: DateTime<Utc>) -> Self {
        let authority = Arc::new(Authority::new("CCE", "CCE", Validity::long(now)));
        Self {
            verifier: tls::client_verifier(&authority),
            client_authority: Arc::clone(&authority),
            authority,
            issued: Vec::new(),
            revoked: HashSet::new(),
            tls: HashMap::new(),
        }
    }
}

impl Cluster {
    pub(crate) fn new(
        uid: String,
        spec: ClusterSpec,
        project_id: String,
        addresses: &Addresses,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            uid,
            project_id,
            created: now,
            internal: addresses.internal,
            external: addresses.external,
            records: Mutex::default(),
            phase: Mutex::new(spec.phase.clone()),
            listener: Listener::default(),
            credentials: Mutex::new(Credentials::new(now)),
            spec,
        }
    }

    pub(crate) fn is_called(&self, name_or_uid: &str) -> bool {
        self.uid == name_or_uid || self.spec.name == name_or_uid || self.spec.alias.as_deref() == Some(name_or_uid)
    }

    pub(crate) fn internal_url(&self) -> String {
        format!("https://{}", self.internal)
    }

    pub(crate) fn external_url(&self) -> Option<String> {
        self.external.map(|address| format!("https://{address}"))
    }

    pub(crate) fn port(&self) -> u16 {
        self.external.unwrap_or(self.internal).port()
    }

    pub(crate) fn phase(&self) -> String {
        lock(&self.phase).clone()
    }

    /// Nothing runs in a cluster that sleeps, is being made or is gone.
    pub(crate) fn has_api_server(&self) -> bool {
        !matches!(
            self.phase().as_str(),
            "Hibernation" | "Hibernating" | "Awaking" | "Creating" | "Deleting" | "Error" | "Empty" | "Unavailable"
        )
    }

    pub(crate) fn info(&self) -> ClusterInfo {
        ClusterInfo {
            uid: self.uid.clone(),
            name: self.spec.name.clone(),
            project_id: self.project_id.clone(),
            internal_url: self.internal_url(),
            external_url: self.external_url(),
            ca_pem: self.authority().pem(),
            client_ca_pem: lock(&self.credentials).client_authority.pem(),
            api_server_port: self.port(),
        }
    }

    pub(crate) fn authority(&self) -> Arc<Authority> {
        Arc::clone(&lock(&self.credentials).authority)
    }

    pub(crate) fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::clone(&lock(&self.credentials).verifier)
    }

    pub(crate) fn issue(&self, key: &PooledKey, subject: &Subject<'_>, validity: Validity) -> ClientCertificate {
        let mut credentials = lock(&self.credentials);
        let certificate = credentials.client_authority.client(&key.pair, subject, validity);
        credentials.issued.push(Issued {
            serial: certificate.serial.clone(),
            common_name: subject.common_name.to_owned(),
            is_agency: subject.is_agency,
        });
        certificate
    }

    /// Every certificate issued to this user, or to this agency, until now is refused from now on.
    pub(crate) fn revoke(&self, id: &str, is_agency: bool) {
        let mut credentials = lock(&self.credentials);
        let credentials = &mut *credentials;
        let issued = credentials.issued.iter();
        let theirs = issued.filter(|issued| issued.common_name == id && issued.is_agency == is_agency);
        credentials.revoked.extend(theirs.map(|issued| issued.serial.clone()));
    }

    pub(crate) fn is_revoked(&self, serial: &str) -> bool {
        lock(&self.credentials).revoked.contains(serial)
    }

    /// A new CA and server certificate; everything issued before is refused.
    pub(crate) fn rotate(&self, now: DateTime<Utc>) {
        *lock(&self.credentials) = Credentials::new(now);
    }

    /// Client certificates come from a new CA, and those of the one before are refused; the server's certificate stays.
    pub(crate) fn renew_client_authority(&self, now: DateTime<Utc>) {
        let authority = Authority::new("CCE", "CCE", Validity::long(now));
        let mut credentials = lock(&self.credentials);
        credentials.verifier = tls::client_verifier(&authority);
        credentials.client_authority = Arc::new(authority);
    }

    /// What the API server shows by right.
    pub(crate) fn server_identity(&self, now: DateTime<Utc>) -> ServerIdentity {
        let names = self.server_names();
        let validity = Validity::long(now);
        self.authority()
            .server(&names, ExtendedKeyUsagePurpose::ServerAuth, validity)
    }

    /// The TLS configuration that shows this certificate.
    pub(crate) fn tls(&self, certificate: ApiServerCertificate, now: DateTime<Utc>) -> Arc<ServerConfig> {
        let mut credentials = lock(&self.credentials);
        if let Some(config) = credentials.tls.get(&certificate) {
            return Arc::clone(config);
        }
        let authority = &credentials.authority;
        let validity = Validity::long(now);
        let names = self.server_names();
        let identity = match certificate {
            ApiServerCertificate::Normal => authority.server(&names, ExtendedKeyUsagePurpose::ServerAuth, validity),
            ApiServerCertificate::NodeName => {
                let node = ["node-1".to_owned(), "127.99.0.7".to_owned()];
                authority.server(&node, ExtendedKeyUsagePurpose::ServerAuth, validity)
            }
            ApiServerCertificate::AddressOnly => {
                let address = [self.internal.ip().to_string()];
                authority.server(&address, ExtendedKeyUsagePurpose::ServerAuth, validity)
            }
            ApiServerCertificate::OtherCa => {
                let other = Authority::new("CCE", "CCE", validity);
                other.server(&names, ExtendedKeyUsagePurpose::ServerAuth, validity)
            }
            ApiServerCertificate::ClientAuthOnlyEku => {
                authority.server(&names, ExtendedKeyUsagePurpose::ClientAuth, validity)
            }
            ApiServerCertificate::Expired => {
                let ended = Validity {
                    not_after: now - chrono::Duration::days(1),
                    ..validity
                };
                authority.server(&names, ExtendedKeyUsagePurpose::ServerAuth, ended)
            }
        };
        let config = tls::api_server(identity, authority);
        credentials.tls.insert(certificate, Arc::clone(&config));
        config
    }

    /// The internal address, but not the external one: as on CCE.
    fn server_names(&self) -> Vec<String> {
        let names = [
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
        ];
        let mut names: Vec<_> = names.map(str::to_owned).to_vec();
        names.push(self.internal.ip().to_string());
        names.extend(self.spec.custom_sans.iter().cloned());
        names
    }
}

/// What a client certificate says about its holder.
pub(crate) struct Holder {
    pub(crate) serial: String,
    pub(crate) common_name: String,
    pub(crate) organizations: Vec<String>,
    pub(crate) not_after: i64,
}

/// Reads a client certificate; `None` if it is no X.509 certificate.
pub(crate) fn holder(certificate: &CertificateDer<'_>) -> Option<Holder> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let subject = certificate.subject();
    let text = |value: &x509_parser::x509::AttributeTypeAndValue<'_>| value.as_str().unwrap_or_default().to_owned();
    Some(Holder {
        serial: crate::pki::hex(certificate.raw_serial()),
        common_name: subject.iter_common_name().next().map(text).unwrap_or_default(),
        organizations: subject.iter_organization().map(text).collect(),
        not_after: certificate.validity().not_after.timestamp(),
    })
}
