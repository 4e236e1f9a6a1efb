//! Federated people: IAM gives them another user id after every sign-in, so everything rests on provider and subject.

use super::provider::{person, set, world};
use crate::support::{Outcome, World};
use cce_login::error::Exit;
use cce_sim::{AgencySpec, Quirk};
use std::fs;

fn run_entry(world: &World, user: &str) -> Outcome {
    world.run(world.kubeconfig().args(user))
}

fn principal(world: &World, user: &str) -> Option<String> {
    let kubeconfig = world.kubeconfig();
    let args = kubeconfig.args(user);
    let found = args.iter().find_map(|arg| arg.strip_prefix("--principal="));
    found.map(str::to_owned)
}

/// Nothing that is kept signs in any more, and somebody else sits in front of the machine.
fn change_person(world: &mut World, subject: &str) {
    world.sim.revoke_all_tokens();
    world.sim.revoke_refresh_tokens();
    world.sim.set_behaviour(|b| subject.clone_into(&mut b.provider.subject));
    world.terminal(true, true, true);
}

fn login(world: &mut World) -> Outcome {
    world.terminal(false, false, false);
    let outcome = world.login(&["--profile", "work"]);
    outcome.is_done();
    outcome
}

#[test]
fn an_entry_names_provider_and_subject_of_a_person() {
    let mut world = world();
    set(&world, &[], person).is_done();
    login(&mut world);
    let pin = principal(&world, "work@prod.cn-north-4");
    assert_eq!(pin.as_deref(), Some("acme/jane@example.com"));
    run_entry(&world, "work@prod.cn-north-4").credential();
    // The same person signs in again, with another id at IAM.
    change_person(&mut world, "jane@example.com");
    world.run_beside(&["refresh"], person).is_done();
    world.terminal(false, false, false);
    run_entry(&world, "work@prod.cn-north-4").credential();
}

#[test]
fn somebody_else_is_not_whom_the_entry_is_for() {
    let mut world = world();
    set(&world, &[], person).is_done();
    login(&mut world);
    let before = world.kubeconfig_text();
    change_person(&mut world, "joe@example.com");
    let refresh = world.run_beside(&["refresh"], person);
    refresh.fails(Exit::Identity, "`acme/joe@example.com`");
    assert!(
        refresh.stderr.contains("its entry is for `acme/jane@example.com`"),
        "{refresh}"
    );
    world.terminal(false, false, false);
    let requests = world.certificate_requests();
    run_entry(&world, "work@prod.cn-north-4").fails(Exit::Identity, "its entry is for `acme/jane@example.com`");
    assert_eq!(
        world.certificate_requests(),
        requests,
        "that is known without asking CCE"
    );
    assert_eq!(world.kubeconfig_text(), before);
    // What the hint says makes it Joe's.
    login(&mut world);
    let pin = principal(&world, "work@prod.cn-north-4");
    assert_eq!(pin.as_deref(), Some("acme/joe@example.com"));
    run_entry(&world, "work@prod.cn-north-4").credential();
}

#[test]
fn the_predecessors_tokens_and_certificates_go_first_from_every_profile_that_signs_in_so() {
    let mut world = world();
    world.sim.add_agency(&AgencySpec {
        account: "example-account".to_owned(),
        ..AgencySpec::named("robots")
    });
    set(&world, &[], person).is_done();
    world.terminal(false, false, false);
    let config = world.read(".config/cce-login/config.toml");
    let ops = "\n[profiles.ops]\nkind = \"agency\"\nbase_profile = \"work\"\nagency = \"robots\"\ndomain = \"example-account\"\n";
    world.write(".config/cce-login/config.toml", config + ops);
    world.get_credential(&["--profile", "work"]).credential();
    let janes = world.get_credential(&["--profile", "ops"]).credential().certificate;
    // A provider that cannot be asked for long: nothing of Jane's is used for Joe, whatever happens after he has signed in.
    change_person(&mut world, "joe@example.com");
    let kept = |world: &World| {
        let directory = world.path(".local/state/cce-login");
        let count = |name: &str| fs::read_dir(format!("{directory}/{name}")).map_or(0, Iterator::count);
        (count("entries"), count("sign-ins"))
    };
    assert!(kept(&world).0 == 2 && kept(&world).1 >= 2, "{:?}", kept(&world));
    world.sim.set_fault(
        "id_token_tokens",
        cce_sim::Fault::Status {
            code: 503,
            body: String::new(),
            headers: Vec::new(),
        },
    );
    let cut = world.run_beside(&["whoami", "--profile", "work"], person);
    cut.fails(Exit::Temporary, "somebody else than before");
    assert_eq!(kept(&world), (0, 0));
    world.sim.clear_faults();
    world.let_pass(10);
    world.terminal(false, false, false);
    let joes = world.get_credential(&["--profile", "ops"]).credential().certificate;
    assert_ne!(janes, joes);
}

#[test]
fn whoami_says_by_what_clusters_know_a_federated_person() {
    let mut world = world();
    set(&world, &[], person).is_done();
    let whoami = world.run(["whoami", "--profile", "work"]);
    whoami.is_done();
    let mut shown = whoami.clone();
    let id = shown.stdout.lines().find(|line| line.starts_with("USER")).unwrap();
    let id = id.split('(').nth(1).unwrap().trim_end_matches(')').to_owned();
    shown.stdout = shown
        .stdout
        .replace(&id, "[ID]")
        .replace(&world.sim.account_id("example-account"), "[ACCOUNT]");
    shown.stdout = shown.stdout.replace(&world.sim.provider_issuer(), "https://[PROVIDER]");
    world.snapshot("whoami/federated", &shown);
    let json = world.run(["whoami", "--profile", "work", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.is_done().stdout).unwrap();
    assert_eq!(json["federatedPrincipal"], "acme/jane@example.com");
    assert_eq!(json["person"], "jane@example.com");
    assert_eq!(json["groups"], serde_json::json!(["federated"]));
    // Of a token at hand it is known as well; of a user of IAM there is nothing to say.
    world.terminal(false, false, false);
    world.use_key_of("alice");
    let alice = world.run(["whoami", "--identity", "env"]);
    assert!(
        !alice.is_done().stdout.contains("GROUPS") && alice.stderr.is_empty(),
        "{alice}"
    );
}

#[test]
fn revoking_says_that_one_sign_in_is_caught_and_what_comes_first() {
    let mut world = world();
    set(&world, &[], person).is_done();
    login(&mut world);
    let revoke = world.run(["revoke", "--yes"]);
    revoke.is_done();
    assert!(
        revoke
            .stderr
            .contains("disable the user at the identity provider first"),
        "{revoke}"
    );
    assert!(!revoke.stderr.contains("access keys"), "{revoke}");
    assert!(
        revoke.stderr.contains(
            "that is one sign-in of yours: as a federated user `acme/jane@example.com` you have another id after each"
        ),
        "{revoke}"
    );
    // Without a certificate here nobody knows under which id.
    world
        .run(["revoke", "--yes"])
        .fails(Exit::Usage, "has another id after every sign-in");
}

#[test]
fn a_subject_is_whatever_tells_people_apart() {
    // A number is one.
    let mut numbered = world();
    numbered
        .sim
        .set_behaviour(|b| b.provider.quirk = Some(Quirk::NumberSubject));
    set(&numbered, &[], person).is_done();
    login(&mut numbered);
    assert_eq!(
        principal(&numbered, "work@prod.cn-north-4").as_deref(),
        Some("acme/4711")
    );
    run_entry(&numbered, "work@prod.cn-north-4").credential();
    // One that is too long for an argument is hashed.
    let mut long = world();
    long.sim.set_behaviour(|b| b.provider.subject = "ä".repeat(250));
    set(&long, &[], person).is_done();
    login(&mut long);
    let pin = principal(&long, "work@prod.cn-north-4").unwrap();
    assert!(pin.starts_with("acme/~sha256:") && pin.len() < 100, "{pin}");
    run_entry(&long, "work@prod.cn-north-4").credential();
    change_person(&mut long, &"ö".repeat(250));
    long.run_beside(&["refresh"], person).fails(Exit::Identity, &pin);
    // Nobody is not.
    let nobody = world();
    nobody.sim.set_behaviour(|b| b.provider.quirk = Some(Quirk::NoSubject));
    set(&nobody, &[], person).fails(Exit::Identity, "names nobody (`sub`)");
    assert!(!nobody.has(".config/cce-login/config.toml"));
}

#[test]
fn before_anybody_has_signed_in_an_entry_says_nothing_of_them() {
    let mut world = world();
    set(&world, &[], person).is_done();
    // The notes are gone, the keyring is not: nobody is locked out, and nobody is named.
    fs::remove_dir_all(world.path(".local/state/cce-login/sign-ons")).unwrap();
    login(&mut world);
    assert_eq!(principal(&world, "work@prod.cn-north-4"), None);
    run_entry(&world, "work@prod.cn-north-4").credential();
}

#[test]
fn a_renewed_sign_in_of_somebody_else_is_not_taken() {
    let mut world = world();
    set(&world, &[], person).is_done();
    world.terminal(false, false, false);
    world.sim.revoke_all_tokens();
    world
        .sim
        .set_behaviour(|b| b.provider.quirk = Some(Quirk::OtherSubjectAtRefresh));
    let requests = world.sim.count("id_token_tokens");
    world
        .get_credential(&["--profile", "work", "--force-refresh"])
        .fails(Exit::Identity, "has to sign in again");
    assert_eq!(world.sim.count("id_token_tokens"), requests, "IAM saw nothing of it");
}

#[test]
fn until_when_a_providers_sign_in_lasts_is_seen() {
    // Keycloak tells it of its refresh tokens.
    let mut world = world();
    world.sim.set_behaviour(|b| b.provider.refresh_seconds = Some(1800));
    set(&world, &[], person).is_done();
    login(&mut world);
    let status = world.run(["status"]);
    assert!(status.is_done().stdout.contains("before the next renewal"), "{status}");
    let doctor = world.run(["doctor"]);
    assert!(
        doctor.stdout.contains("`jane@example.com` at `https://127.0.0.1:"),
        "{doctor}"
    );
    // Without a refresh token it ends with IAM's token.
    let mut world = self::world();
    world
        .sim
        .set_behaviour(|b| b.provider.quirk = Some(Quirk::NoRefreshToken));
    set(&world, &[], person).is_done();
    login(&mut world);
    let json = world.run(["status", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.is_done().stdout).unwrap();
    let ends: chrono::DateTime<chrono::Utc> = json[0]["signIn"]["ends"].as_str().unwrap().parse().unwrap();
    assert!(ends - world.now() > chrono::TimeDelta::hours(20), "{json}");
    assert_eq!(json[0]["signIn"]["beforeRenewal"], false);
    // As long as the provider takes it: nothing to tell.
    let mut world = self::world();
    set(&world, &[], person).is_done();
    login(&mut world);
    let json = world.run(["status", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.is_done().stdout).unwrap();
    assert!(json[0]["signIn"].is_null(), "{json}");
}
