//! `--kind oidc`: people who sign in at their company's identity provider.

use crate::support::{Outcome, World};
use cce_login::error::Exit;
use cce_login::store::Switches;
use cce_sim::{Approval, Fault, Quirk, Sim};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// A machine with a terminal, a browser and no key; IAM trusts the provider.
pub(super) fn world() -> World {
    let mut world = World::new();
    world.use_no_key();
    world.set("DISPLAY", ":0");
    world.terminal(true, true, true);
    world.sim.trust_provider("acme");
    world
}

pub(super) fn arguments(world: &World, flags: &[&str]) -> Vec<String> {
    let words = ["profile", "set", "work", "--kind", "oidc", "--idp", "acme"].map(str::to_owned);
    let client = world.sim.provider_client().to_owned();
    let places = [
        ("--issuer", world.sim.provider_issuer()),
        ("--client-id", client),
        ("--iam-endpoint", world.sim.iam_endpoint()),
        ("--cce-endpoint", world.sim.cce_endpoint()),
        ("--ca-file", world.path("cloud-ca.pem")),
    ];
    let places = places.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]);
    words
        .into_iter()
        .chain(places)
        .chain(flags.iter().map(ToString::to_string))
        .collect()
}

/// A person whose browser goes where it is sent.
pub(super) fn person(sim: &Sim, address: &str) {
    if address.contains("/authorize") {
        let back = sim.visit_provider(address).unwrap();
        visit(&back);
    }
}

/// What the listener answers to this address.
pub(super) fn visit(address: &str) -> String {
    let (host, path) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
    send(host, &format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
}

pub(super) fn send(host: &str, text: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(host) else {
        return "refused".to_owned();
    };
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

pub(super) fn set(world: &World, flags: &[&str], person: impl Fn(&Sim, &str) + Sync) -> Outcome {
    let arguments = arguments(world, flags);
    world.run_beside(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), person)
}

#[test]
fn a_person_of_a_company_gets_a_certificate_and_is_asked_once() {
    let mut world = world();
    let outcome = set(&world, &[], person);
    outcome.is_done();
    world.snapshot("profile/set-oidc", &elided(&world, &outcome));
    world.terminal(false, false, false);
    world.get_credential(&["--profile", "work"]).credential();
    let whoami = world.run(["whoami", "--profile", "work"]);
    assert!(whoami.is_done().stdout.contains("jane@example.com"), "{whoami}");
    assert_eq!(
        world.sim.count("oidc_authorize"),
        1,
        "asked whether the browser may come back; the person's is the test's own"
    );
    assert_eq!(world.sim.count("oidc_token"), 1);
    // The token of IAM has ended: the refresh token gives the next one, and is replaced itself.
    for _ in 0..2 {
        world.sim.revoke_all_tokens();
        world
            .get_credential(&["--profile", "work", "--force-refresh"])
            .is_done();
    }
    assert_eq!((world.sim.count("oidc_token"), world.sim.refresh_tokens()), (3, 1));
}

/// The address that is opened differs each time.
fn elided(world: &World, outcome: &Outcome) -> Outcome {
    let mut outcome = outcome.clone();
    let mut lines: Vec<String> = outcome.stderr.lines().map(str::to_owned).collect();
    for line in &mut lines {
        if let Some((before, _)) = line.split_once("/authorize?") {
            *line = format!(
                "{}/authorize?[…]",
                before.replace(&world.sim.provider_issuer(), "https://[PROVIDER]")
            );
        }
        *line = line.replace(&world.sim.provider_issuer(), "https://[PROVIDER]");
    }
    outcome.stderr = lines.join("\n") + "\n";
    outcome.args = vec![
        "profile".to_owned(),
        "set".to_owned(),
        "work".to_owned(),
        "--kind".to_owned(),
        "oidc".to_owned(),
        "…".to_owned(),
    ];
    outcome
}

#[test]
fn a_provider_that_lies_is_found_out_and_nothing_is_kept() {
    for (quirk, exit, said) in [
        (Quirk::WrongNonce, Exit::Identity, "not the answer to this sign-in"),
        (
            Quirk::WrongIssuer,
            Exit::Identity,
            "the answer in the browser is not from",
        ),
        (Quirk::NoIssuer, Exit::Identity, "the answer in the browser is not from"),
        (
            Quirk::OtherIssuerInDiscovery,
            Exit::Identity,
            "it calls itself `https://other.example`",
        ),
        (Quirk::OtherIssuerInToken, Exit::Identity, "is another issuer's"),
        (Quirk::OtherAudience, Exit::Identity, "is for another client"),
        (Quirk::AlgNone, Exit::Identity, "is not signed"),
        (Quirk::Expired, Exit::Identity, "has ended already"),
        (
            Quirk::PlainTokenEndpoint,
            Exit::Identity,
            "its `token_endpoint` is not `https://`",
        ),
        (Quirk::SinglePageApp, Exit::Identity, "AADSTS9002327"),
        (
            Quirk::Denied,
            Exit::Identity,
            "refused in the browser: the person said no",
        ),
    ] {
        let world = world();
        world.sim.set_behaviour(|b| b.provider.quirk = Some(quirk));
        let outcome = set(&world, &[], person);
        outcome.fails(exit, said);
        assert!(!world.has(".config/cce-login/config.toml"), "{quirk:?}");
        assert_eq!(world.sim.count("id_token_tokens"), 0, "{quirk:?}: IAM saw nothing");
    }
}

#[test]
fn what_iam_says_against_an_id_token_is_explained_by_its_cause() {
    let world = world();
    world.sim.set_behaviour(|b| b.provider.keys_rotated = true);
    let rotated = set(&world, &[], person);
    rotated.fails(Exit::Identity, "signature");
    assert!(
        rotated
            .stderr
            .contains("signing keys, which an administrator renews there by hand"),
        "{rotated}"
    );
    world.sim.set_behaviour(|b| {
        b.provider.keys_rotated = false;
        b.provider.groups_length = 3000;
        b.longest_id_token = Some(2300);
    });
    let large = set(&world, &[], person);
    assert!(large.stderr.contains("put fewer groups into it"), "{large}");
    assert_eq!(large.exit, Exit::Failed);
}

#[test]
fn what_the_provider_says_no_to_is_told_by_its_cause() {
    for (quirk, said, cure) in [
        (
            Quirk::RedirectNotRegistered,
            "that address is not registered for this client",
            "register `http://127.0.0.1` with any port",
        ),
        (
            Quirk::SinglePageApp,
            "AADSTS9002327",
            "as \"mobile and desktop\" application",
        ),
        (
            Quirk::Expired,
            "the id token has ended already",
            "set this machine's clock right",
        ),
        (
            Quirk::NoSubject,
            "names nobody",
            "tell the identity provider's administrator",
        ),
    ] {
        let world = world();
        world.sim.set_behaviour(|b| b.provider.quirk = Some(quirk));
        let outcome = set(&world, &[], person);
        outcome.fails(Exit::Identity, said);
        assert!(outcome.stderr.contains(cure), "{outcome}");
        let is_told_before = quirk == Quirk::RedirectNotRegistered;
        assert_eq!(world.opened().is_empty(), is_told_before, "{outcome}");
    }
}

#[test]
fn who_may_have_no_offline_tokens_signs_in_all_the_same() {
    let mut world = world();
    world
        .sim
        .set_behaviour(|b| b.provider.quirk = Some(Quirk::OfflineNotAllowed));
    let outcome = set(&world, &[], person);
    assert!(outcome.is_done().stderr.contains("once more without them"), "{outcome}");
    assert_eq!((world.opened().len(), world.sim.refresh_tokens()), (2, 0));
    world.terminal(false, false, false);
    world.get_credential(&["--profile", "work"]).credential();
}

#[test]
fn doctor_says_whether_signing_in_would_work_without_signing_in() {
    let mut world = world();
    set(&world, &[], person).is_done();
    let opened = world.opened().len();
    let doctor = |world: &World| world.run(["doctor", "--profile", "work"]).stdout;
    let good = doctor(&world);
    assert!(
        good.contains("answers: browser, PKCE, device code, renewal without asking, ended by logout"),
        "{good}"
    );
    assert!(
        good.contains("ok       loopback: the browser can come back to any port"),
        "{good}"
    );
    assert!(good.contains("ok       browser: one can be opened here"), "{good}");
    world
        .sim
        .set_behaviour(|b| b.provider.quirk = Some(Quirk::OtherIssuerInDiscovery));
    let other = doctor(&world);
    assert!(other.contains("it calls itself `https://other.example`"), "{other}");
    world.sim.set_behaviour(|b| b.provider.quirk = Some(Quirk::NoPkce));
    assert!(!doctor(&world).contains("PKCE,"), "{}", doctor(&world));
    world
        .sim
        .set_behaviour(|b| b.provider.quirk = Some(Quirk::NoDeviceFlow));
    world.unset("DISPLAY");
    let pasted = doctor(&world);
    assert!(
        pasted.contains("the address at which a browser elsewhere ends is pasted here"),
        "{pasted}"
    );
    world.sim.set_behaviour(|b| b.provider.quirk = None);
    // The clock, which an id token of some minutes does not forgive.
    world.set_clock_off(-600);
    let late = doctor(&world);
    assert!(late.contains("behind the identity provider's"), "{late}");
    world.set_clock_off(0);
    // A port of one's own that another program has.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = world.read(".config/cce-login/config.toml");
    let url = format!("redirect_url = \"http://{}/\"\n", taken.local_addr().unwrap());
    world.write(".config/cce-login/config.toml", config + &url);
    let port = doctor(&world);
    assert!(port.contains("problem  loopback: cannot listen on"), "{port}");
    assert_eq!(world.opened().len(), opened);
}

#[test]
fn where_iam_has_only_the_older_path_that_one_is_taken() {
    let mut world = world();
    world.sim.set_behaviour(|b| b.only_federation_path = true);
    set(&world, &[], person).is_done();
    world.terminal(false, false, false);
    world.get_credential(&["--profile", "work"]).credential();
    assert!(world.sim.count("federation_auth") >= 1);
}

#[test]
fn strangers_at_the_listener_are_turned_away_and_the_right_one_is_waited_for() {
    let world = world();
    world.sim.set_behaviour(|b| b.provider.quirk = None);
    let outcome = set(&world, &[], |sim, address| {
        let back = sim.visit_provider(address).unwrap();
        let (host, path) = back.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let (query, _) = path.split_once("state=").unwrap();
        // Slow ones are there all the while: they hold nobody up.
        let slow: Vec<_> = (0..8).map(|_| TcpStream::connect(host).unwrap()).collect();
        for mut stream in &slow {
            stream.write_all(b"GET / HTTP/1.1\r\nX: ").unwrap();
        }
        let other_state = format!("GET /{query}state=guessed HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let no_state = format!("GET /?code=stolen HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let other_name = format!("GET /{path} HTTP/1.1\r\nHost: evil.example\r\n\r\n");
        let posted = format!("POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n");
        let icon = format!("GET /favicon.ico HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let twice = format!("GET /{path}&code=other HTTP/1.1\r\nHost: {host}\r\n\r\n");
        // What a page of somebody else's makes a browser send: before it reads, and without asking.
        let origin = "Origin: https://evil.example";
        let preflight = format!("OPTIONS /{path} HTTP/1.1\r\nHost: {host}\r\n{origin}\r\n\r\n");
        let foreign = format!("GET /?code=stolen&state=guessed HTTP/1.1\r\nHost: {host}\r\n{origin}\r\n\r\n");
        for (request, status) in [
            (other_state, 400),
            (no_state, 400),
            (other_name, 400),
            (posted, 405),
            (icon, 404),
            (twice, 400),
            (preflight, 405),
            (foreign, 400),
        ] {
            let answer = send(host, &request);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}{answer}");
            assert!(
                !answer.contains("evil") && !answer.contains("stolen") && !answer.contains("guessed"),
                "{answer}"
            );
            assert!(!answer.to_ascii_lowercase().contains("access-control-"), "{answer}");
        }
        let page = visit(&back);
        assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
        for header in [
            "Cache-Control: no-store",
            "Referrer-Policy: no-referrer",
            "default-src 'none'",
        ] {
            assert!(page.contains(header), "{page}");
        }
        assert!(!page.contains("code=") && !page.contains("state="), "{page}");
        drop(slow);
        // The second one finds nobody, or is too late.
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(visit(&back), "refused");
    });
    outcome.is_done();
}

#[test]
fn however_many_slow_ones_are_there_the_right_one_gets_its_turn() {
    let world = world();
    set(&world, &[], |sim, address| {
        let back = sim.visit_provider(address).unwrap();
        let host = back.strip_prefix("http://").unwrap().split_once('/').unwrap().0;
        // More than are served at a time; each says something now and then, and never ends.
        let slow: Vec<_> = (0..50).map(|_| TcpStream::connect(host).unwrap()).collect();
        for mut stream in &slow {
            stream.write_all(b"GET / HTTP/1.1\r\nX: ").unwrap();
        }
        assert!(visit(&back).starts_with("HTTP/1.1 200 "));
        drop(slow);
    })
    .is_done();
}

#[test]
fn a_code_that_another_process_used_is_not_taken_again() {
    let world = world();
    let outcome = set(&world, &[], |sim, address| {
        let back = sim.visit_provider(address).unwrap();
        let code = back.split_once("code=").unwrap().1.split('&').next().unwrap();
        // Without our verifier it is of no use to them, and burnt for us.
        let form = format!(
            "grant_type=authorization_code&client_id={}&code={code}&redirect_uri=x",
            sim.provider_client()
        );
        assert!(!sim.post_to_provider("/token", &form).contains("id_token"));
        visit(&back);
    });
    outcome.fails(Exit::Identity, "invalid_grant");
}

#[test]
fn without_a_browser_here_a_code_is_typed_elsewhere() {
    for (variable, value) in [("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22"), ("container", "podman")] {
        let mut world = world();
        world.set(variable, value);
        world
            .sim
            .set_behaviour(|b| b.provider.approval = Approval::AfterPolls(1));
        let outcome = set(&world, &[], person);
        outcome.is_done();
        assert!(outcome.stderr.contains("  code   "), "{outcome}");
        assert!(world.opened().is_empty());
        assert_eq!(world.sim.count("oidc_device"), 1);
    }
    let mut world = world();
    world.unset("DISPLAY");
    world
        .sim
        .set_behaviour(|b| b.provider.quirk = Some(Quirk::NoDeviceFlow));
    let none = set(&world, &["--sign-in", "device"], person);
    none.fails(Exit::Identity, "has no device flow");
    assert!(none.stderr.contains("can be pasted"), "{none}");
    world
        .sim
        .set_behaviour(|b| b.provider.quirk = Some(Quirk::PlainVerificationUri));
    world
        .sim
        .set_behaviour(|b| b.provider.approval = Approval::AfterPolls(0));
    let plain = set(&world, &[], person);
    plain.fails(Exit::Identity, "not encrypted");
}

#[test]
fn only_a_definite_no_forgets_the_sign_in() {
    let mut world = world();
    set(&world, &[], person).is_done();
    world.terminal(false, false, false);
    world.sim.revoke_all_tokens();
    let busy = Fault::Status {
        code: 503,
        body: String::new(),
        headers: Vec::new(),
    };
    world.sim.set_fault("oidc_token", busy);
    world
        .get_credential(&["--profile", "work", "--force-refresh"])
        .fails(Exit::Temporary, "503");
    world.sim.set_fault("oidc_token", Fault::ResetBeforeAnswer);
    world
        .get_credential(&["--profile", "work", "--force-refresh"])
        .fails(Exit::Temporary, "broke off");
    world.sim.clear_faults();
    world
        .get_credential(&["--profile", "work", "--force-refresh"])
        .is_done();
    world.sim.revoke_all_tokens();
    world.sim.revoke_refresh_tokens();
    for _ in 0..2 {
        let ended = world.get_credential(&["--profile", "work", "--force-refresh"]);
        ended.fails(Exit::Identity, "has to sign in again");
        assert!(ended.stderr.contains("the sign-in ended on"), "{ended}");
    }
}

#[test]
fn somebody_else_at_the_same_provider_gets_nothing_of_their_predecessor() {
    let mut world = world();
    set(&world, &[], person).is_done();
    world.terminal(false, false, false);
    let janes = world.get_credential(&["--profile", "work"]).credential().certificate;
    world.sim.revoke_all_tokens();
    world.sim.revoke_refresh_tokens();
    world
        .sim
        .set_behaviour(|b| b.provider.subject = "joe@example.com".to_owned());
    world.terminal(true, true, true);
    let outcome = world.run_beside(&["whoami", "--profile", "work"], person);
    assert!(
        outcome.is_done().stderr.contains("somebody else than before"),
        "{outcome}"
    );
    assert!(outcome.stdout.contains("joe@example.com"), "{outcome}");
    world.terminal(false, false, false);
    let joes = world.get_credential(&["--profile", "work"]).credential().certificate;
    assert_ne!(janes, joes);
}

#[test]
fn logging_out_gives_the_refresh_token_back() {
    let mut world = world();
    set(&world, &[], person).is_done();
    world.terminal(false, false, false);
    world.login(&["--profile", "work"]).is_done();
    assert_eq!(world.sim.refresh_tokens(), 1);
    world.run(["logout", "--all"]).is_done();
    assert_eq!((world.sim.refresh_tokens(), world.sim.count("oidc_revoke")), (0, 1));
    world
        .get_credential(&["--profile", "work"])
        .fails(Exit::Identity, "has to sign in again");
}

#[test]
fn a_client_with_a_secret_takes_it_from_a_pipe() {
    let mut world = world();
    let (client, secret) = world.sim.confidential_client();
    world.pipe_in(secret);
    let mut arguments = arguments(&world, &["--secret-stdin"]);
    let at = arguments.iter().position(|word| word == "--client-id").unwrap();
    arguments[at + 1] = client.to_owned();
    world
        .run_beside(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), person)
        .is_done();
    world.terminal(false, false, false);
    world.sim.revoke_all_tokens();
    world
        .get_credential(&["--profile", "work", "--force-refresh"])
        .is_done();
}

#[test]
fn where_nothing_can_keep_a_sign_in_that_is_said_and_it_works_all_the_same() {
    let mut world = world();
    world.keyring().switch(Switches {
        locked: true,
        ..Switches::default()
    });
    let outcome = set(&world, &[], person);
    assert!(
        outcome.is_done().stderr.contains("the sign-in cannot be kept"),
        "{outcome}"
    );
    let status = world.run_beside(&["whoami", "--profile", "work"], person);
    assert!(
        status.is_done().stderr.contains("the sign-in cannot be kept"),
        "{status}"
    );
    world.terminal(false, false, false);
    world
        .get_credential(&["--profile", "work"])
        .fails(Exit::Identity, "has to sign in again");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let world = world();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/back", taken.local_addr().unwrap());
    set(&world, &["--redirect-url", &url], person).fails(Exit::Failed, "cannot listen on `127.0.0.1:");
}
