//! The kinds of profiles for people without any key: `sso`, `oidc`, and `command`, which lets a program of theirs answer.

use crate::config::Profile;
use crate::huaweicloud::cloud::Cloud;
use crate::identity::IdentityError;
use crate::identity::fingerprint::Fingerprint;
use crate::identity::found::{AuthMethod, FoundIdentity};
use crate::identity::id_token::IdTokenSource;
use crate::identity::reading::malformed_source;
use crate::identity::secret_record::SecretRef;
use crate::identity::sign_on::{BrowserChoice, KeyCommand, PortalRole, PortalSettings, ProviderSettings};
use crate::ids::{Endpoint, ProfileName, Region};
use crate::oidc::{RedirectUrl, is_safe_address};
use crate::sanitize::sanitize;
use crate::words::{Word as _, listed};
use std::path::PathBuf;

fn missing(name: &ProfileName, key: &str) -> IdentityError {
    malformed_source(
        source(name),
        format!("`{key}` is missing"),
        format!("set `{key}` in `config.toml`, or set the profile again with `kubectl cce-login profile set {name}`"),
    )
}

fn invalid(name: &ProfileName, key: &str, problem: &str) -> IdentityError {
    let cure = format!("correct `{key}` in `config.toml`");
    malformed_source(source(name), format!("`{key}`: {problem}"), cure)
}

fn source(name: &ProfileName) -> String {
    format!("profile `{name}`")
}

/// With a session of the Identity Center's portal (`sso`).
pub(super) fn portal(name: &ProfileName, profile: &Profile) -> Result<FoundIdentity, IdentityError> {
    let invalid = |key: &str, problem: String| invalid(name, key, &problem);
    let start_url = profile.start_url.clone().ok_or_else(|| missing(name, "start_url"))?;
    if !is_safe_address(&start_url) {
        return Err(invalid("start_url", "it is not `https://`".to_owned()));
    }
    let region = profile
        .sso_region
        .as_deref()
        .ok_or_else(|| missing(name, "sso_region"))?;
    let region = Region::parse(region).map_err(|error| invalid("sso_region", error.to_string()))?;
    let cloud = match profile.cloud.as_deref().map(Cloud::parse) {
        None => Cloud::Huawei,
        Some(cloud) => cloud.map_err(|error| invalid("cloud", error.to_string()))?,
    };
    let endpoint = |key: &str, url: &Option<String>, usual: Endpoint| match url {
        None => Ok(usual),
        Some(url) => Endpoint::parse(url).map_err(|error| invalid(key, error.to_string())),
    };
    let at = PortalSettings {
        sign_in_endpoint: endpoint("sso_endpoint", &profile.sso_endpoint, cloud.identity_center(&region))?,
        portal_endpoint: endpoint(
            "portal_endpoint",
            &profile.portal_endpoint,
            cloud.identity_center_portal(),
        )?,
        start_url,
        role: role(profile),
        ca_file: profile.ca_file.as_ref().map(PathBuf::from),
        proxy: profile.proxy.clone(),
        browser: profile.browser.clone(),
        secret_place: profile.secret_place(),
    };
    let described = match &profile.permission_set {
        Some(set) => format!("permission set `{}` of profile `{name}`", sanitize(set)),
        None => source(name),
    };
    Ok(FoundIdentity {
        name: None,
        fingerprint: Fingerprint::of(
            "sso",
            [
                at.start_url.as_str(),
                region.as_str(),
                at.role.as_ref().map_or("", |role| &role.account_id),
                at.role.as_ref().map_or("", |role| &role.agency_urn),
            ],
        ),
        described,
        cure: format!(
            "the permission set of profile `{name}` must be assigned to you, and allow what is asked for; sign in again with `kubectl cce-login refresh`"
        ),
        means: AuthMethod::Portal {
            at: Box::new(at),
            given: None,
        },
        agency: None,
        settings: profile.clone(),
    })
}

/// What one is in which account, once that was chosen.
fn role(profile: &Profile) -> Option<PortalRole> {
    Some(PortalRole {
        account_id: profile.account_id.clone()?,
        agency_urn: profile.agency_urn.clone()?,
    })
}

/// With an id token of the company's identity provider (`oidc`).
pub(super) fn provider(name: &ProfileName, profile: &Profile, held: SecretRef) -> Result<FoundIdentity, IdentityError> {
    let invalid = |key: &str, problem: String| invalid(name, key, &problem);
    let issuer = profile.issuer.clone().ok_or_else(|| missing(name, "issuer"))?;
    if !is_safe_address(&issuer) {
        return Err(invalid("issuer", "it is not `https://`".to_owned()));
    }
    let client_id = profile.client_id.clone().ok_or_else(|| missing(name, "client_id"))?;
    let idp = profile.idp.clone().ok_or_else(|| missing(name, "idp"))?;
    let redirect_url = profile.redirect_url.as_deref().map(RedirectUrl::parse).transpose();
    let pair = |pair: &String| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.to_owned(), value.to_owned())
    };
    let has_client_secret = profile.client_secret == Some(true);
    let at = ProviderSettings {
        redirect_url: redirect_url.map_err(|error| invalid("redirect_url", error.to_string()))?,
        has_client_secret,
        scopes: profile.scope.clone().unwrap_or_default(),
        method: BrowserChoice::parse(profile.sign_in.as_deref().unwrap_or("auto"))
            .ok_or_else(|| invalid("sign_in", format!("it is not one of {}", listed::<BrowserChoice>())))?,
        extra: profile.auth_param.iter().flatten().map(pair).collect(),
        ca_file: profile
            .issuer_ca_file
            .as_ref()
            .or(profile.ca_file.as_ref())
            .map(PathBuf::from),
        browser: profile.browser.clone(),
        secret_place: profile.secret_place(),
        profile: name.to_string(),
        issuer,
        client_id,
    };
    let shown = sanitize(&at.issuer);
    Ok(FoundIdentity {
        name: None,
        // Never the user's id at IAM, which is another one after each sign-in.
        fingerprint: Fingerprint::of("oidc", [at.issuer.as_str(), &at.client_id, &idp, name.as_str()]),
        described: format!("your account at `{shown}` (profile `{name}`)"),
        cure: format!(
            "compare what IAM has for the identity provider `{}` with the provider itself: address (`{shown}`), client id (`{}`) and signing keys, which an administrator renews there by hand",
            sanitize(&idp),
            sanitize(&at.client_id)
        ),
        means: AuthMethod::IdToken {
            provider: idp,
            token: IdTokenSource::Person {
                at: Box::new(at),
                client_secret: has_client_secret.then_some(held),
            },
        },
        agency: None,
        settings: profile.clone(),
    })
}

/// With the access key that a program prints (`command`).
pub(super) fn command(name: &ProfileName, profile: &Profile) -> Result<FoundIdentity, IdentityError> {
    let words = profile.command.clone().filter(|words| !words.is_empty());
    let words = words.ok_or_else(|| missing(name, "command"))?;
    let program = sanitize(words.first().map_or("", String::as_str));
    Ok(FoundIdentity {
        name: None,
        fingerprint: Fingerprint::of(
            "command",
            std::iter::once(name.as_str()).chain(words.iter().map(String::as_str)),
        ),
        described: format!("the access key that `{program}` prints (profile `{name}`)"),
        cure: format!("the access key that `{program}` prints must be active: run it yourself"),
        means: AuthMethod::Command(KeyCommand { words }),
        agency: None,
        settings: profile.clone(),
    })
}
