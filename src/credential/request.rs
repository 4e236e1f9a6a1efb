//! A certificate that is wanted: for which cluster, as whom, for how long, and who wants it.

use crate::cache::CacheKey;
use crate::cache::entry::CacheEntry;
use crate::certificate::ClientCert;
use crate::host::Deadline;
use crate::identity::Identity;
use crate::ids::{Endpoint, PrincipalId};
use crate::plan::{CertificateSettings, CloudSettings, ClusterRef};
use crate::sign_in::SignIn;

/// The one shape of "cluster, identity, cloud and settings".
#[derive(Clone, Copy)]
pub(crate) struct CertificateRequest<'a> {
    pub(crate) target: &'a ClusterRef,
    pub(crate) identity: &'a Identity,
    pub(crate) cloud: &'a CloudSettings,
    pub(crate) certificate: &'a CertificateSettings,
    /// Whose it must be.
    pub(crate) principal: Option<&'a PrincipalId>,
    /// Refuse another lifetime than asked for.
    pub(crate) is_lifetime_strict: bool,
    pub(crate) requester: Requester,
}

impl CertificateRequest<'_> {
    /// What it is filed under: everything that changes the answer.
    pub(crate) fn key(&self) -> CacheKey {
        CacheKey::new(
            &self.endpoint(),
            &self.target.project_id,
            &self.target.cluster_id,
            self.identity.fingerprint(),
            self.certificate.lifetime,
            self.target.is_autopilot,
        )
    }

    /// Where CCE answers.
    pub(crate) fn endpoint(&self) -> Endpoint {
        self.cloud.cce(&self.target.region)
    }

    /// Who asks CCE for it, and for what it describes.
    pub(crate) fn sign_in(&self) -> SignIn<'_> {
        let sign_in = SignIn::new(self.identity, self.cloud, &self.target.region, self.certificate.cache)
            .for_project(&self.target.project_id);
        match self.requester {
            Requester::Client => sign_in.for_client(),
            Requester::Person => sign_in,
        }
    }
}

/// Whose call this is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Requester {
    /// kubectl's, among many: a failure of a moment ago answers for it, and another identity than before is refused.
    Client,
    /// A person's: tried afresh, and the identity it finds is the one that counts from now on.
    Person,
}

/// What to fetch, and when somebody else's fetch makes it unnecessary.
#[derive(Clone, Copy)]
pub(crate) struct FetchRequest<'a> {
    pub(crate) policy: CachePolicy<'a>,
    /// The certificate that is served if nothing comes of this.
    pub(crate) current: Option<&'a CacheEntry>,
    pub(crate) deadline: Deadline,
}

/// What a certificate from the cache must be, to do instead of a new one.
#[derive(Clone, Copy)]
pub(crate) enum CachePolicy<'a> {
    /// Good for more than its last moments.
    AnyValid,
    /// Not yet in its renewal window.
    Fresh,
    /// With at least half of its life before it: for who will never ask for another one.
    HalfLeft,
    /// Another than this one, which the API server refuses.
    NotThis(&'a ClientCert),
    /// Asked for after this run began: a person wants a new one.
    Newer,
}
