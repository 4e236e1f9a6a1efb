//! What a newcomer with a company account sees at a real terminal, and that whoever gives up at any step leaves nothing behind.

use super::bus::Bus;
use super::process::wait_for;
use super::terminal::Terminal;
use super::world::World;
use crate::support::files_below;
use cce_sim::{Approval, Quirk};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;

/// A machine of somebody without any key, with an unlocked keyring; what a browser is to open lands in a file.
fn world() -> (World, Bus) {
    let mut world = World::new();
    world.use_no_key();
    world.sim.trust_provider("acme");
    for set in ["Operators", "Readers"] {
        world.sim.assign_permission_set("example-account", set);
        world.sim.assign_permission_set("other-account", set);
    }
    let opener = world.path("bin/opener");
    let script = format!(
        "#!/bin/sh\nprintf %s \"$1\" >'{0}.new' && mv '{0}.new' '{0}'\n",
        world.path("opened")
    );
    fs::write(&opener, script).unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o700)).unwrap();
    world.set("BROWSER", opener);
    let bus = Bus::unlocked(&mut world);
    (world, bus)
}

/// Over SSH: no browser is in front of the person.
fn over_ssh() -> (World, Bus) {
    let (mut world, bus) = world();
    world.unset("BROWSER");
    world.set("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22");
    (world, bus)
}

fn sso_line(world: &World) -> String {
    format!(
        "kubectl cce-login profile set work --kind sso --start-url {} --sso-region cn-north-4 --sso-endpoint {} --portal-endpoint {} --region cn-north-4 {}",
        world.sim.start_url(),
        world.sim.identity_center_oidc_endpoint(),
        world.sim.identity_center_portal_endpoint(),
        world.cloud_flags().join(" ")
    )
}

fn oidc_line(world: &World, flags: &str) -> String {
    format!(
        "kubectl cce-login profile set work --kind oidc --issuer {} --client-id {} --idp acme --region cn-north-4 {} {flags}",
        world.sim.provider_issuer(),
        world.sim.provider_client(),
        world.cloud_flags().join(" ")
    )
}

fn opened(world: &World) -> String {
    wait_for("the browser", || world.has("opened"));
    let address = world.read("opened");
    fs::remove_file(world.path("opened")).unwrap();
    address
}

fn approve(world: &World) {
    wait_for("a code", || !world.sim.waiting_user_codes().is_empty());
    for code in world.sim.waiting_user_codes() {
        world.sim.decide_user_code(&code, true);
    }
}

/// The person's browser is sent back to this machine.
fn come_back(world: &World, address: &str) {
    let back = world.sim.visit_provider(address).unwrap();
    let (host, path) = back.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    assert!(page.contains("You can close this tab"), "{page}");
}

/// No profile, no kubeconfig, nothing in the keyring, no note of a sign-in, and nobody is signed in at the other side.
#[track_caller]
fn is_as_before(world: &World, step: &str) {
    assert!(!world.has(".config/cce-login/config.toml"), "{step}");
    assert!(!world.has(".kube/config"), "{step}");
    let search = "secret-tool search --all service kubectl-cce_login 2>&1 || true";
    let kept = world.shell(search);
    assert!(!kept.contains("label ="), "{step}: {kept}");
    let noted: Vec<_> = files_below(world.home())
        .into_iter()
        .filter(|path| {
            ["sign-ons", "sign-ins", "entries"]
                .iter()
                .any(|name| path.to_string_lossy().contains(name))
        })
        .collect();
    assert!(noted.is_empty(), "{step}: {noted:?}");
    assert!(world.sim.portal_tokens().is_empty(), "{step}");
    assert_eq!(world.sim.refresh_tokens(), 0, "{step}");
}

#[test]
fn whoever_gives_up_at_any_step_of_the_portal_leaves_nothing_behind() {
    let (world, _bus) = world();
    for step in ["waiting", "account", "permission set"] {
        let terminal = Terminal::start(&world, 60, 40, &sso_line(&world));
        terminal.shows("Ctrl-C to stop");
        opened(&world);
        if step != "waiting" {
            approve(&world);
            terminal.shows("? Account");
        }
        if step == "permission set" {
            terminal.press("Enter");
            terminal.shows("? Permission set");
        }
        terminal.press("C-c");
        terminal.ended(130);
        is_as_before(&world, step);
    }
}

#[test]
fn whoever_gives_up_at_any_question_of_a_login_leaves_nothing_behind() {
    let (mut world, _bus) = world();
    // The cloud's hosts have the names of the real ones: an id token goes nowhere else.
    let proxy = world.sim.start_proxy(cce_sim::ProxyKind::Http);
    world.set("HTTPS_PROXY", proxy.url());
    world.set("NO_PROXY", "127.0.0.1");
    world.unset("CCE_LOGIN_CCE_ENDPOINT");
    let issuer = world.sim.provider_issuer();
    let answers = [
        ("? Sign in with", "OpenID"),
        ("? Address of the identity provider (issuer):", issuer.as_str()),
        ("? Client id there:", "cce-login"),
        ("? Name of the identity provider at IAM:", "acme"),
        ("Ctrl-C to stop", ""),
        ("? Cluster", ""),
    ];
    // The roots of the provider have no question: who has a private CA sets the profile.
    world.set("SSL_CERT_FILE", world.path("cloud-ca.pem"));
    world.sim.add_cluster(cce_sim::ClusterSpec::named("staging"));
    for stop in 0..answers.len() {
        let line = "kubectl cce-login --region cn-north-4 --project cn-north-4";
        let terminal = Terminal::start(&world, 60, 40, line);
        for (question, answer) in &answers[..stop] {
            terminal.shows(question);
            if *question == "Ctrl-C to stop" {
                come_back(&world, &opened(&world));
            } else {
                terminal.types(answer);
            }
        }
        let (question, _) = answers[stop];
        terminal.shows(question);
        if question == "Ctrl-C to stop" {
            opened(&world);
        }
        terminal.press("C-c");
        terminal.ended(130);
        is_as_before(&world, question);
    }
}

#[test]
fn a_wrong_account_and_an_ended_code_are_told_in_sixty_columns() {
    let (world, _bus) = over_ssh();
    for (approval, said) in [
        (Approval::Denied, "refused in the browser"),
        (Approval::Expired, "nobody approved the code"),
    ] {
        world.sim.set_behaviour(|b| {
            b.identity_center.approval = approval;
            b.provider.approval = approval;
        });
        for line in [sso_line(&world), oidc_line(&world, "")] {
            let terminal = Terminal::start(&world, 60, 40, &line);
            terminal.ended(3);
            // The window breaks its lines anywhere.
            let screen = terminal.screen().replace('\n', "");
            assert!(screen.contains("  code   "), "{screen}");
            assert!(screen.contains(said), "{screen}");
            is_as_before(&world, said);
        }
    }
}

#[test]
fn without_a_device_code_the_address_at_which_a_browser_elsewhere_ends_is_pasted() {
    let (world, _bus) = over_ssh();
    world
        .sim
        .set_behaviour(|b| b.provider.quirk = Some(Quirk::NoDeviceFlow));
    let terminal = Terminal::start(&world, 60, 60, &oidc_line(&world, ""));
    terminal.shows("Address:");
    let address = shown_address(&terminal);
    let back = world.sim.visit_provider(&address).unwrap();
    // Somebody else's, half of it, and with another state.
    let (at, _) = back.split_once("state=").unwrap();
    for wrong in ["http://127.0.0.1:1/?code=x", at, &format!("{at}state=guessed")] {
        terminal.types(wrong);
        terminal.shows("once more:");
    }
    terminal.types(&back);
    terminal.ended(0);
    let seen = String::from_utf8_lossy(&terminal.recorded()).into_owned();
    assert!(
        !seen.contains("code=") || !seen.contains(&back),
        "what is pasted is not shown"
    );
    drop(terminal);
    assert!(world.has(".config/cce-login/config.toml"));
}

#[test]
fn a_browser_that_comes_back_through_a_tunnel_ends_the_question() {
    let (world, _bus) = over_ssh();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let flags = format!("--redirect-url http://127.0.0.1:{port}/back");
    let terminal = Terminal::start(&world, 60, 60, &oidc_line(&world, &flags));
    terminal.shows("Address:");
    assert!(
        terminal.screen().contains(&format!("ssh -L {port}:127.0.0.1:{port}")),
        "{}",
        terminal.screen()
    );
    come_back(&world, &shown_address(&terminal));
    terminal.ended(0);
}

#[test]
fn an_opener_that_fails_leads_to_a_code() {
    let (mut world, _bus) = world();
    world
        .sim
        .set_behaviour(|b| b.provider.approval = Approval::AfterPolls(0));
    world.set("BROWSER", "/bin/false");
    let terminal = Terminal::start(&world, 60, 40, &oidc_line(&world, ""));
    terminal.ended(0);
    let screen = terminal.screen();
    assert!(
        screen.contains("  code   ") && !screen.contains("/authorize"),
        "{screen}"
    );
}

#[test]
fn a_question_before_the_browser_is_opened_is_asked_where_that_is_wanted() {
    let (mut world, _bus) = world();
    world.set("CCE_LOGIN_BROWSER", "ask");
    let terminal = Terminal::start(&world, 60, 40, &oidc_line(&world, ""));
    terminal.shows("? Open it in your browser?");
    assert!(!world.has("opened"));
    terminal.press("y");
    come_back(&world, &opened(&world));
    terminal.ended(0);
}

#[test]
fn what_a_program_says_is_shown_to_the_person_who_can_answer_it() {
    let (world, _bus) = world();
    world.allow_secrets_below("vault");
    let key = world.sim.access_key("alice");
    let json = format!(r#"{{"accessKeyId":"{}","secretAccessKey":"{}"}}"#, key.id, key.secret);
    world.write("vault/key.json", json);
    let broker = world.write(
        "bin/broker",
        format!(
            "#!/bin/sh\necho 'touch your key, then Enter' >&2; read -r _; cat '{}'\n",
            world.path("vault/key.json")
        ),
    );
    fs::set_permissions(&broker, fs::Permissions::from_mode(0o700)).unwrap();
    let places = world.cloud_flags().join(" ");
    let line = format!("kubectl cce-login profile set work --kind command --region cn-north-4 {places} -- {broker}");
    let terminal = Terminal::start(&world, 60, 40, &line);
    terminal.shows("touch your key, then Enter");
    terminal.press("Enter");
    terminal.ended(0);
    assert!(world.has(".config/cce-login/config.toml"));
}

/// The address that is shown, which takes several lines of the window.
fn shown_address(terminal: &Terminal) -> String {
    let seen = String::from_utf8_lossy(&terminal.recorded()).into_owned();
    let (_, rest) = seen.split_once("  open   ").unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}
