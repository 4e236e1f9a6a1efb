//! `kubectl auth whoami` and `kubectl auth can-i`.

use hyper::Method;
use serde_json::{Value, json};

use super::authentication::User;
use crate::{
    answer::Answer,
    behaviour::{Behaviour, SelfSubjectReviews},
    server::Received,
};

pub(super) fn answer(behaviour: &Behaviour, user: &User, received: &Received, segments: &[&str]) -> Option<Answer> {
    if received.method != Method::POST {
        return None;
    }
    match segments {
        ["apis", "authentication.k8s.io", version, "selfsubjectreviews"] => {
            let known: &[&str] = match behaviour.self_subject_reviews {
                SelfSubjectReviews::V1 => &["v1", "v1beta1"],
                SelfSubjectReviews::V1beta1Only => &["v1beta1"],
                SelfSubjectReviews::Absent => &[],
            };
            let body = json!({
                "kind": "SelfSubjectReview",
                "apiVersion": format!("authentication.k8s.io/{version}"),
                "metadata": {"creationTimestamp": null},
                "status": {"userInfo": {"username": user.name, "groups": user.groups}},
            });
            known.contains(version).then(|| Answer::json(201, &body))
        }
        ["apis", "authorization.k8s.io", "v1", kind @ "selfsubjectaccessreviews"] => {
            let status = json!({"allowed": true, "reason": "every authenticated user may do everything here"});
            Some(review(kind, &status, received))
        }
        ["apis", "authorization.k8s.io", "v1", kind @ "selfsubjectrulesreviews"] => {
            let all = json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]});
            let status = json!({"incomplete": false, "nonResourceRules": [], "resourceRules": [all]});
            Some(review(kind, &status, received))
        }
        _ => None,
    }
}

/// The review as it was sent, with a verdict.
fn review(kind: &str, status: &Value, received: &Received) -> Answer {
    let sent: Value = serde_json::from_slice(&received.body).unwrap_or_default();
    let spec = sent.get("spec").cloned().unwrap_or_else(|| json!({}));
    let kind = if kind == "selfsubjectrulesreviews" {
        "SelfSubjectRulesReview"
    } else {
        "SelfSubjectAccessReview"
    };
    Answer::json(
        201,
        &json!({
            "kind": kind, "apiVersion": "authorization.k8s.io/v1", "metadata": {"creationTimestamp": null},
            "spec": spec, "status": status,
        }),
    )
}
