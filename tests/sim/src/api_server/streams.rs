//! Answers that go on: watches and followed logs.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::Instant};

use super::authentication::User;
use crate::{answer::Answer, behaviour::Behaviour};

/// How fast a stream flows, and when the server ends it.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    interval: Duration,
    remaining: Option<Duration>,
}

impl Limits {
    pub(super) fn new(behaviour: &Behaviour, user: &User, now: DateTime<Utc>) -> Self {
        let milliseconds = user
            .not_after
            .saturating_mul(1000)
            .saturating_sub(now.timestamp_millis());
        let certificate = Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default());
        let certificate = behaviour.end_streams_with_certificate.then_some(certificate);
        let timeout = behaviour.stream_timeout_ms.map(Duration::from_millis);
        Self {
            interval: Duration::from_millis(behaviour.stream_interval_ms.max(1)),
            remaining: certificate.into_iter().chain(timeout).min(),
        }
    }
}

/// `ADDED` for each initial object, then `MODIFIED` with what `change` makes of the next version, until the client leaves.
pub(super) fn watch(
    initial: &[Value],
    limits: Limits,
    change: impl Fn(u64) -> Option<Value> + Send + 'static,
) -> Answer {
    let event = |kind: &str, object: &Value| format!("{}\n", json!({"type": kind, "object": object}));
    let added = initial.iter().map(|object| event("ADDED", object)).collect();
    let next = move |turn| change(1001 + turn).map(|object| event("MODIFIED", &object));
    Answer::stream("application/json", spawn(added, true, limits, next))
}

/// A few lines, then, if followed, one more at each interval.
pub(super) fn log(pod: &str, follows: bool, limits: Limits) -> Answer {
    let pod = pod.to_owned();
    let lines = [1, 2, 3].map(|number| format!("{pod} line {number}\n")).concat();
    let next = move |turn| Some(format!("{pod} line {}\n", turn + 4));
    Answer::stream("text/plain", spawn(lines, follows, limits, next))
}

fn spawn(
    first: String,
    goes_on: bool,
    limits: Limits,
    next: impl Fn(u64) -> Option<String> + Send + 'static,
) -> mpsc::Receiver<Bytes> {
    let (sender, receiver) = mpsc::channel(16);
    let flow = async move {
        if !first.is_empty() && sender.send(Bytes::from(first)).await.is_err() {
            return;
        }
        for turn in 0.. {
            if !goes_on {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(limits.interval) => {}
                () = sender.closed() => return,
            }
            if let Some(chunk) = next(turn)
                && sender.send(Bytes::from(chunk)).await.is_err()
            {
                return;
            }
        }
    };
    let end = limits.remaining.map(|remaining| Instant::now() + remaining);
    tokio::spawn(async move {
        match end {
            Some(end) => {
                let _ = tokio::time::timeout_at(end, flow).await;
            }
            None => flow.await,
        }
    });
    receiver
}
