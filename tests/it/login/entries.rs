//! The entries that a login writes: their names, their content, and what they never replace.

use crate::support::World;
use cce_login::error::Exit;
use cce_sim::ClusterSpec;

/// The cluster `prod` once more, in the team's project.
fn prod_of_the_team() -> ClusterSpec {
    ClusterSpec {
        project: "cn-north-4_team".to_owned(),
        ..ClusterSpec::default()
    }
}

#[test]
fn the_first_login_writes_three_entries_and_says_what_to_try() {
    let world = World::new();
    let outcome = world.login(&[]);
    outcome.is_done();
    world.snapshot("login/first-login", &outcome);
    let kubeconfig = world.kubeconfig();
    assert_eq!(kubeconfig.names("clusters"), ["prod.cn-north-4"]);
    assert_eq!(kubeconfig.names("users"), ["env@prod.cn-north-4"]);
    assert_eq!(kubeconfig.names("contexts"), ["prod"]);
    assert_eq!(kubeconfig.current(), Some("prod"));
    assert_eq!(kubeconfig.context("prod")["cluster"], "prod.cn-north-4");
    assert_eq!(kubeconfig.context("prod")["user"], "env@prod.cn-north-4");
}

#[test]
fn only_we_can_read_the_new_kubeconfig() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    world.login(&[]).is_done();
    let mode = world
        .home()
        .join(".kube/config")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn every_setting_that_is_not_built_in_is_in_the_arguments_and_paths_are_absolute() {
    let mut world = World::new();
    world.keep_profile("default", "alice");
    world.login(&["--duration=24h", "--cache=keyring"]).is_done();
    let cluster = world.sim.cluster("prod");
    let kubeconfig = world.kubeconfig();
    assert_eq!(
        kubeconfig.args("default@prod.cn-north-4"),
        [
            "get-credential",
            "--region=cn-north-4",
            &format!("--project-id={}", cluster.project_id),
            &format!("--cluster-id={}", cluster.uid),
            "--profile=default",
            &format!("--principal={}", world.sim.user_id("alice")),
            "--duration=1d",
            "--cache=keyring",
            &format!("--cce-endpoint={}", world.sim.cce_endpoint()),
            &format!("--iam-endpoint={}", world.sim.iam_endpoint()),
            &format!("--ca-file={}", world.path("cloud-ca.pem")),
        ]
    );
    let args = kubeconfig.args("default@prod.cn-north-4");
    // With nothing but the arguments, in another shell, the credential is there.
    for name in [
        "CCE_LOGIN_CCE_ENDPOINT",
        "CCE_LOGIN_IAM_ENDPOINT",
        "CCE_LOGIN_CA_FILE",
        "CCE_LOGIN_REGION",
    ] {
        world.unset(name);
    }
    world.run(&args).credential();
    assert_eq!(world.certificate_requests(), 1, "it is the one that the login fetched");
    world.run(args.iter().chain(&["--force-refresh"])).credential();
}

#[test]
fn the_context_of_another_profile_bears_the_users_name() {
    let mut world = World::new();
    world.keep_profile("work", "alice");
    world.login(&["--profile=work"]).is_done();
    assert_eq!(world.kubeconfig().names("contexts"), ["work@prod.cn-north-4"]);
    world.keep_profile("default", "alice");
    world.login(&[]).is_done();
    let kubeconfig = world.kubeconfig();
    assert_eq!(kubeconfig.names("contexts"), ["work@prod.cn-north-4", "prod"]);
    assert_eq!(
        kubeconfig.names("clusters"),
        ["prod.cn-north-4"],
        "both use one cluster entry"
    );
}

#[test]
fn a_second_cluster_of_the_same_name_gets_the_users_name() {
    let world = World::new();
    world.login(&[]).is_done();
    world.sim.add_cluster(prod_of_the_team());
    world.login(&["--project", "cn-north-4_team"]).is_done();
    let kubeconfig = world.kubeconfig();
    assert_eq!(kubeconfig.names("contexts"), ["prod", "env@prod.cn-north-4_team"]);
    assert_eq!(
        kubeconfig.names("clusters"),
        ["prod.cn-north-4", "prod.cn-north-4_team"]
    );
    assert_eq!(kubeconfig.current(), Some("prod"));
}

#[test]
fn the_context_name_is_a_template() {
    let world = World::new();
    world
        .login(&["--context-name", "{region}/{project}/{cluster}+{profile}"])
        .is_done();
    assert_eq!(world.kubeconfig().names("contexts"), ["cn-north-4/cn-north-4/prod+env"]);
    world.login(&["--context-name", "plain"]).is_done();
    assert!(world.kubeconfig().names("contexts").contains(&"plain"));
}

#[test]
fn a_cluster_is_found_by_id_name_or_alias_and_a_project_by_id() {
    let world = World::new();
    world.sim.add_cluster(ClusterSpec {
        alias: Some("the shop".to_owned()),
        ..ClusterSpec::named("shop")
    });
    let uid = world.sim.cluster("shop").uid;
    for name in ["shop", "the shop", &uid] {
        world
            .run([
                "login",
                "--cluster",
                name,
                "--project",
                &world.sim.project_id("cn-north-4"),
            ])
            .is_done();
    }
    assert_eq!(world.kubeconfig().names("contexts"), ["shop"]);
    assert_eq!(world.certificate_requests(), 1);
}

#[test]
fn entries_of_somebody_else_are_never_overwritten() {
    let foreign = [
        (
            "a-foreign-cluster-entry",
            "clusters:\n- name: prod.cn-north-4\n  cluster:\n    server: https://127.9.9.9:6443\n",
        ),
        (
            "a-foreign-user-entry",
            "users:\n- name: env@prod.cn-north-4\n  user:\n    token: theirs\n",
        ),
        (
            "a-foreign-context",
            "contexts:\n- name: mine\n  context:\n    cluster: a\n    user: b\nclusters:\n- name: a\n  cluster:\n    server: https://a\nusers:\n- name: b\n  user:\n    token: theirs\n",
        ),
    ];
    for (name, entries) in foreign {
        let world = World::new();
        let text = format!("apiVersion: v1\nkind: Config\n{entries}");
        world.write(".kube/config", &text);
        let outcome = world.login(&["--context-name=mine"]);
        outcome.fails(Exit::Usage, "");
        world.snapshot(&format!("login/{name}"), &outcome);
        assert_eq!(world.kubeconfig_text(), text, "not a byte is changed");
    }
}

#[test]
fn a_foreign_context_of_the_clusters_name_is_left_alone() {
    let world = World::new();
    let theirs = "apiVersion: v1\nkind: Config\ncontexts:\n- name: prod\n  context:\n    cluster: minikube\n    user: minikube\n";
    world.write(".kube/config", theirs);
    world.login(&[]).is_done();
    let kubeconfig = world.kubeconfig();
    assert_eq!(kubeconfig.names("contexts"), ["prod", "env@prod.cn-north-4"]);
    assert_eq!(kubeconfig.context("prod")["cluster"], "minikube");
}

#[test]
fn a_cluster_that_was_made_anew_under_its_old_name_is_not_mixed_up_with_the_old_one() {
    let world = World::new();
    world.login(&[]).is_done();
    let before = world.kubeconfig_text();
    let old = world.sim.cluster("prod").uid;
    world.sim.delete_cluster("prod");
    world.sim.add_cluster(ClusterSpec::default());
    let outcome = world.login(&[]);
    outcome.fails(Exit::Usage, "");
    let text = world.elided(&outcome.to_string()).replace(&old, "[ID OF THE OLD ONE]");
    crate::support::check_text("login/a-cluster-made-anew.txt", &text);
    assert_eq!(world.kubeconfig_text(), before);

    // The cures that are named lead there.
    let mut outcome = outcome;
    for _ in 0..3 {
        if outcome.exit == Exit::Done {
            break;
        }
        let (_, command) = outcome.stderr.split_once("`kubectl config ").unwrap();
        let (command, _) = command.split_once('`').unwrap();
        let mut kubectl = std::process::Command::new("kubectl");
        kubectl
            .args(["--kubeconfig", &world.path(".kube/config"), "config"])
            .args(command.split(' '));
        assert!(kubectl.output().unwrap().status.success(), "{kubectl:?}");
        outcome = world.login(&[]);
    }
    outcome.is_done();
    let kubeconfig = world.kubeconfig();
    let new = world.sim.cluster("prod").uid;
    let user = kubeconfig.context("prod")["user"].as_str().unwrap();
    assert!(kubeconfig.args(user).contains(&format!("--cluster-id={new}").as_str()));
}

#[test]
fn no_certificate_or_secret_is_in_the_kubeconfig() {
    let world = World::new();
    world.login(&[]).is_done();
    let text = world.kubeconfig_text();
    for word in [
        "client-certificate",
        "client-key",
        "token",
        "password",
        &world.sim.access_key("alice").id,
    ] {
        assert!(!text.contains(word), "`{word}` in\n{text}");
    }
}
