//! Accepts connections, speaks TLS and HTTP, and hands whole requests to whoever answers them.

use std::{convert::Infallible, future::Future, io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::{
    HeaderMap, Method, Request, Response,
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::CertificateDer},
};

use crate::{
    answer::{Answer, Body, Outcome},
    listener::Listening,
};

/// The documented limit of a signed body.
const BODY_LIMIT: usize = 12 << 20;
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);

/// A request, read to its end.
pub(crate) struct Received {
    pub(crate) method: Method,
    /// As sent, percent-encoded.
    pub(crate) path: String,
    /// As sent, without `?`.
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The client's certificate chain, leaf first; empty if it showed none.
    pub(crate) client_chain: Arc<[CertificateDer<'static>]>,
}

impl Received {
    /// The first header of this name, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// What is spoken below HTTP.
pub(crate) enum Transport {
    Tls(Arc<ServerConfig>),
    Plain,
}

/// Answers requests.
pub(crate) trait Answerer: Send + Sync + 'static {
    /// For the next connection; `None` drops it.
    fn transport(&self) -> Option<Transport>;
    fn answer(&self, received: Received) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>>;
}

/// Serves until the runtime ends. While the listener is closed so is the port, and established connections are dropped.
pub(crate) async fn serve(mut listener: TcpListener, answerer: Arc<dyn Answerer>, mut listening: Listening) {
    let Ok(address) = listener.local_addr() else { return };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => Some(accepted),
            _ = listening.wait_for(false) => None,
        };
        match accepted {
            Some(Ok((tcp, _))) => accept(tcp, Arc::clone(&answerer), &listening),
            Some(Err(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
            None => {
                drop(listener);
                listening.report(false);
                if !listening.wait_for(true).await {
                    return;
                }
                listener = bind_again(address).await;
                listening.report(true);
            }
        }
    }
}

async fn bind_again(address: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

fn accept(tcp: TcpStream, answerer: Arc<dyn Answerer>, listening: &Listening) {
    let Some(transport) = answerer.transport() else {
        return;
    };
    let connected = listening.connected();
    let mut wanted = listening.wanted.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = connection(tcp, transport, answerer) => {}
            _ = wanted.wait_for(|wanted| !wanted) => {}
        }
        drop(connected);
    });
}

/// Every error here is the peer's affair: it sees the connection end.
async fn connection(tcp: TcpStream, transport: Transport, answerer: Arc<dyn Answerer>) {
    if tcp.set_nodelay(true).is_err() {
        return;
    }
    let tls = match transport {
        Transport::Tls(tls) => tls,
        Transport::Plain => return http1_connection(tcp, answerer, Arc::new([]), |tcp| tcp).await,
    };
    let handshake = TlsAcceptor::from(tls).accept(tcp);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_DEADLINE, handshake).await else {
        return;
    };
    let session = stream.get_ref().1;
    let client_chain: Arc<[_]> = session.peer_certificates().unwrap_or_default().to_vec().into();
    if session.alpn_protocol() != Some(b"h2") {
        return http1_connection(stream, answerer, client_chain, |stream| stream.get_ref().0).await;
    }
    let service = service_fn(move |request| answer(Arc::clone(&answerer), Arc::clone(&client_chain), request));
    let _ = http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn http1_connection<S>(
    stream: S,
    answerer: Arc<dyn Answerer>,
    client_chain: Arc<[CertificateDer<'static>]>,
    tcp: impl Fn(&S) -> &TcpStream,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(move |request| answer(Arc::clone(&answerer), Arc::clone(&client_chain), request));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = (&mut connection).await
        && error.is_user()
    {
        let _ = tcp(&connection.into_parts().io.into_inner()).set_zero_linger();
    }
}

async fn answer(
    answerer: Arc<dyn Answerer>,
    client_chain: Arc<[CertificateDer<'static>]>,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
        return Ok(Answer::empty(413).into_response());
    };
    // HTTP/2 has the host in `:authority`; a server behind it reads `Host`.
    let mut headers = head.headers;
    if let Some(authority) = head.uri.authority()
        && !headers.contains_key(hyper::header::HOST)
        && let Ok(host) = authority.as_str().parse()
    {
        headers.insert(hyper::header::HOST, host);
    }
    let received = Received {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: body.to_bytes(),
        client_chain,
    };
    match answerer.answer(received).await {
        Outcome::Answer(answer) => Ok(answer.into_response()),
        Outcome::Reset => Err(io::ErrorKind::ConnectionReset.into()),
    }
}

/// Serves plain HTTP for as long as the future lives.
pub(crate) async fn serve_plain<F>(listener: TcpListener, answer: F)
where
    F: Fn(Method, String, Bytes) -> Answer + Send + Sync + 'static,
{
    let answer = Arc::new(answer);
    while let Ok((tcp, _)) = listener.accept().await {
        let _ = tcp.set_nodelay(true);
        let answer = Arc::clone(&answer);
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = Arc::clone(&answer);
            async move {
                let (head, body) = request.into_parts();
                let path = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
                let answer = match Limited::new(body, BODY_LIMIT).collect().await {
                    Ok(body) => answer(head.method, path, body.to_bytes()),
                    Err(_) => Answer::empty(413),
                };
                Ok::<_, Infallible>(answer.into_response())
            }
        });
        tokio::spawn(async move {
            let _ = http1::Builder::new().serve_connection(TokioIo::new(tcp), service).await;
        });
    }
}
