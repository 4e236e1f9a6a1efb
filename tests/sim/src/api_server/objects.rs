//! Namespaces and pods: lists, single objects, the table form that kubectl prints, and their streams.

use hyper::Method;
use serde_json::{Value, json};

use super::streams;
use crate::{answer::Answer, server::Received};

const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];
const PODS: [(&str, &str); 3] = [("default", "web-0"), ("default", "web-1"), ("kube-system", "coredns-0")];
const CREATED: &str = "2026-01-15T09:30:00Z";

#[derive(Clone, Copy)]
enum Kind {
    Namespace,
    Pod,
}

/// `None`: there is no such object.
pub(super) fn answer(received: &Received, segments: &[&str], flow: streams::Flow) -> Option<Answer> {
    if received.method != Method::GET {
        return None;
    }
    let ["api", "v1", rest @ ..] = segments else {
        return None;
    };
    match rest {
        ["namespaces"] => Some(collection(received, Kind::Namespace, namespaces(), flow)),
        ["namespaces", name] => single(received, Kind::Namespace, namespaces(), name),
        ["pods"] => Some(collection(received, Kind::Pod, pods(None), flow)),
        ["namespaces", namespace, "pods"] => Some(collection(received, Kind::Pod, pods(Some(namespace)), flow)),
        ["namespaces", namespace, "pods", name] => single(received, Kind::Pod, pods(Some(namespace)), name),
        ["namespaces", namespace, "pods", name, "log"] => {
            pods(Some(namespace))
                .iter()
                .find(|pod| pod["metadata"]["name"] == *name)?;
            let follows = parameter(&received.query, "follow").is_some_and(is_true);
            Some(streams::log(name, follows, flow))
        }
        _ => None,
    }
}

fn collection(received: &Received, kind: Kind, mut objects: Vec<Value>, flow: streams::Flow) -> Answer {
    if let Some(selector) = parameter(&received.query, "fieldSelector") {
        let name = selector
            .trim_start_matches("metadata.name%3D")
            .trim_start_matches("metadata.name=");
        objects.retain(|object| object["metadata"]["name"] == name);
    }
    let is_table = wants_table(received);
    if parameter(&received.query, "watch").is_some_and(is_true) {
        let present = |object: &Value| {
            if is_table {
                table(kind, std::slice::from_ref(object))
            } else {
                object.clone()
            }
        };
        // A watch from a known version tells only what is new since then.
        let version = parameter(&received.query, "resourceVersion").and_then(|version| version.parse().ok());
        let known = version.filter(|version| *version != 0);
        let initial: Vec<_> = objects.iter().filter(|_| known.is_none()).map(present).collect();
        let changing = objects.first().map(move |object| (object.clone(), is_table, kind));
        return streams::watch(&initial, known, flow, move |version| {
            let (object, is_table, kind) = changing.as_ref()?;
            let mut object = object.clone();
            object["metadata"]["resourceVersion"] = json!(version.to_string());
            Some(if *is_table { table(*kind, &[object]) } else { object })
        });
    }
    let version = flow.version().to_string();
    if is_table {
        let mut table = table(kind, &objects);
        table["metadata"]["resourceVersion"] = json!(version);
        return Answer::json(200, &table);
    }
    let list = match kind {
        Kind::Namespace => "NamespaceList",
        Kind::Pod => "PodList",
    };
    Answer::json(
        200,
        &json!({"kind": list, "apiVersion": "v1", "metadata": {"resourceVersion": version}, "items": objects}),
    )
}

fn single(received: &Received, kind: Kind, objects: Vec<Value>, name: &str) -> Option<Answer> {
    let object = objects.into_iter().find(|object| object["metadata"]["name"] == name)?;
    let body = if wants_table(received) {
        table(kind, &[object])
    } else {
        object
    };
    Some(Answer::json(200, &body))
}

fn namespaces() -> Vec<Value> {
    NAMESPACES
        .iter()
        .map(|name| {
            json!({
                "kind": "Namespace", "apiVersion": "v1",
                "metadata": {"name": name, "uid": uid(name), "resourceVersion": "1000", "creationTimestamp": CREATED},
                "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
            })
        })
        .collect()
}

fn pods(namespace: Option<&str>) -> Vec<Value> {
    PODS.iter()
        .filter(|(of, _)| namespace.is_none_or(|namespace| namespace == *of))
        .map(|(namespace, name)| {
            json!({
                "kind": "Pod", "apiVersion": "v1",
                "metadata": {"name": name, "namespace": namespace, "uid": uid(name), "resourceVersion": "1000", "creationTimestamp": CREATED},
                "spec": {"containers": [{"name": "main", "image": "example/web:1"}], "nodeName": "node-1"},
                "status": {"phase": "Running", "containerStatuses": [{
                    "name": "main", "image": "example/web:1", "imageID": "", "ready": true, "restartCount": 0, "state": {"running": {"startedAt": CREATED}},
                }]},
            })
        })
        .collect()
}

/// The same uid for the same name.
fn uid(name: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, name.as_bytes());
    let digits = crate::pki::hex(digest.as_ref());
    format!("00000000-0000-4000-8000-{}", digits.get(..12).unwrap_or_default())
}

fn table(kind: Kind, objects: &[Value]) -> Value {
    let columns: &[(&str, &str)] = match kind {
        Kind::Namespace => &[("Name", "name"), ("Status", ""), ("Age", "")],
        Kind::Pod => &[
            ("Name", "name"),
            ("Ready", ""),
            ("Status", ""),
            ("Restarts", ""),
            ("Age", ""),
        ],
    };
    let columns: Vec<_> = columns
        .iter()
        .map(|(name, format)| json!({"name": name, "type": "string", "format": format, "description": "", "priority": 0}))
        .collect();
    let rows: Vec<_> = objects
        .iter()
        .map(|object| {
            let cells = match kind {
                Kind::Namespace => json!([object["metadata"]["name"], "Active", "1d"]),
                Kind::Pod => json!([object["metadata"]["name"], "1/1", "Running", "0", "1d"]),
            };
            json!({"cells": cells, "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]}})
        })
        .collect();
    let version = objects
        .first()
        .map_or(json!("1000"), |object| object["metadata"]["resourceVersion"].clone());
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": version},
        "columnDefinitions": columns, "rows": rows,
    })
}

fn wants_table(received: &Received) -> bool {
    received
        .header("accept")
        .is_some_and(|accept| accept.contains("as=Table") && accept.contains("v=v1;"))
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn is_true(value: &str) -> bool {
    matches!(value, "true" | "1")
}
