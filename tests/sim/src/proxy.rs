//! A forward proxy on loopback, as companies have one. It leads the names of the real clouds' services to the simulated ones, loopback addresses to
//! themselves, and everything else nowhere.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

use crate::world::lock;

/// The longest head of a CONNECT request.
const HEAD_LIMIT: usize = 8192;

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// `CONNECT` in the clear.
    Http,
    /// `CONNECT` within TLS, with a certificate of the cloud's CA.
    Https,
    /// SOCKS version 5, without authentication.
    Socks5,
}

/// A running proxy; it ends with the simulator.
#[derive(Clone)]
pub struct Proxy {
    pub(crate) kind: ProxyKind,
    pub(crate) address: SocketAddr,
    pub(crate) services: Services,
    pub(crate) tls: Arc<ServerConfig>,
    pub(crate) seen: Arc<Mutex<Seen>>,
}

/// Where the simulated services listen.
#[derive(Clone, Copy)]
pub(crate) struct Services {
    pub(crate) iam: SocketAddr,
    pub(crate) cce: SocketAddr,
    pub(crate) sts: SocketAddr,
    pub(crate) identity_center_oidc: SocketAddr,
    pub(crate) identity_center_portal: SocketAddr,
}

/// What went through, and what may not.
#[derive(Default)]
pub(crate) struct Seen {
    targets: Vec<String>,
    cut_off: Vec<String>,
    /// What `Proxy-Authorization` has to be.
    authorization: Option<String>,
}

impl Proxy {
    /// `http://127.0.0.1:PORT`, or the same with `https` or `socks5h` (names are the proxy's to resolve).
    pub fn url(&self) -> String {
        let scheme = match self.kind {
            ProxyKind::Http => "http",
            ProxyKind::Https => "https",
            ProxyKind::Socks5 => "socks5h",
        };
        format!("{scheme}://{}", self.address)
    }

    /// `host:port` of every connection that was asked for, in order.
    pub fn targets(&self) -> Vec<String> {
        lock(&self.seen).targets.clone()
    }

    /// Hosts with this text in their name cannot be reached any more.
    pub fn cut_off(&self, part: &str) {
        lock(&self.seen).cut_off.push(part.to_owned());
    }

    /// From now on a proxy that is spoken to in HTTP asks for this user and password.
    pub fn require(&self, user: &str, password: &str) {
        let authorization = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        lock(&self.seen).authorization = Some(authorization);
    }

    pub(crate) async fn serve(self, listener: TcpListener) {
        while let Ok((tcp, _)) = listener.accept().await {
            let proxy = self.clone();
            tokio::spawn(async move {
                let _ = proxy.connection(tcp).await; // the peer sees it end
            });
        }
    }

    async fn connection(&self, tcp: TcpStream) -> io::Result<()> {
        match self.kind {
            ProxyKind::Http => self.connect(tcp).await,
            ProxyKind::Https => {
                let tls = TlsAcceptor::from(Arc::clone(&self.tls)).accept(tcp).await?;
                self.connect(tls).await
            }
            ProxyKind::Socks5 => self.socks5(tcp).await,
        }
    }

    /// RFC 9110, section 9.3.6.
    async fn connect(&self, mut client: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() > HEAD_LIMIT {
                return Ok(());
            }
            head.push(client.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let required = lock(&self.seen).authorization.clone();
        let shown = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("proxy-authorization")
                .then(|| value.trim().to_owned())
        });
        if required.is_some() && shown != required {
            let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
            return client.write_all(refusal).await;
        }
        let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
        let upstream = match target {
            Some(target) => self.reach(target).await,
            None => Err(io::ErrorKind::InvalidInput.into()),
        };
        match upstream {
            Ok(mut upstream) => {
                client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
                copy_bidirectional(&mut client, &mut upstream).await.map(|_| ())
            }
            Err(_) => {
                client
                    .write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                    .await
            }
        }
    }

    /// RFC 1928.
    async fn socks5(&self, mut client: TcpStream) -> io::Result<()> {
        let mut greeting = [0; 2];
        client.read_exact(&mut greeting).await?;
        let mut methods = vec![0; greeting[1].into()];
        client.read_exact(&mut methods).await?;
        client.write_all(&[5, 0]).await?;
        let mut request = [0; 4];
        client.read_exact(&mut request).await?;
        let host = match request[3] {
            1 => IpAddr::from(client.read_u32().await?.to_be_bytes()).to_string(),
            3 => {
                let mut name = vec![0; client.read_u8().await?.into()];
                client.read_exact(&mut name).await?;
                String::from_utf8_lossy(&name).into_owned()
            }
            _ => return Ok(()),
        };
        let port = client.read_u16().await?;
        let upstream = self.reach(&format!("{host}:{port}")).await;
        let reply = if upstream.is_ok() { 0 } else { 4 }; // host unreachable
        client.write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
        match upstream {
            Ok(mut upstream) => copy_bidirectional(&mut client, &mut upstream).await.map(|_| ()),
            Err(_) => Ok(()),
        }
    }

    async fn reach(&self, target: &str) -> io::Result<TcpStream> {
        let unreachable = || io::Error::from(io::ErrorKind::HostUnreachable);
        let address = {
            let mut seen = lock(&self.seen);
            seen.targets.push(target.to_owned());
            let is_cut_off = seen.cut_off.iter().any(|part| target.contains(part));
            self.address_of(target)
                .filter(|_| !is_cut_off)
                .ok_or_else(unreachable)?
        };
        TcpStream::connect(address).await
    }

    fn address_of(&self, target: &str) -> Option<SocketAddr> {
        if let Ok(address) = target.parse::<SocketAddr>() {
            return Some(address).filter(|address| address.ip().is_loopback());
        }
        let (service, _) = target.strip_suffix(":443")?.split_once('.')?;
        match service {
            "cce" => Some(self.services.cce),
            "iam" | "iam-pub" | "iam-apigateway-proxy" => Some(self.services.iam),
            "sts" => Some(self.services.sts),
            "oidc" => Some(self.services.identity_center_oidc),
            "portal-identitycenter" => Some(self.services.identity_center_portal),
            _ => None,
        }
    }
}
