//! The programs that own the formats which we read, beside us: what `tests/it` and the tables in `tests/vectors` hold us to is what they do.

use super::sdk::ask;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(in_repository(path)).unwrap()
}

/// Without a network kubectl says whom it would have connected to first.
#[test]
fn kubectl_takes_the_way_that_the_table_of_no_proxy_says() {
    let kubectl = std::env::var_os("KUBECTL").unwrap_or_else(|| panic!("KUBECTL is not set: run tests/run"));
    let table = read("tests/vectors/no_proxy.txt");
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let [list, host, expected] = line.split(" | ").map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let mut command = Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        command.arg("--net").arg(&kubectl);
        command.args(["--token=none", "--request-timeout=5s", "get", "--raw=/"]);
        command.arg(format!("--server=https://{host}"));
        command
            .env_clear()
            .env("HOME", "/nonexistent")
            .env("KUBERC", "off")
            .env("NO_PROXY", list);
        command.env("HTTPS_PROXY", "http://192.0.2.1:3128");
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("dial") || said.contains("lookup"), "{line}: {said}");
        let way = if said.contains("proxyconnect") {
            "proxied"
        } else {
            "direct"
        };
        assert_eq!(way, expected, "{line}: {said}");
    }
}

#[test]
fn the_python_sdk_reads_the_credentials_files_of_the_table() {
    let all = read("tests/vectors/sdk_credentials.txt");
    let files: Vec<(&str, &str)> = all
        .split("\n## ")
        .skip(1)
        .map(|file| file.split_once('\n').unwrap())
        .collect();
    let texts: Vec<Value> = files
        .iter()
        .map(|(_, text)| Value::from(text.replace("{ak}", "AKOFTHEFILE").replace("{sk}", "skofthefile")))
        .collect();
    let answers = ask("credentials", &texts);
    for ((head, _), answer) in files.iter().zip(&answers) {
        let is_read = *answer == json!({"ak": "AKOFTHEFILE", "sk": "skofthefile"});
        assert_eq!(is_read, !head.ends_with("| go"), "{head}: {answer}");
    }
}

/// The cases of `tests/identity` in which alice signs in with a password that `clouds.yaml` leads to.
#[test]
fn openstacksdk_makes_of_the_clouds_what_we_make_of_them() {
    let names = [
        "clouds-agency",
        "clouds-anchors-and-merge-keys",
        "clouds-auth-url-is-filled",
        "clouds-auth-url-of-clouds-public",
        "clouds-auth-url-of-the-first-region",
        "clouds-auth-url-of-the-region",
        "clouds-domain-beside-auth",
        "clouds-keys-beside-auth",
        "clouds-only-in-secure-yaml",
        "clouds-password-in-secure-yaml",
        "clouds-secure-file-of-a-variable",
        "clouds-secure-yaml-goes-first",
    ];
    let cases: Vec<Value> = names.iter().map(|name| case(name)).collect();
    for (name, answer) in names.iter().zip(ask("clouds", &cases)) {
        let url = answer["auth_url"]
            .as_str()
            .unwrap_or_else(|| panic!("{name}: {answer}"));
        assert_eq!(url.trim_end_matches("/v3"), "https://iam.example", "{name}");
        let rest = [&answer["username"], &answer["password"], &answer["user_domain_name"]];
        assert_eq!(rest, ["alice", "Passw0rd-of-alice", "example-account"], "{name}");
    }
    // Nothing of it is to be had from us without an address: this vendor is somebody else's, and OTC's address is OTC's.
    let built_in = ["otc", "vexxhost.example"].map(|profile| {
        let text =
            format!("clouds: {{mine: {{profile: {profile}, region_name: eu-de, auth: {{username: u, password: p}}}}}}");
        json!({"files": {"clouds": {"yaml": text}}})
    });
    let answers = ask("clouds", &built_in);
    assert_eq!(answers[0]["auth_url"], "https://iam.eu-de.otc.t-systems.com/v3");
    assert_eq!(answers[1]["auth_url"], Value::Null);
}

/// The files of a case and the region that its environment asks for.
fn case(name: &str) -> Value {
    let directory = in_repository("tests/identity").join(name);
    let mut files = json!({});
    for below in ["home/.config/openstack", "home/here", "home/there"] {
        for item in std::fs::read_dir(directory.join(below)).into_iter().flatten() {
            let path = item.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text
                .replace("{{iam}}", "https://iam.example")
                .replace("{{account-id example-account}}", "id");
            let stem = path.file_stem().unwrap().to_str().unwrap();
            // The case's own name for a file that a variable names.
            let kind = if stem == "mine" { "secure" } else { stem };
            files[kind][path.extension().unwrap().to_str().unwrap()] = text.into();
        }
    }
    let environment = std::fs::read_to_string(directory.join("environment")).unwrap();
    let region = environment
        .lines()
        .find_map(|line| line.strip_prefix("OS_REGION_NAME="));
    json!({"files": files, "region": region})
}
