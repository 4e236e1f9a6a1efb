//! A session bus at a place of its own with GNOME Keyring on it, both of which can be restarted: what is in the keyring stays.

use crate::system::process::wait_for;
use crate::system::world::World;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub(super) struct SessionBus {
    variables: BTreeMap<String, String>,
    configuration: PathBuf,
    socket: PathBuf,
    bus: Child,
    keyring: Child,
}

impl SessionBus {
    /// Starts both and tells the world the address. Neither has a secret in its environment.
    pub(super) fn start(world: &mut World) -> Self {
        let socket = world.home().join("run/bus");
        let address = format!("unix:path={}", socket.display());
        // Without services that the bus starts by itself: a second keyring, locked, would be one.
        let configuration = world.write(
            "bus.conf",
            format!(
                "<busconfig><type>session</type><listen>{address}</listen><auth>EXTERNAL</auth><policy context=\"default\">\
                 <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>"
            ),
        );
        world.set("DBUS_SESSION_BUS_ADDRESS", &address);
        let mut variables = world.variables().clone();
        variables
            .retain(|name, _| ["HOME", "PATH", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"].contains(&name.as_str()));
        let bus = start_bus(&variables, &configuration, &socket);
        let keyring = start_keyring(&variables);
        Self {
            variables,
            configuration: configuration.into(),
            socket,
            bus,
            keyring,
        }
    }

    /// The bus is killed with everything on it, and comes back after a while.
    pub(super) fn restart(&mut self, away: Duration) {
        end(&mut self.bus);
        end(&mut self.keyring);
        std::thread::sleep(away);
        let _ = std::fs::remove_file(&self.socket);
        self.bus = start_bus(&self.variables, self.configuration.to_str().unwrap(), &self.socket);
        self.keyring = start_keyring(&self.variables);
    }

    /// The keyring is killed, and comes back after a while.
    pub(super) fn restart_keyring(&mut self, away: Duration) {
        end(&mut self.keyring);
        std::thread::sleep(away);
        self.keyring = start_keyring(&self.variables);
    }

    /// The processes, by what they are.
    pub(super) fn processes(&self) -> [(&'static str, u32); 2] {
        [("session bus", self.bus.id()), ("keyring", self.keyring.id())]
    }
}

impl Drop for SessionBus {
    fn drop(&mut self) {
        end(&mut self.keyring);
        end(&mut self.bus);
    }
}

fn end(child: &mut Child) {
    let _gone_already = child.kill();
    let _ = child.wait();
}

fn command(variables: &BTreeMap<String, String>, words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).env_clear().envs(variables);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn start_bus(variables: &BTreeMap<String, String>, configuration: &str, socket: &std::path::Path) -> Child {
    let flag = format!("--config-file={configuration}");
    let child = command(variables, &["dbus-daemon", &flag, "--nofork"]).spawn().unwrap();
    wait_for("the session bus", || socket.exists());
    child
}

fn start_keyring(variables: &BTreeMap<String, String>) -> Child {
    let words = [
        "gnome-keyring-daemon",
        "--unlock",
        "--components=secrets",
        "--foreground",
    ];
    let mut child = command(variables, &words).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"pw").unwrap();
    wait_for("the Secret Service", || {
        let line = "dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets";
        let output = command(variables, &["sh", "-c", line])
            .stdout(Stdio::piped())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).contains("true")
    });
    child
}
