//! Flags and variables that make no sense: exit 2 before any request.

use crate::support::World;
use cce_login::error::Exit;

#[test]
fn a_value_that_makes_no_sense_is_refused_with_what_a_right_one_looks_like() {
    let world = World::new();
    let uid = world.sim.cluster("prod").uid;
    let cluster = format!("--cluster-id={uid}");
    let get = |flags: &[&str]| -> Vec<String> {
        let first = ["get-credential", "--region=cn-north-4", &cluster];
        first.iter().chain(flags).map(|arg| (*arg).to_owned()).collect()
    };
    let login = |flags: &[&str]| -> Vec<String> {
        ["login", "--cluster=prod"]
            .iter()
            .chain(flags)
            .map(|arg| (*arg).to_owned())
            .collect()
    };
    let cases = [
        (
            "get-credential/bad-region",
            vec![
                "get-credential".to_owned(),
                "--region=EU-DE".to_owned(),
                cluster.clone(),
            ],
        ),
        (
            "get-credential/bad-cluster-id",
            vec![
                "get-credential".to_owned(),
                "--region=eu-de".to_owned(),
                "--cluster-id=$(id)".to_owned(),
            ],
        ),
        ("get-credential/bad-project-id", get(&["--project-id=a;b"])),
        ("get-credential/duration-too-short", get(&["--duration=14m"])),
        ("get-credential/duration-too-long", get(&["--duration=1828d"])),
        ("get-credential/duration-malformed", get(&["--duration=8 hours"])),
        ("get-credential/bad-cache", get(&["--cache=disk"])),
        ("get-credential/bad-timeout", get(&["--timeout=0s"])),
        (
            "get-credential/bad-exec-api-version",
            get(&["--exec-api-version=v1alpha1"]),
        ),
        ("get-credential/bad-identity-source", get(&["--identity=pasword"])),
        ("get-credential/bad-profile-name", get(&["--profile=a b"])),
        (
            "get-credential/profile-and-identity",
            get(&["--profile=a", "--identity=env"]),
        ),
        ("get-credential/bad-cloud", get(&["--cloud=not a cloud"])),
        (
            "get-credential/endpoint-not-encrypted",
            get(&["--cce-endpoint=http://cce.example.com"]),
        ),
        (
            "get-credential/endpoint-malformed",
            get(&["--iam-endpoint=iam.example.com"]),
        ),
        (
            "get-credential/no-cluster-id",
            vec!["get-credential".to_owned(), "--region=eu-de".to_owned()],
        ),
        ("login/bad-access", login(&["--access=sideways"])),
        ("login/server-not-encrypted", login(&["--server=http://127.0.0.1:5443"])),
        (
            "login/proxy-with-password",
            login(&["--proxy-url=http://me:password@proxy:3128"]),
        ),
        ("login/proxy-of-unknown-kind", login(&["--proxy-url=proxy:3128"])),
        (
            "login/current-set-and-kept",
            login(&["--set-current", "--keep-current"]),
        ),
        ("login/print-and-dry-run", login(&["--print", "--dry-run"])),
        ("login/unknown-flag", login(&["--regoin=eu-de"])),
        ("login/unknown-command", vec!["lgoin".to_owned()]),
        (
            "profile/no-such-format",
            vec![
                "profile".to_owned(),
                "list".to_owned(),
                "-o".to_owned(),
                "xml".to_owned(),
            ],
        ),
    ];
    for (name, args) in cases {
        let outcome = world.run(&args);
        outcome.fails(Exit::Usage, "rror: ");
        assert!(!outcome.stderr.contains("password@"), "{outcome}");
        world.snapshot(name, &outcome);
    }
    assert_eq!(world.sim.count("*"), 0);
}

#[test]
fn a_missing_region_is_told() {
    let mut world = World::new();
    world.unset("CCE_LOGIN_REGION");
    let outcome = world.run(["login"]);
    outcome.fails(Exit::Usage, "the region is missing");
    world.snapshot("login/no-region-given", &outcome);
}

#[test]
fn the_region_follows_from_the_name_of_the_project() {
    let mut world = World::new();
    world.unset("CCE_LOGIN_REGION");
    world.login(&["--project=cn-north-4"]).is_done();
}

#[test]
fn a_variable_that_makes_no_sense_is_named() {
    let cases = [
        ("CCE_LOGIN_DURATION", "forever"),
        ("CCE_LOGIN_CACHE", "disk"),
        ("CCE_LOGIN_TIMEOUT", "soon"),
        ("CCE_LOGIN_CCE_ENDPOINT", "http://cce.invalid"),
        ("CCE_LOGIN_CLOUD", "not a cloud"),
        ("CCE_LOGIN_PROFILE", "a b"),
        ("CCE_LOGIN_IDENTITY", "nobody"),
        ("HUAWEICLOUD_SDK_PROJECT_ID", "a b"),
    ];
    for (name, value) in cases {
        let mut world = World::new();
        world.set(name, value);
        let cluster = format!("--cluster-id={}", world.sim.cluster("prod").uid);
        let outcome = world.run(["get-credential", "--region=cn-north-4", &cluster]);
        outcome.fails(Exit::Usage, &format!("`{name}`: "));
        assert!(outcome.stderr.contains("\nhint: "), "{outcome}");
    }
}

#[test]
fn a_flag_outranks_the_variable() {
    let mut world = World::new();
    world.set("CCE_LOGIN_DURATION", "1d");
    let one_day = world.get_credential(&[]).credential();
    let eight_hours = world.get_credential(&["--duration=8h"]).credential();
    assert!(one_day.not_after > eight_hours.not_after);
}
