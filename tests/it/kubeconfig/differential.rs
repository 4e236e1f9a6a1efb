//! The real kubectl is the measure: for the same list of files and the same entries we change the same files, and what they mean afterwards is the same.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use cce_login::kubeconfig::{Current, Kubeconfig, Locations};
use serde_json::Value;

use super::support::{kubectl, login, put, run};

/// What a file of the list holds before.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Before {
    Missing,
    Empty,
    /// Somebody else's entries and a current context.
    Foreign,
    /// Our three entries, out of date.
    Ours,
    /// Our user entry only.
    OurUser,
    /// Our cluster and context entries only.
    OurClusterAndContext,
    /// A current context that no file defines.
    Dangling,
}

use Before::{Dangling, Empty, Foreign, Missing, OurClusterAndContext, OurUser, Ours};

const ALL: [Before; 7] = [Missing, Empty, Foreign, Ours, OurUser, OurClusterAndContext, Dangling];

const USER: &str = "users:\n- name: default@prod.eu-de\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1\n      command: kubectl-cce_login\n      interactiveMode: IfAvailable\n      args: [get-credential, --cluster-id=4711]\n";
const CLUSTER_AND_CONTEXT: &str = "clusters:\n- name: prod.eu-de\n  cluster: {server: \"https://old:1\", extensions: [{name: e, extension: {x: 1}}]}\ncontexts:\n- name: prod\n  context: {cluster: prod.eu-de, user: default@prod.eu-de, namespace: kept}\n";
const FOREIGN: &str = "# foreign\nclusters:\n- {name: f, cluster: {server: \"https://f\"}}\ncontexts:\n- {name: f, context: {cluster: f, user: f}}\nusers:\n- {name: f, user: {token: t}}\ncurrent-context: f\n";

fn text(before: Before) -> Option<String> {
    let head = "apiVersion: v1\nkind: Config\n";
    Some(match before {
        Missing => return None,
        Empty => String::new(),
        Foreign => format!("{head}{FOREIGN}"),
        Ours => format!("{head}{CLUSTER_AND_CONTEXT}{USER}"),
        OurUser => format!("{head}{USER}"),
        OurClusterAndContext => format!("{head}{CLUSTER_AND_CONTEXT}"),
        Dangling => format!("{head}current-context: gone\n"),
    })
}

struct World {
    _home: tempfile::TempDir,
    files: Vec<PathBuf>,
    list: OsString,
}

impl World {
    fn new(befores: &[Before]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let files: Vec<PathBuf> = (0..befores.len())
            .map(|n| home.path().join(format!("config-{n}")))
            .collect();
        for (file, before) in files.iter().zip(befores) {
            if let Some(text) = text(*before) {
                put(file, text);
            }
        }
        // An empty part and a repetition, both of which kubectl ignores when it reads.
        let mut list = files.clone();
        if befores.len() > 1 {
            list.insert(1, PathBuf::new());
            list.insert(2, list[0].clone());
        }
        let list = std::env::join_paths(list).unwrap();
        Self {
            _home: home,
            files,
            list,
        }
    }

    /// Each file's text, by its number.
    fn texts(&self) -> Vec<Option<String>> {
        self.files.iter().map(|file| fs::read_to_string(file).ok()).collect()
    }
}

/// What one file alone means, by kubectl's own reading, without the order of its entries.
fn meaning(file: &Path) -> Option<BTreeMap<String, Value>> {
    if !file.exists() {
        return None;
    }
    let mut command = kubectl("".as_ref());
    command
        .arg("--kubeconfig")
        .arg(file)
        .args(["config", "view", "--raw", "-o", "json"]);
    let view: Value = serde_json::from_str(&run(&mut command)).unwrap();
    let mut meaning = BTreeMap::new();
    for list in ["clusters", "contexts", "users"] {
        for item in view[list].as_array().into_iter().flatten() {
            meaning.insert(format!("{list} {}", item["name"].as_str().unwrap()), item.clone());
        }
    }
    meaning.insert("current".to_owned(), view["current-context"].clone());
    Some(meaning)
}

fn by_kubectl(befores: &[Before], explicit: bool, set_current: bool) -> World {
    let world = World::new(befores);
    let flag: Vec<OsString> = if explicit {
        vec!["--kubeconfig".into(), world.files[0].clone().into()]
    } else {
        Vec::new()
    };
    let ca = world.files[0].with_file_name("ca.pem");
    let login = login("prod");
    put(&ca, login.cluster.certificate_authority_data.clone().unwrap());
    // kubectl locks the empty part of the list as `.lock` in the working directory.
    let home = world.files[0].parent().unwrap();
    let kubectl = |args: &[&str]| {
        run(kubectl(&world.list)
            .current_dir(home)
            .args(&flag)
            .arg("config")
            .args(args))
    };
    let server = format!("--server={}", login.cluster.server);
    let ca = format!("--certificate-authority={}", ca.display());
    kubectl(&[
        "set-cluster",
        "prod.eu-de",
        &server,
        &ca,
        "--embed-certs",
        "--tls-server-name=kubernetes",
    ]);
    // As the entry that we write; `set-credentials` knows no install hint, so we add none on this side.
    let user = "default@prod.eu-de";
    kubectl(&[
        "set-credentials",
        user,
        "--exec-command=other",
        "--exec-api-version=client.authentication.k8s.io/v1",
    ]);
    let mut set = vec![
        "set-credentials",
        user,
        "--exec-command=kubectl-cce_login",
        "--exec-provide-cluster-info",
    ];
    set.extend([
        "--exec-interactive-mode=IfAvailable",
        "--exec-api-version=client.authentication.k8s.io/v1",
    ]);
    let args: Vec<String> = login.exec.args.iter().map(|arg| format!("--exec-arg={arg}")).collect();
    set.extend(args.iter().map(String::as_str));
    kubectl(&set);
    kubectl(&[
        "set-context",
        "prod",
        "--cluster=prod.eu-de",
        "--user=default@prod.eu-de",
    ]);
    if set_current {
        kubectl(&["use-context", "prod"]);
    }
    world
}

fn by_us(befores: &[Before], explicit: bool, set_current: bool) -> (World, Vec<PathBuf>) {
    let world = World::new(befores);
    let explicit = explicit.then(|| world.files[0].clone());
    let locations = Locations::new(explicit, Some(&world.list), None).unwrap();
    let mut login = login("prod");
    login.current = if set_current { Current::Set } else { Current::Keep };
    let change = Kubeconfig::load(&locations).unwrap().upsert(&[login]).unwrap();
    change.write().unwrap();
    let files = change.files().iter().map(|file| file.to_path_buf()).collect();
    (world, files)
}

fn compare(befores: &[Before], explicit: bool, set_current: bool) {
    let case = format!("{befores:?} explicit={explicit} set_current={set_current}");
    let before = World::new(befores).texts();
    let theirs = by_kubectl(befores, explicit, set_current);
    let (ours, named) = by_us(befores, explicit, set_current);
    let changed = |world: &World| -> Vec<usize> {
        let texts = world.texts();
        (0..befores.len()).filter(|n| texts[*n] != before[*n]).collect()
    };
    assert_eq!(changed(&ours), changed(&theirs), "{case}: other files changed");
    let named: Vec<usize> = named
        .iter()
        .map(|file| ours.files.iter().position(|f| f == file).unwrap())
        .collect();
    assert_eq!(named, changed(&ours), "{case}: files() does not tell the truth");
    for (our_file, their_file) in ours.files.iter().zip(&theirs.files) {
        let mut our_meaning = meaning(our_file);
        for entry in our_meaning.iter_mut().flat_map(BTreeMap::values_mut) {
            if let Some(exec) = entry.pointer_mut("/user/exec").and_then(Value::as_object_mut) {
                exec.remove("installHint");
            }
        }
        assert_eq!(our_meaning, meaning(their_file), "{case}: {}", our_file.display());
    }
}

#[test]
fn one_file_as_kubectl() {
    for before in ALL {
        compare(&[before], false, false);
        compare(&[before], false, true);
    }
}

#[test]
fn two_files_as_kubectl() {
    for first in ALL {
        for second in ALL {
            compare(&[first, second], false, first != second);
        }
    }
}

#[test]
fn three_files_as_kubectl() {
    for befores in [
        [Missing, Missing, Missing],
        [Missing, Foreign, OurUser],
        [Missing, Missing, Ours],
        [Foreign, OurUser, OurClusterAndContext],
        [Dangling, Ours, Ours],
        [OurClusterAndContext, Missing, OurUser],
        [Empty, Ours, Foreign],
        [OurUser, Foreign, OurClusterAndContext],
    ] {
        compare(&befores, false, true);
        compare(&befores, false, false);
    }
}

#[test]
fn the_flag_as_kubectl() {
    for befores in [
        [Missing, Ours],
        [Foreign, Ours],
        [Ours, Foreign],
        [OurUser, OurClusterAndContext],
    ] {
        compare(&befores, true, true);
        compare(&befores, true, false);
    }
}

#[test]
fn kubectl_reads_awkward_text_as_we_mean_it() {
    let awkward = [
        "on",
        "y",
        "1e3",
        "0x1F",
        "0o7",
        "07",
        "1_000",
        "10:30",
        "2024-01-01",
        ".inf",
        "-.5",
        "~",
        "null",
        "-",
        "--",
        "--- a",
        "...",
        "<<",
        "=",
        "a: b",
        "a #b",
        "#",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a`",
        "'",
        "\"",
        "\\",
        "C:\\x",
        " lead",
        "trail ",
        "tab\tbed",
        "new\nline",
        "cr\rlf",
        "\u{7f}",
        "\u{85}",
        "\u{a0}",
        "\u{2028}",
        "\u{feff}x",
        "ü",
        "☸",
        "😀",
        "{a}",
        "[a]",
        "a,b",
        "?",
        "? a",
        "|",
        ">",
        "yes",
        "\u{fffd}",
        "\u{1b}[31m",
    ];
    for before in ["", "{\"users\":\n  []}", "users: []\r\n"] {
        let world = World::new(&[Missing]);
        put(&world.files[0], before);
        let locations = Locations::new(None, Some(&world.list), None).unwrap();
        let mut logins = Vec::new();
        for text in awkward {
            let mut login = login(text);
            login.context_name = text.to_owned();
            login.namespace = Some(text.to_owned());
            login.exec.args.push(text.to_owned());
            login.exec.install_hint = format!("{text}\n{text}");
            logins.push(login);
        }
        Kubeconfig::load(&locations)
            .unwrap()
            .upsert(&logins)
            .unwrap()
            .write()
            .unwrap();
        let read = meaning(&world.files[0]).unwrap();
        for login in logins {
            let context = &read[&format!("contexts {}", login.context_name)]["context"];
            assert_eq!(context["namespace"], login.context_name.as_str());
            assert_eq!(context["cluster"], login.cluster_name.as_str());
            let exec = &read[&format!("users {}", login.user_name)]["user"]["exec"];
            assert_eq!(
                exec["args"].as_array().unwrap().last().unwrap(),
                login.context_name.as_str()
            );
            assert_eq!(exec["installHint"], login.exec.install_hint.as_str());
        }
    }
}

#[test]
fn a_name_in_two_files_is_changed_in_the_first_and_removed_from_both() {
    let (world, named) = by_us(&[Ours, Foreign, Ours], false, false);
    assert_eq!(named, [world.files[0].clone()]);
    let locations = Locations::new(None, Some(&world.list), None).unwrap();
    let change = Kubeconfig::load(&locations).unwrap().remove(&["prod"]).unwrap();
    assert_eq!(change.files(), [world.files[0].as_path(), &world.files[2]]);
    change.write().unwrap();
    let left = Kubeconfig::load(&locations).unwrap();
    assert!(
        left.ours().is_empty() && left.cluster("prod.eu-de").is_none() && left.user("default@prod.eu-de").is_none()
    );
    assert_eq!(left.contexts().len(), 1);
}
