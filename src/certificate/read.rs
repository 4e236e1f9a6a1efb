//! What files, kubeconfigs and settings hold of certificates and keys, as PEM or DER: read here and nowhere else.

use crate::certificate::{KeyKind, pem};
use crate::secret::Secret;
use chrono::{DateTime, Utc};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// What is said of a certificate.
pub(crate) struct CertificateFacts {
    /// The subject's CN; empty without one.
    pub(crate) common_name: String,
    /// The first moment at which it is valid.
    pub(crate) not_before: DateTime<Utc>,
    /// The last one.
    pub(crate) not_after: DateTime<Utc>,
}

/// The certificates of a PEM text, in order; what stands around the blocks is skipped. `None` if a block is damaged.
pub(crate) fn certificates_in(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()
}

/// The first certificate of a PEM text, whatever comes after it.
pub(crate) fn first_certificate_in(pem: &[u8]) -> Option<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).next()?.ok()
}

/// What this certificate says; `None` if it is none, or something follows it.
pub(crate) fn facts_of(der: &[u8]) -> Option<CertificateFacts> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    let time = |time: x509_parser::time::ASN1Time| DateTime::from_timestamp(time.timestamp(), 0);
    let name = certificate.subject().iter_common_name().next();
    rest.is_empty().then_some(())?;
    Some(CertificateFacts {
        common_name: name.and_then(|name| name.as_str().ok()).unwrap_or_default().to_owned(),
        not_before: time(certificate.validity().not_before)?,
        not_after: time(certificate.validity().not_after)?,
    })
}

/// Who says to have issued this certificate, for people (`O=CCE, CN=CCE`); empty if it is none.
pub(crate) fn issuer_of(der: &[u8]) -> String {
    X509Certificate::from_der(der).map_or_else(|_| String::new(), |(_, certificate)| certificate.issuer().to_string())
}

/// Whether it is an authority's own certificate and not one of somebody.
pub(crate) fn is_authority(der: &[u8]) -> bool {
    X509Certificate::from_der(der).is_ok_and(|(_, certificate)| certificate.is_ca())
}

/// The private key of a PEM or DER file, as PEM under the label of its kind.
pub(crate) fn private_key_in(bytes: &[u8]) -> Option<Secret<String>> {
    let of_der = |_| PrivateKeyDer::try_from(bytes).map(|key| key.clone_key());
    let key = PrivateKeyDer::from_pem_slice(bytes).or_else(of_der).ok()?;
    Some(Secret::new(pem(kind_of(&key).label(), key.secret_der())))
}

/// How this key is encoded.
pub(crate) fn kind_of(key: &PrivateKeyDer<'_>) -> KeyKind {
    match key {
        PrivateKeyDer::Pkcs1(_) => KeyKind::Pkcs1,
        PrivateKeyDer::Sec1(_) => KeyKind::Sec1,
        _ => KeyKind::Pkcs8,
    }
}
