//! What kubectl would say of a kubeconfig, by client-go's own rules (`clientcmd/validation.go`, `clientcmd/api/v1`, `plugin/pkg/client/auth/exec`):
//! for machines without a kubectl, and in plainer words.

use crate::certificate::certificates_in;
use crate::error::{Exit, Explain};
use crate::exec_credential::ApiVersion;
use crate::host::{Input, Inputs};
use crate::kubeconfig::{INTERACTIVE_MODES, Kind, Kubeconfig, OurContext};
use crate::kubectl::schema;
use crate::sanitize::sanitize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a pipe in place of a CA file is waited for.
const PATIENCE_WITH_FILE: Duration = Duration::from_secs(2);

/// What a user entry's other credentials are called, and what kubectl makes of them beside an exec plugin.
const IN_PLACE_OF_US: [&str; 6] = [
    "token",
    "tokenFile",
    "username",
    "password",
    "client-certificate",
    "client-certificate-data",
];

/// Why kubectl cannot use a context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    /// It reads nothing of a file, whoever wrote that into it.
    #[error("kubectl refuses the kubeconfig `{}`: {place} {what}", file.display())]
    File {
        file: PathBuf,
        place: String,
        what: &'static str,
    },
    /// It refuses a file in its own words.
    #[error("kubectl refuses the kubeconfig: {0}")]
    FileSaysKubectl(String),
    /// The entries of one context.
    #[error("kubectl cannot use it: {0}")]
    Entry(String),
    /// Everything looks right, and yet it gets no answer.
    #[error("kubectl gets no answer through it: {0}")]
    NoAnswer(String),
}

impl Explain for Unusable {
    fn exit(&self) -> Exit {
        match self {
            Self::File { .. } | Self::FileSaysKubectl(_) | Self::Entry(_) => Exit::Usage,
            Self::NoAnswer(_) => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::File { .. } | Self::FileSaysKubectl(_) => {
                    "correct it there, or take another file with `--kubeconfig PATH`; until then no context of it works"
                }
                Self::Entry(_) => "`kubectl cce-login` writes the entry anew: run it again for this cluster",
                Self::NoAnswer(_) => "`kubectl cce-login doctor` looks at every part of the way",
            }
            .to_owned(),
        )
    }
}

/// What keeps kubectl from reading one of the files at all.
pub(crate) fn refused_file(kubeconfig: &Kubeconfig) -> Option<Unusable> {
    kubeconfig.documents().find_map(|(file, document)| {
        let (place, what) = schema::first_misfit(document)?;
        Some(Unusable::File {
            file: file.to_owned(),
            place: sanitize(&place),
            what,
        })
    })
}

/// What keeps kubectl from using this context, of a file that it reads.
pub(crate) fn refused_entry(kubeconfig: &Kubeconfig, context: &OurContext<'_>) -> Option<Unusable> {
    let user = kubeconfig.body(Kind::User, context.user_name);
    let cluster = context
        .cluster_name
        .and_then(|name| kubeconfig.body(Kind::Cluster, name));
    let problem = match cluster {
        None => Some("its cluster entry is not there".to_owned()),
        Some((file, cluster)) => refused_cluster(file, cluster),
    };
    problem
        .or_else(|| user.and_then(|(file, user)| refused_user(file, user)))
        .map(Unusable::Entry)
}

fn refused_cluster(file: &Path, cluster: &Value) -> Option<String> {
    let has = |key: &str| is_set(cluster, key);
    let (ca_file, ca_data) = (
        text(cluster, "certificate-authority"),
        text(cluster, "certificate-authority-data"),
    );
    if !has("server") {
        return Some("its cluster entry names no server".to_owned());
    }
    if !ca_file.is_empty() && !ca_data.is_empty() {
        return Some("its cluster entry has both `certificate-authority` and `certificate-authority-data`".to_owned());
    }
    if cluster.get("insecure-skip-tls-verify") == Some(&Value::Bool(true))
        && !(ca_file.is_empty() && ca_data.is_empty())
    {
        return Some("its cluster entry has `insecure-skip-tls-verify` beside a CA".to_owned());
    }
    if !ca_file.is_empty() {
        let path = beside(file, ca_file);
        if let Err(error) = Inputs::within(PATIENCE_WITH_FILE).read(&path, Input::Certificates) {
            return Some(format!("the CA file `{}` cannot be read: {error}", path.display()));
        }
    }
    let pem = crate::kubeconfig::decoded(ca_data).filter(|pem| !pem.is_empty());
    if pem.is_some_and(|pem| certificates_in(&pem).is_none_or(|all| all.is_empty())) {
        return Some("its `certificate-authority-data` holds no PEM certificate".to_owned());
    }
    let proxy = text(cluster, "proxy-url");
    let is_proxy = ["http://", "https://", "socks5://"]
        .iter()
        .any(|scheme| proxy.to_ascii_lowercase().starts_with(scheme));
    (!proxy.is_empty() && !is_proxy).then(|| "its `proxy-url` does not begin with http, https or socks5".to_owned())
}

fn refused_user(file: &Path, user: &Value) -> Option<String> {
    if let Some(other) = IN_PLACE_OF_US.iter().find(|key| is_set(user, key)) {
        return Some(format!(
            "its user entry has `{other}` beside `exec`, and kubectl takes that instead"
        ));
    }
    if user.get("auth-provider").is_some_and(|provider| !provider.is_null()) {
        return Some("its user entry has `auth-provider` beside `exec`".to_owned());
    }
    let exec = user.get("exec").unwrap_or(&Value::Null);
    let version = text(exec, "apiVersion");
    if version.is_empty() {
        return Some("its exec entry has no `apiVersion`".to_owned());
    }
    let spoken = [ApiVersion::V1, ApiVersion::V1Beta1]
        .into_iter()
        .find(|spoken| spoken.full_name() == version);
    let Some(spoken) = spoken else {
        return Some(format!(
            "its exec entry speaks `{}`, which no kubectl does any more",
            sanitize(version)
        ));
    };
    match text(exec, "interactiveMode") {
        // What is older than the field has a default.
        "" if spoken == ApiVersion::V1Beta1 => {}
        "" => return Some("its exec entry has no `interactiveMode`".to_owned()),
        mode if INTERACTIVE_MODES.contains(&mode) => {}
        mode => {
            return Some(format!(
                "its exec entry has the `interactiveMode` `{}`, which is none",
                sanitize(mode)
            ));
        }
    }
    let env = exec.get("env").and_then(Value::as_array);
    if env.is_some_and(|env| env.iter().any(|variable| !is_set(variable, "name"))) {
        return Some("its exec entry has a variable without a name under `env`".to_owned());
    }
    let command = text(exec, "command");
    let path = beside(file, command);
    (command.contains(['/', '\\']) && !path.is_file())
        .then(|| format!("its exec entry runs `{}`, which is not there", path.display()))
}

/// A path of a kubeconfig is one beside its file.
fn beside(file: &Path, path: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(path)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is_set(value: &Value, key: &str) -> bool {
    !text(value, key).is_empty()
}
