//! The program on its own: what it prints, how it is controlled, that it ends.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, ChildStdin, Command, Stdio},
};

use serde_json::{Value, json};

/// A running program; it ends when its stdin closes.
struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: HashMap<String, String>,
}

impl Program {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cce-sim"))
            .arg("--until-stdin-closes")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let mut lines = HashMap::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let (name, value) = line.as_ref().unwrap().split_once('=').unwrap();
            lines.insert(name.to_owned(), value.to_owned());
            if name == "HUAWEICLOUD_SDK_SK" {
                break;
            }
        }
        Self { child, stdin, lines }
    }

    fn admin(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let address = self.lines["CCE_SIM_ADMIN"].replace("http://", "");
        let body = body.to_string();
        let mut stream = TcpStream::connect(&address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    fn end(mut self) -> bool {
        drop(self.stdin.take());
        self.child.wait().unwrap().success()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_says_where_everything_is_and_ends_with_its_stdin() {
    let program = Program::start(&["--clusters", "2"]);
    let ca_file = std::path::PathBuf::from(&program.lines["CCE_SIM_CA_FILE"]);
    assert!(std::fs::read_to_string(&ca_file).unwrap().contains("BEGIN CERTIFICATE"));
    let (_, overview) = program.admin("GET", "/", &Value::Null);
    assert_eq!(overview["clusters"][1]["name"], "prod-2");
    assert_eq!(
        overview["clusters"][0]["uid"],
        program.lines["CCE_SIM_CLUSTER_ID"].as_str()
    );
    assert_eq!(
        overview["users"][0]["access_key"]["id"],
        program.lines["HUAWEICLOUD_SDK_AK"].as_str()
    );
    assert!(program.end());
    assert!(!ca_file.exists());
}

#[test]
fn it_is_controlled_over_http() {
    let program = Program::start(&["--seconds-lifetime", "7"]);
    let done = |method: &str, path: &str, body: Value| {
        let (status, value) = program.admin(method, path, &body);
        assert_eq!(status, 200, "{method} {path}: {value}");
        value
    };
    assert_eq!(done("GET", "/behaviour", Value::Null)["certificate_lifetime"], 7);
    let changed = done(
        "POST",
        "/behaviour",
        json!({"clock_offset": 60, "job_outcome": {"failed": "x"}}),
    );
    assert_eq!(
        (&changed["clock_offset"], &changed["certificate_lifetime"]),
        (&json!(60), &json!(7))
    );
    done(
        "POST",
        "/faults",
        json!({"operation": "clustercert", "fault": {"throttle": {}}, "times": 1}),
    );
    done("POST", "/faults", json!({"fault": {"latency": 5}}));
    done("POST", "/faults", json!({"fault": {"status": {"code": 500}}}));
    done("DELETE", "/faults", Value::Null);
    done(
        "POST",
        "/clusters",
        json!({"name": "more", "endpoints": "otc_object", "key_format": "sec1"}),
    );
    done("POST", "/clusters/more/phase", json!({"phase": "Hibernation"}));
    done("POST", "/clusters/more/open", json!({"open": false}));
    done("POST", "/revoke", json!({"cluster": "more", "user": "alice"}));
    done("POST", "/rotate", json!({"cluster": "more"}));
    assert!(done("POST", "/temporary-access-keys", json!({"user": "bob"}))["security_token"].is_string());
    assert_eq!(done("GET", "/count/clustercert", Value::Null), json!({"count": 0}));
    assert_eq!(done("GET", "/clusters/more/requests", Value::Null), json!([]));
    done("DELETE", "/requests", Value::Null);
    done("DELETE", "/clusters/more", Value::Null);
    for (path, body) in [
        ("/revoke", json!({"cluster": "more", "user": "alice"})),
        ("/revoke", json!({"cluster": "prod", "user": "nobody"})),
        ("/clusters", json!({"project": "nowhere"})),
        ("/behaviour", json!({"unknown": 1})),
        ("/behaviour", json!([])),
        ("/faults", json!({"fault": "unknown"})),
        ("/nothing", json!({})),
    ] {
        let (status, value) = program.admin("POST", path, &body);
        assert!(status == 400 && value["error"].is_string(), "{path}: {value}");
    }
    assert!(program.end());
}
