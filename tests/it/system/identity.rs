//! Who kubectl is, whatever else the environment says.

use super::bus::Bus;
use super::world::World;

#[test]
fn an_entry_pinned_to_a_profile_stays_who_it_is_and_needs_no_variables() {
    let mut world = World::new();
    let _bus = Bus::unlocked(&mut world);
    world.use_no_key();
    let set = world.set_profile("default", "alice").succeeded();
    assert!(set.stderr.contains("kept in the Secret Service"), "{}", set.stderr);
    world.login_with("--profile default").succeeded();
    let alice = world.sim.user_id("alice");
    assert_eq!(who(&world), alice);

    world.use_key_of("bob");
    assert_eq!(who(&world), alice, "from the cache");
    world.remove_kernel_key();
    let account = world.account();
    world.shell(&format!(
        "secret-tool clear service kubectl-cce_login username {account}"
    ));
    assert_eq!(who(&world), alice, "with a new certificate");
    assert_eq!(world.certificate_requests(), 2);
    let key = world.sim.access_key("alice").id;
    assert!(
        world
            .sim
            .requests()
            .iter()
            .all(|request| request.access_key_id.as_ref() == Some(&key))
    );
}

#[test]
fn an_entry_pinned_to_the_environment_serves_nobody_else() {
    let mut world = World::new();
    world.login();
    let (alice, bob) = (world.sim.user_id("alice"), world.sim.user_id("bob"));
    assert_eq!(who(&world), alice);
    world.use_key_of("bob");
    let refused = world.kubectl("auth whoami").failed(1);
    assert!(refused.stderr.contains(&bob), "{}", refused.stderr);
    world.use_key_of("alice");
    assert_eq!(who(&world), alice);
}

#[test]
fn without_a_keyring_that_lasts_a_profile_is_not_kept() {
    let world = World::new();
    let set = world.set_profile("default", "alice").failed(1);
    assert!(
        set.stderr.contains("cannot keep the secret of profile `default`"),
        "{}",
        set.stderr
    );
    assert!(!world.home().join(".config/cce-login/config.toml").exists());
}

fn who(world: &World) -> String {
    let whoami = world
        .kubectl("auth whoami -o jsonpath={.status.userInfo.username}")
        .succeeded();
    assert_eq!(whoami.stderr, "");
    whoami.stdout
}
