//! Where we keep things: by our own variables, the XDG variables and the platform's custom.
//!
//! Nothing is kept in the home of somebody else, which is what `sudo` leaves in `HOME`: what root makes there its owner cannot remove.

use crate::env_vars;
use crate::host::Env;
use std::path::{Path, PathBuf};

/// What to do about a `HOME` that is somebody else's.
pub(crate) const NOT_OUR_HOME: &str = "run it without `sudo`; or set `HOME` to your own directory, as `sudo -H` does";

/// What to do where nothing says where the home directory is.
pub(crate) const NO_HOME: &str = "set `HOME` (or `CCE_LOGIN_CONFIG_DIR`) to an absolute path";

/// The directories we keep things in. A part that is `None` cannot be kept (no home directory, or not ours).
#[derive(Debug, Clone, Default)]
pub struct Directories {
    /// `config.toml` and, if asked for, `secrets/`.
    pub(crate) config: Option<PathBuf>,
    /// Index, capabilities, failures, tombstones.
    pub state: Option<PathBuf>,
    /// `--cache file`.
    pub(crate) cache: Option<PathBuf>,
    /// Locks and callers: `$XDG_RUNTIME_DIR/cce-login`, else beside the state.
    pub(crate) runtime: Option<PathBuf>,
    /// The home directory, if it is somebody else's and one of the others is not kept for that reason.
    pub(crate) home_of_somebody_else: Option<PathBuf>,
}

impl Directories {
    /// By our own variables, the XDG variables and the platform's custom, in this order.
    pub fn of(env: &Env) -> Self {
        let home = env.home();
        let foreign_home = home.clone().filter(|home| !is_for_us(home));
        let home = home.filter(|_| foreign_home.is_none());
        let mut is_home_missed = false;
        let mut named = |own: &str, xdg: &str, custom: &[&str]| {
            env.path(own).or_else(|| {
                let base = env.path(xdg).filter(|dir| is_for_us(dir)).or_else(|| {
                    let home = if cfg!(windows) {
                        env.path("LOCALAPPDATA")
                    } else {
                        home.clone()
                    };
                    is_home_missed |= home.is_none();
                    Some(custom.iter().fold(home?, |path, part| path.join(part)))
                })?;
                Some(base.join("cce-login"))
            })
        };
        let (config, state, cache): (&[&str], &[&str], &[&str]) = if cfg!(windows) {
            (&[], &["State"], &["Cache"])
        } else if cfg!(target_os = "macos") {
            (
                &["Library", "Application Support"],
                &["Library", "Application Support"],
                &["Library", "Caches"],
            )
        } else {
            (&[".config"], &[".local", "state"], &[".cache"])
        };
        let state = named(env_vars::STATE_DIR, env_vars::XDG_STATE_HOME, state);
        Self {
            config: named(env_vars::CONFIG_DIR, env_vars::XDG_CONFIG_HOME, config),
            cache: named(env_vars::CACHE_DIR, env_vars::XDG_CACHE_HOME, cache),
            runtime: env
                .path(env_vars::XDG_RUNTIME_DIR)
                .filter(|dir| dir.is_dir() && is_ours(dir))
                .map(|dir| dir.join("cce-login"))
                .or_else(|| Some(state.as_ref()?.join("run"))),
            home_of_somebody_else: foreign_home.filter(|_| is_home_missed),
            state,
        }
    }
}

/// Whether a directory, or where it would be made, belongs to us or to the system (a container's `HOME=/`, `/var/lib`).
#[cfg(unix)]
fn is_for_us(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let owner = path.ancestors().find_map(|path| path.metadata().ok());
    owner.is_none_or(|owner| [0, crate::host::user_id()].contains(&owner.uid()))
}

#[cfg(unix)]
fn is_ours(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    path.metadata().is_ok_and(|owner| owner.uid() == crate::host::user_id())
}

#[cfg(not(unix))]
fn is_for_us(_path: &Path) -> bool {
    true // the profile directory is the user's own there
}

#[cfg(not(unix))]
fn is_ours(_path: &Path) -> bool {
    true
}
