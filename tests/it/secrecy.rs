//! The leak check itself: it must notice what it is there for.

use crate::support::{Outcome, World};
use cce_login::error::Exit;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the check says about an outcome in this world; `None` if it is content.
fn verdict(world: &World, outcome: &Outcome) -> Option<String> {
    let failure = catch_unwind(AssertUnwindSafe(|| world.check_leaks(outcome))).err()?;
    failure.downcast_ref::<String>().cloned()
}

fn quiet() -> Outcome {
    Outcome {
        args: vec!["login".to_owned()],
        exit: Exit::Done,
        stdout: String::new(),
        stderr: String::new(),
    }
}

fn said(text: &str) -> Outcome {
    Outcome {
        stderr: text.to_owned(),
        ..quiet()
    }
}

#[test]
fn a_secret_access_key_is_noticed_wherever_it_is() {
    let world = World::new();
    let secret = world.sim.access_key("alice").secret;
    assert_eq!(verdict(&world, &quiet()), None);

    let found = verdict(&world, &said(&format!("signed with {secret}")));
    assert_eq!(
        found.unwrap(),
        "a secret was exposed: stderr of `kubectl cce-login login`"
    );
    let printed = Outcome {
        stdout: secret.clone(),
        ..quiet()
    };
    assert!(verdict(&world, &printed).unwrap().contains("stdout"));
    world.write(".local/state/deep/down", format!("x{secret}y"));
    let found = verdict(&world, &quiet());
    assert_eq!(
        found.unwrap(),
        "a secret was exposed: the file `.local/state/deep/down`"
    );
    std::fs::remove_dir_all(world.home().join(".local")).unwrap();
    world.write(&secret, "");
    assert!(verdict(&world, &quiet()).unwrap().contains("the file name"));
}

#[test]
fn passwords_tokens_and_temporary_keys_are_noticed() {
    let world = World::new();
    world.sim.set_password("alice", "correct horse battery");
    let token = world.sim.token("alice", None);
    let temporary = world.sim.temporary_access_key("alice");
    let id_token = world.sim.id_token(&cce_sim::IdTokenSpec::default());
    let secrets = [
        "correct horse battery".to_owned(),
        token,
        temporary.secret,
        temporary.security_token.unwrap(),
        id_token,
        world.sim.actions_request_token(),
    ];
    for secret in secrets {
        let found = verdict(&world, &said(&format!("x{secret}y")));
        assert!(found.is_some_and(|found| found.contains("stderr")), "{secret}");
    }
}

#[test]
fn a_private_key_is_noticed_in_every_form() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let world = World::new();
    let key = world.get_credential(&[]).credential().key;
    let body: String = key.lines().filter(|line| !line.starts_with('-')).collect();
    for form in [key.clone(), body.clone(), STANDARD.encode(&key)] {
        assert!(verdict(&world, &said(&form)).unwrap().contains("stderr"), "{form}");
    }
    world.write("der", STANDARD.decode(body).unwrap());
    assert!(verdict(&world, &quiet()).unwrap().contains("the file `der`"));
}

#[test]
fn a_certificate_is_noticed_on_stderr_and_in_the_log() {
    let world = World::new();
    let certificate = world.get_credential(&[]).credential().certificate;
    let line = certificate.lines().nth(3).unwrap();
    let found = verdict(&world, &said(line));
    assert_eq!(
        found.unwrap(),
        "a certificate was exposed: stderr of `kubectl cce-login login`"
    );
    world.write("log", &certificate);
    assert!(verdict(&world, &quiet()).unwrap().contains("the log"));
}

#[test]
fn with_v_and_vv_the_steps_are_logged_without_any_secret() {
    let mut world = World::new();
    let key = world.sim.temporary_access_key("alice");
    world.set("HUAWEICLOUD_SDK_AK", &key.id);
    world.set("HUAWEICLOUD_SDK_SK", &key.secret);
    world.set("HUAWEICLOUD_SDK_SECURITY_TOKEN", key.security_token.unwrap());
    world.unset("CCE_LOGIN_LOG");

    let fetched = world.get_credential(&["-vv"]);
    fetched.is_done();
    assert!(fetched.stderr.contains("/clustercert -> 200"), "{fetched}");
    let cached = world.get_credential(&["-vv"]);
    assert!(cached.stderr.contains("found a certificate until"), "{cached}");
    assert!(!cached.stderr.contains("clustercert"), "{cached}");
    // Another process: one that comes back early makes us ask the API server, which is news.
    world.parent(1001, 1);
    assert_eq!(
        world.get_credential(&["-v"]).stderr,
        "",
        "a cached certificate is no news"
    );
}

#[test]
fn the_log_goes_to_the_file_that_cce_login_log_names() {
    let world = World::new();
    world.get_credential(&["-vv"]).credential();
    let log = world.read("log");
    assert!(log.contains("/clustercert -> 200"), "{log}");
    assert_eq!(mode_of(&world, "log"), 0o600);
}

fn mode_of(world: &World, name: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(world.home().join(name)).unwrap().permissions().mode() & 0o777
}
