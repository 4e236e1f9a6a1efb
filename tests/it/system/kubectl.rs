//! The real kubectl, as Debian ships it and as it is today.

use super::process::wait_for;
use super::world::{Kubectl, World, words};
use cce_sim::ApiServerCertificate;
use rustix::process::Signal;
use std::fs;

const EACH: [(Kubectl, &str); 2] = [(Kubectl::Old, "v1beta1"), (Kubectl::Current, "v1")];

fn world_of(kubectl: Kubectl) -> World {
    let mut world = World::without_kubectl();
    world.install_kubectl(kubectl);
    world
}

fn kubeconfig(world: &World) -> String {
    fs::read_to_string(world.home().join(".kube/config")).unwrap()
}

#[test]
fn login_picks_the_exec_version_that_the_kubectl_on_the_path_speaks() {
    for (kubectl, version) in EACH {
        let world = world_of(kubectl);
        world.login();
        let line = format!("apiVersion: client.authentication.k8s.io/{version}\n");
        assert!(
            kubeconfig(&world).contains(&line),
            "{kubectl:?}: {}",
            kubeconfig(&world)
        );
        let namespaces = world.kubectl("get namespaces").succeeded();
        assert!(
            namespaces.stdout.contains("kube-system"),
            "{kubectl:?}: {}",
            namespaces.stdout
        );
        assert_eq!(namespaces.stderr, "", "{kubectl:?}");
        assert_eq!(world.certificate_requests(), 1, "{kubectl:?}");
    }
}

#[test]
fn it_works_with_and_without_cluster_info() {
    for (kubectl, _) in EACH {
        let world = world_of(kubectl);
        world.login();
        let text = kubeconfig(&world);
        assert!(text.contains("provideClusterInfo: true"), "{text}");
        let without = text.replace("provideClusterInfo: true", "provideClusterInfo: false");
        fs::write(world.home().join(".kube/config"), without).unwrap();
        world.kubectl("get namespaces").succeeded();
        assert_eq!(world.certificate_requests(), 1, "{kubectl:?}");
    }
}

#[test]
fn a_watch_shows_events_as_they_come() {
    for (kubectl, _) in EACH {
        let world = world_of(kubectl);
        world.login();
        let script = "exec kubectl get pods -w >\"$HOME/events\"";
        let watch = world.start(&["sh", "-c", script]);
        wait_for("a few events", || {
            fs::read_to_string(world.home().join("events")).is_ok_and(|text| text.lines().count() >= 5)
        });
        watch.signal(Signal::TERM);
        let output = world.checked(watch.finish());
        assert_eq!(output.stderr, "", "{kubectl:?}");
        assert_eq!(world.certificate_requests(), 1, "{kubectl:?}");
    }
}

#[test]
fn whoami_is_the_user_of_the_certificate() {
    let world = World::new();
    world.login();
    let whoami = world.kubectl("auth whoami").succeeded();
    assert!(whoami.stdout.contains(&world.sim.user_id("alice")), "{}", whoami.stdout);
}

#[test]
fn kubectl_with_stdin_closed_works() {
    for (kubectl, _) in EACH {
        let world = world_of(kubectl);
        world.login();
        world.remove_kernel_key();
        let namespaces = world.run(&["sh", "-c", "kubectl get namespaces <&-"]).succeeded();
        assert_eq!(namespaces.stderr, "", "{kubectl:?}");
    }
}

#[test]
fn kubectl_finds_the_plugin_by_its_name() {
    for (kubectl, _) in EACH {
        let world = world_of(kubectl);
        let version = world.kubectl("cce-login version").succeeded();
        let expected = format!("kubectl cce-login {} linux/", env!("CARGO_PKG_VERSION"));
        assert!(version.stdout.starts_with(&expected), "{kubectl:?}: {}", version.stdout);
        // It exits 1 where it has warnings about other plugins of the machine.
        let listed = world.kubectl("plugin list").stdout;
        let ours = world.home().join("bin/kubectl-cce_login").display().to_string();
        assert!(listed.lines().any(|line| line == ours), "{kubectl:?}: {listed}");
    }
}

#[test]
fn tab_completes_in_kubectl_and_in_bash() {
    let world = World::new();
    world.login();
    world.kubectl("cce-login completion install").succeeded();
    let by_kubectl = |line: &str| {
        world
            .kubectl(&format!("__complete cce-login {line}"))
            .succeeded()
            .stdout
    };
    assert_eq!(by_kubectl("refresh --context p").lines().next(), Some("prod"));
    assert!(by_kubectl("sta").starts_with("status\t"), "{}", by_kubectl("sta"));

    let script = "source <(kubectl-cce_login completion bash)
        COMP_WORDS=(kubectl-cce_login refresh --context p) COMP_CWORD=3
        _clap_complete_kubectl_cce_login kubectl-cce_login p --context
        printf '%s\n' \"${COMPREPLY[@]}\"";
    assert_eq!(world.run(&["bash", "-c", script]).succeeded().stdout, "prod\n");
}

#[test]
fn login_through_kubectl_is_the_same_login() {
    let world = World::new();
    let flags = format!(
        "cce-login --region cn-north-4 --cluster prod --cce-endpoint={} --iam-endpoint={} --ca-file={}",
        world.sim.cce_endpoint(),
        world.sim.iam_endpoint(),
        world.home().join("cloud-ca.pem").display()
    );
    let login = world.run(&words("kubectl", &flags)).succeeded();
    assert_eq!(login.stdout, "");
    assert!(
        login.stderr.ends_with("try: kubectl get namespaces\n"),
        "{}",
        login.stderr
    );
    world.kubectl("get namespaces").succeeded();
    let before = kubeconfig(&world);
    let again = world.run(&words("kubectl", &flags)).succeeded();
    assert!(
        again.stderr.contains("context `prod` was up to date"),
        "{}",
        again.stderr
    );
    assert_eq!(kubeconfig(&world), before);
    assert_eq!(world.certificate_requests(), 1);
}

#[test]
fn a_server_with_a_nodes_certificate_is_refused_by_kubectl_and_by_login() {
    for (kubectl, _) in EACH {
        let world = world_of(kubectl);
        world.login();
        world
            .sim
            .set_behaviour(|behaviour| behaviour.api_server_certificate = ApiServerCertificate::NodeName);
        world.sim.clear_requests();
        let refused = world.kubectl("get namespaces").failed(1);
        assert!(refused.stderr.contains("x509"), "{kubectl:?}: {}", refused.stderr);
        fs::remove_file(world.home().join(".kube/config")).unwrap();
        let login = world.login_with("");
        assert!(matches!(login.code, Some(code) if code != 0), "{kubectl:?}: {login:?}");
        assert!(!world.home().join(".kube/config").exists(), "{}", login.stderr);
        assert!(
            world.sim.api_requests("prod").is_empty(),
            "nothing was asked behind a wrong certificate"
        );
    }
}
