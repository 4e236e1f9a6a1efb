//! Processes that start anew each time, as scripts do.

use super::{Library, Machine};
use crate::real::cce_cluster::RealCluster;
use crate::system::world::Kubectl;
use std::time::{Duration, Instant};

/// How long a certificate that the API server refuses may be in use.
const HEALED_WITHIN: Duration = Duration::from_secs(180);

/// What each library's program gets that is started now, all at the same time.
fn once(cluster: &RealCluster, machines: &[Machine]) -> Vec<String> {
    let asking: Vec<_> = machines.iter().map(|machine| machine.ask(cluster, 1, &[])).collect();
    asking
        .into_iter()
        .map(|asking| asking.answers(cluster).join(" "))
        .collect()
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn the_first_use_after_login_works_in_python_node_and_java() {
    let cluster = RealCluster::start(Kubectl::Current, None);
    let machines = Machine::all(&cluster);
    let requested = cluster.world.certificate_requests();
    assert_eq!(once(&cluster, &machines), ["200", "200", "200"]);
    assert_eq!(
        cluster.world.certificate_requests(),
        requested,
        "the login's certificates are used"
    );
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn python_and_java_start_with_half_a_life_and_node_with_what_there_is() {
    let life = Duration::from_secs(240);
    let cluster = RealCluster::start(Kubectl::Current, Some(life));
    let machines = Machine::all(&cluster);
    let requested = cluster.world.certificate_requests();
    assert_eq!(once(&cluster, &machines), ["200", "200", "200"]);
    assert_eq!(cluster.world.certificate_requests(), requested);
    // Past the half, and well before the last third, in which everybody's is renewed.
    std::thread::sleep(life / 2);
    assert_eq!(once(&cluster, &machines), ["200", "200", "200"]);
    assert_eq!(cluster.world.certificate_requests(), requested + 2);
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn fabric8_does_not_know_tls_server_name() {
    let cluster = RealCluster::start(Kubectl::Current, None);
    let java = Machine::through(&cluster, Library::Java, "external");
    let answer = java.ask(&cluster, 1, &[]).answers(&cluster).join(" ");
    assert!(answer.contains("SSL"), "{answer}");
    let python = Machine::through(&cluster, Library::Python, "external");
    assert_eq!(python.ask(&cluster, 1, &[]).answers(&cluster), ["200"]);
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn a_revoked_certificate_heals_within_three_minutes_for_processes_that_start_anew() {
    let cluster = RealCluster::start(Kubectl::Current, None);
    let machines = Machine::all(&cluster);
    assert_eq!(once(&cluster, &machines), ["200", "200", "200"]);
    let requested = cluster.world.certificate_requests();
    cluster.revoke();
    let revoked = Instant::now();
    let mut healed: Vec<Option<Duration>> = vec![None; machines.len()];
    let mut was_refused = vec![false; machines.len()];
    while healed.contains(&None) {
        assert!(revoked.elapsed() < HEALED_WITHIN, "{healed:?}");
        let answers = once(&cluster, &machines);
        for ((answer, healed), was_refused) in answers.iter().zip(&mut healed).zip(&mut was_refused) {
            match answer.as_str() {
                "401" => *was_refused = true,
                "200" if *was_refused => *healed = healed.or(Some(revoked.elapsed())),
                "200" => {} // the API server has not read its new CA yet
                other => panic!("{other}"),
            }
        }
        std::thread::sleep(Duration::from_secs(3));
    }
    eprintln!("healed after {healed:?}");
    assert_eq!(once(&cluster, &machines), ["200", "200", "200"]);
    assert_eq!(
        cluster.world.certificate_requests(),
        requested + machines.len(),
        "one new certificate each"
    );
}
