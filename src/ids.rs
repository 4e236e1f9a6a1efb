//! Names and ids, parsed once and valid ever after.
//!
//! All of them end up in the arguments of a kubeconfig's exec entry, which some clients run through a shell (Python on
//! Windows), so nothing but letters, digits and a few harmless signs gets in.

use crate::sanitize::sanitize;
use std::fmt;

/// Why a name or an id was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not {what}")]
pub struct InvalidId {
    what: &'static str,
    rule: &'static str,
    shown: String,
}

impl InvalidId {
    /// What a valid one looks like.
    pub(crate) fn hint(&self) -> String {
        format!("{} consists of {}", self.what, self.rule)
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $rule:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Parses and checks; surrounding white space is not accepted.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let allowed: fn(char) -> bool = $allowed;
                if text.is_empty() || text.len() > $max || !text.chars().all(allowed) || text.starts_with('-') {
                    let shown = sanitize(text);
                    return Err(InvalidId { what: $what, rule: $rule, shown });
                }
                Ok(Self(text.to_owned()))
            }

            /// The text as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A region such as `cn-north-4` or `eu-de`.
    Region, "a region", 64, "lower-case letters, digits, `-` and `_` (for example `eu-de`)",
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_'
);
id!(
    /// A project's id (32 hexadecimal digits on all known clouds).
    ProjectId, "a project id", 64, "letters, digits, `-` and `_`",
    |c| c.is_ascii_alphanumeric() || c == '-' || c == '_'
);
id!(
    /// A cluster's id (a UUID on all known clouds).
    ClusterId, "a cluster id", 64, "letters, digits and `-`",
    |c| c.is_ascii_alphanumeric() || c == '-'
);
id!(
    /// A cluster's name. CCE's own rule is small letters, digits and `-`; other installations are not so strict.
    ClusterName, "a cluster's name", 128, "letters, digits, `-`, `_` and `.`",
    |c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')
);
id!(
    /// A project's name: its region's, perhaps with `_` and a name of its own.
    ProjectName, "a project's name", 128, "letters, digits, `-`, `_` and `.`",
    |c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')
);
id!(
    /// A profile's name.
    ProfileName, "a profile name", 64, "at most 64 letters, digits, `.`, `_` and `-`",
    |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
);
id!(
    /// An access key's id; it is sent in the `Authorization` header.
    AccessKeyId, "an access key id", 128, "letters and digits (20 of them as a rule)",
    |c| c.is_ascii_alphanumeric() || c == '-' || c == '_'
);

id!(
    /// A user's or an agency's id (32 hexadecimal digits on all known clouds).
    UserId, "a user id", 64, "letters, digits, `-` and `_`",
    |c| c.is_ascii_alphanumeric() || c == '-' || c == '_'
);

id!(
    /// Who an entry of the kubeconfig is for: the id that the certificates name, or a federated user's provider and subject.
    PrincipalId, "a principal", 512, "letters, digits and `-`, `_`, `.`, `:`, `@`, `/`, `~`: the id that the certificates name, or `PROVIDER/SUBJECT`",
    |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '@' | '/' | '~')
);

id!(
    /// A job's id (a UUID on all known clouds).
    JobId, "a job id", 64, "letters, digits and `-`",
    |c| c.is_ascii_alphanumeric() || c == '-'
);

impl Region {
    /// The region that a project of this name belongs to: `eu-de_team` lies in `eu-de`.
    pub(crate) fn of_project(name: &str) -> Option<Self> {
        Self::parse(name.split('_').next()?).ok()
    }
}

/// An https URL of a service: scheme, host and port, perhaps a path; http only towards loopback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
    host: String,
}

/// Why a URL was refused as an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    /// Not `https://host[:port][/path]`.
    #[error("`{0}` is not an endpoint")]
    Malformed(String),
    /// Plain http to another machine.
    #[error("`{0}` is not encrypted")]
    NotEncrypted(String),
}

impl InvalidEndpoint {
    /// What a valid one looks like.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Malformed(_) => "an endpoint looks like `https://cce.eu-de.otc.t-systems.com`".to_owned(),
            Self::NotEncrypted(_) => "use https; http is accepted for loopback addresses only".to_owned(),
        }
    }
}

impl Endpoint {
    /// Parses a service's base URL; trailing slashes are dropped, because CCE refuses them.
    pub fn parse(text: &str) -> Result<Self, InvalidEndpoint> {
        let malformed = || InvalidEndpoint::Malformed(sanitize(text));
        let (scheme, rest) = text.split_once("://").ok_or_else(malformed)?;
        let rest = rest.trim_end_matches('/');
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = split_authority(authority).ok_or_else(malformed)?;
        let host_is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        let path_is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '~');
        if host.is_empty() || !host.chars().all(host_is_plain) || !path.chars().all(path_is_plain) {
            return Err(malformed());
        }
        if port.is_some_and(|p| p.parse::<u16>().map_or(true, |n| n == 0)) {
            return Err(malformed());
        }
        match scheme.to_ascii_lowercase().as_str() {
            "https" => {}
            "http" if is_loopback(&host) => {}
            "http" => return Err(InvalidEndpoint::NotEncrypted(sanitize(text))),
            _ => return Err(malformed()),
        }
        let url = format!("{}://{rest}", scheme.to_ascii_lowercase());
        Ok(Self { url, host })
    }

    /// The https endpoint at a host name made of parts that were checked before.
    pub(crate) fn of_host(host: String) -> Self {
        Self {
            url: format!("https://{host}"),
            host,
        }
    }

    /// The URL without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// The host alone, IPv6 addresses without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The same server by the same scheme; paths do not count.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        let is_encrypted = |endpoint: &Self| endpoint.url.starts_with("https://");
        self.host_and_port() == other.host_and_port() && is_encrypted(self) == is_encrypted(other)
    }

    /// `host:port`, the port being the scheme's where none is given, the host in lower case.
    pub(crate) fn host_and_port(&self) -> (String, u16) {
        let authority = self
            .url
            .split_once("://")
            .map_or("", |(_, rest)| rest.split('/').next().unwrap_or(""));
        let default = if self.url.starts_with("https") { 443 } else { 80 };
        let port = split_authority(authority)
            .and_then(|(_, port)| port?.parse().ok())
            .unwrap_or(default);
        (self.host.to_ascii_lowercase(), port)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

/// Splits `host`, `host:port`, `[v6]` or `[v6]:port`; `None` for anything else, user information included.
fn split_authority(authority: &str) -> Option<(String, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        return match after {
            "" => Some((host.to_owned(), None)),
            _ => Some((host.to_owned(), Some(after.strip_prefix(':')?))),
        };
    }
    match authority.split_once(':') {
        None => Some((authority.to_owned(), None)),
        Some((_, port)) if port.contains(':') => None,
        Some((host, port)) => Some((host.to_owned(), Some(port))),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_with_shell_signs_are_refused() {
        for text in ["", "a b", "$(id)", "a;b", "ä", "-x", "a\n"] {
            assert!(ClusterId::parse(text).is_err(), "{text:?}");
            assert!(ProjectId::parse(text).is_err(), "{text:?}");
            assert!(Region::parse(text).is_err(), "{text:?}");
            assert!(ProfileName::parse(text).is_err(), "{text:?}");
        }
        assert!(Region::parse("EU-DE").is_err());
        assert!(Region::parse("eu-de_team").is_ok());
    }

    #[test]
    fn an_endpoint_is_https_or_loopback() {
        let parsed = |text| Endpoint::parse(text).map(|e| e.as_str().to_owned());
        assert_eq!(
            parsed("https://cce.eu-de.otc.t-systems.com//").unwrap(),
            "https://cce.eu-de.otc.t-systems.com"
        );
        assert_eq!(parsed("http://127.0.0.1:80").unwrap(), "http://127.0.0.1:80");
        assert_eq!(parsed("https://[::1]:5443").unwrap(), "https://[::1]:5443");
        assert_eq!(
            Endpoint::parse("http://10.0.0.1"),
            Err(InvalidEndpoint::NotEncrypted("http://10.0.0.1".into()))
        );
        for text in [
            "cce.eu-de",
            "https://",
            "https://u:p@h",
            "https://h?x=1",
            "https://h:0",
            "https://h:99999",
            "ftp://h",
            "https://h h",
        ] {
            assert!(
                matches!(Endpoint::parse(text), Err(InvalidEndpoint::Malformed(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn the_port_defaults_by_scheme() {
        assert_eq!(
            Endpoint::parse("https://Host").unwrap().host_and_port(),
            ("host".into(), 443)
        );
        assert_eq!(
            Endpoint::parse("https://[::1]:5443/x").unwrap().host_and_port(),
            ("::1".into(), 5443)
        );
    }
}
