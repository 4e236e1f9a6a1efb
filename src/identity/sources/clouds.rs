//! OpenStack's `clouds.yaml` as an identity source, with the `secure.yaml` beside it, for the cloud that `OS_CLOUD` names.
//!
//! The current directory is not searched, as OpenStack's clients do: kubectl runs in every directory, foreign ones included.

use crate::env_vars::{XDG_CONFIG_HOME, openstack as names};
use crate::host::Env;
use crate::identity::IdentityError;
use crate::identity::found::FoundIdentity;
use crate::identity::reading::{malformed_source, read_file};
use crate::identity::sources::openstack::{OpenStackSettings, Openstack, Wording};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

const SOURCE: &str = "clouds";
/// In this order, as OpenStack's clients look for them.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// The named cloud's identity; `None` where no cloud is named.
pub(crate) fn find(env: &Env) -> Result<Option<FoundIdentity>, IdentityError> {
    let Some(cloud) = env.var(names::CLOUD) else {
        return Ok(None);
    };
    let shown = crate::sanitize::sanitize(&cloud);
    let Some((path, text)) = first_file(env)? else {
        let problem = format!("`{}` is `{shown}`, but there is no `clouds.yaml`", names::CLOUD);
        let cure = format!(
            "put it into `~/.config/openstack`, or name it with `{}`; unset `{}` to use another identity",
            names::CONFIG_FILE,
            names::CLOUD
        );
        return Err(malformed_source(SOURCE, problem, cure));
    };
    let parsed = parse(&path, &text)?;
    let Some(mut entry) = cloud_of(&parsed, &cloud) else {
        let known = parsed.get("clouds").and_then(Value::as_object);
        let known: Vec<_> = known
            .into_iter()
            .flat_map(Map::keys)
            .map(|name| format!("`{}`", crate::sanitize::sanitize(name)))
            .collect();
        let problem = format!("`{}` has no cloud `{shown}`", path.display());
        let cure = match known.as_slice() {
            [] => "it names no cloud at all: add one below `clouds:`".to_owned(),
            known => format!("set `{}` to one of {}", names::CLOUD, known.join(", ")),
        };
        return Err(malformed_source(SOURCE, problem, cure));
    };
    // Only the one beside it: another directory's secrets are not for this file's endpoints.
    if let Some((secure, text)) = first_of(&path.with_file_name("secure"))? {
        let secure = parse(&secure, &text)?;
        if let Some(secure) = cloud_of(&secure, &cloud) {
            merge(&mut entry, secure);
        }
    }
    let origin = format!("cloud `{shown}` in `{}`", path.display());
    let wording = Wording {
        source: &format!("{SOURCE}: {origin}"),
        origin: origin.clone(),
        user_id: "user_id",
        username: "username",
        password: "password",
        secret_key: "sk",
        access_key: "ak",
        domain: "user_domain_name",
        passcode: "passcode",
        name_of_temporary: Some(format!("{SOURCE}:{cloud}|{}", path.display())),
    };
    let found = openstack(&entry).find(&wording)?;
    found.map(Some).ok_or_else(|| {
        let problem = "it has neither an access key nor a token nor a password".to_owned();
        malformed_source(
            wording.source,
            problem,
            "add `ak` and `sk`, or `username`, `user_domain_name` and `password`, below its `auth:`",
        )
    })
}

/// The first file there is, by OpenStack's custom.
fn first_file(env: &Env) -> Result<Option<(PathBuf, String)>, IdentityError> {
    if let Some(path) = env.path(names::CONFIG_FILE) {
        return Ok(read_file(SOURCE, &path)?.map(|text| (path, text)));
    }
    let of_user = env.path(XDG_CONFIG_HOME).or_else(|| Some(env.home()?.join(".config")));
    let directories = of_user
        .map(|dir| dir.join("openstack"))
        .into_iter()
        .chain([PathBuf::from("/etc/openstack")]);
    for directory in directories {
        let found = first_of(&directory.join("clouds"))?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn first_of(stem: &Path) -> Result<Option<(PathBuf, String)>, IdentityError> {
    for extension in EXTENSIONS {
        let path = stem.with_extension(extension);
        if let Some(text) = read_file(SOURCE, &path)? {
            return Ok(Some((path, text)));
        }
    }
    Ok(None)
}

fn parse(path: &Path, text: &str) -> Result<Value, IdentityError> {
    serde_saphyr::from_str::<Value>(text).map_err(|error| {
        let line = error.location().map_or(1, |at| at.line());
        let problem = format!("`{}`, line {line}: it is not YAML of this kind", path.display());
        malformed_source(SOURCE, problem, "correct the line")
    })
}

fn cloud_of(file: &Value, cloud: &str) -> Option<Value> {
    file.get("clouds")?
        .get(cloud)
        .filter(|entry| entry.is_object())
        .cloned()
}

/// Fills the gaps of `entry`.
fn merge(entry: &mut Value, other: Value) {
    match (entry, other) {
        (Value::Object(entry), Value::Object(other)) => {
            for (key, value) in other {
                match entry.get_mut(&key) {
                    Some(had) => merge(had, value),
                    None => drop(entry.insert(key, value)),
                }
            }
        }
        (entry @ Value::Null, other) => *entry = other,
        _ => {}
    }
}

fn openstack(entry: &Value) -> Openstack {
    let of = |keys: &[&str]| {
        keys.iter().find_map(|key| {
            let text = entry.pointer(key)?.as_str()?.trim();
            let name = key.rsplit('/').next().unwrap_or(key);
            (!text.is_empty()).then(|| OpenStackSettings::new(text.to_owned(), name))
        })
    };
    Openstack {
        access_key: of(&["/auth/ak", "/auth/access_key", "/ak"]),
        secret_key: of(&["/auth/sk", "/auth/secret_key", "/sk"]),
        security_token: of(&["/auth/security_token", "/security_token"]),
        token: of(&["/auth/token"]),
        user_id: of(&["/auth/user_id"]),
        username: of(&["/auth/username", "/auth/user_name"]),
        password: of(&["/auth/password"]),
        passcode: of(&["/auth/passcode"]),
        domain_name: of(&[
            "/auth/user_domain_name",
            "/auth/domain_name",
            "/auth/project_domain_name",
        ]),
        domain_id: of(&["/auth/user_domain_id", "/auth/domain_id", "/auth/project_domain_id"]),
        project_name: of(&["/auth/project_name"]),
        project_id: of(&["/auth/project_id"]),
        region: of(&["/region_name"]),
        auth_url: of(&["/auth/auth_url"]),
        ca_file: of(&["/cacert"]),
        agency: of(&["/auth/target_agency_name"]),
        agency_domain: of(&["/auth/target_domain_id", "/auth/target_domain_name"]),
    }
}
