//! `POST …/clusters/{id}/rotatecredentials`: starts a job.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::body_object;
use crate::{answer::Answer, cluster::Cluster, errors, jobs, principal::Principal, world::World};

const CA_LIMIT: usize = 1 << 20;
const MAX_HOURS: i64 = 8784;

pub(super) fn rotate(
    world: &World,
    principal: &Principal,
    cluster: &Arc<Cluster>,
    body: &[u8],
) -> Result<Answer, Answer> {
    let object = body_object(body, &["component", "certificateExpirationTime", "certContent"])?;
    if let Some(hours) = object.get("certificateExpirationTime")
        && !hours.as_i64().is_some_and(|hours| (0..=MAX_HOURS).contains(&hours))
    {
        return Err(errors::cce_invalid("certificateExpirationTime must be in [0, 8784]"));
    }
    let renews_ca = match object.get("component").and_then(Value::as_str) {
        Some("all") => true,
        Some("service-account-controller") => false,
        Some("custom") => {
            check_custom(cluster, &object)?;
            false
        }
        _ => {
            let message = "component must be one of all, service-account-controller, custom";
            return Err(errors::cce_invalid(message));
        }
    };
    if !principal.is_administrator {
        return Err(errors::cce_forbidden("cce:cluster:rotateCredentials"));
    }
    let id = jobs::start_rotation(world, cluster, renews_ca);
    Ok(Answer::json(200, &json!({"jobid": id})))
}

fn check_custom(cluster: &Cluster, object: &Map<String, Value>) -> Result<(), Answer> {
    if cluster.spec.authentication_mode != "authenticating_proxy" {
        return Err(errors::cce_invalid(
            "custom needs a cluster in authenticating_proxy mode",
        ));
    }
    let content = object.get("certContent").and_then(Value::as_object);
    let content = content.ok_or_else(|| errors::cce_invalid("certContent is required"))?;
    for (name, label) in [
        ("ca", "CERTIFICATE"),
        ("cert", "CERTIFICATE"),
        ("privateKey", "PRIVATE KEY"),
    ] {
        let encoded = content.get(name).and_then(Value::as_str).unwrap_or_default();
        let pem = STANDARD
            .decode(encoded)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let pem = pem.ok_or_else(|| errors::cce_invalid(&format!("certContent.{name} is not base64 of PEM")))?;
        if !pem.contains(&format!("{label}-----")) || pem.contains("ENCRYPTED") {
            return Err(errors::cce_invalid(&format!(
                "certContent.{name} is no unencrypted {label}"
            )));
        }
        if pem.len() > CA_LIMIT {
            return Err(errors::cce_invalid(&format!("certContent.{name} exceeds 1 MB")));
        }
    }
    Ok(())
}
