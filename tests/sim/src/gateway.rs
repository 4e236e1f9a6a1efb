//! What stands before every service: records every request, applies faults, checks who is asking (or lets the service do it), stamps the answer.

use std::{future::Future, pin::Pin, sync::Arc};

use hyper::Method;
use tokio_rustls::rustls::ServerConfig;

use crate::{
    actions,
    answer::{Answer, Outcome},
    behaviour::MetadataMode,
    cce, clock, errors,
    faults::Fault,
    iam, identity_center, metadata, pki, pod_identity, principal, provider,
    records::Recorded,
    server::{Answerer, Received, Transport},
    signature, sts,
    world::{World, lock},
};

/// A service behind a gateway of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Iam,
    Cce,
    Sts,
    /// Where people's clients register and poll.
    IdentityCenterOidc,
    /// What the portal's own pages call.
    IdentityCenterPortal,
    /// A company's identity provider; not the cloud's.
    Provider,
    /// Of an ECS, plain HTTP.
    Metadata,
    /// Of a node, plain HTTP.
    PodIdentity,
    /// The id tokens of GitHub Actions; plain HTTP here, where there is nothing but loopback.
    Actions,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::Cce => "cce",
            Self::Sts => "sts",
            Self::IdentityCenterOidc => "identity_center_oidc",
            Self::IdentityCenterPortal => "identity_center_portal",
            Self::Provider => "provider",
            Self::Metadata => "metadata",
            Self::PodIdentity => "pod_identity",
            Self::Actions => "actions",
        }
    }
}

/// A known API.
pub(crate) enum Route {
    Iam(iam::Operation),
    Cce(cce::Call),
    Sts(sts::Operation),
    IdentityCenter(identity_center::Operation),
    Provider(provider::Operation),
    Metadata(metadata::Operation),
    PodCredentials,
    ActionsIdToken,
}

impl Route {
    fn new(service: Service, method: &Method, path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        match service {
            Service::Iam => iam::Operation::new(method, &segments).map(Self::Iam),
            Service::Cce => cce::Call::new(method, &segments).map(Self::Cce),
            Service::Sts => sts::Operation::new(method, &segments).map(Self::Sts),
            Service::IdentityCenterOidc => {
                identity_center::Operation::of_oidc(method, &segments).map(Self::IdentityCenter)
            }
            Service::IdentityCenterPortal => {
                identity_center::Operation::of_portal(method, &segments).map(Self::IdentityCenter)
            }
            Service::Provider => provider::Operation::new(method, &segments).map(Self::Provider),
            Service::Metadata => metadata::Operation::new(method, &segments).map(Self::Metadata),
            Service::PodIdentity => pod_identity::is_meant(method, path).then_some(Self::PodCredentials),
            Service::Actions => actions::is_meant(method, path).then_some(Self::ActionsIdToken),
        }
    }

    fn operation(&self) -> &'static str {
        match self {
            Self::Iam(operation) => operation.name(),
            Self::Cce(call) => call.operation.name(),
            Self::Sts(operation) => operation.name(),
            Self::IdentityCenter(operation) => operation.name(),
            Self::Provider(operation) => operation.name(),
            Self::Metadata(operation) => operation.name(),
            Self::PodCredentials => "pod_credentials",
            Self::ActionsIdToken => "actions_id_token",
        }
    }
}

/// One service's gateway.
pub(crate) struct Gateway {
    pub(crate) world: Arc<World>,
    pub(crate) service: Service,
    /// None: plain HTTP.
    pub(crate) tls: Option<Arc<ServerConfig>>,
}

impl Answerer for Gateway {
    fn transport(&self) -> Option<Transport> {
        Some(self.tls.clone().map_or(Transport::Plain, Transport::Tls))
    }

    fn answer(&self, received: Received) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(self.answer(received))
    }
}

impl Gateway {
    async fn answer(&self, received: Received) -> Outcome {
        let route = Route::new(self.service, &received.method, &received.path);
        let operation = route.as_ref().map_or("unknown", Route::operation);
        let number = lock(&self.world.records).add(self.record(operation, &received));
        if self.service == Service::Metadata && self.world.behaviour().metadata == MetadataMode::Hangs {
            std::future::pending::<()>().await;
        }
        let fault = lock(&self.world.faults).take(operation);
        let answer = match fault {
            None => self.act(route, &received),
            Some(fault) => match with_fault(fault, || self.act(route, &received)).await {
                Outcome::Answer(answer) => answer,
                Outcome::Reset => return Outcome::Reset,
            },
        };
        lock(&self.world.records).update(number, |record| record.status = answer.status);
        let date = clock::http_date(self.world.now());
        Outcome::Answer(
            answer
                .with_header("Date", &date)
                .with_header("X-Request-Id", &pki::random_id()),
        )
    }

    fn act(&self, route: Option<Route>, received: &Received) -> Answer {
        let world = &self.world;
        match route {
            Some(Route::Iam(operation)) => iam::answer(world, operation, received),
            Some(Route::Cce(call)) => match principal::establish(world, self.service, received) {
                Ok(principal) => cce::answer(world, &principal, &call, received),
                Err(answer) => answer,
            },
            Some(Route::Sts(operation)) => sts::answer(world, operation, received),
            Some(Route::IdentityCenter(operation)) => identity_center::answer(world, operation, received),
            Some(Route::Provider(operation)) => provider::answer(world, operation, received),
            Some(Route::Metadata(operation)) => metadata::answer(world, operation, received),
            Some(Route::PodCredentials) => pod_identity::answer(world, received),
            Some(Route::ActionsIdToken) => actions::answer(world, received),
            None if self.tls.is_none() => Answer::new(404, "text/plain", "404 Not Found"),
            None => errors::no_such_api(),
        }
    }

    fn record(&self, operation: &str, received: &Received) -> Recorded {
        let headers = received.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.as_str().to_owned(), value.into_owned())
        });
        Recorded {
            service: self.service.name().to_owned(),
            operation: operation.to_owned(),
            method: received.method.to_string(),
            path: received.path.clone(),
            query: received.query.clone(),
            status: 0,
            access_key_id: signature::claimed_access_key_id(&received.headers).map(str::to_owned),
            headers: headers.collect(),
            body: String::from_utf8_lossy(&received.body).into_owned(),
            at_ms: clock::real_now().timestamp_millis(),
        }
    }
}

/// What the fault makes of a request that `act` would answer.
pub(crate) async fn with_fault(fault: Fault, act: impl FnOnce() -> Answer) -> Outcome {
    let answer = match fault {
        Fault::Latency(latency) => {
            tokio::time::sleep(latency).await;
            act()
        }
        Fault::Status { code, body, headers } => {
            let named = headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
            let mut answer = if named {
                Answer::empty(code)
            } else {
                Answer::new(code, "application/json", "")
            };
            answer.body = crate::answer::Content::Whole(body.into());
            answer.headers.extend(headers);
            answer
        }
        Fault::Throttle { retry_after } => {
            let answer = errors::throttled(10);
            match retry_after {
                Some(value) => answer.with_header("Retry-After", &value),
                None => answer,
            }
        }
        Fault::Truncate { at } => act().cut(at),
        Fault::Malformed(body) => Answer::new(200, "application/json", body),
        Fault::Html => Answer::new(
            200,
            "text/html; charset=utf-8",
            "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Please sign in to the network</h1></body></html>\n",
        ),
        Fault::ResetBeforeAnswer => return Outcome::Reset,
        Fault::ResetAfterActing => {
            let _ = act();
            return Outcome::Reset;
        }
        Fault::Hang => std::future::pending().await,
        Fault::Redirect(url) => Answer::empty(302).with_header("Location", &url),
    };
    Outcome::Answer(answer)
}
