//! A small HTTP/1.1 client over TLS, and a signer of its own: one request per connection, everything visible.

use std::{
    fmt::Write as _,
    io,
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cce_sim::{AccessKey, Sim};
use ring::{digest, hmac};
use serde_json::Value;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring as provider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The token that came, which must be there.
    pub(crate) fn token(&self) -> String {
        assert_eq!(self.status, 201, "{}", self.body);
        self.header("x-subject-token").unwrap().to_owned()
    }

    /// Status and IAM's message, for refusals in Keystone's shape.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let json = self.json();
        assert_eq!(json["error"]["code"], self.status);
        (self.status, json["error"]["message"].as_str().unwrap().to_owned())
    }

    /// Status and code, for refusals of the gateway.
    pub(crate) fn gateway_refusal(&self) -> (u16, String) {
        (self.status, self.json()["error_code"].as_str().unwrap().to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// A request that is signed when it is sent, unless its parts are changed afterwards.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn get(path: &str) -> Self {
        Self {
            method: "GET".to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    pub(crate) fn post(path: &str, body: &str) -> Self {
        let mut request = Self::get(path);
        "POST".clone_into(&mut request.method);
        body.clone_into(&mut request.body);
        request.header("content-type", "application/json")
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Signs for the CCE endpoint at the machine's time plus so many seconds.
    pub(crate) fn signed(self, sim: &Sim, key: &AccessKey, clock_offset: i64) -> Self {
        let host = sim.cce_endpoint().replace("https://", "");
        self.signed_for(&host, key, clock_offset)
    }

    pub(crate) fn signed_for(mut self, host: &str, key: &AccessKey, clock_offset: i64) -> Self {
        let now = chrono::Utc::now() + chrono::Duration::seconds(clock_offset);
        let date = now.format("%Y%m%dT%H%M%SZ").to_string();
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let slash = if path.ends_with('/') { "" } else { "/" };
        let hash = hex(digest::digest(&digest::SHA256, self.body.as_bytes()).as_ref());
        let canonical = format!(
            "{}\n{path}{slash}\n{query}\nhost:{host}\nx-sdk-date:{date}\n\nhost;x-sdk-date\n{hash}",
            self.method
        );
        let hash = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let to_sign = format!("SDK-HMAC-SHA256\n{date}\n{hash}");
        let secret = hmac::Key::new(hmac::HMAC_SHA256, key.secret.as_bytes());
        let signature = hex(hmac::sign(&secret, to_sign.as_bytes()).as_ref());
        let authorization = format!(
            "SDK-HMAC-SHA256 Access={}, SignedHeaders=host;x-sdk-date, Signature={signature}",
            key.id
        );
        if let Some(token) = &key.security_token {
            self.headers.push(("x-security-token".to_owned(), token.clone()));
        }
        self.headers.push(("host".to_owned(), host.to_owned()));
        self.headers.push(("x-sdk-date".to_owned(), date));
        self.headers.push(("authorization".to_owned(), authorization));
        self
    }

    pub(crate) fn send_to_cce(&self, sim: &Sim) -> io::Result<Reply> {
        self.send_to(&sim.cce_endpoint(), sim)
    }

    pub(crate) fn send_to_iam(&self, sim: &Sim) -> Reply {
        self.send_to(&sim.iam_endpoint(), sim).unwrap()
    }

    /// To `https://ADDRESS`, or without TLS to `http://ADDRESS`.
    pub(crate) fn send_to(&self, endpoint: &str, sim: &Sim) -> io::Result<Reply> {
        if let Some(address) = endpoint.strip_prefix("http://") {
            return exchange(&mut connect(address.parse().unwrap())?, self);
        }
        let address = endpoint.replace("https://", "").parse().unwrap();
        Client::new(&sim.ca_pem(), "127.0.0.1", None).send(address, self)
    }

    /// Signed by this key for IAM and sent there.
    pub(crate) fn signed_to_iam(self, sim: &Sim, key: &AccessKey) -> Reply {
        let host = sim.iam_endpoint().replace("https://", "");
        self.signed_for(&host, key, 0).send_to_iam(sim)
    }

    /// Signed by alice, sent to CCE.
    pub(crate) fn sent_by_alice(self, sim: &Sim) -> Reply {
        let signed = self.signed(sim, &sim.access_key("alice"), 0);
        signed.send_to_cce(sim).unwrap()
    }
}

pub(crate) struct Client {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Client {
    /// Trusts this CA for this name; shows this certificate and key (PEM) if asked.
    pub(crate) fn new(ca_pem: &str, name: &str, identity: Option<(&str, &str)>) -> Self {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap())
            .unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        Self {
            config: Arc::new(config),
            name: ServerName::try_from(name.to_owned()).unwrap(),
        }
    }

    pub(crate) fn connect(&self, address: SocketAddr) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let tcp = connect(address)?;
        let connection = ClientConnection::new(Arc::clone(&self.config), self.name.clone()).unwrap();
        Ok(StreamOwned::new(connection, tcp))
    }

    pub(crate) fn send(&self, address: SocketAddr, request: &Request) -> io::Result<Reply> {
        exchange(&mut self.connect(address)?, request)
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let tcp = TcpStream::connect(address)?;
    tcp.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(tcp)
}

fn exchange(stream: &mut (impl io::Read + io::Write), request: &Request) -> io::Result<Reply> {
    send_on(stream, request, "close")?;
    let mut text = Vec::new();
    let received = stream.read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return Err(received.err().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()));
    };
    Ok(Reply {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        headers: head.to_owned(),
        body: body.to_owned(),
    })
}

pub(crate) fn send_on(stream: &mut impl io::Write, request: &Request, connection: &str) -> io::Result<()> {
    let mut head = format!(
        "{} {} HTTP/1.1\r\nconnection: {connection}\r\n",
        request.method, request.path
    );
    if !request.headers.iter().any(|(name, _)| name == "host") {
        head.push_str("host: 127.0.0.1\r\n");
    }
    for (name, value) in &request.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let _ = write!(head, "content-length: {}\r\n\r\n{}", request.body.len(), request.body);
    stream.write_all(head.as_bytes())?;
    stream.flush()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `/api/v3/projects/{main}/{rest}`
pub(crate) fn project_path(sim: &Sim, rest: &str) -> String {
    format!("/api/v3/projects/{}/{rest}", sim.project_id(sim.region()))
}

/// `…/clusters/{uid}/{rest}` of a cluster.
pub(crate) fn cluster_path(sim: &Sim, cluster: &str, rest: &str) -> String {
    project_path(sim, &format!("clusters/{}/{rest}", sim.cluster(cluster).uid))
}

/// A `clustercert` answer, taken apart.
pub(crate) struct Kubeconfig {
    pub(crate) json: Value,
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Kubeconfig {
    pub(crate) fn fetch(sim: &Sim, cluster: &str) -> Self {
        let path = cluster_path(sim, cluster, "clustercert");
        let reply = Request::post(&path, r#"{"duration": 1}"#).sent_by_alice(sim);
        assert_eq!(reply.status, 200, "{}", reply.body);
        let json = reply.json();
        let decode = |name: &str| decode(&json["users"][0]["user"][name]);
        let (certificate, key) = (decode("client-certificate-data"), decode("client-key-data"));
        Self { json, certificate, key }
    }

    /// A client of the cluster's API server with this certificate.
    pub(crate) fn get(&self, sim: &Sim, cluster: &str, path: &str) -> io::Result<Reply> {
        let info = sim.cluster(cluster);
        let address = info.external_url.unwrap().replace("https://", "").parse().unwrap();
        let client = Client::new(&info.ca_pem, "kubernetes", Some((&self.certificate, &self.key)));
        client.send(address, &Request::get(path))
    }
}

pub(crate) fn decode(data: &Value) -> String {
    String::from_utf8(STANDARD.decode(data.as_str().unwrap()).unwrap()).unwrap()
}
