//! A real Kubernetes API server with its etcd, on loopback.
//!
//! Its client CA is whoever's the test says, beside one for the administrator; its own certificate names no external address, as CCE makes it.
//! It writes an audit log, which tells which certificate each request came with.

use super::free_address;
use crate::system::process::{Running, wait_for};
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many seconds a start may take, on a busy machine.
const PATIENCE: u32 = 180;

/// A running cluster without nodes.
pub(crate) struct KubeApiserver {
    directory: tempfile::TempDir,
    address: String,
    _etcd: Running,
    server: Option<Running>,
    arguments: Vec<String>,
}

/// What an API server shows, PEM.
pub(crate) struct Shown {
    pub(crate) ca: String,
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// A request, as the audit log has it.
#[derive(Debug)]
pub(crate) struct Audited {
    pub(crate) status: u64,
    /// `X509SHA256=…` of the certificate that was taken.
    pub(crate) certificate: Option<String>,
}

/// What is written to the audit log: every request once, without bodies.
const AUDIT_POLICY: &str =
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n";

fn program(name: &str) -> OsString {
    std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: run tests/run --real"))
}

impl KubeApiserver {
    /// Takes client certificates of these authorities (PEM), at an address and with a certificate of its own.
    pub(crate) fn start(client_ca_pem: &str) -> Self {
        Self::start_at(&free_address(), None, client_ca_pem)
    }

    /// At this address (`HOST:PORT`), with this certificate.
    pub(crate) fn start_at(address: &str, shown: Option<&Shown>, client_ca_pem: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let (etcd, peer) = (free_address(), free_address());
        let (host, port) = address.split_once(':').unwrap();
        make_certificates(directory.path(), host);

        let mut command = Command::new(program("ETCD"));
        command.arg(format!("--data-dir={}", path("etcd").display()));
        command.arg(format!("--listen-client-urls=http://{etcd}"));
        command.arg(format!("--advertise-client-urls=http://{etcd}"));
        command.arg(format!("--listen-peer-urls=http://{peer}"));
        command.arg(format!("--initial-advertise-peer-urls=http://{peer}"));
        command.arg(format!("--initial-cluster=default=http://{peer}"));
        command.arg("--log-level=error");
        command.env_clear().env("HOME", directory.path());
        let running_etcd = Running::start(command, None);

        let mut arguments = [
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.247.0.0/24",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",
            "--service-account-issuer=https://kubernetes.default.svc",
        ]
        .map(str::to_owned)
        .to_vec();
        arguments.push(format!("--bind-address={host}"));
        arguments.push(format!("--secure-port={port}"));
        arguments.push(format!("--etcd-servers=http://{etcd}"));
        for (flag, file) in [
            ("client-ca-file", "clients.pem"),
            ("tls-cert-file", "server.pem"),
            ("tls-private-key-file", "server.key"),
            ("service-account-key-file", "accounts.pub"),
            ("service-account-signing-key-file", "accounts.key"),
            ("audit-policy-file", "audit.yaml"),
            ("audit-log-path", "audit.log"),
            ("cert-dir", "own"),
        ] {
            arguments.push(format!("--{flag}={}", path(file).display()));
        }
        std::fs::write(path("audit.yaml"), AUDIT_POLICY).unwrap();
        let mut server = Self {
            server: None,
            _etcd: running_etcd,
            address: address.to_owned(),
            arguments,
            directory,
        };
        if let Some(shown) = shown {
            server.show(shown);
        }
        server.trust(client_ca_pem);
        server.restart();
        wait_for("the namespace default", || {
            server.try_kubectl("get namespace default").is_some()
        });
        server
    }

    /// Ends the API server if it runs, and starts it; etcd goes on. Returns when it is ready.
    pub(crate) fn restart(&mut self) {
        self.stop();
        let mut command = Command::new(program("KUBE_APISERVER"));
        command.args(&self.arguments);
        command.env_clear().env("HOME", self.directory.path());
        self.server = Some(Running::start(command, None));
        for _ in 0..PATIENCE {
            if self.try_kubectl("get --raw /readyz").is_some() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
        panic!("kube-apiserver is not ready after {PATIENCE} s");
    }

    /// Ends the API server; etcd goes on.
    pub(crate) fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.signal(rustix::process::Signal::TERM);
            server.finish_now();
        }
    }

    /// Takes client certificates of these authorities (PEM), and the administrator's, from a moment later on.
    pub(crate) fn trust(&self, client_ca_pem: &str) {
        let admins = std::fs::read_to_string(self.path("admins.pem")).unwrap();
        self.replace("clients.pem", &format!("{admins}{client_ca_pem}"));
    }

    /// Shows this certificate, from a moment later on.
    pub(crate) fn show(&self, shown: &Shown) {
        self.replace("ca.pem", &shown.ca);
        self.replace("server.key", &shown.key);
        self.replace("server.pem", &shown.certificate);
    }

    /// As a whole: the server reads it while we write.
    fn replace(&self, name: &str, text: &str) {
        let new = self.path(&format!("{name}.new"));
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.path(name)).unwrap();
    }

    /// Every request that was not the administrator's, in order.
    pub(crate) fn requests(&self) -> Vec<Audited> {
        let log = std::fs::read_to_string(self.path("audit.log")).unwrap_or_default();
        let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events
            .filter(|event| !matches!(event["user"]["username"].as_str(), Some("admin" | "system:apiserver")))
            .map(|event| Audited {
                status: event["responseStatus"]["code"].as_u64().unwrap_or_default(),
                certificate: event["user"]["extra"]["authentication.kubernetes.io/credential-id"][0]
                    .as_str()
                    .map(str::to_owned),
            })
            .collect()
    }

    /// `HOST:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// kubectl as administrator; it has to succeed.
    pub(crate) fn kubectl(&self, line: &str) -> String {
        let output = self.command(line).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {line}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn try_kubectl(&self, line: &str) -> Option<String> {
        let output = self.command(line).output().unwrap();
        output
            .status
            .success()
            .then(|| String::from_utf8(output.stdout).unwrap())
    }

    /// kubectl as administrator, ready to run.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(program("KUBECTL"));
        let file = |name: &str| self.path(name).display().to_string();
        command.args(["--server", &format!("https://{}", self.address)]);
        command.args(["--certificate-authority", &file("ca.pem")]);
        command.args([
            "--client-certificate",
            &file("admin.pem"),
            "--client-key",
            &file("admin.key"),
        ]);
        command.args(line.split_whitespace());
        command.env_clear().env("HOME", self.directory.path());
        command
    }

    /// What a pod of this service account finds in its file system: a directory with token, CA and namespace.
    pub(crate) fn service_account(&self, namespace: &str, name: &str) -> PathBuf {
        let directory = self.path(&format!("account-{namespace}-{name}"));
        std::fs::create_dir_all(&directory).unwrap();
        let token = self.kubectl(&format!("--namespace {namespace} create token {name}"));
        std::fs::write(directory.join("token"), token.trim()).unwrap();
        std::fs::write(directory.join("namespace"), namespace).unwrap();
        std::fs::copy(self.path("ca.pem"), directory.join("ca.crt")).unwrap();
        directory
    }
}

/// A CA (`ca.pem`, and as the administrator's `admins.pem`), the server's and the administrator's certificate, and the key of service accounts.
fn make_certificates(directory: &Path, host: &str) {
    let script = r#"set -e
        new() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
        sign() { openssl req -new -key "$1.key" -subj "$2" | openssl x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "$1.pem" -extfile "$3"; }
        new ca
        openssl req -x509 -new -key ca.key -subj "/O=CCE/CN=CCE" -days 2 -out ca.pem
        new server
        printf 'subjectAltName=DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:10.247.0.1,IP:%s\nextendedKeyUsage=serverAuth\n' "$HOST" > server.ext
        sign server "/CN=kubernetes" server.ext
        new admin
        printf 'extendedKeyUsage=clientAuth\n' > admin.ext
        sign admin "/O=system:masters/CN=admin" admin.ext
        openssl genrsa -out accounts.key 2048
        openssl rsa -in accounts.key -pubout -out accounts.pub
    "#;
    let output = Command::new("bash")
        .args(["-c", script])
        .current_dir(directory)
        .env("HOST", host)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::copy(directory.join("ca.pem"), directory.join("admins.pem")).unwrap();
}
