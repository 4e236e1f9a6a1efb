//! `POST …/clusters/{id}/clustercertrevoke`: every certificate of one identity on one cluster.

use super::body_object;
use crate::{
    answer::Answer,
    cluster::Cluster,
    errors,
    principal::{Identity, Principal},
};

/// Oldest releases that know it, per minor version.
const SINCE: [(u32, u32, u32); 5] = [(19, 16, 50), (21, 11, 10), (23, 9, 10), (25, 4, 10), (27, 1, 10)];

pub(super) fn revoke(principal: &Principal, cluster: &Cluster, body: &[u8]) -> Result<Answer, Answer> {
    let object = body_object(body, &["userId", "agencyId"])?;
    let text = |key: &str| {
        object
            .get(key)
            .and_then(|value| value.as_str())
            .filter(|id| !id.is_empty())
    };
    let (id, is_agency) = match (text("userId"), text("agencyId")) {
        (Some(id), None) => (id, false),
        (None, Some(id)) => (id, true),
        _ => return Err(errors::cce_invalid("exactly one of userId and agencyId is required")),
    };
    let is_assumed = matches!(principal.identity, Identity::Agency { .. });
    if !principal.is_administrator && (is_agency != is_assumed || id != principal.id) {
        return Err(errors::cce_forbidden(
            "cce:cluster:revokeClientCredential on other users",
        ));
    }
    if !cluster.has_api_server() {
        let message = format!("Cluster status is {}, operation is not allowed.", cluster.phase());
        return Err(errors::cce(403, "CCE.01403003", &message));
    }
    if is_too_old(&cluster.spec.release()) {
        return Err(errors::cce_invalid(
            "Cluster version does not support revoking certificates.",
        ));
    }
    cluster.revoke(id, is_agency);
    Ok(Answer::empty(200))
}

/// `v1.27` and `v1.27.1-r10`; a version without a release counts as its newest.
fn is_too_old(version: &str) -> bool {
    let numbers: Vec<u32> = version
        .split(|character: char| !character.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .collect();
    match numbers.as_slice() {
        [1, minor, patch, release, ..] => match SINCE.iter().find(|(since, ..)| since == minor) {
            Some(since) => (*minor, *patch, *release) < *since,
            None => *minor < 27 && !matches!(minor, 20 | 22 | 24 | 26),
        },
        [1, minor, ..] => *minor < 19,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_too_old;

    #[test]
    fn versions_before_the_documented_ones_cannot_revoke() {
        assert!(is_too_old("v1.17"));
        assert!(is_too_old("v1.19.16-r49"));
        assert!(is_too_old("v1.27.1-r9"));
        assert!(!is_too_old("v1.27.1-r10"));
        assert!(!is_too_old("v1.27.3-r0"));
        assert!(!is_too_old("v1.29"));
        assert!(!is_too_old("v1.31.1-r2"));
    }
}
