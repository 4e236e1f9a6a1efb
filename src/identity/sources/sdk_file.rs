//! The Huawei Cloud SDKs' file as an identity source: `~/.huaweicloud/credentials`, section `[basic]`.

mod ini;

use crate::config::Profile;
use crate::env_vars;
use crate::host::Env;
use crate::identity::IdentityError;
use crate::identity::fingerprint::Fingerprint;
use crate::identity::found::provider_found;
use crate::identity::found::{AuthMethod, FoundIdentity};
use crate::identity::id_token::IdTokenSource;
use crate::identity::reading::{
    TokenFile, access_key_id, auth_url, malformed_source, named_file, one_line, one_word, read_file,
    secret as secret_of,
};
use crate::identity::secret_record::SecretRef;
use crate::secret::SecretShape;
use ini::{Malformed, Section, Value};
use std::path::PathBuf;

const SOURCE: &str = "sdk-file";
/// The section for services of a region; `[global]` is for those without one.
const SECTION: &str = "basic";

/// Reads this file, or the one that the environment names, or the usual one; `None` where there is none, or it has no `[basic]`.
pub(crate) fn find(env: &Env, file: Option<&str>) -> Result<Option<FoundIdentity>, IdentityError> {
    let cure = match file {
        Some(_) => "run `kubectl cce-login` again for the cluster, with `--identity=sdk-file:FILE`".to_owned(),
        None => format!("correct `{}`, or unset it", env_vars::SDK_CREDENTIALS_FILE),
    };
    let named = match file {
        Some(file) => Some(PathBuf::from(file)),
        None => named_file(SOURCE, env, env_vars::SDK_CREDENTIALS_FILE)?,
    };
    let usual = || Some(env.home()?.join(".huaweicloud").join("credentials"));
    let is_named = named.is_some();
    let Some(path) = named.or_else(usual) else {
        return Ok(None);
    };
    let Some(text) = read_file(SOURCE, env, &path)? else {
        if is_named {
            let problem = format!("`{}` does not exist", path.display());
            return Err(malformed_source(SOURCE, problem, cure));
        }
        return Ok(None);
    };
    let file = path.display().to_string();
    // What is secret in it goes into `Secret`s.
    let section = Section::read(text.expose(), SECTION).map_err(|Malformed { line, problem }| {
        let cure = "write `[basic]`, and below it lines such as `ak = …` and `sk = …`";
        malformed_source(SOURCE, format!("`{file}`, line {line}: {problem}"), cure)
    })?;
    let found = section.map(|keys| Basic { file, keys }.found(env));
    found.transpose()
}

/// Of a source, a key and its value: whether the value can be what the key says.
type ValueCheck = fn(&str, &str, &str) -> Result<(), IdentityError>;

/// `[basic]`.
struct Basic {
    file: String,
    keys: Section,
}

impl Basic {
    /// The value of what is no secret, if it has not swallowed one.
    fn plain(&self, key: &str, check: ValueCheck) -> Result<Option<String>, IdentityError> {
        let Some(Value { line, text }) = self.keys.get(key) else {
            return Ok(None);
        };
        let text = text.expose(); // an id, a path
        check(&self.at(line), key, text)?;
        Ok(Some(text.clone()))
    }

    fn at(&self, line: usize) -> String {
        format!("{SOURCE}: `{}`, line {line}", self.file)
    }

    fn found(&self, env: &Env) -> Result<FoundIdentity, IdentityError> {
        let origin = format!("`{}`", self.file);
        let iam_endpoint = match self.keys.get("iam_endpoint") {
            // A URL, no secret.
            Some(Value { line, text }) => Some(auth_url(&self.at(line), "iam_endpoint", text.expose())?.to_string()),
            None => env
                .var(env_vars::SDK_IAM_ENDPOINT)
                .map(|url| auth_url("environment", env_vars::SDK_IAM_ENDPOINT, &url))
                .transpose()?
                .map(|endpoint| endpoint.to_string()),
        };
        let settings = Profile {
            project: self.plain("project_id", one_word)?,
            iam_endpoint,
            origin: Some(origin.clone()),
            ..Profile::default()
        };
        match self.plain("idp_id", one_word)? {
            Some(provider) => self.of_provider(provider, env, settings, &origin),
            None => self.of_access_key(settings, &origin),
        }
    }

    /// An id token of this provider at IAM.
    fn of_provider(
        &self,
        provider: String,
        env: &Env,
        settings: Profile,
        origin: &str,
    ) -> Result<FoundIdentity, IdentityError> {
        let Some(file) = self.plain("id_token_file", one_line)? else {
            return Err(malformed_source(
                self.at(self.keys.line),
                "`idp_id` is set, `id_token_file` is not",
                "name the file of the id token too",
            ));
        };
        let token = IdTokenSource::File(TokenFile::of(file, env));
        Ok(FoundIdentity {
            name: Some(self.file.clone()),
            ..provider_found(provider, token, settings, origin)
        })
    }

    fn of_access_key(&self, settings: Profile, origin: &str) -> Result<FoundIdentity, IdentityError> {
        let (id, secret) = match (self.keys.get("ak"), self.keys.get("sk")) {
            (Some(id), Some(secret)) => (id, secret),
            (id, secret) => {
                let line = id
                    .as_ref()
                    .or(secret.as_ref())
                    .map_or(self.keys.line, |value| value.line);
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
        let id = access_key_id(&self.at(id.line), "ak", id.text.expose())?;
        let checked = |name: &str, value: Value| secret_of(&self.at(value.line), name, SecretShape::Key, &value.text);
        let secret = checked("sk", secret)?;
        let token = self.keys.get("security_token");
        let security_token = token.map(|token| checked("security_token", token)).transpose()?;
        Ok(FoundIdentity {
            name: Some(self.file.clone()),
            fingerprint: Fingerprint::of_access_key(&id),
            described: format!("access key `{id}` from {origin}"),
            cure: format!("check `ak` and `sk` in {origin}: they must belong together and be active"),
            means: AuthMethod::AccessKey {
                id,
                secret: SecretRef::Inline(secret),
                security_token,
            },
            agency: None,
            settings,
        })
    }
}
