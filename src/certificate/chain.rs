//! Who issued a client certificate.

use crate::certificate::certificates_in;
use chrono::{DateTime, Utc};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use std::sync::Arc;
use std::time::Duration;

/// The certificate comes from the CA, is valid at `now` and good for client authentication.
pub(crate) fn check_chain(
    ca: &[CertificateDer<'static>],
    chain: &[CertificateDer<'static>],
    now: UnixTime,
) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    for der in ca {
        roots.add(der.clone())?;
    }
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let verifier = verifier.map_err(|error| rustls::Error::General(error.to_string()))?;
    let Some((leaf, between)) = chain.split_first() else {
        return Err(rustls::Error::NoCertificatesPresented);
    };
    verifier.verify_client_cert(leaf, between, now).map(|_| ())
}

/// Whether these authorities issued the certificate, which has been valid since `not_before`. One that has expired was issued all the same.
pub(crate) fn is_issued_by(ca_pem: &str, chain: &[CertificateDer<'static>], not_before: DateTime<Utc>) -> bool {
    let Ok(then) = u64::try_from(not_before.timestamp()) else {
        return false;
    };
    let then = UnixTime::since_unix_epoch(Duration::from_secs(then));
    certificates_in(ca_pem.as_bytes()).is_some_and(|ca| check_chain(&ca, chain, then).is_ok())
}
