//! Certificate authorities and what they issue.

use std::{fmt::Write as _, net::IpAddr};

use chrono::{DateTime, Utc};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};
use ring::rand::{SecureRandom, SystemRandom};
use time::OffsetDateTime;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
}

/// A certificate with its key, for a TLS server.
pub(crate) struct ServerIdentity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    pub(crate) certificate_pem: String,
    pub(crate) key_pem: String,
}

/// First and last moment of a certificate; whole seconds count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Validity {
    pub(crate) not_before: DateTime<Utc>,
    pub(crate) not_after: DateTime<Utc>,
}

impl Validity {
    /// A year back, five ahead: also right for a client or a cloud whose clock is wrong.
    pub(crate) fn long(now: DateTime<Utc>) -> Self {
        Self {
            not_before: now - chrono::Duration::days(365),
            not_after: now + chrono::Duration::days(5 * 365),
        }
    }
}

/// Who a client certificate is for.
pub(crate) struct Subject<'a> {
    pub(crate) common_name: &'a str,
    /// The name is an agency's id; nothing in the certificate tells.
    pub(crate) is_agency: bool,
    /// At most two: the certificate library keeps one value per attribute, and the second is smuggled in by its number.
    pub(crate) organizations: &'a [String],
}

/// A client certificate.
pub(crate) struct ClientCertificate {
    pub(crate) pem: String,
    pub(crate) serial: String,
}

impl Authority {
    pub(crate) fn new(organization: &str, common_name: &str, validity: Validity) -> Self {
        let key = KeyPair::generate().expect("a P-256 key can be generated");
        let mut params = params(validity);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, organization);
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let certificate = params.self_signed(&key).expect("the CA can sign itself");
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// What `openssl x509 -text` prints before the PEM, shortened.
    pub(crate) fn text_dump_and_pem(&self) -> String {
        let mut text =
            "Certificate:\n    Data:\n        Version: 3 (0x2)\n        Serial Number:\n            ".to_owned();
        let bytes = self.certificate.der().iter().take(16);
        text.push_str(&bytes.map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"));
        text.push_str(
            "\n    Signature Algorithm: ecdsa-with-SHA256\n        Issuer: O=CCE, CN=CCE\n        Subject: O=CCE, CN=CCE\n",
        );
        text + &self.pem()
    }

    /// A server certificate and its key.
    pub(crate) fn server(
        &self,
        names: &[String],
        purpose: ExtendedKeyUsagePurpose,
        validity: Validity,
    ) -> ServerIdentity {
        let key = KeyPair::generate().expect("a P-256 key can be generated");
        let mut params = params(validity);
        let common_name = names.first().map_or("kubernetes", String::as_str);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.subject_alt_names = names.iter().filter_map(|name| alternative_name(name)).collect();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![purpose];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).expect("the CA can sign");
        ServerIdentity {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        }
    }

    /// A client certificate for somebody else's key pair.
    pub(crate) fn client(&self, key: &KeyPair, subject: &Subject<'_>, validity: Validity) -> ClientCertificate {
        let mut params = params(validity);
        params.distinguished_name = DistinguishedName::new();
        let attributes = [DnType::OrganizationName, DnType::CustomDnType(vec![2, 5, 4, 10])];
        for (attribute, organization) in attributes.into_iter().zip(subject.organizations) {
            params.distinguished_name.push(attribute, organization.as_str());
        }
        params.distinguished_name.push(DnType::CommonName, subject.common_name);
        let serial = random_serial();
        params.serial_number = Some(SerialNumber::from(serial.clone()));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(key, &self.issuer).expect("the CA can sign");
        ClientCertificate {
            pem: certificate.pem(),
            serial: hex(&serial),
        }
    }
}

fn params(validity: Validity) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = offset_date_time(validity.not_before);
    params.not_after = offset_date_time(validity.not_after);
    params
}

fn offset_date_time(moment: DateTime<Utc>) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(moment.timestamp()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn alternative_name(name: &str) -> Option<SanType> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Some(SanType::IpAddress(address));
    }
    name.try_into().ok().map(SanType::DnsName)
}

/// Sixteen bytes that are a positive number without a leading zero.
fn random_serial() -> Vec<u8> {
    let mut serial = random_bytes::<16>();
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    serial.to_vec()
}

pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the system has random bytes");
    bytes
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// 32 hexadecimal digits, as IAM's ids.
pub(crate) fn random_id() -> String {
    hex(&random_bytes::<16>())
}

/// A random UUID.
pub(crate) fn random_uuid() -> String {
    let digits = random_id();
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().to_owned();
    format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}
