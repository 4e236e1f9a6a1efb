//! The official Python SDK beside us: what it signs is what we sign.

use super::process::Running;
use super::sdk_requests::{Request, Requests};
use cce_login::secret::Secret;
use cce_login::signing::canonical_request::query_string;
use cce_login::signing::{SignableRequest, SigningKey, modern};
use serde_json::Value;
use std::process::Command;

/// How many requests both sign.
const COUNT: usize = 500;
/// Repeats a run: the seed that a failure names.
const SEED: &str = "SDK_SEED";

/// Asks the SDK, all in one process.
fn ask(doing: &str, items: &[Value]) -> Vec<Value> {
    let python = std::env::var_os("PYTHON_SDK").unwrap_or_else(|| panic!("PYTHON_SDK is not set: run tests/run"));
    let mut command = Command::new(python);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/system/sdk/sdk.py");
    command.args([script, doing]).env_clear();
    let output = Running::start(command, Some(&Value::from(items).to_string())).finish();
    let output = output.succeeded();
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn our_signatures_and_those_of_the_sdk_are_the_same() {
    let given = std::env::var(SEED).ok().map(|text| text.parse().unwrap());
    let seed = given.unwrap_or_else(cce_login::host::random_u64);
    let requests: Vec<_> = Requests::new(seed).take(COUNT).collect();
    let asked: Vec<Value> = requests.iter().map(Request::for_the_sdk).collect();
    let answers = ask("sign", &asked);
    assert_eq!(answers.len(), COUNT);
    for (request, answer) in requests.iter().zip(&answers) {
        let secret = Secret::new(request.secret.clone());
        let key = SigningKey {
            id: &request.access_key_id,
            secret: &secret,
        };
        let query = request.query();
        let headers = request.all_headers();
        let signable = SignableRequest {
            method: request.method,
            host: &request.host,
            path: &request.path,
            query: &query,
            headers: &headers,
            body: &request.body,
        };
        let signature = modern::sign(&signable, &key, request.time);
        let again = format!("{SEED}={seed} repeats this");
        assert_eq!(
            Value::from(signature.authorization),
            answer["authorization"],
            "{again}: {request:#?}\n{}",
            signature.canonical_request
        );
        let query = query_string(&query);
        let mark = if query.is_empty() { "" } else { "?" };
        assert_eq!(
            Value::from(format!("{}{mark}{query}", request.path)),
            answer["uri"],
            "{again}: {request:#?}"
        );
    }
}
