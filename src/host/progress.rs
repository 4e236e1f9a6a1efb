//! What is shown while something takes more than half a second: on a terminal that can move its cursor, and nowhere else.
//!
//! One at a time. Whatever is said meanwhile goes above it, and a question takes its place.

use crate::host::Host;
use crate::sanitize;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// What ends sooner is not shown.
const PATIENCE: Duration = Duration::from_millis(500);
/// The time between two pictures.
const TICK: Duration = Duration::from_millis(100);
/// All signs are ASCII: any screen shows them.
const SIGNS: [&str; 5] = ["-", "\\", "|", "/", " "];

/// What is on the terminal of a host now.
#[derive(Clone, Default)]
pub struct ShownProgress(Arc<Mutex<OnScreen>>);

#[derive(Default)]
struct OnScreen {
    bar: Option<ProgressBar>,
    /// Nothing is drawn over a question.
    is_question_open: bool,
}

/// Something under way; it is over when this is dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    screen: ShownProgress,
    waiter: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Something of unknown length.
    pub(crate) fn spinner(host: &Host, text: &str) -> Self {
        Self::start(host, ProgressBar::hidden(), "{spinner} {msg}", text)
    }

    /// Something of unknown length that takes minutes: how long it has taken is shown too.
    pub(crate) fn clock(host: &Host, text: &str) -> Self {
        Self::start(host, ProgressBar::hidden(), "{spinner} {msg}, {elapsed}", text)
    }

    /// Something of `length` steps.
    pub(crate) fn bar(host: &Host, length: u64, text: &str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
        Self::start(host, bar, "{spinner} {msg} [{bar:20}] {pos}/{len}", text)
    }

    /// Another text.
    pub(crate) fn says(&self, text: &str) {
        self.bar.set_message(sanitize::line(text));
    }

    /// It is shown, or will be.
    pub(crate) fn is_drawn(&self) -> bool {
        self.waiter.is_some()
    }

    /// One step more.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
    }

    fn start(host: &Host, bar: ProgressBar, template: &str, text: &str) -> Self {
        let screen = host.screen.clone();
        if !host.can_draw() {
            return Self {
                bar,
                screen,
                waiter: None,
            };
        }
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.tick_strings(&SIGNS).progress_chars("=> "));
        bar.set_message(sanitize::line(text));
        let (sender, receiver) = mpsc::channel::<()>();
        let (shown, over) = (bar.clone(), screen.clone());
        let wait_and_show = move || {
            let mut patience = PATIENCE;
            while receiver.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                let mut on_screen = over.now();
                if on_screen.is_question_open {
                    patience = TICK;
                    continue;
                }
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(TICK);
                on_screen.bar = Some(shown);
                return;
            }
        };
        // Where no thread can be made, nothing is shown.
        let waiter = std::thread::Builder::new().spawn(wait_and_show).ok();
        Self {
            bar,
            screen,
            waiter: waiter.map(|waiter| (sender, waiter)),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, waiter)) = self.waiter.take() {
            drop(sender);
            let _ = waiter.join();
            self.screen.now().take_away();
        }
        self.bar.finish_and_clear();
    }
}

/// One thing under way that takes minutes: one line that is drawn anew on a terminal, else a line for each change.
pub(crate) struct StateProgress<'a> {
    host: &'a Host,
    what: String,
    state: String,
    shown: Progress,
}

impl<'a> StateProgress<'a> {
    /// Nothing is known of it yet.
    pub(crate) fn new(host: &'a Host, what: String) -> Self {
        Self {
            shown: Progress::clock(host, &what),
            host,
            what,
            state: String::new(),
        }
    }

    /// It is in this state now.
    pub(crate) fn is_in(&mut self, state: &str) {
        if state == self.state {
            return;
        }
        state.clone_into(&mut self.state);
        let line = format!("{}: {state}", self.what);
        if self.shown.is_drawn() {
            self.shown.says(&line);
        } else {
            self.host.say(&line);
        }
    }
}

impl ShownProgress {
    /// Asks a question in the place of what is shown, and over which nothing is drawn meanwhile.
    pub(super) fn give_way<T>(&self, question: impl FnOnce() -> T) -> T {
        let mut screen = self.now();
        screen.take_away();
        screen.is_question_open = true;
        drop(screen);
        let answer = question();
        self.now().is_question_open = false;
        answer
    }

    /// Writes to the terminal above what is shown.
    pub(super) fn above_progress<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.now().bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn now(&self) -> MutexGuard<'_, OnScreen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OnScreen {
    fn take_away(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
    }
}
