//! `revoke --from-cert`: the cluster that issued the certificate is the one on which it is revoked (issue 13.1).

use crate::support::{Outcome, World};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cce_login::error::Exit;
use cce_sim::{AgencySpec, ClusterSpec, Fault, IssuedCertificate, Sim};
use std::time::Duration;

/// A context for `prod`, which is current; `staging` and `lab` are there and have none.
fn logged_in() -> World {
    let world = World::new();
    for name in ["staging", "lab"] {
        world.sim.add_cluster(ClusterSpec::named(name));
    }
    world.login(&[]).is_done();
    for name in ["leaked.yaml", "leaked.pem", "old.yaml"] {
        world.allow_secrets_below(name);
    }
    world
}

/// A kubeconfig as the console gives it, for this user of this cluster.
fn kubeconfig_of(world: &World, cluster: &str, issued: &IssuedCertificate) -> String {
    let spec = world.sim.cluster(cluster);
    let server = spec.external_url.unwrap_or(spec.internal_url);
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: externalCluster\n  cluster:\n    server: {server}\n    \
         certificate-authority-data: {}\nusers:\n- name: user\n  user:\n    client-certificate-data: {}\n    client-key-data: {}\n\
         contexts:\n- name: external\n  context: {{cluster: externalCluster, user: user}}\ncurrent-context: external\n",
        STANDARD.encode(&spec.ca_pem),
        STANDARD.encode(&issued.certificate),
        STANDARD.encode(&issued.key),
    )
}

fn issued(world: &World, cluster: &str, user: &str) -> IssuedCertificate {
    world.sim.issue_certificate(cluster, user, Duration::from_secs(86_400))
}

/// The clusters on which something was revoked, and whose.
fn revocations(world: &World) -> Vec<(String, String)> {
    let requests = world.sim.requests();
    let revoked = requests
        .iter()
        .filter(|request| request.operation == "clustercertrevoke");
    let named = |uid: &str| {
        let clusters = world.sim.clusters();
        clusters
            .iter()
            .find(|cluster| uid.contains(&cluster.uid))
            .unwrap()
            .name
            .clone()
    };
    let whose = |body: &str| body.replace(&world.sim.user_id("bob"), "bob");
    revoked
        .map(|request| (named(&request.path), whose(&request.body)))
        .collect()
}

fn of_bob(cluster: &str) -> (String, String) {
    (cluster.to_owned(), r#"{"userId":"bob"}"#.to_owned())
}

fn revoke(world: &World, flags: &[&str]) -> Outcome {
    world.run(
        ["revoke", "--from-cert", &world.path("leaked.yaml")]
            .iter()
            .chain(flags),
    )
}

#[test]
fn a_leaked_certificate_is_revoked_on_the_cluster_that_issued_it_and_seen_to_be_refused() {
    let world = logged_in();
    let leaked = issued(&world, "staging", "bob");
    world.write("leaked.yaml", kubeconfig_of(&world, "staging", &leaked));
    let dry = revoke(&world, &["--dry-run"]);
    dry.is_done();
    world.snapshot("revoke/leaked-dry-run", &dry);
    assert_eq!(revocations(&world), []);
    let done = revoke(&world, &["--yes", "--verify"]);
    done.is_done();
    world.snapshot("revoke/leaked", &done);
    assert_eq!(revocations(&world), [of_bob("staging")]);
    // A second time there is nothing left to be shown.
    let again = revoke(&world, &["--yes"]);
    again.is_done();
    assert!(again.stderr.contains("refuses it already"), "{again}");
}

#[test]
fn a_context_of_ours_says_which_cluster_it_is_without_any_search() {
    let world = logged_in();
    world.run(["--cluster", "staging"]).is_done();
    world.write(
        "leaked.yaml",
        kubeconfig_of(&world, "staging", &issued(&world, "staging", "bob")),
    );
    world.sim.clear_requests();
    revoke(&world, &["--yes"]).is_done();
    assert_eq!(revocations(&world), [of_bob("staging")]);
    assert_eq!((world.sim.count("clusters"), world.certificate_requests()), (0, 0));
}

#[test]
fn a_certificate_alone_is_found_by_its_authorities_from_a_file_or_stdin() {
    let mut world = logged_in();
    let leaked = issued(&world, "lab", "bob");
    let file = world.write("leaked.pem", format!("{}{}", leaked.key, leaked.certificate));
    let dry = world.run(["revoke", "--from-cert", &file, "--dry-run"]);
    assert!(
        dry.stdout.contains("cluster `lab`") && dry.stdout.contains("takes the certificate"),
        "{dry}"
    );
    // Without its key it can be shown to nobody.
    world.type_in(&leaked.certificate);
    let out = world.run(["revoke", "--from-cert", "-", "--yes"]);
    out.is_done();
    world.snapshot("revoke/leaked-without-key", &out);
    assert_eq!(revocations(&world), [of_bob("lab")]);
    world.type_in(&leaked.certificate);
    let out = world.run(["revoke", "--from-cert", "-", "--yes", "--verify"]);
    out.fails(Exit::Temporary, "was not seen");
}

#[test]
fn of_many_clusters_ten_are_asked_and_the_next_ones_when_it_is_run_again() {
    let world = logged_in();
    for number in 1..=12 {
        world.sim.add_cluster(ClusterSpec::named(&format!("z-{number:02}")));
    }
    world.write("leaked.yaml", issued(&world, "z-12", "bob").certificate);
    let first = revoke(&world, &["--dry-run"]);
    first.fails(
        Exit::Failed,
        "none of the 10 of 15 clusters that were asked (the same command asks the next ones)",
    );
    let second = revoke(&world, &["--dry-run"]);
    second.is_done();
    assert!(second.stdout.contains("cluster `z-12`"), "{second}");
}

#[test]
fn a_certificate_of_no_cluster_is_told_with_what_it_says_of_itself() {
    let world = logged_in();
    world.write(
        "leaked.yaml",
        kubeconfig_of(&world, "staging", &issued(&world, "staging", "bob")),
    );
    // Another cloud altogether.
    let other = Sim::start();
    let leaked = other.issue_certificate("prod", "bob", Duration::from_secs(86_400));
    world.write("leaked.yaml", kubeconfig_of(&world, "staging", &leaked));
    let out = revoke(&world, &["--yes"]);
    out.fails(Exit::Failed, "was issued by none of the clusters");
    assert!(out.stderr.contains("externalCluster"), "{out}");
    world.snapshot("revoke/leaked-of-nobody", &out);
    let pem = world.write("leaked.pem", &leaked.certificate);
    let out = world.run(["revoke", "--from-cert", &pem, "--yes"]);
    out.fails(Exit::Failed, "nothing names its cluster");
    assert_eq!(revocations(&world), []);
}

#[test]
fn a_cluster_that_is_named_must_have_issued_it() {
    let world = logged_in();
    world.write(
        "leaked.yaml",
        kubeconfig_of(&world, "staging", &issued(&world, "staging", "bob")),
    );
    for flags in [["--yes", "--context", "prod"], ["--yes", "--cluster", "prod"]] {
        let out = revoke(&world, &flags);
        out.fails(Exit::Usage, "`prod`: it did not issue");
    }
    world.snapshot(
        "revoke/leaked-of-another",
        &revoke(&world, &["--yes", "--cluster", "prod"]),
    );
    assert_eq!(revocations(&world), []);
    let out = revoke(&world, &["--yes", "--cluster", "staging"]);
    out.is_done();
    assert!(
        out.stderr
            .contains("verified: the API server refuses the certificate of user"),
        "{out}"
    );
    assert_eq!(revocations(&world), [of_bob("staging")]);
}

#[test]
fn several_users_of_one_owner_are_revoked_each_on_its_cluster() {
    let world = logged_in();
    let (one, two) = (issued(&world, "staging", "bob"), issued(&world, "lab", "bob"));
    let user = |name: &str, of: &IssuedCertificate| {
        format!(
            "- name: {name}\n  user: {{client-certificate-data: {}, client-key-data: {}}}\n",
            STANDARD.encode(&of.certificate),
            STANDARD.encode(&of.key)
        )
    };
    world.write("leaked.yaml", format!("users:\n{}{}", user("a", &one), user("b", &two)));
    let out = revoke(&world, &["--yes"]);
    out.is_done();
    assert_eq!(
        out.stderr.matches("verified: the API server refuses").count(),
        2,
        "{out}"
    );
    assert_eq!(revocations(&world), [of_bob("staging"), of_bob("lab")]);
}

#[test]
fn an_expired_certificate_tells_whose_it_is_and_proves_nothing() {
    let mut world = logged_in();
    world.write(
        "leaked.yaml",
        kubeconfig_of(&world, "staging", &issued(&world, "staging", "bob")),
    );
    world.let_pass(2 * 86_400);
    let out = revoke(&world, &["--yes"]);
    out.is_done();
    world.snapshot("revoke/leaked-expired", &out);
    assert_eq!(revocations(&world), [of_bob("staging")]);
}

#[test]
fn a_revocation_that_leaves_the_leaked_certificate_good_is_not_called_verified() {
    let world = logged_in();
    world.write(
        "leaked.yaml",
        kubeconfig_of(&world, "staging", &issued(&world, "staging", "bob")),
    );
    let nothing = Fault::Status {
        code: 200,
        body: String::new(),
        headers: Vec::new(),
    };
    world.sim.add_fault("clustercertrevoke", nothing, 1);
    let out = revoke(&world, &["--yes", "--timeout", "4s"]);
    out.fails(Exit::Failed, "still accepts");
    assert!(!out.stderr.contains("verified: "), "{out}");
}

#[test]
fn a_name_is_looked_up_and_one_that_nobody_has_is_refused() {
    let mut world = logged_in();
    let dry = world.run(["revoke", "--user-id", "bob", "--dry-run"]);
    dry.is_done();
    world.snapshot("revoke/by-name", &dry);
    world.run(["revoke", "--user-id", "bob", "--yes"]).is_done();
    assert_eq!(revocations(&world), [of_bob("prod")]);
    let out = world.run(["revoke", "--user-id", "bobb", "--yes"]);
    out.fails(Exit::Usage, "IAM knows no user of that name");
    world.snapshot("revoke/by-unknown-name", &out);
    world
        .run(["revoke", "--agency-id", "robots", "--yes"])
        .fails(Exit::Usage, "IAM knows no agency of that name");
    let agency = world.sim.add_agency(&AgencySpec {
        account: "example-account".to_owned(),
        ..AgencySpec::named("robots")
    });
    world.sim.clear_requests();
    world.run(["revoke", "--agency-id", "robots", "--yes"]).is_done();
    assert_eq!(
        revocations(&world),
        [("prod".to_owned(), format!(r#"{{"agencyId":"{agency}"}}"#))]
    );
    // Who may not list users is told so.
    world.use_key_of("bob");
    let out = world.run(["revoke", "--user-id", "alice", "--cluster", "prod", "--yes"]);
    out.fails(Exit::Usage, "cannot be looked up");
}

/// `--all` makes of "the cluster that issued it" every cluster: that is said, and no surprise.
#[test]
fn a_certificate_and_all_clusters_are_said_to_be_every_cluster() {
    let world = logged_in();
    world.write(
        "leaked.yaml",
        kubeconfig_of(&world, "staging", &issued(&world, "staging", "bob")),
    );
    let dry = revoke(&world, &["--all", "--dry-run"]);
    world.snapshot("revoke/leaked-on-all-clusters", dry.is_done());
    let done = revoke(&world, &["--all", "--yes"]);
    assert!(
        done.is_done().stderr.contains("not only on the one that issued"),
        "{done}"
    );
    assert_eq!(revocations(&world).len(), 3);
    let one = revoke(&world, &["--yes"]);
    assert!(!one.stderr.contains("not only on the one"), "{one}");
}

/// It used to be looked up, and told, for each cluster.
#[test]
fn a_name_that_cannot_be_looked_up_is_asked_for_and_told_once() {
    let world = logged_in();
    world.sim.clear_requests();
    let out = world.run(["revoke", "--user-id", "nobody", "--all", "--yes"]);
    out.fails(Exit::Usage, "IAM knows no user of that name");
    world.snapshot("revoke/unknown-name-on-all-clusters", &out);
    assert_eq!(out.stderr.matches("nobody").count(), 1, "{out}");
    assert_eq!(world.sim.count("users"), 1);
    assert_eq!(revocations(&world), []);
}
