//! One certificate for many machines, through a real OpenBao.

use super::faulty_engine::{Door, FaultyEngine};
use super::openbao::{OpenBao, ROOT};
use crate::support::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cce_login::error::Exit;
use cce_sim::Fault;
use serde_json::json;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

const LEAST: &str = include_str!("../../../docs/ci/vault-policy.hcl");

/// A machine that shares through this engine.
fn world(bao: &OpenBao) -> World {
    let mut world = World::new();
    world.set("CCE_LOGIN_SHARED_CACHE", "vault:kv/cce");
    world.set("VAULT_ADDR", bao.url());
    world.set("VAULT_CACERT", bao.ca_file().to_str().unwrap());
    world.set("VAULT_TOKEN", bao.token_with(LEAST));
    world
}

fn stored(bao: &OpenBao, name: &str) -> Vec<u8> {
    let (status, answer) = bao.ask("GET", &format!("kv/data/cce/{name}"), None, ROOT);
    assert_eq!(status, 200, "{name}: {answer}");
    BASE64.decode(answer["data"]["data"]["v"].as_str().unwrap()).unwrap()
}

#[test]
fn status_and_doctor_tell_of_it() {
    let bao = OpenBao::start();
    let mut world = world(&bao);
    world.login(&["--identity", "env", "--set-current"]).is_done();
    let status = world.run(["status", "-o", "json"]);
    assert!(
        status.is_done().stdout.contains("\"sharedCache\": \"vault:kv/cce\""),
        "{status}"
    );
    assert!(
        world
            .run(["status", "-o", "wide"])
            .stdout
            .contains("shared: vault:kv/cce")
    );
    let doctor = world.run(["doctor"]).to_string();
    let line = doctor
        .lines()
        .find(|line| line.contains("shared cache"))
        .unwrap_or_default();
    assert!(
        line.contains("it lets us read and write; it has a certificate of") && line.contains("sealed"),
        "{doctor}"
    );
    let reader = bao.token_with(r#"path "kv/data/cce/*" { capabilities = ["read"] }"#);
    world.set("VAULT_TOKEN", &reader);
    let doctor = world.run(["doctor"]).to_string();
    assert!(doctor.contains("Vault does not let us write"), "{doctor}");
    world.set("VAULT_ADDR", "https://127.0.0.1:1");
    let doctor = world.run(["doctor"]).to_string();
    assert!(doctor.contains("cannot connect to `127.0.0.1:1`"), "{doctor}");
}

/// Puts `value` in the place of whatever is there.
fn plant(bao: &OpenBao, name: &str, value: &[u8]) {
    let body = json!({"data": {"v": BASE64.encode(value)}});
    bao.do_as_root("POST", &format!("kv/data/cce/{name}"), &body);
}

fn certificate_name(bao: &OpenBao) -> String {
    let names = bao.names("cce");
    names.into_iter().find(|name| name.starts_with("cert-")).unwrap()
}

#[test]
fn another_machine_takes_what_the_first_has_fetched() {
    let bao = OpenBao::start();
    let mut world = world(&bao);
    let first = world.get_credential(&[]).credential();
    world.move_to_another_machine();
    let second = world.get_credential(&[]).credential();
    assert_eq!(world.certificate_requests(), 1);
    assert_eq!((&first.certificate, &first.key), (&second.certificate, &second.key));
    assert_eq!(first.expires, second.expires);
    // From here on it is in the second machine's own cache.
    world.set("VAULT_ADDR", "https://127.0.0.1:1");
    assert_eq!(world.get_credential(&[]).credential().certificate, first.certificate);
    assert_eq!(world.certificate_requests(), 1);
    // Nobody without the secret access key can read it.
    let value = stored(&bao, &certificate_name(&bao));
    assert_eq!(value[0], 1);
    assert!(!value.windows(5).any(|part| part == b"\"f\":1"));
}

#[test]
fn what_somebody_has_planted_is_never_served() {
    let bao = OpenBao::start();
    let mut world = world(&bao);
    let first = world.get_credential(&[]).credential();
    let name = certificate_name(&bao);
    let sealed = stored(&bao, &name);
    let entry = json!({"f": 1, "entry": BASE64.encode(b"an entry")}).to_string();
    let mut changed = sealed.clone();
    *changed.last_mut().unwrap() ^= 1;
    let shortened = sealed[..sealed.len() - 1].to_vec();
    // Another user's, sealed with another key under another name.
    world.use_key_of("bob");
    world.move_to_another_machine();
    world.get_credential(&[]).credential();
    let names = bao.names("cce");
    let of_bob = names
        .iter()
        .find(|other| other.starts_with("cert-") && **other != name)
        .unwrap();
    let of_bob = stored(&bao, of_bob);
    world.use_key_of("alice");
    let planted = [
        entry.into_bytes(),
        b"{}".to_vec(),
        b"garbage".to_vec(),
        Vec::new(),
        vec![1; 70_000],
        changed,
        shortened,
        of_bob,
    ];
    for (number, value) in planted.iter().enumerate() {
        plant(&bao, &name, value);
        world.move_to_another_machine();
        let requests = world.certificate_requests();
        let served = world.get_credential(&[]).credential();
        assert_eq!(world.certificate_requests(), requests + 1, "{number}");
        assert_ne!(served.certificate, first.certificate, "{number}");
        // And it is mended.
        world.move_to_another_machine();
        assert_eq!(
            world.get_credential(&[]).credential().certificate,
            served.certificate,
            "{number}"
        );
    }
}

#[test]
fn an_engine_that_cannot_be_used_costs_a_moment_and_no_certificate() {
    let bao = OpenBao::start();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut world = world(&bao);
    let token = bao.token_with(r#"path "kv/data/other/*" { capabilities = ["read"] }"#);
    let reader = bao.token_with(r#"path "kv/data/cce/*" { capabilities = ["read"] }"#);
    let changes = [
        ("VAULT_ADDR", format!("http://{}", silent.local_addr().unwrap())),
        ("VAULT_ADDR", format!("https://{refused}")),
        ("VAULT_ADDR", "ftp://nowhere".to_owned()),
        ("VAULT_ADDR", String::new()),
        ("VAULT_CACERT", "/dev/null".to_owned()),
        ("VAULT_TOKEN", "nobody's".to_owned()),
        ("VAULT_TOKEN", String::new()),
        ("VAULT_TOKEN", token),
        ("VAULT_TOKEN", reader),
        ("CCE_LOGIN_SHARED_CACHE", "vault:nowhere/cce".to_owned()),
        ("CCE_LOGIN_SHARED_CACHE", "kubernetes:ci".to_owned()),
    ];
    for (name, value) in changes {
        let before = world.variable(name);
        world.move_to_another_machine();
        world.set(name, &value);
        let (requests, started) = (world.certificate_requests(), Instant::now());
        world.get_credential(&[]).credential();
        assert!(started.elapsed() < Duration::from_secs(10), "{name}={value}");
        assert_eq!(world.certificate_requests(), requests + 1, "{name}={value}");
        world.set(name, &before);
    }
    // It is not asked again for a while.
    world.set("VAULT_ADDR", format!("http://{}", silent.local_addr().unwrap()));
    world.move_to_another_machine();
    silent.set_nonblocking(true).unwrap();
    while silent.accept().is_ok() {}
    world.get_credential(&["--cache=none"]).credential();
    world.get_credential(&["--cache=none"]).credential();
    let asked = std::iter::from_fn(|| silent.accept().ok()).count();
    assert_eq!(asked, 1);
}

/// What the machine holds when the engine goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Nothing,
    Good,
    Due,
}

#[test]
fn whatever_goes_wrong_on_the_way_a_certificate_comes_in_time_and_the_cloud_is_asked_once() {
    let bao = Arc::new(OpenBao::start());
    let engine = FaultyEngine::in_front_of(&bao);
    let doors = [
        Door::ResetBefore,
        Door::ResetAfter,
        Door::Truncated,
        Door::Hangs,
        Door::Status(429),
        Door::Status(500),
        Door::Status(503),
        Door::Status(403),
        Door::Status(302),
        Door::Html,
        Door::Empty,
        Door::WithoutDate,
        Door::Stale,
    ];
    for door in doors {
        for held in [Held::Nothing, Held::Good, Held::Due] {
            engine.set(Door::Open);
            bao.forget_values();
            engine.forget();
            let mut world = world(&bao);
            world.set("VAULT_ADDR", engine.url());
            world.set_clock_off(0);
            if held != Held::Nothing {
                world.get_credential(&[]).credential();
            }
            if held == Held::Due {
                world.let_pass(7 * 3600);
            }
            let before = world.certificate_requests();
            engine.set(door);
            engine.asked();
            let started = Instant::now();
            let first = world.get_credential(&[]).credential();
            let took = started.elapsed();
            let asked = engine.asked();
            let second = world.get_credential(&[]).credential();
            let requests = world.certificate_requests() - before;
            let at = format!("{door:?}, {held:?}: {took:?}, {requests} requests, the engine was asked {asked} times");
            println!("{at}");
            assert_eq!(first.certificate, second.certificate, "{at}");
            // Where a turn cannot be had, whoever holds a certificate serves it.
            let is_asked = held == Held::Nothing || held == Held::Due && door != Door::Stale;
            assert_eq!(requests, usize::from(is_asked), "{at}");
            assert!(took < Duration::from_secs(6), "{at}");
            assert!(asked <= 12, "{at}");
        }
    }
}

#[test]
fn behind_a_standby_that_stays_behind_the_cloud_is_asked_in_the_end() {
    let bao = Arc::new(OpenBao::start());
    let engine = FaultyEngine::in_front_of(&bao);
    let mut world = world(&bao);
    world.set("VAULT_ADDR", engine.url());
    world.set_clock_off(0);
    let first = world.get_credential(&[]).credential();
    // It answers for ever that there is nothing yet.
    engine.set(Door::Stale);
    engine.asked();
    world.move_to_another_machine();
    let second = world.get_credential(&[]).credential();
    assert_ne!(second.certificate, first.certificate);
    let asked = engine.asked();
    assert!(asked <= 6, "{asked}");
    // Who wants everybody's certificate void is told that it is not.
    world.login(&["--identity", "env", "--set-current"]).is_done();
    world
        .run(["logout", "--shared"])
        .fails(Exit::Temporary, "shows an old state");
    let asked = engine.asked();
    assert!(asked < 60, "{asked}");
}

#[test]
fn a_sealed_engine_costs_a_moment_and_no_certificate() {
    let bao = OpenBao::start();
    let world = world(&bao);
    bao.do_as_root("PUT", "sys/seal", &json!({}));
    world.get_credential(&[]).credential();
}

#[test]
fn with_a_broken_engine_a_due_certificate_is_renewed_and_a_good_one_served() {
    let bao = OpenBao::start();
    for (name, value) in [
        ("VAULT_ADDR", "https://127.0.0.1:1"),
        ("VAULT_TOKEN", "nobody's"),
        ("CCE_LOGIN_SHARED_CACHE", "vault:nowhere/cce"),
    ] {
        let mut world = world(&bao);
        world.set_clock_off(0);
        let first = world.get_credential(&[]).credential();
        world.set(name, value);
        assert_eq!(
            world.get_credential(&[]).credential().certificate,
            first.certificate,
            "{name}"
        );
        assert_eq!(world.certificate_requests(), 1, "{name}");
        // In its window it is renewed in line, by the cloud alone.
        world.let_pass(7 * 3600);
        let second = world.get_credential(&[]).credential();
        assert_ne!(second.certificate, first.certificate, "{name}");
        assert_eq!(
            world.get_credential(&[]).credential().certificate,
            second.certificate,
            "{name}"
        );
        assert_eq!(world.certificate_requests(), 2, "{name}");
        // With the cloud down too, what is good is served to its end.
        world.let_pass(7 * 3600);
        world.sim.set_behaviour(|b| b.cloud_down = true);
        assert_eq!(
            world.get_credential(&[]).credential().certificate,
            second.certificate,
            "{name}"
        );
    }
}

#[test]
fn a_clock_that_is_wrong_changes_nothing() {
    let bao = OpenBao::start();
    let mut world = world(&bao);
    let first = world.get_credential(&[]).credential();
    for hours in [-2, 2] {
        world.move_to_another_machine();
        world.set_clock_off(hours * 3600);
        let served = world.get_credential(&[]).credential();
        assert_eq!(served.certificate, first.certificate);
        // In terms of its own clock it is as far away as it is.
        let left = served.expires_at() - world.now();
        assert!(
            (left - (first.expires_at() - world.began())).num_seconds().abs() < 60,
            "{left}"
        );
    }
    assert_eq!(world.certificate_requests(), 1);
}

#[test]
fn what_one_machine_was_refused_nobody_asks_for() {
    let bao = OpenBao::start();
    let mut world = world(&bao);
    let retry_after = Some("30".to_owned());
    world.sim.add_fault("clustercert", Fault::Throttle { retry_after }, 1);
    world.get_credential(&[]).fails(Exit::Temporary, "APIGW.0308");
    world.move_to_another_machine();
    world.get_credential(&[]).fails(Exit::Temporary, "APIGW.0308");
    // Another cluster of the same identity waits too.
    world.move_to_another_machine();
    world.sim.add_cluster(cce_sim::ClusterSpec {
        name: "other".to_owned(),
        ..cce_sim::ClusterSpec::default()
    });
    world
        .get_credential_of("other", &[])
        .fails(Exit::Temporary, "try again in");
    assert_eq!(world.certificate_requests(), 1);
}

#[test]
fn only_who_is_the_same_everywhere_shares() {
    let bao = OpenBao::start();
    let mut world = world(&bao);
    let key = world.sim.temporary_access_key("alice");
    world.set("HUAWEICLOUD_SDK_AK", &key.id);
    world.set("HUAWEICLOUD_SDK_SK", &key.secret);
    world.set("HUAWEICLOUD_SDK_SECURITY_TOKEN", key.security_token.unwrap());
    world.get_credential(&[]).credential();
    assert_eq!(bao.names("cce"), [""; 0]);
}

#[test]
fn who_revokes_or_logs_out_for_all_makes_everybody_take_another() {
    let bao = OpenBao::start();
    let mut world = world(&bao);
    world.login(&["--identity", "env", "--set-current"]).is_done();
    let mut before = world.get_credential(&["--identity=env"]).credential();
    for command in [&["revoke", "--yes"][..], &["logout", "--shared"]] {
        let requests = world.certificate_requests();
        let said = world.run(command);
        assert!(
            said.is_done()
                .stderr
                .contains("the certificate that other machines share is void"),
            "{said}"
        );
        for _ in 0..3 {
            world.move_to_another_machine();
            let after = world.get_credential(&["--identity=env"]).credential();
            assert_ne!(after.certificate, before.certificate);
        }
        assert_eq!(world.certificate_requests(), requests + 1);
        before = world.get_credential(&["--identity=env"]).credential();
    }
    // Leaving one machine is not leaving for all.
    world.run(["logout"]).is_done();
    world.move_to_another_machine();
    assert_eq!(
        world.get_credential(&["--identity=env"]).credential().certificate,
        before.certificate
    );
}

#[test]
fn who_revokes_or_rotates_from_a_machine_that_has_nothing_yet_makes_everybody_take_another() {
    let bao = OpenBao::start();
    let mut world = world(&bao);
    let mut before = world.get_credential(&[]).credential();
    let rotate = ["rotate", "--cluster", "prod", "--component", "all", "--yes"];
    for command in [&["revoke", "--all", "--yes"][..], &rotate] {
        world.move_to_another_machine();
        world.run(command).is_done();
        let requests = world.certificate_requests();
        for _ in 0..2 {
            world.move_to_another_machine();
            let after = world.get_credential(&[]).credential();
            assert_ne!(after.certificate, before.certificate, "{command:?}");
        }
        assert_eq!(world.certificate_requests(), requests + 1, "{command:?}");
        before = world.get_credential(&[]).credential();
    }
}

#[test]
fn the_window_is_one_machines_business() {
    let bao = OpenBao::start();
    let mut world = world(&bao);
    // The engine's clock cannot be set, so the certificate is old instead: of a cloud whose clock was seven and a half hours behind.
    world.sim.set_behaviour(|b| b.clock_offset = -(7 * 3600 + 1800));
    let first = world.get_credential(&[]).credential().certificate;
    world.sim.set_behaviour(|b| b.clock_offset = 0);
    let requests = world.certificate_requests();
    let mut served: Vec<String> = Vec::new();
    for _ in 0..4 {
        world.move_to_another_machine();
        served.push(world.get_credential(&[]).credential().certificate);
    }
    assert_eq!(world.certificate_requests(), requests + 1, "the first one renews");
    assert!(served.iter().all(|other| *other == served[0] && *other != first));
}
