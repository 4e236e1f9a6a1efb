//! Our own profiles as an identity source: `config.toml` holds what is not secret, the keyring the rest.

use crate::config::{Config, Profile, ProfileKind};
use crate::host::Env;
use crate::huaweicloud::iam::token_request::{Account, Agency, User};
use crate::identity::IdentityError;
use crate::identity::fingerprint::Fingerprint;
use crate::identity::found::{AuthMethod, FoundIdentity, Passcode, provider_found};
use crate::identity::id_token::{self, IdTokenSource};
use crate::identity::reading::{TokenFile, malformed_source};
use crate::identity::secret_record::SecretPurpose;
use crate::identity::secret_record::SecretRef;
use crate::identity::sources::metadata;
use crate::identity::sources::openstack::{shown, user_fingerprint};
use crate::identity::sources::sign_on;
use crate::ids::ProfileName;
use crate::sanitize::sanitize;
use crate::words::listed;

/// What a profile says.
pub(crate) fn find(name: &ProfileName, config: &Config, env: &Env) -> Result<FoundIdentity, IdentityError> {
    let profile = get(name, config)?;
    let Some(kind) = profile.kind() else {
        let said = sanitize(&profile.kind);
        let cure = format!("set `kind` in `config.toml` to one of {}", listed::<ProfileKind>());
        return Err(malformed_source(
            source(name),
            format!("its kind `{said}` is unknown"),
            cure,
        ));
    };
    match kind {
        ProfileKind::AccessKey => access_key(name, profile),
        ProfileKind::Password => password(name, profile),
        ProfileKind::Sso => with_own_agency(name, profile, sign_on::portal(name, profile)?),
        ProfileKind::Oidc => with_own_agency(name, profile, sign_on::provider(name, profile, held(name, profile))?),
        ProfileKind::Command => with_own_agency(name, profile, sign_on::command(name, profile)?),
        ProfileKind::Agency => assumed(name, profile, config, env),
        ProfileKind::Federation => federation(name, profile, env),
        ProfileKind::Metadata => {
            let found = metadata::find(env, profile.clone())?;
            with_own_agency(name, profile, found)
        }
    }
}

fn get<'a>(name: &ProfileName, config: &'a Config) -> Result<&'a Profile, IdentityError> {
    let profile = config.profiles.get(name.as_str());
    profile.ok_or_else(|| IdentityError::NoProfile {
        name: name.clone(),
        meant: config.meant(name),
    })
}

fn source(name: &ProfileName) -> String {
    format!("profile `{name}`")
}

fn held(name: &ProfileName, profile: &Profile) -> SecretRef {
    SecretRef::Stored {
        profile: name.clone(),
        place: profile.secret_place(),
        purpose: SecretPurpose::of(profile),
    }
}

fn access_key(name: &ProfileName, profile: &Profile) -> Result<FoundIdentity, IdentityError> {
    let text = profile.access_key_id.as_deref().unwrap_or_default();
    let id = crate::ids::AccessKeyId::parse(text).map_err(|invalid| {
        let cure = format!("set `access_key_id` in `config.toml`: {}", invalid.hint());
        malformed_source(source(name), invalid.to_string(), cure)
    })?;
    let found = FoundIdentity {
        name: None,
        fingerprint: Fingerprint::of_access_key(&id),
        described: source(name),
        cure: format!(
            "the access key of profile `{name}` must be active: set it again with `kubectl cce-login profile set {name}`"
        ),
        means: AuthMethod::AccessKey {
            id,
            secret: held(name, profile),
            security_token: None,
        },
        agency: None,
        settings: profile.clone(),
    };
    with_own_agency(name, profile, found)
}

fn password(name: &ProfileName, profile: &Profile) -> Result<FoundIdentity, IdentityError> {
    let user = User {
        id: profile.user_id.clone(),
        name: profile.username.clone(),
        account: profile.domain.as_deref().map(Account::parse),
    };
    let is_asked = profile.totp == Some(true);
    let problem = match &user {
        User {
            id: None, name: None, ..
        } => Some(("it names no user", "username")),
        User {
            id: None,
            account: None,
            ..
        } => Some(("it names no account", "domain")),
        User { id: None, .. } if is_asked => {
            Some(("a passcode goes with the user's id only, which is missing", "user_id"))
        }
        _ => None,
    };
    if let Some((problem, key)) = problem {
        return Err(malformed_source(
            source(name),
            problem,
            format!("set `{key}` in `config.toml`"),
        ));
    }
    let found = FoundIdentity {
        name: None,
        fingerprint: user_fingerprint(profile, &user),
        described: format!("user `{}` of profile `{name}`", shown(&user)),
        cure: format!(
            "user, account and password of profile `{name}` must be right{}: set it again with `kubectl cce-login profile set {name}`",
            if is_asked { ", and the passcode fresh" } else { "" }
        ),
        means: AuthMethod::Password {
            user,
            password: held(name, profile),
            passcode: if is_asked { Passcode::Asked } else { Passcode::None },
        },
        agency: None,
        settings: profile.clone(),
    };
    match &profile.agency {
        // `domain` is the user's own account here.
        Some(text) => Ok(FoundIdentity {
            agency: Some(parse_agency(name, text, None)?),
            ..found
        }),
        None => Ok(found),
    }
}

/// An agency on top of another profile.
fn assumed(name: &ProfileName, profile: &Profile, config: &Config, env: &Env) -> Result<FoundIdentity, IdentityError> {
    let missing = |key: &str| {
        malformed_source(
            source(name),
            format!("`{key}` is missing"),
            format!("set `{key}` in `config.toml`"),
        )
    };
    let base_name = profile.base_profile.as_deref().ok_or_else(|| missing("base_profile"))?;
    let agency = profile.agency.as_deref().ok_or_else(|| missing("agency"))?;
    let agency = parse_agency(name, agency, profile.domain.as_deref())?;
    let cure = "set `base_profile` in `config.toml` to the profile that may assume the agency";
    if base_name == name.as_str() {
        return Err(malformed_source(source(name), "it names itself as its base", cure));
    }
    let base_name =
        ProfileName::parse(base_name).map_err(|invalid| malformed_source(source(name), invalid.to_string(), cure))?;
    if get(&base_name, config)?.kind() == Some(ProfileKind::Agency) {
        let problem = format!("its base `{base_name}` is an agency itself, which cannot assume another one");
        return Err(malformed_source(source(name), problem, cure));
    }
    let base = find(&base_name, config, env)?;
    if base.agency.is_some() {
        let problem = format!("its base `{base_name}` assumes an agency itself, which cannot assume another one");
        return Err(malformed_source(source(name), problem, cure));
    }
    let own = profile.clone();
    let settings = Profile {
        region: own.region.or(base.settings.region),
        project: own.project.or(base.settings.project),
        cloud: own.cloud.or(base.settings.cloud),
        cce_endpoint: own.cce_endpoint.or(base.settings.cce_endpoint),
        iam_endpoint: own.iam_endpoint.or(base.settings.iam_endpoint),
        ca_file: own.ca_file.or(base.settings.ca_file),
        proxy: own.proxy.or(base.settings.proxy),
        ..own
    };
    Ok(FoundIdentity {
        described: format!("agency `{}` of profile `{name}`", agency_shown(&agency)),
        agency: Some(agency),
        // The base's secret would go where these settings say.
        means: base.means.used_at(&settings),
        settings,
        ..base
    })
}

fn federation(name: &ProfileName, profile: &Profile, env: &Env) -> Result<FoundIdentity, IdentityError> {
    let Some(provider) = profile.idp.clone() else {
        return Err(malformed_source(
            source(name),
            "`idp` is missing",
            "set `idp` in `config.toml` to the identity provider's name at IAM",
        ));
    };
    let file = profile
        .id_token_file
        .as_ref()
        .map(|path| IdTokenSource::File(TokenFile::of(path, env)));
    let token = match file {
        Some(file) => Some(file),
        None => id_token::of_environment(env)?,
    };
    let Some(token) = token else {
        let cure = format!(
            "set `id_token_file` in `config.toml`, or `{}`; a job of GitHub Actions needs `permissions: id-token: write`",
            crate::env_vars::SDK_ID_TOKEN_FILE
        );
        return Err(malformed_source(source(name), "there is no id token for it", cure));
    };
    let found = provider_found(provider, token, profile.clone(), &source(name));
    with_own_agency(name, profile, found)
}

/// The agency that the profile assumes by itself.
fn with_own_agency(
    name: &ProfileName,
    profile: &Profile,
    found: FoundIdentity,
) -> Result<FoundIdentity, IdentityError> {
    let agency = profile.agency.as_deref();
    let agency = agency
        .map(|text| parse_agency(name, text, profile.domain.as_deref()))
        .transpose()?;
    Ok(FoundIdentity { agency, ..found })
}

fn parse_agency(name: &ProfileName, text: &str, account: Option<&str>) -> Result<Agency, IdentityError> {
    Agency::parse(text, account).ok_or_else(|| {
        let problem = format!(
            "the account that delegates its agency `{}` is not named",
            sanitize(text)
        );
        malformed_source(
            source(name),
            problem,
            "write `agency = \"ACCOUNT/NAME\"` in `config.toml`",
        )
    })
}

fn agency_shown(agency: &Agency) -> String {
    sanitize(&agency.name)
}
