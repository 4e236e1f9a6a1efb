//! Dex, a real identity provider, and Chromium, a real browser, with a person who can type into it.

use super::process::{LIMIT, wait_for};
use cce_sim::{ProviderSpec, Sim};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The one person whom Dex knows.
pub(crate) const EMAIL: &str = "jane@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";
/// The client that is registered there.
pub(crate) const CLIENT: &str = "cce-login";

/// A program that ends with its handle.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running Dex.
pub(crate) struct Dex {
    pub(crate) issuer: String,
    _process: Ending,
}

impl Dex {
    pub(crate) fn start() -> Self {
        let program = std::env::var_os("DEX").unwrap_or_else(|| panic!("DEX is not set: run tests/run"));
        let mut command = Command::new(program);
        command
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = Ending(command.spawn().unwrap());
        let issuer = first_line_with(&mut process.0, "http");
        Self {
            issuer,
            _process: process,
        }
    }

    /// IAM has the provider, its client and its keys, as an administrator has pasted them.
    pub(crate) fn register_at(&self, sim: &Sim, name: &str) {
        let host = self.issuer.strip_prefix("http://").unwrap();
        let keys = http(host, "GET", "/keys", None);
        sim.add_identity_provider(&ProviderSpec {
            name: name.to_owned(),
            issuer: self.issuer.clone(),
            audiences: vec![CLIENT.to_owned()],
            signing_key: Some(keys.to_string()),
            ..ProviderSpec::default()
        });
    }
}

/// A browser without a window.
pub(crate) struct Browser {
    driver: String,
    session: String,
    _process: Ending,
    _profile: tempfile::TempDir,
}

impl Drop for Browser {
    /// The driver would leave its browser behind; also where a test has failed, so nothing here may.
    fn drop(&mut self) {
        if let Ok(mut stream) = TcpStream::connect(&self.driver) {
            let (session, driver) = (&self.session, &self.driver);
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = write!(
                stream,
                "DELETE /session/{session} HTTP/1.1\r\nHost: {driver}\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.read(&mut [0; 512]);
        }
    }
}

impl Browser {
    pub(crate) fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        // It ends where the port that it has chosen is taken for IPv6.
        let started = std::iter::repeat_with(|| start_driver(profile.path()))
            .take(5)
            .flatten()
            .next();
        let (process, said) = started.unwrap_or_else(|| panic!("chromedriver ended five times"));
        let port: String = said
            .split_once("on port ")
            .unwrap()
            .1
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        let driver = format!("127.0.0.1:{port}");
        let flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
        ];
        let mut flags: Vec<String> = flags.map(str::to_owned).to_vec();
        flags.push(format!("--user-data-dir={}", profile.path().join("profile").display()));
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": flags}}}});
        let answer = http(&driver, "POST", "/session", Some(&wanted));
        let session = answer["value"]["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned();
        Self {
            driver,
            session,
            _process: process,
            _profile: profile,
        }
    }

    fn ask(&self, method: &str, what: &str, body: Option<&Value>) -> Value {
        http(&self.driver, method, &format!("/session/{}{what}", self.session), body)["value"].take()
    }

    pub(crate) fn visit(&self, address: &str) {
        self.ask("POST", "/url", Some(&json!({"url": address})));
    }

    /// What the page shows.
    pub(crate) fn text(&self) -> String {
        self.ask("GET", "/source", None).as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        wait_for(text, || self.text().contains(text));
    }

    fn find(&self, selector: &str) -> Option<String> {
        let wanted = json!({"using": "css selector", "value": selector});
        let found = self.ask("POST", "/element", Some(&wanted));
        found["element-6066-11e4-a52e-4f735466cecf"].as_str().map(str::to_owned)
    }

    #[track_caller]
    fn element(&self, selector: &str) -> String {
        let mut found = None;
        wait_for(selector, || {
            found = self.find(selector);
            found.is_some()
        });
        found.unwrap()
    }

    #[track_caller]
    pub(crate) fn types(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.ask(
            "POST",
            &format!("/element/{element}/value"),
            Some(&json!({"text": text})),
        );
    }

    #[track_caller]
    pub(crate) fn clicks(&self, selector: &str) {
        let element = self.element(selector);
        self.ask("POST", &format!("/element/{element}/click"), Some(&json!({})));
    }

    /// The person at Dex's login page.
    pub(crate) fn signs_in(&self) {
        self.types("#login", EMAIL);
        self.types("#password", PASSWORD);
        self.clicks("#submit-login");
    }
}

/// The driver and what it says of its port; `None`: it has ended.
fn start_driver(home: &Path) -> Option<(Ending, String)> {
    let mut command = Command::new("chromedriver");
    command.arg("--port=0").env("HOME", home);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let spawned = command.spawn();
    let mut process = Ending(spawned.unwrap_or_else(|error| panic!("no chromedriver ({error}): run tests/run")));
    let said = try_first_line_with(&mut process.0, "successfully on port ")?;
    Some((process, said))
}

fn first_line_with(process: &mut Child, text: &str) -> String {
    try_first_line_with(process, text).unwrap_or_else(|| panic!("it has ended without `{text}`"))
}

fn try_first_line_with(process: &mut Child, text: &str) -> Option<String> {
    let stdout = BufReader::new(process.stdout.take().unwrap());
    let (sender, receiver) = std::sync::mpsc::channel();
    let text = text.to_owned();
    std::thread::spawn(move || {
        // It reads on, so that the program can write on.
        for line in stdout.lines().map_while(Result::ok).filter(|line| line.contains(&text)) {
            let _ = sender.send(line);
        }
    });
    receiver.recv_timeout(LIMIT).ok()
}

/// One request on loopback; the answer's JSON.
fn http(host: &str, method: &str, path: &str, body: Option<&Value>) -> Value {
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    let mut stream = BufReader::new(stream);
    let mut length = None;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<u64>().ok();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    match length {
        Some(length) => stream.take(length).read_to_string(&mut answer).unwrap(),
        None => stream.read_to_string(&mut answer).unwrap(),
    };
    serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
}
