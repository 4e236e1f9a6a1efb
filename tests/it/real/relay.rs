//! A plain TCP relay: the elastic address in front of an API server, and what counts its connections.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Relays until the test ends; whoever listens behind it may come and go.
pub(crate) struct Relay {
    opened: Arc<AtomicUsize>,
}

impl Relay {
    /// From this socket to `target` (`HOST:PORT`).
    pub(crate) fn start(listener: TcpListener, target: String) -> Self {
        let relay = Self { opened: Arc::default() };
        let opened = Arc::clone(&relay.opened);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&target) else {
                    continue;
                };
                opened.fetch_add(1, Ordering::Relaxed);
                std::thread::spawn(move || join(&client, &server));
            }
        });
        relay
    }

    /// How many connections there were.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }
}

/// Until both sides have said everything.
pub(crate) fn join(client: &TcpStream, server: &TcpStream) {
    std::thread::scope(|scope| {
        scope.spawn(|| copy(server, client));
        copy(client, server);
        let _ = server.shutdown(Shutdown::Both);
    });
}

/// Until `from` has nothing more to say, or `to` hears no more.
fn copy(mut from: &TcpStream, mut to: &TcpStream) {
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer)
        && to.write_all(&buffer[..read]).is_ok()
    {}
    let _ = to.shutdown(Shutdown::Both);
}
