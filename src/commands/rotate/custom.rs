//! The user's own certificates: read and checked before anything is sent. What is secret of them is in memory only.

use crate::certificate::{ClientCert, ClientCertError, certificates_in, check_chain, facts_of, pem, private_key_in};
use crate::error::{self, Exit, Explain};
use crate::host::Host;
use crate::huaweicloud::cce::rotation::CustomCertificates;
use crate::plan::{CustomFiles, InputFile};
use crate::secret::Secret;
use rustls::pki_types::{CertificateDer, UnixTime};
use std::time::Duration;

/// The most that CCE takes of each, in bytes (the SDK's `AuthenticatingProxy`).
const LARGEST: usize = 1 << 20;

/// Why they cannot be used.
#[derive(Debug, thiserror::Error)]
enum CustomError {
    #[error("cannot read {file} (`{flag}`)")]
    Unreadable {
        flag: &'static str,
        file: InputFile,
        #[source]
        source: std::io::Error,
    },
    #[error("{file} (`{flag}`) is larger than 1 MB")]
    TooLarge { flag: &'static str, file: InputFile },
    #[error("{file} (`{flag}`) is no X.509 certificate, neither PEM nor DER")]
    NoCertificate { flag: &'static str, file: InputFile },
    #[error("the key in {0} (`--custom-key`) is encrypted")]
    EncryptedKey(InputFile),
    #[error("{0} (`--custom-key`) is no RSA or EC private key, neither PEM nor DER")]
    NoKey(InputFile),
    #[error("the key does not belong to the certificate (`--custom-key`, `--custom-cert`)")]
    Mismatch,
    #[error("the certificate does not come from the CA (`--custom-cert`, `--custom-ca`)")]
    NotSigned(#[source] rustls::Error),
}

impl Explain for CustomError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Unreadable { .. } => "check the name and its permissions",
                Self::TooLarge { .. } => "CCE takes 1 MB of each at most: leave out what does not belong there",
                Self::NoCertificate { .. } => "give a certificate, or several as PEM, the one that was signed last first",
                Self::EncryptedKey(_) => "CCE takes no encrypted key: `openssl pkey -in KEY` writes one that is not; `--custom-key -` reads it from a pipe",
                Self::NoKey(_) => "give the certificate's private key, not encrypted",
                Self::Mismatch => "give the key that the certificate was made for",
                Self::NotSigned(_) => {
                    "give the CA that signed it (with those between as PEM behind the certificate); it must be valid now and meant for client \
                     authentication"
                }
            }
            .to_owned(),
        )
    }
}

/// Reads the three files and checks that they belong together, now.
pub(super) fn read(host: &Host, files: &CustomFiles) -> error::Result<CustomCertificates> {
    let ca = certificates(host, "--custom-ca", &files.ca)?;
    let chain = certificates(host, "--custom-cert", &files.certificate)?;
    let key = key(host, &files.key)?;
    let own = ClientCert::from_pem(as_pem(&chain).as_bytes(), key.expose().as_bytes()); // for the check that they belong together
    let own = own.map_err(|error| match error {
        ClientCertError::MalformedCertificate => CustomError::NoCertificate {
            flag: "--custom-cert",
            file: files.certificate.clone(),
        },
        ClientCertError::MalformedKey => CustomError::NoKey(files.key.clone()),
        ClientCertError::Mismatch => CustomError::Mismatch,
    })?;
    let now = Duration::from_secs(u64::try_from(host.clock.now().timestamp()).unwrap_or_default());
    check_chain(&ca, &chain, UnixTime::since_unix_epoch(now)).map_err(CustomError::NotSigned)?;
    Ok(CustomCertificates {
        ca: as_pem(&ca),
        certificate: own.certificates_pem(),
        key: own.key_pem(),
    })
}

fn content(host: &Host, flag: &'static str, file: &InputFile) -> Result<Secret<Vec<u8>>, CustomError> {
    let bytes = host.read_input(file.path()).map_err(|source| match source.kind() {
        std::io::ErrorKind::FileTooLarge => CustomError::TooLarge {
            flag,
            file: file.clone(),
        },
        _ => CustomError::Unreadable {
            flag,
            file: file.clone(),
            source,
        },
    })?;
    // Its length alone.
    if bytes.expose().len() > LARGEST {
        return Err(CustomError::TooLarge {
            flag,
            file: file.clone(),
        });
    }
    Ok(bytes)
}

fn certificates(
    host: &Host,
    flag: &'static str,
    file: &InputFile,
) -> Result<Vec<CertificateDer<'static>>, CustomError> {
    let bytes = content(host, flag, file)?;
    let bytes = bytes.expose(); // certificates are public
    let certificates = match certificates_in(bytes) {
        Some(certificates) if !certificates.is_empty() => certificates,
        _ => vec![CertificateDer::from(bytes.clone())],
    };
    if certificates.iter().all(|der| facts_of(der).is_some()) {
        Ok(certificates)
    } else {
        Err(CustomError::NoCertificate {
            flag,
            file: file.clone(),
        })
    }
}

/// The key as PEM.
fn key(host: &Host, file: &InputFile) -> Result<Secret<String>, CustomError> {
    let bytes = content(host, "--custom-key", file)?;
    // Parsed here; what comes of it is a secret again.
    let bytes = bytes.expose();
    if is_encrypted(bytes) {
        return Err(CustomError::EncryptedKey(file.clone()));
    }
    private_key_in(bytes).ok_or_else(|| CustomError::NoKey(file.clone()))
}

/// `ENCRYPTED PRIVATE KEY` and `Proc-Type: 4,ENCRYPTED` in PEM; in DER what begins with an algorithm where a key has its version (RFC 5958).
fn is_encrypted(bytes: &[u8]) -> bool {
    const WORD: &[u8] = b"ENCRYPTED";
    const SEQUENCE: u8 = 0x30;
    let first_inside = match bytes {
        [SEQUENCE, length, rest @ ..] if *length < 0x80 => rest.first(),
        [SEQUENCE, length, rest @ ..] => rest.get(usize::from(*length & 0x7f)),
        _ => None,
    };
    first_inside == Some(&SEQUENCE) || bytes.windows(WORD.len()).any(|window| window == WORD)
}

fn as_pem(certificates: &[CertificateDer<'_>]) -> String {
    certificates.iter().map(|der| pem("CERTIFICATE", der)).collect()
}
