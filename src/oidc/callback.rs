//! The listener that a browser comes back to: on this machine only, one address, one answer, however many others call.
//!
//! Who calls is not known: pages of strangers and other programs can, too. Hence nothing of a request is ever echoed, and whatever does not
//! carry this attempt's `state` is turned away while the waiting goes on.

use super::answer::{BrowserAnswer, ExpectedAnswer};
use super::{Attempt, OidcError, Provider, RedirectUrl};
use crate::host::{Deadline, Stopwatch, parallel};
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
/// More connections than this at a time wait for their turn, which comes: none takes longer than [`PATIENCE`].
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
    /// An answer to this attempt, perhaps.
    Answer(BrowserAnswer),
    /// Something else; with the status to answer, empty for none.
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

    /// Waits for the browser with this attempt's answer, as long as `goes_on`.
    pub(crate) fn wait(
        &self,
        attempt: &Attempt,
        provider: &Provider,
        patience: Duration,
        goes_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Secret<String>, OidcError> {
        let (sender, verdicts) = mpsc::channel();
        let running = Arc::new(AtomicUsize::new(0));
        let started = Stopwatch::start();
        let answer = ExpectedAnswer::new(attempt, provider);
        while started.elapsed() < patience && goes_on() {
            for listener in &self.listeners {
                // Those who have no place yet wait in the system's queue, in their order: slow ones hold nobody up for good.
                while running.load(Ordering::Acquire) < MOST_CONNECTIONS {
                    let Ok((stream, peer)) = listener.accept() else {
                        break;
                    };
                    if !peer.ip().is_loopback() {
                        continue;
                    }
                    running.fetch_add(1, Ordering::AcqRel);
                    let connection = CallbackConnection {
                        address: Arc::clone(&self.expected),
                        answer: answer.clone(),
                        running: Arc::clone(&running),
                    };
                    let sender = sender.clone();
                    parallel::beside(move || {
                        let verdict = connection.serve(stream);
                        let _ = sender.send(verdict); // nobody waits any more
                    });
                }
            }
            if let Ok(CallbackVerdict::Answer(answer)) = verdicts.recv_timeout(POLL)
                && let Some(code) = conclusion(answer, provider)
            {
                return code;
            }
        }
        Err(OidcError::NobodyCame(patience.as_secs() / 60))
    }

    /// The same for the address at which a browser on another machine has ended; `None` where it is not that of this attempt.
    pub(crate) fn judge_pasted(
        &self,
        attempt: &Attempt,
        provider: &Provider,
        address: &Secret<String>,
    ) -> Option<Result<Secret<String>, OidcError>> {
        // Judged as a request would be; what is secret in it goes into a `Secret`.
        let (at, query) = address.expose().trim().split_once('?')?;
        let query = query.split('#').next().unwrap_or_default();
        let is_ours = at == self.redirect_uri;
        is_ours.then(|| conclusion(ExpectedAnswer::new(attempt, provider).judge(query), provider))?
    }
}

/// What an answer means for the sign-in; `None`: nothing.
fn conclusion(answer: BrowserAnswer, provider: &Provider) -> Option<Result<Secret<String>, OidcError>> {
    match answer {
        BrowserAnswer::Code(code) => Some(Ok(code)),
        BrowserAnswer::Refused { error, description } => Some(Err(refusal(error, description))),
        BrowserAnswer::OtherIssuer => Some(Err(OidcError::OtherIssuer(provider.issuer.clone()))),
        BrowserAnswer::NotOurs => None,
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
    address: Arc<Address>,
    answer: ExpectedAnswer,
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
        if hosts.next() != Some(self.address.host.as_str()) || hosts.next().is_some() {
            return CallbackVerdict::Other("400 Bad Request");
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if path != self.address.path {
            return CallbackVerdict::Other("404 Not Found");
        }
        match self.answer.judge(query) {
            BrowserAnswer::NotOurs => CallbackVerdict::Other("400 Bad Request"),
            answer => CallbackVerdict::Answer(answer),
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
        CallbackVerdict::Answer(BrowserAnswer::Code(_)) => (
            "200 OK",
            "Signed in",
            "The rest happens in your terminal, where kubectl cce-login goes on. You can close this tab.",
        ),
        CallbackVerdict::Answer(_) => (
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
