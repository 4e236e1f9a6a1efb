//! A session bus of a world's own, with GNOME Keyring on it.

use super::process::{LIMIT, wait_for};
use super::world::World;
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Stdio};
use std::time::Instant;

/// Tells the bus's address, then lives as long as its stdin: also a killed test leaves nothing behind.
const UNLOCKED: &str = "printf %s pw | gnome-keyring-daemon --unlock --components=secrets --daemonize >/dev/null 2>&1; \
                        printf '%s\\n' \"$DBUS_SESSION_BUS_ADDRESS\"; exec cat >/dev/null";

/// Locks the collection that certificates are kept in.
const LOCK: &str = "dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets \
                    org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login";
/// A bus; dropping it ends it with everything on it.
pub(crate) struct Bus {
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Bus {
    /// Starts a bus with an unlocked GNOME Keyring and tells the world its address.
    pub(crate) fn unlocked(world: &mut World) -> Self {
        let mut command = world.command(&["dbus-run-session", "--", "sh", "-c", UNLOCKED]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("dbus-run-session does not start ({error}): run tests/run"));
        let mut address = String::new();
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().unwrap();
        let bus = Self { child, stdin };
        BufReader::new(stdout).read_line(&mut address).unwrap();
        assert!(!address.trim().is_empty(), "there is no session bus: run tests/run");
        world.set("DBUS_SESSION_BUS_ADDRESS", address.trim());
        wait_for("the Secret Service", || {
            let service = "dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets";
            world.run(&["sh", "-c", service]).stdout.contains("true")
        });
        bus
    }

    /// Locks the keyring.
    pub(crate) fn lock(world: &World) {
        world.shell(LOCK);
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let started = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if started.elapsed() > LIMIT {
                let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}
