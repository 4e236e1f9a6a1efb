//! Each directory here is a case: `before.yaml`, `do.json` (logins by name, or contexts to remove), and `after.yaml` or `error.txt`.
//!
//! `BLESS=1` writes what is; read it before it is committed.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cce_login::kubeconfig::{Change, Conversion, Current, KubeconfigError, Login};
use serde_json::Value;

use super::support::{home, kubectl, load, login, put, run, upserted, variable};

pub(crate) fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kubeconfig");
    let mut cases: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    assert!(cases.len() > 30);
    cases
}

fn logins(what: &Value) -> Vec<Login> {
    let logins = what["logins"].as_array().into_iter().flatten();
    logins
        .map(|entry| {
            let mut login = login(entry["name"].as_str().unwrap());
            if entry["current"] == "set" {
                login.current = Current::Set;
            }
            login
        })
        .collect()
}

fn change(file: &Path, what: &Value) -> Result<Change, KubeconfigError> {
    let kubeconfig = load(file)?;
    match what["remove"].as_array() {
        Some(names) => kubeconfig.remove(&names.iter().map(|name| name.as_str().unwrap()).collect::<Vec<_>>()),
        None if what["convert"].is_array() => kubeconfig.convert(&conversion(what)),
        None => kubeconfig.upsert(&logins(what)),
    }
}

fn conversion(what: &Value) -> Conversion {
    let names = what["convert"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap());
    Conversion {
        users: names.map(|name| (name.to_owned(), login("prod").exec)).collect(),
        clusters: Vec::new(),
        keeps_keys: what["keepsKeys"] == true,
    }
}

/// The text that the change would give the file; `None`: as it is.
fn change_of(file: &Path, what: &Value) -> Option<String> {
    let change = change(file, what).unwrap();
    change.texts().first().map(|(_, text)| (*text).to_owned())
}

/// The case's own, or what was before.
fn expected_backup(case: &Path, before: &[u8]) -> Vec<u8> {
    fs::read(case.join("backup.yaml")).unwrap_or_else(|_| before.to_owned())
}

fn told(error: &KubeconfigError, home: &Path) -> String {
    let mut text = format!("error: {error}\n");
    let mut source = error.source();
    while let Some(cause) = source {
        writeln!(text, "cause: {cause}").unwrap();
        source = cause.source();
    }
    writeln!(text, "hint: {}", error.hint().unwrap_or_default()).unwrap();
    text.replace(&format!("{}/", home.display()), "")
}

#[test]
fn every_case_ends_as_its_files_say() {
    let mut wrong = Vec::new();
    for case in cases() {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let what: Value = serde_json::from_str(&fs::read_to_string(case.join("do.json")).unwrap()).unwrap();
        let (home, file) = home();
        let before = fs::read(case.join("before.yaml")).unwrap();
        put(&file, &before);
        let (expected, got) = match change(&file, &what) {
            Err(error) => (case.join("error.txt"), told(&error, home.path())),
            Ok(change) => {
                change.write().unwrap();
                let backup = fs::read_to_string(home.path().join("config.cce-login-backup"));
                let backup = backup.unwrap();
                if variable("BLESS").is_some() && backup.as_bytes() != before {
                    put(&case.join("backup.yaml"), &backup);
                }
                let expected = String::from_utf8(expected_backup(&case, &before)).unwrap();
                assert_eq!(backup, expected, "{name}");
                let again = if what["convert"].is_array() {
                    change_of(&file, &what)
                } else {
                    upserted(&file, &logins(&what)).unwrap()
                };
                assert_eq!(again, None, "{name}: the second run changes something");
                (case.join("after.yaml"), fs::read_to_string(&file).unwrap())
            }
        };
        if variable("BLESS").is_some() {
            let _ = fs::remove_file(case.join("error.txt"));
            let _ = fs::remove_file(case.join("after.yaml"));
            put(&expected, &got);
        }
        if fs::read_to_string(&expected).ok().as_deref() != Some(&got) {
            wrong.push(format!("{name}: expected {}, got\n{got}", expected.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn kubectl_reads_every_result() {
    for case in cases() {
        let after = case.join("after.yaml");
        if after.exists() {
            let what: Value = serde_json::from_str(&fs::read_to_string(case.join("do.json")).unwrap()).unwrap();
            let names = run(kubectl(after.as_os_str()).args(["config", "get-contexts", "-o", "name"]));
            for login in logins(&what) {
                assert!(
                    names.lines().any(|name| name == login.context_name),
                    "{}: {names}",
                    case.display()
                );
            }
        }
    }
}

#[test]
fn a_name_is_free_or_ours_for_the_same_cluster_id_or_taken() {
    let (_home, file) = home();
    put(
        &file,
        "contexts:\n- {name: theirs, context: {user: me}}\n- {name: dangling, context: {user: gone}}\n- {name: bare}\n",
    );
    load(&file).unwrap().upsert(&[login("prod")]).unwrap().write().unwrap();
    let kubeconfig = load(&file).unwrap();
    assert!(kubeconfig.context_is_free_for("prod", "4711") && kubeconfig.context_is_free_for("new", "4711"));
    for name in ["theirs", "dangling", "bare"] {
        assert!(!kubeconfig.context_is_free_for(name, "4711"), "{name}");
    }
    assert!(!kubeconfig.context_is_free_for("prod", "0815"));
    assert!(!kubeconfig.user_is_free_for("default@prod.eu-de", "0815"));

    // The user entry deleted by hand: the context is still ours to repair.
    let text = fs::read_to_string(&file).unwrap();
    put(&file, text.split("users:").next().unwrap());
    assert!(matches!(upserted(&file, &[login("prod")]), Ok(Some(_))));
}

#[test]
fn a_login_may_share_entries_but_not_contradict_another() {
    let (_home, file) = home();
    let (one, mut two) = (login("prod"), login("prod"));
    two.context_name = "again".to_owned();
    let text = upserted(&file, &[one.clone(), two.clone()]).unwrap().unwrap();
    assert_eq!(text.matches("server:").count(), 1);
    two.cluster.server = "https://other".to_owned();
    let error = upserted(&file, &[one, two]).unwrap_err();
    assert!(matches!(error, KubeconfigError::Contradiction { .. }) && error.hint().is_some());
}

#[test]
fn an_alias_bomb_is_refused_at_once() {
    let (_home, file) = home();
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let all = format!("*a{}, ", level - 1).repeat(10);
        writeln!(text, "a{level}: &a{level} [{all}]").unwrap();
    }
    put(&file, text);
    let began = std::time::Instant::now();
    assert!(matches!(load(&file), Err(KubeconfigError::Malformed { .. })));
    assert!(began.elapsed().as_secs() < 20);
}

#[test]
fn no_error_shows_a_value_of_the_file() {
    let (home, file) = home();
    for text in [
        "users:\n- name: a\n  user:\n    token: hunter2\n   password: hunter2\n",
        "users:\n- name: a\n  user: {token: hunter2",
        "users:\n- name: a\n  user: hunter2\n",
        "users: hunter2\n",
        "hunter2\n",
        "users:\n- name: a\n  user:\n    token: \"hunter2\\q\"\n",
        "users:\n- name: a\n  user:\n    token: *hunter\n",
        "users:\n- name: a\n  user:\n    token: !!int hunter2\n",
        "users:\n- name: a\n  user:\n    token: hunter2\n- name: a\n",
        "---\nhunter2\n---\nusers: []\n",
    ] {
        put(&file, text);
        let error = load(&file).expect_err(text);
        let said = told(&error, home.path()) + &format!("{error:?}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
