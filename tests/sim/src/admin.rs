//! Control over plain HTTP on loopback, for processes that cannot hold a [`Sim`]: the same calls, as JSON.

mod identities;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use hyper::Method;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{Behaviour, ClusterSpec, Fault, Sim, answer::Answer, server};

impl Sim {
    /// Serves control requests, JSON over plain HTTP, until the future is dropped; hands the address to `ready` first.
    ///
    /// | request | body | does |
    /// |---|---|---|
    /// | `GET /` | | endpoints, users, clusters |
    /// | `GET /requests`, `DELETE /requests` | | [`Sim::requests`], [`Sim::clear_requests`] |
    /// | `GET /count/{operation}` | | [`Sim::count`] |
    /// | `GET /clusters`, `POST /clusters` | [`ClusterSpec`] | [`Sim::clusters`], [`Sim::add_cluster`] |
    /// | `GET /clusters/{cluster}/requests` | | [`Sim::api_requests`] |
    /// | `DELETE /clusters/{cluster}` | | [`Sim::delete_cluster`] |
    /// | `POST /clusters/{cluster}/phase` | `{"phase": …}` | [`Sim::set_phase`] |
    /// | `POST /clusters/{cluster}/open` | `{"open": false}` | [`Sim::set_api_server_open`] |
    /// | `GET /behaviour`, `POST /behaviour` | the fields to change | [`Sim::behaviour`], [`Sim::set_behaviour`] |
    /// | `POST /faults` | `{"operation": …, "fault": …, "times": 2}` | [`Sim::set_fault`], with `times` [`Sim::add_fault`] |
    /// | `DELETE /faults` | | [`Sim::clear_faults`] |
    /// | `POST /revoke` | `{"cluster": …, "user": …}` | [`Sim::revoke`] |
    /// | `POST /rotate` | `{"cluster": …}` | [`Sim::rotate`] |
    /// | `POST /temporary-access-keys` | `{"user": …}` | [`Sim::temporary_access_key`] |
    /// | `DELETE /temporary-access-keys` | | [`Sim::expire_temporary_access_keys`] |
    /// | `POST /accounts` | `{"name": …}` | [`Sim::add_account`] |
    /// | `POST /users` | [`UserSpec`](crate::UserSpec) | [`Sim::create_user`] |
    /// | `POST /users/{user}/password` | `{"password": …}` | [`Sim::set_password`] |
    /// | `POST /users/{user}/totp` | `{"secret": …}` | [`Sim::set_totp`] |
    /// | `POST /users/{user}/enabled` | `{"enabled": false}` | [`Sim::set_enabled`] |
    /// | `GET /users/{user}/passcode` | | [`Sim::passcode`] |
    /// | `POST /agencies` | [`AgencySpec`](crate::AgencySpec) | [`Sim::add_agency`] |
    /// | `POST /agencies/{agency}/refused` | `{"refused": true}` | [`Sim::set_agency_refused`] |
    /// | `POST /identity-providers` | [`ProviderSpec`](crate::ProviderSpec) | [`Sim::add_identity_provider`] |
    /// | `POST /id-tokens` | [`IdTokenSpec`](crate::IdTokenSpec) | [`Sim::id_token`] |
    /// | `POST /tokens` | `{"user": …, "project": …}` | [`Sim::token`] |
    /// | `DELETE /tokens` | | [`Sim::revoke_all_tokens`] |
    /// | `POST /ecs-agency`, `POST /pod-agency` | `{"agency": …}` | [`Sim::set_ecs_agency`], [`Sim::set_pod_agency`] |
    /// | `GET /pod-token` | | [`Sim::pod_authorization_token`] |
    ///
    /// What is wrong with a request is said in `error` of a 400.
    ///
    /// # Errors
    ///
    /// If no loopback port can be had.
    pub async fn serve_admin(self: Arc<Self>, ready: impl FnOnce(SocketAddr)) -> std::io::Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        ready(listener.local_addr()?);
        server::serve_plain(listener, move |method, path, body| {
            let attempt = answer(&self, &method, &path, &body);
            attempt.unwrap_or_else(|message| Answer::json(400, &json!({"error": message})))
        })
        .await;
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderedFault {
    #[serde(default = "any")]
    operation: String,
    fault: Fault,
    times: Option<u32>,
}

fn any() -> String {
    "*".to_owned()
}

fn answer(sim: &Sim, method: &Method, path: &str, body: &Bytes) -> Result<Answer, String> {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let done = json!({});
    let value = match (method.as_str(), segments.as_slice()) {
        ("GET", [""]) => overview(sim),
        ("GET", ["requests"]) => to_json(&sim.requests())?,
        ("DELETE", ["requests"]) => {
            sim.clear_requests();
            done
        }
        ("GET", ["count", operation]) => json!({"count": sim.count(operation)}),
        ("GET", ["clusters"]) => to_json(&sim.clusters())?,
        ("POST", ["clusters"]) => {
            let spec: ClusterSpec = from_json(body)?;
            known_project(sim, &spec.project)?;
            json!({"uid": sim.add_cluster(spec)})
        }
        ("GET" | "POST" | "DELETE", ["clusters", cluster, rest @ ..]) => {
            known_cluster(sim, cluster)?;
            of_cluster(sim, method, cluster, rest, body)?
        }
        ("GET", ["behaviour"]) => to_json(&sim.behaviour())?,
        ("POST", ["behaviour"]) => change_behaviour(sim, body)?,
        ("POST", ["faults"]) => {
            let ordered: OrderedFault = from_json(body)?;
            match ordered.times {
                None => sim.set_fault(&ordered.operation, ordered.fault),
                Some(times) => sim.add_fault(&ordered.operation, ordered.fault, times),
            }
            done
        }
        ("DELETE", ["faults"]) => {
            sim.clear_faults();
            done
        }
        ("POST", ["revoke"]) => {
            let (cluster, user) = (field(body, "cluster")?, field(body, "user")?);
            known_cluster(sim, &cluster)?;
            known_user(sim, &user)?;
            sim.revoke(&cluster, &user);
            done
        }
        ("POST", ["rotate"]) => {
            let cluster = field(body, "cluster")?;
            known_cluster(sim, &cluster)?;
            sim.rotate(&cluster);
            done
        }
        ("POST", ["temporary-access-keys"]) => {
            let user = field(body, "user")?;
            known_user(sim, &user)?;
            to_json(&sim.temporary_access_key(&user))?
        }
        _ => {
            let value = identities::answer(sim, method, &segments, body)?;
            value.ok_or_else(|| format!("unknown request {method} {path}"))?
        }
    };
    Ok(Answer::json(200, &value))
}

fn of_cluster(sim: &Sim, method: &Method, cluster: &str, rest: &[&str], body: &Bytes) -> Result<Value, String> {
    match (method.as_str(), rest) {
        ("GET", []) => return to_json(&sim.cluster(cluster)),
        ("GET", ["requests"]) => return to_json(&sim.api_requests(cluster)),
        ("DELETE", []) => sim.delete_cluster(cluster),
        ("POST", ["phase"]) => sim.set_phase(cluster, &field(body, "phase")?),
        ("POST", ["open"]) => {
            let sent: Value = from_json(body)?;
            let is_open = sent["open"].as_bool().ok_or("no `open`")?;
            sim.set_api_server_open(cluster, is_open);
        }
        _ => return Err(format!("unknown request {method} for cluster {cluster}")),
    }
    Ok(json!({}))
}

fn overview(sim: &Sim) -> Value {
    let users = ["alice", "bob", "carol"].map(|user| {
        let key = sim.access_key(user);
        json!({"name": user, "id": sim.user_id(user), "access_key": key})
    });
    json!({
        "iam_endpoint": sim.iam_endpoint(), "cce_endpoint": sim.cce_endpoint(), "sts_endpoint": sim.sts_endpoint(),
        "metadata_endpoint": sim.metadata_endpoint(), "pod_credentials_uri": sim.pod_credentials_uri(),
        "actions_request_url": sim.actions_request_url(), "actions_request_token": sim.actions_request_token(),
        "region": sim.region(),
        "project_id": sim.project_id(sim.region()), "ca": sim.ca_pem(), "users": users, "clusters": sim.clusters(),
    })
}

fn change_behaviour(sim: &Sim, body: &Bytes) -> Result<Value, String> {
    let changes: serde_json::Map<String, Value> = from_json(body)?;
    let mut fields = to_json(&sim.behaviour())?;
    for (name, value) in changes {
        fields[name] = value;
    }
    let new: Behaviour = serde_json::from_value(fields).map_err(|error| error.to_string())?;
    sim.set_behaviour(|behaviour| *behaviour = new);
    to_json(&sim.behaviour())
}

fn known_cluster(sim: &Sim, name_or_uid: &str) -> Result<(), String> {
    let found = sim.has_cluster(name_or_uid);
    found
        .then_some(())
        .ok_or_else(|| format!("unknown cluster {name_or_uid}"))
}

fn known_project(sim: &Sim, name_or_id: &str) -> Result<(), String> {
    let found = sim.has_project(name_or_id);
    found
        .then_some(())
        .ok_or_else(|| format!("unknown project {name_or_id}"))
}

fn known_user(sim: &Sim, name_or_id: &str) -> Result<(), String> {
    let found = sim.has_user(name_or_id);
    found.then_some(()).ok_or_else(|| format!("unknown user {name_or_id}"))
}

fn field(body: &Bytes, name: &str) -> Result<String, String> {
    let sent: Value = from_json(body)?;
    sent[name]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| format!("no `{name}`"))
}

fn from_json<T: DeserializeOwned>(body: &Bytes) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn to_json(value: &impl serde::Serialize) -> Result<Value, String> {
    serde_json::to_value(value).map_err(|error| error.to_string())
}
