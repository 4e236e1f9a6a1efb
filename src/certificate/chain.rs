//! Who issued a client certificate.

use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use std::sync::Arc;

/// The certificate comes from the CA, is valid at `now` and good for client authentication.
pub fn check_chain(
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
