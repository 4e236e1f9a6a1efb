//! TLS configurations: the cloud's, which has a certificate for every name, and an API server's that asks for a client certificate without judging it.

use std::{fmt, sync::Arc};

use rcgen::ExtendedKeyUsagePurpose;
use tokio_rustls::rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, UnixTime},
    server::{
        ClientHello, ResolvesServerCert, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
};

use crate::{
    clock,
    pki::{Authority, ServerIdentity, Validity},
    world::World,
};

/// Plain server TLS, HTTP/1.1: certificates of the cloud's CA, for loopback or for the name that the client asks for.
pub(crate) fn cloud(world: &Arc<World>) -> Arc<ServerConfig> {
    let loopback = ["127.0.0.1", "localhost", "::1"].map(str::to_owned);
    let certificates = ByName {
        world: Arc::clone(world),
        of_loopback: certified(world, &loopback),
    };
    let mut config = builder()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(certificates));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// Makes a certificate for whatever name is asked for.
struct ByName {
    world: Arc<World>,
    of_loopback: Arc<CertifiedKey>,
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match hello.server_name() {
            None | Some("localhost") => Some(Arc::clone(&self.of_loopback)),
            Some(name) => Some(certified(&self.world, &[name.to_owned()])),
        }
    }
}

impl fmt::Debug for ByName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByName")
    }
}

fn certified(world: &World, names: &[String]) -> Arc<CertifiedKey> {
    let validity = Validity::long(clock::real_now());
    let identity = world
        .authority
        .server(names, ExtendedKeyUsagePurpose::ServerAuth, validity);
    let certified = CertifiedKey::from_der(identity.chain, identity.key, &provider());
    Arc::new(certified.expect("key and certificate belong together"))
}

/// As kube-apiserver: names the cluster's CA, takes any certificate or none; authentication happens per request.
pub(crate) fn api_server(identity: ServerIdentity, authority: &Authority) -> Arc<ServerConfig> {
    let hints = client_verifier(authority).root_hint_subjects().to_vec();
    let provider = provider();
    let verifier = AskOnly { hints, provider };
    let mut config = builder()
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(identity.chain, identity.key)
        .expect("key and certificate belong together");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

/// Judges client certificates by the cluster's CA: signature, validity, purpose.
pub(crate) fn client_verifier(authority: &Authority) -> Arc<dyn ClientCertVerifier> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der()).expect("the CA is a trust anchor");
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .expect("a verifier needs no more than a CA")
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn builder() -> tokio_rustls::rustls::ConfigBuilder<ServerConfig, tokio_rustls::rustls::WantsVerifier> {
    ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
}

/// Proves possession of the key, nothing else.
#[derive(Debug)]
struct AskOnly {
    hints: Vec<DistinguishedName>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AskOnly {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
