//! The whole story in one command, against a simulated cloud: `cargo run --example demo`.
//!
//! No account, no root, nothing of yours is touched: home directory, kubeconfig and certificates live in a directory that is
//! removed at the end. kubectl is used if it is there; otherwise the demo makes the same calls itself.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a demo tells a person what it does, and stops when it cannot go on"
)]

use cce_login::certificate::ClientCert;
use cce_login::host::{Deadline, Host};
use cce_login::http::{ClusterTls, Http, HttpSettings, Proxies, Request, ServerCheck, Trust};
use cce_sim::Sim;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

/// The program's name; the demo plays it when it is called so.
const PROGRAM: &str = "kubectl-cce_login";

fn main() -> ExitCode {
    let called_as = std::env::args_os().next().unwrap_or_default();
    if Path::new(&called_as).file_stem().is_some_and(|name| name == PROGRAM) {
        return cce_login::main(std::env::args_os(), &Host::real());
    }
    Demo::new().tell();
    ExitCode::SUCCESS
}

struct Demo {
    sim: Sim,
    home: tempfile::TempDir,
}

impl Demo {
    fn new() -> Self {
        let demo = Self {
            sim: Sim::start(),
            home: tempfile::tempdir().expect("a temporary directory"),
        };
        std::fs::create_dir(demo.home.path().join("bin")).unwrap();
        let program = demo
            .home
            .path()
            .join("bin")
            .join(format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX));
        std::fs::copy(std::env::current_exe().unwrap(), program).unwrap();
        std::fs::write(demo.home.path().join("ca.pem"), demo.sim.ca_pem()).unwrap();
        demo
    }

    fn tell(&self) {
        title("A simulated Huawei Cloud runs on loopback");
        println!(
            "IAM at {}, CCE at {}, region {}",
            self.sim.iam_endpoint(),
            self.sim.cce_endpoint(),
            self.sim.region()
        );

        title("kubectl cce-login --cluster prod");
        self.run(PROGRAM, &["--cluster", "prod"]);

        title("What it wrote (CA data shortened)");
        let kubeconfig = std::fs::read_to_string(self.home.path().join(".kube/config")).unwrap();
        for line in kubeconfig.lines() {
            println!("{}", line.chars().take(100).collect::<String>());
        }

        // As after a reboot: the certificate is gone, the kubeconfig is there.
        std::fs::remove_dir_all(self.home.path().join(".cache/cce-login")).unwrap();
        let has_kubectl = Command::new("kubectl")
            .args(["version", "--client"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok();
        if !has_kubectl {
            title("There is no kubectl on this machine, so the demo makes its calls itself");
        }
        for (round, what) in [(1, "the certificate is fetched"), (2, "the certificate is cached")] {
            let before = self.sim.count("clustercert");
            title(&format!("kubectl get namespaces, call {round}: {what}"));
            if has_kubectl {
                self.run("kubectl", &["get", "namespaces"]);
            } else {
                self.get_namespaces();
            }
            println!(
                "(requests for a certificate during this call: {})",
                self.sim.count("clustercert") - before
            );
        }

        title("That was it. The demo kept its certificate in a file in its own directory, which is removed now");
        println!(
            "By default certificates are kept in your keyring: see README.md. The private key was never in the kubeconfig."
        );
    }

    /// Runs a program in the demo's private world, its output as it comes.
    fn run(&self, program: &str, args: &[&str]) {
        let status = self.command(program).args(args).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "`{program} {}` failed",
            args.join(" ")
        );
    }

    fn command(&self, program: &str) -> Command {
        let home = self.home.path();
        let key = self.sim.access_key("alice");
        let path = std::env::join_paths(
            std::iter::once(home.join("bin"))
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
        );
        let program = if program == PROGRAM {
            home.join("bin").join(PROGRAM).into_os_string()
        } else {
            program.into()
        };
        let mut command = Command::new(program);
        for name in [
            "KUBECONFIG",
            "XDG_CONFIG_HOME",
            "XDG_STATE_HOME",
            "XDG_CACHE_HOME",
            "XDG_RUNTIME_DIR",
        ] {
            command.env_remove(name);
        }
        command
            .env("HOME", home)
            .env("USERPROFILE", home)
            .env("PATH", path.unwrap());
        command
            .env("CCE_LOGIN_CACHE", "file")
            .env("CCE_LOGIN_CACHE_DIR", home.join(".cache/cce-login"));
        command
            .env("CCE_LOGIN_REGION", self.sim.region())
            .env("CCE_LOGIN_CA_FILE", home.join("ca.pem"));
        command
            .env("CCE_LOGIN_CCE_ENDPOINT", self.sim.cce_endpoint())
            .env("CCE_LOGIN_IAM_ENDPOINT", self.sim.iam_endpoint());
        command
            .env("HUAWEICLOUD_SDK_AK", key.id)
            .env("HUAWEICLOUD_SDK_SK", key.secret)
            .env("NO_PROXY", "127.0.0.0/8");
        command
    }

    /// What `kubectl get namespaces` does: runs the plugin, then asks the API server with the certificate.
    fn get_namespaces(&self) {
        let cluster = self.sim.cluster("prod");
        let project = self.sim.project_id(self.sim.region());
        let args = [
            "get-credential",
            "--region",
            self.sim.region(),
            "--project-id",
            &project,
            "--cluster-id",
            &cluster.uid,
            "--identity",
            "env",
        ];
        let output = self.command(PROGRAM).args(args).output().unwrap();
        let credential: serde_json::Value = serde_json::from_slice(&output.stdout).expect("an ExecCredential");
        let data = |name: &str| {
            credential["status"][name]
                .as_str()
                .unwrap_or_default()
                .as_bytes()
                .to_vec()
        };
        let cert = ClientCert::from_pem(&data("clientCertificateData"), &data("clientKeyData")).unwrap();
        let server = ServerCheck::Verified {
            ca_pem: cluster.ca_pem,
            name: Some("kubernetes".to_owned()),
        };
        let trust = Trust::Cluster(Box::new(ClusterTls {
            server,
            client_cert: Some(cert),
        }));
        let http = Http::new(&HttpSettings {
            trust,
            proxies: Proxies::default(),
            ..HttpSettings::default()
        })
        .unwrap();
        let url = format!(
            "{}/api/v1/namespaces",
            cluster.external_url.expect("an external endpoint")
        );
        let request = Request {
            method: "GET",
            url,
            headers: Vec::new(),
            body: None,
        };
        let answer = http.send(request, Deadline::after(Duration::from_secs(10))).unwrap();
        let list: serde_json::Value = serde_json::from_slice(answer.body.expose()).unwrap(); // namespaces are no secret
        for item in list["items"].as_array().unwrap() {
            println!("{}", item["metadata"]["name"].as_str().unwrap_or_default());
        }
    }
}

fn title(text: &str) {
    println!("\n== {text}");
}
