//! The session bus: where its address says it is, and believed only if it is ours.
//!
//! The address is a variable that whoever starts us can set, and it may name a program to run (`unixexec:`), another machine (`tcp:`), or a
//! socket that somebody else has bound since. So it is read here and by nobody else: a socket's path, and nothing but that. What is connected
//! must belong to us at both ends before a byte of ours goes there.
//! The form of an address: <https://dbus.freedesktop.org/doc/dbus-specification.html#addresses>

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use std::ffi::OsStr;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long to wait before a bus that takes no more connections is asked again.
const PAUSE: Duration = Duration::from_millis(10);

/// Why there is no session bus for us.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoSessionBus {
    /// Nothing says that there is one.
    #[error("there is no session bus")]
    None,
    /// The address is not a socket's path.
    #[error("`DBUS_SESSION_BUS_ADDRESS` {0}")]
    Address(&'static str),
    /// Nothing listens there.
    #[error("the session bus cannot be reached")]
    Unreachable,
    /// Something listens there that is not ours.
    #[error("the session bus is not believed: {0}")]
    NotOurs(&'static str),
    /// It takes no connections at the moment.
    #[error("the session bus takes no connections")]
    Busy,
}

/// Where the session bus should be: what `address` (`DBUS_SESSION_BUS_ADDRESS`) says, else `bus` in the runtime directory.
///
/// An address that says anything else is no reason to look in the other place: whoever set it meant that bus.
pub(super) fn socket_path(address: Option<&OsStr>, runtime_dir: Option<&Path>) -> Result<PathBuf, NoSessionBus> {
    if let Some(address) = address.filter(|address| !address.to_string_lossy().trim().is_empty()) {
        return path_in(address.to_str().ok_or(NoSessionBus::Address("is not text"))?);
    }
    let socket = runtime_dir.map(|directory| directory.join("bus"));
    socket.filter(|socket| is_socket(socket)).ok_or(NoSessionBus::None)
}

/// The path in `unix:path=PATH`, behind which only the bus's id may follow.
fn path_in(address: &str) -> Result<PathBuf, NoSessionBus> {
    let not = |what| Err(NoSessionBus::Address(what));
    if address.contains(';') {
        return not("names several buses");
    }
    if address.contains('%') {
        return not("has escaped characters");
    }
    let Some(keys) = address.strip_prefix("unix:") else {
        return not("does not name a socket of this machine (`unix:path=…`)");
    };
    let mut path = None;
    for key in keys.split(',') {
        match key.split_once('=') {
            Some(("path", value)) if path.is_none() => path = Some(value),
            Some(("guid", _)) => {}
            _ => return not("is not of the form `unix:path=…`"),
        }
    }
    match path {
        Some(path) if path.starts_with('/') && !path.contains(char::is_control) => Ok(PathBuf::from(path)),
        Some(_) => not("does not name an absolute path"),
        None => not("is not of the form `unix:path=…`"),
    }
}

fn is_socket(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.file_type().is_socket())
}

/// Connects to the bus at `path`, which must be a socket of the user `uid` with a process of the same user behind it.
///
/// Without blocking: a bus whose queue is full would hold us beyond `until`.
pub(super) fn connect_to(path: &Path, uid: u32, until: Instant) -> Result<UnixStream, NoSessionBus> {
    let meta = fs::metadata(path).map_err(|_| NoSessionBus::Unreachable)?;
    if !meta.file_type().is_socket() {
        return Err(NoSessionBus::Unreachable);
    }
    if meta.uid() != uid {
        return Err(NoSessionBus::NotOurs("its socket belongs to another user"));
    }
    let address = SocketAddrUnix::new(path).map_err(|_| NoSessionBus::Unreachable)?;
    loop {
        let socket = open_socket().map_err(|_| NoSessionBus::Unreachable)?;
        match connect(&socket, &address) {
            Ok(()) => {
                check_peer(&socket, uid)?;
                let stream = UnixStream::from(socket);
                stream.set_nonblocking(false).map_err(|_| NoSessionBus::Unreachable)?;
                return Ok(stream);
            }
            Err(Errno::AGAIN) if Instant::now() < until => std::thread::sleep(PAUSE),
            Err(Errno::AGAIN) => return Err(NoSessionBus::Busy),
            Err(_) => return Err(NoSessionBus::Unreachable),
        }
    }
}

fn open_socket() -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

/// Who listens there, by the kernel's word.
#[cfg(target_os = "linux")]
fn check_peer(socket: &OwnedFd, uid: u32) -> Result<(), NoSessionBus> {
    match rustix::net::sockopt::socket_peercred(socket) {
        Ok(peer) if peer.uid.as_raw() == uid => Ok(()),
        _ => Err(NoSessionBus::NotOurs("another user listens there")),
    }
}

/// Elsewhere the socket's owner is all that can be told.
#[cfg(not(target_os = "linux"))]
fn check_peer(_socket: &OwnedFd, _uid: u32) -> Result<(), NoSessionBus> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    fn read(address: &str) -> Result<PathBuf, NoSessionBus> {
        socket_path(Some(OsStr::new(address)), None)
    }

    #[test]
    fn an_address_is_a_sockets_path_and_nothing_else() {
        for good in [
            "unix:path=/run/user/1000/bus",
            "unix:path=/run/user/1000/bus,guid=0123456789abcdef",
            "unix:guid=0123456789abcdef,path=/run/user/1000/bus",
        ] {
            assert_eq!(read(good), Ok(PathBuf::from("/run/user/1000/bus")), "{good}");
        }
        for bad in [
            "unixexec:path=/bin/sh,argv1=-c,argv2=true",
            "tcp:host=127.0.0.1,port=1",
            "nonce-tcp:host=127.0.0.1,port=1,noncefile=/tmp/n",
            "launchd:env=DBUS_LAUNCHD_SESSION_BUS_SOCKET",
            "autolaunch:",
            "disabled:",
            "systemd:",
            "vsock:cid=2,port=1",
            "unix:abstract=/tmp/bus",
            "unix:runtime=yes",
            "unix:dir=/tmp",
            "unix:tmpdir=/tmp",
            "unix:path=/a,path=/b",
            "unix:path=/a,abstract=b",
            "unix:path=/a,unixexec=b",
            "unix:path=/a;unix:path=/b",
            "unix:path=/a;",
            ";unix:path=/a",
            "unix:path=/a%3bb",
            "unix:path=a",
            "unix:path=",
            "unix:path",
            "unix:",
            "unix",
            "UNIX:path=/a",
            " unix:path=/a",
            "unix:path=/a\nb",
            "unix: path=/a",
            "/run/user/1000/bus",
        ] {
            assert!(matches!(read(bad), Err(NoSessionBus::Address(_))), "{bad}");
        }
    }

    #[test]
    fn a_strange_address_is_no_reason_to_look_elsewhere() {
        let directory = tempfile::tempdir().unwrap();
        let runtime = Some(directory.path());
        assert_eq!(socket_path(None, runtime), Err(NoSessionBus::None));
        let _listener = UnixListener::bind(directory.path().join("bus")).unwrap();
        let usual = Ok(directory.path().join("bus"));
        assert_eq!(socket_path(None, runtime), usual);
        assert_eq!(socket_path(Some(OsStr::new(" ")), runtime), usual);
        assert!(socket_path(Some(OsStr::new("autolaunch:")), runtime).is_err());
    }

    #[test]
    fn what_listens_must_be_ours() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bus");
        let uid = rustix::process::geteuid().as_raw();
        let at = |uid| connect_to(&path, uid, Instant::now()).map(|_| ());
        assert_eq!(at(uid), Err(NoSessionBus::Unreachable));
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(at(uid), Ok(()));
        assert!(matches!(at(uid + 1), Err(NoSessionBus::NotOurs(_))));
        drop(listener);
        assert_eq!(at(uid), Err(NoSessionBus::Unreachable));
    }

    #[test]
    fn a_bus_whose_queue_is_full_is_given_up_in_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bus");
        let flags = SocketFlags::CLOEXEC;
        let listener = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
        rustix::net::bind(&listener, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let uid = rustix::process::geteuid().as_raw();
        let _queued = connect_to(&path, uid, Instant::now()).unwrap();
        let until = Instant::now() + Duration::from_millis(50);
        assert!(matches!(connect_to(&path, uid, until), Err(NoSessionBus::Busy)));
        assert!(Instant::now() >= until);
    }
}
