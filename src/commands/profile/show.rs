//! `profile list` and `profile show`: what `config.toml` says, which holds no secret.

use crate::account::old_profile;
use crate::cli::{OutputArgs, ProfileShowArgs};
use crate::commands::profile::{ProfileError, plan_name};
use crate::config::{Config, Profile};
use crate::error::Result;
use crate::host::{Directories, Host};
use crate::output::{self, Format};
use crate::plan;
use crate::sanitize::sanitize;
use crate::store::SecretPlace;
use crate::words::Word as _;
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileRow<'a> {
    name: &'a str,
    kind: &'a str,
    identity: Option<String>,
    access_key_id: Option<&'a str>,
    region: Option<&'a str>,
    cloud: Option<&'a str>,
    /// `keyring`, or the directory of its file; none for a profile that needs no secret.
    secret_in: Option<String>,
}

/// All profiles.
pub(super) fn list(args: &OutputArgs, host: &Host) -> Result<()> {
    let format = plan::format(args)?;
    let directories = Directories::of(&host.env);
    let config = Config::load_from_home(&directories, host.env.inputs())?;
    let rows: Vec<ProfileRow<'_>> = config
        .profiles
        .iter()
        .map(|(name, profile)| ProfileRow {
            name,
            kind: &profile.kind,
            identity: whose(profile),
            access_key_id: profile.access_key_id.as_deref(),
            region: profile.region.as_deref(),
            cloud: profile.cloud.as_deref(),
            secret_in: secret_in(profile, &directories),
        })
        .collect();
    let text = match format {
        Format::Json => output::json(&rows),
        Format::Yaml => output::yaml(&rows),
        Format::Name => rows.iter().map(|row| row.name.to_owned() + "\n").collect(),
        Format::Table | Format::Wide => {
            let head = ["NAME", "KIND", "IDENTITY", "REGION", "CLOUD"]
                .map(str::to_owned)
                .to_vec();
            let cells = |row: &ProfileRow<'_>| {
                [
                    Some(row.name),
                    Some(row.kind),
                    row.identity.as_deref(),
                    row.region,
                    row.cloud,
                ]
                .map(|cell| sanitize(cell.unwrap_or("-")))
                .to_vec()
            };
            output::table(&std::iter::once(head).chain(rows.iter().map(cells)).collect::<Vec<_>>())
        }
    };
    output::print(host, &text)
}

/// Where the profile's secret lies.
fn secret_in(profile: &Profile, directories: &Directories) -> Option<String> {
    let place = profile.secret_place();
    old_profile::has_secret(profile).then(|| match (&directories.config, place) {
        (Some(config), SecretPlace::File) => config.join("secrets").display().to_string(),
        _ => SecretPlace::Keyring.as_str().to_owned(),
    })
}

/// What the profile is about: a key, a user, an agency, an identity provider.
fn whose(profile: &Profile) -> Option<String> {
    let base = profile
        .access_key_id
        .as_ref()
        .or(profile.username.as_ref())
        .or(profile.user_id.as_ref());
    let set = profile.permission_set.as_ref().zip(profile.account.as_ref());
    let set = set.map(|(set, account)| format!("{set} in {account}"));
    let base = base
        .or(set.as_ref())
        .or(profile.command.as_ref().and_then(|words| words.first()));
    let base = base.or(profile.idp.as_ref()).or(profile.base_profile.as_ref()).cloned();
    match (&profile.agency, base) {
        (Some(agency), Some(base)) => Some(format!("{agency} by {base}")),
        (agency, base) => agency.clone().or(base),
    }
}

/// One profile.
pub(super) fn show(args: &ProfileShowArgs, host: &Host) -> Result<()> {
    let format = plan::format(&args.output)?;
    let name = plan_name(&args.name)?;
    let config = Config::load_from_home(&Directories::of(&host.env), host.env.inputs())?;
    let profile = config
        .profiles
        .get(name.as_str())
        .ok_or_else(|| ProfileError::unknown(&name, &config))?;
    let mut object = serde_json::to_value(profile).unwrap_or_default();
    let settings = object.as_object_mut().map(std::mem::take).unwrap_or_default();
    let named = std::iter::once(("name".to_owned(), Value::from(name.as_str())));
    let all: Vec<(String, Value)> = named.chain(settings).collect();
    let text = match format {
        Format::Json | Format::Yaml => {
            let object: Value = all.into_iter().map(|(key, value)| (camel_case(&key), value)).collect();
            if format == Format::Json {
                output::json(&object)
            } else {
                output::yaml(&object)
            }
        }
        Format::Name => format!("{name}\n"),
        Format::Table | Format::Wide => {
            let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), sanitize);
            output::table(
                &all.into_iter()
                    .map(|(key, value)| vec![key, text(value)])
                    .collect::<Vec<_>>(),
            )
        }
    };
    output::print(host, &text)
}

/// `base_profile` as reports write it: `baseProfile`.
fn camel_case(key: &str) -> String {
    let mut parts = key.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        let mut letters = part.chars();
        let head = letters.next().map(|letter| letter.to_ascii_uppercase());
        all + &head.into_iter().chain(letters).collect::<String>()
    })
}
