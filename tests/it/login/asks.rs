//! What a login asks a person at a terminal: only what is missing. Here by plain lines; `it/system` has real terminals.

use crate::support::{Outcome, World};
use cce_login::error::Exit;
use cce_login::store::Switches;
use cce_sim::{ClusterSpec, Fault, ProxyKind};

/// A person at a terminal who has configured nothing.
fn newcomer() -> World {
    let mut world = World::new();
    world.use_no_key();
    world.unset("CCE_LOGIN_REGION");
    world.terminal(true, true, true);
    world
}

/// What alice types for her access key.
fn key_lines(world: &World) -> [String; 2] {
    let key = world.sim.access_key("alice");
    [key.id, key.secret]
}

/// Runs the login while a person types these lines.
fn typing(world: &mut World, lines: &[&str], flags: &[&str]) -> Outcome {
    let ended: Vec<&str> = lines.iter().flat_map(|line| [*line, "\n"]).collect();
    world.type_in(&ended.concat());
    world.run(flags)
}

/// Neither kubeconfig nor profile nor anything in the keyring.
fn nothing_is_left(world: &World) -> bool {
    !world.has(".kube") && !world.has(".config/cce-login/config.toml") && world.keyring().is_empty()
}

#[test]
fn from_nothing_to_a_context_and_a_profile() {
    let mut world = newcomer();
    let [id, secret] = key_lines(&world);
    let outcome = typing(&mut world, &["1", &id, &secret, "cn-north-4_"], &[]);
    // The team's project has no cluster.
    outcome.fails(Exit::Usage, "has no clusters");
    let outcome = typing(&mut world, &["1", &id, &secret, "1"], &["--profile", "mine"]);
    outcome.is_done();
    world.snapshot("login/asks-everything", &outcome);
    assert_eq!(world.kubeconfig().names("contexts"), ["mine@prod.cn-north-4"]);
    world.terminal(false, false, false);
    world.get_credential(&["--profile=mine"]).credential();
}

#[test]
fn a_wrong_key_is_corrected_on_the_second_try() {
    let mut world = newcomer();
    let [id, secret] = key_lines(&world);
    let outcome = typing(&mut world, &["1", &id, "wrong", "", &secret, "1"], &[]);
    outcome.is_done();
    world.snapshot("login/asks-again-for-a-wrong-key", &outcome);
    assert!(
        world
            .read(".config/cce-login/config.toml")
            .contains("[profiles.default]")
    );

    let mut world = newcomer();
    let outcome = typing(
        &mut world,
        &["1", &id, "wrong", "", "wrong", "", "wrong", "", &secret],
        &[],
    );
    outcome.fails(Exit::Identity, "the cloud does not take it");
    assert_eq!(outcome.stderr.matches("once more").count(), 2, "{outcome}");
    assert!(nothing_is_left(&world));
}

#[test]
fn nothing_is_left_wherever_it_is_cancelled() {
    let lines = |world: &World| {
        let [id, secret] = key_lines(world);
        [
            "1".to_owned(),
            id,
            secret,
            "1".to_owned(),
            "3".to_owned(),
            "n".to_owned(),
        ]
    };
    for count in 0..=6 {
        let mut world = newcomer();
        world.sim.add_cluster(ClusterSpec::named("staging"));
        let all = lines(&world);
        let typed: Vec<&str> = all.iter().take(count).map(String::as_str).collect();
        let outcome = typing(&mut world, &typed, &[]);
        outcome.fails(Exit::Interrupted, "cancelled, and nothing was changed");
        assert!(nothing_is_left(&world), "{count}: {outcome}");
        if count == 3 {
            world.snapshot("login/asks-and-is-cancelled", &outcome);
        }
    }
}

#[test]
fn nothing_is_asked_where_nothing_is_missing() {
    let mut world = World::new();
    world.terminal(true, true, true);
    let outcome = world.login(&[]);
    outcome.is_done();
    assert!(
        !outcome.stderr.contains('?') && outcome.stderr.lines().count() == 5,
        "{outcome}"
    );

    // Neither the only region, nor the only project, nor the only cluster.
    let mut world = World::new();
    world.use_key_of("bob");
    world.unset("CCE_LOGIN_REGION");
    world.terminal(true, true, true);
    let outcome = world.run([""; 0]);
    assert_eq!(outcome.is_done().stderr.lines().count(), 5, "{outcome}");
    assert_eq!(world.kubeconfig().names("contexts"), ["prod"]);
}

#[test]
fn several_identities_are_offered_and_another_one_can_be_typed() {
    let mut world = World::new();
    world.keep_profile("work", "bob");
    world.use_key_of("alice");
    world.terminal(true, true, true);
    let outcome = typing(&mut world, &["2"], &[]);
    outcome.is_done();
    world.snapshot("login/asks-which-identity", &outcome);
    assert_eq!(world.kubeconfig().names("contexts"), ["work@prod.cn-north-4"]);

    let key = world.sim.access_key("bob");
    let outcome = typing(&mut world, &["3", "1", &key.id, &key.secret], &[]);
    outcome.is_done();
    assert!(world.kubeconfig().names("users").contains(&"default@prod.cn-north-4"));

    // A new profile replaces none that is there.
    let before = world.read(".config/cce-login/config.toml");
    let outcome = typing(&mut world, &["4", "work", "4", "work"], &[]);
    assert!(
        outcome.stderr.contains("there is a profile `work` already"),
        "{outcome}"
    );
    assert_eq!(world.read(".config/cce-login/config.toml"), before);

    // Which cluster is said, so nobody looks around: the first identity counts, as ever.
    let outcome = world.login(&["--keep-current"]);
    assert!(outcome.is_done().stderr.contains("from the environment"), "{outcome}");
}

#[test]
fn region_project_and_cluster_are_chosen_by_number_or_by_words() {
    let (mut world, _proxy) = World::behind_a_proxy(ProxyKind::Http);
    world.sim.add_project("cn-south-1");
    for name in ["shop", "shop-test", "blog"] {
        world.sim.add_cluster(ClusterSpec {
            project: "cn-north-4_team".to_owned(),
            ..ClusterSpec::named(name)
        });
    }
    world.sim.set_phase("blog", "Hibernation");
    world.terminal(true, true, true);
    let outcome = typing(&mut world, &["north", "2", "SHOP avail", "shop-t"], &[]);
    outcome.is_done();
    world.snapshot("login/asks-where", &outcome);
    assert_eq!(world.kubeconfig().names("contexts"), ["shop-test"]);

    let outcome = typing(&mut world, &["no such region", "1", "2", "1"], &[]);
    outcome.fails(Exit::Failed, "`Hibernation`");

    let outcome = typing(&mut world, &["1", "2", "4", "yes"], &[]);
    assert_eq!(outcome.exit, Exit::Failed, "one is asleep: {outcome}");
    assert_eq!(world.kubeconfig().names("contexts"), ["shop-test", "shop"]);
}

#[test]
fn a_user_with_a_password_and_one_with_a_passcode_can_sign_in() {
    let mut world = newcomer();
    world.sim.set_password("alice", "correct horse");
    let iam = world.sim.iam_endpoint();
    // A password goes under the system's roots only, or under its own.
    world.unset("CCE_LOGIN_CA_FILE");
    let roots = world.path("cloud-ca.pem");
    world.set("SSL_CERT_FILE", &roots);
    let lines = ["2", "example-account", "alice", "correct horse", "1"];
    let outcome = typing(&mut world, &lines, &["--iam-endpoint", &iam]);
    outcome.is_done();
    assert!(outcome.stderr.contains("kept in"), "{outcome}");
}

/// Issue 13.21: it used to ask for the password three times and to send it nowhere.
#[test]
fn a_password_for_an_endpoint_of_a_variable_is_kept_with_it_or_not_asked_for() {
    let mut world = newcomer();
    world.sim.set_password("alice", "correct horse");
    world.set("CCE_LOGIN_IAM_ENDPOINT", world.sim.iam_endpoint());
    let refused = typing(&mut world, &["2", "n", "example-account"], &[]);
    assert_eq!(refused.exit, Exit::Interrupted, "{refused}");
    assert!(
        !refused.stderr.contains("Password:") && nothing_is_left(&world),
        "{refused}"
    );

    let lines = ["2", "y", "example-account", "alice", "correct horse", "1"];
    let outcome = typing(&mut world, &lines, &[]);
    outcome.is_done();
    let said = outcome.stderr.find("comes from `CCE_LOGIN_IAM_ENDPOINT`").unwrap();
    assert!(said < outcome.stderr.find("Password:").unwrap(), "{outcome}");
    let config = world.read(".config/cce-login/config.toml");
    assert!(config.contains(&world.sim.iam_endpoint()), "{config}");
    // kubectl gets on without the variables.
    world.terminal(false, false, false);
    for variable in ["CCE_LOGIN_IAM_ENDPOINT", "CCE_LOGIN_CA_FILE"] {
        world.unset(variable);
    }
    world.get_credential(&["--profile=default"]).credential();
}

#[test]
fn without_a_person_what_is_missing_is_named() {
    let mut world = newcomer();
    let outcome = world.run(["--no-input"]);
    outcome.fails(Exit::Identity, "no identity is configured");
    world.use_key_of("alice");
    world.run(["--no-input"]).fails(Exit::Usage, "the region is missing");
    world
        .run(["--no-input", "--region=cn-north-4"])
        .fails(Exit::Usage, "the cluster is missing");
}

#[test]
fn a_wrong_flag_or_kubeconfig_is_told_before_anything_is_asked() {
    let mut world = newcomer();
    typing(&mut world, &[], &["--access=sideways"]).fails(Exit::Usage, "`--access`");
    world.write(".kube/config", "just a text\n");
    typing(&mut world, &[], &[]).fails(Exit::Usage, ".kube/config");
}

#[test]
fn an_identity_that_the_first_cloud_does_not_know_is_asked_for_its_region() {
    let (mut world, proxy) = World::behind_a_proxy(ProxyKind::Http);
    world.terminal(true, true, true);
    let refusal = Fault::Status {
        code: 401,
        body: r#"{"error":{"code":401,"message":"unknown","title":"Unauthorized"}}"#.to_owned(),
        headers: Vec::new(),
    };
    world.sim.add_fault("projects", refusal, 1);
    let outcome = typing(&mut world, &["north-4", "1"], &[]);
    outcome.is_done();
    assert!(
        outcome
            .stderr
            .contains("eu-de             Open Telekom Cloud  Germany, Frankfurt"),
        "{outcome}"
    );
    assert!(
        proxy
            .targets()
            .contains(&"iam.cn-north-4.myhuaweicloud.com:443".to_owned()),
        "{:?}",
        proxy.targets()
    );
}

#[test]
fn what_was_chosen_is_where_a_later_login_begins() {
    let mut world = newcomer();
    world.sim.add_cluster(ClusterSpec {
        project: "cn-north-4_team".to_owned(),
        ..ClusterSpec::named("shop")
    });
    let [id, secret] = key_lines(&world);
    typing(&mut world, &["1", &id, &secret, "2"], &[]).is_done();
    let config = world.read(".config/cce-login/config.toml");
    let team = world.sim.project_id("cn-north-4_team");
    assert!(config.contains("region = \"cn-north-4\""), "{config}");
    assert!(config.contains(&format!("project = \"{team}\"")), "{config}");
    world.terminal(false, false, false);
    world.run(["--cluster", "shop"]).is_done();
    world
        .run(["--cluster", "prod"])
        .fails(Exit::Usage, "there is no cluster `prod`");

    // The region's main project needs no name.
    let mut world = newcomer();
    let [id, secret] = key_lines(&world);
    typing(&mut world, &["1", &id, &secret, "1"], &[]).is_done();
    let config = world.read(".config/cce-login/config.toml");
    assert!(
        config.contains("region = ") && !config.contains("project = "),
        "{config}"
    );
}

#[test]
fn without_a_keyring_that_is_said_first_and_a_file_is_only_taken_by_a_yes() {
    for (answer, is_kept) in [("", false), ("n", false), ("y", true)] {
        let mut world = newcomer();
        world.allow_secrets_below(".config/cce-login/secrets");
        world.keyring().switch(Switches {
            unavailable: true,
            ..Switches::default()
        });
        let [id, secret] = key_lines(&world);
        let outcome = typing(&mut world, &["1", &id, &secret, "1", answer], &[]);
        outcome.is_done();
        let first = outcome.stderr.find("no keyring can keep what you type now").unwrap();
        assert!(first < outcome.stderr.find("Access key id:").unwrap(), "{outcome}");
        assert!(outcome.stderr.contains("(y/N)"), "{outcome}");
        assert_eq!(world.has(".config/cce-login/secrets"), is_kept, "{outcome}");
        if !is_kept {
            assert!(
                outcome.stderr.contains("the secret is for this login only"),
                "{outcome}"
            );
        }
    }
}

#[test]
fn a_named_cluster_without_a_region_is_looked_for_everywhere() {
    let (mut world, proxy) = World::behind_a_proxy(ProxyKind::Http);
    world.sim.add_project("cn-south-1");
    for name in ["south", "prod"] {
        world.sim.add_cluster(ClusterSpec {
            project: "cn-south-1".to_owned(),
            ..ClusterSpec::named(name)
        });
    }
    world.run(["--cluster", "south"]).is_done();
    let args = world.kubeconfig().exec("env@south.cn-south-1")["args"].to_string();
    assert!(args.contains("--region=cn-south-1"), "{args}");
    world
        .run(["--cluster", "soth"])
        .fails(Exit::Usage, "there is no cluster `soth`");
    world
        .run(["--cluster", "prod"])
        .fails(Exit::Usage, "2 clusters are called `prod`");
    // A person says which; nothing else is asked.
    world.terminal(true, true, true);
    let outcome = typing(&mut world, &["2"], &["--cluster", "prod"]);
    outcome.is_done();
    assert!(!outcome.stderr.contains("Region"), "{outcome}");
    assert!(world.kubeconfig_text().contains("prod.cn-south-1"), "{outcome}");

    // What cannot be asked matters only where something is missing.
    world.terminal(false, false, false);
    proxy.cut_off("cce.cn-north-4");
    world.run(["--cluster", "south"]).is_done();
    let outcome = world.run(["--cluster", "nowhere"]);
    assert!(
        outcome
            .stderr
            .contains("failed to list the clusters of project `cn-north-4`"),
        "{outcome}"
    );
}
