//! `kubectl proxy`: a client-go process that lives on, and an informer behind it.

use super::process::{LIMIT, Running, wait_for};
use super::world::World;
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What client-go says of a request whose connection it has closed itself.
const CLOSED: [&str; 2] = ["use of closed network connection", "client connection force closed"];

/// A running `kubectl proxy`.
pub(crate) struct Proxy {
    port: u16,
    running: Running,
}

impl Proxy {
    pub(crate) fn start(world: &World) -> Self {
        let running = world.start(&["sh", "-c", "exec kubectl proxy --port=0 >\"$HOME/proxy\""]);
        let mut port = None;
        wait_for("the port of kubectl proxy", || {
            let said = fs::read_to_string(world.home().join("proxy")).unwrap_or_default();
            port = said
                .strip_suffix('\n')
                .and_then(|said| said.rsplit(':').next()?.parse().ok());
            port.is_some()
        });
        Self {
            port: port.unwrap(),
            running,
        }
    }

    /// What the API server answered; `None` if client-go itself closed the connection on the way. Anything else is a failure.
    pub(crate) fn get(&self, path: &str) -> Option<String> {
        let mut body = String::new();
        open(self.port, path)?.read_to_string(&mut body).unwrap();
        Some(body)
    }

    /// The status with which the API server answered.
    pub(crate) fn status(&self, path: &str) -> u16 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line.split(' ').nth(1).unwrap_or_default().parse().unwrap()
    }

    /// Ends it, with the leak check.
    pub(crate) fn stop(self, world: &World) {
        self.running.signal(Signal::TERM);
        world.checked(self.running.finish_now());
    }
}

/// HTTP/1.0: the body ends with the connection.
fn open(port: u16, path: &str) -> Option<BufReader<TcpStream>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(answer.read_line(&mut head).unwrap() > 0, "{head}");
    }
    if head.starts_with("HTTP/1.0 200 ") {
        return Some(answer);
    }
    answer.read_to_string(&mut head).unwrap();
    assert!(CLOSED.iter().any(|closed| head.contains(closed)), "{head}");
    None
}

/// Lists the pods and watches them from there; when the watch ends, goes on from the last version, as client-go's informers do.
pub(crate) struct Informer {
    story: Arc<Mutex<Story>>,
    is_stopped: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// What an informer saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story {
    /// The versions of all events.
    pub(crate) versions: Vec<u64>,
    /// How often the watch ended.
    pub(crate) ends: usize,
}

impl Informer {
    /// Returns when the first events have come.
    pub(crate) fn start(proxy: &Proxy) -> Self {
        let list: Value = serde_json::from_str(&proxy.get("/api/v1/namespaces/default/pods").unwrap()).unwrap();
        let story = Arc::<Mutex<Story>>::default();
        let is_stopped = Arc::<AtomicBool>::default();
        let informer = Self {
            story: Arc::clone(&story),
            is_stopped: Arc::clone(&is_stopped),
            thread: std::thread::spawn({
                let (port, version) = (proxy.port, version(&list));
                move || inform(port, version, &story, &is_stopped)
            }),
        };
        informer.wait_for_more();
        informer
    }

    fn story(&self) -> Story {
        self.story.lock().unwrap().clone()
    }

    pub(crate) fn wait_for_more(&self) {
        let before = self.story().versions.len();
        wait_for("more events", || self.story().versions.len() > before + 3);
    }

    pub(crate) fn wait_for_ends(&self, count: usize) {
        wait_for("the watch's end", || self.story().ends >= count);
    }

    /// Returns everything it saw; fails if anything but events came.
    pub(crate) fn stop(self) -> Story {
        self.is_stopped.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        Arc::into_inner(self.story).unwrap().into_inner().unwrap()
    }
}

fn version(object: &Value) -> u64 {
    let version = object["metadata"]["resourceVersion"].as_str();
    version.unwrap_or_else(|| panic!("{object}")).parse().unwrap()
}

fn inform(port: u16, mut known: u64, story: &Mutex<Story>, is_stopped: &AtomicBool) {
    loop {
        let path = format!("/api/v1/namespaces/default/pods?watch=true&resourceVersion={known}");
        let Some(mut watch) = open(port, &path) else { continue };
        loop {
            let mut line = String::new();
            let read = watch.read_line(&mut line);
            if is_stopped.load(Ordering::Relaxed) {
                return;
            }
            // A connection may also end in the middle of an event, which comes again.
            if read.is_err() || !line.ends_with('\n') {
                break;
            }
            let event: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(event["type"], "MODIFIED", "{event}");
            known = version(&event["object"]);
            story.lock().unwrap().versions.push(known);
        }
        story.lock().unwrap().ends += 1;
    }
}
