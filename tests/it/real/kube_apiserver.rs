//! A real Kubernetes API server with its etcd, on loopback.
//!
//! Its client CA is whoever's the test says, beside one for the administrator; its own certificate names no external address, as CCE makes it.

use super::free_address;
use crate::system::process::{Running, wait_for};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A running cluster without nodes.
pub(crate) struct KubeApiserver {
    directory: tempfile::TempDir,
    address: String,
    _etcd: Running,
    _server: Running,
}

fn program(name: &str) -> OsString {
    std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: run tests/run --real"))
}

impl KubeApiserver {
    /// Takes client certificates of these authorities (PEM).
    pub(crate) fn start(client_ca_pem: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let (address, etcd, peer) = (free_address(), free_address(), free_address());
        let (host, port) = address.split_once(':').unwrap();
        make_certificates(directory.path(), host, client_ca_pem);

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

        let mut command = Command::new(program("KUBE_APISERVER"));
        command.arg(format!("--bind-address={host}"));
        command.arg(format!("--secure-port={port}"));
        command.arg(format!("--etcd-servers=http://{etcd}"));
        for (flag, file) in [
            ("client-ca-file", "clients.pem"),
            ("tls-cert-file", "server.pem"),
            ("tls-private-key-file", "server.key"),
            ("service-account-key-file", "accounts.pub"),
            ("service-account-signing-key-file", "accounts.key"),
        ] {
            command.arg(format!("--{flag}={}", path(file).display()));
        }
        command.args([
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.247.0.0/24",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",
            "--service-account-issuer=https://kubernetes.default.svc",
        ]);
        command.arg(format!("--cert-dir={}", path("own").display()));
        command.env_clear().env("HOME", directory.path());
        let server = Self {
            _server: Running::start(command, None),
            _etcd: running_etcd,
            address: address.clone(),
            directory,
        };
        wait_for("kube-apiserver", || server.try_kubectl("get --raw /readyz").is_some());
        wait_for("the namespace default", || {
            server.try_kubectl("get namespace default").is_some()
        });
        server
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

/// A CA, the server's and the administrator's certificate, and the key of service accounts.
fn make_certificates(directory: &Path, host: &str, client_ca_pem: &str) {
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
    let admins = std::fs::read_to_string(directory.join("ca.pem")).unwrap();
    std::fs::write(directory.join("clients.pem"), format!("{admins}{client_ca_pem}")).unwrap();
}
