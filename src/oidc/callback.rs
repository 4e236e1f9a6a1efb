//! The listener that a browser comes back to: on this machine only, one address, one answer, however many others call.
//!
//! Who calls is not known: pages of strangers and other programs can, too. Hence nothing of a request is ever echoed, and whatever does not
//! carry this attempt's `state` is turned away while the waiting goes on.

use super::pkce::{Attempt, is_same};
use super::{OidcError, Provider, RedirectUrl, form};
use crate::host::{Deadline, Stopwatch, parallel};
use crate::sanitize::sanitize;
use crate::secret::Secret;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// The longest head of a request.
const LARGEST_HEAD: usize = 16 << 10;
/// The longest that one connection may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// More connections than this at a time are dropped.
const MOST_CONNECTIONS: usize = 32;
/// How often the listener looks.
const POLL: Duration = Duration::from_millis(20);

/// A listener that is there before the browser is sent away.
pub(crate) struct Callback {
    listeners: Vec<TcpListener>,
    redirect_uri: String,
    expected: Arc<Address>,
}

/// What a request must name.
struct Address {
    /// `Host`, as browsers send it.
    host: String,
    path: String,
}

/// A request, judged.
enum CallbackVerdict {
    /// The code of this attempt.
    Code(Secret<String>),
    /// This attempt's, and it is a no.
    Refused { error: String, description: String },
    /// This attempt's, but another issuer answers (RFC 9207).
    OtherIssuer,
    /// Anything else; with the status to answer.
    Other(&'static str),
}

impl Callback {
    /// Listens: on the port that is given, or on a free one.
    pub(crate) fn listen(url: &RedirectUrl) -> Result<Self, OidcError> {
        let addresses = url.addresses();
        let mut port = url.port.unwrap_or_default();
        let mut listeners = Vec::new();
        for address in addresses {
            let wanted = SocketAddr::new(address, port);
            match open(wanted) {
                Ok((listener, taken)) => {
                    port = taken;
                    listeners.push(listener);
                }
                // Not every machine has IPv6.
                Err(_) if matches!(address, IpAddr::V6(_)) && !listeners.is_empty() => {}
                Err(source) => {
                    return Err(OidcError::CannotListen {
                        address: wanted.to_string(),
                        source,
                    });
                }
            }
        }
        let host = format!("{}:{port}", url.host);
        Ok(Self {
            listeners,
            redirect_uri: format!("http://{host}{}", url.path),
            expected: Arc::new(Address {
                host,
                path: url.path.clone(),
            }),
        })
    }

    /// What the provider is told to send the browser back to.
    pub(crate) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Waits for the browser with this attempt's answer.
    pub(crate) fn wait(
        self,
        attempt: &Attempt,
        provider: &Provider,
        patience: Duration,
    ) -> Result<Secret<String>, OidcError> {
        let (sender, verdicts) = mpsc::channel();
        let running = Arc::new(AtomicUsize::new(0));
        let started = Stopwatch::start();
        let issuer = Arc::new((provider.issuer.clone(), provider.names_issuer));
        while started.elapsed() < patience {
            for listener in &self.listeners {
                let Ok((stream, peer)) = listener.accept() else {
                    continue;
                };
                if !peer.ip().is_loopback() || running.load(Ordering::Acquire) >= MOST_CONNECTIONS {
                    continue;
                }
                let connection = CallbackConnection {
                    expected: Arc::clone(&self.expected),
                    state: attempt.state.clone(),
                    issuer: Arc::clone(&issuer),
                    running: Arc::clone(&running),
                };
                running.fetch_add(1, Ordering::AcqRel);
                let sender = sender.clone();
                parallel::beside(move || {
                    let verdict = connection.serve(stream);
                    let _ = sender.send(verdict); // nobody waits any more
                });
            }
            match verdicts.recv_timeout(POLL) {
                Ok(CallbackVerdict::Code(code)) => return Ok(code),
                Ok(CallbackVerdict::Refused { error, description }) => return Err(refusal(error, description)),
                Ok(CallbackVerdict::OtherIssuer) => return Err(OidcError::OtherIssuer(provider.issuer.clone())),
                Ok(CallbackVerdict::Other(_)) | Err(_) => {}
            }
        }
        Err(OidcError::NobodyCame(patience.as_secs() / 60))
    }
}

fn open(address: SocketAddr) -> std::io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

fn refusal(error: String, description: String) -> OidcError {
    match error.as_str() {
        "access_denied" => OidcError::Denied(description),
        _ => OidcError::Refused {
            what: "the sign-in",
            error,
            description,
        },
    }
}

/// What one connection needs to judge its request.
struct CallbackConnection {
    expected: Arc<Address>,
    state: Secret<String>,
    /// The issuer, and whether it has announced that the redirect names it.
    issuer: Arc<(String, bool)>,
    running: Arc<AtomicUsize>,
}

impl Drop for CallbackConnection {
    fn drop(&mut self) {
        self.running.fetch_sub(1, Ordering::AcqRel);
    }
}

impl CallbackConnection {
    fn serve(&self, mut stream: TcpStream) -> CallbackVerdict {
        let until = Deadline::after(PATIENCE);
        let Some(head) = read_head(&mut stream, until) else {
            return CallbackVerdict::Other(""); // a browser that connects ahead, a slow caller
        };
        let verdict = self.judge(&head);
        let _ = stream.set_write_timeout(Some(until.remaining().max(POLL)));
        let _ = stream.write_all(page(&verdict).as_bytes()); // a browser that has gone is served, too
        let _ = stream.flush();
        let _ = stream.shutdown(std::net::Shutdown::Write);
        verdict
    }

    fn judge(&self, head: &str) -> CallbackVerdict {
        let mut lines = head.split("\r\n");
        let mut request = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(target), Some(version)) = (request.next(), request.next(), request.next()) else {
            return CallbackVerdict::Other("400 Bad Request");
        };
        if !version.starts_with("HTTP/1.") {
            return CallbackVerdict::Other("400 Bad Request");
        }
        if method != "GET" {
            return CallbackVerdict::Other("405 Method Not Allowed");
        }
        let mut hosts = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("host").then(|| value.trim())
        });
        // Somebody's own name that leads here (DNS rebinding) is not ours.
        if hosts.next() != Some(self.expected.host.as_str()) || hosts.next().is_some() {
            return CallbackVerdict::Other("400 Bad Request");
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if path != self.expected.path {
            return CallbackVerdict::Other("404 Not Found");
        }
        self.judge_answer(&form::decode(query))
    }

    fn judge_answer(&self, pairs: &[(String, String)]) -> CallbackVerdict {
        let only = |name: &str| {
            let mut values = pairs.iter().filter(|(other, _)| other == name);
            let value = values.next().map(|(_, value)| value.clone());
            value.filter(|_| values.next().is_none())
        };
        // Compared, nothing more.
        let is_ours = only("state").is_some_and(|state| is_same(&state, self.state.expose()));
        let (issuer, is_announced) = self.issuer.as_ref();
        let is_named = pairs.iter().any(|(name, _)| name == "iss");
        let is_of_issuer = if is_named {
            only("iss").as_ref() == Some(issuer)
        } else {
            !is_announced
        };
        match (is_ours, only("code"), only("error")) {
            (true, ..) if !is_of_issuer => CallbackVerdict::OtherIssuer,
            (true, Some(code), None) if !code.is_empty() => CallbackVerdict::Code(Secret::new(code)),
            (true, None, Some(error)) => CallbackVerdict::Refused {
                error: sanitize(&error),
                description: sanitize(&only("error_description").unwrap_or_default()),
            },
            _ => CallbackVerdict::Other("400 Bad Request"),
        }
    }
}

/// All up to the empty line; `None` where it does not come in time, or is too long.
fn read_head(stream: &mut TcpStream, until: Deadline) -> Option<String> {
    stream.set_nonblocking(false).ok()?;
    let mut head = Vec::new();
    let mut part = [0; 1024];
    loop {
        let left = until.remaining();
        if left.is_zero() || head.len() > LARGEST_HEAD {
            return None;
        }
        stream.set_read_timeout(Some(left)).ok()?;
        let length = stream.read(&mut part).ok().filter(|length| *length > 0)?;
        head.extend_from_slice(part.get(..length)?);
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            head.truncate(end);
            return String::from_utf8(head).ok();
        }
    }
}

/// A whole answer. Its text is fixed: it holds nothing of the request, runs nothing and leads nowhere.
fn page(verdict: &CallbackVerdict) -> String {
    let (status, title, text) = match verdict {
        CallbackVerdict::Code(..) => (
            "200 OK",
            "Signed in",
            "The rest happens in your terminal, where kubectl cce-login goes on. You can close this tab.",
        ),
        CallbackVerdict::Refused { .. } | CallbackVerdict::OtherIssuer => (
            "200 OK",
            "Not signed in",
            "The answer is no. Your terminal has its reason. You can close this tab.",
        ),
        CallbackVerdict::Other(status) => (
            *status,
            "Nothing here",
            "This address is for a sign-in with kubectl cce-login.",
        ),
    };
    let body = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>\n"
    );
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\nCache-Control: no-store\r\n\
         Referrer-Policy: no-referrer\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\nX-Content-Type-Options: nosniff\r\n\r\n{body}",
        body.len()
    )
}
