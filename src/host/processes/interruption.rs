//! Ctrl-C: a handler of our own once somebody has last words, the system's own behaviour before that.

use std::io::Write as _;
use std::sync::{Mutex, Once, PoisonError};

/// What a shell calls a process that Ctrl-C ended: 128 and the number of the signal.
const INTERRUPTED: i32 = 130;

static LAST_WORDS: Mutex<Option<String>> = Mutex::new(None);
static HANDLER: Once = Once::new();

/// What is said from now on; `None` for nothing.
pub(super) fn set(last_words: Option<String>) {
    if last_words.is_some() {
        // Without a handler the process ends all the same, only silently.
        HANDLER.call_once(|| drop(ctrlc::set_handler(end)));
    }
    *LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner) = last_words;
}

/// Runs on a thread of its own: whatever the others wait for need not come.
#[expect(
    clippy::exit,
    reason = "the one place that ends the process from outside its main thread"
)]
#[expect(
    clippy::disallowed_methods,
    reason = "the handler outlives any `Host`, and the process has only one stderr"
)]
fn end() {
    let last_words = LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(last_words) = last_words {
        let _ = writeln!(std::io::stderr(), "\n{}", crate::sanitize::line(&last_words));
    }
    std::process::exit(INTERRUPTED)
}
