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

#[test]
fn users_and_agencies_are_made_from_outside_too() {
    let program = Program::start(&[]);
    assert!(program.lines["CCE_SIM_METADATA_ENDPOINT"].starts_with("http://127.0.0.1:"));
    let user = json!({"name": "erin", "password": "secret", "totp_secret": "JBSWY3DPEHPK3PXP"});
    let (status, made) = program.admin("POST", "/users", &user);
    assert_eq!((status, made["id"].as_str().unwrap().len()), (200, 32));
    let (_, passcode) = program.admin("GET", "/users/erin/passcode", &Value::Null);
    assert_eq!(passcode["passcode"].as_str().unwrap().len(), 6);
    let (status, _) = program.admin("GET", "/users/alice/passcode", &Value::Null);
    assert_eq!(status, 400);
    let (_, agency) = program.admin("POST", "/agencies", &json!({"name": "operators"}));
    assert!(agency["urn"].as_str().unwrap().ends_with(":agency:operators"));
    let unknown = json!({"name": "others", "account": "nobody's"});
    assert_eq!(program.admin("POST", "/agencies", &unknown).0, 400);
    let (status, _) = program.admin("POST", "/ecs-agency", &json!({"agency": "operators"}));
    assert_eq!(status, 200);
    let (_, token) = program.admin("POST", "/tokens", &json!({"user": "erin", "project": "cn-north-4"}));
    assert!(token["token"].as_str().unwrap().starts_with("MII"));
    let (_, id_token) = program.admin("POST", "/id-tokens", &json!({"lifetime": 60}));
    assert_eq!(id_token["id_token"].as_str().unwrap().split('.').count(), 3);
    assert!(program.end());
}
