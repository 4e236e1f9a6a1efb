//! Each directory here is a case: `before.yaml`, `do.json` (logins by name, or contexts to remove), and `after.yaml` or `error.txt`.
//!
//! `BLESS=1` writes what is; read it before it is committed.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cce_login::kubeconfig::{Change, Current, KubeconfigError, Login};
use serde_json::Value;

use crate::support::{home, kubectl, load, login, put, run, upserted, variable};

fn cases() -> Vec<PathBuf> {
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
        None => kubeconfig.upsert(&logins(what)),
    }
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
                assert_eq!(
                    fs::read(home.path().join("config.cce-login-backup")).unwrap(),
                    before,
                    "{name}"
                );
                assert_eq!(
                    upserted(&file, &logins(&what)).unwrap(),
                    None,
                    "{name}: the second run changes something"
                );
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
