//! Operations of a keyring whose every wait ends in time (the Secret Service's): run where they are asked for, without a thread. After one
//! time-out the store is left alone ([`TimeOutMarker`]).

use super::time_out_marker::TimeOutMarker;
use crate::store::{StoreError, StoreKind};
use chrono::{DateTime, Utc};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

type Connector<S> = Box<dyn Fn() -> Result<S, StoreError> + Send>;

enum ConnectionState<S> {
    /// Nobody has asked yet, or it could not be opened: no connection.
    Idle(Connector<S>),
    /// The connection is used again.
    Opened(S),
    /// It did not answer, to us or to another process.
    Skipped(DateTime<Utc>),
}

/// Runs operations on an `S` (a connection) one after the other. `S` is opened by the first one.
pub(super) struct InLine<S> {
    kind: StoreKind,
    marker: TimeOutMarker,
    state: Mutex<ConnectionState<S>>,
}

impl<S> InLine<S> {
    pub(super) fn new(
        kind: StoreKind,
        marker: TimeOutMarker,
        open: impl Fn() -> Result<S, StoreError> + Send + 'static,
    ) -> Self {
        Self {
            kind,
            marker,
            state: Mutex::new(ConnectionState::Idle(Box::new(open))),
        }
    }

    /// Runs one operation; [`StoreError::TimedOut`] once, [`StoreError::Skipped`] from then on.
    pub(super) fn run<T>(&self, operation: impl FnOnce(&S) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let started = Instant::now();
        let result = self.opened(&mut state).and_then(operation);
        if let Err(StoreError::TimedOut { .. }) = result {
            *state = ConnectionState::Skipped(self.marker.note(started.elapsed()));
        }
        result
    }

    fn opened<'s>(&self, state: &'s mut ConnectionState<S>) -> Result<&'s S, StoreError> {
        if let ConnectionState::Idle(open) = state {
            *state = match self.marker.recent() {
                Some(since) => ConnectionState::Skipped(since),
                None => ConnectionState::Opened(open()?),
            };
        }
        match state {
            ConnectionState::Opened(store) => Ok(store),
            ConnectionState::Skipped(since) => Err(StoreError::Skipped {
                kind: self.kind,
                since: *since,
            }),
            ConnectionState::Idle(_) => Err(StoreError::unavailable(self.kind, "it has not been opened")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    const KIND: StoreKind = StoreKind::Memory;

    fn noon() -> DateTime<Utc> {
        "2026-01-02T12:00:00Z".parse().unwrap()
    }

    /// A store that counts how often it is opened.
    fn counting(marker: TimeOutMarker) -> (InLine<()>, Arc<AtomicU32>) {
        let opened = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&opened);
        let open = move || {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        (InLine::new(KIND, marker, open), opened)
    }

    #[test]
    fn operations_share_one_connection() {
        let (store, opened) = counting(TimeOutMarker::new(None, noon()));
        assert_eq!(opened.load(Ordering::SeqCst), 0, "opened before anyone asked");
        for number in 0..3 {
            assert_eq!(store.run(|()| Ok(number)).unwrap(), number);
        }
        assert_eq!(opened.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_store_that_does_not_answer_is_left_alone_here_and_by_other_processes() {
        let directory = tempfile::tempdir().unwrap();
        let marker = || TimeOutMarker::new(Some(directory.path().join("runtime").join("marker")), noon());
        let (store, _) = counting(marker());
        let limit = Duration::from_secs(2);
        let silent = store.run(|()| Err::<(), _>(StoreError::TimedOut { kind: KIND, limit }));
        assert!(matches!(silent, Err(StoreError::TimedOut { .. })));
        assert!(matches!(store.run(|()| Ok(())), Err(StoreError::Skipped { .. })));
        let (other, opened) = counting(marker());
        assert!(matches!(other.run(|()| Ok(())), Err(StoreError::Skipped { .. })));
        assert_eq!(opened.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_store_that_cannot_be_opened_says_so_each_time() {
        let store = InLine::<()>::new(KIND, TimeOutMarker::new(None, noon()), || {
            Err(StoreError::unavailable(KIND, "gone"))
        });
        for _ in 0..2 {
            assert!(matches!(store.run(|()| Ok(())), Err(StoreError::Unavailable { .. })));
        }
    }
}
