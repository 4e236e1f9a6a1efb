//! Under which id the cloud issues certificates: to the identity that acts, and whether an id is a user's or an agency's.

use crate::account::principal;
use crate::cache::{CacheKey, index};
use crate::discovery::targets::Target;
use crate::error::{Exit, Explain, Result};
use crate::huaweicloud::cce::revocation::CertificateOwner;
use crate::huaweicloud::credentials::Credentials;
use crate::huaweicloud::iam::IamClient;
use crate::ids::UserId;
use crate::lifetime::CertLifetime;
use crate::session::Session;

/// A federated user has another id after every sign-in (OTC's documentation of federated users).
#[derive(Debug, thiserror::Error)]
#[error(
    "a federated user has another id after every sign-in, and there is no certificate on this machine that says which"
)]
struct NoOneId;

impl Explain for NoOneId {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("give the CN of the certificate with `--user-id`, or the certificate itself with `--from-cert`".to_owned())
    }
}

/// The identity that acts: by the certificate that this machine has for the cluster, else as IAM says.
pub(crate) fn own(session: &Session<'_>, site: &Target) -> Result<CertificateOwner> {
    let of_iam = || principal::holder(session, &site.sign_in());
    match own_common_name(session, site) {
        Some(id) if site.identity.kind_of_principal() == "agency" => Ok(CertificateOwner::Agency(id)),
        // A temporary key at hand may be a user's or an agency's: it does not say.
        Some(id) if has_temporary_key(session, site)? => Ok(match of_iam() {
            Ok(CertificateOwner::Agency(_)) => CertificateOwner::Agency(id),
            _ => CertificateOwner::User(id),
        }),
        Some(id) => Ok(CertificateOwner::User(id)),
        None if site.identity.is_federated() => Err(NoOneId.into()),
        None => of_iam(),
    }
}

/// The CN of the newest certificate that was fetched as this identity, and no other one, whatever its lifetime.
fn own_common_name(session: &Session<'_>, site: &Target) -> Option<UserId> {
    let (target, endpoint) = (&site.at, site.cloud.cce(&site.at.region));
    let key = |asked: &str| {
        let lifetime = CertLifetime::parse(asked).ok()?;
        let fingerprint = site.identity.fingerprint();
        let (project, cluster) = (&target.project_id, &target.cluster_id);
        Some(CacheKey::new(
            &endpoint,
            project,
            cluster,
            fingerprint,
            lifetime,
            target.is_autopilot,
        ))
    };
    let notes = index::all(&session.directories).into_iter();
    let own = notes.filter(|(noted, note)| key(&note.asked).as_ref() == Some(noted));
    let newest = own.max_by_key(|(_, note)| note.fetched_at);
    newest.and_then(|(_, note)| UserId::parse(&note.user_id).ok())
}

fn has_temporary_key(session: &Session<'_>, site: &Target) -> Result<bool> {
    let static_credentials = site.identity.static_credentials(&|kind| session.secrets(kind))?;
    Ok(matches!(static_credentials, Some(Credentials::AccessKey(key)) if key.security_token.is_some()))
}

/// Whose id it is: an agency's if IAM has one with it, else a user's; and whether IAM knows that at all.
pub(crate) fn of_id(session: &Session<'_>, site: &Target, id: UserId) -> Result<(CertificateOwner, bool)> {
    let endpoint = site.cloud.iam(&site.at.region);
    let http = session.cloud_http(&site.cloud)?;
    let (is_agency, is_user) = site.sign_in().with_credentials(session, |credentials| {
        let iam = IamClient {
            api: &session.api(&http, credentials, session.deadline),
            endpoint: &endpoint,
        };
        let is_agency = iam.has_agency(&id);
        Ok((is_agency, !is_agency && iam.has_user(&id)))
    })?;
    let holder = if is_agency {
        CertificateOwner::Agency(id)
    } else {
        CertificateOwner::User(id)
    };
    Ok((holder, is_agency || is_user))
}
