//! A cluster's Kubernetes API server: authenticates every request by client certificate, as kube-apiserver does, and answers what kubectl asks.
//!
//! There is no authorization beyond that: who is authenticated may do everything.

mod authentication;
mod discovery;
mod objects;
mod reviews;
mod streams;

use std::{future::Future, pin::Pin, sync::Arc};

use hyper::Method;
use serde_json::json;

use crate::{
    answer::{Answer, Outcome},
    clock,
    cluster::Cluster,
    gateway,
    records::ApiRecorded,
    server::{Answerer, Received, Transport},
    world::{World, lock},
};
use authentication::{Caller, User};

/// What answers for one cluster.
pub(crate) struct ApiServer {
    pub(crate) world: Arc<World>,
    pub(crate) cluster: Arc<Cluster>,
}

impl Answerer for ApiServer {
    fn transport(&self) -> Option<Transport> {
        if !self.cluster.has_api_server() {
            return None;
        }
        let certificate = self.world.behaviour().api_server_certificate;
        Some(Transport::Tls(self.cluster.tls(certificate, clock::real_now())))
    }

    fn answer(&self, received: Received) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(self.answer(received))
    }
}

impl ApiServer {
    async fn answer(&self, received: Received) -> Outcome {
        let shown = received.client_chain.first().and_then(crate::cluster::holder);
        let separator = if received.query.is_empty() { "" } else { "?" };
        let number = lock(&self.cluster.records).add(ApiRecorded {
            method: received.method.to_string(),
            path: format!("{}{separator}{}", received.path, received.query),
            user: String::new(),
            status: 0,
            certificate_serial: shown.map(|holder| holder.serial),
            at_ms: clock::real_now().timestamp_millis(),
        });
        let caller = authentication::authenticate(&self.cluster, &received, self.world.now());
        let user = caller.as_ref().map(Caller::name).unwrap_or_default().to_owned();
        lock(&self.cluster.records).update(number, |record| record.user = user);
        let fault = lock(&self.world.faults).take("api");
        let answer = match fault {
            None => self.act(caller, &received),
            Some(fault) => match gateway::with_fault(fault, || self.act(caller, &received)).await {
                Outcome::Answer(answer) => answer,
                Outcome::Reset => return Outcome::Reset,
            },
        };
        lock(&self.cluster.records).update(number, |record| record.status = answer.status);
        let date = clock::http_date(self.world.now());
        let audit_id = crate::pki::random_uuid();
        Outcome::Answer(answer.with_header("Date", &date).with_header("Audit-Id", &audit_id))
    }

    fn act(&self, caller: Option<Caller>, received: &Received) -> Answer {
        let segments: Vec<&str> = received.path.trim_start_matches('/').split('/').collect();
        match caller {
            None => status(401, "Unauthorized", "Unauthorized"),
            Some(Caller::Anonymous) => match discovery::public(&self.cluster, &received.method, &segments) {
                Some(answer) => answer,
                None => status(
                    403,
                    "Forbidden",
                    &forbidden_message(&received.method, &received.path, &segments),
                ),
            },
            Some(Caller::User(user)) => self.act_for(&user, received, &segments),
        }
    }

    fn act_for(&self, user: &User, received: &Received, segments: &[&str]) -> Answer {
        let behaviour = self.world.behaviour();
        let answer = discovery::public(&self.cluster, &received.method, segments)
            .or_else(|| discovery::answer(&behaviour, &received.method, segments))
            .or_else(|| reviews::answer(&behaviour, user, received, segments))
            .or_else(|| {
                let age = clock::real_now() - self.cluster.created;
                let flow = streams::Flow::new(&behaviour, user, self.world.now(), age);
                objects::answer(received, segments, flow)
            });
        answer.unwrap_or_else(|| match received.method {
            Method::GET | Method::POST => not_found(segments),
            _ => status(
                405,
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            ),
        })
    }
}

fn not_found(segments: &[&str]) -> Answer {
    match segments {
        ["api", "v1", "namespaces", _, kind, name] | ["api", "v1", kind, name] => {
            status(404, "NotFound", &format!("{kind} \"{name}\" not found"))
        }
        _ => status(404, "NotFound", "the server could not find the requested resource"),
    }
}

/// A `Status`, as the API server says no.
fn status(code: u16, reason: &str, message: &str) -> Answer {
    Answer::json(
        code,
        &json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code,
        }),
    )
}

/// The sentence kubectl shows to somebody who is nobody.
fn forbidden_message(method: &Method, path: &str, segments: &[&str]) -> String {
    let verb = match *method {
        Method::POST => "create",
        Method::DELETE => "delete",
        _ => "list",
    };
    let who = "User \"system:anonymous\" cannot";
    let (group, rest) = match segments {
        ["api", _, rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        _ => (*segments.first().unwrap_or(&""), [].as_slice()),
    };
    match rest {
        [] => format!("forbidden: {who} get path \"{path}\""),
        ["namespaces", namespace, kind, ..] => format!(
            "{kind} is forbidden: {who} {verb} resource \"{kind}\" in API group \"{group}\" in the namespace \"{namespace}\""
        ),
        [kind, ..] => {
            format!(
                "{kind} is forbidden: {who} {verb} resource \"{kind}\" in API group \"{group}\" at the cluster scope"
            )
        }
    }
}
