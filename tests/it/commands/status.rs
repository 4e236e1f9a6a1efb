//! `status`: what the contexts that use us hold.

use crate::support::World;
use cce_login::error::Exit;
use cce_sim::{ClusterSpec, ExpireAt, Fault};
use serde_json::Value;

fn rows(world: &World, flags: &[&str]) -> Vec<Value> {
    let outcome = world.run(["status", "-o", "json"].iter().chain(flags));
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome}"))
}

#[test]
fn every_context_is_a_row_and_nobody_is_asked() {
    let world = World::new();
    world.sim.add_cluster(ClusterSpec::named("staging"));
    world.login(&[]).is_done();
    world.run(["--cluster", "staging"]).is_done();
    world.run(["logout", "--context", "staging"]).is_done();
    world.sim.clear_requests();

    for (name, flags) in [
        ("table", &[][..]),
        ("wide", &["-o", "wide"]),
        ("json", &["-o", "json"]),
        ("yaml", &["-o", "yaml"]),
        ("name", &["-o", "name"]),
        ("one", &["--context", "staging"]),
        ("unknown", &["--context", "prodd"]),
    ] {
        let outcome = world.run(["status"].iter().chain(flags));
        world.snapshot(&format!("status/{name}"), &outcome);
    }
    assert!(world.sim.requests().is_empty(), "{:?}", world.sim.requests());
}

#[test]
fn without_any_context_there_is_nothing_to_show() {
    let world = World::new();
    let outcome = world.run(["status"]);
    outcome.is_done();
    world.snapshot("status/none", &outcome);
    assert!(rows(&world, &[]).is_empty());
}

#[test]
fn what_was_granted_in_place_of_what_was_asked_for_is_shown() {
    let world = World::new();
    world.sim.set_behaviour(|b| b.expire_at_supported = ExpireAt::Ignored);
    world.login(&[]).is_done();
    let outcome = world.run(["status", "-o", "wide"]);
    assert!(outcome.stdout.contains("1d (asked 8h)"), "{outcome}");
    let row = &rows(&world, &[])[0];
    assert_eq!((&row["asked"], &row["granted"]), (&"8h".into(), &"1d".into()));
}

#[test]
fn the_last_failure_is_shown_until_it_went_well_again() {
    let mut world = World::new();
    world.login(&[]).is_done();
    world.sim.set_fault(
        "clustercert",
        Fault::Status {
            code: 503,
            body: String::new(),
            headers: Vec::new(),
        },
    );
    world.let_pass(6 * 3600 + 60); // well inside the window
    world.get_credential(&["--identity=env"]).credential();
    world.run_left_behind();
    let outcome = world.run(["status"]);
    outcome.is_done();
    world.snapshot("status/last-error", &outcome);
    world.sim.clear_faults();
    world.run(["refresh"]).is_done();
    assert_eq!(rows(&world, &[])[0]["lastError"], Value::Null);
}

#[test]
fn an_identity_that_is_gone_is_a_row_too() {
    let mut world = World::new();
    world.login(&[]).is_done();
    world.use_no_key();
    let outcome = world.run(["status"]);
    outcome.is_done();
    world.snapshot("status/no-identity", &outcome);
}

#[test]
fn the_api_servers_are_asked_when_it_is_wanted() {
    let world = World::new();
    world.sim.add_cluster(ClusterSpec::named("staging"));
    world.login(&[]).is_done();
    world.run(["--cluster", "staging"]).is_done();
    let well = world.run(["status", "--check"]);
    well.is_done();
    world.snapshot("status/check", &well);
    world.sim.revoke("prod", "alice");
    let refused = world.run(["status", "--check"]);
    assert_eq!(refused.exit, Exit::Failed, "{refused}");
    world.snapshot("status/check-refused", &refused);
    assert_eq!(world.certificate_requests(), 2, "nothing is fetched");
    let checks: Vec<Value> = rows(&world, &["--check"])
        .iter()
        .map(|row| row["check"]["result"].clone())
        .collect();
    assert_eq!(checks, ["refused", "accepted"]);
}

#[test]
fn a_server_that_cannot_be_reached_is_to_be_tried_again() {
    let world = World::new();
    world.login(&[]).is_done();
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let server = world.kubeconfig().cluster("prod.cn-north-4")["server"]
        .as_str()
        .unwrap()
        .to_owned();
    let text = world.kubeconfig_text().replace(&server, &format!("https://{free}"));
    world.write(".kube/config", text);
    let outcome = world.run(["status", "--check"]);
    assert_eq!(outcome.exit, Exit::Temporary, "{outcome}");
    assert!(outcome.stderr.contains("did not say"), "{outcome}");
}

#[test]
fn without_a_certificate_there_is_nothing_to_ask_with() {
    let world = World::new();
    world.login(&[]).is_done();
    world.run(["logout"]).is_done();
    let outcome = world.run(["status", "--check"]);
    outcome.is_done();
    assert!(outcome.stdout.contains("no certificate"), "{outcome}");
}
