//! Under which id the cloud issues certificates: to the identity that acts, and whether an id is a user's or an agency's.

use crate::account::principal;
use crate::cache::{CacheKey, index};
use crate::discovery::targets::Target;
use crate::error::{Exit, Explain, Result};
use crate::huaweicloud::cce::revocation::CertificateOwner;
use crate::huaweicloud::credentials::Credentials;
use crate::huaweicloud::iam::{IamClient, IdAndName};
use crate::identity::found::Principal;
use crate::ids::UserId;
use crate::lifetime::CertLifetime;
use crate::sanitize::sanitize;
use crate::session::Session;
use crate::sign_in::explain::explain;

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
        Some(id) if site.identity.principal_kind() == Principal::Agency => Ok(CertificateOwner::Agency(id)),
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
    let static_credentials = site.identity.static_credentials(&|place| session.secrets(place))?;
    Ok(matches!(static_credentials, Some(Credentials::AccessKey(key)) if key.security_token.is_some()))
}

/// Whose id it is, and their name if IAM tells it: an agency's if IAM has one with it, else a user's.
pub(crate) fn of_id(session: &Session<'_>, site: &Target, id: UserId) -> Result<(CertificateOwner, Option<String>)> {
    let (agency, user) = with_iam(session, site, |iam| {
        let agency = iam.agency(&id);
        let user = agency.is_none().then(|| iam.user(&id)).flatten();
        Ok((agency, user))
    })?;
    let is_agency = agency.is_some();
    let name = agency.or(user).map(|found| found.name);
    Ok((CertificateOwner::of(id, is_agency), name))
}

/// What is looked up by a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnerKind {
    User,
    Agency,
}

impl OwnerKind {
    fn in_words(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Agency => "agency",
        }
    }
}

/// Why a name means nobody.
#[derive(Debug, thiserror::Error)]
enum NotFound {
    #[error("`{name}` is no id, and IAM knows no {kind} of that name in this account")]
    Unknown { kind: &'static str, name: String },
    #[error("`{name}` is no id, and several have that name")]
    Several {
        kind: &'static str,
        name: String,
        ids: Vec<String>,
    },
    #[error("`{name}` is no id, and whose name it is cannot be looked up ({reason})")]
    Refused {
        kind: &'static str,
        name: String,
        reason: String,
    },
}

impl Explain for NotFound {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        let flag = |kind: &str| format!("--{kind}-id");
        Some(match self {
            Self::Unknown { kind, .. } | Self::Refused { kind, .. } => format!(
                "give the id, 32 letters and digits, with `{}`: it is the CN of the certificates (`User \"0c97…\"` in kubectl's errors); \
                 `--from-cert` reads it",
                flag(kind)
            ),
            Self::Several { kind, ids, .. } => {
                format!("give one of these ids with `{}`: `{}`", flag(kind), ids.join("`, `"))
            }
        })
    }
}

/// Who has this name in the account of the identity that acts; the name may be an id of another form, too.
pub(crate) fn of_name(session: &Session<'_>, site: &Target, kind: OwnerKind, name: &str) -> Result<CertificateOwner> {
    let found = with_iam(session, site, |iam| {
        let listed = match kind {
            OwnerKind::User => iam.users_by_name(name),
            OwnerKind::Agency => iam.agencies_by_name(name),
        };
        let by_id = || {
            let id = UserId::parse(name).ok()?;
            match kind {
                OwnerKind::User => iam.user(&id),
                OwnerKind::Agency => iam.agency(&id),
            }
        };
        match listed {
            Ok(found) if found.is_empty() => Ok(Ok(by_id().into_iter().collect())),
            Err(error) if error.exit() == Exit::Temporary => Err(explain(error, &site.identity)),
            Err(error) => Ok(by_id().map(|found| vec![found]).ok_or_else(|| error.to_string())),
            Ok(found) => Ok(Ok(found)),
        }
    });
    let found: std::result::Result<Vec<IdAndName>, String> = found.map_err(|error| {
        error.doing(format!(
            "failed to look up the {} `{}`",
            kind.in_words(),
            sanitize(name)
        ))
    })?;
    let (kind_in_words, shown) = (kind.in_words(), sanitize(name));
    let ids: Vec<UserId> = match found {
        Ok(found) => found.iter().filter_map(|found| UserId::parse(&found.id).ok()).collect(),
        Err(reason) => {
            return Err(NotFound::Refused {
                kind: kind_in_words,
                name: shown,
                reason,
            }
            .into());
        }
    };
    match (ids.as_slice(), kind) {
        ([id], OwnerKind::User) => Ok(CertificateOwner::User(id.clone())),
        ([id], OwnerKind::Agency) => Ok(CertificateOwner::Agency(id.clone())),
        ([], _) => Err(NotFound::Unknown {
            kind: kind_in_words,
            name: shown,
        }
        .into()),
        (several, _) => Err(NotFound::Several {
            kind: kind_in_words,
            name: shown,
            ids: several.iter().map(ToString::to_string).collect(),
        }
        .into()),
    }
}

fn with_iam<T>(session: &Session<'_>, site: &Target, ask: impl Fn(&IamClient<'_>) -> Result<T>) -> Result<T> {
    let endpoint = site.cloud.iam(&site.at.region);
    let http = session.cloud_http(&site.cloud)?;
    site.sign_in().with_credentials(session, |credentials| {
        ask(&IamClient {
            api: &session.api(&http, credentials, session.deadline),
            endpoint: &endpoint,
        })
    })
}
