//! TLS towards a cluster's API server: only the cluster's own authorities are trusted, the client certificate is presented, and
//! the server's certificate is checked against a name that may differ from the URL's host (kubeconfig's `tls-server-name`).

use crate::certificate::ClientCert;
use crate::http::{HttpError, Reason, settings_error};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// Whom to trust as the API server, and as whom to appear.
#[derive(Debug, Clone)]
pub struct ClusterTls {
    /// How the server is verified.
    pub server: ServerCheck,
    /// The certificate to present, if any.
    pub client_cert: Option<ClientCert>,
}

/// How an API server is verified.
#[derive(Debug, Clone)]
pub enum ServerCheck {
    /// Its certificate must come from these authorities, for this name or else the URL's host, with serverAuth.
    Verified {
        /// The cluster's authorities, in PEM.
        ca_pem: String,
        /// `tls-server-name`.
        name: Option<String>,
    },
    /// Not at all: only where the user asked for it by name.
    Unverified,
}

/// Builds rustls's configuration.
pub(super) fn client_config(tls: &ClusterTls) -> Result<ClientConfig, HttpError> {
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match &tls.server {
        ServerCheck::Unverified => Arc::new(AcceptAny(provider.clone())),
        ServerCheck::Verified { ca_pem, name } => {
            let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(ca_pem)?), provider.clone());
            let chain = chain
                .build()
                .map_err(|e| settings_error("the cluster's CA data".to_owned(), &e))?;
            match name {
                None => chain,
                Some(name) => {
                    let name = ServerName::try_from(name.clone())
                        .map_err(|e| settings_error("the TLS server name".to_owned(), &e))?;
                    Arc::new(FixedName { chain, name })
                }
            }
        }
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| settings_error("TLS".to_owned(), &e))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let Some(cert) = &tls.client_cert else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = cert.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
    // The key signs the handshake; it is not sent.
    let key = PrivateKeyDer::from_pem_slice(cert.key_pem().expose().as_bytes());
    let key = key.map_err(|e| settings_error("the client certificate's key".to_owned(), &e))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|e| settings_error("the client certificate".to_owned(), &e))
}

fn roots(ca_pem: &str) -> Result<RootCertStore, HttpError> {
    let refuse = |reason: &str| HttpError::Settings {
        what: "the cluster's CA data".to_owned(),
        source: Reason(reason.to_owned()),
    };
    let mut roots = RootCertStore::empty();
    for der in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
        let der = der.map_err(|_| refuse("it is not PEM"))?;
        roots
            .add(der)
            .map_err(|e| settings_error("the cluster's CA data".to_owned(), &e))?;
    }
    if roots.is_empty() {
        Err(refuse("it holds no certificate"))
    } else {
        Ok(roots)
    }
}

/// The usual verification, of another name than the URL's.
#[derive(Debug)]
struct FixedName {
    chain: Arc<WebPkiServerVerifier>,
    name: ServerName<'static>,
}

impl ServerCertVerifier for FixedName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.chain
            .verify_server_cert(end_entity, intermediates, &self.name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// No verification of who the server is: `--insecure-skip-tls-verify`.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
