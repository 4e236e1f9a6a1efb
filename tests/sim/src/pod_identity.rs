//! The endpoint behind `HC_CONTAINER_CREDENTIALS_FULL_URI`: a pod's service account token for its agency's temporary access key.

use hyper::Method;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    clock, id_token, pki,
    principal::Identity,
    server::Received,
    world::{World, lock},
};

/// Of the tokens that kubelet projects into pods.
pub(crate) const AUDIENCE: &str = "service.cce.pods";
/// `iss` of those.
pub(crate) const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
pub(crate) const PATH: &str = "/v1/credentials";
const KEY_SECONDS: i64 = 6 * 3600;

pub(crate) fn is_meant(method: &Method, path: &str) -> bool {
    method == Method::POST && path == PATH
}

pub(crate) fn answer(world: &World, received: &Received) -> Answer {
    // The token as it is in its file, without `Bearer`.
    let token = received.header("authorization").unwrap_or_default();
    let claims = id_token::verify(token, None, world.now());
    let subject = match claims {
        Ok(claims) if claims.issuer == ISSUER && claims.audiences.iter().any(|name| name == AUDIENCE) => claims.subject,
        Ok(_) => return refused(401, "the token is not for pod identity"),
        Err(why) => return refused(401, &format!("the token is invalid: {why}")),
    };
    if serde_json::from_slice::<Value>(&received.body).ok() != Some(json!({})) {
        return refused(400, "the body must be an empty object");
    }
    let Some(agency_id) = lock(&world.pod_agency_id).clone() else {
        return refused(404, "no agency is associated with the service account");
    };
    let account = lock(&world.directory)
        .agency(&agency_id)
        .map(|agency| (agency.account_id.clone(), agency.name.clone()));
    let (account_id, agency) = account.unwrap_or_default();
    // `system:serviceaccount:{namespace}:{name}`
    let mut parts = subject.rsplit(':');
    let (service_account, namespace) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let expires_at = world.temporary_key_end(KEY_SECONDS);
    let identity = Identity::Agency {
        id: agency_id.clone(),
        assumed_by: None,
        session: service_account.to_owned(),
    };
    let key = lock(&world.directory).access_keys.add_temporary(identity, expires_at);
    // The fields of the SDK's own tests.
    Answer::json(
        200,
        &json!({
            "assumedAgency": {"urn": format!("sts::{account_id}:assumed-agency:{agency}/{service_account}"), "id": agency_id},
            "audience": AUDIENCE,
            "credentials": {
                "accessKeyId": key.id, "secretAccessKey": key.secret, "securityToken": key.security_token,
                "expiration": clock::iam_time(expires_at),
            },
            "podIdentityAssociationId": pki::random_id(),
            "subject": {"namespace": namespace, "serviceAccount": service_account},
        }),
    )
}

fn refused(status: u16, message: &str) -> Answer {
    Answer::json(
        status,
        &json!({"errorCode": format!("CCE.01{status}001"), "errorMessage": message}),
    )
}
