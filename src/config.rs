//! `config.toml`: the profiles, without their secrets.

mod profile_kind;

pub(crate) use profile_kind::ProfileKind;

use crate::error::{Exit, Explain};
use crate::host::{Directories, Input, Inputs, write_private};
use crate::ids::ProfileName;
use crate::store::SecretPlace;
use crate::words::Word as _;
use crate::words::names::did_you_mean;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// All profiles.
#[derive(Debug, Default, Deserialize)]
pub struct Config {
    /// By name.
    #[serde(default)]
    pub profiles: BTreeMap<String, Profile>,
}

/// One named identity. The keys are `profile set`'s flags with underscores; unknown ones are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Profile {
    /// One of [`ProfileKind`], or what a later version knows.
    pub kind: String,
    /// The public half of an access key; the secret half is in the keyring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The IAM user's name, unique in the account `domain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The IAM user's id; a passcode needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The account's name or id: the user's, or the one that delegates the agency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// A passcode is asked for when signing in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp: Option<bool>,
    /// The agency to assume: `NAME`, or `ACCOUNT/NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<String>,
    /// The profile that assumes the agency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_profile: Option<String>,
    /// The identity provider's name at IAM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idp: Option<String>,
    /// Where the identity provider's id token is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_file: Option<String>,
    /// The address of the Identity Center's portal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_url: Option<String>,
    /// The region where the Identity Center is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sso_region: Option<String>,
    /// The account at the portal (name or id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// What one is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission_set: Option<String>,
    /// The agency that the permission set is in the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency_urn: Option<String>,
    /// Where clients of the Identity Center register and poll, in place of the region's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sso_endpoint: Option<String>,
    /// The portal's API, in place of the cloud's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portal_endpoint: Option<String>,
    /// `iss` of the company's identity provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The client there whose id tokens IAM takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The client has a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<bool>,
    /// What is asked for beside `openid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Vec<String>>,
    /// The address of this machine that the browser comes back to, where not any port will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<String>,
    /// `browser`, `device` (the browser of another machine) or `auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<String>,
    /// What else goes into the address that the browser opens: `NAME=VALUE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_param: Option<Vec<String>>,
    /// Roots for the identity provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_ca_file: Option<String>,
    /// Opens the browser, in place of the system's opener.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// The program that prints an access key, and its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// `file` when the secret is not in the keyring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_store: Option<String>,
    /// `huawei`, `otc` or a domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<String>,
    /// The region that `login` takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The project that `login` takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// CCE's base URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cce_endpoint: Option<String>,
    /// IAM's base URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iam_endpoint: Option<String>,
    /// Roots for the cloud endpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// The proxy towards the cloud endpoints, in place of the environment's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// The register that many machines share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_cache: Option<String>,
    /// What shared values are sealed with, where the identity has no secret access key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_key_file: Option<String>,
    /// The way into Vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<VaultProfile>,
    /// Where these settings come from, if it is not `config.toml`: what a source beside our own profiles says of region and endpoints.
    #[serde(skip)]
    pub origin: Option<String>,
}

impl Profile {
    /// How it proves who it is; `None` where we know no such kind.
    pub(crate) fn kind(&self) -> Option<ProfileKind> {
        ProfileKind::parse(&self.kind)
    }

    /// Where its secret is.
    pub(crate) fn secret_place(&self) -> SecretPlace {
        let named = self.secret_store.as_deref().and_then(SecretPlace::parse);
        named.unwrap_or(SecretPlace::Keyring)
    }

    /// What `secret_store` is for this place.
    pub(crate) fn secret_store_of(place: SecretPlace) -> Option<String> {
        (place != SecretPlace::Keyring).then(|| place.as_str().to_owned())
    }
}

/// The way into Vault: where it is, and how we sign in there. No secret is among it, only the files of some.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VaultProfile {
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// PEM roots in place of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// The namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The file in which an agent keeps a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<String>,
    /// The auth method's mount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<String>,
    /// The role to sign in with an id token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The file of that token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_file: Option<String>,
    /// The audience of GitHub's id token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The file of an AppRole's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_id_file: Option<String>,
    /// The file of an AppRole's secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_id_file: Option<String>,
}

/// Why `config.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no home directory, so no place for it.
    #[error("`HOME` is not set, so there is no place where profiles are kept")]
    NoDirectory,
    /// `sudo` has left `HOME` as it was: what root makes there, its owner cannot change.
    #[error("`HOME` is `{}`, which belongs to somebody else, so no profile is kept there", .0.display())]
    HomeOfSomebodyElse(PathBuf),
    /// The system refused.
    #[error("cannot {what} `{path}`")]
    Io {
        /// `read`, `write`.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// It, or its directory, may say what somebody else wants.
    #[error("`{path}` says where secrets go, and {problem}")]
    NotOurs {
        /// The file or its directory.
        path: PathBuf,
        /// Who else can write it.
        problem: String,
    },
    /// Not TOML, or not of this shape.
    #[error("`{path}`, line {line}: {message}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// The parser's words.
        message: String,
    },
}

impl Explain for ConfigError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::HomeOfSomebodyElse(_) => crate::host::NOT_OUR_HOME.to_owned(),
            Self::NoDirectory => crate::host::NO_HOME.to_owned(),
            Self::Io { path, .. } => format!("check who owns `{}` and its directory", path.display()),
            Self::NotOurs { path, .. } => {
                let path = path.display();
                format!(
                    "if what it says is right, make it yours alone: `chmod go-w '{path}'`, and `chown` if it is somebody else's"
                )
            }
            Self::Malformed { path, .. } => {
                format!(
                    "correct the line, or move `{}` away and run `kubectl cce-login profile set NAME` again",
                    path.display()
                )
            }
        })
    }
}

impl Config {
    /// Reads the file; none is an empty one.
    pub fn load(directories: &Directories, inputs: &Inputs) -> Result<Self, ConfigError> {
        let Some(path) = path(directories) else {
            return Ok(Self::default());
        };
        match read(&path, inputs)? {
            None => Ok(Self::default()),
            Some(text) => {
                toml_edit::de::from_str(&text).map_err(|error| malformed(&path, &text, error.span(), error.message()))
            }
        }
    }

    /// The same for who asks for profiles alone: an error where there is no place for them.
    pub(crate) fn load_from_home(directories: &Directories, inputs: &Inputs) -> Result<Self, ConfigError> {
        place(directories)?;
        Self::load(directories, inputs)
    }

    /// What a mistyped name of a profile may mean.
    pub(crate) fn meant(&self, name: &ProfileName) -> Option<String> {
        did_you_mean(name.as_str(), self.profiles.keys().map(String::as_str))
    }

    /// Adds or replaces one profile, and leaves the rest of the file as it is.
    pub(crate) fn store(
        directories: &Directories,
        inputs: &Inputs,
        name: &ProfileName,
        profile: &Profile,
    ) -> Result<PathBuf, ConfigError> {
        edit(directories, inputs, |document| {
            let mut table = toml_edit::ser::to_document(profile).unwrap_or_default();
            for (_, item) in table.iter_mut().filter(|(_, item)| item.is_inline_table()) {
                // With lines of its own, as people write it.
                let inline = std::mem::take(item).into_table();
                *item = inline.map_or_else(|item| item, toml_edit::Item::Table);
            }
            let profiles = document.entry("profiles").or_insert_with(|| {
                let mut table = toml_edit::Table::new();
                table.set_implicit(true);
                toml_edit::Item::Table(table)
            });
            if let Some(profiles) = profiles.as_table_like_mut() {
                let mut table = table.as_table().clone();
                let before = profiles.get(name.as_str()).and_then(|item| item.as_table_like());
                for key in WRITTEN_BY_HAND {
                    if let Some(kept) = before.and_then(|before| before.get(key)) {
                        table.entry(key).or_insert(kept.clone());
                    }
                }
                profiles.insert(name.as_str(), toml_edit::Item::Table(table));
            }
        })
    }

    /// Removes one profile, and leaves the rest of the file as it is.
    pub(crate) fn remove(
        directories: &Directories,
        inputs: &Inputs,
        name: &ProfileName,
    ) -> Result<PathBuf, ConfigError> {
        edit(directories, inputs, |document| {
            if let Some(profiles) = document.get_mut("profiles").and_then(|p| p.as_table_like_mut()) {
                profiles.remove(name.as_str());
            }
        })
    }
}

/// The keys that no flag of `profile set` writes, so that none takes them away.
const WRITTEN_BY_HAND: [&str; 3] = ["shared_cache", "shared_key_file", "vault"];

fn path(directories: &Directories) -> Option<PathBuf> {
    directories.config.as_ref().map(|dir| dir.join("config.toml"))
}

/// Where the file is, or would be made.
fn place(directories: &Directories) -> Result<PathBuf, ConfigError> {
    path(directories).ok_or_else(|| match &directories.home_of_somebody_else {
        Some(home) => ConfigError::HomeOfSomebodyElse(home.clone()),
        None => ConfigError::NoDirectory,
    })
}

fn read(path: &Path, inputs: &Inputs) -> Result<Option<String>, ConfigError> {
    for place in path.parent().into_iter().chain([path]) {
        check_ours(place)?;
    }
    match inputs.read_text(path, Input::Settings) {
        Ok(text) => Ok(Some(text.expose().clone())), // the settings are no secret
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ConfigError::Io {
            what: "read",
            path: path.to_owned(),
            source,
        }),
    }
}

/// Refuses what others can write, as ssh does with its files. What is not there is nobody's.
fn check_ours(path: &Path) -> Result<(), ConfigError> {
    match crate::host::others_who_can_write(path) {
        Ok(Some(problem)) => Err(ConfigError::NotOurs {
            path: path.to_owned(),
            problem,
        }),
        _ => Ok(()),
    }
}

fn edit(
    directories: &Directories,
    inputs: &Inputs,
    change: impl FnOnce(&mut toml_edit::DocumentMut),
) -> Result<PathBuf, ConfigError> {
    let path = place(directories)?;
    let text = read(&path, inputs)?.unwrap_or_default();
    let mut document: toml_edit::DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| malformed(&path, &text, error.span(), error.message()))?;
    change(&mut document);
    let written = write_private(&path, document.to_string().as_bytes());
    written.map_err(|source| ConfigError::Io {
        what: "write",
        path: path.clone(),
        source,
    })?;
    Ok(path)
}

fn malformed(path: &Path, text: &str, span: Option<std::ops::Range<usize>>, message: &str) -> ConfigError {
    let before = text.get(..span.map_or(0, |span| span.start)).unwrap_or_default();
    ConfigError::Malformed {
        path: path.to_owned(),
        line: before.lines().count().max(1),
        message: message.to_owned(),
    }
}
