//! The address that a provider sends the browser back to: always this machine.

use crate::sanitize::sanitize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `http://127.0.0.1:PORT/PATH`, or the same with `localhost` or `[::1]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RedirectUrl {
    /// As it stands in the address.
    pub(super) host: String,
    /// `None`: any that is free.
    pub(super) port: Option<u16>,
    /// With its leading slash.
    pub(super) path: String,
}

/// Why an address cannot be one to return to.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an address of this machine, such as `http://127.0.0.1:8765/`")]
pub(crate) struct InvalidRedirectUrl(String);

impl Default for RedirectUrl {
    /// RFC 8252: the address, not the name; any port.
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: None,
            path: "/".to_owned(),
        }
    }
}

impl RedirectUrl {
    /// What it must look like.
    pub(crate) const HINT: &'static str = "it is `http://` with `127.0.0.1`, `localhost` or `[::1]`, a port from 1024 on, and a path; register the same one at the identity provider";

    /// Reads one; the port may be left out.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidRedirectUrl> {
        let refuse = || InvalidRedirectUrl(sanitize(text));
        let rest = text.strip_prefix("http://").ok_or_else(refuse)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
        let hosts = ["127.0.0.1", "localhost", "[::1]"];
        let host = hosts.into_iter().find(|host| {
            let rest = authority.strip_prefix(host);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        });
        let host = host.filter(|_| path.chars().all(is_plain)).ok_or_else(refuse)?;
        let port = authority.get(host.len()..).unwrap_or_default().strip_prefix(':');
        let port = port.map(|port| port.parse().ok().filter(|port| *port >= 1024).ok_or_else(refuse));
        Ok(Self {
            host: host.to_owned(),
            port: port.transpose()?,
            path: format!("/{path}"),
        })
    }

    /// It names a port, which can be brought to a browser on another machine.
    pub(crate) fn has_port(&self) -> bool {
        self.port.is_some()
    }

    /// The port that it names.
    pub(crate) fn port(&self) -> Option<u16> {
        self.port
    }

    /// Where to listen. A browser may take `localhost` for either.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        let (v4, v6) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST));
        match self.host.as_str() {
            "localhost" => vec![v4, v6],
            "[::1]" => vec![v6],
            _ => vec![v4],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_returned_to() {
        for good in [
            "http://127.0.0.1:8765/",
            "http://localhost:8000",
            "http://[::1]:9000/oidc/callback",
            "http://localhost",
        ] {
            assert!(RedirectUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "https://127.0.0.1:8765/",
            "http://127.0.0.1.evil.example:8765/",
            "http://localhost@evil.example/",
            "http://0.0.0.0:8000/",
            "http://127.0.0.1:80/",
            "http://127.0.0.1:8765/?x=1",
            "http://127.0.0.1:99999/",
            "http://192.168.0.1:8765/",
            "http://localhost:8000/a b",
        ] {
            assert!(RedirectUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
