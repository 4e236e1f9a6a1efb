//! The leak check of every run: what must never be in messages, command lines, file names and files.

use super::process::Output;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// The beginnings of private keys: PEM, and PEM in base64 as a kubeconfig has it.
const KEYS: [&str; 5] = [
    "PRIVATE KEY-----",
    "LS0tLS1CRUdJTiBSU0EgUFJJ",
    "LS0tLS1CRUdJTiBQUklWQVRF",
    "LS0tLS1CRUdJTiBFQyBQUklW",
    "LS0tLS1CRUdJTiBFTkNSWVBURUQ",
];

/// What is secret in a world: access keys from the beginning, certificates as they are printed.
#[derive(Default)]
pub(crate) struct Leaks {
    secrets: Vec<(String, Vec<u8>)>,
}

impl Leaks {
    pub(crate) fn know(&mut self, what: &str, secret: impl Into<Vec<u8>>) {
        self.secrets.push((what.to_owned(), secret.into()));
    }

    /// Learns the certificate that was printed, and looks for everything known.
    pub(crate) fn check(&mut self, output: &Output, directory: &Path, is_exempt: impl Fn(&Path) -> bool) {
        if let Ok(document) = serde_json::from_str::<Value>(&output.stdout)
            && document["kind"] == "ExecCredential"
        {
            self.know_pem("certificate", document["status"]["clientCertificateData"].as_str());
            self.know_pem("private key", document["status"]["clientKeyData"].as_str());
        } else {
            self.look("stdout", output.stdout.as_bytes());
        }
        self.look("stderr", output.stderr.as_bytes());
        for line in &output.command_lines {
            self.look(&format!("the command line {line}"), line.as_bytes());
        }
        for path in files(directory) {
            let name = path.display().to_string();
            self.look("a file name", name.as_bytes());
            if !is_exempt(&path)
                && let Ok(bytes) = fs::read(&path)
            {
                self.look(&name, &bytes);
            }
        }
    }

    fn know_pem(&mut self, what: &str, pem: Option<&str>) {
        let lines: Vec<&str> = pem.unwrap_or_default().lines().collect();
        let body = lines.iter().filter(|line| !line.starts_with("-----")).copied();
        let Some(middle) = lines.get(lines.len() / 2) else {
            return;
        };
        if self.secrets.iter().any(|(_, known)| known == middle.as_bytes()) {
            return;
        }
        let der = STANDARD.decode(body.collect::<String>()).unwrap();
        self.know(what, *middle);
        self.know(&format!("{what} in DER"), &der[der.len() / 2..][..32]);
    }

    fn look(&self, place: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        for key in KEYS {
            assert!(!text.contains(key), "a private key leaks into {place}");
        }
        for (what, secret) in &self.secrets {
            let leaks = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!leaks, "the {what} leaks into {place}");
        }
    }
}

/// Every file below a directory, links and sockets left out.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(kind) if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    found
}
