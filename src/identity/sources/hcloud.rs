//! KooCLI's `~/.hcloud/config.json` as an identity source: the current profile's access key, or what its SSO login brought: a key, or the session
//! that gives one.
//!
//! KooCLI encrypts the keys unless told otherwise; such a file counts as not configured, and is mentioned if nothing else is found.

use crate::config::Profile;
use crate::host::{Env, last_moment, moment};
use crate::huaweicloud::cloud::Cloud;
use crate::huaweicloud::iam::token_request::Agency;
use crate::huaweicloud::identity_center::PortalSession;
use crate::identity::IdentityError;
use crate::identity::fingerprint::Fingerprint;
use crate::identity::found::{AuthMethod, FoundIdentity};
use crate::identity::reading::{access_key_id, malformed_source, read_file, secret as secret_of};
use crate::identity::secret_record::SecretRef;
use crate::identity::sign_on::{PortalRole, PortalSettings};
use crate::ids::Region;
use crate::sanitize::sanitize;
use crate::secret::{Secret, SecretJson, SecretShape};
use crate::store::SecretPlace;
use serde_json::Value;

const SOURCE: &str = "hcloud";
/// Access key ids have 20 letters and digits, a few more at most; what KooCLI makes of them when it encrypts is longer.
const LONGEST_PLAIN_ID: usize = 32;

/// What the file says.
pub(crate) enum Hcloud {
    /// Nothing: no file, or no profile in it.
    Absent,
    /// Keys that only KooCLI can read.
    Encrypted,
    /// An identity.
    FoundIdentity(Box<FoundIdentity>),
}

/// Reads the file, and in it the profile of this name, or the current one.
pub(crate) fn find(env: &Env, name: Option<&str>) -> Result<Hcloud, IdentityError> {
    let Some(path) = env.home().map(|home| home.join(".hcloud").join("config.json")) else {
        return Ok(Hcloud::Absent);
    };
    let Some(text) = read_file(SOURCE, env, &path)? else {
        return Ok(Hcloud::Absent);
    };
    let file = path.display();
    // What is secret in it goes into `Secret`s.
    let json = SecretJson::parse(text.expose().as_bytes()).map_err(|error| {
        let problem = format!("`{file}`, line {}: it is not JSON", error.line());
        malformed_source(
            SOURCE,
            problem,
            "correct the line, or run `hcloud configure init` again",
        )
    })?;
    let current = || text_of(&json, "current").unwrap_or_else(|| "default".to_owned());
    let wanted = name.map_or_else(current, str::to_owned);
    let profiles = json.get("profiles").and_then(Value::as_array);
    let Some(profiles) = profiles.filter(|profiles| !profiles.is_empty()) else {
        return Ok(Hcloud::Absent);
    };
    let mut named = profiles
        .iter()
        .filter(|profile| text_of(profile, "name").as_ref() == Some(&wanted));
    let Some(profile) = named.next() else {
        let wanted = sanitize(&wanted);
        let which = if name.is_some() {
            ""
        } else {
            ", which is its current one"
        };
        let problem = format!("`{file}` has no profile `{wanted}`{which}");
        return Err(malformed_source(
            SOURCE,
            problem,
            "choose one with `hcloud configure set --cli-profile=NAME`",
        ));
    };
    let is_encrypted = json
        .get("authEncrypt")
        .is_some_and(|value| value == true || value == "true");
    match portal(&file.to_string(), &wanted, profile) {
        Some(_) if is_encrypted => Ok(Hcloud::Encrypted),
        Some(found) => Ok(Hcloud::FoundIdentity(Box::new(found))),
        None => read_profile(&file.to_string(), &wanted, profile),
    }
}

/// The session that KooCLI has of the Identity Center's portal, where it has not made a key of it yet (`stsToken` is `null`).
fn portal(file: &str, name: &str, profile: &Value) -> Option<FoundIdentity> {
    let at = |pointer: &str| profile.pointer(pointer);
    let text = |pointer: &str| {
        at(pointer)
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    };
    if text("/mode") != Some("SSO") || text("/ssoAuth/stsToken/accessKeyId").is_some() {
        return None;
    }
    let region = Region::parse(text("/ssoParam/ssoRegion")?).ok()?;
    let start_url = text("/ssoParam/startUrl")?;
    let account_id = text("/ssoAuth/accountId").or_else(|| text("/domainId"))?;
    let agency_urn = text("/ssoAuth/agencyUrn")?;
    let token = text("/ssoAuth/accessTokenResult/accessToken")?;
    // What KooCLI makes of it when it encrypts has other signs, too.
    let is_plain = token.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let ends_at = at("/ssoAuth/accessTokenResult/expiresAt").and_then(Value::as_i64);
    let shown = sanitize(name);
    let origin = format!("profile `{shown}` in `{file}`");
    is_plain.then(|| FoundIdentity {
        name: Some(name.to_owned()),
        fingerprint: Fingerprint::of(SOURCE, [name, "portal", account_id, start_url, agency_urn]),
        described: format!("the sign-in of {origin}"),
        cure: "sign in again with `hcloud configure sso`".to_owned(),
        means: AuthMethod::Portal {
            at: Box::new(PortalSettings {
                start_url: start_url.to_owned(),
                sign_in_endpoint: Cloud::Huawei.identity_center(&region),
                portal_endpoint: Cloud::Huawei.identity_center_portal(),
                role: Some(PortalRole {
                    account_id: account_id.to_owned(),
                    agency_urn: agency_urn.to_owned(),
                }),
                ca_file: None,
                proxy: None,
                browser: None,
                secret_place: SecretPlace::Keyring,
            }),
            given: Some(PortalSession {
                token: Secret::new(token.to_owned()),
                ends_at: ends_at.and_then(moment).unwrap_or_else(last_moment),
            }),
        },
        agency: None,
        settings: Profile {
            region: text("/region").map(str::to_owned),
            project: text("/projectId").map(str::to_owned),
            origin: Some(origin.clone()),
            ..Profile::default()
        },
    })
}

fn read_profile(file: &str, name: &str, profile: &Value) -> Result<Hcloud, IdentityError> {
    let mode = text_of(profile, "mode").unwrap_or_else(|| "AKSK".to_owned());
    let key = if mode == "SSO" {
        profile.pointer("/ssoAuth/stsToken")
    } else {
        Some(profile)
    };
    let shown = sanitize(name);
    let origin = format!("profile `{shown}` in `{file}`");
    let cure = cure_of(&mode, &shown);
    let part = |part: &str| key.and_then(|key| text_of(key, part));
    let (id, secret) = match (part("accessKeyId"), part("secretAccessKey")) {
        (Some(id), _) if id.len() > LONGEST_PLAIN_ID || !id.chars().all(|c| c.is_ascii_alphanumeric()) => {
            return Ok(Hcloud::Encrypted);
        }
        (Some(id), Some(secret)) => (id, secret),
        (id, _) => {
            let problem = if id.is_none() && mode == "SSO" {
                format!("{origin} is not signed in, or not any more")
            } else {
                format!("{origin} has no access key (mode `{}`)", sanitize(&mode))
            };
            return Err(malformed_source(SOURCE, problem, cure));
        }
    };
    let id = access_key_id(SOURCE, "accessKeyId", &id)?;
    let checked = |name, text| secret_of(SOURCE, name, SecretShape::Key, &Secret::new(text));
    let secret = checked("secretAccessKey", secret)?;
    let security_token = part("securityToken")
        .map(|token| checked("securityToken", token))
        .transpose()?;
    let account = text_of(profile, "agencyDomainId").or_else(|| text_of(profile, "agencyDomainName"));
    let agency = text_of(profile, "agencyName").and_then(|name| Agency::parse(&name, account.as_deref()));
    Ok(Hcloud::FoundIdentity(Box::new(FoundIdentity {
        name: Some(name.to_owned()),
        fingerprint: Fingerprint::of_access_key(&id),
        described: format!("access key `{id}` from {origin}"),
        cure: format!("the access key of {origin} must be active: {cure}"),
        means: AuthMethod::AccessKey {
            id,
            secret: SecretRef::Inline(secret),
            security_token,
        },
        agency,
        settings: Profile {
            region: text_of(profile, "region"),
            project: text_of(profile, "projectId"),
            origin: Some(origin),
            ..Profile::default()
        },
    })))
}

/// What gives a profile of this mode an access key.
fn cure_of(mode: &str, profile: &str) -> String {
    match mode {
        "SSO" => "sign in again with `hcloud configure sso`".to_owned(),
        "ecsAgency" => "take the ECS' agency with `--identity metadata`".to_owned(),
        _ => {
            format!(
                "set both with `hcloud configure set --cli-profile={profile} --cli-access-key=… --cli-secret-key=…`"
            )
        }
    }
}

/// A text that is not blank.
fn text_of(object: &Value, name: &str) -> Option<String> {
    let text = object.get(name)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
