//! A real terminal with a person in front of it: a tmux server of the test's own, with one window.

use super::process::{LIMIT, Output, wait_for};
use super::world::World;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A window; dropping it ends the server with everything in it.
pub(crate) struct Terminal<'w> {
    world: &'w World,
    socket: PathBuf,
    /// Everything that was ever written to it, escape sequences included.
    recorded: PathBuf,
}

impl<'w> Terminal<'w> {
    /// A shell line in a window of this size; the shell tells how it ended, and what became of the terminal's modes.
    pub(crate) fn start(world: &'w World, columns: u16, lines: u16, line: &str) -> Self {
        let is_free = |number: &u32| !world.home().join(format!("recorded-{number}")).exists();
        let number = (0..1000).find(is_free).unwrap();
        let terminal = Self {
            socket: world.home().join(format!("tmux-{number}")),
            recorded: world.home().join(format!("recorded-{number}")),
            world,
        };
        // It waits for the recorder.
        let script = format!(
            "trap : INT; read -r _; {line}\nended=$?; stty -a | grep -q -- ' echo ' && stty -a | grep -q -- ' icanon ' && echo modes as before; echo \"[exit $ended]\"; exec cat"
        );
        let (columns, lines) = (columns.to_string(), lines.to_string());
        terminal.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            &columns,
            "-y",
            &lines,
            "sh",
            "-c",
            &script,
        ]);
        let recorder = format!("exec cat >'{}'", terminal.recorded.display());
        terminal.tmux(&["pipe-pane", "-o", &recorder]);
        terminal.press("Enter");
        terminal
    }

    fn tmux(&self, words: &[&str]) -> Output {
        let socket = self.socket.display().to_string();
        let all = [&["env", "LC_ALL=C.UTF-8", "tmux", "-S", socket.as_str()], words].concat();
        self.world.run(&all).succeeded()
    }

    /// What the window shows.
    pub(crate) fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"]).stdout
    }

    /// Everything that was written to it until now.
    pub(crate) fn recorded(&self) -> Vec<u8> {
        std::fs::read(&self.recorded).unwrap_or_default()
    }

    /// Waits until the window shows this text.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        let started = Instant::now();
        while !self.screen().contains(text) {
            assert!(
                started.elapsed() < LIMIT / 3,
                "`{text}` does not come:\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses a key by tmux's name for it.
    pub(crate) fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    /// Types this, and Enter. Not in arguments, which others can read.
    pub(crate) fn types(&self, text: &str) {
        if !text.is_empty() {
            self.types_only(text);
        }
        self.press("Enter");
    }

    /// Types this without Enter.
    pub(crate) fn types_only(&self, text: &str) {
        let socket = self.socket.display().to_string();
        let words = ["tmux", "-S", &socket, "load-buffer", "-b", "typed", "-"];
        self.world.run_with_stdin(&words, text).succeeded();
        self.tmux(&["paste-buffer", "-d", "-b", "typed"]);
    }

    /// Waits until the line has ended with this code, the terminal as it was before.
    #[track_caller]
    pub(crate) fn ended(&self, code: i32) {
        self.shows("[exit ");
        let screen = self.screen();
        assert!(screen.contains(&format!("[exit {code}]")), "{screen}");
        assert!(screen.contains("modes as before"), "{screen}");
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let socket = self.socket.display().to_string();
        let _ = self.world.run(&["tmux", "-S", &socket, "kill-server"]);
        if !std::thread::panicking() {
            wait_for("the end of tmux", || {
                self.world.run(&["tmux", "-S", &socket, "has-session"]).code != Some(0)
            });
        }
    }
}
