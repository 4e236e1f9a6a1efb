//! Ports that can be closed and opened again while the simulator runs.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

use crate::world::lock;

/// The servers that are opened and closed together.
pub(crate) struct Listener {
    wanted: watch::Sender<bool>,
    servers: Mutex<Vec<Listening>>,
}

/// One server's side of a listener.
#[derive(Clone)]
pub(crate) struct Listening {
    pub(crate) wanted: watch::Receiver<bool>,
    is_open: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
}

/// A connection that counts as open until this is dropped.
pub(crate) struct Connected(Arc<AtomicUsize>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Default for Listener {
    fn default() -> Self {
        Self {
            wanted: watch::Sender::new(true),
            servers: Mutex::default(),
        }
    }
}

impl Listener {
    /// For a server that listens already.
    pub(crate) fn add_server(&self) -> Listening {
        let server = Listening {
            wanted: self.wanted.subscribe(),
            is_open: Arc::new(AtomicBool::new(true)),
            connections: Arc::default(),
        };
        lock(&self.servers).push(server.clone());
        server
    }

    /// Returns once it is so: ports listen, or refuse and have no connection left. Not from the servers' own runtime.
    pub(crate) fn set(&self, is_open: bool) {
        self.wanted.send_replace(is_open);
        let servers = lock(&self.servers).clone();
        let is_done = |server: &Listening| {
            let has_connections = server.connections.load(Ordering::Acquire) > 0;
            server.is_open.load(Ordering::Acquire) == is_open && (is_open || !has_connections)
        };
        for _ in 0..5000 {
            if servers.iter().all(is_done) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Listening {
    /// Tells the listener that the port is open or closed.
    pub(crate) fn report(&self, is_open: bool) {
        self.is_open.store(is_open, Ordering::Release);
    }

    /// Counts a connection.
    pub(crate) fn connected(&self) -> Connected {
        self.connections.fetch_add(1, Ordering::AcqRel);
        Connected(Arc::clone(&self.connections))
    }

    /// Waits until the port should be open, or closed; false if nobody can say any more.
    pub(crate) async fn wait_for(&mut self, is_open: bool) -> bool {
        self.wanted.wait_for(|wanted| *wanted == is_open).await.is_ok()
    }
}
