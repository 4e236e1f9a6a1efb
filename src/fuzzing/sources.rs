//! The files that say who somebody is: `clouds.yaml` with `secure.yaml`, the SDKs' credentials, KooCLI's config, our `config.toml`.

use super::{assert_tells_no_secret, told};
use crate::config::{Config, Profile};
use crate::env_vars::openstack;
use crate::host::{Directories, Env};
use crate::identity::{Identity, IdentityError, Pin, SourceName};
use crate::ids::ProfileName;
use crate::store::LayeredStore;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Put in place of every secret, and told by nothing.
const SECRET: &str = "Fuzz3rsSecretNobodyMayRead";
/// The keys whose values are secret, by the formats' own names.
const SECRET_KEYS: [&str; 13] = [
    "password",
    "sk",
    "secret",
    "secret_key",
    "secretAccessKey",
    "secretKey",
    "security_token",
    "securityToken",
    "token",
    "auth_token",
    "passcode",
    "secret_access_key",
    "accessToken",
];
/// Between `clouds.yaml` and `secure.yaml` in one input.
const NEXT_FILE: &str = "\n#### secure.yaml\n";

/// The same text with [`SECRET`] as the value of every key that has one on its line.
fn with_secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let key_start = line.find(|c: char| c.is_ascii_alphanumeric()).unwrap_or(0);
        let after = line.get(key_start..).unwrap_or_default();
        let key_end = after
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(after.len());
        let (key, rest) = after.split_at(key_end);
        let value_start = rest
            .find(|c: char| !matches!(c, ' ' | ':' | '=' | '"' | '\''))
            .unwrap_or(rest.len());
        let (between, value) = rest.split_at(value_start);
        let is_plain_value = value.starts_with(|c: char| c.is_ascii_alphanumeric());
        if SECRET_KEYS.contains(&key) && between.contains([':', '=']) && is_plain_value {
            let end = value.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(value.len());
            out.push_str(&line[..key_start]);
            out.push_str(key);
            out.push_str(between);
            out.push_str(SECRET);
            out.push_str(&value[end..]);
        } else {
            out.push_str(line);
        }
    }
    out
}

/// No other value has swallowed a secret, as one does whose quote is missing: whoever reads it cannot know that it is one.
fn is_where_it_belongs(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.contains(SECRET),
        Value::Array(items) => items.iter().all(is_where_it_belongs),
        Value::Object(pairs) => pairs.iter().all(|(key, value)| {
            let is_secret = SECRET_KEYS.contains(&key.as_str()) && value.is_string();
            !key.contains(SECRET) && (is_secret || is_where_it_belongs(value))
        }),
        _ => true,
    }
}

fn put(path: &Path, text: &str) {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).expect("a directory of the fuzzer's own");
    }
    std::fs::write(path, text).expect("a file of the fuzzer's own");
}

/// The same identity each time, or the same no; nothing tells a secret.
fn located(pin: &Pin, env: &Env) -> Option<Identity> {
    let directories = Directories::of(env);
    let outcome = Identity::locate(pin, env, &directories);
    let again = Identity::locate(pin, env, &directories);
    match (outcome, again) {
        (Ok(identity), Ok(again)) => {
            assert_eq!(identity.fingerprint(), again.fingerprint());
            let all = format!(
                "{identity:?}\n{}\n{}\n{}",
                identity.describe(),
                identity.cure_when_refused(),
                identity.identity_argument()
            );
            assert_tells_no_secret(&all, &[SECRET]);
            let no_store = |_| LayeredStore::new(Vec::new(), None);
            let credentials = identity.static_credentials(&no_store);
            assert_tells_no_secret(&format!("{credentials:?}"), &[SECRET]);
            let _ = (
                identity.signs(),
                identity.has_passcode(),
                identity.principal_kind(),
                identity.without_agency(),
            );
            Some(identity)
        }
        (Err(error), Err(again)) => {
            assert_eq!(error.to_string(), again.to_string());
            told_without_secret(&error);
            None
        }
        _ => panic!("two readings of one file differ"),
    }
}

fn told_without_secret(error: &IdentityError) {
    assert_tells_no_secret(&told(error), &[SECRET]);
}

fn env(home: &Path, more: &[(&str, &str)]) -> Env {
    let home = home.to_string_lossy().into_owned();
    let pairs = more
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Env::given(pairs.chain([("HOME".to_owned(), home)]))
}

/// `clouds.yaml`, and after a line `#### secure.yaml` that file.
pub fn clouds_yaml(home: &Path, data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (clouds, secure) = text.split_once(NEXT_FILE).unwrap_or((text, ""));
    let openstack = home.join(".config/openstack");
    for (name, text) in [("clouds.yaml", clouds), ("secure.yaml", secure)] {
        let text = with_secrets(text);
        if serde_saphyr::from_str(&text).is_ok_and(|value: Value| !is_where_it_belongs(&value)) {
            return;
        }
        put(&openstack.join(name), &text);
    }
    let names = clouds.lines().skip_while(|line| !line.starts_with("clouds:")).skip(1);
    let name = names.map(|line| line.trim().trim_end_matches(':').trim_matches(['"', '\'']));
    let name = name.clone().find(|name| !name.is_empty()).unwrap_or("cloud");
    let env = env(home, &[(openstack::CLOUD, &name.replace('\0', ""))]);
    located(&Pin::Source(SourceName::Clouds, None), &env);
}

/// `~/.huaweicloud/credentials`.
pub fn sdk_credentials(home: &Path, data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.contains("%(") {
        return; // one value stands for another, a secret perhaps
    }
    put(&home.join(".huaweicloud/credentials"), &with_secrets(text));
    located(&Pin::Source(SourceName::SdkFile, None), &env(home, &[]));
}

/// KooCLI's `~/.hcloud/config.json`.
pub fn hcloud_config(home: &Path, data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let text = with_secrets(text);
    if serde_json::from_str(&text).is_ok_and(|value: Value| !is_where_it_belongs(&value)) {
        return;
    }
    put(&home.join(".hcloud/config.json"), &text);
    located(&Pin::Source(SourceName::Hcloud, None), &env(home, &[]));
}

/// Our `config.toml`: read, one profile added and taken away again.
pub fn config_toml(home: &Path, data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let file = home.join(".config/cce-login/config.toml");
    put(&file, text);
    let env = env(home, &[]);
    let directories = Directories::of(&env);
    let load = || Config::load(&directories, env.inputs());
    let before = match load() {
        Ok(before) => before,
        Err(error) => {
            assert!(!told(&error).is_empty());
            return;
        }
    };
    for profile in before.profiles.keys().filter_map(|name| ProfileName::parse(name).ok()) {
        located(&Pin::Profile(profile), &env);
    }
    let new = Profile {
        kind: "password".to_owned(),
        username: Some("a \"b\"\n#c".to_owned()),
        scope: Some(vec!["openid".to_owned(), String::new()]),
        ..Profile::default()
    };
    let fuzz = name("fuzz");
    let others = |config: Config| -> BTreeMap<String, Profile> {
        config.profiles.into_iter().filter(|(name, _)| name != "fuzz").collect()
    };
    let had = before.profiles.get("fuzz").cloned();
    let before = others(before);
    if Config::store(&directories, env.inputs(), &fuzz, &new).is_err() {
        return;
    }
    let stored = load().expect("what we write can be read");
    if let Some(stored) = stored.profiles.get("fuzz") {
        assert_eq!(
            (&stored.kind, &stored.username, &stored.scope),
            (&new.kind, &new.username, &new.scope)
        );
    } else {
        panic!("the profile is not there: {had:?}");
    }
    assert_eq!(others(stored), before);
    Config::remove(&directories, env.inputs(), &fuzz).expect("what could be written can be written again");
    let removed = load().expect("what we write can be read");
    assert!(!removed.profiles.contains_key("fuzz"));
    assert_eq!(others(removed), before);
}

fn name(text: &str) -> ProfileName {
    ProfileName::parse(text).expect("a profile's name")
}
