//! Who is asking: judged at every request, so that a connection outlives neither certificate nor CA.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_rustls::rustls::pki_types::UnixTime;

use crate::{
    cluster::{self, Cluster},
    server::Received,
};

/// Somebody, or nobody in particular.
pub(super) enum Caller {
    Anonymous,
    User(User),
}

/// A client certificate's holder.
pub(super) struct User {
    pub(super) name: String,
    pub(super) groups: Vec<String>,
    /// The end of the certificate, Unix time.
    pub(super) not_after: i64,
}

impl Caller {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Anonymous => "system:anonymous",
            Self::User(user) => &user.name,
        }
    }
}

/// `None`: what was shown proves nothing. The certificate must come from the cluster's present CA, be in its time and not revoked.
pub(super) fn authenticate(cluster: &Cluster, received: &Received, now: DateTime<Utc>) -> Option<Caller> {
    let Some((leaf, intermediates)) = received.client_chain.split_first() else {
        let shows_token = received.header("authorization").is_some();
        return (!shows_token).then_some(Caller::Anonymous);
    };
    let since_epoch = Duration::from_secs(u64::try_from(now.timestamp()).unwrap_or_default());
    let now = UnixTime::since_unix_epoch(since_epoch);
    cluster.verifier().verify_client_cert(leaf, intermediates, now).ok()?;
    let holder = cluster::holder(leaf)?;
    if cluster.is_revoked(&holder.serial) {
        return None;
    }
    let mut groups = holder.organizations;
    groups.push("system:authenticated".to_owned());
    Some(Caller::User(User {
        name: holder.common_name,
        groups,
        not_after: holder.not_after,
    }))
}
