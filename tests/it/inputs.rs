//! Issue 12, D16: whatever lies under the name of an input, a run ends in its time and keeps its memory.

use crate::support::World;
use cce_login::error::Exit;
use cce_sim::{Fault, Sim};
use std::path::Path;
use std::time::{Duration, Instant};

/// A run of one second that has not ended after so long waits for something without an end.
const PATIENCE: Duration = Duration::from_secs(15);

/// An input: how a world comes to read it from this path, and the command that does.
struct Case {
    what: &'static str,
    set: fn(&mut World, &str),
    run: &'static str,
}

const WHOAMI: &str = "whoami --timeout 1s";

/// Every file that a person, a variable or another program names.
const CASES: &[Case] = &[
    Case {
        what: "--ca-file",
        set: |world, path| world.set("CCE_LOGIN_CA_FILE", path),
        run: WHOAMI,
    },
    Case {
        what: "SSL_CERT_FILE",
        set: |world, path| {
            world.unset("CCE_LOGIN_CA_FILE");
            world.set("SSL_CERT_FILE", path);
        },
        run: WHOAMI,
    },
    Case {
        what: "SSL_CERT_FILE, for a neighbour",
        set: |world, path| {
            world.use_no_key();
            world.set("SSL_CERT_FILE", path);
            world.set("CCE_LOGIN_METADATA_ENDPOINT", "http://127.0.0.1:1");
        },
        run: "whoami --identity metadata --timeout 1s",
    },
    Case {
        what: "SSL_CERT_FILE, for Vault",
        set: |world, path| {
            world.set("SSL_CERT_FILE", path);
            world.set("VAULT_ADDR", "https://127.0.0.1:1");
            world.set("VAULT_TOKEN", "hvs.0123456789012345");
            world.set("CCE_LOGIN_SHARED_CACHE", "vault:kv/cce");
        },
        run: "doctor --timeout 1s",
    },
    Case {
        what: "VAULT_CACERT",
        set: |world, path| {
            world.set("VAULT_CACERT", path);
            world.set("VAULT_ADDR", "https://127.0.0.1:1");
            world.set("VAULT_TOKEN", "hvs.0123456789012345");
            world.set("CCE_LOGIN_SHARED_CACHE", "vault:kv/cce");
        },
        run: "doctor --timeout 1s",
    },
    Case {
        what: "the file of Vault's token",
        set: |world, path| {
            world.set("VAULT_ADDR", "https://127.0.0.1:1");
            world.set("CCE_LOGIN_VAULT_TOKEN_FILE", path);
            world.set("CCE_LOGIN_SHARED_CACHE", "vault:kv/cce");
        },
        run: "doctor --timeout 1s",
    },
    Case {
        what: "config.toml",
        set: |world, path| {
            world.use_no_key();
            link(path, &world.path(".config/cce-login/config.toml"));
        },
        run: WHOAMI,
    },
    Case {
        what: "config.toml, changed",
        set: |world, path| link(path, &world.path(".config/cce-login/config.toml")),
        run: "profile remove somebody --yes --timeout 1s",
    },
    Case {
        what: "clouds.yaml",
        set: |world, path| {
            world.use_no_key();
            world.set("OS_CLOUD", "it");
            link(path, &world.path(".config/openstack/clouds.yaml"));
        },
        run: WHOAMI,
    },
    Case {
        what: "OS_CLIENT_SECURE_FILE",
        set: |world, path| {
            world.use_no_key();
            world.set("OS_CLOUD", "it");
            world.set("OS_CLIENT_SECURE_FILE", path);
        },
        run: WHOAMI,
    },
    Case {
        what: "clouds-public.yaml",
        set: |world, path| {
            world.use_no_key();
            world.set("OS_CLOUD", "it");
            world.write(
                ".config/openstack/clouds.yaml",
                "clouds: {it: {profile: mine, auth: {username: u, password: p}}}\n",
            );
            link(path, &world.path(".config/openstack/clouds-public.yaml"));
        },
        run: WHOAMI,
    },
    Case {
        what: "the SDKs' credentials",
        set: |world, path| {
            world.use_no_key();
            link(path, &world.path(".huaweicloud/credentials"));
        },
        run: WHOAMI,
    },
    Case {
        what: "KooCLI's config.json",
        set: |world, path| {
            world.use_no_key();
            link(path, &world.path(".hcloud/config.json"));
        },
        run: WHOAMI,
    },
    Case {
        what: "the file of an id token for IAM",
        set: |world, path| {
            world.use_no_key();
            world.set("HUAWEICLOUD_SDK_IDP_ID", "provider");
            world.set("HUAWEICLOUD_SDK_ID_TOKEN_FILE", path);
        },
        run: WHOAMI,
    },
    Case {
        what: "the file of an id token for STS",
        set: |world, path| {
            world.use_no_key();
            world.set("HUAWEICLOUD_OIDC_ID_TOKEN_FILE", path);
            world.set("HUAWEICLOUD_OIDC_PROVIDER_URN", "iam::provider");
            world.set("HUAWEICLOUD_OIDC_AGENCY_URN", "iam::agency");
        },
        run: WHOAMI,
    },
    Case {
        what: "--kubeconfig",
        set: |world, path| link(path, &world.path("given")),
        run: "status --kubeconfig {home}/given --timeout 1s",
    },
    Case {
        what: "a kubeconfig that is written",
        set: |world, path| link(path, &world.path(".kube/config")),
        run: "login --cluster prod --timeout 1s",
    },
    Case {
        what: "kubectl's own settings",
        set: |world, path| world.set("KUBERC", path),
        run: "doctor --timeout 1s",
    },
    Case {
        what: "--from-cert",
        set: |world, path| link(path, &world.path("given")),
        run: "revoke --cluster prod --from-cert {home}/given --yes --timeout 1s",
    },
    Case {
        what: "--custom-ca",
        set: |world, path| link(path, &world.path("given")),
        run: "rotate --cluster prod --component custom --custom-ca {home}/given --custom-cert {home}/given --custom-key {home}/given --yes --timeout 1s",
    },
    Case {
        what: "--cache-from",
        set: |world, path| {
            world.use_no_key();
            let id = world.sim.cluster("prod").uid;
            link(path, &world.path(&format!("handed/{id}.json")));
        },
        run: "get-credential --timeout 1s --cache-from {home}/handed --region={region} --project-id={project} --cluster-id={cluster}",
    },
];

fn link(target: &str, path: &str) {
    let path = Path::new(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(target, path).unwrap();
}

/// A pipe, and what will be written into it, once.
fn pipe(directory: &Path, name: &str, text: Option<Vec<u8>>) -> String {
    let path = directory.join(name);
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    if let Some(text) = text {
        let path = path.clone();
        std::thread::spawn(move || std::fs::write(path, text).unwrap());
    }
    path.to_str().unwrap().to_owned()
}

fn run(world: &World, line: &str) -> crate::support::Outcome {
    let cluster = world.sim.cluster("prod");
    let line = line
        .replace("{home}", &world.path(""))
        .replace("{region}", world.sim.region())
        .replace("{project}", &cluster.project_id)
        .replace("{cluster}", &cluster.uid);
    world.run(line.split(' '))
}

#[test]
fn no_input_is_waited_for_longer_than_the_run_may_take() {
    let pipes = tempfile::tempdir().unwrap();
    let silent = pipe(pipes.path(), "silent", None);
    for Case { what, set, run: line } in CASES {
        for path in [silent.as_str(), "/dev/zero"] {
            let mut world = World::new();
            set(&mut world, path);
            let started = Instant::now();
            let outcome = run(&world, line);
            assert!(started.elapsed() < PATIENCE, "{what} = {path}: {outcome}");
            let is_told = outcome.exit != Exit::Done;
            let is_left_out = ["kubectl's own settings", "config.toml, changed"].contains(what);
            assert!(is_told || is_left_out, "{what} = {path}: {outcome}");
        }
    }
}

#[test]
fn what_somebody_writes_into_a_pipe_is_read_once_and_known_for_the_whole_run() {
    let pipes = tempfile::tempdir().unwrap();
    let mut world = World::new();
    let roots = world.sim.ca_pem().as_bytes().to_vec();
    world.set("CCE_LOGIN_CA_FILE", pipe(pipes.path(), "ca", Some(roots)));
    world.get_credential(&["--timeout=20s"]).credential();

    let mut world = World::new();
    world.login(&[]).is_done();
    let text = world.kubeconfig_text().into_bytes();
    let status = |name: &str, command: &str| {
        let path = pipe(pipes.path(), name, Some(text.clone()));
        run(&world, &format!("{command} --kubeconfig {path} --timeout 20s"))
    };
    assert!(status("kubeconfig-1", "status").is_done().stdout.contains("prod"));
    assert!(
        status("kubeconfig-2", "status --check")
            .is_done()
            .stdout
            .contains("prod")
    );
    assert!(status("kubeconfig-3", "refresh").stderr.contains("certificate"));
    let silent = pipe(pipes.path(), "silent", None);
    run(&world, &format!("status --kubeconfig {silent} --timeout 1s")).fails(Exit::Temporary, "cannot read");
    // It cannot be written, and is not turned into a file.
    let path = pipe(pipes.path(), "kubeconfig-4", Some(Vec::new()));
    run(
        &world,
        &format!("login --cluster prod --kubeconfig {path} --timeout 20s"),
    )
    .fails(Exit::Usage, "a pipe");
    let kind = std::fs::symlink_metadata(&path).unwrap().file_type();
    assert!(std::os::unix::fs::FileTypeExt::is_fifo(&kind));

    world.use_no_key();
    world.write(".huaweicloud/unused", "");
    let key = world.sim.access_key("alice");
    let text = format!("[basic]\nak = {}\nsk = {}\n", key.id, key.secret);
    world.set(
        "HUAWEICLOUD_SDK_CREDENTIALS_FILE",
        pipe(pipes.path(), "credentials", Some(text.into_bytes())),
    );
    run(&world, "whoami --timeout 20s").is_done();
}

#[test]
fn an_answer_of_too_many_values_or_bytes_is_refused_before_it_is_read() {
    let values = format!("[{}]", vec!["{\"a\":0}"; 130_000].join(","));
    let bytes = format!("\"{}\"", "x".repeat(17 << 20));
    for body in [values, bytes] {
        let world = World::with(Sim::start());
        world.sim.set_fault("clustercert", Fault::Malformed(body));
        world.get_credential(&[]).fails(Exit::Failed, "is too large");
    }
}
