//! The client certificate: PEM in, DER kept, PEM out. x509-parser says how long it lives and whose it is.

mod chain;
mod nobody;
mod read;

pub(crate) use chain::check_chain;
pub(crate) use chain::is_issued_by;
pub use nobody::NOBODY;
pub(crate) use nobody::is_nobody;
pub(crate) use read::{
    CertificateFacts, certificates_in, facts_of, first_certificate_in, is_authority, issuer_of, private_key_in,
};

use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Utc};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A client certificate with its chain and its private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCert {
    /// DER, the leaf first.
    pub(crate) chain: Vec<Vec<u8>>,
    /// The key's encoding, which names its PEM label.
    pub(crate) key_kind: KeyKind,
    pub(crate) key: Secret<Vec<u8>>,
    /// The first moment at which the leaf is valid.
    pub(crate) not_before: DateTime<Utc>,
    /// The last moment at which the leaf is valid.
    pub not_after: DateTime<Utc>,
    /// The subject's CN: the user's id, or the agency's.
    pub common_name: String,
}

/// The three encodings of a private key. Old Java clients know only some labels, so the issued one is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// `PRIVATE KEY` (RFC 5958).
    Pkcs8,
    /// `RSA PRIVATE KEY` (RFC 8017).
    Pkcs1,
    /// `EC PRIVATE KEY` (RFC 5915).
    Sec1,
}

impl KeyKind {
    fn label(self) -> &'static str {
        match self {
            Self::Pkcs8 => "PRIVATE KEY",
            Self::Pkcs1 => "RSA PRIVATE KEY",
            Self::Sec1 => "EC PRIVATE KEY",
        }
    }
}

/// Why a certificate and its key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientCertError {
    /// No readable certificate.
    #[error("the client certificate is malformed")]
    MalformedCertificate,
    /// No readable private key of a known kind; encrypted ones included.
    #[error("the client certificate's key is malformed or of an unknown kind")]
    MalformedKey,
    /// The key belongs to another certificate.
    #[error("the client certificate and its key do not belong together")]
    Mismatch,
}

impl ClientCert {
    /// Reads a PEM chain (leaf first; text around the blocks is skipped) and its PEM key, and checks that they belong together.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, ClientCertError> {
        let chain: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(certificates)
            .map(|der| der.map(|der| der.to_vec()))
            .collect::<Result<_, _>>()
            .map_err(|_| ClientCertError::MalformedCertificate)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| ClientCertError::MalformedKey)?;
        let key_kind = read::kind_of(&key);
        let cert = Self::from_der(chain, key_kind, Secret::new(key.secret_der().to_vec()))?;
        cert.check_key_matches(&key)?;
        Ok(cert)
    }

    /// Reads what was stored; the key was checked when it came.
    pub(crate) fn from_der(
        chain: Vec<Vec<u8>>,
        key_kind: KeyKind,
        key: Secret<Vec<u8>>,
    ) -> Result<Self, ClientCertError> {
        let leaf = chain.first().ok_or(ClientCertError::MalformedCertificate)?;
        let CertificateFacts {
            common_name,
            not_before,
            not_after,
        } = facts_of(leaf).ok_or(ClientCertError::MalformedCertificate)?;
        if not_after < not_before {
            return Err(ClientCertError::MalformedCertificate); // no clock would ever find it valid
        }
        Ok(Self {
            chain,
            key_kind,
            key,
            not_before,
            not_after,
            common_name,
        })
    }

    /// The key and the certificate belong together.
    pub(crate) fn check_key(&self) -> Result<(), ClientCertError> {
        // ring looks at it; nothing is kept.
        let key = PrivateKeyDer::from_pem_slice(self.key_pem().expose().as_bytes());
        self.check_key_matches(&key.map_err(|_| ClientCertError::MalformedKey)?)
    }

    fn check_key_matches(&self, key: &PrivateKeyDer<'_>) -> Result<(), ClientCertError> {
        let signing_key =
            rustls::crypto::ring::sign::any_supported_type(key).map_err(|_| ClientCertError::MalformedKey)?;
        let chain = self.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
        match rustls::sign::CertifiedKey::new(chain, signing_key).keys_match() {
            Ok(()) => Ok(()),
            Err(rustls::Error::InvalidCertificate(_)) => Err(ClientCertError::MalformedCertificate),
            Err(_) => Err(ClientCertError::Mismatch),
        }
    }

    /// The chain as PEM, always the same bytes for the same certificate.
    pub fn certificates_pem(&self) -> String {
        self.chain.iter().map(|der| pem("CERTIFICATE", der)).collect()
    }

    /// The key as PEM under the label it came with.
    pub fn key_pem(&self) -> Secret<String> {
        // For kubectl, or for our own TLS client towards the cluster.
        Secret::new(pem(self.key_kind.label(), self.key.expose()))
    }
}

/// One PEM block: 64 characters a line (RFC 7468).
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let body = zeroize::Zeroizing::new(BASE64.encode(der));
    let mut out = String::with_capacity(body.len() + body.len() / 64 + 2 * label.len() + 40);
    out.push_str("-----BEGIN ");
    out.push_str(label);
    out.push_str("-----\n");
    let mut rest = body.as_str();
    while let Some((line, after)) = rest
        .split_at_checked(64.min(rest.len()))
        .filter(|(line, _)| !line.is_empty())
    {
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out.push_str("-----END ");
    out.push_str(label);
    out.push_str("-----\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use cce_sim::{IssuedCertificate, Sim};
    use chrono::TimeDelta;
    use std::time::Duration;

    fn issued(sim: &Sim) -> IssuedCertificate {
        sim.issue_certificate("prod", "alice", Duration::from_secs(3600))
    }

    fn cert(issued: &IssuedCertificate) -> ClientCert {
        ClientCert::from_pem(issued.certificate.as_bytes(), issued.key.as_bytes()).unwrap()
    }

    #[test]
    fn a_certificate_and_its_key_go_in_and_come_out() {
        let sim = Sim::start();
        let issued = issued(&sim);
        let cert = cert(&issued);
        assert_eq!(cert.common_name, sim.user_id("alice"));
        // CCE lets a certificate begin a little before it is asked for.
        assert!(cert.not_after - cert.not_before >= TimeDelta::hours(1));
        assert_eq!(cert.check_key(), Ok(()));
        let (certificates, key) = (cert.certificates_pem(), cert.key_pem());
        for text in [certificates.as_str(), key.expose()] {
            let lines: Vec<&str> = text.lines().collect();
            let (last, full) = lines[1..lines.len() - 1].split_last().unwrap();
            assert!(
                full.iter().all(|line| line.len() == 64) && (1..=64).contains(&last.len()),
                "{text}"
            );
            assert!(text.ends_with("-----\n"));
        }
        let again = ClientCert::from_pem(certificates.as_bytes(), key.expose().as_bytes());
        assert_eq!(again.as_ref(), Ok(&cert));
        let stored = ClientCert::from_der(cert.chain.clone(), cert.key_kind, cert.key.clone());
        assert_eq!(stored.as_ref(), Ok(&cert));
    }

    #[test]
    fn what_does_not_belong_together_or_cannot_be_read_is_none() {
        let sim = Sim::start();
        let (one, other) = (issued(&sim), issued(&sim));
        let read = |certificate: &str, key: &str| ClientCert::from_pem(certificate.as_bytes(), key.as_bytes());
        assert_eq!(read(&one.certificate, &other.key), Err(ClientCertError::Mismatch));
        assert_eq!(read(&one.certificate, "no key"), Err(ClientCertError::MalformedKey));
        assert_eq!(read("none", &one.key), Err(ClientCertError::MalformedCertificate));
        let damaged = one.certificate.replacen("MII", "AAA", 1);
        assert_eq!(read(&damaged, &one.key), Err(ClientCertError::MalformedCertificate));
        let (one, other) = (cert(&one), cert(&other));
        let mixed = ClientCert {
            key: other.key,
            ..one.clone()
        };
        assert_eq!(mixed.check_key(), Err(ClientCertError::Mismatch));
        let key = Secret::new(vec![1, 2, 3]);
        let broken = ClientCert { key, ..one };
        assert_eq!(broken.check_key(), Err(ClientCertError::MalformedKey));
    }

    #[test]
    fn a_certificate_that_ends_before_it_begins_is_none() {
        let sim = Sim::start();
        let (start, end) = (1000, 2000);
        for (valid, is_taken) in [(start..end, true), (start..start, true), (end..start, false)] {
            let issued = sim.cloud_certificate("cce.example", valid.clone());
            let read = ClientCert::from_pem(issued.certificate.as_bytes(), issued.key.as_bytes());
            assert_eq!(read.is_ok(), is_taken, "{valid:?}");
        }
    }

    #[test]
    fn the_key_keeps_the_label_that_it_came_with() {
        let labels = [KeyKind::Pkcs8, KeyKind::Pkcs1, KeyKind::Sec1].map(KeyKind::label);
        assert_eq!(labels, ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]);
        let sim = Sim::start();
        let issued = issued(&sim);
        let label = cert(&issued).key_kind.label();
        assert!(issued.key.contains(&format!("BEGIN {label}")), "{label}");
        for (kind, key) in [
            (KeyKind::Pkcs8, PrivateKeyDer::Pkcs8(vec![1].into())),
            (KeyKind::Pkcs1, PrivateKeyDer::Pkcs1(vec![1].into())),
            (KeyKind::Sec1, PrivateKeyDer::Sec1(vec![1].into())),
        ] {
            assert_eq!(read::kind_of(&key), kind);
        }
    }

    #[test]
    fn a_chain_ends_at_the_authority_that_issued_it() {
        let sim = Sim::start();
        sim.add_cluster(cce_sim::ClusterSpec::named("other"));
        let cert = cert(&issued(&sim));
        let chain: Vec<CertificateDer<'static>> =
            cert.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
        let authority = |name: &str| sim.cluster(name).ca_pem;
        assert!(is_issued_by(&authority("prod"), &chain, cert.not_before));
        assert!(!is_issued_by(&authority("other"), &chain, cert.not_before));
        assert!(!is_issued_by(
            &authority("prod"),
            &chain,
            cert.not_before - TimeDelta::days(36500)
        ));
        assert!(!is_issued_by(&authority("prod"), &[], cert.not_before));
        assert!(!is_issued_by("none", &chain, cert.not_before));
        let authorities = certificates_in(authority("prod").as_bytes()).unwrap();
        assert!(is_authority(&authorities[0]) && !is_authority(&chain[0]) && !is_authority(b"none"));
    }

    #[test]
    fn files_are_read_as_far_as_they_are_certificates() {
        let sim = Sim::start();
        let (one, other) = (issued(&sim), issued(&sim));
        let both = format!("text\n{}between\n{}", one.certificate, other.certificate);
        let found = certificates_in(both.as_bytes()).unwrap();
        let ders = [&one, &other].map(|issued| cert(issued).chain[0].clone());
        assert_eq!(found.iter().map(|der| der.to_vec()).collect::<Vec<_>>(), ders);
        assert_eq!(first_certificate_in(both.as_bytes()).unwrap().to_vec(), ders[0]);
        assert_eq!(certificates_in(b"none"), Some(Vec::new()));
        assert!(first_certificate_in(b"none").is_none());
        let cut = &both.as_bytes()[..both.len() - 40];
        assert_eq!(certificates_in(cut), None);

        let facts = facts_of(&ders[0]).unwrap();
        assert_eq!(facts.common_name, sim.user_id("alice"));
        assert!(facts.not_before < facts.not_after);
        let longer = [ders[0].as_slice(), &[0]].concat();
        assert!(facts_of(&longer).is_none() && facts_of(b"none").is_none());
        let issuer = issuer_of(&ders[0]);
        assert!(issuer.contains("CN="), "{issuer}");
        assert_eq!(issuer_of(b"none"), "");

        let as_pem = private_key_in(one.key.as_bytes()).unwrap();
        let der = cert(&one).key;
        assert_eq!(
            private_key_in(der.expose()).as_ref().map(Secret::expose),
            Some(as_pem.expose())
        );
        assert_eq!(as_pem.expose(), cert(&one).key_pem().expose());
        assert!(private_key_in(b"none").is_none());
    }

    #[test]
    fn nobody_is_known_by_its_certificate() {
        assert!(is_nobody(NOBODY.as_bytes()) && is_nobody(format!("\n{NOBODY}\n").as_bytes()));
        assert!(!is_nobody(b"") && !is_nobody(Sim::start().ca_pem().as_bytes()));
    }
}
