//! The API server is restarted, and has new certificates.

use super::Machine;
use crate::real::cce_cluster::RealCluster;
use crate::system::process::wait_for;
use crate::system::proxy::Proxy;
use crate::system::world::Kubectl;

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn an_api_server_that_is_restarted_costs_no_certificate() {
    let mut cluster = RealCluster::logged_in(Kubectl::Current, None);
    cluster.world.kubectl("get namespaces").succeeded();
    cluster.server.stop();
    let away = cluster.world.kubectl("get namespaces").failed(1);
    assert!(!away.stderr.contains("cce-login"), "{}", away.stderr);
    cluster.server.restart();
    let back = cluster.world.kubectl("get namespaces").succeeded();
    assert_eq!(back.stderr, "");
    assert_eq!(cluster.world.certificate_requests(), 1);
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn after_a_rotation_refresh_is_all_that_it_takes() {
    let cluster = RealCluster::logged_in(Kubectl::Current, None);
    let machines = Machine::all(&cluster);
    cluster.world.kubectl("get namespaces").succeeded();
    cluster.rotate();
    wait_for("the API server's new certificate", || {
        let output = cluster.world.kubectl("get namespaces");
        output.code != Some(0) && output.stderr.contains("x509")
    });
    cluster.world.kubectl("cce-login refresh").succeeded();
    wait_for("the API server's new client CA", || {
        cluster.world.kubectl("get namespaces").code == Some(0)
    });
    for machine in &machines {
        let refresh = ["kubectl-cce_login", "refresh"].map(str::to_owned);
        cluster
            .world
            .checked(machine.start(&cluster, &refresh).finish())
            .succeeded();
        let answers = machine.ask(&cluster, 1, &[]).answers(&cluster);
        assert_eq!(answers, ["200"], "{:?}", machine.library);
    }
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn a_running_client_go_heals_a_revoked_certificate_running_python_node_and_java_do_not() {
    let cluster = RealCluster::logged_in(Kubectl::Current, None);
    let machines = Machine::all(&cluster);
    let proxy = Proxy::start(&cluster.world);
    assert!(proxy.get("/api/v1/namespaces").is_some());
    let asking: Vec<_> = machines.iter().map(|machine| machine.ask(&cluster, 70, &[])).collect();
    wait_for("a first answer of each", || {
        asking.iter().all(|asking| !asking.so_far().is_empty())
    });
    cluster.revoke();
    let mut seen = Vec::new();
    wait_for("an answer of the proxy after a refusal", || {
        seen.push(proxy.status("/api/v1/namespaces"));
        seen.contains(&401) && seen.last() == Some(&200)
    });
    let refused = seen.iter().filter(|status| **status == 401).count();
    eprintln!("kubectl proxy: {refused} refused");
    assert!(refused <= 2, "{seen:?}");
    for (machine, asking) in machines.iter().zip(asking) {
        let answers = asking.answers(&cluster);
        let refused = answers.iter().position(|answer| answer == "401").expect("a refusal");
        eprintln!(
            "{:?}: {} answers, refused from {refused} on",
            machine.library,
            answers.len()
        );
        assert!(refused > 0, "{answers:?}");
        assert!(answers[refused..].iter().all(|answer| answer == "401"), "{answers:?}");
    }
    proxy.stop(&cluster.world);
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn kubectl_heals_a_revoked_certificate_at_once() {
    for kubectl in [Kubectl::Old, Kubectl::Current] {
        let cluster = RealCluster::logged_in(kubectl, None);
        cluster.world.kubectl("get namespaces").succeeded();
        cluster.revoke();
        let refused = || {
            cluster
                .server
                .requests()
                .iter()
                .filter(|request| request.status == 401)
                .count()
        };
        let mut failed = 0;
        wait_for("a refusal, and a command that works after it", || {
            let output = cluster.world.kubectl("get namespaces");
            failed += usize::from(output.code != Some(0));
            refused() > 0 && output.code == Some(0)
        });
        eprintln!(
            "{kubectl:?}: {failed} commands failed, {} requests were refused",
            refused()
        );
        assert!(failed <= 1, "{failed}");
        assert_eq!(cluster.world.certificate_requests(), 2, "{kubectl:?}");
    }
}
