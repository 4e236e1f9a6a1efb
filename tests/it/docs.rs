//! The files of docs/ci are what the text says, and the real engines take them.

use crate::real::openbao::{OpenBao, ROOT};
use crate::support::in_repository;
use serde_json::Value;
use std::process::Command;

fn read(name: &str) -> String {
    std::fs::read_to_string(in_repository("docs").join(name)).unwrap()
}

/// Every document of a YAML file.
fn documents(name: &str) -> Vec<Value> {
    let text = read(name);
    let parts = text.split("\n---\n");
    parts
        .map(|part| serde_saphyr::from_str(part).unwrap_or_else(|error| panic!("{name}: {error}")))
        .collect()
}

#[test]
fn every_file_is_named_in_the_text_and_can_be_read() {
    let text = read("ci.md");
    for item in std::fs::read_dir(in_repository("docs/ci")).unwrap() {
        let name = item.unwrap().file_name().into_string().unwrap();
        assert!(text.contains(&format!("(ci/{name})")), "{name}");
        if name.rsplit_once('.').is_some_and(|(_, end)| end == "yaml") {
            assert!(!documents(&format!("ci/{name}")).is_empty());
        }
    }
    for part in text.split("](ci/").skip(1) {
        let name = part.split(')').next().unwrap();
        assert!(in_repository("docs/ci").join(name).exists(), "{name}");
    }
    assert!(text.contains(read("ci/vault-policy.hcl").split_once('\n').unwrap().1.trim()));
}

#[test]
fn every_variable_of_the_files_is_one_that_is_read() {
    let known = std::fs::read_to_string(in_repository("src/env_vars.rs")).unwrap();
    let ours = |name: &&str| {
        ["CCE_LOGIN_", "HUAWEICLOUD_", "VAULT_"]
            .iter()
            .any(|start| name.starts_with(start))
    };
    let is_of_a_name = |c: char| !(c.is_ascii_uppercase() || c == '_');
    for name in ["ci.md", "ci/github-actions.yaml", "ci/gitlab-ci.yaml", "ci/keeper.yaml"] {
        let text = read(name);
        for variable in text.split(is_of_a_name).filter(ours) {
            assert!(known.contains(&format!("\"{variable}\"")), "{name}: {variable}");
        }
    }
}

#[test]
fn the_arguments_of_the_kubeconfig_are_understood() {
    let kubeconfig = &documents("ci/kubeconfig.yaml")[0];
    let args = kubeconfig["users"][0]["user"]["exec"]["args"].as_array().unwrap();
    let args: Vec<_> = std::iter::once("kubectl-cce_login")
        .chain(args.iter().map(|arg| arg.as_str().unwrap()))
        .collect();
    cce_login::cli::Cli::parse_line(&args.iter().map(Into::into).collect::<Vec<std::ffi::OsString>>()).unwrap();
}

#[test]
fn the_scripts_set_a_real_engine_up() {
    let bao = OpenBao::start_empty();
    let program = std::env::var_os("BAO").unwrap();
    let directory = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(program, directory.path().join("vault")).unwrap();
    for script in ["vault-setup.sh", "vault-github.sh", "vault-gitlab.sh"] {
        // The issuers cannot be reached from here: their keys are not asked for.
        let text = read(&format!("ci/{script}"));
        let text = text
            .lines()
            .filter(|line| !line.contains("oidc_discovery_url") && !line.contains("/config \\"));
        let file = directory.path().join(script);
        std::fs::write(&file, text.collect::<Vec<_>>().join("\n")).unwrap();
        std::fs::copy(
            in_repository("docs/ci/vault-policy.hcl"),
            directory.path().join("vault-policy.hcl"),
        )
        .unwrap();
        let output = Command::new("sh")
            .arg(&file)
            .env(
                "PATH",
                format!("{}:{}", directory.path().display(), std::env::var("PATH").unwrap()),
            )
            .env("HOME", directory.path())
            .envs([("VAULT_ADDR", bao.url()), ("VAULT_TOKEN", ROOT.to_owned())])
            .env("VAULT_CACERT", bao.ca_file())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{script}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let (_, role) = bao.ask("GET", "auth/github/role/cce", None, ROOT);
    assert_eq!(role["data"]["token_type"], "batch");
    let (_, config) = bao.ask("GET", "kv/config", None, ROOT);
    assert_eq!(config["data"]["delete_version_after"], "24h0m0s");
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn real_manifests_are_taken_by_a_real_cluster() {
    let cluster = crate::real::kube_apiserver::KubeApiserver::start("");
    cluster.kubectl("create namespace ci");
    for name in ["shared-secret.yaml", "keeper.yaml", "controller.yaml"] {
        let file = in_repository("docs/ci").join(name);
        cluster.kubectl(&format!("apply -f {}", file.display()));
    }
    let may = |verb: &str, namespace: &str, account: &str| {
        let mut answer = cluster.command(&format!(
            "auth can-i {verb} -n {namespace} --as system:serviceaccount:{account}"
        ));
        String::from_utf8(answer.output().unwrap().stdout).unwrap().trim() == "yes"
    };
    for verb in ["get", "create", "update"] {
        assert!(may(&format!("{verb} secrets"), "cce-login", "ci:runner"), "{verb}");
    }
    assert!(!may("list secrets", "cce-login", "ci:runner") && !may("get secrets", "ci", "ci:runner"));
    assert!(may("patch secrets/cce-certificates", "ci", "ci:keeper") && !may("get secrets/other", "ci", "ci:keeper"));
}
