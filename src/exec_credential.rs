//! kubectl's exec credential protocol (`client.authentication.k8s.io`): [`ExecInfo`] in, [`ExecCredential`] out.
//!
//! Reference: client-go `plugin/pkg/client/auth/exec`, KEP 541.

use crate::certificate::{ClientCert, NOBODY, is_nobody};
use crate::env_vars::KUBERNETES_EXEC_INFO;
use crate::error::{Exit, Explain};
use crate::host::Env;
use crate::secret::to_secret_line;
use crate::words::Word;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::ffi::OsString;
use std::fmt;

/// The two versions that client-go accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ApiVersion {
    /// kubectl 1.22 and later.
    #[default]
    V1,
    /// kubectl 1.11 and later.
    V1Beta1,
}

/// What an `apiVersion` of this protocol begins with.
const API_GROUP: &str = "client.authentication.k8s.io/";

impl Word for ApiVersion {
    const ALL: &'static [Self] = &[Self::V1, Self::V1Beta1];

    fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V1Beta1 => "v1beta1",
        }
    }

    /// Reads the full name, too.
    fn parse(text: &str) -> Option<Self> {
        let version = text.strip_prefix(API_GROUP).unwrap_or(text);
        Self::ALL.iter().copied().find(|word| word.as_str() == version)
    }
}

impl ApiVersion {
    /// The full name, as in `apiVersion`.
    pub(crate) fn full_name(self) -> &'static str {
        match self {
            Self::V1 => "client.authentication.k8s.io/v1",
            Self::V1Beta1 => "client.authentication.k8s.io/v1beta1",
        }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the client tells us. Unknown fields are ignored: the Python client passes its raw cluster entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExecInfo {
    /// The version to mirror.
    pub(crate) api_version: ApiVersion,
    /// Standard input was handed over, so a question may be asked.
    pub(crate) interactive: bool,
}

/// Why `KUBERNETES_EXEC_INFO` was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExecInfoError {
    /// Not a JSON object with `apiVersion` and `spec`.
    #[error("`{KUBERNETES_EXEC_INFO}` is malformed")]
    Malformed(#[source] serde_json::Error),
    /// Another object.
    #[error("`{KUBERNETES_EXEC_INFO}` holds a `{0}`, not an `ExecCredential`")]
    Kind(String),
    /// A version that we do not speak.
    #[error("`{KUBERNETES_EXEC_INFO}` asks for `{0}`")]
    Version(String),
}

impl Explain for ExecInfoError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Malformed(_) | Self::Kind(_) => {
                format!("kubectl sets `{KUBERNETES_EXEC_INFO}` itself; to run by hand, `unset {KUBERNETES_EXEC_INFO}`")
            }
            Self::Version(_) => {
                "set the user's `exec.apiVersion` in the kubeconfig to `client.authentication.k8s.io/v1` \
                                 (or `/v1beta1`): run `kubectl cce-login` again"
                    .to_owned()
            }
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an `ExecCredential` object")]
struct RawInfo {
    api_version: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    spec: Option<RawSpec>,
}

#[derive(Deserialize)]
#[serde(expecting = "its `spec` as an object")]
struct RawSpec {
    #[serde(default)]
    interactive: Option<bool>,
}

impl ExecInfo {
    /// Reads the variable; `None` when it is unset, as with old clients.
    pub(crate) fn from_env(env: &Env) -> Result<Option<Self>, ExecInfoError> {
        let Some(value) = env.var_os(KUBERNETES_EXEC_INFO) else {
            return Ok(None);
        };
        let raw: RawInfo = serde_json::from_slice(value.as_encoded_bytes()).map_err(ExecInfoError::Malformed)?;
        if let Some(kind) = raw.kind.filter(|kind| kind != "ExecCredential") {
            return Err(ExecInfoError::Kind(kind));
        }
        let api_version = match raw.api_version.as_str() {
            "client.authentication.k8s.io/v1" => ApiVersion::V1,
            "client.authentication.k8s.io/v1beta1" => ApiVersion::V1Beta1,
            _ => return Err(ExecInfoError::Version(raw.api_version)),
        };
        Ok(Some(Self {
            api_version,
            interactive: raw.spec.and_then(|s| s.interactive).unwrap_or(false),
        }))
    }
}

/// The cluster that the client means, from `spec.cluster`: there only with `provideClusterInfo: true`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterInfo {
    /// The API server's URL.
    pub(crate) server: String,
    /// The name under which it is verified, if that is not its host.
    pub(crate) tls_server_name: Option<String>,
    /// The kubeconfig says not to verify it.
    pub(crate) is_unverified: bool,
    /// Its authorities.
    pub(crate) ca_pem: Option<String>,
    /// The proxy on the way, from kubeconfig or environment.
    pub(crate) proxy_url: Option<String>,
}

impl ClusterInfo {
    /// Reads it out of the variable. `None` where it is missing or unusable: some clients pass what they like. Read only when it is
    /// needed: with its authorities it is the largest part of the variable.
    pub(crate) fn from_env(env: &Env) -> Option<Self> {
        let value = env.var_os(KUBERNETES_EXEC_INFO)?;
        let info: Value = serde_json::from_slice(value.as_encoded_bytes()).ok()?;
        let cluster = info.pointer("/spec/cluster")?;
        let text = |name: &str| {
            let text = cluster.get(name).and_then(Value::as_str);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let ca = text("certificate-authority-data").and_then(|data| BASE64.decode(data).ok());
        Some(Self {
            server: text("server")?,
            tls_server_name: text("tls-server-name"),
            is_unverified: cluster.get("insecure-skip-tls-verify") == Some(&Value::Bool(true)),
            ca_pem: ca
                .filter(|pem| !is_nobody(pem))
                .and_then(|pem| String::from_utf8(pem).ok()),
            proxy_url: text("proxy-url"),
        })
    }

    /// The cluster of a client that has neither authorities to verify it with nor leave to go without.
    pub(crate) fn without_ca(env: &Env) -> Option<Self> {
        // A look at the text spares nearly every run the reading.
        let has_authorities = |value: &OsString| {
            let text = value.to_string_lossy();
            text.contains("certificate-authority") && !text.contains(&BASE64.encode(NOBODY))
        };
        env.var_os(KUBERNETES_EXEC_INFO)
            .filter(|value| !has_authorities(value))?;
        Self::from_env(env).filter(|cluster| cluster.ca_pem.is_none() && !cluster.is_unverified)
    }
}

/// Whether the key is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyDisplay {
    /// For a client.
    Shown,
    /// For a person at a terminal.
    Redacted,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential<'a> {
    kind: &'a str,
    api_version: &'a str,
    status: Status<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    expiration_timestamp: String,
    client_certificate_data: &'a str,
    client_key_data: &'a str,
}

/// One `ExecCredential` as a line of JSON. `ask_again` is when the client shall run us again: whole seconds, UTC, local-clock terms.
pub(crate) fn exec_credential(
    version: ApiVersion,
    cert: &ClientCert,
    ask_again: DateTime<Utc>,
    key: KeyDisplay,
) -> zeroize::Zeroizing<String> {
    let key_pem = cert.key_pem();
    let document = ExecCredential {
        kind: "ExecCredential",
        api_version: version.full_name(),
        status: Status {
            expiration_timestamp: ask_again.to_rfc3339_opts(SecondsFormat::Secs, true),
            client_certificate_data: &cert.certificates_pem(),
            client_key_data: match key {
                // This is what the whole program is for.
                KeyDisplay::Shown => key_pem.expose(),
                KeyDisplay::Redacted => "REDACTED",
            },
        },
    };
    to_secret_line(&document).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<ExecInfo>, ExecInfoError> {
        ExecInfo::from_env(&Env::given([(KUBERNETES_EXEC_INFO, text)]))
    }

    #[test]
    fn the_version_is_mirrored_and_unknown_fields_are_ignored() {
        let text = r#"{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","x":[1],"spec":{"interactive":true,"cluster":{"server":"https://h","extensions":null}}}"#;
        assert_eq!(
            read(text).unwrap(),
            Some(ExecInfo {
                api_version: ApiVersion::V1Beta1,
                interactive: true
            })
        );
        let text = r#"{"apiVersion":"client.authentication.k8s.io/v1"}"#;
        assert_eq!(
            read(text).unwrap(),
            Some(ExecInfo {
                api_version: ApiVersion::V1,
                interactive: false
            })
        );
        assert_eq!(read("").unwrap(), None);
    }

    #[test]
    fn anything_else_is_refused() {
        assert!(matches!(read("{"), Err(ExecInfoError::Malformed(_))));
        assert!(matches!(read("[]"), Err(ExecInfoError::Malformed(_))));
        let text = r#"{"apiVersion":"client.authentication.k8s.io/v1alpha1","kind":"ExecCredential"}"#;
        assert!(matches!(read(text), Err(ExecInfoError::Version(_))));
        let text = r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"Pod"}"#;
        assert!(matches!(read(text), Err(ExecInfoError::Kind(_))));
    }

    #[test]
    fn a_version_is_read_by_its_short_and_its_full_name() {
        for version in ApiVersion::ALL {
            assert_eq!(ApiVersion::parse(version.as_str()), Some(*version));
            assert_eq!(ApiVersion::parse(version.full_name()), Some(*version));
            assert!(version.full_name().ends_with(&format!("/{version}")));
        }
        for text in ["", "v1alpha1", "client.authentication.k8s.io/", "example.com/v1"] {
            assert_eq!(ApiVersion::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let hint = |text: &str| read(text).unwrap_err().hint().unwrap();
        assert!(hint("{").contains("unset KUBERNETES_EXEC_INFO"));
        assert!(hint(r#"{"apiVersion":"x","kind":"Pod"}"#).contains("unset KUBERNETES_EXEC_INFO"));
        assert!(hint(r#"{"apiVersion":"x"}"#).contains("run `kubectl cce-login` again"));
        assert_eq!(read("{").unwrap_err().exit(), Exit::Usage);
    }

    /// An environment whose `spec.cluster` has these fields.
    fn with_cluster(fields: &str) -> Env {
        let text = format!(r#"{{"apiVersion":"client.authentication.k8s.io/v1","spec":{{"cluster":{{{fields}}}}}}}"#);
        Env::given([(KUBERNETES_EXEC_INFO, text)])
    }

    #[test]
    fn a_cluster_is_read_as_the_client_means_it() {
        let ca = BASE64.encode("authorities");
        let all = format!(
            r#""server":"https://h","tls-server-name":"kubernetes","proxy-url":"http://p","certificate-authority-data":"{ca}""#
        );
        let whole = ClusterInfo {
            server: "https://h".to_owned(),
            tls_server_name: Some("kubernetes".to_owned()),
            is_unverified: false,
            ca_pem: Some("authorities".to_owned()),
            proxy_url: Some("http://p".to_owned()),
        };
        assert_eq!(ClusterInfo::from_env(&with_cluster(&all)), Some(whole));
        // What is empty is as good as missing.
        let bare = r#""server":"https://h","tls-server-name":"","insecure-skip-tls-verify":true"#;
        let read = ClusterInfo::from_env(&with_cluster(bare)).unwrap();
        assert_eq!((read.tls_server_name, read.is_unverified), (None, true));
        assert_eq!(ClusterInfo::from_env(&with_cluster(r#""server":"""#)), None);
    }

    #[test]
    fn only_a_client_with_neither_authorities_nor_leave_is_without() {
        let is_without = |fields: &str| ClusterInfo::without_ca(&with_cluster(fields)).is_some();
        let nobody = BASE64.encode(NOBODY);
        assert!(is_without(r#""server":"https://h""#));
        assert!(is_without(&format!(
            r#""server":"https://h","certificate-authority-data":"{nobody}""#
        )));
        assert!(!is_without(r#""server":"https://h","insecure-skip-tls-verify":true"#));
        assert!(!is_without(r#""server":"https://h","certificate-authority":"/ca.crt""#));
        assert!(!is_without(
            r#""server":"https://h","certificate-authority-data":"YQ==""#
        ));
        assert!(ClusterInfo::without_ca(&Env::given([(KUBERNETES_EXEC_INFO, "")])).is_none());
    }
}
