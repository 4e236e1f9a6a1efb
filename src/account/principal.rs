//! Who an identity is to the cloud, and which projects it sees: for `whoami`, and before a profile is kept.

use crate::env_vars;
use crate::error::{Exit, Explain, Result};
use crate::huaweicloud::cce::revocation::CertificateOwner;
use crate::huaweicloud::credentials::Credentials;
use crate::huaweicloud::iam::sts::{CallerIdentity, StsClient};
use crate::huaweicloud::iam::{IamClient, IdAndName, Project};
use crate::huaweicloud::observed;
use crate::identity::found::Principal;
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
    let endpoint = wanted.cloud.iam(wanted.region);
    with_iam(session, wanted, &endpoint, |iam, credentials, owner| {
        let projects = iam.projects().map_err(|error| explain(error, wanted.identity))?;
        let account = owner.map(account_of).or_else(|| iam.account().ok());
        let identified = identify(session, wanted, iam, credentials, owner);
        let federated = wanted.identity.is_federated().then(|| FederatedUser {
            principal: subject::federated(session, wanted.identity),
            person: subject::person(session, wanted.identity),
            groups: owner.and_then(|owner| owner.groups.clone()),
        });
        let name = identified.as_ref().map(Identified::name);
        let kind = identified
            .as_ref()
            .map_or(wanted.identity.principal_kind(), |identified| identified.kind);
        if let Some(user) = identified
            .as_ref()
            .filter(|identified| identified.kind == Principal::User)
        {
            observed::remember_user(&session.directories, &user.named.id, &user.named.name);
        }
        Ok(WhoAmI {
            principal: name.map_or_else(
                || wanted.identity.describe(),
                |name| format!("{} {name}", kind.as_str()),
            ),
            account,
            user: identified
                .filter(|identified| identified.kind.is_user())
                .map(|identified| identified.named),
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
    let endpoint = wanted.cloud.iam(wanted.region);
    let found = with_iam(session, wanted, &endpoint, |iam, credentials, owner| {
        Ok(identify(session, wanted, iam, credentials, owner).and_then(Identified::into_owner))
    })?;
    found.ok_or_else(|| NoId.into())
}

/// Whoever signs.
struct Identified {
    kind: Principal,
    /// As `whoami` shows it.
    named: IdAndName,
    /// What the certificates name.
    id: Option<UserId>,
}

impl Identified {
    fn name(&self) -> &str {
        let IdAndName { id, name } = &self.named;
        if name.is_empty() { id } else { name }
    }

    fn into_owner(self) -> Option<CertificateOwner> {
        Some(CertificateOwner::of(self.id?, self.kind == Principal::Agency))
    }
}

/// Asks, by what there is, for whoever signs: the sign-in's answer has the owner of its token, IAM knows that of an access key, and STS whoever
/// has a temporary one.
fn identify(
    session: &Session<'_>,
    wanted: &SignIn<'_>,
    iam: &IamClient<'_>,
    credentials: &Credentials,
    owner: Option<&TokenOwner>,
) -> Option<Identified> {
    let kind = wanted.identity.principal_kind();
    let known = match (owner, credentials) {
        (Some(owner), _) => Some(IdAndName {
            id: owner.user_id.clone(),
            name: owner.user.clone(),
        }),
        (None, Credentials::AccessKey(key)) if key.security_token.is_none() => iam.user_of_access_key(&key.id).ok(),
        (None, _) => None,
    };
    if let Some(named) = known {
        let id = UserId::parse(&named.id).ok();
        return Some(Identified { kind, named, id });
    }
    let caller = caller(session, wanted, iam)?;
    // `ID:SESSION` of an agency that was assumed.
    let id = caller.principal_id.as_deref().and_then(|id| id.split(':').next());
    Some(Identified {
        // A temporary access key at hand does not say whose it is.
        kind: if caller.is_assumed_agency() {
            Principal::Agency
        } else {
            kind
        },
        id: id.and_then(|id| UserId::parse(id).ok()),
        named: IdAndName {
            id: String::new(),
            name: sanitize(caller.urn.split(':').next_back().unwrap_or_default()),
        },
    })
}

fn with_iam<T>(
    session: &Session<'_>,
    wanted: &SignIn<'_>,
    endpoint: &Endpoint,
    act: impl Fn(&IamClient<'_>, &Credentials, Option<&TokenOwner>) -> Result<T>,
) -> Result<T> {
    let http = session.cloud_http(wanted.cloud)?;
    wanted.with_credentials_and_owner(session, |credentials, owner| {
        let api = &session.api(&http, credentials, session.deadline);
        act(&IamClient { api, endpoint }, credentials, owner)
    })
}

/// Who signs, in STS's words, if it says so.
fn caller(session: &Session<'_>, wanted: &SignIn<'_>, iam: &IamClient<'_>) -> Option<CallerIdentity> {
    let endpoint = sts_endpoint(session, wanted, iam.endpoint)?;
    let sts = StsClient {
        api: iam.api,
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
