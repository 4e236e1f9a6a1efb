//! What the targets have in common: a home of their own, and a cloud on this machine that gives whatever answer.

use cce_login::fuzzing::LoopbackCloud;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

/// A directory for this process alone; `fuzz/run` says where by `TMPDIR`, and takes it away.
pub fn home() -> &'static Path {
    static HOME: LazyLock<PathBuf> = LazyLock::new(|| {
        let home = std::env::temp_dir().join(format!("home-{}", std::process::id()));
        std::fs::create_dir_all(&home).expect("a directory of the fuzzer's own");
        home
    });
    &HOME
}

/// Asks the cloud, which answers as the input says: a letter that chooses the question, the status, lines of headers, a blank line, the body.
pub fn answered(data: &[u8], ask: fn(&LoopbackCloud, u8)) {
    thread_local! {
        static CLOUD: LoopbackCloud = LoopbackCloud::at(&start());
    }
    let Some((question, rest)) = data.split_first() else {
        return;
    };
    *ANSWER.lock().unwrap_or_else(PoisonError::into_inner) = answer(rest);
    CLOUD.with(|cloud| ask(cloud, question.wrapping_sub(b'a')));
}

static ANSWER: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// A whole answer of HTTP, of the length that it says.
fn answer(data: &[u8]) -> Vec<u8> {
    let at = data.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = at.map_or((data, &[][..]), |at| (&data[..at], &data[at + 2..]));
    let mut lines = head.split(|byte| *byte == b'\n');
    let status = lines
        .next()
        .and_then(|line| std::str::from_utf8(line).ok()?.trim().parse::<u16>().ok());
    let status = status.filter(|status| (200..600).contains(status)).unwrap_or(200);
    let mut out = format!("HTTP/1.1 {status} x\r\n").into_bytes();
    for line in lines {
        let name = line
            .split(|byte| *byte == b':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        // Where an answer ends is not ours to read.
        if !["content-length", "transfer-encoding", "connection", "upgrade"]
            .iter()
            .any(|own| own.as_bytes() == name.trim_ascii())
        {
            out.extend(line);
            out.extend(b"\r\n");
        }
    }
    let body = if [204, 304].contains(&status) { &[] } else { body };
    out.extend(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    out.extend(body);
    out
}

/// Starts the cloud; its address.
fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = listener.local_addr().expect("loopback").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    format!("http://127.0.0.1:{port}")
}

/// Answers every request of one connection.
fn serve(mut stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let answer = ANSWER.lock().unwrap_or_else(PoisonError::into_inner).clone();
        stream.write_all(&answer).ok()?;
    }
}
