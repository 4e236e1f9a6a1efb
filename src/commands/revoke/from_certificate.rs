//! Whose certificate it is: the CN of a PEM or DER certificate, or of the one in a kubeconfig. Nothing else of it is looked at, least of all a key.

use crate::certificate::{facts_of, first_certificate_in};
use crate::error::{Exit, Explain, Result};
use crate::host::Host;
use crate::ids::UserId;
use crate::kubeconfig::embedded_certificates;
use crate::plan::InputFile;

/// Why it says nobody.
#[derive(Debug, thiserror::Error)]
enum NoHolder {
    #[error("cannot read {file}")]
    Unreadable {
        file: InputFile,
        #[source]
        source: std::io::Error,
    },
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
                Self::NoId(_) => "it is not a client certificate of CCE; give the id with `--user-id` or `--agency-id`",
                Self::Several { .. } => "give one of these ids with `--user-id` or `--agency-id`",
            }
            .to_owned(),
        )
    }
}

/// The id in the certificate.
pub(super) fn id(host: &Host, file: &InputFile) -> Result<UserId> {
    let bytes = host.read_input(file.path()).map_err(|source| NoHolder::Unreadable {
        file: file.clone(),
        source,
    })?;
    // May hold a key beside the certificates; only these are taken out of it.
    let certificates = certificates(bytes.expose());
    if certificates.is_empty() {
        return Err(NoHolder::NoCertificate(file.clone()).into());
    }
    let mut ids: Vec<UserId> = Vec::new();
    for id in certificates.iter().filter_map(|der| common_name(der)) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    match ids.as_slice() {
        [id] => Ok(id.clone()),
        [] => Err(NoHolder::NoId(file.clone()).into()),
        several => Err(NoHolder::Several {
            file: file.clone(),
            ids: several
                .iter()
                .map(|id| format!("`{id}`"))
                .collect::<Vec<_>>()
                .join(", "),
        }
        .into()),
    }
}

/// The leaves: of a PEM file the first one, of a kubeconfig that of each user.
fn certificates(bytes: &[u8]) -> Vec<Vec<u8>> {
    let leaf = |pem: &[u8]| Some(first_certificate_in(pem)?.to_vec());
    if let Some(leaf) = leaf(bytes) {
        return vec![leaf];
    }
    if facts_of(bytes).is_some() {
        return vec![bytes.to_vec()];
    }
    let embedded = std::str::from_utf8(bytes)
        .map(embedded_certificates)
        .unwrap_or_default();
    embedded.iter().filter_map(|pem| leaf(pem)).collect()
}

fn common_name(der: &[u8]) -> Option<UserId> {
    UserId::parse(&facts_of(der)?.common_name).ok()
}
