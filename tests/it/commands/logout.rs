//! `logout`: what is forgotten stays forgotten.

use crate::support::World;
use cce_login::error::Exit;
use cce_login::store::Switches;
use cce_sim::{ClusterSpec, Fault};
use std::time::Duration;

fn get(world: &World) -> crate::support::Outcome {
    world.get_credential(&["--identity=env"])
}

#[test]
fn a_certificate_is_forgotten_and_who_can_sign_in_is_told() {
    let world = World::new();
    world.login(&[]).is_done();
    let first = get(&world).credential();
    let out = world.run(["logout"]);
    out.is_done();
    world.snapshot("logout/logout", &out);
    assert!(world.keyring().names().iter().all(|name| !name.starts_with("cert-")));
    let again = world.run(["logout"]);
    again.is_done();
    world.snapshot("logout/again", &again);
    assert_ne!(get(&world).credential().certificate, first.certificate);
    assert_eq!(world.certificate_requests(), 2);
}

#[test]
fn who_is_not_there_any_more_is_not_said_to_sign_in() {
    let mut world = World::new();
    world.login(&[]).is_done();
    world.use_no_key();
    let logout = world.run(["logout"]);
    assert!(!logout.is_done().stderr.contains("sign in"), "{logout}");
}

#[test]
fn every_lifetime_of_this_context_is_forgotten_and_no_other_cluster() {
    let world = World::new();
    world.sim.add_cluster(ClusterSpec::named("staging"));
    world.run(["--cluster", "staging"]).is_done();
    world.login(&["--duration=1d"]).is_done();
    get(&world).credential();
    world.run(["logout", "--context", "prod"]).is_done();
    let left = world
        .keyring()
        .names()
        .into_iter()
        .filter(|name| name.starts_with("cert-"));
    assert_eq!(left.count(), 1);
    assert_eq!(world.certificate_requests(), 3);
    world.get_credential_of("staging", &["--identity=env"]).credential();
    assert_eq!(world.certificate_requests(), 3);
}

#[test]
fn contexts_are_removed_when_asked_for_and_what_others_use_stays() {
    let world = World::new();
    world.login(&[]).is_done();
    let mine = "- name: mine\n  context:\n    cluster: prod.cn-north-4\n    user: me\n";
    let text = world
        .kubeconfig_text()
        .replace("contexts:\n", &format!("contexts:\n{mine}"));
    world.write(".kube/config", text);
    let out = world.run(["logout", "--all", "--remove-contexts"]);
    out.is_done();
    world.snapshot("logout/remove-contexts", &out);
    let after = world.kubeconfig_text();
    assert!(
        after.contains("name: mine") && after.contains("prod.cn-north-4"),
        "{after}"
    );
    assert!(!after.contains("get-credential"), "{after}");
}

#[test]
fn a_certificate_that_is_on_its_way_is_not_kept() {
    let world = World::new();
    world.login(&[]).is_done();
    world.run(["logout"]).is_done();
    world
        .sim
        .set_fault("clustercert", Fault::Latency(Duration::from_millis(300)));
    let on_its_way = world.get_credential_while(&["--identity=env"], || {
        world.run(["logout", "--context", "prod"]).is_done();
    });
    on_its_way.credential();
    assert!(world.keyring().names().iter().all(|name| !name.starts_with("cert-")));
}

#[test]
fn a_keyring_that_cannot_delete_is_named_and_the_certificate_is_void_all_the_same() {
    let world = World::new();
    world.login(&[]).is_done();
    let first = get(&world).credential();
    world.keyring().switch(Switches {
        locked: true,
        ..Switches::default()
    });
    let out = world.run(["logout"]);
    out.fails(Exit::Failed, "locked");
    world.snapshot("logout/locked-keyring", &out);
    world.keyring().switch(Switches::default());
    assert!(world.keyring().names().iter().any(|name| name.starts_with("cert-")));
    assert_ne!(get(&world).credential().certificate, first.certificate);
    world.run(["logout"]).is_done();
}

#[test]
fn a_token_that_a_store_keeps_all_the_same_is_void() {
    let mut world = World::new();
    world.use_no_key();
    world.unset("CCE_LOGIN_IAM_ENDPOINT");
    world.sim.set_password("alice", "correct horse battery");
    let (iam, roots) = (world.sim.iam_endpoint(), world.path("cloud-ca.pem"));
    for (name, value) in [
        ("OS_CACERT", roots.as_str()),
        ("OS_AUTH_URL", iam.as_str()),
        ("OS_CACERT", roots.as_str()),
        ("OS_USERNAME", "alice"),
        ("OS_PASSWORD", "correct horse battery"),
        ("OS_USER_DOMAIN_NAME", "example-account"),
    ] {
        world.set(name, value);
    }
    world.login(&[]).is_done();
    let signed_in = world.sim.count("tokens");
    world
        .get_credential(&["--identity=env", "--force-refresh"])
        .credential();
    assert_eq!(world.sim.count("tokens"), signed_in, "the token is kept");

    world.keyring().switch(Switches {
        fail_delete: true,
        ..Switches::default()
    });
    world.run(["logout"]).fails(Exit::Failed, "is void");
    world.keyring().switch(Switches::default());
    world.get_credential(&["--identity=env"]).credential();
    assert!(world.sim.count("tokens") > signed_in, "the void token was used");
}

#[test]
fn a_purge_leaves_nothing_but_what_the_kubeconfig_says() {
    let mut world = World::new();
    world.keep_profile("work", "alice");
    world.login(&["--profile=work"]).is_done();
    let program = world.write("bin/kubectl-cce_login", "");
    world.executable(program.into());
    world.set("PATH", world.path("bin"));
    world.run(["completion", "install"]).is_done();

    for flags in [&[][..], &["--context=work@prod.cn-north-4"]] {
        let part = world.run(["logout", "--purge", "--yes"].iter().chain(flags));
        part.fails(
            Exit::Usage,
            "`kubectl cce-login logout --all --purge --remove-contexts`",
        );
        assert!(!world.keyring().is_empty(), "{part}");
    }
    world.snapshot("logout/purge-of-a-part", &world.run(["logout", "--purge", "--yes"]));
    world
        .run(["logout", "--all", "--purge"])
        .fails(Exit::Usage, "needs a confirmation");
    let out = world.run(["logout", "--all", "--purge", "--yes"]);
    out.is_done();
    world.snapshot("logout/purge", &out);
    assert!(world.keyring().is_empty(), "{:?}", world.keyring().names());
    for gone in [
        ".config/cce-login",
        ".local/state/cce-login",
        "bin/kubectl_complete-cce_login",
    ] {
        assert!(!world.has(gone), "{gone}");
    }
    assert!(world.kubeconfig_text().contains("get-credential"));
    // As it was told.
    world.run(["logout", "--all", "--remove-contexts"]).is_done();
    assert!(!world.kubeconfig_text().contains("get-credential"));

    world.keep_profile("work", "alice");
    world.login(&["--profile=work"]).is_done();
    let whole = world.run(["logout", "--all", "--purge", "--remove-contexts", "--yes"]);
    assert!(!whole.is_done().stderr.contains("still in the kubeconfig"), "{whole}");
    assert!(!world.kubeconfig_text().contains("get-credential"));
}

#[test]
fn a_purge_stops_where_a_store_keeps_a_secret() {
    let mut world = World::new();
    world.keep_profile("work", "alice");
    world.keyring().switch(Switches {
        fail_delete: true,
        ..Switches::default()
    });
    world
        .run(["logout", "--all", "--purge", "--yes"])
        .fails(Exit::Failed, "the secret of profile `work`");
    assert!(world.has(".config/cce-login/config.toml"));
}

/// A store that cannot be asked stops a purge before its first change (issue 13, 3).
#[test]
fn a_purge_that_cannot_be_finished_changes_nothing() {
    let mut world = World::new();
    world.keep_profile("work", "alice");
    world.login(&["--profile=work"]).is_done();
    let before = world.keyring().names();
    world.keyring().switch(Switches {
        locked: true,
        ..Switches::default()
    });
    world
        .run(["logout", "--all", "--purge", "--remove-contexts", "--yes"])
        .fails(Exit::Failed, "nothing has been removed");
    world.keyring().switch(Switches::default());
    assert_eq!(world.keyring().names(), before);
    assert!(world.kubeconfig_text().contains("get-credential"));
    assert!(world.has(".config/cce-login/config.toml"));
}

/// Somebody named a directory for us that has other things in it (issue 12, C10).
#[test]
fn a_purge_leaves_what_is_not_ours_and_says_so() {
    let mut world = World::new();
    for name in ["CCE_LOGIN_CONFIG_DIR", "CCE_LOGIN_STATE_DIR", "CCE_LOGIN_CACHE_DIR"] {
        world.set(name, world.path("everything"));
    }
    world.keep_profile("work", "alice");
    world.login(&["--profile=work"]).is_done();
    for name in ["thesis.tex", "entries/notes.json", "photos/1.jpg"] {
        world.write(&format!("everything/{name}"), "mine");
    }
    let out = world.run(["logout", "--all", "--purge", "--yes"]);
    out.is_done();
    let said = out.stderr.replace(&world.path("everything"), "DIR");
    assert!(
        said.contains("`DIR` stays, with what is not ours in it: entries/notes.json, photos, thesis.tex"),
        "{said}"
    );
    for name in ["thesis.tex", "entries/notes.json", "photos/1.jpg"] {
        assert_eq!(world.read(&format!("everything/{name}")), "mine");
    }
    assert!(!world.has("everything/config.toml") && !world.has("everything/tombstones"));
}

/// "Void" is said only where it could be noted (issue 12, C11).
#[test]
fn where_no_tombstone_can_be_written_nothing_is_called_void() {
    let world = World::new();
    world.login(&[]).is_done();
    world.write(".local/state/cce-login/tombstones", "a file in the way");
    let out = world.run(["logout"]);
    out.fails(Exit::Failed, "may be kept");
    assert!(
        !out.stderr.contains("certificate is void") && !out.stderr.contains("is forgotten"),
        "{}",
        out.stderr
    );
    assert!(world.keyring().names().iter().all(|name| !name.starts_with("cert-")));

    world.login(&[]).is_done();
    world.keyring().switch(Switches {
        fail_delete: true,
        ..Switches::default()
    });
    let out = world.run(["logout"]);
    out.fails(Exit::Failed, "neither void nor deleted");
    world.keyring().switch(Switches::default());
    std::fs::remove_file(world.home().join(".local/state/cce-login/tombstones")).unwrap();
    world.run(["logout"]).is_done();
}
