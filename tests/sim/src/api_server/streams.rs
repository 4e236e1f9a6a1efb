//! Answers that go on: watches and followed logs.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::Instant};

use super::authentication::User;
use crate::{answer::Answer, behaviour::Behaviour};

/// The version of the objects that are there from the beginning.
const FIRST_VERSION: u64 = 1000;

/// How far a cluster's story has come, how fast it goes on, and when the server ends a stream of it.
///
/// A change comes whenever another interval is over. Its version is the milliseconds of the cluster's life: every watch tells the same story,
/// and a gap between two versions is a lost event.
#[derive(Clone, Copy)]
pub(super) struct Flow {
    version: u64,
    interval: u64,
    remaining: Option<Duration>,
}

impl Flow {
    pub(super) fn new(behaviour: &Behaviour, user: &User, now: DateTime<Utc>, age: TimeDelta) -> Self {
        let milliseconds = user
            .not_after
            .saturating_mul(1000)
            .saturating_sub(now.timestamp_millis());
        let certificate = Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default());
        let certificate = behaviour.end_streams_with_certificate.then_some(certificate);
        let timeout = behaviour.stream_timeout_ms.map(Duration::from_millis);
        Self {
            version: FIRST_VERSION + u64::try_from(age.num_milliseconds()).unwrap_or_default(),
            interval: behaviour.stream_interval_ms.max(1),
            remaining: certificate.into_iter().chain(timeout).min(),
        }
    }

    /// The version of a list that is made now.
    pub(super) fn version(self) -> u64 {
        self.version
    }
}

/// `ADDED` for each initial object, then `MODIFIED` with what `change` makes of each version after `known` (else of those to come), until
/// the client leaves.
pub(super) fn watch(
    initial: &[Value],
    known: Option<u64>,
    flow: Flow,
    change: impl Fn(u64) -> Option<Value> + Send + 'static,
) -> Answer {
    let event = |kind: &str, object: &Value| format!("{}\n", json!({"type": kind, "object": object}));
    let added = initial.iter().map(|object| event("ADDED", object)).collect();
    let next = move |version| change(version).map(|object| event("MODIFIED", &object));
    Answer::stream("application/json", spawn(added, known, true, flow, next))
}

/// A few lines, then, if followed, one more at each change.
pub(super) fn log(pod: &str, follows: bool, flow: Flow) -> Answer {
    let pod = pod.to_owned();
    let lines = [1, 2, 3].map(|number| format!("{pod} line {number}\n")).concat();
    let mut numbers = 4..;
    let next = move |_| numbers.next().map(|number: u64| format!("{pod} line {number}\n"));
    Answer::stream("text/plain", spawn(lines, None, follows, flow, next))
}

fn spawn(
    first: String,
    known: Option<u64>,
    goes_on: bool,
    flow: Flow,
    mut next: impl FnMut(u64) -> Option<String> + Send + 'static,
) -> mpsc::Receiver<Bytes> {
    let (sender, receiver) = mpsc::channel(16);
    let start = Instant::now();
    let story = async move {
        if !first.is_empty() && sender.send(Bytes::from(first)).await.is_err() {
            return;
        }
        if !goes_on {
            return;
        }
        let mut version = known.unwrap_or(flow.version);
        loop {
            version = (version / flow.interval + 1) * flow.interval;
            let moment = start + Duration::from_millis(version.saturating_sub(flow.version));
            tokio::select! {
                () = tokio::time::sleep_until(moment) => {}
                () = sender.closed() => return,
            }
            if let Some(chunk) = next(version)
                && sender.send(Bytes::from(chunk)).await.is_err()
            {
                return;
            }
        }
    };
    let end = flow.remaining.map(|remaining| start + remaining);
    tokio::spawn(async move {
        match end {
            Some(end) => {
                let _ = tokio::time::timeout_at(end, story).await;
            }
            None => story.await,
        }
    });
    receiver
}
