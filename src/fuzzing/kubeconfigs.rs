//! The kubeconfig editor: whatever we change, everything foreign stays as it is written and as it is meant.

use crate::kubeconfig::edit::document::{self, Content};
use crate::kubeconfig::meaning::Meaning;
use crate::kubeconfig::text::Text;
use crate::kubeconfig::{Change, ClusterEntry, Conversion, Current, ExecEntry, Kind, Kubeconfig, Login};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

const FILE: &str = "/kubeconfig";

/// A kubeconfig that anybody may have written; then everything that we do to one.
pub fn kubeconfig(data: &[u8]) {
    let Ok(text) = Text::decode(Path::new(FILE), data.to_vec()) else {
        return;
    };
    assert!(
        Text::decode(Path::new(FILE), text.encode()).is_ok_and(|again| again == text),
        "its encoding changes"
    );
    if text.text.starts_with('\u{feff}') {
        return; // a second mark
    }
    let Some(file) = FuzzedFile::read(&text.text) else {
        return;
    };
    add(&file);
    remove(&file);
    convert(&file);
    update(&file);
}

/// A file that can be read, and what it says.
struct FuzzedFile<'t> {
    text: &'t str,
    meaning: Meaning,
    kubeconfig: Kubeconfig,
}

/// Entries by kind and name.
type Names<'n> = BTreeSet<(Kind, &'n str)>;

impl<'t> FuzzedFile<'t> {
    fn read(text: &'t str) -> Option<Self> {
        let meaning = Meaning::parse(Path::new(FILE), text).ok()?;
        let kubeconfig = Kubeconfig::from_bytes(Path::new(FILE), text.as_bytes().to_vec());
        Some(Self {
            text,
            meaning,
            kubeconfig: kubeconfig.expect("what has a meaning can be loaded"),
        })
    }

    fn of_change(change: &'t Change) -> Option<Self> {
        let (_, text) = *change.texts().first()?;
        Some(Self::read(text).expect("what is written can be read"))
    }

    /// The entries and all other keys mean what they meant, and the entries are written as they were.
    fn assert_kept(&self, before: &Self, ours: &Names<'_>) {
        for kind in Kind::ALL {
            let foreign = |file: &Self| -> Vec<(String, Value)> {
                let entries = file
                    .meaning
                    .entries(kind)
                    .filter(|(name, _)| !ours.contains(&(kind, *name)));
                entries.map(|(name, body)| (name.to_owned(), body.clone())).collect()
            };
            assert_eq!(foreign(before), foreign(self), "{kind}: what it means");
            assert_eq!(
                before.items(kind, ours),
                self.items(kind, ours),
                "{kind}: how it is written"
            );
        }
        let others = |file: &Self| -> Option<serde_json::Map<String, Value>> {
            let mut root = file.meaning.value.as_object()?.clone();
            root.retain(|key, _| {
                !["clusters", "contexts", "users", "current-context", "apiVersion", "kind"].contains(&key.as_str())
            });
            Some(root)
        };
        assert_eq!(others(before).unwrap_or_default(), others(self).unwrap_or_default());
    }

    /// How each foreign item of a list is written.
    fn items(&self, kind: Kind, ours: &Names<'_>) -> Vec<&'t str> {
        let root = document::parse(self.text).ok().flatten();
        let Some(Content::List { items, .. }) = root
            .as_ref()
            .and_then(|root| root.pair(kind.list_key()))
            .map(|(_, (_, list))| &list.content)
        else {
            return Vec::new();
        };
        let names = ours.iter().filter(|(of, _)| *of == kind).map(|(_, name)| *name);
        let positions: Vec<usize> = names.filter_map(|name| self.meaning.position(kind, name)).collect();
        let foreign = items
            .iter()
            .enumerate()
            .filter(|(position, _)| !positions.contains(position));
        foreign
            .map(|(_, item)| self.text.get(item.start..item.end).unwrap_or_default())
            .collect()
    }

    /// Null and empty lists, and an empty current context, are as good as none; so are the two fixed keys.
    fn plain_meaning(&self) -> Value {
        let mut root = self.meaning.value.as_object().cloned().unwrap_or_default();
        root.retain(|key, value| {
            let is_list = ["clusters", "contexts", "users"].contains(&key.as_str());
            let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty) || value == "";
            !(["apiVersion", "kind"].contains(&key.as_str()) || (is_list || key == "current-context") && is_empty)
        });
        Value::Object(root)
    }
}

/// New entries come in, a second time changes nothing, and out they go again.
fn add(before: &FuzzedFile<'_>) {
    let name = (0..)
        .map(|number| format!("fuzz{number}"))
        .find(|name| !before.text.contains(name.as_str()));
    let name = name.unwrap_or_default();
    for current in [Current::Keep, Current::Set] {
        let login = login(&name, &name, &name, current);
        let Ok(change) = before.kubeconfig.upsert(std::slice::from_ref(&login)) else {
            continue; // it says what stands in the way
        };
        let after = FuzzedFile::of_change(&change).expect("something is new");
        let ours = Names::from_iter(Kind::ALL.map(|kind| (kind, name.as_str())));
        after.assert_kept(before, &ours);
        if current == Current::Keep {
            assert_only_added(before, &after);
        }
        let again = after
            .kubeconfig
            .upsert(std::slice::from_ref(&login))
            .expect("it was possible before");
        assert!(again.is_empty(), "a second time: {}", again.diff());
        let Ok(removal) = after.kubeconfig.remove(&[&name]) else {
            continue;
        };
        let removed = FuzzedFile::of_change(&removal).expect("something goes");
        removed.assert_kept(before, &ours);
        if current == Current::Keep {
            assert_eq!(removed.plain_meaning(), before.plain_meaning());
        }
    }
}

/// Everything that was written is still there, in its order: comments, blank lines, quotes.
fn assert_only_added(before: &FuzzedFile<'_>, after: &FuzzedFile<'_>) {
    let root = &before.meaning.value;
    let is_replaced = |kind: Kind| {
        root.get(kind.list_key())
            .is_some_and(|list| list.is_null() || list == &Value::Array(Vec::new()))
    };
    if Kind::ALL.into_iter().any(is_replaced) {
        return; // `users: []` becomes a list
    }
    let mut rest = after.text.chars();
    let missing = before
        .text
        .trim_end()
        .chars()
        .filter(|c| !c.is_whitespace())
        .find(|c| !rest.any(|other| other == *c));
    assert_eq!(missing, None, "something is gone:\n{}", after.text);
}

/// Each context of ours goes.
fn remove(before: &FuzzedFile<'_>) {
    for context in before.kubeconfig.contexts() {
        let Ok(change) = before.kubeconfig.remove(&[context.name]) else {
            continue;
        };
        let Some(after) = FuzzedFile::of_change(&change) else {
            continue;
        };
        let names = [
            (Kind::Context, Some(context.name)),
            (Kind::Cluster, context.cluster),
            (Kind::User, context.user),
        ];
        let ours = names
            .into_iter()
            .filter_map(|(kind, name)| Some((kind, name?)))
            .collect();
        after.assert_kept(before, &ours);
        assert!(after.kubeconfig.context(context.name).is_none());
        // Whoever is still used is still there.
        for other in after.kubeconfig.contexts() {
            let is_there = |kind, name: Option<&str>, file: &FuzzedFile<'_>| {
                name.is_some_and(|name| file.meaning.body(kind, name).is_some())
            };
            for (kind, name) in [(Kind::Cluster, other.cluster), (Kind::User, other.user)] {
                assert_eq!(is_there(kind, name, before), is_there(kind, name, &after));
            }
        }
    }
}

/// Each user runs us from now on.
fn convert(before: &FuzzedFile<'_>) {
    let users: Vec<&str> = before.meaning.entries(Kind::User).map(|(name, _)| name).collect();
    for user in users {
        let conversion = Conversion {
            users: vec![(user.to_owned(), exec())],
            clusters: Vec::new(),
            keeps_keys: false,
        };
        let Ok(change) = before.kubeconfig.convert(&conversion) else {
            continue;
        };
        let Some(after) = FuzzedFile::of_change(&change) else {
            continue;
        };
        after.assert_kept(before, &Names::from_iter([(Kind::User, user)]));
        let body = after.meaning.body(Kind::User, user).expect("it is still there");
        for secret in ["client-key-data", "client-certificate-data", "token", "password"] {
            let is_absent = |value: &Value| value.is_null() || value == "" || value == &Value::Bool(false);
            assert!(
                body.get(secret).is_none_or(is_absent),
                "kubectl would use `{secret}` in place of us"
            );
        }
        assert_eq!(body["exec"]["command"], exec().command);
    }
}

/// Each cluster entry gets other authorities.
fn update(before: &FuzzedFile<'_>) {
    let clusters: Vec<&str> = before.meaning.entries(Kind::Cluster).map(|(name, _)| name).collect();
    for cluster in clusters {
        let wanted = [(cluster.to_owned(), cluster_entry())];
        let Ok(change) = before.kubeconfig.update_clusters(&wanted) else {
            continue;
        };
        let Some(after) = FuzzedFile::of_change(&change) else {
            continue;
        };
        after.assert_kept(before, &Names::from_iter([(Kind::Cluster, cluster)]));
        assert!(
            after
                .kubeconfig
                .update_clusters(&wanted)
                .expect("it was possible before")
                .is_empty()
        );
    }
}

fn login(cluster: &str, user: &str, context: &str, current: Current) -> Login {
    Login {
        cluster_name: cluster.to_owned(),
        cluster: cluster_entry(),
        user_name: user.to_owned(),
        exec: exec(),
        context_name: context.to_owned(),
        namespace: Some("on".to_owned()), // must be quoted
        current,
    }
}

fn cluster_entry() -> ClusterEntry {
    ClusterEntry {
        server: "https://192.0.2.1:5443".to_owned(),
        certificate_authority_data: Some(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec()),
        tls_server_name: Some("kubernetes".to_owned()),
        proxy_url: None,
        insecure_skip_tls_verify: false,
    }
}

fn exec() -> ExecEntry {
    let args = [
        "get-credential",
        "--region=eu-de",
        "--cluster-id=0a1b2c3d-0000-1111-2222-333344445555",
    ];
    ExecEntry {
        api_version: "client.authentication.k8s.io/v1".to_owned(),
        command: "kubectl-cce_login".to_owned(),
        args: args.map(str::to_owned).to_vec(),
        install_hint: "it is not on the PATH\nsee the README".to_owned(),
    }
}
