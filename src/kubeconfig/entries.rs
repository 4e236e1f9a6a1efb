//! The entries that we write, in the order and with the fields that we write them.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::certificate::NOBODY;
use crate::kubeconfig::edit::arguments::MergedArguments;
use crate::kubeconfig::edit::node::Node;
use crate::kubeconfig::edit::yaml_writer;
use serde_json::Value;

const INTERACTIVE_MODE: &str = "interactiveMode";
const PROVIDE_CLUSTER_INFO: &str = "provideClusterInfo";
/// What client-go takes for `interactiveMode`.
pub(crate) const INTERACTIVE_MODES: [&str; 3] = ["IfAvailable", "Never", "Always"];

/// A cluster entry's fields that are ours; all other fields of an existing entry stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterEntry {
    /// The API server's URL.
    pub server: String,
    /// The cluster's CA in PEM; written as base64 in place of any `certificate-authority` file. Where it is not known yet, and the server
    /// is to be verified, an authority is written that nobody is: without any, kubectl would trust those of the system.
    pub certificate_authority_data: Option<Vec<u8>>,
    /// The name that the server's certificate is checked against, if it is not the URL's host.
    pub tls_server_name: Option<String>,
    /// The proxy through which kubectl reaches the server.
    pub proxy_url: Option<String>,
    /// Whether kubectl skips the check of the server; kubectl refuses this together with a CA.
    pub insecure_skip_tls_verify: bool,
}

/// The exec block of our user entry; a new one has `interactiveMode: IfAvailable` and `provideClusterInfo: true` too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecEntry {
    /// `client.authentication.k8s.io/v1` or `…/v1beta1`.
    pub api_version: String,
    /// `kubectl-cce_login`, or its full path.
    pub command: String,
    /// `get-credential` and its flags; `--cluster-id` tells whose the entry is.
    pub args: Vec<String>,
    /// What client-go prints when the command is not found.
    pub install_hint: String,
}

/// Whether a login moves `current-context`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Current {
    /// Only if there is none.
    IfNone,
    /// Always, to the context of this login.
    Set,
    /// Never, not even where there is none.
    Keep,
}

/// One cluster's three entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Name of the cluster entry.
    pub cluster_name: String,
    /// Its contents.
    pub cluster: ClusterEntry,
    /// Name of the user entry.
    pub user_name: String,
    /// Its contents.
    pub exec: ExecEntry,
    /// Name of the context that joins them.
    pub context_name: String,
    /// The namespace of a new context; an existing one keeps what it has.
    pub namespace: Option<String>,
    /// Whether the context becomes the current one.
    pub current: Current,
}

impl ClusterEntry {
    /// The fields that are ours: a value, or `None` for a field that must not be there.
    pub(crate) fn fields(&self) -> Vec<(&'static str, Option<Node>)> {
        let ca = match &self.certificate_authority_data {
            None if !self.insecure_skip_tls_verify => Some(NOBODY.as_bytes()),
            known => known.as_deref(),
        };
        let ca = ca.map(|pem| STANDARD.encode(pem));
        let mut fields = vec![
            ("server", Some(Node::text(&self.server))),
            ("certificate-authority-data", ca.map(Node::Text)),
            ("tls-server-name", self.tls_server_name.as_deref().map(Node::text)),
            ("proxy-url", self.proxy_url.as_deref().map(Node::text)),
            (
                "insecure-skip-tls-verify",
                self.insecure_skip_tls_verify.then_some(Node::Bool(true)),
            ),
        ];
        // client-go prefers the data, but refuses any CA beside `insecure-skip-tls-verify`.
        if self.certificate_authority_data.is_some() || self.insecure_skip_tls_verify {
            fields.push(("certificate-authority", None));
        }
        fields
    }
}

impl ExecEntry {
    /// The whole `user:` mapping.
    pub(crate) fn user(&self) -> Node {
        Node::Map(vec![("exec", self.exec())])
    }

    /// The whole `exec:` mapping.
    pub(crate) fn exec(&self) -> Node {
        Node::Map(self.fields())
    }

    fn fields(&self) -> Vec<(&'static str, Node)> {
        let args = self.args.iter().map(|arg| Node::text(arg));
        vec![
            ("apiVersion", Node::text(&self.api_version)),
            ("command", Node::text(&self.command)),
            ("args", Node::List(args.collect())),
            (INTERACTIVE_MODE, Node::text("IfAvailable")),
            (PROVIDE_CLUSTER_INFO, Node::Bool(true)),
            ("installHint", Node::text(&self.install_hint)),
        ]
    }

    /// The same with the arguments that a person has put into an exec block of ours; and which of ours are others there, or gone.
    pub(crate) fn beside(&self, existing: &Value) -> (Self, Vec<String>) {
        let words = existing.get("args").and_then(Value::as_array);
        let words: Option<Vec<String>> =
            words.and_then(|words| words.iter().map(|word| word.as_str().map(str::to_owned)).collect());
        let Some(words) = words else {
            return (self.clone(), Vec::new()); // client-go does not take them either
        };
        let merged = MergedArguments::of(&self.args, &words);
        let entry = Self {
            args: merged.words,
            ..self.clone()
        };
        (entry, merged.changes)
    }

    /// Our fields that an exec block of ours does not have as they are to be. Two of them are a person's to choose: any value that
    /// kubectl takes will do there.
    pub(crate) fn fields_to_set(&self, existing: &Value) -> Vec<(&'static str, Node)> {
        let is_fine = |key: &str, wanted: &Node| match (key, existing.get(key)) {
            (INTERACTIVE_MODE, Some(Value::String(mode))) => INTERACTIVE_MODES.contains(&mode.as_str()),
            (PROVIDE_CLUSTER_INFO, Some(Value::Bool(_))) => true,
            (_, had) => had == Some(&wanted.meaning()),
        };
        let fields = self.fields().into_iter();
        fields.filter(|(key, wanted)| !is_fine(key, wanted)).collect()
    }
}

impl Login {
    /// The context's fields that are ours.
    pub(crate) fn context_fields(&self) -> Vec<(&'static str, Option<Node>)> {
        vec![
            ("cluster", Some(Node::text(&self.cluster_name))),
            ("user", Some(Node::text(&self.user_name))),
        ]
    }

    /// The whole mapping of a new context.
    pub(crate) fn new_context(&self) -> Node {
        let mut fields = present(self.context_fields());
        if let Some(namespace) = &self.namespace {
            fields.push(("namespace", Node::text(namespace)));
        }
        Node::Map(fields)
    }
}

/// The fields that are to be there.
pub(crate) fn present(fields: Vec<(&'static str, Option<Node>)>) -> Vec<(&'static str, Node)> {
    fields
        .into_iter()
        .filter_map(|(key, value)| value.map(|value| (key, value)))
        .collect()
}

/// A complete kubeconfig with these logins and nothing else, for `--print`; its current context is the one that is to be, else the first.
///
/// An entry that several logins share is written once.
pub fn render(logins: &[Login]) -> String {
    let item = |name: &str, key, body| Node::Map(vec![("name", Node::text(name)), (key, body)]);
    let mut clusters = Vec::new();
    let mut users = Vec::new();
    let mut contexts = Vec::new();
    for login in logins {
        let entries = [
            (
                &mut clusters,
                item(
                    &login.cluster_name,
                    "cluster",
                    Node::Map(present(login.cluster.fields())),
                ),
            ),
            (&mut contexts, item(&login.context_name, "context", login.new_context())),
            (&mut users, item(&login.user_name, "user", login.exec.user())),
        ];
        for (list, entry) in entries {
            if !list.contains(&entry) {
                list.push(entry);
            }
        }
    }
    let mut text = String::from("apiVersion: v1\nkind: Config\n");
    for (key, list) in [("clusters", clusters), ("contexts", contexts), ("users", users)] {
        if list.is_empty() {
            let _ = writeln!(text, "{key}: []");
        } else {
            let _ = writeln!(text, "{key}:\n{}", yaml_writer::items(&list, 0, "\n"));
        }
    }
    let is_chosen = |login: &&Login| login.current != Current::Keep;
    let current = logins.iter().find(is_chosen).or(logins.first());
    let current = current.map_or("", |login| login.context_name.as_str());
    let _ = writeln!(text, "current-context: {}", yaml_writer::scalar(current));
    text
}
