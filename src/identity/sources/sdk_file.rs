//! The Huawei Cloud SDKs' file as an identity source: `~/.huaweicloud/credentials`, section `[basic]`.

use crate::config::Profile;
use crate::env_vars;
use crate::host::Env;
use crate::identity::IdentityError;
use crate::identity::found::{AuthMethod, FoundIdentity, SecretRef};
use crate::identity::id_token::{IdTokenSource, provider_found};
use crate::identity::reading::{access_key_id, auth_url, malformed_source, read_file};
use crate::secret::Secret;
use std::path::PathBuf;

const SOURCE: &str = "sdk-file";
/// The section for services of a region; `[global]` is for those without one.
const SECTION: &str = "basic";

/// Reads the file; `None` where there is none, or it has no `[basic]`.
pub(crate) fn find(env: &Env) -> Result<Option<FoundIdentity>, IdentityError> {
    let named = env.path(env_vars::SDK_CREDENTIALS_FILE);
    let usual = || Some(env.home()?.join(".huaweicloud").join("credentials"));
    let is_named = named.is_some();
    let Some(path) = named.or_else(usual) else {
        return Ok(None);
    };
    let Some(text) = read_file(SOURCE, &path)? else {
        if is_named {
            let problem = format!("`{}` does not exist", path.display());
            let cure = format!("correct `{}`, or unset it", env_vars::SDK_CREDENTIALS_FILE);
            return Err(malformed_source(SOURCE, problem, cure));
        }
        return Ok(None);
    };
    let file = path.display().to_string();
    match Section::read(&file, &text)? {
        Some(section) => section.found(env).map(Some),
        None => Ok(None),
    }
}

/// The keys of `[basic]` with their lines.
struct Section {
    file: String,
    /// The line of `[basic]`, from 1.
    line: usize,
    pairs: Vec<(String, usize, Secret<String>)>,
}

impl Section {
    fn read(file: &str, text: &str) -> Result<Option<Self>, IdentityError> {
        let mut found: Option<Self> = None;
        let mut is_inside = false;
        for (line, content) in (1..).zip(text.lines().map(str::trim)) {
            if content.is_empty() || content.starts_with(['#', ';']) {
                continue;
            }
            let malformed = |problem: &str| {
                let cure = "write `[basic]`, and below it lines such as `ak = …` and `sk = …`";
                malformed_source(SOURCE, format!("`{file}`, line {line}: {problem}"), cure)
            };
            if let Some(name) = content.strip_prefix('[') {
                let name = name
                    .strip_suffix(']')
                    .ok_or_else(|| malformed("the section's name has no `]`"))?;
                is_inside = name.trim() == SECTION;
                if is_inside && found.is_none() {
                    found = Some(Self {
                        file: file.to_owned(),
                        line,
                        pairs: Vec::new(),
                    });
                }
                continue;
            }
            let Some((key, value)) = content.split_once('=') else {
                return Err(malformed("it is neither a section nor `key = value`"));
            };
            match &mut found {
                Some(section) if is_inside => {
                    let value = Secret::new(value.trim().to_owned());
                    section.pairs.push((key.trim().to_owned(), line, value));
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// A key's value and line; a blank one counts as unset.
    fn get(&self, key: &str) -> Option<(usize, &Secret<String>)> {
        let mut pairs = self.pairs.iter().rev();
        let (_, line, value) = pairs.find(|(name, ..)| name == key)?;
        (!value.expose().is_empty()).then_some((*line, value)) // only its length is looked at
    }

    /// The value of what is no secret.
    fn plain(&self, key: &str) -> Option<String> {
        self.get(key).map(|(_, value)| value.expose().clone()) // a name, an id, a URL, a path
    }

    fn at(&self, line: usize) -> String {
        format!("{SOURCE}: `{}`, line {line}", self.file)
    }

    fn found(&self, env: &Env) -> Result<FoundIdentity, IdentityError> {
        let origin = format!("`{}`", self.file);
        let iam_endpoint = match self.get("iam_endpoint") {
            // A URL, no secret.
            Some((line, url)) => Some(auth_url(&self.at(line), "iam_endpoint", url.expose())?.to_string()),
            None => env
                .var(env_vars::SDK_IAM_ENDPOINT)
                .map(|url| auth_url("environment", env_vars::SDK_IAM_ENDPOINT, &url))
                .transpose()?
                .map(|endpoint| endpoint.to_string()),
        };
        let settings = Profile {
            project: self.plain("project_id"),
            iam_endpoint,
            origin: Some(origin.clone()),
            ..Profile::default()
        };
        if let Some(provider) = self.plain("idp_id") {
            let Some(file) = self.plain("id_token_file") else {
                return Err(malformed_source(
                    self.at(self.line),
                    "`idp_id` is set, `id_token_file` is not",
                    "name the file of the id token too",
                ));
            };
            let token = IdTokenSource::File(PathBuf::from(file));
            return Ok(provider_found(provider, token, settings, &origin));
        }
        let (id, secret) = match (self.get("ak"), self.get("sk")) {
            (Some(id), Some(secret)) => (id, secret),
            (id, secret) => {
                let line = id.or(secret).map_or(self.line, |(line, _)| line);
                let missing = if id.is_none() { "ak" } else { "sk" };
                let problem = format!("`[{SECTION}]` has no `{missing}`");
                return Err(malformed_source(
                    self.at(line),
                    problem,
                    "write both, `ak = …` and `sk = …`",
                ));
            }
        };
        // The id is no secret; it stands beside one.
        let id = access_key_id(&self.at(id.0), "ak", id.1.expose())?;
        let security_token = self.get("security_token").map(|(_, token)| token.clone());
        let fingerprint = match &security_token {
            None => format!("ak:{id}"),
            // A temporary key's id changes with every new one.
            Some(_) => format!(
                "{SOURCE}:{}|{}|{}",
                self.file,
                self.plain("domain_id").unwrap_or_default(),
                self.plain("project_id").unwrap_or_default()
            ),
        };
        Ok(FoundIdentity {
            fingerprint,
            described: format!("access key `{id}` from {origin}"),
            cure: format!("check `ak` and `sk` in {origin}: they must belong together and be active"),
            means: AuthMethod::AccessKey {
                id,
                secret: SecretRef::Inline(secret.1.clone()),
                security_token,
            },
            agency: None,
            settings,
        })
    }
}
