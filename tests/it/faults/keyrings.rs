//! What is wrong with the keyrings: the kernel's in front, GNOME Keyring behind it.

use super::cell::Cell;
use super::kept::{STRANGER, of_somebody_else};
use super::row::{Came, Fault, LOST, State, UNNOTICED, fault};
use crate::system::bus::Bus;
use std::io::Write as _;
use std::os::unix::net::UnixListener;

/// Two keyrings, both open, and both asked.
fn keyrings(name: &'static str, strikes: fn(&mut Cell), comes: [Came; 4]) -> Fault {
    fault(name, strikes, comes).given(|cell| {
        let bus = Bus::unlocked(&mut cell.world);
        cell.alive.push(Box::new(bus));
        cell.world.unset("container");
        cell.cache = "auto";
    })
}

/// The same, and the kernel's has lost its key.
fn secret_service(name: &'static str, strikes: fn(&mut Cell), comes: [Came; 4]) -> Fault {
    let mut fault = keyrings(name, |_| {}, comes);
    fault.strikes = Box::new(move |cell| {
        lose_kernel_key(cell);
        strikes(cell);
    });
    fault
}

fn lose_kernel_key(cell: &mut Cell) {
    if cell.state != State::Empty {
        cell.world.remove_kernel_key();
    }
}

/// Everything but reading, for whoever has it and for its owner.
const MAY_NOT_BE_READ: &str = "p() { keyctl setperm \"$1\" 0x3d3d0000; }; p";

/// Changes the entry, where there is one.
fn entry(cell: &mut Cell, change: fn(&Cell)) {
    if cell.state != State::Empty {
        change(cell);
    }
}

/// Another bus than before: whoever connects is spoken to so.
fn bus_that(cell: &mut Cell, speaks: fn(std::os::unix::net::UnixStream)) {
    let socket = cell.world.home().join("run/bus");
    let listener = UnixListener::bind(&socket).unwrap();
    cell.world
        .set("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", socket.display()));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            speaks(stream);
        }
    });
}

/// It takes connections, and that is all.
fn silent(cell: &mut Cell) {
    let socket = cell.world.home().join("run/bus");
    let listener = UnixListener::bind(&socket).unwrap();
    cell.world
        .set("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", socket.display()));
    cell.alive.push(Box::new(listener));
}

fn bus_at(cell: &mut Cell, address: &str) {
    cell.world.set("DBUS_SESSION_BUS_ADDRESS", address);
}

fn kept_nowhere(name: &'static str, cache: &'static str) -> Fault {
    let mut fault = fault(name, |_| {}, LOST);
    fault.given = match cache {
        "none" => |cell| {
            cell.cache = "none";
            cell.keeps_nothing = true;
        },
        _ => |cell| {
            cell.cache = "keyring";
            cell.keeps_nothing = true;
        },
    };
    fault
}

/// Leaves no room in the quota of whoever calls, down to the last bytes.
const FILL: &str = "keyctl session - sh -c 'keyctl link @u @s; n=0; for size in 2000 100 1; do \
                    while head -c $size /dev/zero | tr \"\\0\" x | keyctl padd user filler-$n @u; do n=$((n+1)); done; done' >&2; true";

pub(super) fn faults() -> Vec<Fault> {
    let full = |cell: &mut Cell| {
        cell.world.shell(FILL);
        cell.keeps_nothing = true; // out of our reach
    };
    vec![
        fault(
            "the kernel's quota is used up",
            full,
            [Came::Kept, Came::Kept, Came::New, Came::New],
        )
        .given(|cell| {
            cell.call_as_somebody();
            cell.world.unset("container");
            cell.cache = "kernel";
        }),
        keyrings("the kernel's has lost the key", lose_kernel_key, UNNOTICED),
        keyrings(
            "the session bus is gone",
            |cell| bus_at(cell, "unix:path=/nonexistent/bus"),
            UNNOTICED,
        ),
        keyrings("the session bus does not answer", silent, UNNOTICED),
        keyrings(
            "the kernel's holds garbage",
            |cell| {
                entry(cell, |cell| {
                    cell.world.change_kernel_key("echo garbage | keyctl pupdate");
                });
            },
            UNNOTICED,
        ),
        keyrings(
            "the kernel's key may not be read",
            |cell| entry(cell, |cell| cell.world.change_kernel_key(MAY_NOT_BE_READ)),
            UNNOTICED,
        ),
        keyrings(
            "both hold garbage",
            |cell| entry(cell, |cell| cell.replace_entry(|_| vec![0x5a; 2000])),
            LOST,
        ),
        keyrings(
            "both hold nothing",
            |cell| entry(cell, |cell| cell.replace_entry(|_| vec![0])),
            LOST,
        ),
        keyrings(
            "both hold an entry of another version",
            |cell| entry(cell, |cell| cell.change_entry(|entry| entry[0] = 99)),
            LOST,
        ),
        keyrings(
            "both hold somebody else's certificate",
            |cell| entry(cell, of_somebody_else),
            [FOREIGN, FOREIGN, FOREIGN, Came::New],
        ),
        secret_service("locked", |cell| Bus::lock(&cell.world), LOST),
        secret_service("both are gone", |cell| bus_at(cell, "unix:path=/nonexistent/bus"), LOST),
        secret_service("the only one does not answer", silent, LOST),
        secret_service("the session bus closes at once", |cell| bus_that(cell, drop), LOST),
        secret_service(
            "the session bus answers garbage",
            |cell| {
                bus_that(cell, |mut stream| {
                    let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
                });
            },
            LOST,
        ),
        secret_service(
            "the session bus is somebody else's",
            |cell| {
                silent(cell);
                std::os::unix::fs::chown(cell.world.home().join("run/bus"), Some(STRANGER), None).unwrap();
            },
            LOST,
        ),
        secret_service(
            "the session bus is a program to run",
            |cell| bus_at(cell, "unixexec:path=/bin/true"),
            LOST,
        ),
        secret_service(
            "the session bus is another machine's",
            |cell| bus_at(cell, "tcp:host=127.0.0.1,port=1"),
            LOST,
        ),
        kept_nowhere("there is none, and no other place", "keyring"),
        kept_nowhere("none is wanted", "none"),
    ]
}

const FOREIGN: Came = Came::Fails(3, "its entry is for");
