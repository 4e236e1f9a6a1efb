//! What callers see of a kubeconfig's entries.

use std::collections::HashSet;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::certificate::is_nobody;
use crate::kubeconfig::Kubeconfig;
use crate::kubeconfig::edit::kind::Kind;
use crate::kubeconfig::meaning::text;
use crate::secret::Secret;

/// A context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContextView<'k> {
    /// Its name.
    pub(crate) name: &'k str,
    /// The cluster entry it names, which may not exist.
    pub(crate) cluster: Option<&'k str>,
    /// The user entry it names, which may not exist.
    pub user: Option<&'k str>,
    /// Its namespace.
    pub namespace: Option<&'k str>,
    /// The file that defines it.
    pub(crate) file: &'k Path,
}

/// A cluster entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterView<'k> {
    /// Its name.
    pub(crate) name: &'k str,
    /// The API server's URL.
    pub(crate) server: Option<&'k str>,
    /// The embedded CA, decoded (PEM); `None` also where the base64 is broken, and where the entry waits for it.
    pub(crate) certificate_authority_data: Option<Vec<u8>>,
    /// The CA file, relative to the kubeconfig's directory.
    pub(crate) certificate_authority: Option<&'k str>,
    /// The name that the server's certificate is checked against.
    pub(crate) tls_server_name: Option<&'k str>,
    /// The proxy.
    pub(crate) proxy_url: Option<&'k str>,
    /// Whether the server goes unchecked.
    pub(crate) insecure_skip_tls_verify: bool,
    /// The file that defines it.
    pub(crate) file: &'k Path,
}

/// A user entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserView<'k> {
    /// Its name.
    pub(crate) name: &'k str,
    /// The exec plugin's command.
    pub(crate) command: Option<&'k str>,
    /// The exec plugin's arguments.
    pub args: Vec<&'k str>,
    /// The `apiVersion` of the exec block.
    pub(crate) api_version: Option<&'k str>,
    /// The embedded client certificate, decoded (PEM); public, unlike its key, which is not shown here.
    pub(crate) client_certificate_data: Option<Vec<u8>>,
    /// The file that defines it.
    pub(crate) file: &'k Path,
}

impl Kubeconfig {
    /// What each file says, whatever we make of it: for who judges it as kubectl does.
    pub(crate) fn documents(&self) -> impl Iterator<Item = (&Path, &Value)> {
        self.files.iter().map(|file| (file.path.as_path(), &file.meaning.value))
    }

    /// The contents of an entry, and the file that defines it.
    pub(crate) fn body(&self, kind: Kind, name: &str) -> Option<(&Path, &Value)> {
        let (_, file, body) = self.find(kind, name)?;
        Some((&file.path, body))
    }

    /// All contexts, in kubectl's order of precedence.
    pub fn contexts(&self) -> Vec<ContextView<'_>> {
        let mut seen = HashSet::new();
        let all = self
            .files
            .iter()
            .flat_map(|file| file.meaning.entries(Kind::Context).map(move |entry| (file, entry)));
        all.filter(|(_, (name, _))| seen.insert(*name))
            .map(|(file, (name, body))| context_view(name, body, &file.path))
            .collect()
    }

    /// The current context's name, even if no such context exists.
    pub(crate) fn current_context(&self) -> Option<&str> {
        self.files.iter().find_map(|file| file.meaning.current_context())
    }

    /// The context of this name.
    pub fn context<'k>(&'k self, name: &'k str) -> Option<ContextView<'k>> {
        let (_, file, body) = self.find(Kind::Context, name)?;
        Some(context_view(name, body, &file.path))
    }

    /// The cluster entry of this name.
    pub fn cluster<'k>(&'k self, name: &'k str) -> Option<ClusterView<'k>> {
        let (_, file, body) = self.find(Kind::Cluster, name)?;
        Some(ClusterView {
            name,
            server: text(body, "server"),
            certificate_authority_data: text(body, "certificate-authority-data")
                .and_then(decode)
                .filter(|pem| !is_nobody(pem)),
            certificate_authority: text(body, "certificate-authority"),
            tls_server_name: text(body, "tls-server-name"),
            proxy_url: text(body, "proxy-url"),
            insecure_skip_tls_verify: body.get("insecure-skip-tls-verify") == Some(&Value::Bool(true)),
            file: &file.path,
        })
    }

    /// All user entries, in kubectl's order of precedence.
    pub(crate) fn users(&self) -> Vec<UserView<'_>> {
        let mut seen = HashSet::new();
        let all = self
            .files
            .iter()
            .flat_map(|file| file.meaning.entries(Kind::User).map(move |entry| (file, entry)));
        all.filter(|(_, (name, _))| seen.insert(*name))
            .map(|(file, (name, body))| user_view(name, body, &file.path))
            .collect()
    }

    /// The embedded key (PEM) of the user of this name, to show a certificate that was given to us to its API server.
    pub(crate) fn client_key(&self, user: &str) -> Option<Secret<Vec<u8>>> {
        let (_, _, body) = self.find(Kind::User, user)?;
        text(body, "client-key-data").and_then(decode).map(Secret::new)
    }

    /// The user entry of this name.
    pub fn user<'k>(&'k self, name: &'k str) -> Option<UserView<'k>> {
        let (_, file, body) = self.find(Kind::User, name)?;
        Some(user_view(name, body, &file.path))
    }
}

pub(crate) fn user_view<'k>(name: &'k str, body: &'k Value, file: &'k Path) -> UserView<'k> {
    let exec = body.get("exec").unwrap_or(&Value::Null);
    let args = exec.get("args").and_then(Value::as_array);
    UserView {
        name,
        command: text(exec, "command"),
        args: args.into_iter().flatten().filter_map(Value::as_str).collect(),
        api_version: text(exec, "apiVersion"),
        client_certificate_data: text(body, "client-certificate-data").and_then(decode),
        file,
    }
}

fn context_view<'k>(name: &'k str, body: &'k Value, file: &'k Path) -> ContextView<'k> {
    ContextView {
        name,
        cluster: text(body, "cluster"),
        user: text(body, "user"),
        namespace: text(body, "namespace"),
        file,
    }
}

/// Base64 as kubectl reads it: line breaks inside do not matter.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let joined: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(joined).ok()
}
