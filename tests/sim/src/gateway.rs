//! The API gateway in front of IAM and CCE: records every request, applies faults, checks who is asking, stamps the answer.

use std::{future::Future, pin::Pin, sync::Arc};

use hyper::Method;
use tokio_rustls::rustls::ServerConfig;

use crate::{
    answer::{Answer, Outcome},
    cce, clock,
    directory::User,
    errors,
    faults::Fault,
    iam, pki,
    records::Recorded,
    server::{Answerer, Received},
    signature::{self, Refusal, Signed},
    world::{World, lock},
};

/// A service behind the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Iam,
    Cce,
}

/// A known API.
pub(crate) enum Route {
    Iam(iam::Operation),
    Cce(cce::Call),
}

impl Route {
    fn new(service: Service, method: &Method, path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        match service {
            Service::Iam => iam::Operation::new(method, &segments).map(Self::Iam),
            Service::Cce => cce::Call::new(method, &segments).map(Self::Cce),
        }
    }

    fn operation(&self) -> &'static str {
        match self {
            Self::Iam(operation) => operation.name(),
            Self::Cce(call) => call.operation.name(),
        }
    }
}

/// One service's door.
pub(crate) struct Gateway {
    pub(crate) world: Arc<World>,
    pub(crate) service: Service,
    pub(crate) tls: Arc<ServerConfig>,
}

impl Answerer for Gateway {
    fn tls(&self) -> Option<Arc<ServerConfig>> {
        Some(Arc::clone(&self.tls))
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
        let Some(route) = route else {
            return errors::no_such_api();
        };
        let user = match authenticate(&self.world, received) {
            Ok(user) => user,
            Err(answer) => return answer,
        };
        match route {
            Route::Iam(operation) => iam::answer(&self.world, &user, operation, received),
            Route::Cce(call) => cce::answer(&self.world, &user, &call, received),
        }
    }

    fn record(&self, operation: &str, received: &Received) -> Recorded {
        let headers = received.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.as_str().to_owned(), value.into_owned())
        });
        Recorded {
            service: match self.service {
                Service::Iam => "iam".to_owned(),
                Service::Cce => "cce".to_owned(),
            },
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

/// Who is asking: by signature. Tokens (`X-Auth-Token`) are not issued yet, so every one is refused.
fn authenticate(world: &World, received: &Received) -> Result<User, Answer> {
    if received.header("x-auth-token").is_some() {
        return Err(errors::unauthenticated("decrypt token fail"));
    }
    let signed = Signed {
        method: received.method.as_str(),
        path: &received.path,
        query: &received.query,
        headers: &received.headers,
        body: &received.body,
    };
    let secret = |id: &str| {
        let directory = lock(&world.directory);
        directory.access_key(id).map(|(key, _)| key.secret.clone())
    };
    let verified = signature::verify(&signed, world.behaviour().signature_style, world.now(), secret);
    let id = verified.map_err(|refusal| match refusal {
        Refusal::Absent => errors::unauthenticated("Get secretKey failed, ak:, err: ak not exist"),
        Refusal::Malformed(detail) => errors::unauthenticated(&format!("verify aksk signature fail, {detail}")),
        Refusal::UnknownKey => errors::unauthenticated("Get secretKey failed, err: ak not exist"),
        Refusal::Mismatch => errors::unauthenticated("verify aksk signature fail"),
        Refusal::ClockSkew => errors::clock_skew(),
    })?;
    let directory = lock(&world.directory);
    let (key, user) = directory
        .access_key(id)
        .ok_or_else(|| errors::unauthenticated("ak not exist"))?;
    if key.security_token.as_deref() != received.header("x-security-token") {
        return Err(errors::unauthenticated("check security token fail"));
    }
    Ok(user.clone())
}
