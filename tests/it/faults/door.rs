//! A door in front of the simulated cloud. Open, it hands bytes on; else it is the faulty server that a fault wants, at the same address.

use crate::real::relay::join;
use cce_sim::{IssuedCertificate, Sim};
use rustix::net::sockopt::set_socket_linger;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// No call lasts so long, whatever its deadline.
const LONGER_THAN_ANY_CALL: Duration = Duration::from_secs(20);
/// A piece of a flood.
const PIECE: usize = 64 << 10;

/// What becomes of a connection.
#[derive(Clone)]
pub(super) enum Behind {
    /// It leads to the cloud.
    Cloud,
    /// It is accepted, and ends so.
    Accepted(End),
    /// The TLS client has greeted, is answered with these bytes, and it ends so.
    Greeted(&'static [u8], End),
    /// TLS with this certificate, the request is read, and this happens then.
    Answered(Arc<ServerConfig>, Vec<Does>),
}

/// What a faulty server does when it has read the request.
#[derive(Clone)]
pub(super) enum Does {
    Says(Vec<u8>),
    /// Byte by byte, with a pause after each.
    Drips(Vec<u8>, Duration),
    /// So many bytes, as long as somebody takes them.
    Floods(usize),
    Ends(End),
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With RST.
    Reset,
    /// With FIN, and without a word of TLS.
    Closed,
    /// This side says nothing more; the other one may.
    HalfClosed,
    /// Not, for longer than anybody waits.
    Never,
}

/// The door.
pub(super) struct Door {
    address: SocketAddr,
    behind: Arc<Mutex<Behind>>,
    is_over: Arc<AtomicBool>,
    listener: TcpListener,
    /// How many connections were accepted while it was not open.
    accepted: Arc<AtomicUsize>,
    /// Connections that keep the backlog full.
    crowd: Mutex<Vec<rustix::fd::OwnedFd>>,
}

impl Door {
    /// Open.
    pub(super) fn in_front_of(sim: &Sim) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let this = Self {
            address: listener.local_addr().unwrap(),
            behind: Arc::new(Mutex::new(Behind::Cloud)),
            is_over: Arc::default(),
            listener: listener.try_clone().unwrap(),
            accepted: Arc::default(),
            crowd: Mutex::default(),
        };
        let (behind, is_over, accepted) = (this.behind.clone(), this.is_over.clone(), this.accepted.clone());
        let cloud = sim.cce_endpoint().trim_start_matches("https://").to_owned();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let (behind, cloud) = (behind.lock().unwrap().clone(), cloud.clone());
                if !matches!(behind, Behind::Cloud) {
                    accepted.fetch_add(1, Ordering::Relaxed);
                }
                std::thread::spawn(move || behind.serve(client, &cloud));
            }
        });
        this
    }

    pub(super) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub(super) fn set(&self, behind: Behind) {
        *self.behind.lock().unwrap() = behind;
    }

    /// How many connections it has spoiled.
    pub(super) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// The request is read, over TLS as it should be, then this happens.
    pub(super) fn answer(&self, sim: &Sim, does: Vec<Does>) {
        let config = tls(&sim.cloud_certificate("127.0.0.1", -3600..3600));
        self.set(Behind::Answered(config, does));
    }

    /// From now on nobody accepts, and there is no room in the queue: who connects hears nothing at all.
    pub(super) fn swallow(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        rustix::net::listen(&self.listener, 0).unwrap();
        let _wakes_the_one_who_accepts = TcpStream::connect(self.address);
        let mut crowd = self.crowd.lock().unwrap();
        for _ in 0..4 {
            use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).unwrap();
            let _in_progress = connect(&socket, &self.address);
            crowd.push(socket);
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.crowd.lock().unwrap().clear();
        let _wakes_the_one_who_accepts = TcpStream::connect_timeout(&self.address, Duration::from_millis(100));
    }
}

impl Behind {
    fn serve(&self, mut client: TcpStream, cloud: &str) {
        let _ = client.set_read_timeout(Some(LONGER_THAN_ANY_CALL));
        let _ = client.set_write_timeout(Some(LONGER_THAN_ANY_CALL));
        match self {
            Self::Cloud => {
                if let Ok(cloud) = TcpStream::connect(cloud) {
                    join(&client, &cloud);
                }
            }
            Self::Accepted(how) => end(&client, *how),
            Self::Greeted(says, how) => {
                let _ = client.read(&mut [0; 4096]);
                let _ = client.write_all(says);
                end(&client, *how);
            }
            Self::Answered(config, does) => {
                let Ok(connection) = ServerConnection::new(Arc::clone(config)) else {
                    return;
                };
                let mut tls = StreamOwned::new(connection, client);
                if read_request(&mut tls).is_some() {
                    for what in does {
                        if !what.done(&mut tls) {
                            break;
                        }
                    }
                }
                let _ = tls.sock.shutdown(Shutdown::Both);
            }
        }
    }
}

impl Does {
    /// Whether there is anybody to go on with.
    fn done(&self, tls: &mut StreamOwned<ServerConnection, TcpStream>) -> bool {
        match self {
            Self::Says(bytes) => tls.write_all(bytes).and_then(|()| tls.flush()).is_ok(),
            Self::Drips(bytes, pause) => bytes.iter().all(|byte| {
                std::thread::sleep(*pause);
                tls.write_all(&[*byte]).and_then(|()| tls.flush()).is_ok()
            }),
            Self::Floods(count) => {
                let piece = vec![b' '; PIECE];
                (0..count / PIECE).all(|_| tls.write_all(&piece).is_ok())
            }
            Self::Ends(how) => {
                end(&tls.sock, *how);
                false
            }
        }
    }
}

fn end(mut client: &TcpStream, how: End) {
    match how {
        End::Reset => {
            // What was said before arrives before the reset does.
            std::thread::sleep(Duration::from_millis(50));
            set_socket_linger(client, Some(Duration::ZERO)).unwrap();
        }
        End::Closed => {}
        End::HalfClosed | End::Never => {
            if how == End::HalfClosed {
                let _ = client.shutdown(Shutdown::Write);
            }
            while client.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
        }
    }
}

/// One request to its end; `None`: there is none.
fn read_request(tls: &mut StreamOwned<ServerConnection, TcpStream>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        tls.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    tls.read_exact(&mut body).ok()
}

/// What a server with this certificate speaks.
pub(super) fn tls(identity: &IssuedCertificate) -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes());
    let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Arc::new(config)
}
