//! The kubeconfig editor: whatever we change, everything foreign stays as it is written and as it is meant.

use crate::kubeconfig::edit::document::{self, Content};
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
    // One change per input, which its bytes choose: reading YAML is what takes the time here.
    match data.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)) % 6 {
        0 | 1 => add(&file, Current::Keep),
        2 => add(&file, Current::Set),
        3 => remove(&file),
        4 => convert(&file),
        _ => update(&file),
    }
}

/// So many entries of one file are changed, each for itself.
const CHANGED: usize = 2;

/// A file that can be read, and what it says.
struct FuzzedFile<'t> {
    text: &'t str,
    kubeconfig: Kubeconfig,
    /// How each item of each list is written.
    items: [Vec<&'t str>; 3],
}

/// Entries by kind and name.
type Names<'n> = BTreeSet<(Kind, &'n str)>;

impl<'t> FuzzedFile<'t> {
    fn read(text: &'t str) -> Option<Self> {
        let kubeconfig = Kubeconfig::from_bytes(Path::new(FILE), text.as_bytes().to_vec()).ok()?;
        let root = document::parse(text).expect("what has a meaning has a notation");
        let items = Kind::ALL.map(|kind| {
            let list = root.as_ref().and_then(|root| root.pair(kind.list_key()));
            match list.map(|(_, (_, list))| &list.content) {
                Some(Content::List { items, .. }) => items
                    .iter()
                    .map(|item| text.get(item.start..item.end).unwrap_or_default())
                    .collect(),
                _ => Vec::new(),
            }
        });
        Some(Self {
            text,
            kubeconfig,
            items,
        })
    }

    fn of_change(change: &'t Change) -> Option<Self> {
        let (_, text) = *change.texts().first()?;
        Some(Self::read(text).expect("what is written can be read"))
    }

    fn root(&self) -> &Value {
        self.kubeconfig
            .documents()
            .next()
            .map_or(&Value::Null, |(_, root)| root)
    }

    /// The items of a list.
    fn list(&self, kind: Kind) -> &[Value] {
        self.root()
            .get(kind.list_key())
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    fn names(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.list(kind)
            .iter()
            .map(|item| item.get("name").and_then(Value::as_str).unwrap_or_default())
    }

    fn body(&self, kind: Kind, name: &str) -> Option<&Value> {
        self.kubeconfig.body(kind, name).map(|(_, body)| body)
    }

    /// Each item that is not ours: what it means, and how it is written (nothing, where an alias stands for the list).
    fn foreign(&self, kind: Kind, ours: &Names<'_>) -> Vec<(&Value, Option<&'t str>)> {
        let written = self.items[kind as usize]
            .iter()
            .copied()
            .map(Some)
            .chain(std::iter::repeat(None));
        let all = self.names(kind).zip(self.list(kind)).zip(written);
        let foreign = all.filter(|((name, _), _)| !ours.contains(&(kind, *name)));
        foreign.map(|((_, item), text)| (item, text)).collect()
    }

    /// The entries and all other keys mean what they meant, and the entries are written as they were.
    fn assert_kept(&self, before: &Self, ours: &Names<'_>) {
        for kind in Kind::ALL {
            assert_eq!(before.foreign(kind, ours), self.foreign(kind, ours), "{kind}");
        }
        let others = |file: &Self| -> serde_json::Map<String, Value> {
            let mut root = file.root().as_object().cloned().unwrap_or_default();
            root.retain(|key, _| {
                !["clusters", "contexts", "users", "current-context", "apiVersion", "kind"].contains(&key.as_str())
            });
            root
        };
        assert_eq!(others(before), others(self));
    }

    /// Null and empty lists, and an empty current context, are as good as none; so are the two fixed keys.
    fn plain_meaning(&self) -> Value {
        let mut root = self.root().as_object().cloned().unwrap_or_default();
        root.retain(|key, value| {
            let is_list = ["clusters", "contexts", "users"].contains(&key.as_str());
            let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty) || value == "";
            !(["apiVersion", "kind"].contains(&key.as_str()) || (is_list || key == "current-context") && is_empty)
        });
        Value::Object(root)
    }
}

/// New entries come in, a second time changes nothing, and out they go again.
fn add(before: &FuzzedFile<'_>, current: Current) {
    let name = (0..)
        .map(|number| format!("fuzz{number}"))
        .find(|name| !before.text.contains(name.as_str()));
    let name = name.unwrap_or_default();
    let login = login(&name, current);
    let Ok(change) = before.kubeconfig.upsert(std::slice::from_ref(&login)) else {
        return; // it says what stands in the way
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
        return;
    };
    let removed = FuzzedFile::of_change(&removal).expect("something goes");
    removed.assert_kept(before, &ours);
    if current == Current::Keep {
        assert_eq!(removed.plain_meaning(), before.plain_meaning());
    }
}

/// Everything that was written is still there, in its order: comments, blank lines, quotes.
fn assert_only_added(before: &FuzzedFile<'_>, after: &FuzzedFile<'_>) {
    let root = before.root();
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
    for context in before.kubeconfig.contexts().into_iter().take(CHANGED) {
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
                name.is_some_and(|name| file.body(kind, name).is_some())
            };
            for (kind, name) in [(Kind::Cluster, other.cluster), (Kind::User, other.user)] {
                assert_eq!(is_there(kind, name, before), is_there(kind, name, &after));
            }
        }
    }
}

/// Each user runs us from now on.
fn convert(before: &FuzzedFile<'_>) {
    for user in before.names(Kind::User).take(CHANGED) {
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
        let body = after.body(Kind::User, user).expect("it is still there");
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
    for cluster in before.names(Kind::Cluster).take(CHANGED) {
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

fn login(name: &str, current: Current) -> Login {
    Login {
        cluster_name: name.to_owned(),
        cluster: cluster_entry(),
        user_name: name.to_owned(),
        exec: exec(),
        context_name: name.to_owned(),
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
