//! Logins and files for the kubeconfig tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cce_login::kubeconfig::{ClusterEntry, Current, ExecEntry, Kubeconfig, KubeconfigError, Locations, Login};

/// The login that the cases mean by a name.
pub(crate) fn login(name: &str) -> Login {
    Login {
        cluster_name: format!("{name}.eu-de"),
        cluster: ClusterEntry {
            server: format!("https://{name}.example:5443").replace(['#', ' ', 'ü'], ""),
            certificate_authority_data: Some(
                b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec(),
            ),
            tls_server_name: Some("kubernetes".to_owned()),
            proxy_url: None,
            insecure_skip_tls_verify: false,
        },
        user_name: format!("default@{name}.eu-de"),
        exec: ExecEntry {
            api_version: "client.authentication.k8s.io/v1".to_owned(),
            command: "kubectl-cce_login".to_owned(),
            args: [
                "get-credential",
                "--region=eu-de",
                "--cluster-id=4711",
                "--profile=default",
            ]
            .map(str::to_owned)
            .to_vec(),
            install_hint: "kubectl-cce_login is not on the PATH.\nInstall it: see the README".to_owned(),
        },
        context_name: name.to_owned(),
        namespace: None,
        current: Current::IfNone,
    }
}

pub(crate) fn locations(file: &Path) -> Locations {
    Locations::new(Some(file.to_owned()), None, None).unwrap()
}

pub(crate) fn load(file: &Path) -> Result<Kubeconfig, KubeconfigError> {
    Kubeconfig::load(&locations(file))
}

/// The new text of the file, if it changes.
pub(crate) fn upserted(file: &Path, logins: &[Login]) -> Result<Option<String>, KubeconfigError> {
    let change = load(file)?.upsert(logins)?;
    Ok(change.texts().first().map(|(_, text)| (*text).to_owned()))
}

/// A new private directory and a file name in it.
pub(crate) fn home() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config");
    (home, file)
}

#[expect(clippy::disallowed_methods, reason = "a fixture, not a file of the user")]
pub(crate) fn put(file: &Path, text: impl AsRef<[u8]>) {
    fs::write(file, text).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "tests are steered by their environment")]
pub(crate) fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

/// The real kubectl: `$KUBECTL`, else the one on the PATH. It fails when there is none, on purpose.
pub(crate) fn kubectl(kubeconfig: &std::ffi::OsStr) -> Command {
    let mut command = Command::new(variable("KUBECTL").unwrap_or_else(|| "kubectl".into()));
    command.env("KUBECONFIG", kubeconfig).env("KUBERC", "off");
    command
}

pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?} does not run ({error}): these tests need kubectl; set KUBECTL or put it on the PATH")
    });
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
