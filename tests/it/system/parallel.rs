//! Many processes at once.

use super::process::Running;
use super::world::World;
use cce_sim::Fault;
use std::collections::BTreeSet;
use std::time::Duration;

const MANY: usize = 30;

fn certificates_of_many(world: &World) -> BTreeSet<String> {
    let words = world.get_credential_words();
    let running: Vec<Running> = (0..MANY).map(|_| world.start(&words)).collect();
    let outputs = running.into_iter().map(|process| world.checked(process.finish()));
    outputs.map(super::process::Output::certificate).collect()
}

#[test]
fn thirty_processes_at_once_fetch_one_certificate_and_then_none() {
    let world = World::new();
    // Long enough for all thirty to meet while the first is under way.
    world
        .sim
        .set_fault("clustercert", Fault::Latency(Duration::from_secs(1)));
    let fetched = certificates_of_many(&world);
    assert_eq!(fetched.len(), 1, "all have the same certificate");
    assert_eq!(world.certificate_requests(), 1);
    assert_eq!(world.cloud_requests(), 1);
    assert_eq!(certificates_of_many(&world), fetched);
    assert_eq!(world.cloud_requests(), 1, "thirty on a valid cache ask nobody");
}

#[test]
fn thirty_processes_at_once_meet_one_refusal() {
    let world = World::new();
    let refusal = Fault::Status {
        code: 503,
        body: "{}".to_owned(),
        headers: Vec::new(),
    };
    world.sim.set_fault("clustercert", refusal);
    let words = world.get_credential_words();
    let running: Vec<Running> = (0..MANY).map(|_| world.start(&words)).collect();
    for process in running {
        let output = world.checked(process.finish()).failed(4);
        assert_eq!(output.stdout, "");
        assert!(output.stderr.contains("503"), "{}", output.stderr);
    }
    let requests = world.certificate_requests();
    // One process's requests with its retries, not thirty times as many.
    assert!(requests <= 4, "{requests} requests");
}
