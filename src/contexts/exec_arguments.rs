//! What kubectl runs: the arguments of our user entries.

use crate::huaweicloud::cloud::Cloud;
use crate::identity::Identity;
use crate::ids::PrincipalId;
use crate::lifetime::CertLifetime;
use crate::plan::{CertificateSettings, CloudSettings, ClusterRef, absolute};
use crate::store::CacheMode;
use crate::words::Word as _;

/// What client-go shows when the command is not found.
pub(crate) const INSTALL_HINT: &str = "kubectl-cce_login signs you in to this cluster, but it is not on the PATH of the program that needs it.\n\
                            Install it, or run `kubectl cce-login` once more with --absolute-path for programs started outside a shell.";

/// What the arguments say.
pub(crate) struct Arguments<'a> {
    pub(crate) target: &'a ClusterRef,
    pub(crate) identity: &'a Identity,
    pub(crate) cloud: &'a CloudSettings,
    pub(crate) certificate: CertificateSettings,
    /// Whose certificates it is for.
    pub(crate) principal: Option<PrincipalId>,
    pub(crate) is_lifetime_strict: bool,
}

/// The cluster, the pin, and every setting that is not the built-in default, always in this order.
pub(crate) fn arguments(said: &Arguments<'_>) -> Vec<String> {
    let Arguments {
        target,
        cloud: settings,
        certificate,
        principal,
        ..
    } = said;
    let mut args = vec![
        "get-credential".to_owned(),
        format!("--region={}", target.region),
        format!("--project-id={}", target.project_id),
        format!("--cluster-id={}", target.cluster_id),
        said.identity.identity_argument(),
    ];
    let mut add = |flag: &str, value: Option<String>| args.extend(value.map(|value| format!("--{flag}={value}")));
    add("principal", principal.as_ref().map(ToString::to_string));
    let lifetime = Some(certificate.lifetime).filter(|lifetime| *lifetime != CertLifetime::default());
    add("duration", lifetime.map(|lifetime| lifetime.to_string()));
    let cache = Some(certificate.cache).filter(|cache| *cache != CacheMode::Auto);
    add("cache", cache.map(|cache| cache.as_str().to_owned()));
    let cache_from = certificate.cache_from.as_deref();
    add(
        "cache-from",
        cache_from.map(|path| absolute(path).display().to_string()),
    );
    let shared = Some(&certificate.shared_cache).filter(|shared| shared.is_some());
    add("shared-cache", shared.map(ToString::to_string));
    let cloud = settings.cloud.as_ref();
    let cloud = cloud.filter(|cloud| **cloud != Cloud::of_region(&target.region));
    add("cloud", cloud.map(|cloud| cloud.as_str().to_owned()));
    add("cce-endpoint", settings.cce_endpoint.as_ref().map(ToString::to_string));
    add("iam-endpoint", settings.iam_endpoint.as_ref().map(ToString::to_string));
    let ca_file = settings.ca_file.as_deref();
    add("ca-file", ca_file.map(|path| absolute(path).display().to_string()));
    if target.is_autopilot {
        args.push("--autopilot".to_owned());
    }
    if said.is_lifetime_strict {
        args.push("--strict-duration".to_owned());
    }
    args
}
