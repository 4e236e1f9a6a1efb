//! A kubeconfig's types, as kubectl decodes them: one wrong type in anybody's entry, and it reads nothing of the file.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

/// A type of client-go's `clientcmd/api/v1`. Null fits each of them.
enum Shape {
    Text,
    Flag,
    /// Text in base64.
    Data,
    Anything,
    List(&'static Shape),
    /// A mapping of any keys.
    Map(&'static Shape),
    /// A mapping whose other keys do not matter.
    Fields(&'static [(&'static str, Shape)]),
}

const EXTENSIONS: Shape = Shape::List(&Shape::Fields(&[("name", Shape::Text), ("extension", Shape::Anything)]));

const CLUSTER: Shape = Shape::Fields(&[
    ("server", Shape::Text),
    ("tls-server-name", Shape::Text),
    ("insecure-skip-tls-verify", Shape::Flag),
    ("certificate-authority", Shape::Text),
    ("certificate-authority-data", Shape::Data),
    ("proxy-url", Shape::Text),
    ("disable-compression", Shape::Flag),
    ("extensions", EXTENSIONS),
]);

const CONTEXT: Shape = Shape::Fields(&[
    ("cluster", Shape::Text),
    ("user", Shape::Text),
    ("namespace", Shape::Text),
    ("extensions", EXTENSIONS),
]);

const EXEC: Shape = Shape::Fields(&[
    ("command", Shape::Text),
    ("args", Shape::List(&Shape::Text)),
    (
        "env",
        Shape::List(&Shape::Fields(&[("name", Shape::Text), ("value", Shape::Text)])),
    ),
    ("apiVersion", Shape::Text),
    ("installHint", Shape::Text),
    ("provideClusterInfo", Shape::Flag),
    ("interactiveMode", Shape::Text),
]);

const USER: Shape = Shape::Fields(&[
    ("client-certificate", Shape::Text),
    ("client-certificate-data", Shape::Data),
    ("client-key", Shape::Text),
    ("client-key-data", Shape::Data),
    ("token", Shape::Text),
    ("tokenFile", Shape::Text),
    ("as", Shape::Text),
    ("as-uid", Shape::Text),
    ("as-groups", Shape::List(&Shape::Text)),
    ("as-user-extra", Shape::Map(&Shape::List(&Shape::Text))),
    ("username", Shape::Text),
    ("password", Shape::Text),
    (
        "auth-provider",
        Shape::Fields(&[("name", Shape::Text), ("config", Shape::Map(&Shape::Text))]),
    ),
    ("exec", EXEC),
    ("extensions", EXTENSIONS),
]);

const CONFIG: Shape = Shape::Fields(&[
    ("kind", Shape::Text),
    ("apiVersion", Shape::Text),
    (
        "preferences",
        Shape::Fields(&[("colors", Shape::Flag), ("extensions", EXTENSIONS)]),
    ),
    (
        "clusters",
        Shape::List(&Shape::Fields(&[("name", Shape::Text), ("cluster", CLUSTER)])),
    ),
    (
        "users",
        Shape::List(&Shape::Fields(&[("name", Shape::Text), ("user", USER)])),
    ),
    (
        "contexts",
        Shape::List(&Shape::Fields(&[("name", Shape::Text), ("context", CONTEXT)])),
    ),
    ("current-context", Shape::Text),
    ("extensions", EXTENSIONS),
]);

/// The first value of a file that kubectl cannot decode: where it is, and what it is. Values are not quoted: one may be a secret.
pub(super) fn first_misfit(config: &Value) -> Option<(String, &'static str)> {
    misfit(config, &CONFIG, String::new()).or_else(|| {
        let is = |key: &str, expected: &str| match config.get(key).and_then(Value::as_str) {
            None | Some("") => true,
            Some(said) => said == expected,
        };
        if !is("apiVersion", "v1") {
            Some(("apiVersion".to_owned(), "is not `v1`"))
        } else if !is("kind", "Config") {
            Some(("kind".to_owned(), "is not `Config`"))
        } else {
            None
        }
    })
}

fn misfit(value: &Value, shape: &Shape, at: String) -> Option<(String, &'static str)> {
    let below = |key: &str| match at.as_str() {
        "" => key.to_owned(),
        at => format!("{at}.{key}"),
    };
    match (shape, value) {
        (Shape::Data, Value::String(text)) if !is_base64(text) => Some((at, "is not base64")),
        (Shape::Text | Shape::Data, Value::Number(_)) => Some((at, "is a number and must be text: quote it")),
        (Shape::Text | Shape::Data, Value::Bool(_)) => Some((at, "is `true` or `false` and must be text: quote it")),
        (Shape::Anything, _)
        | (_, Value::Null)
        | (Shape::Text | Shape::Data, Value::String(_))
        | (Shape::Flag, Value::Bool(_)) => None,
        (Shape::Text | Shape::Data, _) => Some((at, "must be text")),
        (Shape::Flag, _) => Some((at, "must be `true` or `false`")),
        (Shape::List(shape), Value::Array(items)) => items.iter().enumerate().find_map(|(number, item)| {
            let name = item.get("name").and_then(Value::as_str);
            let place = name.map_or_else(|| (number + 1).to_string(), str::to_owned);
            misfit(item, shape, format!("{at}[{place}]"))
        }),
        (Shape::List(_), _) => Some((at, "must be a list")),
        (Shape::Map(shape), Value::Object(map)) => map.iter().find_map(|(key, value)| misfit(value, shape, below(key))),
        (Shape::Fields(fields), Value::Object(map)) => fields
            .iter()
            .find_map(|(key, shape)| misfit(map.get(*key)?, shape, below(key))),
        (Shape::Map(_) | Shape::Fields(_), _) => Some((at, "must be a mapping")),
    }
}

/// As Go reads it: line breaks do not count, everything else must fit.
fn is_base64(text: &str) -> bool {
    const GO: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
    );
    let joined: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    GO.decode(joined).is_ok()
}
