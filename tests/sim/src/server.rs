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
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::CertificateDer},
};

use crate::{
    answer::{Answer, Body, Outcome},
    door::Listening,
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

/// Answers requests.
pub(crate) trait Answerer: Send + Sync + 'static {
    /// The TLS configuration of the next connection; `None` drops the connection.
    fn tls(&self) -> Option<Arc<ServerConfig>>;
    fn answer(&self, received: Received) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>>;
}

/// Serves until the runtime ends. While the door is closed so is the port, and established connections are dropped.
pub(crate) async fn serve(mut listener: TcpListener, answerer: Arc<dyn Answerer>, mut door: Listening) {
    let Ok(address) = listener.local_addr() else { return };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => Some(accepted),
            _ = door.wait_for(false) => None,
        };
        match accepted {
            Some(Ok((tcp, _))) => accept(tcp, Arc::clone(&answerer), &door),
            Some(Err(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
            None => {
                drop(listener);
                door.report(false);
                if !door.wait_for(true).await {
                    return;
                }
                listener = bind_again(address).await;
                door.report(true);
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

fn accept(tcp: TcpStream, answerer: Arc<dyn Answerer>, door: &Listening) {
    let Some(tls) = answerer.tls() else { return };
    let connected = door.connected();
    let mut wanted = door.wanted.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = connection(tcp, tls, answerer) => {}
            _ = wanted.wait_for(|wanted| !wanted) => {}
        }
        drop(connected);
    });
}

/// Every error here is the peer's affair: it sees the connection end.
async fn connection(tcp: TcpStream, tls: Arc<ServerConfig>, answerer: Arc<dyn Answerer>) {
    if tcp.set_nodelay(true).is_err() {
        return;
    }
    let handshake = TlsAcceptor::from(tls).accept(tcp);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_DEADLINE, handshake).await else {
        return;
    };
    let session = stream.get_ref().1;
    let client_chain: Arc<[_]> = session.peer_certificates().unwrap_or_default().to_vec().into();
    let is_http2 = session.alpn_protocol() == Some(b"h2");
    let service = service_fn(move |request| answer(Arc::clone(&answerer), Arc::clone(&client_chain), request));
    let io = TokioIo::new(stream);
    if is_http2 {
        let _ = http2::Builder::new(TokioExecutor::new())
            .serve_connection(io, service)
            .await;
        return;
    }
    let mut connection = http1::Builder::new().serve_connection(io, service);
    if let Err(error) = (&mut connection).await
        && error.is_user()
    {
        let _ = connection.into_parts().io.into_inner().get_ref().0.set_zero_linger();
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
