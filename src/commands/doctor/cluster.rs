//! One context: its identity at the cloud, its cluster, its certificate, its API server.

use crate::account::user_name;
use crate::cache::entry::CacheEntry;
use crate::cache::index::CertificateRecord;
use crate::commands::doctor::finding::{Finding, Level};
use crate::commands::doctor::server::{self, refresh_of};
use crate::contexts::{self, ResolvedContext};
use crate::credential::request::CertificateRequest;
use crate::credential::{Certificates, ask_cce, shared};
use crate::error::Result;
use crate::huaweicloud::cce::cluster::Cluster;
use crate::huaweicloud::cce::revocation::too_old_to_revoke;
use crate::kubeconfig::OurContext;
use crate::lifetime::about;
use crate::session::Session;

/// Looks at the context from the cloud to its API server.
pub(super) fn check(session: &Session<'_>, context: &OurContext<'_>, meant: &ResolvedContext) -> Vec<Finding> {
    let wanted = meant.wanted();
    let mut findings = Vec::new();
    let cluster = match ask_cce::cluster(session, &wanted) {
        Ok(cluster) => {
            findings.extend(phase(&cluster));
            Some(cluster)
        }
        Err(error) => {
            findings.push(Finding::failed("cluster", &error));
            None
        }
    };
    let certificates = Certificates::of(session, &wanted);
    let certificate = match certificate(session, &certificates) {
        Ok((entry, finding)) => {
            findings.push(finding);
            Some(entry)
        }
        Err(error) => {
            findings.push(Finding::failed("certificate", &error));
            None
        }
    };
    findings.extend(shared_cache(session, &wanted));
    if contexts::has_no_ca(context) {
        findings.push(Finding::warning(
            "entry",
            "it has not been used yet: its CA and TLS name come with the first certificate",
            format!("the first kubectl brings them; now: {}", refresh_of(context)),
        ));
    } else {
        let note = certificates.record();
        let changed = note
            .as_ref()
            .and_then(|note| changes(session, context, cluster.as_ref(), note));
        let is_rotated = changed.as_ref().is_some_and(|finding| finding.result == Level::Problem);
        findings.extend(changed);
        let seen = server::ServerCase {
            session,
            context,
            cluster: cluster.as_ref(),
            certificates: &certificates,
            is_rotated,
        };
        findings.push(seen.check(note, certificate.as_ref()));
    }
    findings
        .into_iter()
        .map(|finding| finding.of_context(context.name))
        .collect()
}

/// The register of many machines: whether it can be reached, what we may do there, and what lies there.
fn shared_cache(session: &Session<'_>, request: &CertificateRequest<'_>) -> Option<Finding> {
    const CHECK: &str = "shared cache";
    let examined = shared::examine(session, &request.sharing(), &request.key())?;
    Some(match examined {
        Ok(Some(seen)) => {
            let held = match seen.fetched_at {
                Some(at) => format!("it has a certificate of {} ago", about(session.host.clock.now() - at)),
                None => "it has no certificate yet".to_owned(),
            };
            let seal = if seen.is_sealed {
                "sealed: nobody else can read it"
            } else {
                "not sealed: the engine alone protects it"
            };
            Finding::ok(
                CHECK,
                format!("{}: it lets us read and write; {held}; {seal}", seen.place),
            )
        }
        Ok(None) => Finding::warning(
            CHECK,
            format!(
                "nothing is shared: {} is not the same everywhere",
                request.identity.describe()
            ),
            "use an access key, an IAM user, an agency by id token, or a pod's identity",
        ),
        Err(error) => Finding::failed(CHECK, &error),
    })
}

fn phase(cluster: &Cluster) -> Vec<Finding> {
    let mut shown = format!("`{}` ({}) is {}", cluster.name, cluster.version, cluster.phase);
    if !cluster.reason.is_empty() {
        shown = format!("{shown}: {}", cluster.reason);
    }
    let mut findings = vec![match cluster.unreachable_because() {
        Some(cure) => Finding::problem("cluster", shown, cure),
        None => Finding::ok("cluster", shown),
    }];
    findings.extend(too_old_to_revoke(&cluster.release).map(|since| {
        Finding::warning(
            "revoke",
            format!("release `{}` cannot revoke certificates", cluster.release),
            format!("upgrade the cluster to `{since}` or later, so that a certificate in wrong hands can be cut off"),
        )
    }));
    findings
}

/// The cached certificate, else a new one: whoever gets it has the permission.
fn certificate(session: &Session<'_>, certificates: &Certificates<'_>) -> Result<(CacheEntry, Finding)> {
    let obtained = certificates.cached_or_new()?;
    let left = obtained.entry.ends_at(&session.host.clock) - session.host.clock.now();
    let came = if obtained.is_fetched {
        "came from CCE just now"
    } else {
        "is cached"
    };
    let finding = Finding::ok(
        "certificate",
        format!(
            "it {came}, for {}, and is valid for {}",
            user_name::shown(session, &obtained.entry.cert.common_name),
            about(left)
        ),
    );
    Ok((obtained.entry, finding))
}

/// What is not any more as the entry has it.
fn changes(
    session: &Session<'_>,
    context: &OurContext<'_>,
    cluster: Option<&Cluster>,
    note: &CertificateRecord,
) -> Option<Finding> {
    let refresh = refresh_of(context);
    if let (Some(entry), Some(ca)) = (&context.certificate_authority_data, &note.ca_pem)
        && !server::is_same(entry, ca)
    {
        return Some(Finding::problem(
            "entry",
            "the cluster has other certificate authorities than the entry: they were rotated",
            refresh,
        ));
    }
    let server = context.server?;
    let known: Vec<&str> = cluster
        .iter()
        .flat_map(|cluster| cluster.endpoints.iter().map(|endpoint| endpoint.url.as_str()))
        .chain(note.servers.iter().chain(&note.custom_san_servers).map(String::as_str))
        .chain(note.chosen_server.as_deref())
        .collect();
    session
        .log
        .debug(|| format!("the cluster's servers: {}", known.join(", ")));
    (!known.contains(&server)).then(|| {
        Finding::warning(
            "entry",
            format!("`{server}` is not among the addresses of the cluster any more"),
            refresh,
        )
    })
}
