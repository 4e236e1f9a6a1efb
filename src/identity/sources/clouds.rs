//! OpenStack's `clouds.yaml` as an identity source, with `secure.yaml` and `clouds-public.yaml`, for the cloud that `OS_CLOUD` names:
//! where the files are, and that they are read as openstacksdk reads them.
//!
//! The current directory is not searched, as OpenStack's clients do: kubectl runs in every directory, foreign ones included. And secrets
//! of the usual places do not go to the addresses of a `clouds.yaml` that a variable names elsewhere.

mod entry;
mod plain_yaml;

use crate::env_vars::{XDG_CONFIG_HOME, openstack as names};
use crate::host::Env;
use crate::identity::IdentityError;
use crate::identity::found::{AuthMethod, FoundIdentity};
use crate::identity::reading::{malformed_source, named_file, read_file};
use crate::identity::sources::openstack::{OpenStackSettings, Openstack, Wording};
use crate::sanitize::sanitize;
use crate::secret::Secret;
use entry::Entry;
use plain_yaml::{MalformedYaml, Map, PlainYaml};
use std::path::{Path, PathBuf};

const SOURCE: &str = "clouds";
/// In this order, as OpenStack's clients look for them.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// The identity of the cloud of this name, or of the one that the environment names; `None` where no cloud is named.
pub(crate) fn find(env: &Env, name: Option<&str>) -> Result<Option<FoundIdentity>, IdentityError> {
    let Some(cloud) = name.map(str::to_owned).or_else(|| env.var(names::CLOUD)) else {
        return Ok(None);
    };
    let files = Files::read(env)?;
    let path = files.path().ok_or_else(|| no_file(&cloud, name.is_some()))?;
    let own = files.cloud(&cloud);
    let own = own.ok_or_else(|| no_cloud(path, &cloud, &files.names(), name.is_some()))?;
    let region = names::REGION.iter().find_map(|name| env.var(name));
    let public = if entry::has_profile(&own) {
        files.public(env)?
    } else {
        None
    };
    let entry = Entry::new(&own, public.as_ref(), region.as_deref());
    let by_vendor = match &entry.vendor {
        Some(vendor) => format!(" (vendor profile `{}`)", sanitize(vendor)),
        None => String::new(),
    };
    let origin = format!("cloud `{}` in `{}`", sanitize(&cloud), path.display());
    let wording = Wording {
        source: &format!("{SOURCE}: {origin}"),
        origin: format!("{origin}{by_vendor}"),
        user_id: "user_id",
        username: "username",
        password: "password",
        secret_key: "sk",
        access_key: "ak",
        domain: "user_domain_name",
        passcode: "passcode",
    };
    let found = openstack(&entry, env, &wording)?.find(&wording)?;
    let mut found = found.ok_or_else(|| {
        malformed_source(
            wording.source,
            "it has neither an access key nor a token nor a password",
            "add `ak` and `sk`, or `username`, `user_domain_name` and `password`, below its `auth:`",
        )
    })?;
    found.name = Some(cloud);
    found.settings.cloud = entry.known_cloud().map(str::to_owned);
    check_vendor_is_known(&entry, &found, wording.source)?;
    Ok(Some(found))
}

/// A cloud is named, by who calls us or by the environment, and there is no file of clouds.
fn no_file(cloud: &str, is_pinned: bool) -> IdentityError {
    let shown = sanitize(cloud);
    let problem = if is_pinned {
        format!("the cloud is to be `{shown}`, but there is no `clouds.yaml`")
    } else {
        format!("`{}` is `{shown}`, but there is no `clouds.yaml`", names::CLOUD)
    };
    let cure = format!(
        "put it into `~/.config/openstack`, or name it with `{}`; unset `{}` to use another identity",
        names::CONFIG_FILE,
        names::CLOUD
    );
    malformed_source(SOURCE, problem, cure)
}

/// The file has clouds of these names, and not that one.
fn no_cloud(path: &Path, cloud: &str, known: &[String], is_pinned: bool) -> IdentityError {
    let problem = format!("`{}` has no cloud `{}`", path.display(), sanitize(cloud));
    let cure = match known {
        [] => "it names no cloud at all: add one below `clouds:`".to_owned(),
        known if is_pinned => format!("it has {}: run the login again with one of them", known.join(", ")),
        known => format!("set `{}` to one of {}", names::CLOUD, known.join(", ")),
    };
    malformed_source(SOURCE, problem, cure)
}

/// What its bearer alone is believed for goes nowhere while nothing says where a vendor's IAM is: its region may be called like one of ours.
fn check_vendor_is_known(entry: &Entry, found: &FoundIdentity, source: &str) -> Result<(), IdentityError> {
    let is_bearer = matches!(found.means, AuthMethod::Password { .. } | AuthMethod::Token(_));
    let is_known = found.settings.cloud.is_some() || found.settings.iam_endpoint.is_some();
    match &entry.vendor {
        Some(vendor) if is_bearer && !is_known => Err(malformed_source(
            source,
            format!(
                "nothing says where the IAM of the vendor profile `{}` is, so nothing secret is sent",
                sanitize(vendor)
            ),
            "write `auth_url` below its `auth:`",
        )),
        _ => Ok(()),
    }
}

/// The files that say something of clouds.
struct Files {
    clouds: Option<(PathBuf, PlainYaml)>,
    secure: Option<(PathBuf, PlainYaml)>,
    directories: Vec<PathBuf>,
}

impl Files {
    fn read(env: &Env) -> Result<Self, IdentityError> {
        let directories = directories(env);
        let first = |name: &str| first_below(env, &directories, name);
        let clouds = named(env, names::CONFIG_FILE)?;
        let secure = match (named(env, names::SECURE_FILE)?, &clouds) {
            (Some(secure), _) => Some(secure),
            (None, Some((path, _))) => first_of(env, &path.with_file_name("secure"))?,
            (None, None) => first("secure")?,
        };
        Ok(Self {
            clouds: match clouds {
                Some(clouds) => Some(clouds),
                None => first("clouds")?,
            },
            secure,
            directories,
        })
    }

    /// What messages name.
    fn path(&self) -> Option<&Path> {
        let file = self.clouds.as_ref().or(self.secure.as_ref());
        file.map(|(path, _)| path.as_path())
    }

    /// The cloud's entry, what `secure.yaml` says of it above it.
    fn cloud(&self, name: &str) -> Option<Map> {
        let mut all = self.all().filter_map(|clouds| clouds.get(name));
        let mut entry = PlainYaml::clone(all.next()?);
        for more in all {
            entry.overlay(more);
        }
        entry.map().cloned()
    }

    /// What the vendors that are described here have.
    fn public(&self, env: &Env) -> Result<Option<PlainYaml>, IdentityError> {
        Ok(first_below(env, &self.directories, "clouds-public")?.map(|(_, public)| public))
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<&String> = self.all().flat_map(Map::keys).collect();
        names.sort();
        names.dedup();
        let quoted = |name: &String| format!("`{}`", sanitize(name));
        names.into_iter().map(quoted).collect()
    }

    fn all(&self) -> impl Iterator<Item = &Map> {
        let files = [&self.clouds, &self.secure];
        files
            .into_iter()
            .flatten()
            .filter_map(|(_, file)| file.map()?.get("clouds")?.map())
    }
}

/// Where OpenStack's clients look, in this order.
fn directories(env: &Env) -> Vec<PathBuf> {
    let home = env.home();
    let below_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let mac = if cfg!(target_os = "macos") {
        [
            below_home("Library/Application Support/openstack"),
            Some(PathBuf::from("/Library/Application Support/openstack")),
        ]
    } else {
        [None, None]
    };
    let [mac_user, mac_site] = mac;
    let all = [
        env.path(XDG_CONFIG_HOME).map(|config| config.join("openstack")),
        mac_user,
        below_home(".config/openstack"),
        mac_site,
        Some(PathBuf::from("/etc/xdg/openstack")),
        Some(PathBuf::from("/etc/openstack")),
    ];
    all.into_iter().flatten().collect()
}

fn first_below(env: &Env, directories: &[PathBuf], name: &str) -> Result<Option<(PathBuf, PlainYaml)>, IdentityError> {
    let mut all = directories.iter().map(|directory| first_of(env, &directory.join(name)));
    all.find_map(Result::transpose).transpose()
}

/// The file that a variable names.
fn named(env: &Env, variable: &'static str) -> Result<Option<(PathBuf, PlainYaml)>, IdentityError> {
    let Some(path) = named_file(SOURCE, env, variable)? else {
        return Ok(None);
    };
    let missing = || {
        let problem = format!("`{variable}` names `{}`, which does not exist", path.display());
        malformed_source(SOURCE, problem, format!("correct `{variable}`, or unset it"))
    };
    let text = read_file(SOURCE, env, &path)?.ok_or_else(missing)?;
    let parsed = parse(&path, &text)?;
    Ok(Some((path, parsed)))
}

fn first_of(env: &Env, stem: &Path) -> Result<Option<(PathBuf, PlainYaml)>, IdentityError> {
    for extension in EXTENSIONS {
        let path = stem.with_extension(extension);
        if let Some(text) = read_file(SOURCE, env, &path)? {
            let parsed = parse(&path, &text)?;
            return Ok(Some((path, parsed)));
        }
    }
    Ok(None)
}

fn parse(path: &Path, text: &Secret<String>) -> Result<PlainYaml, IdentityError> {
    // What is secret in it goes into `Secret`s.
    PlainYaml::parse(text.expose()).map_err(|MalformedYaml { line, problem }| {
        let problem = format!("`{}`, line {line}: {problem}", path.display());
        malformed_source(SOURCE, problem, "correct the line")
    })
}

fn openstack(entry: &Entry, env: &Env, wording: &Wording<'_>) -> Result<Openstack, IdentityError> {
    let of = |keys: &[&'static str]| {
        entry
            .get(keys)
            .map(|(text, name)| OpenStackSettings::secret(text, name))
    };
    let auth_url = entry.auth_url().transpose().map_err(|unfilled| {
        let name = sanitize(&unfilled.name);
        let problem = format!("`auth_url` needs `{name}`, which is not set");
        malformed_source(wording.source, problem, format!("set `{name}` beside `auth:`"))
    })?;
    let ca_file = entry
        .get(&["cacert"])
        .map(|(path, _)| ca_file(&path, env, wording))
        .transpose()?;
    Ok(Openstack {
        auth_type: of(&["auth_type", "auth_plugin"]),
        access_key: of(&["ak", "access_key"]),
        secret_key: of(&["sk", "secret_key"]),
        security_token: of(&["security_token"]),
        token: of(&["token", "auth_token"]),
        user_id: of(&["user_id"]),
        username: of(&["username", "user_name"]),
        password: of(&["password"]),
        passcode: of(&["passcode"]),
        domain_name: of(&[
            "user_domain_name",
            "domain_name",
            "default_domain_name",
            "project_domain_name",
        ]),
        domain_id: of(&["user_domain_id", "domain_id", "default_domain_id", "project_domain_id"]),
        project_name: of(&["project_name", "tenant_name"]),
        project_id: of(&["project_id", "tenant_id"]),
        region: entry
            .region
            .clone()
            .map(|region| OpenStackSettings::secret(region, "region_name")),
        auth_url: auth_url.map(|url| OpenStackSettings::secret(url, "auth_url")),
        ca_file,
        agency: of(&["target_agency_name"]),
        agency_domain: of(&["target_domain_id", "target_domain_name"]),
    })
}

/// `~` is the home directory. Another relative path would be another file in every directory.
fn ca_file(path: &Secret<String>, env: &Env, wording: &Wording<'_>) -> Result<OpenStackSettings, IdentityError> {
    let path = path.expose(); // a path
    let below_home = path.strip_prefix("~/").and_then(|rest| Some(env.home()?.join(rest)));
    let path = below_home.unwrap_or_else(|| PathBuf::from(path));
    match path.to_str() {
        Some(text) if path.is_absolute() => Ok(OpenStackSettings::new(text.to_owned(), "cacert")),
        _ => {
            let problem = format!("`cacert`: `{}` is a relative path", sanitize(&path.to_string_lossy()));
            Err(malformed_source(
                wording.source,
                problem,
                "write the whole path, or one that begins with `~/`",
            ))
        }
    }
}
