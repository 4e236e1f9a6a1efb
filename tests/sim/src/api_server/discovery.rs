//! What the API server says about itself: health, version, groups and resources (the unaggregated form, which every kubectl reads).

use hyper::Method;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    behaviour::{Behaviour, SelfSubjectReviews},
    cluster::Cluster,
};

/// What everybody may ask.
pub(super) fn public(cluster: &Cluster, method: &Method, segments: &[&str]) -> Option<Answer> {
    match (method, segments) {
        (&Method::GET, ["healthz" | "readyz" | "livez", ..]) => {
            Some(Answer::new(200, "text/plain; charset=utf-8", "ok"))
        }
        (&Method::GET, ["version"]) => Some(Answer::json(200, &version(cluster))),
        _ => None,
    }
}

/// What every authenticated user may ask.
pub(super) fn answer(behaviour: &Behaviour, method: &Method, segments: &[&str]) -> Option<Answer> {
    if method != Method::GET {
        return None;
    }
    let body = match segments {
        ["api"] => json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}),
        ["apis"] => {
            let groups: Vec<_> = groups(behaviour)
                .iter()
                .map(|(name, versions)| group(name, versions))
                .collect();
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        }
        ["apis", name] => {
            let groups = groups(behaviour);
            let (name, versions) = groups.iter().find(|(group, _)| group == name)?;
            group(name, versions)
        }
        ["api", "v1"] => resources("v1", &core_resources()),
        ["apis", name, version] => {
            let groups = groups(behaviour);
            let known = groups
                .iter()
                .any(|(group, versions)| group == name && versions.contains(version));
            let list = known.then(|| group_resources(behaviour, name))?;
            resources(&format!("{name}/{version}"), &list)
        }
        ["openapi", "v3"] => json!({"paths": {}}),
        ["openapi", "v2"] => json!({"swagger": "2.0", "info": {"title": "Kubernetes", "version": "v1"}, "paths": {}}),
        _ => return None,
    };
    Some(Answer::json(200, &body))
}

fn version(cluster: &Cluster) -> Value {
    let version = cluster.spec.version.trim_start_matches('v');
    let mut parts = version.split('.');
    let (major, minor) = (parts.next().unwrap_or("1"), parts.next().unwrap_or("29"));
    let release = cluster.spec.release();
    json!({
        "major": major, "minor": format!("{minor}+"), "gitVersion": format!("{release}-{minor}.0.6"),
        "gitCommit": "0000000000000000000000000000000000000000", "gitTreeState": "clean",
        "buildDate": "2026-01-15T09:30:00Z", "goVersion": "go1.22.5", "compiler": "gc", "platform": "linux/amd64",
    })
}

fn groups(behaviour: &Behaviour) -> Vec<(&'static str, &'static [&'static str])> {
    let authentication: &[&str] = match behaviour.self_subject_reviews {
        SelfSubjectReviews::V1 => &["v1", "v1beta1"],
        SelfSubjectReviews::V1beta1Only => &["v1beta1"],
        SelfSubjectReviews::Absent => &["v1"],
    };
    vec![
        ("authentication.k8s.io", authentication),
        ("authorization.k8s.io", &["v1"]),
    ]
}

fn group(name: &str, versions: &[&str]) -> Value {
    let version = |version: &str| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let preferred = versions.first().map(|first| version(first));
    let versions: Vec<_> = versions.iter().map(|each| version(each)).collect();
    json!({"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": versions, "preferredVersion": preferred})
}

/// Name, kind, namespaced, short name, verbs.
type Resource = (&'static str, &'static str, bool, &'static str, &'static [&'static str]);

fn core_resources() -> Vec<Resource> {
    vec![
        ("namespaces", "Namespace", false, "ns", &["get", "list", "watch"]),
        ("pods", "Pod", true, "po", &["get", "list", "watch"]),
        ("pods/log", "Pod", true, "", &["get"]),
    ]
}

fn group_resources(behaviour: &Behaviour, group: &str) -> Vec<Resource> {
    match group {
        "authorization.k8s.io" => vec![
            (
                "selfsubjectaccessreviews",
                "SelfSubjectAccessReview",
                false,
                "",
                &["create"],
            ),
            (
                "selfsubjectrulesreviews",
                "SelfSubjectRulesReview",
                false,
                "",
                &["create"],
            ),
        ],
        _ if behaviour.self_subject_reviews == SelfSubjectReviews::Absent => Vec::new(),
        _ => vec![("selfsubjectreviews", "SelfSubjectReview", false, "", &["create"])],
    }
}

fn resources(group_version: &str, list: &[Resource]) -> Value {
    let resources: Vec<_> = list
        .iter()
        .map(|(name, kind, namespaced, short_name, verbs)| {
            let short_names: Vec<_> = Some(*short_name).into_iter().filter(|name| !name.is_empty()).collect();
            json!({"name": name, "singularName": "", "kind": kind, "namespaced": namespaced, "verbs": verbs, "shortNames": short_names})
        })
        .collect();
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources})
}
