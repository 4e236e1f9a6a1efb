//! `convert`: long-lived certificates in kubeconfigs are replaced by entries that run us.

use crate::support::{Outcome, World};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cce_login::error::Exit;
use cce_sim::{ClusterSpec, Fault};
use std::time::Duration;

const FIVE_YEARS: Duration = Duration::from_secs(5 * 365 * 86_400);

/// A kubeconfig as the console gives it, with somebody else's user beside it. Returns the key's base64.
fn downloaded(world: &World, file: &str, cluster: &str, owner: &str) -> String {
    let spec = world.sim.cluster(cluster);
    let issued = world.sim.issue_certificate(cluster, owner, FIVE_YEARS);
    let key = STANDARD.encode(&issued.key);
    let server = spec.external_url.unwrap_or(spec.internal_url);
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: externalCluster\n  cluster:\n    server: {server}\n    \
         tls-server-name: kubernetes\n    certificate-authority-data: {}\nusers:\n- name: theirs\n  user: {{token: abc}}\n\
         - name: user\n  user:\n    client-certificate-data: {}\n    client-key-data: {key}\ncontexts:\n- name: external\n  \
         context: {{cluster: externalCluster, user: user}}\n- name: other\n  context: {{cluster: externalCluster, user: theirs}}\n\
         current-context: external\n",
        STANDARD.encode(&spec.ca_pem),
        STANDARD.encode(&issued.certificate),
    );
    world.write(file, text);
    world.allow_secrets_below(file);
    key
}

fn convert(world: &World, flags: &[&str]) -> Outcome {
    world.run(["convert"].iter().chain(flags))
}

#[test]
fn a_key_is_replaced_after_a_certificate_came_through_the_new_entry() {
    let world = World::new();
    let key = downloaded(&world, ".kube/config", "prod", "alice");
    let before = world.kubeconfig_text();
    let shown = convert(&world, &[]);
    shown.is_done();
    world.snapshot("convert/shown", &shown);
    assert_eq!(world.kubeconfig_text(), before, "nothing is changed without --yes");

    let done = convert(&world, &["--yes"]);
    done.is_done();
    world.snapshot("convert/done", &done);
    let (after, backup) = (world.kubeconfig_text(), world.read(".kube/config.cce-login-backup"));
    for text in [&after, &backup] {
        assert!(!text.contains(&key) && text.contains("{token: abc}"), "{text}");
    }
    let args = world.kubeconfig().args("user").join(" ");
    assert!(
        args.contains("--identity=env") && args.contains(&world.sim.cluster("prod").uid),
        "{args}"
    );
    assert_eq!(world.certificate_requests(), 1);
    let again = convert(&world, &["--yes"]);
    again.is_done();
    world.snapshot("convert/again", &again);
    world.get_credential(&["--identity=env"]).credential();
    assert_eq!(world.certificate_requests(), 1);
    world.run(["status", "--check"]).is_done();
}

#[test]
fn the_backup_keeps_the_key_where_that_is_wanted() {
    let world = World::new();
    let key = downloaded(&world, ".kube/config", "prod", "alice");
    world.allow_secrets_below(".kube/config.cce-login-backup");
    convert(&world, &["--yes", "--keep-key-backup"]).is_done();
    assert!(world.read(".kube/config.cce-login-backup").contains(&key));
    assert!(!world.kubeconfig_text().contains(&key));
}

#[test]
fn somebody_elses_certificate_is_told_with_its_owner() {
    let world = World::new();
    downloaded(&world, "downloads/one.yaml", "prod", "bob");
    let file = world.path("downloads/one.yaml");
    let outcome = convert(&world, &[&file, "--yes"]);
    outcome.is_done();
    world.snapshot("convert/somebody-elses", &outcome);
    assert!(!world.has(".kube/config"));
}

#[test]
fn a_person_is_asked() {
    let mut world = World::new();
    downloaded(&world, ".kube/config", "prod", "alice");
    world.terminal(true, false, true);
    world.type_in("n\n");
    let before = world.kubeconfig_text();
    convert(&world, &[]).is_done();
    assert_eq!(world.kubeconfig_text(), before);
    world.type_in("y\n");
    convert(&world, &[]).is_done();
    assert_ne!(world.kubeconfig_text(), before);
}

#[test]
fn a_cluster_behind_another_address_is_found_by_its_authorities() {
    let world = World::new();
    world.sim.add_cluster(ClusterSpec::named("staging"));
    downloaded(&world, ".kube/config", "staging", "alice");
    let spec = world.sim.cluster("staging");
    let server = spec.external_url.unwrap_or(spec.internal_url);
    let text = world.kubeconfig_text().replace(&server, "https://127.0.0.1:9");
    world.write(".kube/config", text);
    let outcome = convert(&world, &["--yes"]);
    outcome.is_done();
    assert!(outcome.stdout.contains("staging"), "{outcome}");
    assert!(outcome.stderr.contains("was not asked"), "{outcome}");
    let args = world.kubeconfig().args("user").join(" ");
    assert!(args.contains(&world.sim.cluster("staging").uid), "{args}");
}

#[test]
fn what_no_cluster_has_issued_stays() {
    let world = World::new();
    downloaded(&world, ".kube/config", "prod", "alice");
    let text = world.kubeconfig_text();
    world.sim.rotate("prod");
    let outcome = convert(&world, &["--yes"]);
    assert_eq!(outcome.exit, Exit::Failed, "{outcome}");
    world.snapshot("convert/no-cluster", &outcome);
    assert_eq!(world.kubeconfig_text(), text);
}

#[test]
fn a_cloud_that_gives_no_certificate_leaves_the_key_where_it_is() {
    let world = World::new();
    downloaded(&world, ".kube/config", "prod", "alice");
    let text = world.kubeconfig_text();
    let broken = Fault::Status {
        code: 503,
        body: String::new(),
        headers: Vec::new(),
    };
    world.sim.set_fault("clustercert", broken);
    let outcome = convert(&world, &["--yes"]);
    assert_eq!(outcome.exit, Exit::Temporary, "{outcome}");
    assert_eq!(world.kubeconfig_text(), text);
}

#[test]
fn where_nothing_is_to_be_converted_nobody_is_asked() {
    let world = World::new();
    world.login(&[]).is_done();
    world.sim.clear_requests();
    let outcome = convert(&world, &[]);
    outcome.is_done();
    world.snapshot("convert/nothing", &outcome);
    assert!(world.sim.requests().is_empty());
    convert(&world, &["--context", "nonsense"]).fails(Exit::Usage, "there is no context `nonsense`");
}

/// The same kubeconfig as CCE gives it for external access.
fn unverified(world: &World, file: &str) {
    downloaded(world, file, "prod", "alice");
    let ca = STANDARD.encode(world.sim.cluster("prod").ca_pem);
    let text = world.read(file);
    let text = text.replace(
        &format!("certificate-authority-data: {ca}"),
        "insecure-skip-tls-verify: true",
    );
    world.write(file, text.replace("    tls-server-name: kubernetes\n", ""));
}

#[test]
fn a_file_that_is_not_there_is_said_before_anything_is_asked() {
    let world = World::new();
    let outcome = convert(&world, &[&world.path("nope.yaml"), "--yes"]);
    outcome.fails(Exit::Usage, "there is no kubeconfig");
    world.snapshot("convert/no-such-file", &outcome);
    assert!(world.sim.requests().is_empty());
    for command in ["status", "doctor", "refresh", "logout", "revoke"] {
        let outcome = world.run([command, "--kubeconfig", &world.path("nope.yaml")]);
        assert_ne!(outcome.exit, Exit::Done, "{outcome}");
    }
    // Where kubectl reads nothing, there is nothing to convert.
    convert(&world, &[]).is_done();
}

#[test]
fn a_server_that_is_not_verified_gets_the_clusters_authorities() {
    let world = World::new();
    unverified(&world, ".kube/config");
    let outcome = convert(&world, &["--yes"]);
    outcome.is_done();
    world.snapshot("convert/verified-now", &outcome);
    let entry = world.kubeconfig().cluster("externalCluster").clone();
    let ca = STANDARD.encode(world.sim.cluster("prod").ca_pem);
    assert_eq!(entry["certificate-authority-data"], ca.as_str(), "{entry}");
    assert!(entry.get("insecure-skip-tls-verify").is_none(), "{entry}");
    world.run(["status", "--check"]).is_done();
}

#[test]
fn a_person_is_asked_whether_the_server_shall_be_verified() {
    let mut world = World::new();
    unverified(&world, ".kube/config");
    world.terminal(true, false, true);
    world.type_in("y\nn\n");
    let outcome = convert(&world, &[]);
    outcome.is_done();
    world.snapshot("convert/not-verified", &outcome);
    assert!(world.kubeconfig_text().contains("insecure-skip-tls-verify: true"));
}

#[test]
fn a_server_that_is_not_the_clusters_is_warned_of_and_gets_no_certificate_of_ours() {
    let world = World::new();
    world.sim.add_cluster(ClusterSpec::named("staging"));
    unverified(&world, ".kube/config");
    let server = |name: &str| world.sim.cluster(name).external_url.unwrap();
    let text = world.kubeconfig_text().replace(&server("prod"), &server("staging"));
    world.write(".kube/config", text);
    let outcome = convert(&world, &["--yes"]);
    outcome.is_done();
    assert!(outcome.stderr.contains("somebody may be in between"), "{outcome}");
    assert!(world.kubeconfig_text().contains("insecure-skip-tls-verify: true"));
}
