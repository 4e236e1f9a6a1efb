//! `exec.env` of a kubeconfig may be anybody's: what kubectl itself does not have does not decide where a secret goes.

use crate::support::World;
use cce_login::error::Exit;

const FROM_KUBECONFIG: &str = "comes from the kubeconfig";

/// A user with a password in kubectl's own environment.
fn with_password() -> World {
    let mut world = World::new();
    world.use_no_key();
    world.unset("CCE_LOGIN_IAM_ENDPOINT");
    world.unset("CCE_LOGIN_CA_FILE");
    world.sim.set_password("alice", "correct horse battery");
    let roots = world.path("cloud-ca.pem");
    for (name, value) in [
        ("OS_USERNAME", "alice"),
        ("OS_PASSWORD", "correct horse battery"),
        ("OS_USER_DOMAIN_NAME", "example-account"),
        ("SSL_CERT_FILE", roots.as_str()),
    ] {
        world.set(name, value);
    }
    world
}

#[test]
fn an_address_beside_the_shells_own_password_is_refused() {
    let mut world = with_password();
    let iam = world.sim.iam_endpoint();
    world.run_by_kubectl();
    world.set("OS_AUTH_URL", &iam);
    let outcome = world.get_credential(&["--identity=env"]);
    outcome.fails(Exit::Identity, FROM_KUBECONFIG);
    assert!(outcome.stderr.contains("`OS_AUTH_URL`"), "{outcome}");
    assert_eq!(world.sim.count("*"), 0);
    world.snapshot("get-credential/address-of-exec-env", &outcome);
}

#[test]
fn roots_beside_the_shells_own_password_are_refused() {
    // The second one is read by the TLS library.
    for (name, value) in [("SSL_CERT_FILE", "cloud-ca.pem"), ("SSL_CERT_DIR", "")] {
        let mut world = with_password();
        let (iam, roots) = (world.sim.iam_endpoint(), world.path(value));
        world.set("OS_AUTH_URL", &iam);
        world.unset("SSL_CERT_FILE");
        world.run_by_kubectl();
        world.set(name, &roots);
        world
            .get_credential(&["--identity=env"])
            .fails(Exit::Identity, FROM_KUBECONFIG);
        assert_eq!(world.sim.count("*"), 0, "{name}");
    }
}

#[test]
fn what_kubectl_has_too_is_its_own_affair() {
    let mut world = with_password();
    let iam = world.sim.iam_endpoint();
    world.set("OS_AUTH_URL", &iam);
    world.run_by_kubectl();
    world.get_credential(&["--identity=env"]).credential();
    // Another value is not what kubectl has.
    world.set("OS_AUTH_URL", "https://iam.example.invalid/v3");
    world
        .get_credential(&["--identity=env"])
        .fails(Exit::Identity, FROM_KUBECONFIG);
}

#[test]
fn an_address_with_its_own_password_is_nobodys_loss() {
    let mut world = with_password();
    let iam = world.sim.iam_endpoint();
    world.unset("OS_PASSWORD");
    world.run_by_kubectl();
    world.set("OS_AUTH_URL", &iam);
    world.set("OS_PASSWORD", "correct horse battery");
    world.get_credential(&["--identity=env"]).credential();
}

#[test]
fn no_file_is_sent_to_anybody_because_of_exec_env() {
    let mut world = World::new();
    world.use_no_key();
    world.unset("CCE_LOGIN_CA_FILE");
    let (roots, sts) = (world.path("cloud-ca.pem"), world.sim.sts_endpoint());
    world.set("SSL_CERT_FILE", &roots);
    world.run_by_kubectl();
    let file = world.write("a-secret", "abc");
    world.allow_secrets_below("a-secret");
    for (name, value) in [
        ("HUAWEICLOUD_SDK_STS_ENDPOINT", sts.as_str()),
        ("HUAWEICLOUD_OIDC_PROVIDER_URN", "iam::1:oidcProvider:p"),
        ("HUAWEICLOUD_OIDC_AGENCY_URN", "iam::1:agency:a"),
        ("HUAWEICLOUD_OIDC_TOKEN_FILE", file.as_str()),
    ] {
        world.set(name, value);
    }
    world
        .get_credential(&["--identity=oidc"])
        .fails(Exit::Identity, FROM_KUBECONFIG);
    assert_eq!(world.sim.count("*"), 0);
}

#[test]
fn an_access_key_needs_no_such_care_but_for_where_it_signs() {
    let mut world = World::new();
    let cce = world.sim.cce_endpoint();
    world.unset("CCE_LOGIN_CCE_ENDPOINT");
    world.run_by_kubectl();
    world.set("CCE_LOGIN_CCE_ENDPOINT", &cce);
    world
        .get_credential(&["--identity=env"])
        .fails(Exit::Identity, "nothing is signed for");
    assert_eq!(world.sim.count("*"), 0);
}

#[test]
fn no_program_is_run_that_a_config_of_exec_env_names() {
    for (name, value) in [
        ("CCE_LOGIN_CONFIG_DIR", ".config/cce-login"),
        ("XDG_CONFIG_HOME", ".config"),
    ] {
        let mut world = World::new();
        world.use_no_key();
        let file = world.write("it-was-not-run", "");
        world.write(
            ".config/cce-login/config.toml",
            format!("[profiles.vault]\nkind = \"command\"\ncommand = [\"/bin/rm\", \"{file}\"]\n"),
        );
        world.run_by_kubectl();
        let directory = world.path(value);
        world.set(name, &directory);
        let outcome = world.get_credential(&["--profile", "vault"]);
        outcome.fails(Exit::Identity, FROM_KUBECONFIG);
        assert!(outcome.stderr.contains(&format!("`{name}`")), "{outcome}");
        assert!(world.has("it-was-not-run"), "{name}");
    }
}
