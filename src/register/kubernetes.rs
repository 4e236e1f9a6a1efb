//! Secrets of the cluster in which we run as a pod: each write names the resource version that it replaces.
//!
//! The service account's token goes only to a server that proves itself with the CA beside it, so that the address may come from anywhere.

use crate::env_vars;
use crate::host::{Deadline, Env, Input, Inputs};
use crate::http::{AnswerSize, ClusterTls, Http, HttpSettings, Request, Response, ServerCheck, Trust};
use crate::register::answers::{self, json_of};
use crate::register::{Reading, Register, RegisterError, Swap, Version};
use crate::sanitize::sanitize;
use crate::secret::{Secret, SecretJson};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const ENGINE: &str = "Kubernetes";
/// Where every pod has its service account.
pub(super) const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The Secrets of one namespace.
pub struct Kubernetes {
    http: Http,
    server: String,
    namespace: String,
    token_file: PathBuf,
    inputs: Inputs,
}

impl Kubernetes {
    /// As the pod that we are. Connects to nobody yet.
    pub(crate) fn in_pod(env: &Env, namespace: Option<&str>) -> Result<Self, RegisterError> {
        Self::with_account(env, namespace, Path::new(SERVICE_ACCOUNT))
    }

    /// With the service account in this directory.
    pub fn with_account(env: &Env, namespace: Option<&str>, account: &Path) -> Result<Self, RegisterError> {
        let cure = "`--shared-cache kubernetes` works in a pod with a service account only";
        let host = env.var(env_vars::KUBERNETES_SERVICE_HOST);
        let what = env_vars::KUBERNETES_SERVICE_HOST;
        let host = host.ok_or(RegisterError::NotConfigured { what, cure })?;
        let port = env
            .var(env_vars::KUBERNETES_SERVICE_PORT)
            .unwrap_or_else(|| "443".to_owned());
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let server = format!("https://{host}:{port}");
        if crate::ids::Endpoint::parse(&server).is_err() {
            return Err(RegisterError::NotConfigured {
                what: env_vars::KUBERNETES_SERVICE_HOST,
                cure,
            });
        }
        let namespace = if let Some(name) = namespace {
            name.to_owned()
        } else {
            let name = read(&account.join("namespace"), Input::Token, env.inputs())?;
            name.expose().trim().to_owned() // a name, no secret
        };
        if !crate::register::is_label(&namespace) {
            return Err(RegisterError::NoSuchPlace {
                engine: ENGINE,
                what: "such namespace".to_owned(),
            });
        }
        let http = Http::new(&HttpSettings {
            trust: Trust::Cluster(Box::new(ClusterTls {
                server: ServerCheck::Verified {
                    ca_pem: read(&account.join("ca.crt"), Input::Certificates, env.inputs())?
                        .expose() // certificates are no secret
                        .clone(),
                    name: None,
                },
                client_cert: None,
            })),
            answers: AnswerSize::Short,
            ..HttpSettings::default()
        })?;
        Ok(Self {
            http,
            server,
            namespace,
            token_file: account.join("token"),
            inputs: env.inputs().clone(),
        })
    }

    fn ask(
        &self,
        method: &'static str,
        name: Option<&str>,
        body: Option<&SecretJson>,
        deadline: Deadline,
    ) -> Result<Response, RegisterError> {
        // Read each time: the kubelet replaces it every hour.
        let token = read(&self.token_file, Input::Token, &self.inputs)?;
        let name = name.map(|name| format!("/{}", secret_name(name))).unwrap_or_default();
        let mut headers = vec![("Accept".to_owned(), "application/json".to_owned())];
        // To the server that proves itself with the CA beside the token.
        headers.push(("Authorization".to_owned(), format!("Bearer {}", token.expose().trim())));
        if body.is_some() {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        let request = Request {
            method,
            url: format!("{}/api/v1/namespaces/{}/secrets{name}", self.server, self.namespace),
            headers,
            body: body.map(SecretJson::to_bytes),
        };
        Ok(self.http.send(request, deadline)?)
    }

    fn refusal(&self, answer: &Response, doing: &'static str) -> RegisterError {
        let message = sanitize(text(&json_of(answer), "/message"));
        match answer.status {
            404 => RegisterError::NoSuchPlace {
                engine: ENGINE,
                what: format!("namespace `{}`", self.namespace),
            },
            status => answers::refusal(ENGINE, doing, status, message),
        }
    }
}

impl Register for Kubernetes {
    fn describe(&self) -> String {
        format!("Secrets of namespace `{}` at {}", self.namespace, self.server)
    }

    fn read(&self, name: &str, deadline: Deadline) -> Result<Reading, RegisterError> {
        let answer = self.ask("GET", Some(name), None, deadline)?;
        let json = json_of(&answer);
        let (version, value) = match answer.status {
            200 => {
                let version = text(&json, "/metadata/resourceVersion");
                if version.is_empty() {
                    return Err(RegisterError::Malformed { engine: ENGINE });
                }
                let value = answers::value_of(Some(text(&json, "/data/v")));
                (Some(version.to_owned()), Some(value))
            }
            404 if text(&json, "/reason") == "NotFound" => (None, None),
            _ => return Err(self.refusal(&answer, "read")),
        };
        Ok(Reading {
            version: Version(version),
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
        let mut metadata = json!({
            "name": secret_name(name),
            "labels": {"app.kubernetes.io/managed-by": "kubectl-cce-login"},
        });
        if let (Some(version), Some(metadata)) = (&version.0, metadata.as_object_mut()) {
            metadata.insert("resourceVersion".to_owned(), json!(version));
        }
        // Into the engine that protects it.
        let value = BASE64.encode(value.expose());
        let secret = SecretJson::new(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": metadata,
            "data": {"v": value},
        }));
        let answer = match &version.0 {
            None => self.ask("POST", None, Some(&secret), deadline)?,
            Some(_) => self.ask("PUT", Some(name), Some(&secret), deadline)?,
        };
        let json = json_of(&answer);
        match (answer.status, text(&json, "/reason")) {
            (200 | 201, _) => {
                let version = text(&json, "/metadata/resourceVersion");
                Ok(Swap::Done(Version(Some(version.to_owned()))))
            }
            // Somebody was faster, or has deleted it meanwhile.
            (409, _) => Ok(Swap::Lost),
            (404, "NotFound") if version.0.is_some() => Ok(Swap::Lost),
            _ => Err(self.refusal(&answer, "write")),
        }
    }

    fn delete(&self, name: &str, version: &Version, deadline: Deadline) -> Result<Swap, RegisterError> {
        let Some(version) = &version.0 else {
            return Ok(Swap::Done(Version(None)));
        };
        let body = SecretJson::new(json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"resourceVersion": version},
        }));
        let answer = self.ask("DELETE", Some(name), Some(&body), deadline)?;
        match answer.status {
            200 | 202 | 404 => Ok(Swap::Done(Version(None))),
            409 => Ok(Swap::Lost),
            _ => Err(self.refusal(&answer, "delete")),
        }
    }
}

fn secret_name(name: &str) -> String {
    format!("cce-login-{name}")
}

fn read(path: &Path, input: Input, inputs: &Inputs) -> Result<Secret<String>, RegisterError> {
    inputs.read_text(path, input).map_err(|error| RegisterError::File {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

fn text<'j>(json: &'j Value, pointer: &str) -> &'j str {
    json.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
