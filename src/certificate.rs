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
