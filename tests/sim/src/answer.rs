//! An answer before it is a hyper response: whole, cut short, or a stream.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::{
    Response,
    body::Frame,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::Value;
use tokio::sync::mpsc;

/// What becomes of a request.
pub(crate) enum Outcome {
    Answer(Answer),
    /// The connection is reset.
    Reset,
}

/// Status, headers, body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Content,
}

/// A body.
pub(crate) enum Content {
    Whole(Bytes),
    /// So many bytes of it arrive, then the connection breaks.
    Cut(Bytes, usize),
    /// Chunks, until the sender is gone.
    Stream(mpsc::Receiver<Bytes>),
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![(CONTENT_TYPE.as_str().to_owned(), content_type.to_owned())];
        let body = Content::Whole(body.into());
        Self { status, headers, body }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Content::Whole(Bytes::new()),
        }
    }

    pub(crate) fn stream(content_type: &str, chunks: mpsc::Receiver<Bytes>) -> Self {
        let mut answer = Self::new(200, content_type, Bytes::new());
        answer.body = Content::Stream(chunks);
        answer
    }

    #[must_use]
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same answer, cut after so many bytes of its body.
    #[must_use]
    pub(crate) fn cut(mut self, at: usize) -> Self {
        if let Content::Whole(body) = self.body {
            self.body = Content::Cut(body, at);
        }
        self
    }

    /// Headers that HTTP does not allow are left out.
    pub(crate) fn into_response(self) -> Response<Body> {
        let (body, length) = match self.body {
            Content::Whole(body) => (Body::whole(body.clone()), Some(body.len())),
            Content::Cut(body, at) => (Body::cut(body.slice(..at.min(body.len()))), Some(body.len())),
            Content::Stream(chunks) => (Body::stream(chunks), None),
        };
        let mut response = Response::new(body);
        if let Ok(status) = hyper::StatusCode::from_u16(self.status) {
            *response.status_mut() = status;
        }
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().append(name, value);
            }
        }
        if let Some(length) = length {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        response
    }
}

/// A response body: chunks from a channel.
pub(crate) struct Body {
    first: Option<Bytes>,
    rest: Option<mpsc::Receiver<Bytes>>,
    /// Set for a body that breaks off: the pause lets what came before reach the wire.
    breaks_after: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Body {
    fn whole(body: Bytes) -> Self {
        Self {
            first: Some(body).filter(|body| !body.is_empty()),
            rest: None,
            breaks_after: None,
        }
    }

    fn cut(body: Bytes) -> Self {
        Self {
            breaks_after: Some(Box::pin(tokio::time::sleep(Duration::from_millis(20)))),
            ..Self::whole(body)
        }
    }

    fn stream(chunks: mpsc::Receiver<Bytes>) -> Self {
        Self {
            first: None,
            rest: Some(chunks),
            breaks_after: None,
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if let Some(rest) = &mut self.rest {
            return rest
                .poll_recv(context)
                .map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))));
        }
        if let Some(pause) = &mut self.breaks_after {
            return pause
                .as_mut()
                .poll(context)
                .map(|()| Some(Err(io::ErrorKind::ConnectionReset.into())));
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_none() && self.breaks_after.is_none()
    }
}
