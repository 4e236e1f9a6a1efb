//! An identity provider's id token as an identity source: for STS (`HUAWEICLOUD_OIDC_*`), or for IAM (`HUAWEICLOUD_SDK_IDP_ID`).

use crate::env_vars as names;
use crate::host::Env;
use crate::huaweicloud::iam::sts::AssumeWithOidc;
use crate::identity::IdentityError;
use crate::identity::found::{AuthMethod, FoundIdentity, provider_found};
use crate::identity::id_token::{self, IdTokenSource};
use crate::identity::reading::{TokenFile, malformed_source, secret_variable};
use crate::ids::Endpoint;
use crate::sanitize::sanitize;
use crate::secret::SecretShape;

const SOURCE: &str = "oidc";
/// The SDKs' default, in seconds.
const DEFAULT_SECONDS: u32 = 3600;
/// Who we are in the audit trail where nobody says.
const DEFAULT_SESSION: &str = "kubectl-cce-login";

/// Reads the variables; `None` where no provider is named, and no file of a token.
pub(crate) fn find(env: &Env) -> Result<Option<FoundIdentity>, IdentityError> {
    match sts(env)? {
        Some(found) => Ok(Some(found)),
        None => iam(env),
    }
}

fn iam(env: &Env) -> Result<Option<FoundIdentity>, IdentityError> {
    let token = id_token::of_environment(env)?;
    match (env.var(names::SDK_IDP_ID), token) {
        (Some(provider), Some(token)) => {
            let settings = id_token::settings_of_environment(env)?;
            Ok(Some(provider_found(provider, token, settings, "the environment")))
        }
        (Some(_), None) => Err(malformed_source(
            SOURCE,
            format!("`{}` is set, `{}` is not", names::SDK_IDP_ID, names::SDK_ID_TOKEN_FILE),
            format!(
                "set `{}` too (a job of GitHub Actions needs `permissions: id-token: write` instead)",
                names::SDK_ID_TOKEN_FILE
            ),
        )),
        (None, Some(IdTokenSource::File(_))) => Err(malformed_source(
            SOURCE,
            format!("`{}` is set, `{}` is not", names::SDK_ID_TOKEN_FILE, names::SDK_IDP_ID),
            format!("set `{}` to the identity provider's name at IAM", names::SDK_IDP_ID),
        )),
        // Every job that may ask for an id token has the variables for it.
        (None, _) => Ok(None),
    }
}

fn sts(env: &Env) -> Result<Option<FoundIdentity>, IdentityError> {
    let text = secret_variable(SOURCE, env, names::OIDC_ID_TOKEN, SecretShape::Key)?.map(IdTokenSource::Text);
    let file = env
        .var_os(names::OIDC_TOKEN_FILE)
        .map(|path| IdTokenSource::File(TokenFile::of(path, env)));
    let own = text.or(file);
    let is_own = own.is_some();
    let half = |set: &str, unset: &str| {
        malformed_source(
            SOURCE,
            format!("`{set}` is set, `{unset}` is not"),
            format!("set `{unset}` too, or unset `{set}` to use another identity"),
        )
    };
    let token = match own {
        Some(own) => Some(own),
        None => IdTokenSource::of_actions(env)?,
    };
    let (provider_urn, agency_urn, token) = match (
        env.var(names::OIDC_PROVIDER_URN),
        env.var(names::OIDC_AGENCY_URN),
        token,
    ) {
        (None, None, _) if is_own => return Err(half("an id token", names::OIDC_PROVIDER_URN)),
        (None, None, _) => return Ok(None),
        (Some(_), None, _) => return Err(half(names::OIDC_PROVIDER_URN, names::OIDC_AGENCY_URN)),
        (None, Some(_), _) => return Err(half(names::OIDC_AGENCY_URN, names::OIDC_PROVIDER_URN)),
        (Some(_), Some(_), None) => return Err(half(names::OIDC_PROVIDER_URN, names::OIDC_TOKEN_FILE)),
        (Some(provider), Some(agency), Some(token)) => (provider, agency, token),
    };
    let ids = env.var(names::OIDC_POLICY_IDS).unwrap_or_default();
    let shown = sanitize(&agency_urn);
    Ok(Some(FoundIdentity {
        name: None,
        fingerprint: token.fingerprint("sts", &[agency_urn.as_str()]),
        described: format!("agency `{shown}` for an id token from the environment"),
        cure: "the id token must be of that identity provider, for its audience, and not expired; the agency must trust it".to_owned(),
        means: AuthMethod::Sts {
            wanted: AssumeWithOidc {
                provider_urn,
                agency_urn,
                session_name: env.var(names::OIDC_SESSION_NAME).unwrap_or_else(|| DEFAULT_SESSION.to_owned()),
                seconds: seconds(env)?,
                policy: env.var(names::OIDC_POLICY),
                policy_ids: ids.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect(),
            },
            endpoint: sts_endpoint(env)?,
            token,
        },
        agency: None,
        settings: id_token::settings_of_environment(env)?,
    }))
}

/// How long the key is good that STS gives.
fn seconds(env: &Env) -> Result<u32, IdentityError> {
    let Some(text) = env.var(names::OIDC_DURATION_SECONDS) else {
        return Ok(DEFAULT_SECONDS);
    };
    let seconds = text.parse().ok().filter(|seconds| (900..=43_200).contains(seconds));
    seconds.ok_or_else(|| {
        let problem = format!(
            "`{}`: `{}` is not a number of seconds from 900 to 43200",
            names::OIDC_DURATION_SECONDS,
            sanitize(&text)
        );
        malformed_source(SOURCE, problem, "correct it, or unset it")
    })
}

/// The STS that the environment names.
fn sts_endpoint(env: &Env) -> Result<Option<Endpoint>, IdentityError> {
    let endpoint = env.var(names::SDK_STS_ENDPOINT).map(|url| {
        Endpoint::parse(&url).map_err(|invalid| {
            malformed_source(
                SOURCE,
                format!("`{}`: {invalid}", names::SDK_STS_ENDPOINT),
                invalid.hint(),
            )
        })
    });
    endpoint.transpose()
}
