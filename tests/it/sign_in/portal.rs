//! `--kind sso`: people who sign in at IAM Identity Center.

use crate::support::{Outcome, World};
use cce_login::error::Exit;
use cce_sim::{Approval, Fault, PollWords, ProxyKind};

/// A machine with a terminal and no key, before a portal whose person approves at the second look.
fn world() -> World {
    let mut world = World::new();
    world.use_no_key();
    world.set("DISPLAY", ":0");
    world
        .sim
        .set_behaviour(|b| b.identity_center.approval = Approval::AfterPolls(0));
    world
}

fn set(world: &mut World, name: &str, flags: &[&str]) -> Outcome {
    world.terminal(true, true, true);
    let outcome = world.run(arguments(world, name, flags));
    world.terminal(false, false, false);
    outcome
}

fn arguments(world: &World, name: &str, flags: &[&str]) -> Vec<String> {
    let words = ["profile", "set", name, "--kind", "sso", "--sso-region", "cn-north-4"].map(str::to_owned);
    let places = [
        ("--start-url", world.sim.start_url()),
        ("--sso-endpoint", world.sim.identity_center_oidc_endpoint()),
        ("--portal-endpoint", world.sim.identity_center_portal_endpoint()),
        ("--ca-file", world.path("cloud-ca.pem")),
    ];
    let places = places.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]);
    words
        .into_iter()
        .chain(places)
        .chain(flags.iter().map(ToString::to_string))
        .collect()
}

/// Each code is another one.
fn without_code(world: &World, outcome: &Outcome) -> Outcome {
    let mut outcome = outcome.clone();
    let (_, code) = world.opened()[0]
        .split_once("user_code=")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    outcome.stderr = outcome.stderr.replace(&code, "ABCD-1234");
    outcome
}

#[test]
fn a_person_without_any_key_gets_a_certificate_of_their_permission_set() {
    let mut world = world();
    let agency = world.sim.assign_permission_set("example-account", "Operators");
    let outcome = set(&mut world, "work", &[]);
    outcome.is_done();
    world.snapshot("profile/set-sso", &without_code(&world, &outcome));
    assert_eq!(world.opened().len(), 1, "{outcome}");
    let credential = world.get_credential(&["--profile", "work"]).credential();
    let (_, pem) = x509_parser::pem::parse_x509_pem(credential.certificate.as_bytes()).unwrap();
    assert!(pem.parse_x509().unwrap().subject().to_string().contains(&agency));
    let whoami = world.run(["whoami", "--profile", "work"]);
    assert!(
        whoami.is_done().stdout.contains("permission set `Operators`"),
        "{whoami}"
    );
}

#[test]
fn one_sign_in_serves_every_profile_of_a_portal() {
    let mut world = world();
    world.sim.assign_permission_set("example-account", "Operators");
    world.sim.assign_permission_set("example-account", "Readers");
    world.sim.assign_permission_set("other-account", "Operators");
    world.sim.set_behaviour(|b| b.identity_center.page = 1);
    set(
        &mut world,
        "one",
        &["--account", "example-account", "--permission-set", "Readers"],
    )
    .is_done();
    set(&mut world, "two", &["--account", "other-account"]).is_done();
    assert_eq!(
        (
            world.sim.count("start_device_authorization"),
            world.sim.count("register_client")
        ),
        (1, 1)
    );
    assert!(
        world.sim.count("assigned_accounts") >= 4,
        "both pages of accounts are read"
    );
    // Nobody to ask: what there is to choose from is told.
    let several = world.run(arguments(&world, "three", &["--account", "example-account"]));
    several.fails(Exit::Usage, "several permission sets");
    assert!(several.stderr.contains("`Operators`, `Readers`"), "{several}");
    let unknown = world.run(arguments(&world, "three", &["--account", "nobodys"]));
    unknown.fails(Exit::Usage, "no account `nobodys`");
}

#[test]
fn polls_are_understood_in_whatever_words_they_are_answered() {
    for words in [PollWords::Rfc8628, PollWords::Exception, PollWords::CodeOnly] {
        let mut world = world();
        world.sim.assign_permission_set("example-account", "Operators");
        world.sim.set_behaviour(|b| {
            b.identity_center.words = words;
            b.identity_center.approval = Approval::AfterPolls(1);
            b.identity_center.spans = words == PollWords::CodeOnly;
        });
        world.sim.add_fault(
            "create_token",
            Fault::Status {
                code: 200,
                body: String::new(),
                headers: Vec::new(),
            },
            0,
        );
        set(&mut world, "work", &[]).is_done();
        assert_eq!(world.sim.count("create_token"), 2, "{words:?}");
    }
}

#[test]
fn a_no_or_no_answer_leaves_nothing_behind() {
    for (approval, said) in [
        (Approval::Denied, "refused in the browser"),
        (Approval::Expired, "in time"),
    ] {
        let mut world = world();
        world.sim.assign_permission_set("example-account", "Operators");
        world.sim.set_behaviour(|b| b.identity_center.approval = approval);
        set(&mut world, "work", &[]).fails(Exit::Identity, said);
        assert!(!world.has(".config/cce-login/config.toml"));
    }
    let mut world = world();
    set(&mut world, "work", &[]).fails(Exit::Identity, "nothing at this portal is assigned to you");
    assert!(!world.has(".config/cce-login/config.toml"));
}

#[test]
fn a_place_for_the_code_that_is_not_encrypted_is_shown_to_nobody() {
    let mut world = world();
    world.sim.assign_permission_set("example-account", "Operators");
    world
        .sim
        .set_behaviour(|b| b.identity_center.verification_uri = "http://192.0.2.1/device".to_owned());
    let outcome = set(&mut world, "work", &[]);
    outcome.fails(Exit::Identity, "which is not encrypted");
    assert!(!outcome.stderr.contains("user_code"), "{outcome}");
    assert!(world.opened().is_empty());
}

#[test]
fn an_ended_sign_in_opens_nothing_for_kubectl_and_says_the_command() {
    let mut world = world();
    world.sim.assign_permission_set("example-account", "Operators");
    set(&mut world, "work", &[]).is_done();
    world.sim.end_portal_sessions();
    // The key that was issued is still good.
    world.get_credential(&["--profile", "work"]).credential();
    world.sim.expire_temporary_access_keys();
    let before = world.opened().len();
    let outcomes = world.get_credentials_at_once(20, &["--profile", "work", "--force-refresh"]);
    for outcome in &outcomes {
        outcome.fails(Exit::Identity, "has to sign in again");
        assert!(outcome.stderr.contains("kubectl cce-login refresh"), "{outcome}");
    }
    let mut ended = outcomes[0].clone();
    let (failed, _) = ended.stderr.split_once("ended on ").unwrap();
    let (_, after) = ended.stderr.split_once(" UTC").unwrap();
    ended.stderr = format!("{failed}ended on [TIME]{after}");
    world.snapshot("get-credential/sign-in-ended", &ended);
    assert_eq!(
        (world.opened().len(), world.sim.count("start_device_authorization")),
        (before, 1)
    );
    // Not at a terminal either, unless it was told to.
    world.terminal(true, false, true);
    let exec_info =
        r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":true}}"#;
    world.set("KUBERNETES_EXEC_INFO", exec_info);
    world
        .get_credential(&["--profile", "work", "--force-refresh"])
        .fails(Exit::Identity, "has to sign in again");
    world.set("CCE_LOGIN_BROWSER", "always");
    world
        .get_credential(&["--profile", "work", "--force-refresh"])
        .is_done();
    assert_eq!(world.opened().len(), before + 1);
}

#[test]
fn five_commands_at_once_open_one_window() {
    let mut world = world();
    world.sim.assign_permission_set("example-account", "Operators");
    set(&mut world, "work", &[]).is_done();
    world.sim.end_portal_sessions();
    world.sim.expire_temporary_access_keys();
    world
        .sim
        .set_behaviour(|b| b.identity_center.approval = Approval::AfterPolls(1));
    world.terminal(true, true, true);
    for outcome in world.run_at_once(5, &["whoami", "--profile", "work"]) {
        outcome.is_done();
    }
    assert_eq!(
        world.sim.count("start_device_authorization"),
        2,
        "one for the profile, one now"
    );
}

#[test]
fn a_profile_that_names_no_permission_set_asks_nobody() {
    let mut world = world();
    world.write(
        ".config/cce-login/config.toml",
        "[profiles.work]\nkind = \"sso\"\nstart_url = \"https://idcenter.example/d-1/portal\"\nsso_region = \"cn-north-4\"\n",
    );
    world.terminal(true, true, true);
    let whoami = world.run(["whoami", "--profile", "work"]);
    whoami.fails(Exit::Identity, "names no account and no permission set");
    assert!(world.opened().is_empty());
}

#[test]
fn trouble_at_the_portal_forgets_nothing() {
    let mut world = world();
    world.sim.assign_permission_set("example-account", "Operators");
    set(&mut world, "work", &[]).is_done();
    world.sim.expire_temporary_access_keys();
    let busy = Fault::Status {
        code: 503,
        body: String::new(),
        headers: Vec::new(),
    };
    world.sim.set_fault("agency_credentials", busy);
    world
        .get_credential(&["--profile", "work", "--force-refresh"])
        .fails(Exit::Temporary, "503");
    world.sim.clear_faults();
    world.let_pass(10);
    world
        .get_credential(&["--profile", "work", "--force-refresh"])
        .is_done();
    assert_eq!(world.sim.count("start_device_authorization"), 1);
}

#[test]
fn a_registration_that_is_not_known_any_more_is_made_anew_once() {
    let mut world = world();
    world.sim.assign_permission_set("example-account", "Operators");
    set(&mut world, "work", &[]).is_done();
    world.sim.end_portal_sessions();
    world.sim.forget_registered_clients();
    world.sim.expire_temporary_access_keys();
    world.terminal(true, true, true);
    world.run(["whoami", "--profile", "work"]).is_done();
    assert_eq!(world.sim.count("register_client"), 2);
}

#[test]
fn another_portal_in_the_settings_does_not_get_the_session() {
    let mut world = world();
    world.sim.assign_permission_set("example-account", "Operators");
    set(&mut world, "work", &[]).is_done();
    world.sim.expire_temporary_access_keys();
    let config = world.read(".config/cce-login/config.toml");
    let own = world.sim.identity_center_portal_endpoint();
    world.write(
        ".config/cce-login/config.toml",
        config.replace(&own, &world.sim.sts_endpoint()),
    );
    let shown = |world: &World| {
        world
            .sim
            .requests()
            .iter()
            .filter(|asked| asked.header("access-token").is_some())
            .count()
    };
    let before = shown(&world);
    world
        .get_credential(&["--profile", "work", "--force-refresh"])
        .fails(Exit::Identity, "has to sign in again");
    assert_eq!(shown(&world), before, "the session was shown to nobody");
}

#[test]
fn a_session_that_another_profile_needs_stays() {
    let mut world = world();
    world.sim.assign_permission_set("example-account", "Operators");
    world.sim.assign_permission_set("example-account", "Readers");
    set(&mut world, "one", &["--permission-set", "Operators"]).is_done();
    set(&mut world, "two", &["--permission-set", "Readers"]).is_done();
    let removed = world.run(["profile", "remove", "one"]);
    assert!(
        removed.is_done().stderr.contains("because profile `two` needs it too"),
        "{removed}"
    );
    assert_eq!(world.sim.count("portal_logout"), 0);
    world.run(["profile", "remove", "two"]).is_done();
    assert_eq!(
        (world.sim.count("portal_logout"), world.keyring().is_empty()),
        (1, true)
    );
}

#[test]
fn a_file_keeps_the_session_where_that_is_asked_for_by_name() {
    let mut world = world();
    world.sim.assign_permission_set("example-account", "Operators");
    world.allow_secrets_below(".config/cce-login/secrets");
    set(&mut world, "work", &["--secret-store", "file"]).is_done();
    let kept: Vec<_> = std::fs::read_dir(world.path(".config/cce-login/secrets"))
        .unwrap()
        .flatten()
        .collect();
    assert_eq!(kept.len(), 1);
    let mode = std::os::unix::fs::PermissionsExt::mode(&kept[0].metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    world.sim.expire_temporary_access_keys();
    world
        .get_credential(&["--profile", "work", "--force-refresh"])
        .is_done();
    assert_eq!(world.sim.count("start_device_authorization"), 1);
}

#[test]
fn the_address_is_shown_where_no_browser_may_be_opened() {
    let mut world = world();
    world.sim.assign_permission_set("example-account", "Operators");
    world.set("CCE_LOGIN_BROWSER", "never");
    let shown = set(&mut world, "work", &[]);
    assert!(shown.is_done().stderr.contains("device?user_code="), "{shown}");
    assert!(world.opened().is_empty());
    world.set("CCE_LOGIN_BROWSER", "sometimes");
    world.sim.end_portal_sessions();
    world.sim.expire_temporary_access_keys();
    world.terminal(true, true, true);
    world
        .run(["whoami", "--profile", "work"])
        .fails(Exit::Identity, "`sometimes` is not a choice");
}

#[test]
fn logging_out_ends_the_session_at_the_portal() {
    let mut world = world();
    world.sim.assign_permission_set("example-account", "Operators");
    set(&mut world, "work", &[]).is_done();
    world.login(&["--profile", "work"]).is_done();
    let outcome = world.run(["logout", "--all"]);
    outcome.is_done();
    assert!(
        outcome.stderr.contains("asks for a sign-in in the browser again"),
        "{outcome}"
    );
    assert_eq!(world.sim.count("portal_logout"), 1);
    world
        .get_credential(&["--profile", "work"])
        .fails(Exit::Identity, "has to sign in again");
}

#[test]
fn until_when_a_sign_in_lasts_is_seen_without_signing_in() {
    let mut world = world();
    world.sim.assign_permission_set("example-account", "Operators");
    world
        .sim
        .set_behaviour(|b| b.identity_center.session_seconds = 2 * 3600);
    set(&mut world, "work", &[]).is_done();
    world.login(&["--profile", "work"]).is_done();
    let status = world.run(["status", "-o", "wide"]);
    assert!(
        status.is_done().stdout.contains("SIGN-IN ENDS") && status.stdout.contains("before the next renewal"),
        "{status}"
    );
    let json = world.run(["status", "-o", "json"]);
    assert!(json.stdout.contains("\"beforeRenewal\": true"), "{json}");
    let before = world.opened().len();
    world.terminal(true, true, true);
    world.sim.end_portal_sessions();
    world.sim.expire_temporary_access_keys();
    let doctor = world.run(["doctor"]);
    assert!(doctor.stdout.contains("sign-in"), "{doctor}");
    assert_eq!(world.opened().len(), before, "doctor signs nobody in: {doctor}");
}

#[test]
fn koocli_s_session_is_used_where_it_has_made_no_key_of_it() {
    let (mut world, _proxy) = World::behind_a_proxy(ProxyKind::Http);
    world.use_no_key();
    world.set("DISPLAY", ":0");
    world.set("SSL_CERT_FILE", world.path("cloud-ca.pem"));
    world.sim.assign_permission_set("example-account", "Operators");
    world
        .sim
        .set_behaviour(|b| b.identity_center.approval = Approval::AfterPolls(0));
    world.terminal(true, true, true);
    // Our own sign-in shows that the built-in addresses are these, and KooCLI's file gets its token.
    let start_url = world.sim.start_url();
    let flags = [
        "--start-url",
        &start_url,
        "--sso-region",
        "cn-north-4",
        "--region",
        "cn-north-4",
    ];
    world
        .run(["profile", "set", "work", "--kind", "sso"].iter().chain(&flags))
        .is_done();
    let token = world.sim.portal_tokens().remove(0);
    let urn = world.sim.assigned_urns().remove(0);
    let account = world.sim.account_id("example-account");
    world.allow_secrets_below(".hcloud");
    let file = |token: &str| {
        format!(
            r#"{{"current":"w","profiles":[{{"name":"w","mode":"SSO","region":"cn-north-4","ssoParam":{{"startUrl":"{start_url}","ssoRegion":"cn-north-4"}},
            "ssoAuth":{{"accountId":"{account}","agencyUrn":"{urn}","accessTokenResult":{{"accessToken":"{token}","expiresAt":4102444800}},"stsToken":null}}}}]}}"#
        )
    };
    world.write(".hcloud/config.json", file(&token));
    world.terminal(false, false, false);
    world.get_credential(&["--identity", "hcloud"]).credential();
    world.sim.end_portal_sessions();
    world.sim.expire_temporary_access_keys();
    let ended = world.get_credential(&["--identity", "hcloud", "--force-refresh"]);
    ended.fails(Exit::Identity, "has ended");
    assert!(ended.stderr.contains("hcloud configure sso"), "{ended}");
    world.write(
        ".hcloud/config.json",
        file("AbC+encrypted/==").replace("{\"current\"", "{\"authEncrypt\":true,\"current\""),
    );
    world
        .get_credential(&["--identity", "hcloud", "--force-refresh"])
        .fails(Exit::Identity, "");
}

#[test]
fn a_newcomer_s_login_offers_the_company_account_and_ends_with_a_certificate() {
    let (mut world, _proxy) = World::behind_a_proxy(ProxyKind::Http);
    world.use_no_key();
    world.set("DISPLAY", ":0");
    world.set("SSL_CERT_FILE", world.path("cloud-ca.pem"));
    world.sim.assign_permission_set("example-account", "Operators");
    world
        .sim
        .set_behaviour(|b| b.identity_center.approval = Approval::AfterPolls(0));
    world.terminal(true, true, true);
    let start_url = world.sim.start_url();
    world.type_in(&format!("cn-north-4\nIdentity Center\n{start_url}\ncn-north-4\n"));
    let login = world.login(&[]);
    assert!(
        login.is_done().stderr.contains("the API server knows you as"),
        "{login}"
    );
    assert!(
        login
            .stderr
            .contains("profile `default`: agency SysReservedV3_Operators"),
        "{login}"
    );
    assert_eq!(world.opened().len(), 1);
    // Nobody approves: nothing is left.
    let (mut world, _proxy) = World::behind_a_proxy(ProxyKind::Http);
    world.use_no_key();
    world.set("SSL_CERT_FILE", world.path("cloud-ca.pem"));
    world
        .sim
        .set_behaviour(|b| b.identity_center.approval = Approval::Denied);
    world.terminal(true, true, true);
    world.type_in(&format!("cn-north-4\nIdentity Center\n{start_url}\ncn-north-4\n"));
    assert_eq!(world.login(&[]).exit, Exit::Interrupted);
    assert!(!world.has(".config/cce-login/config.toml") && !world.has(".kube/config"));
}
