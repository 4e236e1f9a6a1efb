//! The API server is restarted, and has new certificates.

use super::{Machine, answers};
use crate::real::cce_cluster::RealCluster;
use crate::system::process::{LIMIT, wait_for};
use crate::system::world::Kubectl;

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn an_api_server_that_is_restarted_costs_no_certificate() {
    let mut cluster = RealCluster::logged_in(Kubectl::Current, None, "");
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
    let cluster = RealCluster::start(Kubectl::Current, None);
    cluster.world.login();
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
        let output = machine.ask(&cluster, 1).finish_within(LIMIT);
        assert_eq!(answers(cluster.world.checked(output)), ["200"], "{:?}", machine.library);
    }
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn kubectl_heals_a_revoked_certificate_at_once() {
    for kubectl in [Kubectl::Old, Kubectl::Current] {
        let cluster = RealCluster::logged_in(kubectl, None, "");
        cluster.world.kubectl("get namespaces").succeeded();
        cluster.revoke();
        let refused = || cluster.server.requests().iter().filter(|request| request.status == 401).count();
        let mut failed = 0;
        wait_for("a refusal, and a command that works after it", || {
            let output = cluster.world.kubectl("get namespaces");
            failed += usize::from(output.code != Some(0));
            refused() > 0 && output.code == Some(0)
        });
        eprintln!("{kubectl:?}: {failed} commands failed, {} requests were refused", refused());
        assert!(failed <= 1, "{failed}");
        assert_eq!(cluster.world.certificate_requests(), 2, "{kubectl:?}");
    }
}
