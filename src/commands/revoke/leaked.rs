//! The certificates in the file that fell into wrong hands: a PEM or DER file, or a kubeconfig.

use crate::certificate::{
    ClientCert, certificates_in, facts_of, first_certificate_in, is_authority, issuer_of, private_key_in,
};
use crate::discovery::held::HeldCertificate;
use crate::error::{Exit, Explain, Result};
use crate::host::Host;
use crate::ids::UserId;
use crate::kubeconfig::Kubeconfig;
use crate::plan::InputFile;
use crate::sanitize::sanitize;
use crate::secret::Secret;
use rustls::pki_types::CertificateDer;
use std::path::Path;

/// Why it says nobody.
#[derive(Debug, thiserror::Error)]
enum NoHolder {
    #[error("cannot read {file}")]
    Unreadable {
        file: InputFile,
        #[source]
        source: std::io::Error,
    },
    #[error("{certificate} is no client certificate of CCE: it is a certificate authority's own (issuer `{issuer}`)")]
    OfAuthority { certificate: String, issuer: String },
    #[error("{0} is neither a certificate nor a kubeconfig with one in it")]
    NoCertificate(InputFile),
    #[error("the certificate in {0} has no CN that is an id")]
    NoId(InputFile),
    #[error("{file} holds certificates of several identities: {ids}")]
    Several { file: InputFile, ids: String },
}

impl Explain for NoHolder {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Unreadable { .. } => "check the name and its permissions",
                Self::NoCertificate(_) => {
                    "give a client certificate (PEM or DER), or a kubeconfig with `client-certificate-data`; where a kubeconfig names a \
                     file, give that file"
                }
                Self::OfAuthority { .. } => {
                    "nothing is revoked: no cluster's CA issues such a certificate, so none takes it; to revoke somebody's certificates all the \
                     same, give their id with `--user-id` or `--agency-id`"
                }
                Self::NoId(_) => "it is not a client certificate of CCE; give the id with `--user-id` or `--agency-id`",
                Self::Several { .. } => "give one of these ids with `--user-id` or `--agency-id`",
            }
            .to_owned(),
        )
    }
}

/// A certificate that is where it should not be.
pub(super) struct LeakedCertificate {
    /// What it says, and where its kubeconfig leads.
    pub(super) held: HeldCertificate,
    /// Whose it is.
    pub(super) id: UserId,
    /// With its key, where that is in the file too: to be shown to the API server.
    pub(super) with_key: Option<ClientCert>,
}

impl LeakedCertificate {
    /// In a sentence.
    pub(super) fn called(&self, file: &InputFile) -> String {
        called(&self.held.user, file)
    }
}

/// The certificate of this user entry; of none where there is no kubeconfig around it.
fn called(user: &str, file: &InputFile) -> String {
    match user {
        "" => format!("the certificate in {file}"),
        user => format!("the certificate of user `{}` in {file}", sanitize(user)),
    }
}

/// The certificates in the file: at least one, all of one identity.
pub(super) fn read(host: &Host, file: &InputFile) -> Result<Vec<LeakedCertificate>> {
    let bytes = host.read_input(file.path()).map_err(|source| NoHolder::Unreadable {
        file: file.clone(),
        source,
    })?;
    // May hold keys, which go nowhere but to the TLS client that shows a certificate to its own API server.
    let all = certificates(bytes.expose(), file)?;
    let mut leaked: Vec<LeakedCertificate> = Vec::new();
    for (held, key) in all {
        let Ok(id) = UserId::parse(&held.owner) else {
            continue;
        };
        let with_key = key.and_then(|key| held.with_key(&key));
        leaked.push(LeakedCertificate { held, id, with_key });
    }
    let mut ids: Vec<String> = Vec::new();
    for id in leaked.iter().map(|leaked| format!("`{}`", leaked.id)) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    match ids.len() {
        1 => Ok(leaked),
        0 => Err(NoHolder::NoId(file.clone()).into()),
        _ => Err(NoHolder::Several {
            file: file.clone(),
            ids: ids.join(", "),
        }
        .into()),
    }
}

type WithKey = (HeldCertificate, Option<Secret<Vec<u8>>>);

/// A PEM or DER file's certificate, or those of a kubeconfig's users: at least one.
fn certificates(bytes: &[u8], file: &InputFile) -> Result<Vec<WithKey>> {
    let path = file.path().unwrap_or(Path::new("stdin"));
    let chain = match first_certificate_in(bytes) {
        Some(first) => Some(certificates_in(bytes).unwrap_or_else(|| vec![first])),
        None => facts_of(bytes).map(|_| vec![CertificateDer::from(bytes.to_vec())]),
    };
    if let Some(chain) = chain {
        // Kept secret in the form in which a kubeconfig's key is.
        let key = private_key_in(bytes).map(|key| Secret::new(key.expose().clone().into_bytes()));
        check_authority("", &chain, file)?;
        let held = HeldCertificate::of_chain(chain, path).ok_or_else(|| NoHolder::NoId(file.clone()))?;
        return Ok(vec![(held, key)]);
    }
    let kubeconfig = Kubeconfig::from_bytes(path, bytes.to_vec());
    let kubeconfig = kubeconfig.map_err(|_| NoHolder::NoCertificate(file.clone()))?;
    let held: Vec<WithKey> = HeldCertificate::all(&kubeconfig, &[])
        .into_iter()
        .map(|held| {
            let key = kubeconfig.client_key(&held.user);
            (held, key)
        })
        .collect();
    if !held.is_empty() {
        return Ok(held);
    }
    for user in kubeconfig.users() {
        let chain = user.client_certificate_data.as_deref().and_then(certificates_in);
        check_authority(user.name, &chain.unwrap_or_default(), file)?;
    }
    Err(NoHolder::NoCertificate(file.clone()).into())
}

/// What somebody has made with `openssl req -x509` is an authority's own certificate, and no cluster's.
fn check_authority(user: &str, chain: &[CertificateDer<'_>], file: &InputFile) -> Result<()> {
    match chain.first().filter(|leaf| is_authority(leaf)) {
        None => Ok(()),
        Some(leaf) => Err(NoHolder::OfAuthority {
            certificate: called(user, file),
            issuer: sanitize(&issuer_of(leaf)),
        }
        .into()),
    }
}
