//! The environment as an identity source: the SDKs' variables, then Terraform's, then OpenStack's.

use crate::config::Profile;
use crate::env_vars as names;
use crate::host::Env;
use crate::huaweicloud::iam::token_request::Agency;
use crate::identity::IdentityError;
use crate::identity::fingerprint::Fingerprint;
use crate::identity::found::{AuthMethod, FoundIdentity};
use crate::identity::reading::{access_key_id, auth_url, malformed_source, secret_variable, variable};
use crate::identity::secret_record::SecretRef;
use crate::identity::sources::openstack::{self, OpenStackSettings, Openstack};
use crate::sanitize::sanitize;
use crate::secret::SecretShape;

/// What the source is called in messages.
const SOURCE: &str = "environment";

/// Reads the variables; `None` when none of the three families says who we are.
pub(crate) fn find(env: &Env) -> Result<Option<FoundIdentity>, IdentityError> {
    for family in [
        [names::SDK_AK, names::SDK_SK, names::SDK_SECURITY_TOKEN],
        [names::HW_ACCESS_KEY, names::HW_SECRET_KEY, names::HW_SECURITY_TOKEN],
    ] {
        if let Some(mut found) = access_key(env, family)? {
            found.settings = settings(env, family)?;
            return Ok(Some(found));
        }
    }
    let of = |list: &[&'static str]| -> Result<Option<OpenStackSettings>, IdentityError> {
        let Some(name) = list.iter().find(|name| env.var_os(name).is_some()) else {
            return Ok(None);
        };
        let text = variable(SOURCE, env, name)?;
        Ok(text.map(|text| OpenStackSettings::new(text, name)))
    };
    let openstack = Openstack {
        auth_type: of(names::openstack::AUTH_TYPE)?,
        access_key: of(names::openstack::ACCESS_KEY)?,
        secret_key: of(names::openstack::SECRET_KEY)?,
        security_token: of(names::openstack::SECURITY_TOKEN)?,
        token: of(names::openstack::TOKEN)?,
        user_id: of(names::openstack::USER_ID)?,
        username: of(names::openstack::USERNAME)?,
        password: of(names::openstack::PASSWORD)?,
        passcode: of(names::openstack::PASSCODE)?,
        domain_name: of(names::openstack::DOMAIN_NAME)?,
        domain_id: of(names::openstack::DOMAIN_ID)?,
        project_name: of(names::openstack::PROJECT_NAME)?,
        project_id: of(names::openstack::PROJECT_ID)?,
        region: of(names::openstack::REGION)?,
        auth_url: of(names::openstack::AUTH_URL)?,
        ca_file: of(names::openstack::CACERT)?,
        agency: of(names::openstack::AGENCY)?,
        agency_domain: of(names::openstack::AGENCY_DOMAIN)?,
    };
    let wording = openstack::Wording {
        source: SOURCE,
        origin: "the environment".to_owned(),
        user_id: "OS_USER_ID",
        username: "OS_USERNAME",
        password: "OS_PASSWORD",
        secret_key: "OS_SECRET_KEY",
        access_key: "OS_ACCESS_KEY",
        domain: "OS_USER_DOMAIN_NAME",
        passcode: "OS_PASSCODE",
    };
    openstack.find(&wording)
}

fn access_key(
    env: &Env,
    [id_name, secret_name, token_name]: [&str; 3],
) -> Result<Option<FoundIdentity>, IdentityError> {
    let only_one = |set: &str, unset: &str| {
        malformed_source(
            SOURCE,
            format!("`{set}` is set, `{unset}` is not"),
            format!("set `{unset}` too, or unset `{set}` to use another identity"),
        )
    };
    let secret_of = |name| secret_variable(SOURCE, env, name, SecretShape::Key);
    let (id, secret) = match (variable(SOURCE, env, id_name)?, secret_of(secret_name)?) {
        (None, None) => return Ok(None),
        (Some(_), None) => return Err(only_one(id_name, secret_name)),
        (None, Some(_)) => return Err(only_one(secret_name, id_name)),
        (Some(id), Some(secret)) => (access_key_id(SOURCE, id_name, &id)?, secret),
    };
    Ok(Some(FoundIdentity {
        name: None,
        fingerprint: Fingerprint::of_access_key(&id),
        described: format!("access key `{id}` from the environment"),
        cure: format!("check `{id_name}` and `{secret_name}`: they must belong together and be active"),
        means: AuthMethod::AccessKey {
            id,
            secret: SecretRef::Inline(secret),
            security_token: secret_of(token_name)?,
        },
        agency: None,
        settings: Profile::default(),
    }))
}

/// What else the family says.
fn settings(env: &Env, [id_name, ..]: [&str; 3]) -> Result<Profile, IdentityError> {
    let origin = Some("the environment".to_owned());
    let endpoint = |name: &str| {
        let url = env.var(name).map(|url| auth_url(SOURCE, name, &url)).transpose()?;
        Ok::<_, IdentityError>(url.map(|endpoint| endpoint.to_string()))
    };
    if id_name == names::SDK_AK {
        return Ok(Profile {
            iam_endpoint: endpoint(names::SDK_IAM_ENDPOINT)?,
            origin,
            ..Profile::default()
        });
    }
    Ok(Profile {
        region: env.var(names::HW_REGION_NAME),
        project: env.var(names::HW_PROJECT_NAME),
        cloud: env.var(names::HW_CLOUD).filter(|domain| !is_well_known(domain)),
        iam_endpoint: endpoint(names::HW_AUTH_URL)?,
        origin,
        ..Profile::default()
    })
}

/// The domains whose regions we know better (`eu-west-101` is in the second one).
fn is_well_known(domain: &str) -> bool {
    ["myhuaweicloud.com", "myhuaweicloud.eu", "otc.t-systems.com"].contains(&domain)
}

/// The agency of `HW_ASSUME_ROLE_*`, which goes on top of any source but our own profiles: those are pinned, and say it themselves.
pub(crate) fn assume_role(env: &Env) -> Result<Option<Agency>, IdentityError> {
    let Some(name) = env.var(names::HW_ASSUME_ROLE_AGENCY_NAME) else {
        return Ok(None);
    };
    let account = env
        .var(names::HW_ASSUME_ROLE_DOMAIN_ID)
        .or_else(|| env.var(names::HW_ASSUME_ROLE_DOMAIN_NAME));
    let mut agency = Agency::parse(&name, account.as_deref()).ok_or_else(|| {
        malformed_source(
            SOURCE,
            format!(
                "`{}` is set, the account that delegates the agency is not named",
                names::HW_ASSUME_ROLE_AGENCY_NAME
            ),
            format!("set `{}` too", names::HW_ASSUME_ROLE_DOMAIN_NAME),
        )
    })?;
    if let Some(seconds) = env.var(names::HW_ASSUME_ROLE_DURATION) {
        let parsed = seconds.parse().ok().filter(|s| (900..=86_400).contains(s));
        agency.seconds = Some(parsed.ok_or_else(|| {
            let shown = sanitize(&seconds);
            malformed_source(
                SOURCE,
                format!(
                    "`{}`: `{shown}` is not a number of seconds from 900 to 86400",
                    names::HW_ASSUME_ROLE_DURATION
                ),
                "correct it, or unset it",
            )
        })?);
    }
    Ok(Some(agency))
}
