//! Who an identity is to the cloud, and which projects it sees: for `whoami`, and before a profile is kept.

use crate::env_vars;
use crate::error::{Exit, Explain, Result};
use crate::huaweicloud::api::Api;
use crate::huaweicloud::cce::revocation::CertificateOwner;
use crate::huaweicloud::credentials::Credentials;
use crate::huaweicloud::iam::sts::{CallerIdentity, StsClient};
use crate::huaweicloud::iam::{IamClient, IdAndName, Project};
use crate::huaweicloud::observed;
use crate::ids::{Endpoint, UserId};
use crate::sanitize::sanitize;
use crate::session::Session;
use crate::sign_in::SignIn;
use crate::sign_in::explain::explain;
use crate::sign_in::kept::TokenOwner;
use crate::sign_in::subject;

/// Who it is. What the cloud does not let it know of itself is missing.
pub(crate) struct WhoAmI {
    /// Kind and name.
    pub(crate) principal: String,
    /// The account.
    pub(crate) account: Option<IdAndName>,
    /// The user, if it is one.
    pub(crate) user: Option<IdAndName>,
    /// Whom an identity provider vouches for.
    pub(crate) federated: Option<FederatedUser>,
    /// The projects that it sees.
    pub(crate) projects: Vec<Project>,
}

/// Somebody who has another id at IAM after every sign-in.
pub(crate) struct FederatedUser {
    /// Provider and subject, as entries of a kubeconfig name them; `None` where the provider's token names nobody.
    pub(crate) principal: Option<String>,
    /// What the provider calls them.
    pub(crate) person: Option<String>,
    /// IAM's user groups, by which clusters know them; `None` where IAM does not tell.
    pub(crate) groups: Option<Vec<String>>,
}

/// Asks the cloud. Only the projects must be told: whoever sees none is of no use here.
pub(crate) fn find(session: &Session<'_>, wanted: &SignIn<'_>) -> Result<WhoAmI> {
    let http = session.cloud_http(wanted.cloud)?;
    let endpoint = wanted.cloud.iam(wanted.region);
    wanted.with_credentials_and_owner(session, |credentials, who| {
        let api = session.api(&http, credentials, session.deadline);
        let iam = IamClient {
            api: &api,
            endpoint: &endpoint,
        };
        let projects = iam.projects().map_err(|error| explain(error, wanted.identity))?;
        let (account, named) = match (who, credentials) {
            (Some(who), _) => (
                Some(account_of(who)),
                Some(IdAndName {
                    id: who.user_id.clone(),
                    name: who.user.clone(),
                }),
            ),
            (None, Credentials::AccessKey(key)) if key.security_token.is_none() => {
                (iam.account().ok(), iam.user_of_access_key(&key.id).ok())
            }
            (None, _) => {
                let caller = caller(session, wanted, &api, &endpoint);
                let name = caller.map(|caller| sanitize(caller.urn.split(':').next_back().unwrap_or_default()));
                (
                    iam.account().ok(),
                    name.map(|name| IdAndName {
                        id: String::new(),
                        name,
                    }),
                )
            }
        };
        let kind = wanted.identity.kind_of_principal();
        let federated = wanted.identity.is_federated().then(|| FederatedUser {
            principal: subject::federated(session, wanted.identity),
            person: subject::person(session, wanted.identity),
            groups: who.and_then(|who| who.groups.clone()),
        });
        let name = named
            .as_ref()
            .map(|named| if named.name.is_empty() { &named.id } else { &named.name });
        if let Some(named) = named.as_ref().filter(|_| kind == "user") {
            observed::remember_user(&session.directories, &named.id, &named.name);
        }
        Ok(WhoAmI {
            principal: name.map_or_else(|| wanted.identity.describe(), |name| format!("{kind} {name}")),
            account,
            user: named.filter(|_| kind.ends_with("user")),
            federated,
            projects,
        })
    })
}

/// Why it is not known under which id the cloud issues certificates to this identity.
#[derive(Debug, thiserror::Error)]
#[error("neither IAM nor STS says which id you have")]
struct NoId;

impl Explain for NoId {
    fn exit(&self) -> Exit {
        Exit::Identity
    }

    fn hint(&self) -> Option<String> {
        Some("give it with `--user-id` or `--agency-id`: the CN of each of your certificates is this id".to_owned())
    }
}

/// The id that is the CN of this identity's certificates: a user's, or an agency's.
pub(crate) fn holder(session: &Session<'_>, wanted: &SignIn<'_>) -> Result<CertificateOwner> {
    let http = session.cloud_http(wanted.cloud)?;
    let endpoint = wanted.cloud.iam(wanted.region);
    let is_agency = wanted.identity.kind_of_principal() == "agency";
    let id = |text: &str| UserId::parse(text).ok();
    let found = wanted.with_credentials_and_owner(session, |credentials, who| {
        let api = session.api(&http, credentials, session.deadline);
        let iam = IamClient {
            api: &api,
            endpoint: &endpoint,
        };
        let user = match (who, credentials) {
            (Some(who), _) if is_agency => return Ok(id(&who.user_id).map(CertificateOwner::Agency)),
            (Some(who), _) => id(&who.user_id),
            (None, Credentials::AccessKey(key)) if key.security_token.is_none() => {
                iam.user_of_access_key(&key.id).ok().and_then(|user| id(&user.id))
            }
            (None, _) => None,
        };
        Ok(user.map(CertificateOwner::User).or_else(|| {
            let caller = caller(session, wanted, &api, &endpoint)?;
            // `ID:SESSION` of an agency that was assumed.
            let id = id(caller.principal_id.as_deref()?.split(':').next()?)?;
            let is_agency = is_agency || caller.urn.contains(":assumed-agency:");
            Some(if is_agency {
                CertificateOwner::Agency(id)
            } else {
                CertificateOwner::User(id)
            })
        }))
    })?;
    found.ok_or_else(|| NoId.into())
}

/// Who signs, in STS's words, if it says so.
fn caller(session: &Session<'_>, wanted: &SignIn<'_>, api: &Api<'_>, iam: &Endpoint) -> Option<CallerIdentity> {
    let endpoint = sts_endpoint(session, wanted, iam)?;
    let sts = StsClient {
        api,
        endpoint: &endpoint,
    };
    sts.caller_identity().ok()
}

fn account_of(who: &TokenOwner) -> IdAndName {
    IdAndName {
        id: who.account_id.clone(),
        name: who.account.clone(),
    }
}

/// STS: as the environment names it, else beside an IAM that is where its cloud has it.
fn sts_endpoint(session: &Session<'_>, wanted: &SignIn<'_>, iam: &Endpoint) -> Option<Endpoint> {
    if let Some(url) = session.host.env.var(env_vars::SDK_STS_ENDPOINT) {
        return Endpoint::parse(&url).ok();
    }
    let cloud = wanted.cloud.cloud_of(wanted.region);
    cloud.has_host(iam.host()).then(|| cloud.sts(wanted.region))
}
