//! kubectl's calls sign only for endpoints that somebody vouches for besides the arguments: a signature can be used by whoever gets it.

use crate::support::World;
use cce_login::error::Exit;

/// A world in which no variable names an endpoint.
fn quiet() -> World {
    let mut world = World::new();
    world.unset("CCE_LOGIN_CCE_ENDPOINT");
    world.unset("CCE_LOGIN_IAM_ENDPOINT");
    world
}

#[test]
fn an_endpoint_that_only_an_argument_names_gets_no_signature() {
    let world = quiet();
    let flag = format!("--cce-endpoint={}", world.sim.cce_endpoint());
    for more in [None, Some("--force-refresh"), Some("--identity=env")] {
        let flags: Vec<&str> = std::iter::once(flag.as_str()).chain(more).collect();
        let outcome = world.get_credential(&flags);
        outcome.fails(Exit::Identity, "CCE_LOGIN_CCE_ENDPOINT");
    }
    world.snapshot("get-credential/unknown-endpoint", &world.get_credential(&[&flag]));
    assert_eq!(world.sim.count("*"), 0);
}

#[test]
fn an_endpoint_that_the_environment_names_too_is_vouched_for() {
    let mut world = quiet();
    let endpoint = world.sim.cce_endpoint();
    world.set("CCE_LOGIN_CCE_ENDPOINT", &endpoint);
    world
        .get_credential(&[&format!("--cce-endpoint={endpoint}")])
        .credential();
    world
        .get_credential(&["--cce-endpoint=https://127.0.0.1:1"])
        .fails(Exit::Identity, "CCE_LOGIN_CCE_ENDPOINT");
}

#[test]
fn an_endpoint_that_a_login_here_used_is_vouched_for() {
    let mut world = quiet();
    let (cce, iam) = (world.sim.cce_endpoint(), world.sim.iam_endpoint());
    let cce_flag = format!("--cce-endpoint={cce}");
    world.login(&[&cce_flag, &format!("--iam-endpoint={iam}")]).is_done();
    world.get_credential(&[&cce_flag, "--force-refresh"]).credential();
    // Another machine's entry is not ours.
    world.set("CCE_LOGIN_STATE_DIR", world.path("another-state"));
    world
        .get_credential(&[&cce_flag, "--force-refresh"])
        .fails(Exit::Identity, "CCE_LOGIN_CCE_ENDPOINT");
}

#[test]
fn an_endpoint_of_the_identitys_own_profile_is_vouched_for() {
    let mut world = quiet();
    let (cce, iam) = (world.sim.cce_endpoint(), world.sim.iam_endpoint());
    let key = world.sim.access_key("alice");
    world.use_no_key();
    world.pipe_in(&key.secret);
    world
        .run([
            "profile",
            "set",
            "default",
            "--access-key-id",
            &key.id,
            "--secret-stdin",
            "--cce-endpoint",
            &cce,
            "--iam-endpoint",
            &iam,
        ])
        .is_done();
    world.get_credential(&["--profile=default"]).credential();
}

#[test]
fn the_legacy_form_is_not_tried_for_kubectl_where_nothing_says_that_it_is_needed() {
    let world = World::new();
    world
        .sim
        .set_behaviour(|b| b.signature_style = cce_sim::SignatureStyle::LegacyOnly);
    world.get_credential(&[]).fails(Exit::Identity, "401");
    assert_eq!(world.sim.count("clustercert"), 1, "one form, once");
    // A person's login finds out, and kubectl knows from then on.
    world.login(&[]).is_done();
    world.get_credential(&["--force-refresh"]).credential();
}
