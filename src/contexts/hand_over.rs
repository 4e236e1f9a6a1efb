//! Handing certificates over to others: a file for each cluster in a directory, that another machine mounts, or a tool reads that does not
//! speak the exec protocol.

use crate::cache::handed_over;
use crate::cli::words::HandOverForm;
use crate::contexts::ResolvedContext;
use crate::credential::slot::ObtainedCertificate;
use crate::error::{Exit, Explain, Result};
use crate::host::write_private;
use crate::ids::ClusterId;
use crate::kubeconfig::{ClusterEntry, OurContext};
use crate::output;
use crate::plan::absolute;
use crate::secret::{Secret, SecretJson};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where to, and in which form.
pub(crate) struct HandOver {
    directory: PathBuf,
    form: HandOverForm,
    /// The context that each cluster's file is of.
    done: RefCell<BTreeMap<ClusterId, String>>,
}

/// Why a certificate was not handed over.
#[derive(Debug, thiserror::Error)]
enum HandOverError {
    #[error("context `{0}` is of the same cluster, and a cluster has one file")]
    SameCluster(String),
    #[error("its cluster entry has no server, or no authorities")]
    NoServer,
    #[error("cannot write `{path}`: {source}", path = path.display())]
    NotWritten { path: PathBuf, source: std::io::Error },
}

impl Explain for HandOverError {
    fn exit(&self) -> Exit {
        match self {
            Self::SameCluster(_) => Exit::Usage,
            Self::NoServer | Self::NotWritten { .. } => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::SameCluster(_) => "choose one of them with `--context`, and another directory for the other",
                Self::NoServer => "run `kubectl cce-login` again for this cluster",
                Self::NotWritten { .. } => "check who owns the directory",
            }
            .to_owned(),
        )
    }
}

impl HandOver {
    pub(crate) fn to(directory: &str, form: HandOverForm) -> Self {
        Self {
            directory: absolute(Path::new(directory)),
            form,
            done: RefCell::default(),
        }
    }

    /// Writes one certificate, all at once and for us alone to read. Says where, and how long it is good.
    pub(crate) fn write(
        &self,
        context: &OurContext<'_>,
        resolved: &ResolvedContext,
        obtained: &ObtainedCertificate,
        cluster: Option<&ClusterEntry>,
    ) -> Result<String> {
        let id = &resolved.target.cluster_id;
        if let Some(other) = self.done.borrow_mut().insert(id.clone(), context.name.to_owned()) {
            return Err(HandOverError::SameCluster(other).into());
        }
        let entry = &obtained.entry;
        let (path, text) = match self.form {
            HandOverForm::Kubeconfig => {
                let cluster = cluster.filter(|cluster| !cluster.server.is_empty());
                let text = kubeconfig(context, obtained, cluster.ok_or(HandOverError::NoServer)?)?;
                (self.directory.join(format!("{id}.kubeconfig")), text)
            }
            HandOverForm::Certificate => (handed_over::file(&self.directory, id), handed_over::to_text(entry, id)),
        };
        let written = write_private(&path, text.expose().as_bytes()); // the file that was asked for by name
        let shown = path.display().to_string();
        written.map_err(|source| HandOverError::NotWritten { path, source })?;
        let until = entry.cert.not_after.format("%Y-%m-%d %H:%M:%S UTC");
        Ok(format!("written to `{shown}`, good until {until}; it holds the key"))
    }
}

/// A complete kubeconfig with the certificate in it.
fn kubeconfig(
    context: &OurContext<'_>,
    obtained: &ObtainedCertificate,
    cluster: &ClusterEntry,
) -> Result<Secret<String>> {
    let cert = &obtained.entry.cert;
    let name = context.name;
    let mut server = json!({"server": cluster.server});
    let mut add = |key: &str, value: Value| {
        if let Some(server) = server.as_object_mut() {
            server.insert(key.to_owned(), value);
        }
    };
    match (&cluster.certificate_authority_data, cluster.insecure_skip_tls_verify) {
        (_, true) => add("insecure-skip-tls-verify", json!(true)),
        (Some(pem), false) => add("certificate-authority-data", json!(BASE64.encode(pem))),
        (None, false) => return Err(HandOverError::NoServer.into()),
    }
    if let Some(name) = &cluster.tls_server_name {
        add("tls-server-name", json!(name));
    }
    if let Some(url) = &cluster.proxy_url {
        add("proxy-url", json!(url));
    }
    // Into the file that was asked for by name.
    let key = BASE64.encode(cert.key_pem().expose());
    let document = SecretJson::new(json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": server}],
        "users": [{"name": name, "user": {
            "client-certificate-data": BASE64.encode(cert.certificates_pem()),
            "client-key-data": key,
        }}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }));
    Ok(Secret::new(output::yaml(&*document)))
}
