//! The leak check: after every run, no secret may be on stderr, in a log, in a file's name or content, or in the kubeconfig.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cce_login::cache::entry::CacheEntry;
use cce_login::store::{MemoryStore, SecretStore as _};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Shorter pieces of a PEM block are no evidence.
const SHORTEST_EVIDENCE: usize = 40;

/// How private keys begin: PEM, and PEM in base64 as a kubeconfig has it.
const KEYS: [&str; 5] = [
    "PRIVATE KEY",
    "LS0tLS1CRUdJTiBSU0EgUFJJ",
    "LS0tLS1CRUdJTiBQUklWQVRF",
    "LS0tLS1CRUdJTiBFQyBQUklW",
    "LS0tLS1CRUdJTiBFTkNSWVBURUQ",
];

/// Everything that must not be seen.
#[derive(Default)]
pub(crate) struct Secrets {
    /// Nowhere.
    secret: BTreeSet<String>,
    /// Client certificates that were printed or kept: nowhere either.
    certificates: BTreeSet<String>,
    allowed: Vec<PathBuf>,
}

impl Secrets {
    /// A secret access key, a token.
    pub(crate) fn add_text(&mut self, text: &str) {
        if text.len() >= 8 {
            self.secret.insert(text.into());
            self.secret.insert(BASE64.encode(text).trim_end_matches('=').into());
        }
    }

    /// The keys and certificates of all entries in the keyring.
    pub(crate) fn add_keys_of(&mut self, keyring: &MemoryStore) {
        for account in keyring.list().unwrap_or_default() {
            if let Ok(Some(bytes)) = keyring.get(&account)
                && let Some(entry) = CacheEntry::from_bytes(&bytes)
            {
                self.add_private_key(entry.cert.key_pem().expose());
                self.add_certificate(&entry.cert.certificates_pem());
            }
        }
    }

    /// Key and certificate of an `ExecCredential`.
    pub(crate) fn add_credential(&mut self, stdout: &str) {
        let Ok(json) = serde_json::from_str::<serde_json::Value>(stdout) else {
            return;
        };
        if let Some(key) = json["status"]["clientKeyData"].as_str() {
            self.add_private_key(key);
        }
        if let Some(certificate) = json["status"]["clientCertificateData"].as_str() {
            self.add_certificate(certificate);
        }
    }

    /// A private key as PEM: its lines, the block in base64 once more, its DER.
    pub(crate) fn add_private_key(&mut self, pem: &str) {
        self.secret.extend(lines_of(pem));
        let twice = BASE64.encode(pem);
        self.secret.extend(twice.get(100..160).map(Into::into));
        let body: String = pem.lines().filter(|line| !line.starts_with("--")).collect();
        let der = BASE64.decode(body).unwrap_or_default();
        // The second half of an RSA key is secret; in an EC key the whole first part is.
        self.secret
            .extend(der.get(der.len() / 2..der.len() / 2 + 32).map(searchable));
    }

    fn add_certificate(&mut self, pem: &str) {
        self.certificates.extend(lines_of(pem));
    }

    pub(crate) fn allow_below(&mut self, path: PathBuf) {
        self.allowed.push(path);
    }

    /// Fails if something leaked. Stdout may hold a credential, which is key and certificate by right, and no more.
    pub(super) fn check(&self, stdout: &str, said: &[(String, &str)], home: &Path) {
        for (place, text) in said {
            self.check_public(place, text.as_bytes());
        }
        if !is_credential(stdout) {
            self.check_secret("stdout", stdout.as_bytes());
        }
        for path in files_below(home) {
            let shown = path.strip_prefix(home).unwrap().display().to_string();
            self.check_secret(&format!("the file name `{shown}`"), shown.as_bytes());
            if self.allowed.iter().any(|allowed| path.starts_with(allowed)) {
                continue;
            }
            let content = fs::read(&path).unwrap_or_default();
            if shown == "log" {
                self.check_public("the log", &content);
            } else {
                self.check_secret(&format!("the file `{shown}`"), &content);
            }
        }
    }

    fn check_public(&self, place: &str, content: &[u8]) {
        self.check_secret(place, content);
        let has_certificate = searchable(content).contains("BEGIN CERTIFICATE");
        assert!(!has_certificate, "a certificate was exposed: {place}");
    }

    fn check_secret(&self, place: &str, content: &[u8]) {
        let content = searchable(content);
        let has = |lines: &BTreeSet<String>| lines.iter().any(|line| content.contains(line));
        let has_key = KEYS.iter().any(|key| content.contains(key));
        assert!(!has_key && !has(&self.secret), "a secret was exposed: {place}");
        assert!(!has(&self.certificates), "a certificate was exposed: {place}");
    }
}

fn is_credential(stdout: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(stdout).is_ok_and(|json| json["kind"] == "ExecCredential")
}

/// Every file below a directory, links and sockets left out.
pub(crate) fn files_below(directory: &Path) -> Vec<PathBuf> {
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

/// The long lines of a PEM block.
fn lines_of(pem: &str) -> impl Iterator<Item = String> + '_ {
    pem.lines()
        .filter(|line| !line.starts_with("--") && line.len() >= SHORTEST_EVIDENCE)
        .map(Into::into)
}

/// Every byte as a character, so that bytes can be searched as fast as text.
fn searchable(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
