//! Programs as the user's shell finds them.

use crate::env_vars;
use crate::host::Host;
use std::path::PathBuf;

/// Our file's name, which is also the command that kubectl looks up.
pub(crate) const COMMAND: &str = "kubectl-cce_login";

/// The files of this name in PATH's directories, in order.
pub(crate) fn find<'a>(host: &Host, name: &'a str) -> impl Iterator<Item = PathBuf> + use<'a> {
    let path = host.env.var_os(env_vars::PATH).unwrap_or_default();
    let directories: Vec<PathBuf> = std::env::split_paths(&path).filter(|dir| dir.is_absolute()).collect();
    let file_name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    directories
        .into_iter()
        .map(move |dir| dir.join(&file_name))
        .filter(|file| file.is_file())
}

/// This program's path as it stays across upgrades: the entry on PATH that leads to it, not the versioned directory behind.
pub(crate) fn stable_path(host: &Host) -> Option<PathBuf> {
    let executable = host.executable()?;
    let resolved = executable.canonicalize().ok()?;
    let on_path = find(host, COMMAND).find(|path| path.canonicalize().is_ok_and(|p| p == resolved));
    Some(on_path.unwrap_or(executable))
}
