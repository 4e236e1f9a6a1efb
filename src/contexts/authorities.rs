//! An entry is verified by the cluster's own authorities, or is not written: CCE's answer must name them.

use crate::cache::index::CertificateRecord;
use crate::error::{Exit, Explain};

/// Nobody could be verified.
#[derive(Debug, thiserror::Error)]
#[error("CCE's answer names no certificate authority of the cluster, so nobody could be verified")]
pub(crate) struct NoAuthorities;

impl Explain for NoAuthorities {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        Some("try again, with `kubectl cce-login refresh --missing` for entries that wait; if it stays so, the cloud must tell why. Until then no entry trusts anybody there".to_owned())
    }
}

/// Nothing where the cluster's authorities are known.
pub(crate) fn check(record: &CertificateRecord) -> Result<(), NoAuthorities> {
    record.ca_pem.as_ref().map(|_| ()).ok_or(NoAuthorities)
}
