//! Which proxy a request goes through: the environment's, read as kubectl reads it (Go's `httpproxy`), so that we and kubectl take the
//! same way; or the one that a kubeconfig or a profile names.

use super::HttpError;
use crate::env_vars;
use crate::host::Env;
use reqwest::Url;
use std::net::IpAddr;

/// The proxies for https and for http, and what is reached without them.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    https: Option<Named>,
    http: Option<Named>,
    direct: Direct,
    /// They come from the environment, which means the way out of this machine.
    lead_out: bool,
}

/// A proxy's URL, which may hold a password, and the setting it comes from.
#[derive(Debug, Clone)]
struct Named {
    url: String,
    setting: &'static str,
}

impl Proxies {
    /// Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`; of each the upper case first.
    pub fn from_env(env: &Env) -> Self {
        let [https, http, all, none] = env_vars::PROXIES;
        let var = |setting: &'static str| {
            let url = env.var(setting).or_else(|| env.var(&setting.to_ascii_lowercase()))?;
            Some(Named { url, setting })
        };
        Self {
            https: var(https).or_else(|| var(all)),
            http: var(http).or_else(|| var(all)),
            direct: var(none).map(|list| Direct::parse(&list.url)).unwrap_or_default(),
            lead_out: true,
        }
    }

    /// One proxy for everything, as a kubeconfig's `proxy-url` means it.
    pub(crate) fn only(url: &str) -> Self {
        let named = Named {
            url: url.to_owned(),
            setting: "the proxy",
        };
        Self {
            https: Some(named.clone()),
            http: Some(named),
            direct: Direct::default(),
            lead_out: false,
        }
    }

    /// The proxy that is set for https, without user and password.
    pub(crate) fn shown(&self) -> Option<String> {
        self.https.as_ref().map(Named::shown)
    }

    /// The proxy for this URL, without user and password; `None` if it is reached directly.
    pub fn shown_for(&self, url: &str) -> Option<String> {
        Some(self.of(&Url::parse(url).ok()?)?.shown())
    }

    /// Nothing is proxied.
    pub(crate) fn is_empty(&self) -> bool {
        self.https.is_none() && self.http.is_none()
    }

    /// Fails if the proxy that this URL would be asked through is none. One that no request uses does not matter.
    pub(super) fn check(&self, url: &str) -> Result<(), HttpError> {
        let proxy = Url::parse(url).ok().and_then(|url| self.of(&url).cloned());
        proxy.map_or(Ok(()), |proxy| proxy.parse().map(drop))
    }

    /// What the client asks for each request.
    pub(super) fn into_proxy(self) -> reqwest::Proxy {
        reqwest::Proxy::custom(move |url| self.of(url)?.parse().ok())
    }

    fn of(&self, url: &Url) -> Option<&Named> {
        let proxy = match url.scheme() {
            "https" => self.https.as_ref(),
            "http" => self.http.as_ref(),
            _ => None,
        }?;
        let is_own_machine = self.lead_out && is_loopback(url) && !proxy.is_on_loopback();
        (!is_own_machine && !self.direct.covers(url)).then_some(proxy)
    }
}

/// No other machine's proxy can reach it. (Go spares it even a proxy on this machine, which can.)
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| plain(address).is_loopback())
}

impl Named {
    /// A whole URL, or `host[:port]` of a proxy that speaks http.
    fn parse(&self) -> Result<Url, HttpError> {
        let is_whole = self.url.contains("://");
        let parsed = if is_whole {
            Url::parse(&self.url)
        } else {
            Url::parse(&format!("http://{}", self.url))
        };
        let parsed = parsed.ok().filter(Url::has_host);
        let known = |url: &Url| {
            matches!(
                url.scheme(),
                "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h"
            )
        };
        parsed
            .filter(known)
            .ok_or(HttpError::BadProxy { setting: self.setting })
    }

    fn is_on_loopback(&self) -> bool {
        self.parse().is_ok_and(|url| is_loopback(&url))
    }

    fn shown(&self) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("http", &self.url));
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        format!("{scheme}://{}", host.trim_end_matches('/'))
    }
}

/// What `NO_PROXY` lists.
#[derive(Debug, Clone, Default)]
struct Direct {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
enum Rule {
    /// `*`
    Everything,
    /// `10.0.0.0/8`
    Network { address: IpAddr, bits: u32 },
    /// `10.0.0.1`, `10.0.0.1:443`, `[::1]:443`
    Address { address: IpAddr, port: Option<String> },
    /// `example.com` and what is below it; `.example.com` and `*.example.com`: only what is below it; each with a port too.
    Domain {
        /// Begins with a dot.
        suffix: String,
        with_itself: bool,
        port: Option<String>,
    },
}

impl Direct {
    fn parse(list: &str) -> Self {
        Self {
            rules: list.split(',').filter_map(|entry| Rule::parse(entry.trim())).collect(),
        }
    }

    fn covers(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default().to_lowercase();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>().ok().map(plain);
        let port = url.port_or_known_default().unwrap_or_default().to_string();
        self.rules.iter().any(|rule| rule.covers(&host, address, &port))
    }
}

impl Rule {
    /// `None` for what Go skips, too.
    fn parse(entry: &str) -> Option<Self> {
        let entry = entry.to_lowercase();
        if entry == "*" {
            return Some(Self::Everything);
        }
        if let Some(network) = Self::network(&entry) {
            return Some(network);
        }
        let (host, port) = split_port(&entry);
        let port = port.filter(|port| !port.is_empty()).map(str::to_owned);
        if let Ok(address) = host.parse::<IpAddr>() {
            let address = plain(address);
            return Some(Self::Address { address, port });
        }
        let host = host
            .strip_prefix('*')
            .filter(|rest| rest.starts_with('.'))
            .unwrap_or(host);
        let (with_itself, name) = match host.strip_prefix('.') {
            Some(below) => (false, below),
            None => (true, host),
        };
        (!host.is_empty()).then(|| Self::Domain {
            suffix: format!(".{}", ascii(name)),
            with_itself,
            port,
        })
    }

    fn network(entry: &str) -> Option<Self> {
        let (address, bits) = entry.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let is_number = !bits.is_empty() && bits.bytes().all(|digit| digit.is_ascii_digit());
        let bits: u32 = bits.parse().ok().filter(|_| is_number)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        (bits <= most).then_some(Self::Network { address, bits })
    }

    fn covers(&self, host: &str, address: Option<IpAddr>, port: &str) -> bool {
        let is_port = |wanted: &Option<String>| wanted.as_ref().is_none_or(|wanted| wanted == port);
        match (self, address) {
            (Self::Everything, _) => true,
            (Self::Network { address: network, bits }, Some(address)) => is_within(address, *network, *bits),
            (Self::Address { address: wanted, port }, Some(address)) => *wanted == address && is_port(port),
            (
                Self::Domain {
                    suffix,
                    with_itself,
                    port,
                },
                None,
            ) => {
                let is_itself = || *with_itself && suffix.strip_prefix('.') == Some(host);
                (host.ends_with(suffix.as_str()) || is_itself()) && is_port(port)
            }
            _ => false,
        }
    }
}

/// `host:port` or `[v6]:port`; anything else is a host, as Go's `net.SplitHostPort` has it.
fn split_port(entry: &str) -> (&str, Option<&str>) {
    if let Some((host, port)) = entry.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
        return (host, Some(port));
    }
    match entry.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (entry, None),
    }
}

/// As a URL would have it: international names in their ASCII form.
fn ascii(name: &str) -> String {
    let url = if name.is_ascii() {
        None
    } else {
        Url::parse(&format!("http://{name}")).ok()
    };
    url.and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_else(|| name.to_owned())
}

/// IPv4 addresses that are written as IPv6 ones are IPv4 addresses.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(pairs: &[(&str, &str)]) -> Proxies {
        Proxies::from_env(&Env::given(pairs.iter().copied()))
    }

    #[test]
    fn a_proxy_is_shown_without_its_password() {
        let proxies = proxies(&[("https_proxy", "http://user:secret@proxy:3128/")]);
        assert_eq!(proxies.shown().as_deref(), Some("http://proxy:3128"));
    }

    #[test]
    fn a_proxy_elsewhere_is_not_asked_for_this_machine() {
        let is_direct = |proxy: &str, url: &str| proxies(&[("HTTPS_PROXY", proxy)]).shown_for(url).is_none();
        for url in [
            "https://127.0.0.1:5443",
            "https://127.9.9.9",
            "https://localhost:5443",
            "https://[::1]",
        ] {
            assert!(is_direct("http://proxy.example.com:3128", url), "{url}");
            assert!(!is_direct("http://127.0.0.1:3128", url), "{url}");
            assert!(
                Proxies::only("http://proxy.example.com:3128").shown_for(url).is_some(),
                "{url}"
            );
        }
        assert!(!is_direct(
            "http://proxy.example.com:3128",
            "https://localhost.example.com"
        ));
    }

    #[test]
    fn a_malformed_proxy_matters_only_to_the_requests_that_would_use_it() {
        for bad in ["::::", "http://", "ftp://proxy", "http://[::1"] {
            let unused = proxies(&[("HTTP_PROXY", bad)]);
            assert!(unused.check("https://cce.eu-de.otc.t-systems.com").is_ok(), "{bad}");
            let used = proxies(&[("HTTPS_PROXY", bad)]);
            let error = used.check("https://cce.eu-de.otc.t-systems.com").unwrap_err();
            assert!(error.to_string().contains("HTTPS_PROXY"), "{bad}: {error}");
            assert!(used.check("http://127.0.0.1").is_ok(), "{bad}");
            let spared = proxies(&[("HTTPS_PROXY", bad), ("NO_PROXY", "*.t-systems.com")]);
            assert!(spared.check("https://cce.eu-de.otc.t-systems.com").is_ok(), "{bad}");
        }
        for good in [
            "proxy",
            "proxy:3128",
            "user:word@proxy:3128",
            "HTTP://proxy",
            "socks5h://proxy:1080",
        ] {
            assert!(proxies(&[("HTTPS_PROXY", good)]).check("https://h").is_ok(), "{good}");
        }
    }
}
