//! Whose certificate it is: a kubeconfig entry says who kubectl is, and a certificate of anybody else is never served.

use crate::credential::request::CertificateRequest;
use crate::error::{Exit, Explain, Result, UNUSABLE_FOR};
use crate::ids::PrincipalId;
use crate::sanitize::sanitize;
use crate::session::Session;
use crate::sign_in::subject;
use chrono::TimeDelta;

/// Another person than the one whom the entry names.
#[derive(Debug, thiserror::Error)]
#[error("kubectl would be `{found}` ({described}), and its entry is for `{expected}`")]
struct AnotherPerson {
    found: String,
    described: String,
    expected: String,
    /// What makes the entry this person's.
    command: String,
}

impl Explain for AnotherPerson {
    /// CCE has issued a certificate in vain.
    fn holds_for(&self) -> TimeDelta {
        UNUSABLE_FOR
    }

    fn exit(&self) -> Exit {
        Exit::Identity
    }

    fn hint(&self) -> Option<String> {
        Some(format!(
            "to be `{}` in kubectl from now on, run `{}`; else take back what has changed: a variable, a file, a profile",
            self.found, self.command
        ))
    }
}

/// A certificate of others that is not for the one whom the entry names.
#[derive(Debug, thiserror::Error)]
#[error("the certificate of others is for `{found}`, and the entry for `{expected}`")]
struct HandedOverForAnother {
    found: String,
    expected: PrincipalId,
}

impl Explain for HandedOverForAnother {
    fn exit(&self) -> Exit {
        Exit::Identity
    }

    fn hint(&self) -> Option<String> {
        Some("let whoever hands it over be that identity, or leave `--principal` out of the entry".to_owned())
    }
}

/// Refuses a certificate that somebody else has fetched for somebody else. A federated user's id says nothing.
pub(crate) fn check_handed_over(expected: Option<&PrincipalId>, common_name: &str) -> Result<()> {
    match expected.filter(|expected| !expected.as_str().contains('/') && expected.as_str() != common_name) {
        None => Ok(()),
        Some(expected) => Err(HandedOverForAnother {
            found: sanitize(common_name),
            expected: expected.clone(),
        }
        .into()),
    }
}

/// Refuses somebody who can be told offline from the one whom the entry names: a federated user.
pub(crate) fn check_offline(session: &Session<'_>, request: &CertificateRequest<'_>) -> Result<()> {
    match subject::federated(session, request.identity) {
        Some(found) => check(session, request, &found),
        None => Ok(()),
    }
}

/// Refuses a certificate of anybody but the one whom the entry names. A federated user has another id after every sign-in.
pub(crate) fn check_certificate(
    session: &Session<'_>,
    request: &CertificateRequest<'_>,
    common_name: &str,
) -> Result<()> {
    if request.identity.is_federated() {
        check_offline(session, request)
    } else {
        check(session, request, common_name)
    }
}

fn check(session: &Session<'_>, request: &CertificateRequest<'_>, found: &str) -> Result<()> {
    let Some(expected) = request.principal.filter(|expected| expected.as_str() != found) else {
        return Ok(());
    };
    let target = request.target;
    let described = match subject::person(session, request.identity) {
        Some(person) => format!("`{person}`, {}", request.identity.describe()),
        None => request.identity.describe(),
    };
    Err(AnotherPerson {
        found: sanitize(found),
        described,
        expected: expected.to_string(),
        command: format!(
            "kubectl cce-login --region={} --project={} --cluster={} {}",
            target.region,
            target.project_id,
            target.cluster_id,
            request.identity.identity_argument()
        ),
    }
    .into())
}
