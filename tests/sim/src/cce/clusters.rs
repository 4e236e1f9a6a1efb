//! `GET …/clusters` and `GET …/clusters/{id}`.

use serde_json::{Map, Value, json};

use crate::{
    answer::Answer,
    clock,
    cluster::Cluster,
    errors,
    spec::{ClusterSpec, EndpointsShape},
    world::{World, lock},
};

/// Every cluster of the project at once: there is no paging.
pub(super) fn list(world: &World, project_id: &str, autopilot: bool, query: &str) -> Answer {
    let mut status = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("status", value)) => status = Some(value),
            Some(("detail" | "type" | "version", _)) => {}
            _ => return errors::cce_invalid(&format!("unknown query parameter {pair}")),
        }
    }
    let clusters = lock(&world.clusters);
    let here = clusters
        .iter()
        .filter(|cluster| cluster.project_id == project_id)
        .filter(|cluster| cluster.spec.autopilot == autopilot || cluster.spec.in_both_lists)
        .filter(|cluster| status.is_none_or(|status| status == cluster.phase()));
    let items: Vec<_> = here.map(|cluster| to_json(cluster, autopilot)).collect();
    Answer::json(200, &json!({"kind": "Cluster", "apiVersion": "v3", "items": items}))
}

pub(super) fn get(cluster: &Cluster) -> Answer {
    Answer::json(200, &to_json(cluster, true))
}

/// `is_told`: an Autopilot cluster is described as one.
fn to_json(cluster: &Cluster, is_told: bool) -> Value {
    let spec = &cluster.spec;
    let created = clock::go_time(cluster.created);
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(spec.name));
    if spec.endpoints == EndpointsShape::HuaweiList {
        metadata.insert("alias".to_owned(), json!(spec.alias.as_ref().unwrap_or(&spec.name)));
    }
    metadata.insert("uid".to_owned(), json!(cluster.uid));
    metadata.insert("creationTimestamp".to_owned(), json!(created));
    metadata.insert("updateTimestamp".to_owned(), json!(created));
    let phase = cluster.phase();
    let mut status = Map::new();
    status.insert("phase".to_owned(), json!(phase));
    if phase == "Hibernation" {
        status.insert("reason".to_owned(), json!("hibernate"));
        status.insert("message".to_owned(), json!(""));
    }
    status.insert("endpoints".to_owned(), endpoints(cluster));
    json!({
        "kind": "Cluster",
        "apiVersion": "v3",
        "metadata": metadata,
        "spec": match spec.autopilot {
            true if is_told => autopilot_spec(spec),
            true => json!({"category": "Turbo", "version": spec.version}),
            false => standard_spec(spec),
        },
        "status": status,
    })
}

fn standard_spec(spec: &ClusterSpec) -> Value {
    json!({
        "category": spec.category,
        "type": "VirtualMachine",
        "flavor": "cce.s1.small",
        "version": spec.version,
        "platformVersion": spec.platform_version(),
        "hostNetwork": {
            "vpc": "f0c12911-4fdb-4284-9230-7ffb0860826a",
            "subnet": "ac274229-fd2e-4695-9f01-a0c1372b8006",
            "SecurityGroup": "5da0b181-e0a2-4981-87ac-1681545cd666",
        },
        "containerNetwork": {"mode": "overlay_l2", "cidr": "172.16.0.0/16"},
        "authentication": {"mode": spec.authentication_mode, "authenticatingProxy": {}},
        "billingMode": 0,
        "kubernetesSvcIpRange": "10.247.0.0/16",
        "kubeProxyMode": "iptables",
    })
}

/// A model of its own in the SDK: one flavor, one category, a network without addresses.
fn autopilot_spec(spec: &ClusterSpec) -> Value {
    json!({
        "category": "Turbo",
        "type": "VirtualMachine",
        "flavor": "cce.autopilot.cluster",
        "version": spec.version,
        "platformVersion": spec.platform_version(),
        "hostNetwork": {
            "vpc": "f0c12911-4fdb-4284-9230-7ffb0860826a",
            "subnet": "ac274229-fd2e-4695-9f01-a0c1372b8006",
        },
        "containerNetwork": {"mode": "eni"},
        "authentication": {"mode": spec.authentication_mode},
        "billingMode": 1,
        "kubernetesSvcIpRange": "10.247.0.0/16",
        "kubeProxyMode": "iptables",
    })
}

fn endpoints(cluster: &Cluster) -> Value {
    let internal = cluster.internal_url();
    let external = cluster.external_url();
    // The real one is `https://{uid}.cce.{region}…`; here every name must be a loopback address.
    let gateway = format!("https://{}:443", cluster.internal.ip());
    match cluster.spec.endpoints {
        EndpointsShape::HuaweiList => {
            let internal = json!({"url": internal, "type": "Internal"});
            let external = external.map(|url| json!({"url": url, "type": "External"}));
            Value::Array(std::iter::once(internal).chain(external).collect())
        }
        EndpointsShape::OtcObject => {
            json!({"internal": internal, "external": external.unwrap_or_default(), "external_otc": gateway})
        }
        EndpointsShape::OtcList => {
            let external = external.map(|url| json!({"External": url}));
            let endpoints = std::iter::once(json!({"Internal": internal})).chain(external);
            Value::Array(endpoints.chain([json!({"external_otc": gateway})]).collect())
        }
    }
}
