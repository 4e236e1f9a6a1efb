//! This machine: the program, kubectl, the keyring, files and locks.

use crate::commands::doctor::finding::Finding;
use crate::exec_credential::ApiVersion;
use crate::host::programs::{self, COMMAND};
use crate::host::{Host, Input};
use crate::kubeconfig::OurContext;
use crate::kubectl::Kubectl;
use crate::lifetime::about;
use crate::secret::Secret;
use crate::session::Session;
use crate::{env_vars, plan};
use chrono::TimeDelta;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where programs that no shell has started look for others.
const PATH_OF_GUI: [&str; 6] = [
    "/usr/local/bin",
    "/usr/bin",
    "/bin",
    "/usr/sbin",
    "/sbin",
    "/opt/homebrew/bin",
];
/// The item with which the stores are tried.
const PROBE: &str = "doctor-probe";
/// A lock that is older than this was left behind.
const LONGEST_LOCKED: TimeDelta = TimeDelta::seconds(30);

/// Whether this program is found by who runs it.
pub(super) fn program(host: &Host, ours: &[OurContext<'_>]) -> Vec<Finding> {
    let Some(path) = programs::stable_path(host) else {
        return Vec::new();
    };
    let version = env!("CARGO_PKG_VERSION");
    let mut findings = vec![Finding::ok(
        "program",
        format!("version {version} in `{}`", path.display()),
    )];
    let by_name: Vec<&str> = ours
        .iter()
        .filter(|context| !context.command.contains(['/', '\\']))
        .map(|context| context.name)
        .collect();
    let found = programs::find(host, COMMAND).next();
    let resolved = |path: &Path| path.canonicalize().ok();
    let directory = path.parent().unwrap_or(Path::new("")).display().to_string();
    findings.push(match found {
        Some(found) if resolved(&found) == resolved(&path) => Finding::ok("path", "kubectl finds it"),
        Some(found) => Finding::warning(
            "path",
            format!("kubectl finds another one first: `{}`", found.display()),
            format!("remove that one, or put `{directory}` before it on your PATH"),
        ),
        None if by_name.is_empty() && !ours.is_empty() => {
            Finding::ok("path", "it is not on your PATH; the contexts name it by its full path")
        }
        None => Finding::problem(
            "path",
            "kubectl does not find it",
            format!("put `{directory}` on your PATH"),
        ),
    });
    let is_seen_by_gui = PATH_OF_GUI.iter().any(|dir| Path::new(dir).join(COMMAND).is_file());
    if cfg!(unix) && !is_seen_by_gui && !by_name.is_empty() {
        findings.push(Finding::warning(
            "path-of-gui",
            "programs that are started outside a shell (Lens, an IDE) do not find it",
            format!(
                "if you use such a one, `kubectl cce-login login --absolute-path` writes `{}` into the entry",
                path.display()
            ),
        ));
    }
    findings
}

/// kubectl: its version, and whether its policy lets it run us.
pub(super) fn kubectl(host: &Host, kubectl: Option<&Kubectl>, ours: &[OurContext<'_>]) -> Vec<Finding> {
    let Some(kubectl) = kubectl else {
        return vec![Finding::warning(
            "kubectl",
            "there is no kubectl on your PATH",
            "install it, if you do not use another client",
        )];
    };
    let spoken = kubectl.exec_api_version();
    let is_understood = |context: &&OurContext<'_>| {
        spoken == ApiVersion::V1 || context.api_version.is_none_or(|version| version == spoken.full_name())
    };
    let mut findings: Vec<Finding> = ours
        .iter()
        .filter(|context| !is_understood(context))
        .map(|context| {
            Finding::problem(
                "kubectl",
                format!(
                    "{} does not speak `{}`",
                    kubectl.version,
                    context.api_version.unwrap_or_default()
                ),
                "upgrade kubectl, or run `kubectl cce-login` again for this cluster",
            )
            .of_context(context.name)
        })
        .collect();
    if findings.is_empty() {
        findings.push(Finding::ok(
            "kubectl",
            format!("{} in `{}`", kubectl.version, kubectl.path.display()),
        ));
    }
    findings.extend(policy(host));
    findings
}

/// kuberc's policy on credential plugins (kubectl 1.35 and later).
fn policy(host: &Host) -> Option<Finding> {
    if host.env.var(env_vars::KUBECTL_KUBERC).as_deref() == Some("false") {
        return None;
    }
    let file = match host.env.var(env_vars::KUBERC) {
        Some(off) if off == "off" => return None,
        Some(file) => PathBuf::from(file),
        None => host.env.home()?.join(".kube").join("kuberc"),
    };
    let text = host.env.read_text(&file, Input::Settings).ok()?;
    let shown = file.display();
    // kubectl's own settings hold no secret.
    let Ok(documents) = serde_saphyr::from_multiple::<Value>(text.expose()) else {
        return Some(Finding::warning(
            "policy",
            format!("`{shown}` is not YAML"),
            "correct it: kubectl reads it",
        ));
    };
    let said = documents
        .iter()
        .find_map(|document| Some((document.get("credentialPluginPolicy")?.as_str()?, document)));
    let entry = format!("`- command: {COMMAND}` (kubectl 1.35: `- name: {COMMAND}`)");
    match said {
        None | Some(("" | "AllowAll", _)) => None,
        Some(("Allowlist", document)) if is_allowed(document) => {
            Some(Finding::ok("policy", format!("`{shown}` allows this plugin")))
        }
        Some(("Allowlist", _)) => Some(Finding::problem(
            "policy",
            format!("`{shown}` does not allow this plugin, so kubectl does not run it"),
            format!("add {entry} to its `credentialPluginAllowlist`"),
        )),
        Some((policy, _)) => Some(Finding::problem(
            "policy",
            format!("`{shown}` lets kubectl run no plugin (`{policy}`)"),
            format!("set `credentialPluginPolicy: Allowlist`, and add {entry} to `credentialPluginAllowlist`"),
        )),
    }
}

fn is_allowed(document: &Value) -> bool {
    let list = document.get("credentialPluginAllowlist").and_then(Value::as_array);
    let is_us = |entry: &Value| {
        let named = entry.get("command").or_else(|| entry.get("name"));
        let path = named.and_then(Value::as_str).map(Path::new);
        path.and_then(Path::file_name).is_some_and(|name| name == COMMAND)
    };
    list.is_some_and(|list| list.iter().any(is_us))
}

/// Where certificates are kept, and why there: the stores are tried with an item of our own.
pub(super) fn keyring(session: &Session<'_>) -> Finding {
    let mode = match plan::cache_mode(&session.host.env) {
        Ok(mode) => mode,
        Err(error) => return Finding::failed("keyring", &error.into()),
    };
    let store = session.store(mode);
    let now = session.host.clock.now();
    let value = Secret::new(b"probe".to_vec());
    let stored = store.set(
        PROBE,
        "kubectl cce-login: doctor",
        &value,
        Some(now + TimeDelta::minutes(1)),
        now,
    );
    let deleted = store.delete(PROBE);
    let troubles = stored
        .troubles
        .iter()
        .chain(&deleted.troubles)
        .map(|trouble| trouble.error.to_string());
    let mut why: Vec<String> = troubles.collect();
    why.dedup();
    let why = if why.is_empty() {
        String::new()
    } else {
        format!("; {}", why.join("; "))
    };
    let kinds: Vec<String> = stored.held_by.iter().map(ToString::to_string).collect();
    if kinds.is_empty() {
        return Finding::problem(
            "keyring",
            format!("certificates are kept nowhere, so every kubectl call fetches a new one{why}"),
            "unlock the keyring, or keep them in a file that only you can read: `CCE_LOGIN_CACHE=file`, or `kubectl cce-login --cluster NAME --cache file`",
        );
    }
    Finding::ok(
        "keyring",
        format!("certificates are kept in {}{why}", kinds.join(" and ")),
    )
}

/// Files that others can read.
pub(super) fn files(session: &Session<'_>, kubeconfigs: &[PathBuf]) -> Vec<Finding> {
    let directories = &session.directories;
    let of = |dir: &Option<PathBuf>, name: &str| dir.as_ref().map(|dir| dir.join(name));
    let own = [
        of(&directories.config, "config.toml"),
        of(&directories.config, "secrets"),
        directories.cache.clone(),
        directories.state.clone(),
    ];
    let all = kubeconfigs.iter().cloned().chain(own.into_iter().flatten());
    let open: Vec<Finding> = all
        .filter(|path| is_open(path))
        .map(|path| {
            let shown = path.display();
            Finding::warning(
                "files",
                format!("others can read `{shown}`"),
                format!("chmod go= '{shown}'"),
            )
        })
        .collect();
    if open.is_empty() {
        return vec![Finding::ok(
            "files",
            "nobody else can read kubeconfig, profiles and state",
        )];
    }
    open
}

#[cfg(unix)]
fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open(_path: &Path) -> bool {
    false // the profile directory is the user's own there
}

/// Locks that kubectl, or we, left behind beside a kubeconfig.
pub(super) fn locks(host: &Host, kubeconfigs: &[PathBuf]) -> Vec<Finding> {
    let stale = kubeconfigs.iter().filter_map(|file| {
        let lock = crate::kubeconfig::lock_file(file);
        let modified = lock.metadata().ok()?.modified().ok()?;
        let age = host.clock.now() - chrono::DateTime::<chrono::Utc>::from(modified);
        (age > LONGEST_LOCKED).then(|| {
            Finding::problem(
                "locks",
                format!(
                    "`{}` was left behind {} ago, so nobody can write the kubeconfig",
                    lock.display(),
                    about(age)
                ),
                format!("remove it: rm '{}'", lock.display()),
            )
        })
    });
    stale.collect()
}

/// The proxy on the way to the cloud.
pub(super) fn proxy(session: &Session<'_>) -> Finding {
    match crate::http::Proxies::from_env(&session.host.env).shown() {
        Some(proxy) => Finding::ok(
            "proxy",
            format!("requests to the cloud go through `{proxy}`, apart from NO_PROXY"),
        ),
        None => Finding::ok("proxy", "none"),
    }
}
