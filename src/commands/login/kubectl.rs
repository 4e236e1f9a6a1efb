//! The kubectl on PATH: which exec version it speaks.

use crate::commands::on_path;
use crate::exec_credential::ApiVersion;
use crate::host::Host;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The first minor version of kubectl 1.x that speaks `v1`.
const FIRST_MINOR_WITH_V1: u32 = 22;
/// The longest that `kubectl version` may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// `v1beta1` for a kubectl older than 1.22, else `v1`.
pub(super) fn exec_api_version(host: &Host) -> ApiVersion {
    let minor = on_path::find(host, "kubectl").next().and_then(minor_version);
    if minor.is_some_and(|minor| minor < FIRST_MINOR_WITH_V1) {
        ApiVersion::V1Beta1
    } else {
        ApiVersion::V1
    }
}

fn minor_version(kubectl: PathBuf) -> Option<u32> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut command = Command::new(kubectl);
        command.args(["version", "--client", "--output=json"]);
        let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output();
        sender.send(output.map(|output| output.stdout))
    });
    let stdout = receiver.recv_timeout(PATIENCE).ok()?.ok()?;
    let version: Value = serde_json::from_slice(&stdout).ok()?;
    let minor = version.pointer("/clientVersion/minor")?.as_str()?;
    minor.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().ok()
}
