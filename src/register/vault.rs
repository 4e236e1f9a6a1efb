//! Vault's and OpenBao's key-value engine, version 2: each write names the version that it replaces.

use crate::host::{Deadline, Env};
use crate::http::{AnswerSize, Http, HttpSettings, Request, Response, Trust};
use crate::register::access::{ENGINE, VaultAccess};
use crate::register::answers::{self, errors_of, json_of};
use crate::register::{Reading, Register, RegisterError, Swap, Version};
use crate::secret::{Secret, SecretJson};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::cell::OnceCell;

/// A path of a mount, seen with somebody's rights.
pub struct Vault<'e> {
    /// For GitHub's service and the proxies.
    env: &'e Env,
    http: Http,
    access: VaultAccess,
    mount: String,
    path: String,
    /// Signed in once a run.
    token: OnceCell<Secret<String>>,
}

impl<'e> Vault<'e> {
    /// Connects to nobody yet.
    pub fn new(env: &'e Env, access: VaultAccess, mount: &str, path: &str) -> Result<Self, RegisterError> {
        let usual = HttpSettings::of(env);
        let http = Http::new(&HttpSettings {
            trust: access.ca_file.clone().map_or(usual.trust, Trust::File),
            answers: AnswerSize::Short,
            ..usual
        })?;
        Ok(Self {
            env,
            http,
            access,
            mount: mount.to_owned(),
            path: path.to_owned(),
            token: OnceCell::new(),
        })
    }

    fn token(&self, deadline: Deadline) -> Result<&Secret<String>, RegisterError> {
        if self.token.get().is_none() {
            let post = |path: &str, body: &SecretJson| self.send("POST", path, Some(body), None, deadline);
            let token = self.access.login.token(self.env, deadline, &post)?;
            let _ = self.token.set(token); // nobody else can have been faster
        }
        self.token.get().ok_or(RegisterError::Malformed { engine: ENGINE })
    }

    fn ask(
        &self,
        method: &'static str,
        name: &str,
        body: Option<&SecretJson>,
        deadline: Deadline,
    ) -> Result<Response, RegisterError> {
        let token = self.token(deadline)?;
        let path = format!("{}/data/{}/{name}", self.mount, self.path);
        self.send(method, &path, body, Some(token), deadline)
    }

    fn send(
        &self,
        method: &'static str,
        path: &str,
        body: Option<&SecretJson>,
        token: Option<&Secret<String>>,
        deadline: Deadline,
    ) -> Result<Response, RegisterError> {
        let mut headers = vec![("X-Vault-Request".to_owned(), "true".to_owned())];
        if let Some(token) = token {
            // To the address that the profile names, or that came from where the token came from.
            headers.push(("X-Vault-Token".to_owned(), token.expose().clone()));
        }
        if let Some(namespace) = &self.access.namespace {
            headers.push(("X-Vault-Namespace".to_owned(), namespace.clone()));
        }
        let request = Request {
            method,
            url: format!("{}/v1/{path}", self.access.address),
            headers,
            body: body.map(SecretJson::to_bytes),
        };
        Ok(self.http.send(request, deadline)?)
    }

    /// What an answer means that is none of the good ones.
    fn refusal(&self, answer: &Response, doing: &'static str) -> RegisterError {
        let message = errors_of(answer);
        match answer.status {
            404 if message.contains("no handler for route") => self.no_such_mount(),
            status => answers::refusal(ENGINE, doing, status, message),
        }
    }

    fn no_such_mount(&self) -> RegisterError {
        RegisterError::NoSuchPlace {
            engine: ENGINE,
            what: format!("key-value engine of version 2 at `{}`", self.mount),
        }
    }
}

impl Register for Vault<'_> {
    fn describe(&self) -> String {
        format!("Vault at {}, {}/{}", self.access.address, self.mount, self.path)
    }

    fn read(&self, name: &str, deadline: Deadline) -> Result<Reading, RegisterError> {
        let answer = self.ask("GET", name, None, deadline)?;
        let json = json_of(&answer);
        let version = json.pointer("/data/metadata/version").and_then(Value::as_u64);
        let (version, value) = match (answer.status, version) {
            (200, Some(version)) => {
                let value = json.pointer("/data/data/v").and_then(Value::as_str);
                (Some(version), Some(answers::value_of(value)))
            }
            // Deleted, or past its time.
            (404, Some(version)) => (Some(version), None),
            (404, None) if errors_of(&answer).is_empty() => (None, None),
            // The first version of the engine answers without metadata.
            (200, None) => return Err(self.no_such_mount()),
            _ => return Err(self.refusal(&answer, "read")),
        };
        Ok(Reading {
            version: Version(version.map(|number| number.to_string())),
            value,
            now: answer.date(),
        })
    }

    fn swap(
        &self,
        name: &str,
        version: &Version,
        value: &Secret<Vec<u8>>,
        deadline: Deadline,
    ) -> Result<Swap, RegisterError> {
        let cas = version
            .0
            .as_deref()
            .and_then(|text| text.parse::<u64>().ok())
            .unwrap_or(0);
        // Into the engine that protects it.
        let value = BASE64.encode(value.expose());
        let body = SecretJson::new(json!({"options": {"cas": cas}, "data": {"v": value}}));
        let answer = self.ask("POST", name, Some(&body), deadline)?;
        match answer.status {
            200 => {
                let version = json_of(&answer).pointer("/data/version").and_then(Value::as_u64);
                let version = version.ok_or_else(|| self.no_such_mount())?;
                Ok(Swap::Done(Version(Some(version.to_string()))))
            }
            204 => Err(self.no_such_mount()), // the first version of the engine takes everything
            400 if errors_of(&answer).contains("did not match the current version") => Ok(Swap::Lost),
            _ => Err(self.refusal(&answer, "write")),
        }
    }

    fn delete(&self, name: &str, version: &Version, deadline: Deadline) -> Result<Swap, RegisterError> {
        // The engine deletes whatever is there: an empty value in place of what was read is safe in a race, and needs no further right.
        self.swap(name, version, &Secret::new(Vec::new()), deadline)
    }
}
