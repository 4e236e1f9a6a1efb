//! The same work for many things at once, with a bounded number of them in flight.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Does `work` for every item, for no more than `bound` of them at a time. The answers come in the order of the items.
pub(crate) fn map<T: Sync, A: Send>(items: &[T], bound: usize, work: impl Fn(&T) -> A + Sync) -> Vec<A> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut answers = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            match items.get(at) {
                Some(item) => answers.push((at, work(item))),
                None => return answers,
            }
        }
    };
    let mut answers: Vec<(usize, A)> = thread::scope(|scope| {
        let helpers = 1..bound.min(items.len());
        let start = |_| thread::Builder::new().spawn_scoped(scope, worker).ok();
        let helpers: Vec<_> = helpers.map_while(start).collect();
        // Where no thread can be made, this one does it all.
        let mut answers = worker();
        for helper in helpers {
            match helper.join() {
                Ok(some) => answers.extend(some),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        answers
    });
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Does `work` while we go on; here and now where no thread can be made.
pub(crate) fn beside(work: impl FnOnce() + Send + 'static) {
    // Where the system refuses a thread, what it was to do is still ours.
    let ours = Arc::new(Mutex::new(Some(work)));
    let theirs = Arc::clone(&ours);
    let take = |work: &Mutex<Option<_>>| work.lock().unwrap_or_else(PoisonError::into_inner).take();
    let started = thread::Builder::new().spawn(move || {
        if let Some(work) = take(&theirs) {
            work();
        }
    });
    if started.is_err()
        && let Some(work) = ours.lock().unwrap_or_else(PoisonError::into_inner).take()
    {
        work();
    }
}

/// Does `work` beside `meanwhile`, which can ask whether `work` is still at it. The answer of `meanwhile` counts if it has one, else that of
/// `work`; both have ended then. Where no thread can be made, `work` alone is done.
pub(crate) fn race<T: Send>(
    work: &(dyn Fn() -> T + Sync),
    meanwhile: impl FnOnce(&dyn Fn() -> bool) -> Option<T>,
) -> T {
    thread::scope(|scope| {
        let Ok(beside) = thread::Builder::new().spawn_scoped(scope, work) else {
            return work();
        };
        meanwhile(&|| !beside.is_finished()).unwrap_or_else(|| match beside.join() {
            Ok(answer) => answer,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn no_more_than_the_bound_are_in_flight_and_the_order_stays() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let items: Vec<usize> = (0..40).collect();
        let answers = map(&items, 8, |item| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(if item % 2 == 0 { 5 } else { 1 }));
            now.fetch_sub(1, Ordering::SeqCst);
            item * 2
        });
        assert_eq!(answers, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        let most = most.into_inner();
        assert!(most > 1 && most <= 8, "{most}");
        assert!(map(&[0; 0], 8, |_| ()).is_empty());
    }
}
