//! An entry says who kubectl is: whatever variables and files say later, a certificate of anybody else is never served.

use crate::support::{Outcome, World};
use cce_login::error::Exit;

/// Runs what kubectl would run for this user entry.
fn run_entry(world: &World, user: &str) -> Outcome {
    let kubeconfig = world.kubeconfig();
    world.run(kubeconfig.args(user))
}

fn use_terraforms_key_of(world: &mut World, user: &str) {
    let key = world.sim.access_key(user);
    world.set("HW_ACCESS_KEY", &key.id);
    world.set("HW_SECRET_KEY", &key.secret);
}

fn use_openstacks_key_of(world: &mut World, user: &str) {
    let key = world.sim.access_key(user);
    world.set("OS_ACCESS_KEY", &key.id);
    world.set("OS_SECRET_KEY", &key.secret);
}

#[test]
fn an_entry_names_the_id_of_its_certificates() {
    let world = World::new();
    world.login(&[]).is_done();
    let alice = world.sim.user_id("alice");
    let kubeconfig = world.kubeconfig();
    let args = kubeconfig.args("env@prod.cn-north-4");
    assert!(args.contains(&format!("--principal={alice}").as_str()), "{args:?}");
    run_entry(&world, "env@prod.cn-north-4").credential();
}

#[test]
fn a_key_that_is_exported_for_another_tool_does_not_change_who_kubectl_is() {
    let mut world = World::new();
    world.use_no_key();
    use_openstacks_key_of(&mut world, "alice");
    world.login(&["--identity=env"]).is_done();
    use_terraforms_key_of(&mut world, "bob");
    let outcome = run_entry(&world, "env@prod.cn-north-4");
    outcome.fails(Exit::Identity, &world.sim.user_id("bob"));
    world.snapshot("get-credential/another-person", &outcome);
    // Neither does a certificate that was fetched as somebody else on purpose.
    world.get_credential(&["--identity=env"]).credential();
    let requests = world.certificate_requests();
    run_entry(&world, "env@prod.cn-north-4").fails(Exit::Identity, &world.sim.user_id("bob"));
    assert_eq!(world.certificate_requests(), requests, "the cache knew whose it is");

    // What the hint says makes it so.
    world.login(&["--identity=env"]).is_done();
    run_entry(&world, "env@prod.cn-north-4").credential();
}

#[test]
fn refresh_and_status_do_not_take_another_person_for_the_entrys_either() {
    let mut world = World::new();
    world.login(&[]).is_done();
    world.use_key_of("bob");
    world.run(["refresh"]).fails(Exit::Identity, &world.sim.user_id("bob"));
}

#[test]
fn an_entry_of_an_earlier_version_works_and_is_pinned_by_the_next_login() {
    let world = World::new();
    world.login(&[]).is_done();
    let text = world.kubeconfig_text();
    let pin = format!("--principal={}", world.sim.user_id("alice"));
    let line = text.lines().find(|line| line.contains(&pin)).unwrap();
    world.write(".kube/config", text.replace(&format!("{line}\n"), ""));
    run_entry(&world, "env@prod.cn-north-4").credential();
    world.login(&[]).is_done();
    assert_eq!(world.kubeconfig_text(), text);
}

#[test]
fn a_cloud_of_clouds_yaml_is_pinned_by_its_name() {
    let mut world = World::new();
    world.use_no_key();
    let entry = |name: &str, world: &World| {
        let key = world.sim.access_key(name);
        format!("  of-{name}:\n    auth: {{ak: {}, sk: {}}}\n", key.id, key.secret)
    };
    let clouds = format!("clouds:\n{}{}", entry("alice", &world), entry("bob", &world));
    world.write(".config/openstack/clouds.yaml", clouds);
    world.allow_secrets_below(".config/openstack/clouds.yaml");
    world.set("OS_CLOUD", "of-alice");
    world.login(&["--identity=clouds"]).is_done();
    let kubeconfig = world.kubeconfig();
    let args = kubeconfig.args("clouds@prod.cn-north-4");
    assert!(args.contains(&"--identity=clouds:of-alice"), "{args:?}");
    for cloud in [Some("of-bob"), None] {
        match cloud {
            Some(cloud) => world.set("OS_CLOUD", cloud),
            None => world.unset("OS_CLOUD"),
        }
        run_entry(&world, "clouds@prod.cn-north-4").credential();
    }
    assert_eq!(world.certificate_requests(), 1);
    // Said by hand, it is the one that is named.
    world.get_credential(&["--identity=clouds:of-bob"]).credential();
    world
        .get_credential(&["--identity=clouds:of-carol"])
        .fails(Exit::Identity, "has no cloud `of-carol`");
}

#[test]
fn koocli_is_pinned_to_the_profile_that_was_its_current_one() {
    let mut world = World::new();
    world.use_no_key();
    let text = |current: &str, world: &World| {
        let profile = |name: &str| {
            let key = world.sim.access_key(name);
            format!(
                "{{\"name\":\"of-{name}\",\"mode\":\"AKSK\",\"accessKeyId\":\"{}\",\"secretAccessKey\":\"{}\"}}",
                key.id, key.secret
            )
        };
        let profiles = [profile("alice"), profile("bob")].join(",");
        format!("{{\"current\":\"of-{current}\",\"profiles\":[{profiles}]}}")
    };
    world.allow_secrets_below(".hcloud/config.json");
    world.write(".hcloud/config.json", text("alice", &world));
    world.login(&["--identity=hcloud"]).is_done();
    let kubeconfig = world.kubeconfig();
    assert!(
        kubeconfig
            .args("hcloud@prod.cn-north-4")
            .contains(&"--identity=hcloud:of-alice")
    );
    world.write(".hcloud/config.json", text("bob", &world));
    run_entry(&world, "hcloud@prod.cn-north-4").credential();
    assert_eq!(world.certificate_requests(), 1);
}

#[test]
fn the_sdks_file_is_pinned_by_its_path() {
    let mut world = World::new();
    world.use_no_key();
    for user in ["alice", "bob"] {
        let key = world.sim.access_key(user);
        world.write(user, format!("[basic]\nak = {}\nsk = {}\n", key.id, key.secret));
        world.allow_secrets_below(user);
    }
    let (alice, bob) = (world.path("alice"), world.path("bob"));
    world.set("HUAWEICLOUD_SDK_CREDENTIALS_FILE", &alice);
    world.login(&["--identity=sdk-file"]).is_done();
    let kubeconfig = world.kubeconfig();
    let args = kubeconfig.args("sdk-file@prod.cn-north-4");
    assert!(
        args.contains(&format!("--identity=sdk-file:{alice}").as_str()),
        "{args:?}"
    );
    world.set("HUAWEICLOUD_SDK_CREDENTIALS_FILE", &bob);
    run_entry(&world, "sdk-file@prod.cn-north-4").credential();
    assert_eq!(world.certificate_requests(), 1);
    // Somebody else's key in the same file.
    world.unset("HUAWEICLOUD_SDK_CREDENTIALS_FILE");
    world.write("alice", world.read("bob"));
    run_entry(&world, "sdk-file@prod.cn-north-4").fails(Exit::Identity, &world.sim.user_id("bob"));
}

#[test]
fn a_name_goes_only_with_a_source_that_has_several() {
    let world = World::new();
    for pin in ["--identity=env:x", "--identity=pod:x", "--identity=clouds:"] {
        world.get_credential(&[pin]).fails(Exit::Usage, "--identity");
    }
    world
        .get_credential(&["--principal=a b"])
        .fails(Exit::Usage, "--principal");
}
