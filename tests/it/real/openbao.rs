//! A real OpenBao over TLS on loopback, with a key-value engine of version 2 at `kv`.

use super::free_port_of;
use crate::system::process::{Output, Running, wait_for};
use cce_login::host::Deadline;
use cce_login::http::{Http, HttpSettings, Request, Trust};
use cce_login::secret::Secret;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

/// The token that may do everything.
pub(crate) const ROOT: &str = "root-of-the-tests";

/// A running server.
pub(crate) struct OpenBao {
    directory: tempfile::TempDir,
    address: String,
    /// Locked by nobody: it makes the server something that threads can share.
    process: Mutex<Running>,
}

impl OpenBao {
    /// With the mount.
    pub(crate) fn start() -> Self {
        let server = Self::start_empty();
        let mount = json!({"type": "kv", "options": {"version": "2"}});
        server.do_as_root("POST", "sys/mounts/kv", &mount);
        // The engine upgrades itself in the background, and answers 400 until it is done.
        wait_for("the mount", || server.ask("GET", "kv/config", None, ROOT).0 == 200);
        server
    }

    /// Without it.
    pub(crate) fn start_empty() -> Self {
        // Somebody may take the port, or the one above it, before the server does: then it ends.
        let mut ended = Vec::new();
        while ended.len() < 5 {
            match Self::try_start() {
                Ok(server) => return server,
                Err(output) => ended.push(output),
            }
        }
        panic!("OpenBao ended each time: {ended:#?}")
    }

    fn try_start() -> Result<Self, Output> {
        let program = std::env::var_os("BAO").unwrap_or_else(|| panic!("BAO is not set: run tests/run"));
        let directory = tempfile::tempdir().unwrap();
        let address = free_port_of("127.0.0.1"); // the one that its certificate names
        let mut command = Command::new(program);
        command.args(["server", "-dev", "-dev-tls", "-dev-no-store-token", "-log-level=error"]);
        command.arg(format!("-dev-root-token-id={ROOT}"));
        command.arg(format!("-dev-listen-address={address}"));
        command.arg(format!("-dev-tls-cert-dir={}", directory.path().display()));
        command.env_clear().env("HOME", directory.path());
        let server = Self {
            process: Mutex::new(Running::start(command, None)),
            directory,
            address,
        };
        wait_for("OpenBao", || server.is_up() || !server.runs());
        if server.runs() {
            return Ok(server);
        }
        Err(server.process.into_inner().unwrap().finish())
    }

    fn runs(&self) -> bool {
        self.process.lock().unwrap().runs()
    }

    /// `https://127.…:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The file of its CA.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.directory.path().join("vault-ca.pem")
    }

    /// One call of its API: the status and the answer.
    pub(crate) fn ask(&self, method: &'static str, path: &str, body: Option<&Value>, token: &str) -> (u16, Value) {
        self.try_ask(method, path, body, token).unwrap()
    }

    fn try_ask(&self, method: &'static str, path: &str, body: Option<&Value>, token: &str) -> Option<(u16, Value)> {
        let http = Http::new(&HttpSettings {
            trust: Trust::File(self.ca_file()),
            ..HttpSettings::default()
        });
        let request = Request {
            method,
            url: format!("{}/v1/{path}", self.url()),
            headers: vec![("X-Vault-Token".to_owned(), token.to_owned())],
            body: body.map(|json| Secret::new(json.to_string().into_bytes())),
        };
        let answer = http
            .ok()?
            .send(request, Deadline::after(Duration::from_secs(10)))
            .ok()?;
        let json = serde_json::from_slice(answer.body.expose()).unwrap_or(Value::Null);
        Some((answer.status, json))
    }

    /// One call of its API that has to go well.
    pub(crate) fn do_as_root(&self, method: &'static str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(method, path, Some(body), ROOT);
        assert!(status < 300, "{method} {path}: {status} {answer}");
        answer
    }

    fn is_up(&self) -> bool {
        self.ca_file().exists()
            && self
                .try_ask("GET", "sys/health", None, ROOT)
                .is_some_and(|(status, _)| status == 200)
    }

    /// A token with this policy.
    pub(crate) fn token_with(&self, policy: &str) -> String {
        self.do_as_root("PUT", "sys/policies/acl/of-the-test", &json!({"policy": policy}));
        let answer = self.do_as_root("POST", "auth/token/create", &json!({"policies": ["of-the-test"]}));
        answer["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    /// As if nobody had shared anything.
    pub(crate) fn forget_values(&self) {
        for name in self.names("cce") {
            let (status, answer) = self.ask("DELETE", &format!("kv/metadata/cce/{name}"), None, ROOT);
            assert!(status < 300, "{name}: {status} {answer}");
        }
    }

    /// How often the value has been written.
    pub(crate) fn version(&self, path: &str, name: &str) -> u64 {
        let (_, answer) = self.ask("GET", &format!("kv/metadata/{path}/{name}"), None, ROOT);
        answer["data"]["current_version"].as_u64().unwrap()
    }

    /// The names below `kv/PATH`.
    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        let (_, answer) = self.ask("LIST", &format!("kv/metadata/{path}"), None, ROOT);
        let names = answer["data"]["keys"].as_array().cloned().unwrap_or_default();
        names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    }
}
