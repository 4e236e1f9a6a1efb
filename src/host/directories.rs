//! Where we keep things: by our own variables, the XDG variables and the platform's custom.

use crate::env_vars;
use crate::host::Env;
use std::path::PathBuf;

/// The directories we keep things in. A part that is `None` cannot be kept (no home directory).
#[derive(Debug, Clone, Default)]
pub struct Directories {
    /// `config.toml` and, if asked for, `secrets/`.
    pub config: Option<PathBuf>,
    /// Index, capabilities, failures, tombstones.
    pub state: Option<PathBuf>,
    /// `--cache file`.
    pub cache: Option<PathBuf>,
    /// Locks and callers: `$XDG_RUNTIME_DIR/cce-login`, else beside the state.
    pub runtime: Option<PathBuf>,
}

impl Directories {
    /// By our own variables, the XDG variables and the platform's custom, in this order.
    pub fn of(env: &Env) -> Self {
        let named = |own: &str, xdg: &str, custom: &[&str]| {
            env.path(own).or_else(|| {
                let base = env.path(xdg).or_else(|| {
                    let home = if cfg!(windows) {
                        env.path("LOCALAPPDATA")
                    } else {
                        env.home()
                    };
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
                .filter(|dir| dir.is_dir())
                .map(|dir| dir.join("cce-login"))
                .or_else(|| Some(state.as_ref()?.join("run"))),
            state,
        }
    }
}
