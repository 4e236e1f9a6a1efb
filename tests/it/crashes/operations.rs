//! Everything that writes, each as a person or kubectl runs it.

use super::traced::Ran;
use crate::system::world::{Memory, World, words};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::time::Duration;

/// Something that writes files.
pub(super) struct Operation {
    pub(super) name: &'static str,
    /// For the page.
    pub(super) files: &'static str,
    pub(super) prepare: fn(&mut World),
    pub(super) words: fn(&World) -> Vec<String>,
    pub(super) stdin: fn(&World) -> String,
    /// How it ends.
    pub(super) code: i32,
    /// What is said when it has been done already, where that is an error.
    pub(super) done_already: Option<&'static str>,
}

impl Operation {
    /// Whether a run after another one may end so.
    pub(super) fn allows_again(&self, ran: &Ran) -> bool {
        ran.code == Some(self.code) || self.done_already.is_some_and(|words| ran.stderr.contains(words))
    }
}

/// In a container without a session bus: what is kept is kept in files, on disk or in memory.
pub(super) fn world() -> World {
    let mut world = World::new();
    world.set("container", "docker");
    world.give_memory(Memory::Session);
    let (iam, ca) = (world.sim.iam_endpoint(), world.path("cloud-ca.pem"));
    world.set("CCE_LOGIN_IAM_ENDPOINT", iam);
    world.set("CCE_LOGIN_CA_FILE", ca);
    world.set("CCE_LOGIN_REGION", "cn-north-4");
    world.allow_secrets_below(".config/cce-login/secrets");
    world.allow_secrets_below("handed");
    world
}

fn line(text: &str) -> Vec<String> {
    words("kubectl-cce_login", text)
}

fn login(world: &World) -> Vec<String> {
    let mut all = line("login --region cn-north-4 --cluster prod");
    all.extend(world.cloud_flags());
    all
}

fn foreign_kubeconfig(world: &mut World) {
    let text = "# mine\napiVersion: v1\nkind: Config\nclusters:\n- name: theirs # not ours\n  cluster: {server: \"https://127.0.0.1:1\"}\nusers:\n- name: theirs\n  \
                user: {token: abc}\ncontexts:\n- context: {cluster: theirs, user: theirs, namespace: x}\n  name: theirs\ncurrent-context: theirs\n";
    world.write(".kube/config", text);
}

/// A kubeconfig as the console gives it.
fn downloaded(world: &mut World) {
    let cluster = world.sim.cluster("prod");
    let issued = world
        .sim
        .issue_certificate("prod", "alice", Duration::from_secs(5 * 365 * 86_400));
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: externalCluster\n  cluster:\n    server: {}\n    tls-server-name: kubernetes\n    \
         certificate-authority-data: {}\nusers:\n- name: user\n  user:\n    client-certificate-data: {}\n    client-key-data: {}\ncontexts:\n\
         - name: external\n  context: {{cluster: externalCluster, user: user}}\ncurrent-context: external\n",
        cluster.external_url.unwrap(),
        STANDARD.encode(&cluster.ca_pem),
        STANDARD.encode(&issued.certificate),
        STANDARD.encode(&issued.key),
    );
    world.write(".kube/config", text);
    world.allow_secrets_below(".kube");
}

fn logged_in(world: &mut World) {
    foreign_kubeconfig(world);
    world.login();
}

fn set_profile(world: &World) -> Vec<String> {
    let id = world.sim.access_key("bob").id;
    let mut all = line(&format!(
        "profile set work --access-key-id {id} --region cn-north-4 --secret-stdin --secret-store file"
    ));
    all.extend(world.cloud_flags());
    all
}

fn with_profile(world: &mut World) {
    let secret = world.sim.access_key("bob").secret;
    world.run_with_stdin(&set_profile(world), &secret).succeeded();
}

/// One that ends well and takes no input.
fn operation(
    name: &'static str,
    files: &'static str,
    prepare: fn(&mut World),
    words: fn(&World) -> Vec<String>,
) -> Operation {
    Operation {
        name,
        files,
        prepare,
        words,
        stdin: |_| String::new(),
        code: 0,
        done_already: None,
    }
}

pub(super) fn all() -> Vec<Operation> {
    let mut all = of_kubeconfigs();
    all.extend(of_profiles());
    all.extend(of_certificates());
    all
}

fn of_kubeconfigs() -> Vec<Operation> {
    vec![
        operation(
            "`login`, the first one",
            "kubeconfig, entry in memory, state",
            |_| {},
            login,
        ),
        operation(
            "`login` into a kubeconfig of others",
            "kubeconfig, its backup, entry in memory, state",
            foreign_kubeconfig,
            login,
        ),
        operation(
            "`refresh` after a rotation",
            "kubeconfig, its backup, entry in memory, state",
            |world| {
                logged_in(world);
                world.sim.rotate("prod");
            },
            |_| line("refresh --all"),
        ),
        operation(
            "`convert`",
            "kubeconfig, its backup, entry in memory, state",
            downloaded,
            |_| line("convert --yes"),
        ),
        Operation {
            done_already: Some("no context uses"),
            ..operation(
                "`logout --remove-contexts`",
                "kubeconfig, its backup, entry in memory, tombstones, state",
                logged_in,
                |_| line("logout --all --remove-contexts --yes"),
            )
        },
        Operation {
            done_already: Some("no context uses"),
            ..operation(
                "`logout --all --purge`",
                "everything of ours",
                |world| {
                    logged_in(world);
                    with_profile(world);
                },
                |_| line("logout --all --purge --remove-contexts --yes"),
            )
        },
    ]
}

fn of_profiles() -> Vec<Operation> {
    vec![
        Operation {
            stdin: |world| world.sim.access_key("bob").secret,
            ..operation("`profile set`", "config.toml, secrets, state", |_| {}, set_profile)
        },
        Operation {
            done_already: Some("no profile"),
            ..operation("`profile remove`", "config.toml, secrets, state", with_profile, |_| {
                line("profile remove work --yes")
            })
        },
    ]
}

fn of_certificates() -> Vec<Operation> {
    vec![
        operation(
            "`get-credential`",
            "entry in memory, state, callers",
            |_| {},
            World::get_credential_words,
        ),
        operation(
            "`get-credential --cache=file`",
            "entry in a file, state, callers",
            |_| {},
            |world| {
                let mut all = world.get_credential_words();
                all.push("--cache=file".to_owned());
                all
            },
        ),
        operation(
            "`get-credential` with a log",
            "log, entry in memory, state",
            |world| {
                let log = world.path("log");
                world.set("CCE_LOGIN_LOG", log);
            },
            World::get_credential_words,
        ),
        Operation {
            code: 4,
            ..operation(
                "`get-credential` that is throttled",
                "failure, throttling",
                |world| {
                    world.sim.set_fault(
                        "clustercert",
                        cce_sim::Fault::Throttle {
                            retry_after: Some("60".to_owned()),
                        },
                    );
                },
                World::get_credential_words,
            )
        },
        operation(
            "`refresh --to`",
            "files for others, entry in memory, state",
            logged_in,
            |world| {
                let to = world.path("handed");
                line(&format!("refresh --all --to {to}"))
            },
        ),
    ]
}
