//! The wire: what each engine answers, and what we make of it.

use super::free_address;
use super::kube_apiserver::KubeApiserver;
use super::openbao::{OpenBao, ROOT};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cce_login::config::VaultProfile;
use cce_login::host::{Deadline, Env};
use cce_login::ids::Endpoint;
use cce_login::register::{Kubernetes, Register, RegisterError, Swap, Vault, VaultAccess, VaultLogin, Version};
use cce_login::secret::Secret;
use cce_sim::Sim;
use serde_json::json;
use std::process::Command;
use std::time::Duration;

/// The least policy of docs/ci.md.
const LEAST: &str = include_str!("../../../docs/ci/vault-policy.hcl");

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

fn value(text: &str) -> Secret<Vec<u8>> {
    Secret::new(text.as_bytes().to_vec())
}

fn access(bao: &OpenBao, login: VaultLogin) -> VaultAccess {
    VaultAccess {
        address: Endpoint::parse(&bao.url()).unwrap(),
        ca_file: Some(bao.ca_file()),
        namespace: None,
        login,
    }
}

fn vault<'e>(env: &'e Env, bao: &OpenBao, token: &str) -> Vault<'e> {
    let login = VaultLogin::Token(Secret::new(token.to_owned()));
    Vault::new(env, access(bao, login), "kv", "cce").unwrap()
}

fn nothing() -> Env {
    Env::given::<&str, &str>([])
}

/// What every register does, on one that is empty.
fn behaves_like_a_register<R: Register>(open: impl Fn() -> R + Sync) {
    let register = open();
    let empty = register.read("cert-1", deadline()).unwrap();
    assert_eq!((empty.version.clone(), empty.value), (Version(None), None));
    let behind = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()) - empty.now.unwrap();
    assert!(behind.num_seconds().abs() < 60, "{behind}");

    // Of sixty that write at once one wins.
    let won = std::thread::scope(|scope| {
        let (version, open) = (&empty.version, &open);
        let racers: Vec<_> = (0..60)
            .map(|number| scope.spawn(move || open().swap("cert-1", version, &value(&number.to_string()), deadline())))
            .collect();
        let ends = racers.into_iter().map(|racer| racer.join().unwrap().unwrap());
        ends.filter(|end| *end != Swap::Lost).count()
    });
    assert_eq!(won, 1);

    let first = register.read("cert-1", deadline()).unwrap();
    assert!(first.value.is_some());
    let Swap::Done(second) = register
        .swap("cert-1", &first.version, &value("new"), deadline())
        .unwrap()
    else {
        panic!("nobody else writes");
    };
    let read = register.read("cert-1", deadline()).unwrap();
    assert_eq!((read.version, read.value), (second.clone(), Some(value("new"))));
    // Who has seen an older version is late, also with a removal.
    assert_eq!(
        register
            .swap("cert-1", &first.version, &value("old"), deadline())
            .unwrap(),
        Swap::Lost
    );
    assert_eq!(
        register.delete("cert-1", &first.version, deadline()).unwrap(),
        Swap::Lost
    );
    assert_ne!(register.delete("cert-1", &second, deadline()).unwrap(), Swap::Lost);
    let gone = register.read("cert-1", deadline()).unwrap();
    assert!(gone.value.is_none_or(|value| value.expose().is_empty()));
    // What was removed is written anew like anything else.
    assert_ne!(
        register
            .swap("cert-1", &gone.version, &value("again"), deadline())
            .unwrap(),
        Swap::Lost
    );
    assert_eq!(
        register
            .swap("cert-1", &gone.version, &value("late"), deadline())
            .unwrap(),
        Swap::Lost
    );
}

#[test]
fn openbao_is_a_register_with_the_least_policy() {
    let (bao, env) = (OpenBao::start(), nothing());
    let token = bao.token_with(LEAST);
    let login = VaultLogin::Token(Secret::new(token.clone()));
    let access = access(&bao, login);
    behaves_like_a_register(|| Vault::new(&env, access.clone(), "kv", "cce").unwrap());
    // Past its time: the version stays, and the value can be written anew.
    bao.do_as_root("POST", "kv/metadata/cce/cert-2", &json!({"delete_version_after": "1s"}));
    let vault = vault(&env, &bao, &token);
    vault.swap("cert-2", &Version(None), &value("x"), deadline()).unwrap();
    crate::system::process::wait_for("the end of a value", || {
        vault.read("cert-2", deadline()).unwrap().value.is_none()
    });
    let over = vault.read("cert-2", deadline()).unwrap();
    assert_eq!(over.version, Version(Some("1".to_owned())));
    assert_eq!(
        vault.swap("cert-2", &over.version, &value("y"), deadline()).unwrap(),
        Swap::Done(Version(Some("2".to_owned())))
    );
}

#[test]
fn openbao_says_what_is_wrong() {
    let (bao, env) = (OpenBao::start(), nothing());
    let error = |vault: &Vault<'_>| vault.read("cert-1", deadline()).unwrap_err().to_string();
    let with = |mount: &str, token: &str| {
        let login = VaultLogin::Token(Secret::new(token.to_owned()));
        Vault::new(&env, access(&bao, login), mount, "cce").unwrap()
    };
    assert!(error(&with("kv", "nobody's")).contains("Vault does not let us read"));
    assert!(error(&with("nowhere", ROOT)).contains("no key-value engine of version 2 at `nowhere`"));
    let elsewhere = bao.token_with(r#"path "kv/data/other/*" { capabilities = ["read"] }"#);
    assert!(error(&with("kv", &elsewhere)).contains("does not let us read"));
    let reader = bao.token_with(r#"path "kv/data/cce/*" { capabilities = ["read"] }"#);
    let refused = with("kv", &reader).swap("cert-1", &Version(None), &value("x"), deadline());
    assert!(refused.unwrap_err().to_string().contains("does not let us write"));

    // The first version of the engine knows no versions.
    bao.do_as_root(
        "POST",
        "sys/mounts/old",
        &json!({"type": "kv", "options": {"version": "1"}}),
    );
    let old = with("old", ROOT);
    let refused = old.swap("cert-1", &Version(None), &value("x"), deadline()).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("no key-value engine of version 2 at `old`"),
        "{refused}"
    );
    assert!(error(&old).contains("no key-value engine of version 2 at `old`"));

    bao.do_as_root("PUT", "sys/seal", &json!({}));
    assert!(error(&with("kv", ROOT)).contains("503"), "{}", error(&with("kv", ROOT)));
}

#[test]
fn openbao_lets_a_role_in() {
    let (bao, env) = (OpenBao::start(), nothing());
    bao.do_as_root("PUT", "sys/policies/acl/cce", &json!({"policy": LEAST}));
    bao.do_as_root("POST", "sys/auth/approle", &json!({"type": "approle"}));
    let role = json!({"token_policies": "cce", "token_type": "batch", "token_ttl": "5m"});
    bao.do_as_root("POST", "auth/approle/role/ci", &role);
    let id = bao.ask("GET", "auth/approle/role/ci/role-id", None, ROOT).1;
    let secret = bao.do_as_root("POST", "auth/approle/role/ci/secret-id", &json!({}));
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, format!("{text}\n")).unwrap();
        path
    };
    let role_id_file = file("role-id", id["data"]["role_id"].as_str().unwrap());
    let app_role = |secret_id: &str| VaultLogin::AppRole {
        auth: "approle".to_owned(),
        role_id_file: role_id_file.clone(),
        secret_id_file: file("secret-id", secret_id),
    };
    let login = app_role(secret["data"]["secret_id"].as_str().unwrap());
    let vault = Vault::new(&env, access(&bao, login), "kv", "cce").unwrap();
    assert!(vault.read("cert-1", deadline()).unwrap().value.is_none());
    let vault = Vault::new(&env, access(&bao, app_role("wrong")), "kv", "cce").unwrap();
    let refused = vault.read("cert-1", deadline()).unwrap_err();
    assert!(refused.to_string().contains("does not let us sign in"), "{refused}");

    let sink = file("sink", &bao.token_with(LEAST));
    let vault = Vault::new(&env, access(&bao, VaultLogin::TokenFile(sink)), "kv", "cce").unwrap();
    assert!(vault.read("cert-1", deadline()).unwrap().value.is_none());
}

/// An id token as a CI system gives it: signed with this key, about this job, for this audience.
fn id_token(key: &std::path::Path, subject: &str, audience: &str) -> String {
    let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).timestamp();
    let claims = json!({
        "iss": "https://ci.example.com", "sub": subject, "aud": audience, "iat": now - 60, "nbf": now - 60, "exp": now + 600,
    });
    let text = format!("{}.{}", part(json!({"alg": "RS256", "typ": "JWT"})), part(claims));
    let file = key.with_extension("text");
    std::fs::write(&file, &text).unwrap();
    let signed = Command::new("openssl")
        .args(["dgst", "-sha256", "-sign"])
        .args([key, &file])
        .output()
        .unwrap();
    assert!(signed.status.success());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signed.stdout))
}

#[test]
fn openbao_lets_a_job_in_by_its_id_token() {
    let (bao, directory) = (OpenBao::start(), tempfile::tempdir().unwrap());
    let (key, public) = (directory.path().join("key"), directory.path().join("public"));
    for args in [vec!["genrsa", "-out"], vec!["rsa", "-pubout", "-in"]] {
        let mut command = Command::new("openssl");
        command.args(&args).arg(&key);
        if args[0] == "rsa" {
            command.arg("-out").arg(&public);
        }
        assert!(command.output().unwrap().status.success());
    }
    bao.do_as_root("PUT", "sys/policies/acl/cce", &json!({"policy": LEAST}));
    bao.do_as_root("POST", "sys/auth/ci/jobs", &json!({"type": "jwt"}));
    let keys = json!({"jwt_validation_pubkeys": [std::fs::read_to_string(&public).unwrap()]});
    bao.do_as_root("POST", "auth/ci/jobs/config", &keys);
    let role = json!({
        "role_type": "jwt", "user_claim": "sub", "bound_audiences": [bao.url()], "bound_claims_type": "glob",
        "bound_claims": {"sub": "repo:acme/shop:*"}, "token_policies": ["cce"], "token_type": "batch",
    });
    bao.do_as_root("POST", "auth/ci/jobs/role/cce", &role);

    let read = |token: &str, role: &str| {
        let file = directory.path().join("token");
        std::fs::write(&file, token).unwrap();
        let env = Env::given([
            ("VAULT_ADDR", bao.url()),
            ("VAULT_CACERT", bao.ca_file().display().to_string()),
            ("CCE_LOGIN_VAULT_AUTH", "ci/jobs".to_owned()),
            ("CCE_LOGIN_VAULT_ROLE", role.to_owned()),
            ("CCE_LOGIN_VAULT_ID_TOKEN_FILE", file.display().to_string()),
        ]);
        let access = VaultAccess::find(&env, None)?;
        Vault::new(&env, access, "kv", "cce")?.read("cert-1", deadline())
    };
    let good = id_token(&key, "repo:acme/shop:ref:refs/heads/main", &bao.url());
    assert!(read(&good, "cce").unwrap().value.is_none());
    for (token, role) in [
        (id_token(&key, "repo:acme/fork:ref:refs/heads/main", &bao.url()), "cce"),
        (
            id_token(&key, "repo:acme/shop:ref:refs/heads/main", "https://elsewhere"),
            "cce",
        ),
        (format!("{good}x"), "cce"),
        (good.clone(), "nobody"),
    ] {
        let refused = read(&token, role).unwrap_err().to_string();
        assert!(refused.contains("Vault does not let us sign in"), "{refused}");
    }
}

#[test]
fn openbao_lets_a_job_of_github_actions_in_with_nothing_stored() {
    let (bao, sim) = (OpenBao::start(), Sim::start());
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sim/keys/rsa.pkcs8.pem");
    let public = Command::new("openssl").args(["rsa", "-pubout", "-in", key]).output();
    bao.do_as_root("PUT", "sys/policies/acl/cce", &json!({"policy": LEAST}));
    bao.do_as_root("POST", "sys/auth/jwt", &json!({"type": "jwt"}));
    let keys = json!({"jwt_validation_pubkeys": [String::from_utf8(public.unwrap().stdout).unwrap()]});
    bao.do_as_root("POST", "auth/jwt/config", &keys);
    let role = json!({
        "role_type": "jwt", "user_claim": "sub", "bound_audiences": [bao.url()],
        "bound_claims": {"sub": "repo:octo-org/octo-repo:ref:refs/heads/main"}, "token_policies": ["cce"], "token_type": "batch",
    });
    bao.do_as_root("POST", "auth/jwt/role/cce", &role);

    let read = |audience: &str, request_token: &str| {
        let env = Env::given([
            ("VAULT_ADDR", bao.url()),
            ("VAULT_CACERT", bao.ca_file().display().to_string()),
            ("CCE_LOGIN_VAULT_ROLE", "cce".to_owned()),
            ("CCE_LOGIN_VAULT_AUDIENCE", audience.to_owned()),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", sim.actions_request_url()),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", request_token.to_owned()),
        ]);
        let access = VaultAccess::find(&env, None)?;
        Vault::new(&env, access, "kv", "cce")?.read("cert-1", deadline())
    };
    let request_token = sim.actions_request_token();
    assert!(read(&bao.url(), &request_token).unwrap().value.is_none());
    let elsewhere = read("https://elsewhere.example.com", &request_token).unwrap_err();
    assert!(
        elsewhere.to_string().contains("Vault does not let us sign in"),
        "{elsewhere}"
    );
    let no_job = read(&bao.url(), "nobody's").unwrap_err().to_string();
    assert!(no_job.contains("GitHub Actions does not let us sign in"), "{no_job}");
}

#[test]
fn a_secret_of_the_profile_never_goes_to_an_address_of_the_environment() {
    let env = Env::given([("VAULT_ADDR", "https://elsewhere:8200"), ("CCE_LOGIN_VAULT_ROLE", "")]);
    let profile = VaultProfile {
        token_file: Some("/home/me/token".to_owned()),
        ..VaultProfile::default()
    };
    assert!(VaultAccess::find(&env, Some(&profile)).is_err());
    let profile = VaultProfile {
        address: Some("https://vault.example.com:8200".to_owned()),
        ..profile
    };
    let found = VaultAccess::find(&env, Some(&profile)).unwrap();
    assert_eq!(found.address.as_str(), "https://vault.example.com:8200");
    assert!(matches!(found.login, VaultLogin::TokenFile(_)));
    // What is not encrypted gets no token, except on this machine.
    let env = Env::given([("VAULT_ADDR", "http://vault.example.com:8200"), ("VAULT_TOKEN", "t")]);
    assert!(VaultAccess::find(&env, None).is_err());
}

#[test]
fn a_register_that_is_not_there_is_told_in_time() {
    let env = nothing();
    let address = free_address();
    let login = VaultLogin::Token(Secret::new("x".to_owned()));
    let access = VaultAccess {
        address: Endpoint::parse(&format!("http://{address}")).unwrap(),
        ca_file: None,
        namespace: None,
        login,
    };
    let vault = Vault::new(&env, access, "kv", "cce").unwrap();
    let soon = || Deadline::after(Duration::from_millis(300));
    assert!(matches!(vault.read("cert-1", soon()), Err(RegisterError::Http(_))));
    let _silent = std::net::TcpListener::bind(&address).unwrap();
    assert!(matches!(vault.read("cert-1", soon()), Err(RegisterError::Http(_))));
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn a_kubernetes_secret_is_a_register_with_the_least_role() {
    let cluster = KubeApiserver::start("");
    for line in [
        "create namespace ci",
        "-n ci create serviceaccount runner",
        "-n ci create serviceaccount nobody",
        "-n ci create role cce-login --verb=get,create,update,delete --resource=secrets",
        "-n ci create rolebinding cce-login --role=cce-login --serviceaccount=ci:runner",
    ] {
        cluster.kubectl(line);
    }
    let (host, port) = cluster.address().split_once(':').unwrap();
    let env = Env::given([("KUBERNETES_SERVICE_HOST", host), ("KUBERNETES_SERVICE_PORT", port)]);
    let account = cluster.service_account("ci", "runner");
    behaves_like_a_register(|| Kubernetes::with_account(&env, None, &account).unwrap());
    let listed = cluster.kubectl("-n ci get secrets -l app.kubernetes.io/managed-by=kubectl-cce-login -o name");
    assert_eq!(listed.trim(), "secret/cce-login-cert-1");

    let nobody = cluster.service_account("ci", "nobody");
    let refused = Kubernetes::with_account(&env, None, &nobody)
        .unwrap()
        .read("cert-1", deadline());
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("Kubernetes does not let us read")
    );
    // A namespace that does not exist is told when something is to be written.
    cluster.kubectl("create clusterrole all-secrets --verb=get,create,update --resource=secrets");
    cluster.kubectl("create clusterrolebinding all-secrets --clusterrole=all-secrets --serviceaccount=ci:runner");
    let elsewhere = Kubernetes::with_account(&env, Some("nowhere"), &account).unwrap();
    let empty = elsewhere.read("cert-1", deadline()).unwrap();
    let refused = elsewhere
        .swap("cert-1", &empty.version, &value("x"), deadline())
        .unwrap_err();
    assert!(refused.to_string().contains("no namespace `nowhere`"), "{refused}");

    // Another CA than the one beside the token: the token does not go there.
    std::fs::copy(cluster.path("server.pem"), account.join("ca.crt")).unwrap();
    let stranger = Kubernetes::with_account(&env, None, &account).unwrap();
    assert!(matches!(
        stranger.read("cert-1", deadline()),
        Err(RegisterError::Http(_))
    ));
}
