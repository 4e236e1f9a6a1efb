//! A person's browser: opened by its own words, never through a shell, and left to itself.

use super::{Env, Host, Input, Processes};
use crate::env_vars;
use crate::sanitize::sanitize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

impl Host {
    /// Opens an address in the person's browser and does not wait; `false` where nothing could be started. `command` takes the place of the
    /// system's opener: its words, the address behind them. The caller vouches for the address.
    pub(crate) fn open_browser(&self, address: &str, command: Option<&str>) -> bool {
        let own = command.map(str::to_owned).or_else(|| self.env.var(env_vars::BROWSER));
        match &self.processes {
            Processes::System => openers(own.as_deref(), address)
                .iter()
                .any(|words| super::processes::start_detached(words).is_ok()),
            Processes::Given { opened, .. } => {
                let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
                opened.push(address.to_owned());
                true
            }
        }
    }

    /// Why a browser that opens here would not be in front of the person; `None` where it would.
    pub(crate) fn without_browser(&self) -> Option<&'static str> {
        let has = |name: &str| self.env.var_os(name).is_some();
        if has(env_vars::BROWSER) {
            return None; // an editor's remote terminal sets it, and brings the address to the person
        }
        if has(env_vars::SSH_CONNECTION) || has(env_vars::SSH_TTY) {
            return Some("this is an SSH session");
        }
        if has(env_vars::CONTAINER) || has(env_vars::KUBERNETES_SERVICE_HOST) {
            return Some("this is a container");
        }
        let needs_display = cfg!(all(unix, not(target_os = "macos")));
        if needs_display && !has(env_vars::DISPLAY) && !has(env_vars::WAYLAND_DISPLAY) && !is_wsl(&self.env) {
            return Some("there is no display here");
        }
        None
    }

    /// What this machine is called, for the person who is asked about it elsewhere.
    pub(crate) fn machine_name(&self) -> String {
        let named = self
            .env
            .var(env_vars::HOSTNAME)
            .or_else(|| self.env.var(env_vars::COMPUTERNAME));
        let named = named.or_else(|| match self.processes {
            Processes::System => {
                let name = self.env.read_text(Path::new("/etc/hostname"), Input::Token).ok();
                name.map(|name| name.expose().clone()) // a name, no secret
            }
            Processes::Given { .. } => None,
        });
        let name = named.map(|name| sanitize(name.trim()));
        name.filter(|name| !name.is_empty())
            .unwrap_or_else(|| "this machine".to_owned())
    }
}

/// Linux under Windows: the opener there finds Windows' browser.
fn is_wsl(env: &Env) -> bool {
    env.var_os(env_vars::WSL_DISTRO_NAME).is_some()
}

/// The command lines to try, one after the other.
fn openers(own: Option<&str>, address: &str) -> Vec<Vec<OsString>> {
    if let Some(own) = own {
        return words(own, address).into_iter().collect();
    }
    let with = |words: &[&str]| words.iter().copied().chain([address]).map(OsString::from).collect();
    if cfg!(windows) {
        // Not `cmd /c start`: it would read the address as a command line.
        vec![with(&["rundll32.exe", "url.dll,FileProtocolHandler"])]
    } else if cfg!(target_os = "macos") {
        vec![with(&["/usr/bin/open"])]
    } else {
        vec![with(&["xdg-open"]), with(&["wslview"]), with(&["x-www-browser"])]
    }
}

/// `$BROWSER` as Debian's `sensible-browser` reads it: words, `%s` for the address, which else comes last.
fn words(own: &str, address: &str) -> Option<Vec<OsString>> {
    let own = own
        .split(':')
        .next()
        .filter(|_| !PathBuf::from(own).exists() && !cfg!(windows))
        .unwrap_or(own);
    let mut words: Vec<String> = own.split_whitespace().map(str::to_owned).collect();
    if PathBuf::from(own).exists() {
        words = vec![own.to_owned()]; // a path with blanks in it
    }
    words.first()?;
    let mut is_placed = false;
    for word in &mut words {
        if word.contains("%s") {
            *word = word.replace("%s", address);
            is_placed = true;
        }
    }
    if !is_placed {
        words.push(address.to_owned());
    }
    Some(words.into_iter().map(OsString::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_word_whatever_is_in_it() {
        let address = "https://idp.example/a?x=1&y=$(id);z='q' r";
        let of = |own| openers(own, address).remove(0);
        assert_eq!(of(None).last(), Some(&OsString::from(address)));
        assert_eq!(
            of(Some("firefox -P work")),
            ["firefox", "-P", "work", address].map(OsString::from)
        );
        assert_eq!(
            of(Some("w3m %s -o x")),
            ["w3m".into(), OsString::from(address), "-o".into(), "x".into()]
        );
    }
}
