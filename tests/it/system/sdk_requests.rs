//! Requests of every kind that a signature must survive, made up from a seed.
//!
//! Left out is what the SDK makes something else of: escapes in a path that are no UTF-8, and repeated numbers, which it sorts as numbers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// One request, not yet signed.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) access_key_id: String,
    pub(crate) secret: String,
    pub(crate) security_token: Option<String>,
    /// Its header's name, and the project's or the account's id.
    pub(crate) scope: Option<(&'static str, String)>,
    pub(crate) method: &'static str,
    pub(crate) host: String,
    pub(crate) path: String,
    parameters: Vec<(String, Values)>,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) time: DateTime<Utc>,
}

/// A parameter's value, as the SDK's callers give it.
#[derive(Debug)]
enum Values {
    Text(String),
    /// The parameter comes once for each of them.
    List(Vec<String>),
    Flag(bool),
    Number(u64),
}

impl Request {
    /// The parameters as we send them.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        let pairs = self.parameters.iter().flat_map(|(name, values)| {
            let texts = match values {
                Values::Text(text) => vec![text.clone()],
                Values::List(list) => list.clone(),
                Values::Flag(flag) => vec![flag.to_string()],
                Values::Number(number) => vec![number.to_string()],
            };
            texts.into_iter().map(|text| (name.clone(), text))
        });
        pairs.collect()
    }

    /// The headers as we sign them, without those that the signature itself brings.
    pub(crate) fn all_headers(&self) -> Vec<(String, String)> {
        let token = self.security_token.clone();
        let scope = self.scope.iter().map(|(name, id)| ((*name).to_owned(), id.clone()));
        let token = token.map(|token| ("X-Security-Token".to_owned(), token));
        self.headers.iter().cloned().chain(scope).chain(token).collect()
    }

    /// The same request for the SDK, which dates it as we do.
    pub(crate) fn for_the_sdk(&self) -> Value {
        let id_in = |header| {
            self.scope
                .as_ref()
                .filter(|(name, _)| *name == header)
                .map(|(_, id)| id)
        };
        let parameter = |(name, values): &(String, Values)| match values {
            Values::Text(text) => json!([name, text]),
            Values::List(list) => json!([name, list]),
            Values::Flag(flag) => json!([name, flag]),
            Values::Number(number) => json!([name, number]),
        };
        let date = self.time.format("%Y%m%dT%H%M%SZ").to_string();
        let mut headers = self.headers.clone();
        headers.push(("X-Sdk-Date".to_owned(), date));
        json!({
            "who": {
                "ak": self.access_key_id, "sk": self.secret, "token": self.security_token,
                "project": id_in("X-Project-Id"), "domain": id_in("X-Domain-Id"),
            },
            "method": self.method, "host": self.host, "path": self.path,
            "query": self.parameters.iter().map(parameter).collect::<Vec<_>>(),
            "headers": headers.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
            "body": STANDARD.encode(&self.body),
        })
    }
}

/// Requests without end; the same ones for the same seed.
pub(crate) struct Requests(u64);

/// What is joined to texts. Behind a lone percent sign nothing here makes an escape that is no UTF-8.
const PIECES: [&str; 30] = [
    "clusters",
    "v3",
    "Z",
    "z",
    "0",
    "-",
    "_",
    ".",
    "~",
    " ",
    "+",
    "%",
    "%41",
    "%2F",
    "%2f",
    "%20",
    "%zz",
    "%+1",
    "%C3%A4",
    "ä",
    "漢字",
    "😀",
    "e\u{301}",
    "&",
    "=",
    "?#",
    "!*'()",
    ";:@,",
    "$[]\"",
    "\\|<>^`{}",
];
const CONTENT_TYPES: [&str; 5] = [
    "application/json",
    "application/json;charset=utf8",
    "application/bson",
    "text/plain",
    "multipart/form-data; boundary=x",
];

impl Requests {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The generator `SplitMix64`.
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % u64::try_from(end).unwrap()).unwrap()
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Up to five pieces, none of them perhaps.
    fn text(&mut self) -> String {
        let count = self.below(6);
        (0..count).map(|_| self.one_of(&PIECES)).collect()
    }

    /// So many letters and digits.
    fn word(&mut self, length: usize) -> String {
        const SIGNS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..length).map(|_| char::from(self.one_of(SIGNS))).collect()
    }

    fn path(&mut self) -> String {
        let count = self.below(7);
        let mut path = "/".to_owned();
        for _ in 0..count {
            path = path + &self.text() + self.one_of(&["/", "/", "/", "//", ""]);
        }
        path
    }

    fn parameters(&mut self) -> Vec<(String, Values)> {
        let mut parameters = Vec::new();
        for number in 0..self.below(5) {
            let name = self.text();
            match self.below(6) {
                0 => parameters.push((name + "-flag", Values::Flag(self.below(2) == 0))),
                1 => parameters.push((format!("{name}-number{number}"), Values::Number(self.number()))),
                2 => {
                    let count = self.below(4);
                    let list = (0..count).map(|_| self.text()).collect();
                    parameters.push((format!("{name}-list{number}"), Values::List(list)));
                }
                3 => {
                    for _ in 0..3 {
                        parameters.push((format!("{name}-text"), Values::Text(self.text())));
                    }
                }
                _ => parameters.push((format!("{name}-text"), Values::Text(self.text()))),
            }
        }
        parameters
    }

    fn headers(&mut self) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        if self.below(3) > 0 {
            headers.push(("Content-Type".to_owned(), self.one_of(&CONTENT_TYPES).to_owned()));
        }
        for number in 0..self.below(4) {
            let name = self.one_of(&["X-Language", "user-agent", "X_Dropped", "ACCEPT", "Z"]);
            let value = self.one_of(&["", " ", "  "]).to_owned() + &self.text() + self.one_of(&["", " "]);
            headers.push((format!("{name}{number}"), value));
        }
        headers
    }

    fn body(&mut self) -> Vec<u8> {
        match self.below(4) {
            0 => Vec::new(),
            1 => json!({"duration": self.below(1827), "name": self.text()})
                .to_string()
                .into_bytes(),
            2 => self.text().into_bytes(),
            _ => (0..self.below(300)).map(|_| self.number().to_le_bytes()[0]).collect(),
        }
    }
}

impl Iterator for Requests {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        let host = ["cce.eu-de.otc.t-systems.com", "127.0.0.1:8443", "[::1]:443"];
        let scope = ["", "X-Project-Id", "X-Domain-Id"];
        let scope = Some(self.one_of(&scope)).filter(|name| !name.is_empty());
        let seconds = i64::try_from(self.number() % 2_000_000_000).unwrap();
        Some(Request {
            access_key_id: self.word(20),
            secret: self.word(40),
            security_token: (self.below(2) == 0).then(|| {
                let length = 1 + self.below(2000);
                self.word(length) + "=="
            }),
            scope: scope.map(|name| (name, self.word(32))),
            method: self.one_of(&["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]),
            host: self.one_of(&host).to_owned(),
            path: self.path(),
            parameters: self.parameters(),
            headers: self.headers(),
            body: self.body(),
            time: DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds),
        })
    }
}
