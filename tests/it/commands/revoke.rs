//! `revoke`: what is cut off, what is said before, and what is true afterwards.

use crate::support::{Outcome, World};
use cce_login::error::Exit;
use cce_sim::{AgencySpec, ClusterSpec, Fault, Sim};
use std::time::Duration;

/// A world with a login to `prod`.
fn logged_in() -> World {
    let world = World::new();
    world.login(&[]).is_done();
    world
}

/// Whether the API server of `prod` takes this user's certificate of before.
struct Copy {
    certificate: cce_sim::IssuedCertificate,
}

impl Copy {
    fn of(world: &World, user: &str) -> Self {
        Self {
            certificate: world.sim.issue_certificate("prod", user, Duration::from_secs(86400)),
        }
    }

    fn is_accepted(&self, world: &World) -> bool {
        use cce_login::api_server::ApiServer;
        use cce_login::certificate::ClientCert;
        use cce_login::host::{Deadline, Env};
        use cce_login::http::{Proxies, ServerCheck};
        let cluster = world.sim.cluster("prod");
        let server = ApiServer {
            url: cce_login::ids::Endpoint::parse(&cluster.external_url.unwrap()).unwrap(),
            check: ServerCheck::Verified {
                ca_pem: cluster.ca_pem,
                name: Some("kubernetes".to_owned()),
            },
            proxies: Proxies::from_env(&Env::given([("A", "b")])),
        };
        let (certificate, key) = (&self.certificate.certificate, &self.certificate.key);
        let cert = ClientCert::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
        server.accepts(&cert, Deadline::after(Duration::from_secs(20))).unwrap()
    }
}

fn certificates_kept(world: &World) -> usize {
    let names = world.keyring().names();
    names.iter().filter(|name| name.starts_with("cert-")).count()
}

fn revocations(world: &World) -> Vec<String> {
    let requests = world.sim.requests();
    let own = requests
        .iter()
        .filter(|request| request.operation == "clustercertrevoke");
    own.map(|request| request.body.clone()).collect()
}

#[test]
fn your_own_certificates_are_refused_on_every_machine_and_a_new_one_can_be_fetched() {
    let world = logged_in();
    let (own, bobs) = (Copy::of(&world, "alice"), Copy::of(&world, "bob"));
    let first = world.get_credential(&["--identity=env"]).credential();
    let out = world.run(["revoke", "--yes"]);
    out.is_done();
    world.snapshot("revoke/own", &out);
    assert_eq!(
        revocations(&world),
        [format!(r#"{{"userId":"{}"}}"#, world.sim.user_id("alice"))]
    );
    assert_eq!((own.is_accepted(&world), bobs.is_accepted(&world)), (false, true));
    assert_eq!(certificates_kept(&world), 0);
    let again = world.get_credential(&["--identity=env"]).credential();
    assert_ne!(again.certificate, first.certificate);
}

#[test]
fn the_clusters_name_must_be_typed_at_a_terminal() {
    let mut world = logged_in();
    world.terminal(true, true, true);
    for (name, typed) in [("revoke/other-name", "production\n"), ("revoke/nothing-typed", "\n")] {
        world.type_in(typed);
        let out = world.run(["revoke"]);
        out.fails(Exit::Failed, "nothing was done");
        world.snapshot(name, &out);
    }
    assert!(revocations(&world).is_empty());
    assert_eq!(certificates_kept(&world), 1);
    world.type_in("prod\n");
    let out = world.run(["revoke"]);
    out.is_done();
    world.snapshot("revoke/typed", &out);
    assert_eq!(revocations(&world).len(), 1);
}

#[test]
fn without_anybody_to_ask_it_takes_yes() {
    let mut world = logged_in();
    let out = world.run(["revoke"]);
    out.fails(Exit::Usage, "needs a confirmation");
    world.snapshot("revoke/nobody-to-ask", &out);
    world.terminal(true, true, true);
    world
        .run(["revoke", "--no-input"])
        .fails(Exit::Usage, "needs a confirmation");
    world.sim.clear_requests();
    world.run(["revoke", "--all", "--no-input"]).fails(Exit::Usage, "--yes");
    assert_eq!(world.sim.count("*"), 0, "nothing was asked for");
    world.run(["revoke", "--no-input", "--yes"]).is_done();
}

#[test]
fn an_administrator_revokes_somebody_else_and_keeps_their_own() {
    let world = logged_in();
    let (own, bobs) = (Copy::of(&world, "alice"), Copy::of(&world, "bob"));
    let bob = world.sim.user_id("bob");
    let out = world.run(["revoke", "--user-id", &bob, "--yes"]);
    out.is_done();
    world.snapshot("revoke/somebody-else", &out);
    assert_eq!((own.is_accepted(&world), bobs.is_accepted(&world)), (true, false));
    assert_eq!(certificates_kept(&world), 1);
}

#[test]
fn an_ordinary_user_can_revoke_nobody_else() {
    let mut world = World::new();
    world.use_key_of("bob");
    world.login(&[]).is_done();
    let alices = Copy::of(&world, "alice");
    let out = world.run(["revoke", "--user-id", &world.sim.user_id("alice"), "--yes"]);
    out.fails(Exit::Identity, "ordinary user");
    world.snapshot("revoke/not-allowed", &out);
    assert!(alices.is_accepted(&world));
    assert_eq!(
        certificates_kept(&world),
        1,
        "nothing was revoked, so nothing is forgotten"
    );
    world.run(["revoke", "--yes"]).is_done();
}

#[test]
fn whose_certificate_it_is_can_be_read_from_it() {
    let mut world = logged_in();
    let bobs = Copy::of(&world, "bob");
    let pem = &bobs.certificate.certificate;
    let (_, parsed) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
    let base64 = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\nusers:\n- name: leaked\n  user:\n    client-certificate-data: {}\n",
        base64(pem)
    );
    for file in ["bob.pem", "bob.der", "bob.kubeconfig"] {
        world.allow_secrets_below(file);
    }
    let files = [
        world.write("bob.pem", format!("some text\n{pem}")),
        world.write("bob.der", parsed.contents),
        world.write("bob.kubeconfig", &kubeconfig),
    ];
    for name in ["bob.pem", "bob.der", "bob.kubeconfig"] {
        world.allow_secrets_below(name); // what somebody else has leaked
    }
    for file in &files {
        world.run(["revoke", "--from-cert", file, "--yes"]).is_done();
    }
    world.type_in(&kubeconfig);
    let out = world.run(["revoke", "--from-cert", "-", "--yes"]);
    out.is_done();
    world.snapshot("revoke/from-stdin", &out);
    let bob = format!(r#"{{"userId":"{}"}}"#, world.sim.user_id("bob"));
    assert_eq!(revocations(&world), vec![bob; 4]);
    assert!(!bobs.is_accepted(&world));
}

#[test]
fn a_file_that_says_nobody_is_refused_before_any_request() {
    let world = logged_in();
    let base64 = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    let of = |user: &str| base64(&Copy::of(&world, user).certificate.certificate);
    let two = format!(
        "users:\n- name: a\n  user: {{client-certificate-data: {}}}\n- name: b\n  user: {{client-certificate-data: {}}}\n",
        of("alice"),
        of("bob")
    );
    world.write("two", two);
    world.write("none", "users:\n- name: a\n  user: {token: t}\n");
    world.write("authority", world.sim.ca_pem());
    // As `openssl req -x509` makes it: its own authority.
    let own = format!(
        "users:\n- name: a\n  user: {{client-certificate-data: {}}}\n",
        base64(&world.sim.ca_pem())
    );
    world.write("self-made", own);
    world.write("noise", [0x30, 0x82, 0xff, 0x00, 0x01]);
    world.sim.clear_requests();
    for (file, name) in [
        ("two", "from-two"),
        ("none", "from-none"),
        ("authority", "from-authority"),
        ("self-made", "from-self-made"),
        ("noise", "from-noise"),
        ("missing", "from-missing"),
    ] {
        let out = world.run(["revoke", "--from-cert", &world.path(file), "--yes"]);
        assert_eq!(out.exit, Exit::Usage, "{out}");
        world.snapshot(&format!("revoke/{name}"), &out);
    }
    assert_eq!(world.sim.count("*"), 0);
}

#[test]
fn an_agencys_certificate_is_revoked_as_an_agencys() {
    let mut world = World::new();
    let agency = world.sim.add_agency(&AgencySpec {
        account: "example-account".to_owned(),
        ..AgencySpec::named("robots")
    });
    world.set("HW_ASSUME_ROLE_AGENCY_NAME", "robots");
    world.set("HW_ASSUME_ROLE_DOMAIN_NAME", "example-account");
    world.login(&[]).is_done();
    let own = world.run(["revoke", "--yes"]);
    own.is_done();
    assert!(own.stderr.contains("verified: the API server refuses"), "{own}");
    // The same from a certificate, by an administrator who is not that agency.
    world.get_credential(&["--identity=env"]).credential();
    let certificate = world.get_credential(&["--identity=env"]).credential().certificate;
    world.allow_secrets_below("robot.pem");
    let file = world.write("robot.pem", certificate);
    world.unset("HW_ASSUME_ROLE_AGENCY_NAME");
    world.unset("HW_ASSUME_ROLE_DOMAIN_NAME");
    world.run(["revoke", "--from-cert", &file, "--yes"]).is_done();
    let expected = format!(r#"{{"agencyId":"{agency}"}}"#);
    assert_eq!(revocations(&world), [expected.clone(), expected]);
}

#[test]
fn an_agencys_key_at_hand_is_known_as_one_too() {
    let mut world = World::new();
    let agency = world.sim.add_agency(&AgencySpec::for_service("machine", "ecs"));
    world.sim.set_ecs_agency(Some("machine"));
    world.set("CCE_LOGIN_METADATA_ENDPOINT", world.sim.metadata_endpoint());
    let sts = world.sim.sts_endpoint();
    world.set("HUAWEICLOUD_SDK_STS_ENDPOINT", &sts);
    world.use_no_key();
    let args = ["revoke", "--cluster", "prod", "--identity", "metadata", "--yes"];
    let out = world.run(args);
    out.is_done();
    assert_eq!(revocations(&world), [format!(r#"{{"agencyId":"{agency}"}}"#)]);
}

#[test]
fn without_a_certificate_at_hand_iam_says_who_you_are() {
    let mut world = World::new();
    for (user, name) in [("alice", "no-certificate-alice"), ("bob", "no-certificate-bob")] {
        world.use_key_of(user);
        let copy = Copy::of(&world, user);
        let out = world.run(["revoke", "--cluster", "prod", "--yes"]);
        out.is_done();
        world.snapshot(&format!("revoke/{name}"), &out);
        assert!(!copy.is_accepted(&world), "{user}");
    }
}

#[test]
fn what_this_machine_has_of_somebody_else_is_no_ones_but_theirs() {
    let mut world = logged_in();
    world.use_key_of("bob");
    // The entry is pinned to the environment, in which somebody else is now.
    world.run(["revoke", "--yes"]).is_done();
    let bob = format!(r#"{{"userId":"{}"}}"#, world.sim.user_id("bob"));
    assert_eq!(revocations(&world), [bob]);
    assert_eq!(certificates_kept(&world), 1, "alice's stays");
}

#[test]
fn a_cluster_that_cannot_do_it_is_told_before_anything_is_asked() {
    let world = World::with(Sim::start_empty());
    for (name, version, release) in [
        ("prod", "v1.25", Some("v1.25.4-r9")),
        ("ancient", "v1.17", None),
        ("fresh", "v1.25", Some("v1.25.4-r10")),
    ] {
        world.sim.add_cluster(ClusterSpec {
            version: version.to_owned(),
            release: release.map(str::to_owned),
            ..ClusterSpec::named(name)
        });
    }
    let out = world.run(["revoke", "--cluster", "prod", "--yes"]);
    out.fails(Exit::Failed, "v1.25.4-r10");
    world.snapshot("revoke/too-old", &out);
    world
        .run(["revoke", "--cluster", "ancient", "--yes"])
        .fails(Exit::Failed, "v1.19.16-r50");
    world.sim.set_phase("fresh", "Hibernation");
    let out = world.run(["revoke", "--cluster", "fresh", "--yes"]);
    out.fails(Exit::Failed, "Hibernation");
    world.snapshot("revoke/asleep", &out);
    assert!(revocations(&world).is_empty());
    world.sim.set_phase("fresh", "Available");
    world.run(["revoke", "--cluster", "fresh", "--yes"]).is_done();
}

#[test]
fn a_cluster_that_cce_knows_better_is_told_with_the_first_releases() {
    let world = logged_in();
    // As CCE puts it where neither version nor platform version says enough.
    let refused = |code: u16, reason: &str| Fault::Status {
        code,
        body: format!(r#"{{"errorCode": "{reason}", "message": "not supported"}}"#),
        headers: Vec::new(),
    };
    world
        .sim
        .add_fault("clustercertrevoke", refused(400, "CCE.01400001"), 1);
    let out = world.run(["revoke", "--yes"]);
    out.fails(Exit::Failed, "v1.27.1-r10, upgrade it");
    world.snapshot("revoke/refused-by-cce", &out);
    // A 403 about the cluster's state is nobody's lack of permission.
    world
        .sim
        .add_fault("clustercertrevoke", refused(403, "CCE.01403003"), 1);
    let out = world.run(["revoke", "--yes", "--user-id", &world.sim.user_id("bob")]);
    out.fails(Exit::Failed, "look at the cluster's state");
    assert_eq!(certificates_kept(&world), 1);
}

#[test]
fn every_cluster_of_an_identity_is_done_with_one_confirmation_and_what_is_left_is_named() {
    let mut world = World::new();
    for name in ["staging", "lab"] {
        world.sim.add_cluster(ClusterSpec::named(name));
    }
    world.sim.set_phase("lab", "Hibernation");
    world.terminal(true, true, true);
    let bob = world.sim.user_id("bob");
    world.type_in("3\n");
    let args = ["revoke", "--all", "--user-id", &bob, "--region", "cn-north-4"];
    world.run(args).fails(Exit::Failed, "`3` was typed");
    world.type_in("2\n");
    let throttle = Fault::Throttle {
        retry_after: Some("2.1".to_owned()),
    };
    world.sim.add_fault("clustercertrevoke", throttle, 1);
    let internal = Fault::Status {
        code: 500,
        body: String::new(),
        headers: Vec::new(),
    };
    world.sim.add_fault("clustercertrevoke", internal, 2);
    let out = world.run(args);
    out.fails(Exit::Failed, "2 of 3 clusters failed");
    world.snapshot("revoke/all", &out);
    let staging = world.sim.cluster("prod").uid;
    assert!(
        out.stderr
            .contains(&format!("--region cn-north-4 --cluster {staging}`")),
        "{out}"
    );
}

#[test]
fn a_lost_answer_is_told_as_what_it_is_and_trying_again_does_no_harm() {
    let world = logged_in();
    let copy = Copy::of(&world, "alice");
    // Twice: the request is repeated once by itself.
    world.sim.add_fault("clustercertrevoke", Fault::ResetAfterActing, 2);
    let out = world.run(["revoke", "--yes", "--no-verify"]);
    out.fails(Exit::Temporary, "the answer was lost");
    world.snapshot("revoke/lost", &out);
    assert_eq!(certificates_kept(&world), 0, "what may be revoked is forgotten");
    assert!(!copy.is_accepted(&world));
    let again = world.run(["revoke", "--yes"]);
    again.is_done();
    world.snapshot("revoke/lost-again", &again);
}

#[test]
fn a_lost_answer_is_made_up_for_by_the_api_servers() {
    let world = logged_in();
    world.sim.add_fault("clustercertrevoke", Fault::ResetAfterActing, 2);
    let out = world.run(["revoke", "--yes"]);
    out.is_done();
    world.snapshot("revoke/lost-but-seen", &out);
    // Lost before it was acted upon: the API server still accepts the certificate.
    world.get_credential(&["--identity=env"]).credential();
    world.sim.add_fault("clustercertrevoke", Fault::ResetBeforeAnswer, 2);
    let out = world.run(["revoke", "--yes", "--timeout", "3s"]);
    out.fails(Exit::Temporary, "nobody knows");
    assert_eq!(certificates_kept(&world), 0);
}

#[test]
fn a_revocation_that_does_not_work_is_not_called_one() {
    let world = logged_in();
    let nothing = Fault::Status {
        code: 200,
        body: String::new(),
        headers: Vec::new(),
    };
    world.sim.add_fault("clustercertrevoke", nothing, 1);
    let mut out = world.run(["revoke", "--yes", "--timeout", "3s"]);
    out.fails(Exit::Failed, "still accepts the old certificate");
    out.stderr = out.stderr.replace("after 1 s", "after 2 s");
    world.snapshot("revoke/still-accepted", &out);
}

#[test]
fn an_api_server_out_of_reach_verifies_nothing_and_hinders_nothing() {
    let world = logged_in();
    world.sim.set_api_server_open("prod", false);
    let out = world.run(["revoke", "--yes", "--timeout", "2s"]);
    out.is_done();
    world.snapshot("revoke/not-verified", &out);
    let out = world.run(["revoke", "--yes", "--verify"]);
    out.fails(Exit::Temporary, "there is no certificate of yours on this machine");
    world.snapshot("revoke/nothing-to-verify-with", &out);
}

#[test]
fn a_cloud_without_the_api_is_told_in_one_line() {
    let world = logged_in();
    world
        .sim
        .set_behaviour(|behaviour| behaviour.no_revoke_and_rotate = true);
    let out = world.run(["revoke", "--yes"]);
    out.fails(Exit::Failed, "does not offer");
    world.snapshot("revoke/not-offered", &out);
    assert_eq!(certificates_kept(&world), 1);
    world
        .sim
        .set_behaviour(|behaviour| behaviour.no_revoke_and_rotate = false);
    let html = Fault::Status {
        code: 404,
        body: "<html>nothing here</html>".to_owned(),
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
    };
    world.sim.add_fault("clustercertrevoke", html, 1);
    world.run(["revoke", "--yes"]).fails(Exit::Failed, "does not offer");
}

#[test]
fn a_logout_can_revoke_on_the_same_path() {
    let mut world = logged_in();
    let copy = Copy::of(&world, "alice");
    let out = world.run(["logout", "--revoke"]);
    out.fails(Exit::Usage, "needs a confirmation");
    assert_eq!(certificates_kept(&world), 1);
    world.terminal(true, true, true);
    world.type_in("prod\n");
    let out = world.run(["logout", "--revoke"]);
    out.is_done();
    world.snapshot("revoke/logout", &out);
    assert!(!copy.is_accepted(&world));
    assert_eq!(certificates_kept(&world), 0);
}

#[test]
fn a_logout_forgets_also_where_it_could_not_revoke() {
    let world = logged_in();
    world
        .sim
        .set_behaviour(|behaviour| behaviour.no_revoke_and_rotate = true);
    let out = world.run(["logout", "--revoke", "--yes"]);
    out.fails(Exit::Failed, "does not offer");
    world.snapshot("revoke/logout-not-offered", &out);
    assert_eq!(certificates_kept(&world), 0);
}

#[test]
fn flags_that_do_not_go_together_are_refused() {
    let world = logged_in();
    world.sim.clear_requests();
    let cases: [(&str, &[&str]); 7] = [
        ("flags-user-and-agency", &["--user-id", "a", "--agency-id", "b"]),
        ("flags-user-and-certificate", &["--user-id", "a", "--from-cert", "f"]),
        ("flags-all-and-cluster", &["--all", "--cluster", "prod"]),
        ("flags-context-and-cluster", &["--context", "prod", "--cluster", "prod"]),
        ("flags-profile-of-a-context", &["--profile", "work"]),
        ("flags-bad-id", &["--user-id", "a;b"]),
        ("flags-verify-of-somebody-else", &["--user-id", "a", "--verify"]),
    ];
    for (name, flags) in cases {
        let out: Outcome = world.run(["revoke", "--yes"].iter().chain(flags));
        assert_eq!(out.exit, Exit::Usage, "{out}");
        world.snapshot(&format!("revoke/{name}"), &out);
    }
    let none = world.write("none", "");
    let out = world.run(["revoke", "--kubeconfig", &none, "--yes"]);
    out.fails(Exit::Usage, "no current context");
    world.snapshot("revoke/no-current-context", &out);
    let out = world.run(["revoke", "--cluster", "prdo", "--yes"]);
    out.fails(Exit::Usage, "there is no cluster `prdo`");
    world.snapshot("revoke/unknown-cluster", &out);
    assert!(revocations(&world).is_empty());
}

#[test]
fn a_region_that_cannot_be_asked_matters_only_where_a_cluster_is_missing() {
    let world = logged_in();
    let regions = ["--region", "cn-north-4", "--region", "eu-de"];
    let revoke = |cluster: &str| world.run(["revoke", "--yes", "--cluster", cluster].iter().chain(&regions));
    revoke("prod").is_done();
    revoke("lab").fails(Exit::Usage, "eu-de");
}
