//! A door in front of a real OpenBao, where answers go wrong as they do on a network.

use super::free_port_of;
use super::openbao::OpenBao;
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, Weak};

/// What becomes of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// It is answered.
    Open,
    /// The connection ends before it was acted upon.
    ResetBefore,
    /// It is acted upon, then the connection ends.
    ResetAfter,
    /// It is acted upon, and half of the answer arrives.
    Truncated,
    /// Nothing comes, for a long time.
    Hangs,
    /// This status with an error of the engine's form.
    Status(u16),
    /// 200 and HTML.
    Html,
    /// 200 and no value, of the right form otherwise.
    Empty,
    /// Reads are answered as they were first since [`FaultyEngine::forget`], as by a standby that is behind.
    Stale,
    /// The write of this number to a certificate's place hangs, before or after it was acted upon.
    HangsAtWrite { number: usize, is_acted_upon: bool },
    /// Without the header that tells the engine's time.
    WithoutDate,
}

/// The door: an address of its own.
pub(crate) struct FaultyEngine {
    address: String,
    door: Arc<Mutex<Door>>,
    asked: Arc<Mutex<usize>>,
    first: Arc<Mutex<FirstAnswers>>,
    /// Writes to places of certificates, since this was set last.
    writes: Arc<Mutex<usize>>,
}

/// What each path was answered first.
type FirstAnswers = HashMap<String, (u16, String)>;

struct Asked {
    method: &'static str,
    path: String,
    token: String,
    body: Option<serde_json::Value>,
}

impl FaultyEngine {
    /// Whoever asks it after `bao` has ended gets no answer.
    pub(crate) fn in_front_of(bao: &Arc<OpenBao>) -> Self {
        let listener = TcpListener::bind(free_port_of("127.0.0.1")).unwrap();
        let this = Self {
            address: listener.local_addr().unwrap().to_string(),
            door: Arc::new(Mutex::new(Door::Open)),
            asked: Arc::default(),
            first: Arc::default(),
            writes: Arc::default(),
        };
        let (bao, door, asked, first) = (
            Arc::downgrade(bao),
            this.door.clone(),
            this.asked.clone(),
            this.first.clone(),
        );
        let writes = this.writes.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (bao, door, asked, first) = (bao.clone(), door.clone(), asked.clone(), first.clone());
                let writes = writes.clone();
                std::thread::spawn(move || {
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    while let Some(request) = read(&mut reader) {
                        *asked.lock().unwrap() += 1;
                        let is_write = request.method == "POST" && request.path.contains("/cert-");
                        let write = {
                            let mut writes = writes.lock().unwrap();
                            *writes += usize::from(is_write);
                            *writes
                        };
                        let mut door = *door.lock().unwrap();
                        if let Door::HangsAtWrite { number, .. } = door
                            && !(is_write && write == number)
                        {
                            door = Door::Open;
                        }
                        // Not ours to keep: a server that a thread holds would outlive the tests.
                        let Some(bao) = Weak::upgrade(&bao) else { return };
                        if !answer(&stream, &bao, door, &request, &first) {
                            return;
                        }
                    }
                });
            }
        });
        this
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn set(&self, door: Door) {
        *self.writes.lock().unwrap() = 0;
        *self.door.lock().unwrap() = door;
    }

    /// What is read next is what a standby that is behind will answer.
    pub(crate) fn forget(&self) {
        self.first.lock().unwrap().clear();
    }

    /// How many writes to certificates' places have come.
    pub(crate) fn writes(&self) -> usize {
        *self.writes.lock().unwrap()
    }

    /// How many requests have come since this was asked last.
    pub(crate) fn asked(&self) -> usize {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut headers = HashMap::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut words = first.split(' ');
    Some(Asked {
        method: if words.next()? == "GET" { "GET" } else { "POST" },
        path: words.next()?.trim_start_matches("/v1/").to_owned(),
        token: headers.remove("x-vault-token").unwrap_or_default(),
        body: serde_json::from_slice(&body).ok(),
    })
}

/// Says whether the connection goes on.
fn answer(mut stream: &TcpStream, bao: &OpenBao, door: Door, request: &Asked, first: &Mutex<FirstAnswers>) -> bool {
    let act = || {
        let (status, json) = bao.ask(request.method, &request.path, request.body.as_ref(), &request.token);
        let answer = (status, json.to_string());
        if request.method == "GET" {
            let mut first = first.lock().unwrap();
            first.entry(request.path.clone()).or_insert_with(|| answer.clone());
        }
        answer
    };
    let date = chrono::Utc::now().format("%a, %d %b %Y %H:%M:%S GMT");
    let write = |status: u16, body: &str, length: usize, date: &str| {
        let kind = if body.starts_with('<') {
            "text/html"
        } else {
            "application/json"
        };
        let head = format!("HTTP/1.1 {status} Any\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{date}\r\n");
        (&*stream).write_all(format!("{head}{body}").as_bytes()).is_ok()
    };
    let date = format!("Date: {date}\r\n");
    let whole = |(status, body): (u16, String), date: &str| write(status, &body, body.len(), date);
    match door {
        Door::WithoutDate => whole(act(), ""),
        Door::ResetBefore => false,
        Door::ResetAfter => {
            act();
            false
        }
        Door::Truncated => {
            let (status, body) = act();
            write(status, &body[..body.len() / 2], body.len(), &date);
            false
        }
        Door::Hangs | Door::HangsAtWrite { .. } => {
            if let Door::HangsAtWrite {
                is_acted_upon: true, ..
            } = door
            {
                act();
            }
            // Until the other side has gone.
            let _ = stream.read(&mut [0]);
            false
        }
        Door::Status(status) => whole((status, r#"{"errors":["of the test"]}"#.to_owned()), &date),
        Door::Html => whole((200, "<html><title>Sign in</title></html>".to_owned()), &date),
        Door::Empty => whole(
            (200, r#"{"data":{"data":{},"metadata":{"version":1}}}"#.to_owned()),
            &date,
        ),
        Door::Stale if request.method == "GET" => {
            let kept = first.lock().unwrap().get(&request.path).cloned();
            whole(kept.unwrap_or_else(act), &date)
        }
        Door::Open | Door::Stale => whole(act(), &date),
    }
}
