//! Certificates that one keeps and others read: `refresh --to` and `--cache-from`.

use crate::support::{World, Written};
use cce_login::error::Exit;
use std::os::unix::fs::{PermissionsExt as _, symlink};

/// A machine that has written its certificate into `out`.
fn keeper() -> World {
    let world = World::new();
    world.allow_secrets_below("out");
    world.allow_secrets_below("mount");
    world.login(&["--identity", "env"]).is_done();
    world.run(["refresh", "--to", &world.path("out")]).is_done();
    world
}

fn file_of(world: &World, form: &str) -> String {
    format!("out/{}.{form}", world.sim.cluster("prod").uid)
}

#[test]
fn who_has_no_identity_reads_what_another_has_written() {
    let mut world = keeper();
    let written = world.get_credential(&["--identity=env"]).credential();
    let file = file_of(&world, "pem");
    let mode = std::fs::metadata(world.path(&file)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // As a Secret is mounted: links to links, and readable by all.
    let name = file.strip_prefix("out/").unwrap();
    let data = world.home().join("mount/..2026_data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::copy(world.path(&file), data.join(name)).unwrap();
    std::fs::set_permissions(data.join(name), std::fs::Permissions::from_mode(0o644)).unwrap();
    symlink("..2026_data", world.path("mount/..data")).unwrap();
    symlink(format!("..data/{name}"), world.path(&format!("mount/{name}"))).unwrap();

    world.use_no_key();
    world.move_to_another_machine();
    let requests = world.sim.count("*");
    for directory in ["out", "mount"] {
        let read = world
            .get_credential(&["--cache-from", &world.path(directory)])
            .credential();
        assert_eq!((&read.certificate, &read.key), (&written.certificate, &written.key));
        assert_eq!(read.expires, written.expires);
    }
    assert_eq!(world.sim.count("*"), requests);
}

#[test]
fn what_is_not_for_us_is_not_taken() {
    let mut world = keeper();
    let file = file_of(&world, "pem");
    let good = world.read(&file);
    let other = world
        .sim
        .issue_certificate("prod", "bob", std::time::Duration::from_secs(3600));
    let (_, key) = good.split_once("-----END CERTIFICATE-----\n").unwrap();
    let texts = [
        String::new(),
        "cluster: nothing else\n".to_owned(),
        good.replacen("cluster: ", "cluster: 0", 1),
        good.replacen("cluster: ", "# ", 1),
        good.replace("PRIVATE KEY", "PUBLIC KEY"),
        good[..good.len() / 2].to_owned(),
        good.replace(key, &other.key),
    ];
    for text in texts {
        world.write(&file, &text);
        let directory = world.path("out");
        let flags = ["--cache-from", &directory];
        // Who has an identity gets a certificate all the same.
        world.get_credential(&flags).credential();
        let (id, secret) = (
            world.variable("HUAWEICLOUD_SDK_AK"),
            world.variable("HUAWEICLOUD_SDK_SK"),
        );
        world.use_no_key();
        let said = world.get_credential(&flags);
        assert_eq!(said.exit, Exit::Identity, "{said}");
        assert!(said.stderr.contains(".pem") && said.stderr.contains("hint: "), "{said}");
        world.set("HUAWEICLOUD_SDK_AK", &id);
        world.set("HUAWEICLOUD_SDK_SK", &secret);
    }
    // Past its end, and nowhere.
    world.write(&file, &good);
    world.use_no_key();
    let flags = ["--cache-from", &world.path("out")];
    world.set_clock_off(9 * 3600);
    world.get_credential(&flags).fails(Exit::Temporary, "is valid from");
    std::fs::remove_file(world.path(&file)).unwrap();
    world.get_credential(&flags).fails(Exit::Identity, "cannot read");
}

#[test]
fn tools_that_run_no_plugins_get_a_whole_kubeconfig() {
    let world = keeper();
    let out = world.path("out");
    let said = world.run(["refresh", "--to", &out, "--format", "kubeconfig"]);
    assert!(said.is_done().stderr.contains("good until"), "{said}");
    let written = Written::parse(&world.read(&file_of(&world, "kubeconfig")));
    let ours = world.kubeconfig();
    let cluster = |written: &Written| written.0["clusters"][0]["cluster"].clone();
    for key in ["server", "certificate-authority-data", "tls-server-name"] {
        assert_eq!(cluster(&written)[key], cluster(&ours)[key], "{key}");
    }
    let user = &written.0["users"][0]["user"];
    assert!(
        user["exec"].is_null() && user["client-certificate-data"].is_string() && user["client-key-data"].is_string()
    );
    assert_eq!(written.0["current-context"], "prod");
}

#[test]
fn an_entry_keeps_where_its_certificates_come_from_and_status_shows_it() {
    let mut world = keeper();
    let out = world.path("out");
    let flags = [
        "--identity",
        "env",
        "--cache-from",
        &out,
        "--shared-cache",
        "vault:kv/cce",
    ];
    world.login(&flags).is_done();
    let args = world.kubeconfig().0["users"][0]["user"]["exec"]["args"].to_string();
    for flag in [format!("--cache-from={out}"), "--shared-cache=vault:kv/cce".to_owned()] {
        assert!(args.contains(&flag), "{args}");
    }
    // A login without the flags keeps them.
    world.login(&["--identity", "env"]).is_done();
    assert_eq!(
        world.kubeconfig().0["users"][0]["user"]["exec"]["args"].to_string(),
        args
    );
    world.use_no_key();
    let status = world.run(["status", "-o", "wide"]);
    assert!(status.is_done().stdout.contains(&out), "{status}");
}
