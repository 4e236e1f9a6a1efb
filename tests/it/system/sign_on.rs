//! People without any key, with real parts: Dex as their company's provider, Chromium on its login page, the real keyring and kubectl. The
//! simulated IAM checks the id tokens against Dex's own keys.

use super::bus::Bus;
use super::dex::{Browser, CLIENT, Dex, PASSWORD};
use super::process::wait_for;
use super::terminal::Terminal;
use super::world::{World, words};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// A machine of somebody without any key, whose browser is the test's: what it is to open lands in a file.
fn world(dex: &Dex) -> World {
    let mut world = World::new();
    world.use_no_key();
    dex.register_at(&world.sim, "acme");
    let opener = world.path("bin/opener");
    let script = format!(
        "#!/bin/sh\nprintf %s \"$1\" >'{0}.new' && mv '{0}.new' '{0}'\n",
        world.path("opened")
    );
    fs::write(&opener, script).unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o700)).unwrap();
    world.set("BROWSER", opener);
    world
}

fn set_line(world: &World, dex: &Dex, flags: &str) -> String {
    let places = world.cloud_flags().join(" ");
    let issuer = &dex.issuer;
    format!(
        "kubectl cce-login profile set work --kind oidc --issuer {issuer} --client-id {CLIENT} --idp acme --region cn-north-4 {places} {flags}"
    )
}

/// The address that a browser was to open.
fn opened(world: &World) -> String {
    wait_for("the browser", || world.has("opened"));
    let address = world.read("opened");
    fs::remove_file(world.path("opened")).unwrap();
    address
}

#[test]
fn a_person_signs_in_at_dex_with_chromium_and_kubectl_works() {
    let dex = Dex::start();
    let mut world = world(&dex);
    let _bus = Bus::unlocked(&mut world);
    let browser = Browser::start();
    let line = format!(
        "{} && kubectl cce-login login --profile work --cluster prod && kubectl get namespaces",
        set_line(&world, &dex, "")
    );
    // A narrow window.
    let terminal = Terminal::start(&world, 60, 50, &line);
    browser.visit(&opened(&world));
    browser.signs_in();
    browser.shows("You can close this tab");
    terminal.ended(0);
    let screen = terminal.screen();
    assert!(screen.contains("kube-system"), "{screen}");
    drop(terminal);
    assert!(!world.has("opened"), "one window, for profile and login");

    // Whatever is kept ends at IAM: Dex gives new tokens for the refresh token, which is another one each time.
    for _ in 0..3 {
        world.sim.revoke_all_tokens();
        world.run(&words("kubectl-cce_login", "refresh --no-input")).succeeded();
    }
    world.kubectl("get namespaces").succeeded();
    assert!(!world.has("opened"));
}

#[test]
fn over_ssh_a_code_is_typed_in_the_browser_of_another_machine() {
    let dex = Dex::start();
    let mut world = world(&dex);
    world.unset("BROWSER");
    world.set("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22");
    let _bus = Bus::unlocked(&mut world);
    let browser = Browser::start();
    let line = format!(
        "{} && kubectl cce-login whoami --profile work",
        set_line(&world, &dex, "")
    );
    let terminal = Terminal::start(&world, 160, 40, &line);
    terminal.shows("  code   ");
    let screen = terminal.screen();
    let address = screen
        .lines()
        .find_map(|line| line.trim().strip_prefix("open "))
        .unwrap()
        .trim()
        .to_owned();
    browser.visit(&address);
    browser.clicks("button[type=submit]");
    browser.signs_in();
    browser.shows("Login Successful");
    terminal.ended(0);
    let screen = terminal.screen();
    assert!(screen.contains("federated user"), "{screen}");
}

#[test]
fn somebody_who_gives_up_leaves_nothing_behind() {
    let dex = Dex::start();
    let mut world = world(&dex);
    let _bus = Bus::unlocked(&mut world);
    for flags in ["", "--sign-in device"] {
        let terminal = Terminal::start(&world, 160, 40, &set_line(&world, &dex, flags));
        terminal.shows("Ctrl-C to stop");
        let address = opened(&world);
        terminal.press("C-c");
        terminal.ended(130);
        if let Some((_, rest)) = address.split_once("redirect_uri=http%3A%2F%2F127.0.0.1%3A") {
            let port: u16 = rest.split('%').next().unwrap().parse().unwrap();
            assert!(
                std::net::TcpStream::connect(("127.0.0.1", port)).is_err(),
                "the listener is gone"
            );
        }
        assert!(!world.has(".config/cce-login/config.toml"));
    }
}

#[test]
fn a_person_whom_the_provider_does_not_know_stays_outside() {
    let dex = Dex::start();
    let mut world = world(&dex);
    let _bus = Bus::unlocked(&mut world);
    let browser = Browser::start();
    let terminal = Terminal::start(&world, 160, 40, &set_line(&world, &dex, ""));
    browser.visit(&opened(&world));
    browser.types("#login", "joe@example.com");
    browser.types("#password", PASSWORD);
    browser.clicks("#submit-login");
    browser.shows("Invalid");
    terminal.press("C-c");
    terminal.ended(130);
    assert!(!world.has(".config/cce-login/config.toml"));
}
