//! A deadline for operations that cannot be interrupted (the keychain's, the Credential Manager's): they run on a helper thread that is left
//! behind when time is up. After one time-out the store is left alone ([`TimeOutMarker`]).

use super::time_out_marker::TimeOutMarker;
use crate::store::{StoreError, StoreKind};
use chrono::{DateTime, Utc};
use std::mem;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

type KeyringJob<S> = Box<dyn FnOnce(Result<&S, StoreError>) + Send>;
type Opener<S> = Box<dyn Fn() -> Result<S, StoreError> + Send>;

enum WorkerState<S> {
    /// Nobody has asked yet: no thread, no connection.
    Idle(Opener<S>),
    /// The thread takes jobs.
    Running(Sender<KeyringJob<S>>),
    /// It did not answer, to us or to another process.
    Skipped(DateTime<Utc>),
    /// The thread could not be started, or has ended.
    Ended,
}

/// Runs operations on an `S` (a connection) one after the other on one helper thread, each under the deadline.
///
/// `S` is opened by the first operation, on that thread and within its deadline; it stays there and is used again.
pub(super) struct Deadlined<S> {
    kind: StoreKind,
    limit: Duration,
    marker: TimeOutMarker,
    state: Mutex<WorkerState<S>>,
}

impl<S: 'static> Deadlined<S> {
    pub(super) fn new(
        kind: StoreKind,
        limit: Duration,
        marker: TimeOutMarker,
        open: impl Fn() -> Result<S, StoreError> + Send + 'static,
    ) -> Self {
        Self {
            kind,
            limit,
            marker,
            state: Mutex::new(WorkerState::Idle(Box::new(open))),
        }
    }

    /// Runs one operation; [`StoreError::TimedOut`] once, [`StoreError::Skipped`] from then on.
    pub(super) fn run<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&S) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        // Held while waiting, so that each operation of this process has its full time.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let jobs = self.jobs(&mut state)?;
        let started = Instant::now();
        let (answer, answered) = mpsc::sync_channel(1);
        let job: KeyringJob<S> = Box::new(move |opened| {
            let _nobody_waits_any_more = answer.send(opened.and_then(operation));
        });
        let _answered_by_a_disconnect_below = jobs.send(job);
        match answered.recv_timeout(self.limit) {
            Ok(Err(error @ StoreError::TimedOut { .. })) => {
                // The client library has a time limit of its own.
                *state = WorkerState::Skipped(self.marker.note(started.elapsed()));
                Err(error)
            }
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => {
                *state = WorkerState::Skipped(self.marker.note(started.elapsed()));
                Err(StoreError::TimedOut {
                    kind: self.kind,
                    limit: self.limit,
                })
            }
            Err(RecvTimeoutError::Disconnected) => {
                *state = WorkerState::Ended;
                Err(self.ended())
            }
        }
    }

    /// The way to the helper thread, which the first operation starts unless the store is to be left alone.
    fn jobs(&self, state: &mut WorkerState<S>) -> Result<Sender<KeyringJob<S>>, StoreError> {
        if let WorkerState::Idle(_) = state {
            let idle = mem::replace(state, WorkerState::Ended);
            if let Some(since) = self.marker.recent() {
                *state = WorkerState::Skipped(since);
            } else if let WorkerState::Idle(open) = idle {
                let (jobs, received) = mpsc::channel();
                let named = thread::Builder::new().name("keyring".into());
                named
                    .spawn(move || serve(&open, received))
                    .map_err(|error| StoreError::failed(self.kind, "start its helper thread", error))?;
                *state = WorkerState::Running(jobs);
            }
        }
        match state {
            WorkerState::Running(jobs) => Ok(jobs.clone()),
            WorkerState::Skipped(since) => Err(StoreError::Skipped {
                kind: self.kind,
                since: *since,
            }),
            WorkerState::Idle(_) | WorkerState::Ended => Err(self.ended()),
        }
    }

    fn ended(&self) -> StoreError {
        StoreError::failed(self.kind, "answer", "its helper thread has ended")
    }
}

fn serve<S>(open: &Opener<S>, jobs: Receiver<KeyringJob<S>>) {
    let mut opened = None;
    for job in jobs {
        match opened.take().map_or_else(open, Ok) {
            Ok(store) => job(Ok(opened.insert(store))),
            Err(error) => job(Err(error)),
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test's own files")]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use std::fs;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    const KIND: StoreKind = StoreKind::Memory;
    const LIMIT: Duration = Duration::from_millis(100);

    fn noon() -> DateTime<Utc> {
        "2026-01-02T12:00:00Z".parse().unwrap()
    }

    /// A store that counts how often it is opened.
    fn counting(marker: TimeOutMarker) -> (Deadlined<()>, Arc<AtomicU32>) {
        counting_with(LIMIT, marker)
    }

    fn counting_with(limit: Duration, marker: TimeOutMarker) -> (Deadlined<()>, Arc<AtomicU32>) {
        let opened = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&opened);
        let open = move || {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        (Deadlined::new(KIND, limit, marker, open), opened)
    }

    fn hang(store: &Deadlined<()>) -> Result<(), StoreError> {
        let (never, wait) = mpsc::channel::<()>();
        let result = store.run(move |()| {
            let _disconnected = wait.recv();
            Ok(())
        });
        drop(never);
        result
    }

    #[test]
    fn operations_share_one_opened_store() {
        let (store, opened) = counting(TimeOutMarker::new(None, noon()));
        assert_eq!(opened.load(Ordering::SeqCst), 0, "opened before anyone asked");
        for number in 0..3 {
            assert_eq!(store.run(move |()| Ok(number)).unwrap(), number);
        }
        assert_eq!(opened.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_store_that_does_not_answer_is_left_alone_here_and_by_other_processes_for_five_minutes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("runtime").join("keyring-time-out");
        let at = |now| TimeOutMarker::new(Some(path.clone()), now);

        let (store, _) = counting(at(noon()));
        let started = Instant::now();
        assert!(matches!(hang(&store), Err(StoreError::TimedOut { .. })));
        let waited = started.elapsed();
        assert!(waited >= LIMIT && waited < LIMIT * 20, "{waited:?}");
        assert!(matches!(store.run(|()| Ok(())), Err(StoreError::Skipped { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "2026-01-02T12:00:00Z\n");

        let (other, opened) = counting(at(noon() + TimeDelta::seconds(299)));
        assert!(matches!(other.run(|()| Ok(())), Err(StoreError::Skipped { since, .. }) if since == noon()));
        assert_eq!(opened.load(Ordering::SeqCst), 0);
        let (later, _) = counting(at(noon() + TimeDelta::minutes(5)));
        later.run(|()| Ok(())).unwrap();
        let (clock_set_back, _) = counting(at(noon() - TimeDelta::minutes(1)));
        clock_set_back.run(|()| Ok(())).unwrap();
    }

    #[test]
    fn a_store_that_cannot_be_opened_says_so_each_time() {
        let store = Deadlined::<()>::new(KIND, LIMIT, TimeOutMarker::new(None, noon()), || {
            Err(StoreError::unavailable(KIND, "gone"))
        });
        for _ in 0..2 {
            assert!(matches!(store.run(|()| Ok(())), Err(StoreError::Unavailable { .. })));
        }
    }

    #[test]
    fn a_helper_that_dies_is_an_error_not_a_wait() {
        let (store, _) = counting_with(Duration::from_secs(60), TimeOutMarker::new(None, noon()));
        for _ in 0..2 {
            let error = store
                .run(|()| -> Result<(), StoreError> { panic!("a bug in a library (this panic is part of the test)") });
            assert!(matches!(error, Err(StoreError::Failed { .. })));
        }
    }
}
