//! Revoking: every certificate of one identity on one cluster (`POST …/clustercertrevoke`, api-cce `cce_02_0249`).

use crate::huaweicloud::api::{Body, Call};
use crate::huaweicloud::cce::{CceClient, CceError};
use crate::ids::{ClusterId, UserId};
use serde_json::json;
use std::fmt;

/// The oldest releases that can revoke, per minor version: minor, patch, release (usermanual-cce `cce_10_0744`).
const SINCE: [(u32, u32, u32); 5] = [(19, 16, 50), (21, 11, 10), (23, 9, 10), (25, 4, 10), (27, 1, 10)];

/// Whose certificates: their CN is this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CertificateOwner {
    /// An IAM user.
    User(UserId),
    /// An agency that somebody assumes.
    Agency(UserId),
}

impl CertificateOwner {
    /// Whoever has this id.
    pub(crate) fn of(id: UserId, is_agency: bool) -> Self {
        if is_agency { Self::Agency(id) } else { Self::User(id) }
    }

    /// The id.
    pub(crate) fn id(&self) -> &UserId {
        match self {
            Self::User(id) | Self::Agency(id) => id,
        }
    }
}

impl fmt::Display for CertificateOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user `{id}`"),
            Self::Agency(id) => write!(f, "agency `{id}`"),
        }
    }
}

impl CceClient<'_> {
    /// Revokes every certificate that this identity has on the cluster. A new one can be fetched at once; doing it twice does no harm.
    pub(crate) fn revoke_cluster_certs(&self, id: &ClusterId, holder: &CertificateOwner) -> Result<(), CceError> {
        let path = format!("/clusters/{id}/clustercertrevoke");
        let body = |_| match holder {
            CertificateOwner::User(id) => json!({ "userId": id.as_str() }),
            CertificateOwner::Agency(id) => json!({ "agencyId": id.as_str() }),
        };
        let permission = "cce:cluster:revokeClientCredential";
        let call: Call<'_> = self.call("POST", &path, Some(Body(&body)), permission);
        self.api.call(&call)?;
        Ok(())
    }
}

/// The oldest releases that can revoke, for a sentence.
pub(crate) fn first_releases() -> String {
    let all = SINCE.map(|(minor, patch, release)| format!("v1.{minor}.{patch}-r{release}"));
    all.join(", ")
}

/// The release from which on a cluster like this one can revoke, if `release` (`v1.25.4-r2`, `v1.25`) is surely older. What does not say
/// enough is left to CCE to judge.
pub(crate) fn too_old_to_revoke(release: &str) -> Option<String> {
    let (version, own_release) = match release.split_once("-r") {
        Some((version, rest)) => (version, rest.split(|c: char| !c.is_ascii_digit()).next()),
        None => (release, None),
    };
    let mut numbers = version.trim_start_matches('v').split('.').map(str::parse::<u32>);
    let (Some(Ok(1)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return None;
    };
    let shown = |(minor, patch, release): &(u32, u32, u32)| format!("v1.{minor}.{patch}-r{release}");
    let first = SINCE.first().filter(|(oldest, ..)| minor < *oldest);
    let since = first.or_else(|| SINCE.iter().find(|(since, ..)| *since == minor))?;
    let own_patch = numbers.next().and_then(Result::ok);
    let own_release = own_release.and_then(|text| text.parse::<u32>().ok());
    let is_older = minor < since.0
        || match (own_patch, own_release) {
            (Some(patch), Some(release)) => (patch, release) < (since.1, since.2),
            (Some(patch), None) => patch < since.1,
            (None, _) => false,
        };
    is_older.then(|| shown(since))
}

#[cfg(test)]
mod tests {
    use super::too_old_to_revoke;

    #[test]
    fn the_documented_releases_are_the_first_that_can_revoke() {
        for (release, since) in [
            ("v1.15", "v1.19.16-r50"),
            ("v1.17.17-r99", "v1.19.16-r50"),
            ("v1.19.16-r49", "v1.19.16-r50"),
            ("v1.21.10-r99", "v1.21.11-r10"),
            ("v1.21.11-r9", "v1.21.11-r10"),
            ("v1.23.9-r9", "v1.23.9-r10"),
            ("v1.25.3", "v1.25.4-r10"),
            ("v1.25.4-r9-25.1.16", "v1.25.4-r10"),
            ("v1.27.1-r9", "v1.27.1-r10"),
        ] {
            assert_eq!(too_old_to_revoke(release).as_deref(), Some(since), "{release}");
        }
        for release in [
            "v1.19.16-r50",
            "v1.21.11-r10",
            "v1.23.9-r10",
            "v1.25.4-r10",
            "v1.27.1-r10",
            "v1.27.3-r0",
            "v1.28",
            "v1.31.1-r2",
        ] {
            assert_eq!(too_old_to_revoke(release), None, "{release}");
        }
    }

    #[test]
    fn what_does_not_say_enough_is_left_to_cce() {
        for release in [
            "",
            "v1.25",
            "v1.25.4",
            "v1.24.1-r0",
            "latest",
            "v2.0",
            "v1",
            "v1.x",
            "1.-r",
            "v1.25.4-rx",
        ] {
            assert_eq!(too_old_to_revoke(release), None, "{release}");
        }
    }
}
